"""How the console's activity, or the present rates, become a usage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from quotaline_providers import (
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
    tokens,
)
from quotaline_providers.vendors.groq.payloads import Activity, ActivityAnswer

RATE_MINUTES = 5
_TOP = 20


@dataclass(frozen=True)
class Total:
    """Some rows added up. Costs are in US dollars."""

    cost: float
    requests: int
    tokens: int
    cached: int


def total(rows: Iterable[Activity]) -> Total:
    """The rows added up."""
    listed = tuple(rows)
    return Total(
        cost=sum(row.cost or 0.0 for row in listed),
        requests=sum(row.num_requests or 0 for row in listed),
        tokens=sum(row.total for row in listed),
        cached=sum(row.cached for row in listed),
    )


def by_day(rows: Iterable[Activity]) -> dict[date, list[Activity]]:
    """The rows of each local day, oldest day first."""
    days: dict[date, list[Activity]] = defaultdict(list)
    for row in rows:
        days[datetime.fromtimestamp(row.timestamp).astimezone().date()].append(row)
    return dict(sorted(days.items()))


def by_model(rows: Iterable[Activity]) -> list[tuple[str, Total]]:
    """The models, most tokens first."""
    models: dict[str, list[Activity]] = defaultdict(list)
    for row in rows:
        models[row.model or "unknown"].append(row)
    return sorted(((name, total(uses)) for name, uses in models.items()), key=lambda item: (-item[1].tokens, item[0]))


def to_usage(answer: ActivityAnswer, days: int, now: datetime) -> Usage:
    """The activity of the last `days` local days."""
    present = by_day(answer.data)
    shown = dict(list(present.items())[-days:])
    rows = [row for uses in shown.values() for row in uses]
    whole = total(rows)
    return Usage(
        updated_at=now,
        spends=(
            Spend(
                id="spend",
                label="Spend",
                used=exact(whole.cost),
                unit="USD",
                period="Today" if days == 1 else f"Last {days} days",
            ),
        ),
        identity=Identity(
            login="Console", organization=next((row.organization_name for row in rows if row.organization_name), None)
        ),
        details=tuple(section for section in (_summary(whole, shown, now), _models(rows)) if section.rows),
        confidence=Confidence.EXACT,
    )


def _summary(whole: Total, shown: dict[date, list[Activity]], now: datetime) -> Section:
    today = total(shown.get(now.astimezone().date(), ()))
    rows = [
        Row(label="Spend", value=money(whole.cost)),
        Row(label="Today", value=money(today.cost), secondary=f"{tokens(today.tokens)} tokens"),
        Row(label="Requests", value=grouped(whole.requests)),
        Row(label="Tokens", value=tokens(whole.tokens)),
    ]
    if whole.cached:
        rows.append(Row(label="Cached input", value=tokens(whole.cached)))
    points = tuple(Point(label=day.isoformat(), value=total(uses).cost) for day, uses in shown.items())
    chart = Chart(kind="bars", title="Daily spend", unit="USD", points=points) if points else None
    return Section(title="Usage summary", rows=tuple(rows), chart=chart)


def _models(rows: Iterable[Activity]) -> Section:
    listed = (
        Row(label=name, value=f"{tokens(used.tokens)} tokens", secondary=f"{grouped(used.requests)} requests")
        for name, used in by_model(rows)[:_TOP]
    )
    return Section(title="Models", rows=tuple(listed))


def rates_usage(requests: float, read: float, written: float, cached: float, now: datetime) -> Usage:
    """The rates (a second) as texts by the minute: there is nothing they could be a share of."""
    texts: list[tuple[str, str, Lane, str]] = [
        ("requests", "Requests", "primary", f"{_per_minute(requests)} req/min"),
        ("tokens", "Tokens", "secondary", f"{_per_minute(read + written)} tok/min"),
    ]
    if cached > 0:
        texts.append(("cache", "Cache hits", "tertiary", f"{_per_minute(cached)} cache/min"))
    return Usage(
        updated_at=now,
        windows=tuple(
            Window(id=id, label=label, minutes=RATE_MINUTES, description=text, lane=lane, blocks=False)
            for id, label, lane, text in texts
        ),
        identity=Identity(login="Prometheus metrics"),
    )


def _per_minute(rate: float) -> str:
    value = rate * 60
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f}"
