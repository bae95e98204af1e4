"""What an organisation spent and used by day and model, as the console's own activity page tells it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import quote, urlsplit

from pydantic import Field

from quotaline_providers.contract import Context
from quotaline_providers.fetching.history_option import history_days
from quotaline_providers.formatting import grouped, money, tokens
from quotaline_providers.model import Chart, Confidence, Identity, Point, Row, Section, Spend, Usage
from quotaline_providers.parsing.payload import Integer, NeededNumber, Number, Payload, Text, exact
from quotaline_providers.vendors.groq.address import api_base
from quotaline_providers.vendors.groq.session import Session, admitted, current, organization_of, sign_in_base

SECONDS = 20.0
_TOP = 20

# --- what the vendor sends -------------------------------------------------------------------------


class Activity(Payload):
    """One model's use on one day; `cost` is in US dollars, `timestamp` in Unix seconds."""

    organization_name: Text = None
    model: Text = None
    timestamp: Annotated[NeededNumber, Field(gt=0, lt=250_000_000_000)]
    num_requests: Integer = None
    n_context_tokens_total: Integer = None
    n_non_cached_context_tokens_total: Integer = None
    n_generated_tokens_total: Integer = None
    cost: Number = None

    @property
    def input(self) -> int:
        """What was read and not cached; all that was read where that is not told."""
        plain = self.n_non_cached_context_tokens_total
        return (self.n_context_tokens_total or 0) if plain is None else plain

    @property
    def cached(self) -> int:
        return max(0, (self.n_context_tokens_total or 0) - self.input)

    @property
    def total(self) -> int:
        context = self.n_context_tokens_total
        return (self.input if context is None else context) + (self.n_generated_tokens_total or 0)


class ActivityAnswer(Payload):
    """`GET /platform/v1/organizations/<id>/activity`."""

    data: tuple[Activity, ...]


# --- how it becomes a usage ------------------------------------------------------------------------


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
    """What the console told of the last `days` local days."""
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
            plan="Console", organization=next((row.organization_name for row in rows if row.organization_name), None)
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


def span(now: datetime, days: int) -> dict[str, str]:
    """From the local midnight before the first day to the one after the last, in Unix seconds."""
    today = now.astimezone().date()
    first, end = today - timedelta(days=days - 1), today + timedelta(days=1)
    return {"start_date": _midnight(first), "end_date": _midnight(end)}


def _midnight(day: date) -> str:
    return str(int(datetime.combine(day, time()).astimezone().timestamp()))


# --- how it is fetched -----------------------------------------------------------------------------


async def from_console(ctx: Context, session: Session) -> Usage:
    """The activity of the last days."""
    base, sign_in, days = urlsplit(api_base(ctx)), sign_in_base(ctx), history_days(ctx)
    jwt = await current(ctx, sign_in, session)
    path = f"/platform/v1/organizations/{quote(organization_of(jwt), safe='')}/activity"
    answer = await ctx.http.send(
        "GET",
        base._replace(path=path, query="").geturl(),
        bearer=jwt,
        params=span(ctx.now, days),
        timeout=SECONDS,
    )
    return to_usage(ctx.http.parse(admitted(ctx, answer), ActivityAnswer), days, ctx.now)
