"""How serious a provider is."""

from __future__ import annotations

import pytest

from quotaline.forecast.severity import worst

from .render_states import after, balance, failure, session, shown, state, usage


def test_the_only_window_is_shown_as_stale_after_its_reset() -> None:
    assert shown(state("claude", session(100, resets_at=after(minutes=-1)))).severity == "stale"


@pytest.mark.parametrize(
    ("percent", "severity"),
    [(-5, "ok"), (0, "ok"), (79.9, "ok"), (80, "warning"), (95, "critical"), (100, "critical"), (250, "critical")],
)
def test_severity_follows_the_percentage(percent: float, severity: str) -> None:
    assert shown(state("claude", session(percent))).severity == severity


def test_the_limits_of_severity_are_settings() -> None:
    assert shown(state("claude", session(60)), warning_at=50).severity == "warning"
    assert shown(state("claude", session(60)), critical_at=60).severity == "critical"


def test_an_empty_balance_is_critical() -> None:
    assert shown(state("openrouter", usage=usage(balances=(balance("0"),)))).severity == "critical"
    assert shown(state("openrouter", usage=usage(balances=(balance("0.01"),)))).severity == "ok"


def test_old_numbers_are_stale_but_a_reached_limit_stays_reached() -> None:
    assert shown(state("claude", session(30), stale=True, failure=failure())).severity == "stale"
    assert shown(state("claude", session(85), stale=True)).severity == "stale"
    assert shown(state("claude", session(100, resets_at=after(hours=1)), stale=True)).severity == "critical"


def test_without_numbers_it_is_an_error_or_empty() -> None:
    assert shown(state(failure=failure())).severity == "error"
    assert shown(state()).severity == "empty"


def test_the_worst_of_all_is_a_reached_limit() -> None:
    assert worst(("ok", "error", "critical", "stale")) == "critical"
    assert worst(("ok", "stale")) == "stale"
    assert worst(()) == "empty"
