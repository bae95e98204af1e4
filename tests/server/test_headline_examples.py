"""What users see of vendors' answers: from the answer to the line. Each is an answer whose line once told a lie."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from quotaline.forecast.traits import registered
from quotaline.render.hover import provider_hover
from quotaline.render.statusline import StatusLine, status_line
from quotaline.render.view import View
from quotaline.state import ProviderState, Snapshot
from quotaline_providers import registry
from quotaline_providers.model import Usage
from quotaline_providers.testing import NOW
from tests.providers.samples import SAMPLES
from tests.providers.samples.reading import Raw, reading

Answers = Mapping[str, object]
Show = Callable[[str, str, Answers], ProviderState]
VIEW = View(NOW, traits=registered)


@pytest.fixture
def seen(tmp_path: Path) -> Show:
    """`seen(provider, strategy, answers)`: the state after a read in which the vendor answers so on these paths, and
    with nothing on others."""

    def read(provider: str, strategy: str, answers: Answers) -> ProviderState:
        sample = next(one for one in SAMPLES if (one.provider, one.strategy) == (provider, strategy))
        for name, content in sample.files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        changed: dict[int, Raw] = {
            index: (200, {}, json.dumps(answers[one.path]).encode()) if one.path in answers else (404, {}, b"{}")
            for index, one in enumerate(sample.exchanges)
        }
        usage, _ = reading(sample, tmp_path, changed)
        assert isinstance(usage, Usage), usage
        return ProviderState(provider, registry.get(provider).name, usage=usage)

    return read


def line(state: ProviderState) -> StatusLine:
    return status_line(Snapshot((state,)), VIEW)


# --- Claude ----------------------------------------------------------------------------------------


def claude(seen: Show, **percents: float) -> ProviderState:
    windows: dict[str, Any] = {name: {"utilization": percent} for name, percent in percents.items()}
    return seen("claude", "oauth", {"/api/oauth/usage": windows})


def test_claudes_week_that_is_nearly_used_up_stands_before_its_session(seen: Show) -> None:
    assert line(claude(seen, five_hour=5, seven_day=99)) == StatusLine("Claude 99% wk", "critical")


def test_one_model_of_claude_makes_a_warning_and_is_named_first(seen: Show) -> None:
    state = claude(seen, five_hour=5, seven_day=20, seven_day_opus=99)
    assert line(state) == StatusLine("Claude 20% wk", "warning")
    told = provider_hover(state, VIEW)
    assert told.index("Opus") < told.index("Session")


def test_opus_is_told_beside_sonnet(seen: Show) -> None:
    state = claude(seen, five_hour=5, seven_day=20, seven_day_sonnet=7, seven_day_opus=97)
    assert line(state).severity == "warning"
    told = provider_hover(state, VIEW)
    assert told.index("Opus") < told.index("Sonnet")


# --- Codex -----------------------------------------------------------------------------------------

WHAM = "/backend-api/wham/usage"


def codex(seen: Show, session: float, week: float, **answer: Any) -> ProviderState:
    def window(percent: float, seconds: int) -> dict[str, float]:
        return {"used_percent": percent, "limit_window_seconds": seconds}

    flags: dict[str, Any] = {key: answer.pop(key) for key in ("allowed", "limit_reached") if key in answer}
    limit: dict[str, Any] = {
        "primary_window": window(session, 18000),
        "secondary_window": window(week, 604800),
        **flags,
    }
    return seen("codex", "oauth", {WHAM: {"rate_limit": limit, **answer}})


def test_the_fuller_window_of_codex_is_shown(seen: Show) -> None:
    assert line(codex(seen, 5, 99)) == StatusLine("Codex 99% wk", "critical")


def test_codexs_own_word_goes_before_its_windows(seen: Show) -> None:
    reached = {"type": "workspace_owner_credits_depleted"}
    found = line(codex(seen, 9, 31, allowed=False, limit_reached=True, rate_limit_reached_type=reached))
    assert found.severity == "critical"
    assert "credits" in found.text
    assert "31%" not in found.text


def test_a_reached_spend_limit_of_codex_is_critical(seen: Show) -> None:
    limit = {"limit": "10", "used": "10.72", "remaining_percent": 0}
    found = line(codex(seen, 3, 18, spend_control={"reached": True, "individual_limit": limit}))
    assert found.severity == "critical"
    assert "18%" not in found.text


# --- others ----------------------------------------------------------------------------------------


def test_openrouters_balance_that_runs_out_stands_before_an_untouched_key_limit(seen: Show) -> None:
    found = line(
        seen(
            "openrouter",
            "api",
            {
                "/api/v1/credits": {"data": {"total_credits": 5, "total_usage": 4.9}},
                "/api/v1/key": {"data": {"limit": 30, "limit_remaining": 30, "usage": 0}},
            },
        )
    )
    assert found.severity == "critical"
    assert found.text == "OpenRouter 98% Credits"


def test_a_free_account_without_credits_is_no_alarm(seen: Show) -> None:
    state = seen(
        "openrouter",
        "api",
        {
            "/api/v1/credits": {"data": {"total_credits": 0, "total_usage": 0}},
            "/api/v1/key": {"data": {"usage": 0, "is_free_tier": True}},
        },
    )
    assert line(state) == StatusLine("OpenRouter $0.00", "ok")
    assert provider_hover(state, VIEW).count("Credits") == 1


def test_credits_that_are_used_up_are_critical(seen: Show) -> None:
    found = line(seen("openrouter", "api", {"/api/v1/credits": {"data": {"total_credits": 5, "total_usage": 5}}}))
    assert found.severity == "critical"


def test_kimis_week_that_is_nearly_used_up_is_shown(seen: Show) -> None:
    week = {"limit": 100, "used": 99, "resetTime": "2030-01-05T00:00:00Z"}
    rate = {"window": {"duration": 300, "timeUnit": "TIME_UNIT_MINUTE"}, "detail": {"limit": 100, "used": 5}}
    found = line(seen("kimi", "Kimi Code API key", {"/coding/v1/usages": {"usage": week, "limits": [rate]}}))
    assert found == StatusLine("Kimi Code 99% wk 2d 12h", "critical")


@pytest.fixture
def purse(seen: Show) -> Callable[..., StatusLine]:
    """`purse("USD", "5.50")`: the line of a DeepSeek account with so much money."""

    def show(currency: str, amount: str, *, available: bool = True) -> StatusLine:
        part = {"currency": currency, "total_balance": amount, "granted_balance": "0", "topped_up_balance": amount}
        return line(seen("deepseek", "api", {"/user/balance": {"is_available": available, "balance_infos": [part]}}))

    return show


def test_deepseeks_own_word_goes_before_the_money_that_is_left(purse: Callable[..., StatusLine]) -> None:
    assert purse("USD", "5.50") == StatusLine("DeepSeek $5.50", "ok")
    assert purse("USD", "5.50", available=False).severity == "critical"


def test_euros_are_no_dollars(purse: Callable[..., StatusLine]) -> None:
    assert purse("EUR", "20.50").text == "DeepSeek €20.50"
