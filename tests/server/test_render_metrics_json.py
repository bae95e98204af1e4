"""Numbers by their names, models, daily series and notes in the JSON for scripts."""

from __future__ import annotations

from quotaline.render.codexbar_json import entry
from quotaline.render.shown import shown
from quotaline_providers.model import Chart, ModelUse, Point, Row, Section

from .render_states import state, usage, view


def test_what_a_provider_counts_is_there_as_numbers() -> None:
    rows = (Row(label="Tokens", value="1,230", metric="total_tokens", number=1230), Row(label="Quota", value="unknown"))
    chart = Chart(id="tokens", kind="bars", points=(Point(label="2030-01-02", value=4),))
    told = usage(
        details=(Section(title="Local chats", rows=rows), Section(chart=chart)),
        models=(
            ModelUse(name="a/b", upstream="unknown", requests=2, input=10, output=5, cached=3, total=18, credits=0.5),
        ),
        notes=("2 chats",),
    )
    found = entry(shown(state("codebuff", usage=told), view()))
    assert found["metrics"] == {"total_tokens": 1230}
    assert found["dailySeries"] == {"tokens": [{"day": "2030-01-02", "value": 4}]}
    assert found["notes"] == ["2 chats"]
    assert found["models"] == [
        {
            "name": "a/b",
            "upstream": "unknown",
            "requests": 2,
            "inputTokens": 10,
            "outputTokens": 5,
            "cachedTokens": 3,
            "totalTokens": 18,
            "credits": 0.5,
        }
    ]


def test_what_there_is_not_is_left_out() -> None:
    found = entry(shown(state("codebuff", usage=usage()), view()))
    assert {"metrics", "models", "dailySeries", "notes"}.isdisjoint(found)
