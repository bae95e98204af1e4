"""What Amp's balances mean: the free allowance, a subscription's pools, the credits. Pure, no effects."""

from __future__ import annotations

import math
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from quotaline_providers import (
    DAY_MINUTES,
    MONTH_MINUTES,
    Balance,
    Identity,
    Lane,
    Row,
    Section,
    Usage,
    Window,
    clamped,
    money,
    share,
)
from quotaline_providers.vendors.amp.payloads import Balances, Free, Pool, Tier

DAILY = "resets daily"
_RESET_HOUR = 20
_LONGEST_HOURS = 10 * 366 * 24


def next_daily_reset(now: datetime) -> datetime | None:
    """The next 20:00 in New York, strictly after now; None on a computer without time zones."""
    try:
        zone = ZoneInfo("America/New_York")
    except (ZoneInfoNotFoundError, OSError):
        return None
    local = now.astimezone(zone)
    reset = local.replace(hour=_RESET_HOUR, minute=0, second=0, microsecond=0, fold=0)
    if reset <= local:
        reset = (reset.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
    return reset.astimezone(UTC)


def months_later(moment: datetime, count: int) -> datetime | None:
    """So many calendar months later, at the latest the month's last day."""
    month = moment.month - 1 + count
    year = moment.year + month // 12
    if year > 9999:
        return None
    day = min(moment.day, monthrange(year, month % 12 + 1)[1])
    return moment.replace(year=year, month=month % 12 + 1, day=day)


def renewal(count: int, unit: Literal["day", "month"], now: datetime) -> datetime | None:
    """When a plan renews; None when that is too far away for a date."""
    if unit == "month":
        return months_later(now, count)
    try:
        return now + timedelta(days=count)
    except OverflowError:
        return None


def renewal_text(count: int, unit: Literal["day", "month"]) -> str:
    """`renews in 2 months`."""
    return f"renews in {count} {unit}{'' if count == 1 else 's'}"


def free_reset(free: Free, now: datetime) -> datetime | None:
    """The next daily reset, or the time it will be full again."""
    if free.daily:
        return next_daily_reset(now)
    if free.quota <= 0 or free.rate <= 0:
        return None
    hours = free.used / free.rate
    return now + timedelta(hours=hours) if hours <= _LONGEST_HOURS else None


def free_window(free: Free, now: datetime, id: str, lane: Lane | None) -> Window:
    """The free allowance in dollars, which fills up by the hour."""
    minutes = round(free.hours * 60) if free.hours and 0 < free.hours <= _LONGEST_HOURS else None
    return Window(
        id=id,
        label="Amp Free",
        used_percent=share(free.used, free.quota),
        minutes=minutes or None,
        resets_at=free_reset(free, now),
        description=DAILY if free.daily else None,
        lane=lane,
        blocks=lane is not None,
    )


def tier_windows(tier: Tier, now: datetime) -> Iterator[Window]:
    """The pools of a plan with exact amounts. Without a period they have no length."""
    minutes, reset, text = None, None, None
    if tier.period is not None:
        first, last = tier.period
        minutes = (last - first).days * DAY_MINUTES
        reset = datetime.combine(last, time(), UTC)
    elif tier.renews is not None:
        reset, text = renewal(*tier.renews, now), renewal_text(*tier.renews)
    pools: tuple[tuple[str, str, Pool | None, str, Lane], ...] = (
        ("agent", "Agent usage", tier.agent, "USD", "primary"),
        ("orb", "Orb usage", tier.orb, "hours", "secondary"),
    )
    for id, label, pool, unit, lane in pools:
        percent = None if pool is None else used_of(pool)
        if pool is not None and percent is not None:
            yield Window(
                id=id,
                label=label,
                used_percent=percent,
                used=max(0.0, pool.limit - pool.left),
                limit=pool.limit,
                unit=unit,
                minutes=minutes,
                resets_at=reset,
                description=text,
                lane=lane,
                blocks=id == "agent",  # an orb is a machine in the cloud: the agent works without it
            )


def used_of(pool: Pool) -> float | None:
    """Percent used, 0-100: exact amounts go before the rounded percentage. None for a pool of nothing."""
    if pool.limit > 0:
        return clamped((pool.limit - pool.left) / pool.limit * 100)
    return None if pool.percent is None else 100 - clamped(pool.percent)


def windows(balances: Balances, now: datetime) -> Iterator[Window]:
    """A plan's pools first; the free allowance is then an extra."""
    plan = None if balances.tier else balances.subscription
    if balances.tier is not None:
        yield from tier_windows(balances.tier, now)
    if plan is not None:
        reset, text = renewal(plan.count, plan.unit, now), renewal_text(plan.count, plan.unit)
        pools: tuple[tuple[str, str, float, Lane], ...] = (
            ("other", "Other usage", plan.other_left, "primary"),
            ("orb", "Orb usage", plan.orb_left, "secondary"),
        )
        for id, label, left, lane in pools:
            yield Window(
                id=id,
                label=label,
                used_percent=100 - clamped(left),
                minutes=MONTH_MINUTES,
                resets_at=reset,
                description=text,
                lane=lane,
                blocks=id == "other",  # an orb is a machine in the cloud: the agent works without it
            )
    if balances.free is not None and math.isfinite(balances.free.quota):
        yield free_window(balances.free, now, "amp-free", None if balances.plan else "primary")


def free_rows(free: Free | None) -> Iterator[Row]:
    """The dollars of the free allowance, and how fast they come back; nothing where it was told in percent."""
    if free is not None and free.dollars is not None:
        left, quota = free.dollars
        yield Row(label="Remaining", value=f"{money(left)} of {money(quota)}")
        if free.rate > 0:
            yield Row(label="Replenishes", value=f"{money(free.rate)}/hour")


def to_usage(balances: Balances, now: datetime) -> Usage:
    """The usage of one account. Money is in US dollars."""
    found = tuple(windows(balances, now))
    credits = [("individual", "Individual credits", balances.individual)]
    credits += [
        (f"workspace-{number}", f"Workspace {name}", amount)
        for number, (name, amount) in enumerate(balances.workspaces, 1)
    ]
    known = [(id, label, amount) for id, label, amount in credits if amount is not None]
    rows = tuple(Row(label=label, value=money(amount)) for _, label, amount in known)
    sections = (
        Section(title="Amp Free", rows=tuple(free_rows(balances.free))),
        Section(title="Credits", rows=rows),
    )
    plan = balances.plan
    if plan is None and any(window.lane == "primary" for window in found):
        plan = "Amp Free"
    return Usage(
        updated_at=now,
        windows=found,
        balances=tuple(Balance(id=id, label=label, amount=amount, unit="USD") for id, label, amount in known),
        identity=Identity(
            email=balances.email,
            organization=balances.organization,
            plan=plan,
            login=plan or "Amp",
        ),
        details=tuple(section for section in sections if section.rows),
    )
