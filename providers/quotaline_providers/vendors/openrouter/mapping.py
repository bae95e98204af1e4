"""How one API key's budget and the account's credits become a usage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

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
    money,
    plan_name,
    share,
)
from quotaline_providers.vendors.openrouter.payloads import KEY_SCOPE, Credits, Key

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


def layer_windows(key: Key, *, limited: bool) -> Iterator[Window]:
    """The other budgets that stop the key, such as its workspace's. `limited`: the key's own limit is a window."""
    for layer in key.budgets:
        if layer.limit_usd is None or layer.limit_usd <= 0 or (limited and layer.scope == KEY_SCOPE):
            continue
        used = layer.used
        yield Window(
            id=f"budget-{layer.scope or 'other'}",
            label=f"{plan_name(layer.scope or 'other')} budget",
            used_percent=None if used is None else share(used, layer.limit_usd),
            used=used,
            limit=layer.limit_usd,
            unit="USD",
            minutes=_RESETS.get((layer.reset_interval or "").lower()),
            resets_at=layer.resets_at,
            blocks=True,
        )


def balance_told(credits: Credits, key: Key | None) -> bool:
    """Whether the credits are this account's. Two zeros are not where the same key's answer speaks against them: an
    ordinary key, which may not read the credits, is told zeros, too."""
    if credits.total_credits > 0 or credits.total_usage > 0 or (credits.remaining_balance or 0) > 0:
        return True
    if key is None or key.is_management_key:
        return True
    return not key.has_spent if key.is_free_tier is None else key.is_free_tier


def credits_left(credits: Credits) -> float:
    """US dollars, never below zero."""
    difference = credits.total_credits - credits.total_usage
    return max(0.0, difference if credits.remaining_balance is None else credits.remaining_balance)


def credits_window(credits: Credits, lane: Lane) -> Window | None:
    """What was spent of all credits ever bought, in US dollars; None where nothing was bought."""
    bought = credits.total_credits
    if bought <= 0:
        return None
    return Window(
        id="credits",
        label="Credits",
        used_percent=share(credits.total_usage, bought),
        used=max(0.0, credits.total_usage),
        limit=bought,
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


# --- all of it -------------------------------------------------------------------------------------

NEEDS_MANAGEMENT_KEY = "Needs a management key"
FREE_REQUESTS = "With 10 or more credits bought, 1,000 requests a day to free models are allowed."
_FREE_REQUESTS_FROM = 10


@dataclass(frozen=True)
class CreditsPart:
    """What is known of the account's credits: its answer, or why there is none. `note` is what else to say of that."""

    credits: Credits | None = None
    reason: str = ""
    note: str = ""

    def believed(self, key: Key | None) -> CreditsPart:
        """The same, but without zeros that are not the account's."""
        if self.credits is None or balance_told(self.credits, key):
            return self
        return CreditsPart(reason=NEEDS_MANAGEMENT_KEY)

    @property
    def notes(self) -> tuple[str, ...]:
        bought = self.credits.total_credits if self.credits else 0
        return (*((self.note,) if self.note else ()), *((FREE_REQUESTS,) if bought >= _FREE_REQUESTS_FROM else ()))


def to_usage(account: CreditsPart, part: KeyPart, history: Section, now: datetime) -> Usage:
    """The usage of one key and its account."""
    key = part.key
    account = account.believed(key)
    credits = account.credits
    budget = key_window(key, now) if key else None
    bought = credits_window(credits, "secondary" if budget else "primary") if credits else None
    layers = layer_windows(key, limited=budget is not None) if key else ()
    return Usage(
        updated_at=now,
        windows=(*(window for window in (budget, bought) if window), *layers),
        balances=() if credits is None else (_balance(credits),),
        spends=_key_spend(key) if credits is None and key else (),
        identity=Identity(plan=tier(key), login=f"Balance: {money(credits_left(credits))}" if credits else None),
        details=(_credits_section(account), key_section(part), history),
        notes=account.notes,
        confidence=Confidence.EXACT,
    )


def _balance(credits: Credits) -> Balance:
    """What is left. Who has never bought any is on the free models, which need none."""
    left, bought = credits_left(credits), credits.total_credits > 0
    return Balance(id="credits", label="Credits", amount=exact(left), unit="USD", blocks=bought)


def _key_spend(key: Key) -> tuple[Spend, ...]:
    if key.usage is None:
        return ()
    return (Spend(id="key", label="API key", used=exact(max(0.0, key.usage)), unit="USD", period="Lifetime"),)


def _credits_section(account: CreditsPart) -> Section:
    credits = account.credits
    if credits is None:
        return Section(title="Credits", rows=(Row(label="Remaining", value=account.reason),))
    left = credits_left(credits)
    amounts = (("Remaining", left), ("Used", credits.total_usage), ("Total added", credits.total_credits))
    return Section(title="Credits", rows=tuple(Row(label=label, value=dollars(value)) for label, value in amounts))
