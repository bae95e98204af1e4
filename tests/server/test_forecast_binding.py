"""The one window for a status bar, and how serious it is."""

from __future__ import annotations

from typing import Any

import pytest

from quotaline.forecast.binding import Binding, binding, worst
from quotaline.forecast.traits import Traits, registered
from quotaline_providers.model import Usage

from .render_states import NOW, after, balance, failure, session, shown, spend, state, usage, weekly, window


def bound(reading: Usage, **traits: Any) -> Binding:
    found = binding(reading, Traits(**traits), NOW)
    assert found is not None
    return found


def bound_id(reading: Usage, **traits: Any) -> str:
    chosen = bound(reading, **traits).window
    assert chosen is not None
    return chosen.id


def test_the_primary_window_is_shown() -> None:
    assert bound_id(usage(session(10), weekly(90))) == "session"


def test_the_first_exhausted_lane_comes_before_the_primary() -> None:
    assert bound_id(usage(session(10), weekly(100))) == "weekly"


def test_the_secondary_stands_in_for_a_missing_primary() -> None:
    assert bound_id(usage(weekly(20))) == "weekly"


def test_an_extra_window_is_shown_when_there_is_no_lane() -> None:
    assert bound_id(usage(window("renewal", 5))) == "renewal"


def test_a_placeholder_is_never_shown() -> None:
    assert bound_id(usage(session(0, placeholder=True), weekly(20))) == "weekly"
    assert binding(usage(session(100, placeholder=True)), Traits(), NOW) is None


def test_a_window_with_a_number_comes_before_one_without() -> None:
    assert bound_id(usage(session(None, resets_at=after(hours=1)), weekly(20))) == "weekly"


def test_a_window_without_a_number_is_better_than_nothing() -> None:
    assert bound(usage(session(None, resets_at=after(hours=1)))).percent is None


def test_the_providers_own_choice_comes_first() -> None:
    assert bound_id(usage(session(10), weekly(20)), binding=lambda reading: "weekly") == "weekly"


@pytest.mark.parametrize(
    "choice", [lambda reading: None, lambda reading: "gone", lambda reading: reading.window("x").id]
)
def test_a_choice_that_leads_nowhere_leaves_the_general_rule(choice: Any) -> None:
    assert bound_id(usage(session(10), weekly(20)), binding=choice) == "session"


def test_a_provider_may_choose_a_balance() -> None:
    reading = usage(session(100), balances=(balance("12", "credits", id="credits"),))
    chosen = bound(reading, binding=lambda reading: "credits").balance
    assert chosen is not None
    assert chosen.id == "credits"


def test_an_exhausted_window_whose_reset_has_passed_is_skipped() -> None:
    assert bound_id(usage(session(100, resets_at=after(minutes=-1)), weekly(20))) == "weekly"
    assert (
        bound_id(usage(session(100, resets_at=after(minutes=-1)), weekly(20)), binding=lambda _: "session") == "weekly"
    )


def test_the_only_window_is_shown_as_stale_after_its_reset() -> None:
    item = shown(state("claude", session(100, resets_at=after(minutes=-1))))
    assert item.severity == "stale"


def test_an_exhausted_longer_window_caps_the_session() -> None:
    reading = usage(session(40, resets_at=after(hours=1)), weekly(100, resets_at=after(days=2)))
    capped = bound(reading, longer_caps=True, binding=lambda reading: "session")
    assert (capped.percent, capped.resets_at, capped.label) == (100, after(days=2), "Session")
    assert capped.capped_by == weekly(100, resets_at=after(days=2))


def test_two_exhausted_windows_show_the_later_reset() -> None:
    reading = usage(session(100, resets_at=after(hours=1)), weekly(100, resets_at=after(days=2)))
    assert bound(reading, longer_caps=True).resets_at == after(days=2)
    assert bound(reading).resets_at == after(hours=1)


def test_a_monthly_third_window_caps_but_a_weekly_one_does_not() -> None:
    monthly = window("monthly", 100, lane="tertiary", minutes=43200)
    sonnet = window("sonnet", 100, lane="tertiary", minutes=10080)

    def choice(reading: Usage) -> str:
        return "session"

    assert bound(usage(session(5), weekly(5), monthly), longer_caps=True, binding=choice).percent == 100
    assert bound(usage(session(5), weekly(5), sonnet), longer_caps=True, binding=choice).percent == 5


@pytest.mark.parametrize("id", ["alibaba", "chutes", "claude", "codex", "doubao", "zai"])
def test_whose_longer_window_caps_the_session(id: str) -> None:
    assert registered(id).longer_caps


def test_a_longer_window_that_has_reset_caps_nothing() -> None:
    reading = usage(session(40), weekly(100, resets_at=after(hours=-1)))
    assert bound(reading, longer_caps=True).percent == 40


def test_without_windows_a_spend_limit_is_shown_then_a_balance_then_a_spend() -> None:
    assert bound(usage(spends=(spend("5", "20"),), balances=(balance("3"),))).percent == 25
    assert bound(usage(spends=(spend("5"),), balances=(balance("3"),))).balance == balance("3")
    assert bound(usage(spends=(spend("5"),))).spend == spend("5")
    assert binding(usage(), Traits(), NOW) is None


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
