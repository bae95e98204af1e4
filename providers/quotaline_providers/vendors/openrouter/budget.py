"""One API key's budget, its spending, and the account's credits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from quotaline_providers.formatting import money
from quotaline_providers.model import DAY_MINUTES, MONTH_MINUTES, WEEK_MINUTES, Chart, Lane, Point, Row, Section, Window
from quotaline_providers.vendors.openrouter.answers import Credits, Key

TIMED_OUT = "Request timed out"


@dataclass(frozen=True)
class KeyPart:
    """What is known of the key: its answer, or why there is none (`status` when the service refused)."""

    key: Key | None = None
    reason: str = ""
    status: int | None = None

    @property
    def timed_out(self) -> bool:
        return self.reason == TIMED_OUT


_RESETS = {"daily": DAY_MINUTES, "weekly": WEEK_MINUTES, "monthly": MONTH_MINUTES}


def key_used(key: Key) -> float | None:
    """Dollars used of the key's limit; None when that cannot be told. Lifetime use says nothing of a period."""
    if key.limit is None or key.limit <= 0:
        return None
    if key.limit_remaining is not None:
        return key.limit - min(key.limit, max(0.0, key.limit_remaining))
    reset = (key.limit_reset or "").lower()
    periods = {"daily": key.usage_daily, "weekly": key.usage_weekly, "monthly": key.usage_monthly, "": key.usage}
    used = periods.get(reset)
    return used if used is not None and used >= 0 else None


def next_reset(limit_reset: str | None, now: datetime) -> datetime | None:
    """The start of the next UTC day, week (Monday) or month."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match (limit_reset or "").lower():
        case "daily":
            return midnight + timedelta(days=1)
        case "weekly":
            return midnight + timedelta(days=7 - midnight.weekday())
        case "monthly":
            return (midnight.replace(day=28) + timedelta(days=4)).replace(day=1)
    return None


def key_window(key: Key, now: datetime) -> Window | None:
    """One key's spending against its limit, in US dollars; None without a limit."""
    used = key_used(key)
    if used is None or key.limit is None:
        return None
    return Window(
        id="key",
        label="API key",
        used_percent=min(100.0, used / key.limit * 100),
        used=used,
        limit=key.limit,
        unit="USD",
        minutes=_RESETS.get((key.limit_reset or "").lower()),
        resets_at=next_reset(key.limit_reset, now),
        lane="primary",
    )


def credits_window(credits: Credits, lane: Lane) -> Window:
    """What was spent of all credits ever bought, in US dollars."""
    bought = credits.total_credits
    percent = min(100.0, max(0.0, credits.total_usage / bought * 100)) if bought > 0 else 0.0
    return Window(
        id="credits",
        label="Credits used",
        used_percent=percent,
        used=max(0.0, credits.total_usage),
        limit=bought if bought > 0 else None,
        unit="USD",
        lane=lane,
    )


def key_section(part: KeyPart) -> Section:
    """The key's budget and spending, or why they are not shown."""
    key = part.key
    if key is None:
        row = Row(label="Budget", value="Unavailable right now", secondary=part.reason or None)
        return Section(title="API key", rows=(row,))
    amounts = (
        ("Remaining", key.limit_remaining if key.limit else None),
        ("Used", key.usage),
        ("Today", key.usage_daily),
        ("This week", key.usage_weekly),
        ("This month", key.usage_monthly),
    )
    rows = [Row(label="Budget", value=dollars(key.limit) if key.limit is not None else "No limit configured")]
    rows += [Row(label=label, value=dollars(value)) for label, value in amounts if value is not None]
    if key.limit_reset:
        rows.insert(1, Row(label="Reset window", value=key.limit_reset.capitalize()))
    limit = key.rate_limit
    if limit and limit.requests and limit.requests > 0:
        text = f"{limit.requests} requests" + (f" / {limit.interval}" if limit.interval else "")
        rows.append(Row(label="Rate limit", value=text))
    if key.is_free_tier is not None:
        rows.append(Row(label="Plan", value=tier(key) or ""))
    points = tuple(Point(label=label, value=max(0.0, value)) for label, value in amounts[2:] if value is not None)
    chart = Chart(kind="bars", title="Key spend", unit="USD", points=points) if points else None
    return Section(title="API key", rows=tuple(rows), chart=chart)


def tier(key: Key | None) -> str | None:
    """What stands in the place of a plan."""
    if key is None or key.is_free_tier is None:
        return None
    return "Free tier" if key.is_free_tier else "Pay as you go"


def dollars(value: float) -> str:
    """Dollars, never below zero."""
    return money(max(0.0, value))
