"""How an organisation's days, by model and line item, and a credit balance become a usage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from quotaline_providers import (
    Balance,
    Chart,
    Confidence,
    Identity,
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
    tokens,
)
from quotaline_providers.vendors.openai.payloads import CostBucket, CostResult, Grants, UsageBucket, UsageResult

_TOP = 24


@dataclass
class Day:
    """What one UTC day cost and used, all models and line items together."""

    start: int
    end: int
    cost: float = 0.0
    requests: int = 0
    input: int = 0
    cached: int = 0
    output: int = 0
    models: dict[str, tuple[int, int]] = field(default_factory=dict)
    items: dict[str, float] = field(default_factory=dict)

    def add_cost(self, result: CostResult) -> None:
        cost = result.amount.value if result.amount else 0.0
        name = result.line_item or "API"
        self.cost += cost
        self.items[name] = self.items.get(name, 0.0) + cost

    def add_usage(self, result: UsageResult) -> None:
        used = (result.input_tokens or 0) + (result.input_audio_tokens or 0)
        made = (result.output_tokens or 0) + (result.output_audio_tokens or 0)
        requests = result.num_model_requests or 0
        self.input += used
        self.output += made
        self.cached += result.input_cached_tokens or 0
        self.requests += requests
        name = result.model or "Responses and Chat Completions"
        count, before = self.models.get(name, (0, 0))
        self.models[name] = (count + used + made, before + requests)


def days_of(costs: Iterable[CostBucket], usages: Iterable[UsageBucket], now: datetime) -> tuple[Day, ...]:
    """The days that have begun, oldest first; the buckets of both endpoints join by their start."""
    days: dict[int, Day] = {}
    for cost in costs:
        day = days.setdefault(cost.start_time, Day(cost.start_time, cost.end_time))
        for result in cost.results:
            day.add_cost(result)
    for usage in usages:
        day = days.setdefault(usage.start_time, Day(usage.start_time, usage.end_time))
        for used in usage.results:
            day.add_usage(used)
    return tuple(days[start] for start in sorted(days) if start <= now.timestamp())


def to_usage(days: tuple[Day, ...], history: int, project: str | None, now: datetime) -> Usage:
    """The last `history` days present; with one day only that which contains now."""
    today = tuple(day for day in days if day.start <= now.timestamp() < day.end)
    shown = today if history == 1 else days[-history:]
    period = "Today" if history == 1 else f"Last {history} days"
    return Usage(
        updated_at=now,
        spends=(Spend(id="spend", label="Spend", used=exact(_cost(shown)), unit="USD", period=period),),
        identity=Identity(
            login=f"Admin API: {project}" if project else "Admin API",
            organization=f"Project: {project}" if project else None,
        ),
        details=tuple(section for section in _sections(shown, today, days, period) if section.rows),
        confidence=Confidence.EXACT,
        source="admin-api:project" if project else "admin-api",
    )


def _sections(
    shown: tuple[Day, ...], today: tuple[Day, ...], days: tuple[Day, ...], period: str
) -> tuple[Section, ...]:
    points = tuple(Point(label=f"{datetime.fromtimestamp(day.start, UTC):%Y-%m-%d}", value=day.cost) for day in shown)
    chart = Chart(kind="bars", title="Daily spend", unit="USD", points=points) if points else None
    rows = [Row(label="Spend", value=money(_cost(shown)))]
    if period != "Today":
        rows += [Row(label="Today", value=money(_cost(today))), Row(label="7d", value=money(_cost(days[-7:])))]
    used, made = sum(day.input for day in shown), sum(day.output for day in shown)
    rows += [
        Row(label="Requests", value=grouped(sum(day.requests for day in shown))),
        Row(label="Tokens", value=tokens(used + made), secondary=f"{tokens(used)} input · {tokens(made)} output"),
        Row(label="Cached input", value=tokens(sum(day.cached for day in shown))),
    ]
    return (
        Section(title=period, rows=tuple(rows), chart=chart),
        Section(title="Models", rows=_models(shown)),
        Section(title="Line items", rows=_items(shown)),
    )


def _models(days: tuple[Day, ...]) -> tuple[Row, ...]:
    counts: dict[str, int] = defaultdict(int)
    requests: dict[str, int] = defaultdict(int)
    for day in days:
        for name, (count, made) in day.models.items():
            counts[name] += count
            requests[name] += made
    ranked = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:_TOP]
    return tuple(
        Row(label=name, value=f"{tokens(count)} tokens", secondary=f"{grouped(requests[name])} requests")
        for name, count in ranked
    )


def _items(days: tuple[Day, ...]) -> tuple[Row, ...]:
    costs: dict[str, float] = defaultdict(float)
    for day in days:
        for name, cost in day.items.items():
            costs[name] += cost
    ranked = sorted(costs.items(), key=lambda entry: (-entry[1], entry[0]))[:_TOP]
    return tuple(Row(label=name, value=money(cost)) for name, cost in ranked)


def _cost(days: Iterable[Day]) -> float:
    return sum(day.cost for day in days)


def balance_usage(grants: Grants, now: datetime) -> Usage:
    """Prepaid credit as one window; it resets when the next grant expires."""
    granted, used = max(0.0, grants.total_granted), max(0.0, grants.total_used)
    available = max(0.0, grants.total_available)
    expiries = [grant.expires_at for grant in (grants.grants.data if grants.grants else ()) if grant.expires_at]
    reset = min((moment for moment in expiries if moment > now), default=None)
    percent = 100.0 if granted == 0 == available else share(used, granted)
    text = money(available)
    return Usage(
        updated_at=now,
        windows=(
            Window(
                id="credits",
                label="Spend",
                used_percent=percent,
                used=used,
                limit=granted if granted > 0 else None,
                unit="USD",
                resets_at=reset,
                description=f"{text} available",
                lane="primary",
                blocks=True,
            ),
        ),
        balances=(Balance(id="credits", label="API credits", amount=exact(available), unit="USD"),),
        spends=(
            Spend(
                id="credits",
                label="API credits",
                used=exact(used),
                limit=exact(granted) if granted > 0 else None,
                unit="USD",
                period="API credits",
                resets_at=reset,
            ),
        ),
        identity=Identity(login=f"API balance: {text}"),
        confidence=Confidence.EXACT,
        source="billing-api",
    )
