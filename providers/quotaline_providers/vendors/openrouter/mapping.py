"""How one API key's budget, the account's credits and its last thirty days become a usage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from quotaline_providers import (
    DAY_MINUTES,
    MONTH_MINUTES,
    WEEK_MINUTES,
    Balance,
    Chart,
    Confidence,
    Identity,
    Lane,
    Point,
    Row,
    Section,
    Spend,
    Usage,
    Window,
    exact,
    grouped,
    money,
    share,
    to_number,
    tokens,
)
from quotaline_providers.vendors.openrouter.payloads import MAX_COUNT, ActivityRow, Credits, Key

MAX_ACTIVITY_ROWS, MAX_ACTIVITY_KEYS = 20_000, 10_000
MAX_MODEL = 64
HISTORY_DAYS = 30
_TOP_MODELS = 5
_HISTORY_TITLE = "Last 30 days (UTC)"

# --- the key and the credits -----------------------------------------------------------------------

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
    """Dollars used of the key's limit; None when that is not known. Lifetime use is not that of a period."""
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
        used_percent=share(used, key.limit),
        used=used,
        limit=key.limit,
        unit="USD",
        minutes=_RESETS.get((key.limit_reset or "").lower()),
        resets_at=next_reset(key.limit_reset, now),
        lane="primary",
        blocks=True,
    )


def credits_window(credits: Credits, lane: Lane) -> Window:
    """What was spent of all credits ever bought, in US dollars."""
    bought = credits.total_credits
    return Window(
        id="credits",
        label="Credits used",
        used_percent=share(credits.total_usage, bought),
        used=max(0.0, credits.total_usage),
        limit=bought if bought > 0 else None,
        unit="USD",
        lane=lane,
        blocks=True,
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


# --- the last thirty days --------------------------------------------------------------------------


@dataclass(frozen=True)
class ActivityDay:
    """One model's use on one day: tokens without double counting, dollars metered and estimated."""

    day: date
    model: str
    tokens: int
    requests: int
    metered: float
    estimated: float

    @property
    def cost(self) -> float:
        return self.metered + self.estimated


def activity(rows: Iterable[dict[str, Any]], today: date) -> tuple[ActivityDay, ...]:
    """The rows that count, each once. Raises ValueError when any of them cannot be trusted."""
    kept: dict[tuple[object, ...], ActivityRow] = {}
    for number, raw in enumerate(rows, 1):
        if number > MAX_ACTIVITY_ROWS:
            raise ValueError("too many rows")
        day = _day(raw.get("date"), today)
        if day <= today - timedelta(days=HISTORY_DAYS):
            continue
        row = ActivityRow.model_validate(raw)
        if (row.reasoning_tokens or 0) > row.completion_tokens:
            raise ValueError("more reasoning than completion")
        name = (row.model_permaslug or row.model or "")[:MAX_MODEL]
        identity = (day, name, row.endpoint_id, row.provider_name, row.workspace_id)
        if kept.setdefault(identity, row).numbers != row.numbers:
            raise ValueError("conflicting rows")
        if len(kept) > MAX_ACTIVITY_KEYS:
            raise ValueError("too many distinct rows")
    return tuple(_activity_day(key[0], str(key[1]), row) for key, row in kept.items() if isinstance(key[0], date))


def _activity_day(day: date, model: str, row: ActivityRow) -> ActivityDay:
    count = row.prompt_tokens + row.completion_tokens
    estimated = row.byok_usage_inference or 0.0
    if count > MAX_COUNT or to_number(row.usage + estimated) is None:
        raise ValueError("overflow")
    return ActivityDay(day, model, count, row.requests, row.usage, estimated)


def _day(value: object, today: date) -> date:
    if not isinstance(value, str) or len(value) != len("2000-01-01"):
        raise ValueError("no day")
    day = datetime.strptime(value, "%Y-%m-%d").date()
    if day > today:
        raise ValueError("a day in the future")
    return day


def history_section(days: tuple[ActivityDay, ...]) -> Section:
    """The days' spending with a chart. Raises ValueError for sums too large to be meant."""
    metered, estimated = sum(day.metered for day in days), sum(day.estimated for day in days)
    if to_number(metered + estimated) is None:
        raise ValueError("overflow")
    quality = "vendor-metered" if not estimated else "mixed" if metered else "estimate"
    per_day: dict[date, float] = defaultdict(float)
    per_model: dict[str, list[ActivityDay]] = defaultdict(list)
    for item in days:
        per_day[item.day] += item.cost
        per_model[item.model or "Unknown model"].append(item)
    rows = [
        Row(label="Spend", value=money(metered + estimated), secondary=quality),
        Row(label="Tokens", value=tokens(sum(day.tokens for day in days))),
        Row(label="Requests", value=grouped(Decimal(sum(day.requests for day in days)))),
    ]
    ranked = sorted(per_model.items(), key=lambda entry: (-sum(item.cost for item in entry[1]), entry[0]))
    rows += [_model_row(model, items) for model, items in ranked[:_TOP_MODELS]]
    points = tuple(Point(label=day.isoformat(), value=cost) for day, cost in sorted(per_day.items()))
    chart = Chart(kind="bars", title="Spend per day", unit="USD", points=points) if points else None
    return Section(title=_HISTORY_TITLE, rows=tuple(rows), chart=chart)


def _model_row(model: str, items: list[ActivityDay]) -> Row:
    requests, count = sum(item.requests for item in items), sum(item.tokens for item in items)
    return Row(
        label=model,
        value=money(sum(item.cost for item in items)),
        secondary=f"{tokens(count)} tokens, {requests} requests",
    )


def no_history(reason: str) -> Section:
    """The section that says why there is no history."""
    return Section(title=_HISTORY_TITLE, rows=(Row(label="Activity", value=reason),))


# --- all of it -------------------------------------------------------------------------------------


def to_usage(credits: Credits | None, part: KeyPart, history: Section, now: datetime) -> Usage:
    """The usage of one key and its account. `credits` is None when the key may not read them."""
    key = part.key
    budget = key_window(key, now) if key else None
    windows = [budget] if budget else []
    balances: tuple[Balance, ...] = ()
    sections = [key_section(part), history]
    plan = tier(key)
    spends: tuple[Spend, ...] = ()
    if credits is not None:
        difference = credits.total_credits - credits.total_usage
        left = max(0.0, difference if credits.remaining_balance is None else credits.remaining_balance)
        windows.append(credits_window(credits, "secondary" if budget else "primary"))
        balances = (Balance(id="credits", label="Credits", amount=exact(left), unit="USD"),)
        sections.insert(0, _credits_section(credits, left))
        plan = f"Balance: {money(left)}"
    elif key is not None and key.usage is not None:
        spends = (Spend(id="key", label="API key", used=exact(max(0.0, key.usage)), unit="USD", period="Lifetime"),)
    return Usage(
        updated_at=now,
        windows=tuple(windows),
        balances=balances,
        spends=spends,
        identity=Identity(plan=plan),
        details=tuple(sections),
        confidence=Confidence.EXACT,
    )


def _credits_section(credits: Credits, left: float) -> Section:
    amounts = (("Remaining", left), ("Used", credits.total_usage), ("Total added", credits.total_credits))
    return Section(title="Credits", rows=tuple(Row(label=label, value=dollars(value)) for label, value in amounts))
