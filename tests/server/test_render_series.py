"""Charts: the same series as text bars, as a spark line and as a picture."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from datetime import timedelta, timezone
from typing import Any, Literal

from quotaline.render.hover import hover, provider_hover
from quotaline.render.report import report
from quotaline.render.terminal import terminal
from quotaline.state import ProviderState
from quotaline_providers.model import Chart, Point, Section

from .render_states import NOW, session, snapshot, state, usage, view
from .test_render_report import page


def charted(
    *points: tuple[str, float], unit: str | None = "USD", kind: Literal["bars", "line"] = "bars", title: str = "Spend"
) -> ProviderState:
    chart = Chart(
        kind=kind, title=title, unit=unit, points=tuple(Point(label=day, value=value) for day, value in points)
    )
    return state("openrouter", usage=usage(session(20), details=(Section(chart=chart),)))


def days(*values: float) -> tuple[tuple[str, float], ...]:
    """So much on each of the last days, today last."""
    first = NOW.date() - timedelta(days=len(values) - 1)
    return tuple(((first + timedelta(days=index)).isoformat(), value) for index, value in enumerate(values))


MODELS = charted(("big-model", 900_000), ("small", 30), ("unused", 0), unit="tokens", title="By model")


def chart_lines(told: str) -> list[str]:
    """What stands in the text block of a hover."""
    return [line.strip() for line in told.split("```text")[1].split("```")[0].strip().splitlines()]


def html(*states: ProviderState, **settings: Any) -> str:
    return report(snapshot(*states), view(**settings), "html")


def test_days_are_bars_in_columns_with_their_sum() -> None:
    told = provider_hover(charted(*days(1, 0, 2)), view())
    assert "- **Spend**: $3.00 in 3 days" in told
    assert chart_lines(told) == [
        "Dec 31  ██████░░░░░░  $1.00",
        "Jan 1   ░░░░░░░░░░░░  $0.00",
        "Today   ████████████  $2.00",
    ]


def test_only_the_last_week_is_drawn_as_text_and_all_of_it_is_summed() -> None:
    told = provider_hover(charted(*days(*[1.0] * 30)), view())
    assert "$30.00 in 30 days" in told
    assert len(chart_lines(told)) == 7


def test_models_have_no_sum_and_the_least_use_can_be_seen() -> None:
    told = provider_hover(MODELS, view())
    assert "- **By model**\n" in told
    assert chart_lines(told) == [
        "big-model  ████████████  900K tokens",
        "small      █░░░░░░░░░░░    30 tokens",
        "unused     ░░░░░░░░░░░░     0 tokens",
    ]


def test_many_models_are_counted() -> None:
    many = charted(*((f"model-{number}", number) for number in range(14)), unit=None)
    assert chart_lines(provider_hover(many, view()))[-1] == "… and 4 more"
    assert "… and 4 more" in html(many)


def test_nothing_used_is_a_sentence_and_not_a_picture() -> None:
    idle = charted(*days(0, 0))
    assert "$0.00 in 2 days" in provider_hover(idle, view())
    assert "```" not in provider_hover(idle, view())
    assert 'class="chart"' not in html(idle)


def test_several_providers_have_a_spark_line_each() -> None:
    busy = charted(*days(0, 1, 2, 4))
    others = [state(name, session(5)) for name in ("claude", "codex")]
    assert "- Spend: $7.00 in 4 days `▁▃▅█`" in hover(snapshot(busy, *others), view())
    assert "```" not in hover(snapshot(MODELS, *others), view())
    assert "```" in hover(snapshot(MODELS), view())


def test_the_text_report_has_the_bars_too() -> None:
    printed = terminal(snapshot(charted(*days(1, 2))), view()).splitlines()
    assert "Spend: $3.00 in 2 days" in printed
    assert "  Today  ============  $2.00" in printed


def test_a_day_is_today_only_where_it_is_that_day_in_utc_too() -> None:
    west = timezone(timedelta(hours=-13))
    assert "Jan 2" in provider_hover(charted(*days(1, 2)), view(zone=west))


def test_a_backtick_does_not_end_the_block() -> None:
    told = provider_hover(charted(("```", 1), ("a`b", 2), unit="`x`"), view())
    assert told.count("```") == 2


def test_a_picture_has_its_words_for_those_who_do_not_see_it() -> None:
    for drawn in (charted(*days(1, 0, 2)), charted(*days(1, 0, 2), kind="line"), MODELS):
        parsed = page(html(drawn))
        assert ("role", "img") in parsed.attributes
        assert {"svg", "title", "desc", "figcaption"} <= set(parsed.tags)
    told = html(charted(*days(1, 0, 2)))
    assert "<desc>Dec 31: $1.00; Jan 1: $0.00; Today: $2.00</desc>" in told
    assert "<summary>All values</summary>" in told
    assert "Highest: Today, $2.00" in told


def test_the_report_allows_itself_nothing_but_its_own_style() -> None:
    told = html(MODELS, charted(*days(1, 2)))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', told)
    style = re.search(r"<style>(.*?)</style>", told, re.DOTALL)
    assert policy is not None
    assert style is not None
    assert "default-src 'none'" in policy[1]
    digest = re.search(r"style-src 'sha256-([^']+)'", policy[1])
    assert digest is not None
    assert b64decode(digest[1]) == hashlib.sha256(style[1].encode()).digest()
    assert not re.search(r"\s(style|on\w+)=", told.split("</style>")[1])
