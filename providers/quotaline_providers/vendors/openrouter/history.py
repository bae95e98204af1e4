"""An account's last thirty completed UTC days: what was spent on which model."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from quotaline_providers import Chart, Point, Row, Section, grouped, money, to_number, tokens
from quotaline_providers.vendors.openrouter.payloads import MAX_COUNT, ActivityRow

MAX_ACTIVITY_ROWS, MAX_ACTIVITY_KEYS = 20_000, 10_000
MAX_MODEL = 64
HISTORY_DAYS = 30
_TOP_MODELS = 5
_HISTORY_TITLE = "Last 30 days (UTC)"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?![^T ])")


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
    """A calendar day, maybe with a time behind it. Raises ValueError."""
    match = _DAY.match(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("no day")
    day = date.fromisoformat(match.group())
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
