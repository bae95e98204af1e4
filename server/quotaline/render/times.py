"""How moments are worded: resets, ages, times of day in the user's time zone, and RFC 3339 for programs."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Literal

from quotaline_providers import formatting
from quotaline_providers.model import Window

ResetTimes = Literal["countdown", "absolute"]

JUST_NOW = "just now"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WHEN_WORDS = frozenset({"in", "at", "on", "every", "each", "hourly", "daily", "weekly", "monthly", "yearly"})
_WHEN_WORDS |= {"today", "tomorrow", "soon"} | {month.lower() for month in _MONTHS}


def rfc3339(moment: datetime) -> str:
    """UTC, whole seconds, `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock_time(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """`15:00` today, `tomorrow, 15:00`, else `Jan 5, 15:00` (with the year when it is another one)."""
    try:
        local, today = moment.astimezone(zone), now.astimezone(zone)
    except (OverflowError, ValueError):
        local, today = moment, now
    time = f"{local:%H:%M}"
    if local.date() == today.date():
        return time
    if (local.date() - today.date()).days == 1:
        return f"tomorrow, {time}"
    year = f" {local.year}" if local.year != today.year else ""
    return f"{_MONTHS[local.month - 1]} {local.day}{year}, {time}"


def resets(moment: datetime, now: datetime, style: ResetTimes, zone: tzinfo, verb: str = "Resets") -> str:
    """`Resets in 2h 5m`, `Resets now`, `Resets tomorrow, 09:00`."""
    if style == "absolute" and moment > now:
        return f"{verb} {clock_time(moment, now, zone)}"
    return f"{verb} {formatting.countdown(moment, now)}"


def reset_line(
    window: Window, now: datetime, style: ResetTimes, zone: tzinfo, *, description_is_detail: bool = False
) -> str | None:
    """When the window resets, or gets a part back: from its date, else from the vendor's words."""
    if window.resets_at is not None:
        verb = "Resets" if window.next_regen_percent is None else "Regenerates"
        return resets(window.resets_at, now, style, zone, verb)
    words = (window.description or "").strip()
    if not words or description_is_detail:
        return None
    first = words.split()[0].lower().rstrip(",.:")
    return f"Resets {words}" if first in _WHEN_WORDS else words


def age(moment: datetime, now: datetime, zone: tzinfo, style: ResetTimes = "countdown") -> str:
    """`just now`, `5m ago`, `3h ago`, else (and always in absolute style) the time."""
    seconds = (now - moment).total_seconds()
    if style == "absolute" or seconds >= 86400:
        return clock_time(moment, now, zone)
    if seconds < 60:
        return JUST_NOW
    return f"{int(seconds // 60)}m ago" if seconds < 3600 else f"{int(seconds // 3600)}h ago"
