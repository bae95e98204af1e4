"""How an organisation's cost and token reports become a usage. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from quotaline_providers import Chart, Confidence, Identity, Point, Row, Section, Spend, Usage, money, tokens
from quotaline_providers.vendors.claude.payloads import CostDay, TokenDay

MAX_ITEMS = 20
WEEK = 7


D = TypeVar("D", CostDay, TokenDay)


def _past(days: Iterable[D], history: int, now: datetime) -> list[D]:
    known = [day for day in days if day.starting_at is not None and day.starting_at <= now]
    if history == 1:
        return [day for day in known if _is_today(day, now)]
    return sorted(known, key=lambda day: day.starting_at or now)[-history:]


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


def to_spending(costs: Iterable[CostDay], used: Iterable[TokenDay], history: int, now: datetime) -> Usage:
    """The last `history` days of an organisation: cost, tokens, and where they went."""
    days, token_days = _past(costs, history, now), _past(used, history, now)
    period = "Today" if history == 1 else f"Last {history} days"
    unit = next((cost.currency.upper() for day in days for cost in day.results if cost.currency), "USD")
    total = _sum(days)
    today = _sum(day for day in days if _is_today(day, now))
    week = _sum(day for day in days if day.starting_at is not None and day.starting_at > now - timedelta(days=WEEK))
    models: Counter[str] = Counter()
    for day in token_days:
        for entry in day.results:
            models[entry.model or "Other"] += entry.total
    today_tokens = sum(entry.total for day in token_days if _is_today(day, now) for entry in day.results)
    cache_read = sum(entry.cache_read or 0 for day in token_days for entry in day.results)
    top = max(models, key=lambda name: models[name], default=None)
    rows = (
        Row(label="Today spend", value=money(today, unit)),
        *((Row(label=f"{WEEK}d spend", value=money(week, unit)),) if history > WEEK else ()),
        *((Row(label=f"{history}d spend", value=money(total, unit)),) if history > 1 else ()),
        Row(label="Today tokens", value=tokens(today_tokens)),
        *((Row(label=f"{history}d tokens", value=tokens(models.total())),) if history > 1 else ()),
        Row(label="Cache read", value=tokens(cache_read)),
        *((Row(label="Top model", value=top, secondary=tokens(models[top])),) if top else ()),
    )
    points = tuple(
        Point(label=day.starting_at.date().isoformat(), value=float(_sum((day,)))) for day in days if day.starting_at
    )
    items = _items(days, unit)
    return Usage(
        updated_at=now,
        spends=(Spend(id="cost", label=period, used=total, unit=unit, period=period),),
        identity=Identity(login="Admin API"),
        details=(
            Section(title="Spend", rows=rows, chart=Chart(kind="bars", points=points, title="Daily spend", unit=unit)),
            *((Section(title="Cost items", rows=items),) if items else ()),
        ),
        confidence=Confidence.EXACT,
    )
