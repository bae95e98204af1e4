"""What is told beside percentages: a vendor's verdict, that nothing is limited, and a short text of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from quotaline.forecast.traits import Traits
from quotaline.render.codexbar_json import entries
from quotaline.render.hover import provider_hover
from quotaline.render.protocol import usage_params
from quotaline.render.report import report
from quotaline.render.report_html import html_fragment
from quotaline.render.statusline import status_line
from quotaline.render.terminal import terminal
from quotaline.state import ProviderState
from quotaline_providers.model import Blocked

from .render_states import NOW, after, balance, failure, session, shown, snapshot, state, usage, view, weekly, window

REASON = "individual spend limit reached"


def text(*states: ProviderState, **settings: Any) -> str:
    return status_line(snapshot(*states), view(**settings)).text


def faces(reading: ProviderState, **settings: Any) -> dict[str, str]:
    """What each face says of one state."""
    seen, known = view(**settings), snapshot(reading)
    return {
        "line": status_line(known, seen).text,
        "hover": provider_hover(reading, seen),
        "terminal": terminal(known, seen),
        "page": html_fragment(known, seen),
        "markdown": report(known, seen, "markdown"),
        "protocol": json.dumps(usage_params(known, seen).to_json()),
    }


@pytest.fixture
def refused() -> ProviderState:
    """An account that its vendor does not let in, while its windows have much left."""
    return state("codex", usage=usage(session(9), weekly(31), blocked=Blocked(reason=REASON)))


def test_a_vendors_verdict_is_critical_whatever_the_windows_say(refused: ProviderState) -> None:
    assert shown(refused).severity == "critical"
    assert status_line(snapshot(refused), view()).severity == "critical"


def test_every_face_gives_the_vendors_reason(refused: ProviderState) -> None:
    told = faces(refused) | {"json": json.dumps(entries(snapshot(refused), view()))}
    assert [name for name, words in told.items() if REASON not in words] == []
    assert text(refused) == f"Codex {REASON}"


def test_what_is_stopped_has_no_pace() -> None:
    windows = (session(9, resets_at=after(hours=3)), weekly(31, resets_at=after(days=2)))
    assert "expected by now" in faces(state("codex", usage=usage(*windows)))["hover"]
    told = faces(state("codex", usage=usage(*windows, blocked=Blocked(reason=REASON))))
    assert [name for name, words in told.items() if "expected by now" in words or "lasts until" in words] == []


def test_a_verdict_goes_before_money_that_is_left() -> None:
    purse = state(
        "deepseek", usage=usage(balances=(balance("5.50"),), blocked=Blocked(reason="the balance cannot be used"))
    )
    assert shown(purse).severity == "critical"
    assert text(purse) == "Deepseek the balance cannot be used"


def test_an_exhausted_window_says_more_than_the_verdict_about_it() -> None:
    full = usage(session(9), weekly(100, resets_at=after(days=2)), blocked=Blocked(reason="limit reached"))
    assert "100%" in text(state("codex", usage=full))


def test_a_verdict_ends_when_the_vendor_says_so() -> None:
    def until(end: Any) -> ProviderState:
        return state("codex", usage=usage(session(9), blocked=Blocked(reason=REASON, until=end)))

    assert shown(until(after(hours=2))).blocked == f"{REASON} · ends in 2h"
    assert shown(until(NOW)).blocked is None
    assert shown(until(NOW)).severity == "ok"


def test_an_old_verdict_stays_critical() -> None:
    old = state("codex", usage=usage(session(9), blocked=Blocked(reason=REASON)), stale=True, failure=failure())
    assert shown(old).severity == "critical"


@pytest.fixture
def unlimited() -> ProviderState:
    return state("warp", window("credits", 0, lane="primary", blocks=True, unlimited=True))


@pytest.mark.parametrize("percent", ["used", "left"])
def test_no_limit_is_a_full_bar_and_never_a_percentage(unlimited: ProviderState, percent: Any) -> None:
    told = faces(unlimited, percent=percent)
    assert told["line"] == "Warp Unlimited"
    assert [name for name, words in told.items() if "Unlimited" not in words or "0%" in words] == []
    assert "`████████████` Unlimited" in told["hover"]
    assert "Unlimited [============]" in told["terminal"]
    assert 'aria-valuenow="100"' in told["page"]


def test_a_program_sees_that_there_is_no_limit(unlimited: ProviderState) -> None:
    told: Any = usage_params(snapshot(unlimited), view()).to_json()["providers"]
    window = told[0]["windows"][0]
    assert (window["text"], window["usedPercent"], window["unlimited"]) == ("Unlimited", None, True)
    [entry] = entries(snapshot(unlimited), view())
    assert entry["usage"]["primary"]["usedPercent"] == 0  # type: ignore[index,call-overload]
    assert entry["windows"][0]["unlimited"] is True  # type: ignore[index,call-overload]


def test_a_usage_without_limits_and_amounts_has_a_short_text_of_its_own() -> None:
    local = state("codebuff", usage=usage(short_text="12.5 credits in 7 days"))
    assert text(local) == "Codebuff 12.5 credits in 7 days"
    assert shown(local).severity == "ok"


def test_what_nobody_set_up_is_quiet_until_it_is_enabled() -> None:
    found = state("codebuff", failure=failure().model_copy(update={"quiet": True}))
    assert shown(found).severity == "empty"
    assert "The sign-in has expired." in provider_hover(found, view(traits=Traits()))
    enabled = state("codebuff", failure=found.failure, chosen=True)
    assert shown(enabled).severity == "error"
