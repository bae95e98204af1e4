"""What Kimi's answers mean: the week, the rate, the month, and what the membership's statistics add. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from quotaline_providers import (
    DAY_MINUTES,
    MONTH_MINUTES,
    SESSION_MINUTES,
    WEEK_MINUTES,
    BadResponse,
    Identity,
    Lane,
    Usage,
    Window,
    clamped,
    grouped,
    parse_or_none,
    share,
)
from quotaline_providers.vendors.kimi.payloads import (
    CodeAnswer,
    Detail,
    Length,
    Limit,
    Pool,
    Pools,
    Statistics,
    WebAnswer,
)

SCOPE = "FEATURE_CODING"
_UNITS = {"TIME_UNIT_MINUTE": 1, "TIME_UNIT_HOUR": 60, "TIME_UNIT_DAY": 1440}
_LONGEST = 10 * 366 * 1440
_PLANS = {
    "LEVEL_FREE": "Adagio",
    "LEVEL_TRIAL": "Andante",
    "LEVEL_BASIC": "Moderato",
    "LEVEL_INTERMEDIATE": "Allegretto",
    "LEVEL_ADVANCED": "Allegro",
}
_PLANS_BY_WEEK = {1024: "Andante", 2048: "Moderato", 7168: "Allegretto"}
"""The weekly requests of the plans that are counted in them."""


def coding(answer: WebAnswer) -> CodeAnswer:
    """The coding scope of a web answer. Raises BadResponse when there is none."""
    for usage in answer.usages:
        if usage.scope == SCOPE:
            return CodeAnswer(usage=usage.detail, limits=usage.limits)
    raise BadResponse("Kimi reported no usage for coding.")


def _whole(value: float | None) -> int | None:
    return int(value) if value is not None and math.isfinite(value) and value == int(value) else None


def counted(detail: Detail) -> tuple[int, int, bool] | None:
    """Used, limit, and whether that can be relied on; None without a usable limit."""
    limit, used, left = _whole(detail.limit), _whole(detail.used), _whole(detail.remaining)
    if limit is None or limit <= 0:
        return None
    if used is not None and used >= 0:
        return used, limit, True
    if left is not None and 0 <= left <= limit:
        return limit - left, limit, True
    return 0, limit, False


def minutes_of(limit: Limit) -> int | None:
    """The length of a limit's window: 5 hours where there is none, None where it cannot be understood."""
    if limit.window is None:
        return SESSION_MINUTES
    length = parse_or_none(Length, limit.window) or Length()
    duration, unit = _whole(length.duration), _UNITS.get(length.unit or "")
    if duration is None or unit is None or duration <= 0 or duration * unit > _LONGEST:
        return None
    return duration * unit


def rate_text(used: int, limit: int, minutes: int | None) -> str:
    """`Rate: 30/90 per 5 hours`."""
    text = f"Rate: {used}/{limit}"
    if minutes is None:
        return text
    if minutes % 60:
        return f"{text} per {minutes} minute{'' if minutes == 1 else 's'}"
    return f"{text} per {minutes // 60} hour{'' if minutes == 60 else 's'}"


def _window(detail: Detail, id: str, label: str, lane: Lane, minutes: int | None, rate: bool) -> Window | None:
    counts = counted(detail)
    if counts is None:
        return None
    used, limit, reliable = counts
    return Window(
        id=id,
        label=label,
        used_percent=share(used, limit),
        used=used if reliable else None,
        limit=limit,
        unit="requests",
        minutes=minutes if reliable else None,
        resets_at=detail.resets_at,
        description=rate_text(used, limit, minutes) if rate else f"{grouped(used)}/{grouped(limit)} requests",
        lane=lane,
        blocks=True,
    )


def label_of(minutes: int | None) -> str:
    """A rate's name by its length: `5-hour usage`."""
    if minutes is None:
        return "Rate limit"
    units = ((DAY_MINUTES, "day"), (60, "hour"), (1, "minute"))
    return next(f"{minutes // unit}-{name} usage" for unit, name in units if minutes % unit == 0)


def counted_windows(answer: CodeAnswer) -> Iterator[Window]:
    """The week, and the first of the limits, where they are told as counts of requests."""
    first = parse_or_none(Limit, answer.limits[0]) if isinstance(answer.limits, list) and answer.limits else None
    week = _window(answer.usage, "weekly", "7-day usage", "primary", WEEK_MINUTES, False) if answer.usage else None
    if week:
        yield week
    if first and first.detail:
        minutes = minutes_of(first)
        rate = _window(first.detail, "session", label_of(minutes), "secondary", minutes, True)
        if rate:
            yield rate


def pooled_windows(pools: Pools) -> Iterator[Window]:
    """The windows told as fractions used. The month of code is left out where it only repeats the whole month."""
    yield from _pool(pools.limit_7d, "weekly", "7-day usage", WEEK_MINUTES, "primary")
    yield from _pool(pools.limit_5h, "session", "5-hour usage", SESSION_MINUTES, "secondary")
    total, code = pools.limit_month_total, pools.limit_month_code
    yield from _pool(total, "kimi-monthly", "Total usage", MONTH_MINUTES)
    if code.used_ratio != total.used_ratio:
        yield from _pool(code, "kimi-monthly-code", "Code this month", MONTH_MINUTES)


def _pool(pool: Pool, id: str, label: str, minutes: int, lane: Lane | None = None) -> Iterator[Window]:
    if pool.used_ratio is not None and pool.told:
        percent = clamped(pool.used_ratio * 100)
        reset = pool.resets_at
        yield Window(id=id, label=label, used_percent=percent, minutes=minutes, resets_at=reset, lane=lane, blocks=True)


def merged(*readings: Window) -> tuple[Window, ...]:
    """Each window once, in the order in which they first come: of several readings the more exhausted one counts."""
    found: dict[str, Window] = {}
    for window in readings:
        found[window.id] = _worse(found[window.id], window) if window.id in found else window
    return tuple(found.values())


def _worse(one: Window, other: Window) -> Window:
    """A count that could not be relied on (it has no length) yields to any other reading; a tie keeps the counts."""
    more = one.minutes is None or (other.used_percent or 0) > (one.used_percent or 0)
    kept, left = (other, one) if more else (one, other)
    return kept.model_copy(update={"resets_at": kept.resets_at or left.resets_at})


def extra_windows(statistics: Statistics, week: Window | None) -> Iterator[Window]:
    """The membership's month, and the week of code unless it only repeats the main one."""
    balance = statistics.subscriptionBalance
    if (
        balance is not None
        and balance.amountUsedRatio is not None
        and balance.feature in (None, "FEATURE_OMNI")
        and balance.type in (None, "SUBSCRIPTION")
    ):
        yield Window(
            id="kimi-monthly",
            label="Total usage",
            used_percent=clamped(balance.amountUsedRatio * 100),
            minutes=MONTH_MINUTES,
            resets_at=balance.expireTime,
            blocks=True,
        )
    rate = statistics.ratelimitCode7d
    if rate is not None and rate.ratio is not None and rate.enabled is not False:
        code = Window(
            id="kimi-code-7d",
            label="Code 7-day",
            used_percent=clamped(rate.ratio * 100),
            minutes=WEEK_MINUTES,
            resets_at=rate.resetTime,
            blocks=True,
        )
        if week is None or not repeats(code, week):
            yield code


def repeats(code: Window, week: Window) -> bool:
    """Whether the code window is the week once more."""
    if week.minutes is None or code.resets_at is None or week.resets_at is None:
        return False
    near = abs((code.used_percent or 0) - (week.used_percent or 0)) <= 1
    return near and abs(code.resets_at - week.resets_at) <= timedelta(minutes=5)


def plan(answer: CodeAnswer) -> str | None:
    """The membership's name, by its level or else by the requests of its week; None for neither."""
    if level := answer.user.membership.level:
        return _PLANS.get(level.upper(), level)
    counts = counted(answer.usage) if answer.usage else None
    return _PLANS_BY_WEEK.get(counts[1]) if counts else None


def to_usage(answer: CodeAnswer, statistics: Statistics | None, now: datetime) -> Usage:
    """The usage of a membership. Raises BadResponse when it holds none."""
    if answer.usage is None and not (isinstance(answer.limits, list) and answer.limits) and not answer.usages.told:
        raise BadResponse("Kimi reported no usage.")
    windows = merged(*counted_windows(answer), *pooled_windows(answer.usages))
    week = next((window for window in windows if window.lane == "primary"), None)
    if statistics:
        windows = merged(*windows, *extra_windows(statistics, week))
    month = next((window for window in windows if window.id == "kimi-monthly"), None)
    return Usage(
        updated_at=now,
        windows=windows,
        identity=Identity(plan=plan(answer)),
        notes=(_MONTH_IS_USED_UP,) if month and month.exhausted else (),
        limits_unavailable=not windows,
    )


_MONTH_IS_USED_UP = "The month's total is used up: until it resets, what is left of the shorter windows cannot be used."
