"""When a limit resets, from the words of Claude Code's panel: `4:30pm (Europe/Rome)`, `Mar 3 at 9am`, `15:59`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_ZONE = re.compile(r"\(?\b([A-Za-z]+(?:/[A-Za-z_+\-0-9]+)+|UTC|GMT)\b\)?")
_DATE = re.compile(r"\b(" + "|".join(MONTHS) + r")[a-z]*\.?[\s.]*(\d{1,2})(?!\d|:)(?:[\s,.]+(\d{4})\b)?", re.IGNORECASE)
_TIME = re.compile(r"(?<!\d)(\d{1,2})(?:[:.](\d{2}))?\s*([ap])\.?m\b|(?<!\d)(\d{1,2}):(\d{2})(?!\d)", re.IGNORECASE)
_YEARS = 8  # the most between two 29ths of February


def reset_time(text: str, now: datetime, minutes: int) -> datetime | None:
    """The UTC time that a reset text means for a window of this many minutes; None when it is not understood.

    Without a year it is the next such time; but when that is further away than the window is long and the previous
    one is not, the panel is old and the previous one is meant. Without a zone it is this system's local time.
    """
    named = _ZONE.search(text)
    zone: ZoneInfo | None = None
    if named:
        try:
            zone = ZoneInfo(named.group(1))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return None
        text = text[: named.start()] + " " + text[named.end() :]
    day = _DATE.search(text)
    clock = _clock(text[: day.start()] + " " + text[day.end() :] if day else text)
    if clock is None:
        return None
    candidates = sorted({time for date in _dates(day, now, zone) for time in _instants(date, clock, zone)})
    if not candidates:
        return None
    if day and day.group(3):
        return candidates[0]
    return _meant(candidates, now, timedelta(minutes=minutes))


def _clock(text: str) -> tuple[int, int] | None:
    match = _TIME.search(text)
    if match is None:
        return None
    if match.group(3):
        hour, minute = int(match.group(1)), int(match.group(2) or 0)
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match.group(3).lower() == "p" else 0)
    else:
        hour, minute = int(match.group(4)), int(match.group(5))
    return (hour, minute) if hour < 24 and minute < 60 else None


def _dates(day: re.Match[str] | None, now: datetime, zone: ZoneInfo | None) -> Iterator[date]:
    today = now.astimezone(zone).date()
    if day is None:
        yield from (today + timedelta(days=offset) for offset in (-1, 0, 1, 2))
        return
    month, number = MONTHS.index(day.group(1).lower()) + 1, int(day.group(2))
    years = (int(day.group(3)),) if day.group(3) else range(today.year - _YEARS, today.year + _YEARS + 1)
    for year in years:
        try:
            yield date(year, month, number)
        except ValueError:
            continue


def _instants(day: date, clock: tuple[int, int], zone: ZoneInfo | None) -> Iterator[datetime]:
    """The times at which the clocks show this: none when they skip it, two when they repeat it."""
    for fold in (0, 1):
        shown = datetime(day.year, day.month, day.day, *clock, fold=fold)
        time = (shown.replace(tzinfo=zone) if zone else shown).astimezone(UTC)
        if time.astimezone(zone).replace(tzinfo=None) == shown:
            yield time


def _meant(times: list[datetime], now: datetime, length: timedelta) -> datetime | None:
    following = next((time for time in times if time >= now), None)
    previous = next((time for time in reversed(times) if time < now), None)
    if following is not None and following - now <= length:
        return following
    if previous is not None and now - previous <= length:
        return previous
    return following
