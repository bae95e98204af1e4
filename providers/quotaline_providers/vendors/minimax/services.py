"""The list of services some of MiniMax's answers hold instead of models: here `usage` is what is USED."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

from quotaline_providers import DAY_MINUTES, WEEK_MINUTES, believable_reset, clamped, share, to_number, to_text
from quotaline_providers.vendors.minimax.lanes import Limit, reset_text

CHINA_TIME = timezone(timedelta(hours=8))
_UNITS = {"minute": 1, "hour": 60, "day": 1440}


def service_type(text: str) -> str:
    """A service's name as it is shown."""
    name = text.lower()
    if "text" in name and "generation" in name:
        return "Text Generation"
    if "text" in name and "speech" in name:
        return "Text to Speech"
    return "Image" if "image" in name else re.sub(r"\s+", "-", name.strip())


def window_minutes(text: str) -> int | None:
    """The minutes of a `window_type`; None when it is not understood."""
    name = text.strip().lower()
    if name in ("today", "weekly"):
        return DAY_MINUTES if name == "today" else WEEK_MINUTES
    match = re.fullmatch(r"(\d{1,5})\s*(minute|hour|day)s?", name)
    return (int(match.group(1)) * _UNITS[match.group(2)] or None) if match else None


def range_end(text: str, now: datetime) -> datetime | None:
    """When a `time_range` ends: a full time, or a clock time that is tomorrow's when it is past; both in UTC+8."""
    full = re.search(r"-\s*(\d{4})/(\d\d)/(\d\d) (\d\d):(\d\d)\s*$", text)
    clock = re.search(r"-\s*(\d{1,2}):(\d\d)\s*(?:\(UTC\+8\))?\s*$", text)
    try:
        if full:
            year, month, day, hour, minute = map(int, full.groups())
            return datetime(year, month, day, hour, minute, tzinfo=CHINA_TIME).astimezone(UTC)
        if clock:
            return next_clock(int(clock.group(1)), int(clock.group(2)), CHINA_TIME, now)
    except (ValueError, OverflowError):
        return None
    return None


def next_clock(hour: int, minute: int, zone: timezone, now: datetime) -> datetime:
    """The next time it is this o'clock. Raises ValueError for no such time."""
    local = now.astimezone(zone)
    hour, days = (0, 1) if (hour, minute) == (24, 0) else (hour, 0)
    end = local.replace(hour=hour, minute=minute, second=0, microsecond=0) + timedelta(days=days)
    return (end if end > local else end + timedelta(days=1)).astimezone(UTC)


def services_of(listed: object, now: datetime) -> Iterator[tuple[Limit, str]]:
    """The usable entries of a service list with their types. `usage` is what is USED here."""
    for item in listed if isinstance(listed, list) else ():
        if not isinstance(item, dict):
            continue
        names = [to_text(item.get(name)) for name in ("service_type", "window_type", "time_range")]
        used, limit = to_number(item.get("usage")), to_number(item.get("limit"))
        if None in names or used is None or limit is None or limit <= 0:
            continue
        type_, window, span = (name or "" for name in names)
        percent = to_number(item.get("percent"))
        minutes = window_minutes(window)
        reset = believable_reset(minutes, range_end(span, now), now)
        name = service_type(type_)
        limits = Limit(
            service=name,
            period=window,
            percent=share(used, limit) if percent is None else clamped(percent),
            used=used,
            limit=limit,
            minutes=minutes,
            resets_at=reset,
            text=reset_text(reset, now),
            slug=f"{name} {window}",
            is_text=name == "Text Generation",
        )
        yield limits, type_
