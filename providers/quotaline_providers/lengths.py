"""What a window is by its length. Vendors tell lengths that are a little off: 604740 seconds are a week, too."""

from __future__ import annotations

from datetime import datetime, timedelta

from quotaline_providers.model import DAY_MINUTES, MONTH_MINUTES, SESSION_MINUTES, WEEK_MINUTES

TOLERANCE = 0.02
_SHORTEST_MONTH, _LONGEST_MONTH = 28 * DAY_MINUTES, 31 * DAY_MINUTES
_NAMES = {DAY_MINUTES: "Daily", WEEK_MINUTES: "Weekly", MONTH_MINUTES: "Monthly"}
_HALF_DAY = DAY_MINUTES // 2
_CLOCKS_APART = timedelta(minutes=5)


def usual_length(minutes: float | None) -> int | None:
    """The length that is meant: `SESSION_MINUTES`, `DAY_MINUTES`, `WEEK_MINUTES` or `MONTH_MINUTES` (28 to 31 days).

    Two percent off is the same length. None for any other.
    """
    if minutes is None:
        return None
    for usual in (SESSION_MINUTES, DAY_MINUTES, WEEK_MINUTES):
        if abs(minutes - usual) <= usual * TOLERANCE:
            return usual
    is_month = _SHORTEST_MONTH * (1 - TOLERANCE) <= minutes <= _LONGEST_MONTH * (1 + TOLERANCE)
    return MONTH_MINUTES if is_month else None


def length_name(minutes: float) -> str:
    """A window's name by its length: `Daily`, `Weekly`, `Monthly`, else `5-hour`, `3-day`, `90-minute`."""
    usual = usual_length(minutes)
    if usual in _NAMES:
        return _NAMES[usual]
    for size, unit in ((DAY_MINUTES, "day"), (60, "hour")):
        count = minutes / size
        if count > 1 - TOLERANCE and abs(count - round(count)) <= count * TOLERANCE:
            return f"{round(count)}-{unit}"
    return f"{round(minutes)}-minute"


def believable_length(minutes: int | None, resets_at: datetime | None, now: datetime) -> int | None:
    """The length as told, or a week where that cannot be: for a window of more than half a day whose reset is further
    away than it is long, yet not more than a week (a "day" that resets in five days)."""
    if minutes is None or resets_at is None or not _HALF_DAY < minutes < WEEK_MINUTES:
        return minutes
    left = resets_at - now
    return WEEK_MINUTES if timedelta(minutes=minutes) < left <= timedelta(minutes=WEEK_MINUTES) else minutes


def believable_reset(minutes: int | None, resets_at: datetime | None, now: datetime) -> datetime | None:
    """The reset as told, or None where that cannot be: past, or further away than the window is long."""
    if resets_at is None or resets_at <= now:
        return None
    if minutes is None:
        return resets_at
    longest = _LONGEST_MONTH if usual_length(minutes) == MONTH_MINUTES else minutes
    return resets_at if resets_at - now <= timedelta(minutes=longest) + _CLOCKS_APART else None
