"""How an organisation's cost and token reports become a usage. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from quotaline_providers import Chart, Confidence, Identity, Point, Row, Section, Spend, Usage, money, tokens
from quotaline_providers.vendors.claude.payloads import CostDay, CostReport, TokenDay, TokenReport

DAYS, MAX_ITEMS = 30, 20


D = TypeVar("D", CostDay, TokenDay)


def _past(days: Iterable[D], now: datetime) -> list[D]:
    known = [day for day in days if day.starting_at is not None and day.starting_at <= now]
    return sorted(known, key=lambda day: day.starting_at or now)[-DAYS:]


def _is_today(day: CostDay | TokenDay, now: datetime) -> bool:
    if day.starting_at is None:
        return False
    return day.starting_at <= now < (day.ending_at or day.starting_at + timedelta(days=1))


def _sum(days: Iterable[CostDay]) -> Decimal:
    return sum((cost.value for day in days for cost in day.results), Decimal(0))


def _items(days: Sequence[CostDay], unit: str) -> tuple[Row, ...]:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for day in days:
        for cost in day.results:
            totals[cost.description or "Other"] += cost.value
    largest = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Row(label=name, value=money(value, unit)) for name, value in largest[:MAX_ITEMS])


def to_spending(costs: CostReport, used: TokenReport, now: datetime) -> Usage:
    """The last thirty days of an organisation: cost, tokens, and where they went."""
    days, token_days = _past(costs.data, now), _past(used.data, now)
    unit = next((cost.currency.upper() for day in days for cost in day.results if cost.currency), "USD")
    total = _sum(days)
    today = _sum(day for day in days if _is_today(day, now))
    week = _sum(day for day in days if day.starting_at is not None and day.starting_at > now - timedelta(days=7))
    models: Counter[str] = Counter()
    for day in token_days:
        for entry in day.results:
            models[entry.model or "Other"] += entry.total
    today_tokens = sum(entry.total for day in token_days if _is_today(day, now) for entry in day.results)
    cache_read = sum(entry.cache_read or 0 for day in token_days for entry in day.results)
    top = max(models, key=lambda name: models[name], default=None)
    rows = (
        Row(label="Today spend", value=money(today, unit)),
        Row(label="7d spend", value=money(week, unit)),
        Row(label="30d spend", value=money(total, unit)),
        Row(label="Today tokens", value=tokens(today_tokens)),
        Row(label="30d tokens", value=tokens(models.total())),
        Row(label="Cache read", value=tokens(cache_read)),
        *((Row(label="Top model", value=top, secondary=tokens(models[top])),) if top else ()),
    )
    points = tuple(
        Point(label=day.starting_at.date().isoformat(), value=float(_sum((day,)))) for day in days if day.starting_at
    )
    items = _items(days, unit)
    return Usage(
        updated_at=now,
        spends=(Spend(id="cost", label="Last 30 days", used=total, unit=unit, period="Last 30 days"),),
        identity=Identity(login="Admin API"),
        details=(
            Section(title="Spend", rows=rows, chart=Chart(kind="bars", points=points, title="Daily spend", unit=unit)),
            *((Section(title="Cost items", rows=items),) if items else ()),
        ),
        confidence=Confidence.EXACT,
    )
