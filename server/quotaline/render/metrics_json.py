"""The part of `usage --format json` that is numbers by their names, models, daily series and notes."""

from __future__ import annotations

from quotaline.render import text
from quotaline.render.shown import Shown
from quotaline.render.wire import Json
from quotaline_providers.model import ModelUse, Usage

Object = dict[str, Json]


def metrics_of(item: Shown, usage: Usage) -> Object:
    """`metrics`, `models`, `dailySeries` and `notes`, each left out where the provider has none. Days are UTC."""
    rows = [row for section in usage.details for row in section.rows]
    charts = [section.chart for section in usage.details if section.chart is not None]
    found: Object = {
        "metrics": {row.metric: text.number(row.number) for row in rows if row.metric and row.number is not None},
        "models": [_model(item, model) for model in usage.models],
        "dailySeries": {
            chart.id: [{"day": point.label, "value": text.number(point.value)} for point in chart.points]
            for chart in charts
            if chart.id
        },
        "notes": [item.said(note) for note in usage.notes],
    }
    return {name: value for name, value in found.items() if value}


def _model(item: Shown, model: ModelUse) -> Object:
    numbers: Object = {
        "name": item.said(model.name),
        "upstream": item.said(model.upstream),
        "requests": model.requests,
        "inputTokens": model.input,
        "outputTokens": model.output,
        "cachedTokens": model.cached,
        "totalTokens": model.total,
    }
    return numbers if model.credits is None else {**numbers, "credits": text.number(model.credits)}
