"""The one number that stands for a provider, and when it changes hands."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from quotaline.forecast.binding import Binding, binding, hold
from quotaline.forecast.severity import Thresholds
from quotaline.forecast.traits import Traits
from quotaline.state import NOBODY, Held
from quotaline_providers.model import Usage, Window

from .render_states import NOW, after, balance, session, spend, usage, weekly, window


def bound(reading: Usage, *, held: str = "", metric: str = "automatic", **traits: Any) -> Binding:
    found = binding(reading, Traits(**traits), NOW, metric=metric, held=Held(held))
    assert found is not None
    return found


def bound_id(reading: Usage, **options: Any) -> str:
    return bound(reading, **options).id


def monthly(percent: float | None, **fields: Any) -> Window:
    return window("monthly", percent, **{"lane": "tertiary", "minutes": 43200, **fields})


def opus(percent: float | None, **fields: Any) -> Window:
    return window("opus", percent, **{"minutes": 10080, "blocks": False, **fields})


# --- the rule --------------------------------------------------------------------------------------


def test_the_most_serious_window_is_shown() -> None:
    assert bound_id(usage(session(5), weekly(99))) == "weekly"
    assert bound_id(usage(session(85), weekly(20))) == "session"
    assert bound_id(usage(session(85), weekly(96), monthly(97.5))) == "monthly"
    assert bound_id(usage(session(99), weekly(100))) == "weekly"


def test_within_one_level_the_most_used_is_shown() -> None:
    assert bound_id(usage(session(5), weekly(20))) == "weekly"
    assert bound_id(usage(session(20), weekly(20))) == "session"


def test_within_one_level_what_runs_out_first_goes_before_what_is_fuller() -> None:
    soon = session(40, resets_at=after(hours=4))  # an hour has passed: used up in an hour and a half
    assert bound_id(usage(soon, weekly(60, resets_at=after(days=1)))) == "session"
    lasting = session(40, resets_at=after(hours=1))
    assert bound_id(usage(lasting, weekly(60, resets_at=after(days=1)))) == "weekly"


def test_of_several_exhausted_windows_the_one_that_resets_last_is_shown() -> None:
    late, early = weekly(100, resets_at=after(days=2)), session(100, resets_at=after(hours=1))
    assert bound(usage(early, late)).resets_at == after(days=2)
    assert bound(usage(session(100, resets_at=after(days=9)), late)).resets_at == after(days=9)


def test_an_exhausted_window_without_a_reset_resets_last_of_all() -> None:
    assert bound_id(usage(session(100), weekly(100, resets_at=after(days=2)))) == "session"


def test_a_window_of_one_model_is_never_the_headline_beside_one_of_the_account() -> None:
    assert bound_id(usage(session(5), opus(99))) == "session"
    assert bound_id(usage(session(5), opus(100))) == "session"


def test_lanes_block_where_a_provider_does_not_say_and_extra_windows_do_not() -> None:
    assert bound_id(usage(session(5), window("renewal", 99))) == "session"
    assert bound_id(usage(session(5), weekly(99, blocks=False))) == "session"
    assert bound_id(usage(session(5), window("pool", 99, blocks=True))) == "pool"


def test_an_extra_window_is_shown_when_there_is_no_other() -> None:
    assert bound_id(usage(window("renewal", 5))) == "renewal"


def test_windows_of_side_models_alone_are_no_headline() -> None:
    assert binding(usage(opus(50)), Traits(), NOW) is None


def test_without_a_blocking_window_the_lanes_speak_and_warn_at_most() -> None:
    parts = (session(97, blocks=False), weekly(10, blocks=False))
    assert (bound(usage(*parts)).id, bound(usage(*parts)).level) == ("session", "warning")


def test_a_placeholder_is_never_shown() -> None:
    assert bound_id(usage(session(0, placeholder=True), weekly(20))) == "weekly"
    assert binding(usage(session(100, placeholder=True)), Traits(), NOW) is None


def test_a_window_with_a_number_comes_before_one_without() -> None:
    assert bound_id(usage(session(None, resets_at=after(hours=1)), weekly(20))) == "weekly"
    assert bound(usage(session(None, resets_at=after(hours=1)))).percent is None


def test_no_limit_is_shown_only_while_nothing_else_is() -> None:
    free = window("requests", 0, lane="secondary", unlimited=True)
    assert bound_id(usage(session(1), free)) == "session"
    assert bound_id(usage(free)) == "requests"


def test_a_window_whose_reset_has_passed_is_skipped() -> None:
    assert bound_id(usage(session(100, resets_at=after(minutes=-1)), weekly(20))) == "weekly"
    assert bound_id(usage(session(70, resets_at=after(minutes=-1)), weekly(20))) == "weekly"
    assert bound(usage(session(70, resets_at=after(minutes=-1)))).over


def test_a_window_that_fills_up_step_by_step_is_still_true_after_a_step() -> None:
    rolling = weekly(70, resets_at=after(minutes=-1), next_regen_percent=2)
    assert (bound(usage(rolling)).id, bound(usage(rolling)).over) == ("weekly", False)


def test_without_windows_a_spend_limit_is_shown_then_a_balance_then_a_spend() -> None:
    assert bound(usage(spends=(spend("5", "20"),), balances=(balance("3"),))).percent == 25
    assert bound(usage(spends=(spend("5"),), balances=(balance("3"),))).balance == balance("3")
    assert bound(usage(spends=(spend("5"),))).spend == spend("5")
    assert binding(usage(), Traits(), NOW) is None


# --- what raises the colour ------------------------------------------------------------------------


def test_a_nearly_used_up_model_makes_a_warning_and_no_more() -> None:
    for percent in (80, 97, 100):
        found = bound(usage(session(5), weekly(20), opus(percent)))
        assert (found.id, found.level, found.raised_by) == ("weekly", "warning", opus(percent))
    assert bound(usage(session(5), opus(79))).level == "ok"


def test_the_fullest_model_is_told() -> None:
    found = bound(usage(session(5), opus(85), window("sonnet", 91, minutes=10080, blocks=False)))
    assert found.raised_by is not None
    assert found.raised_by.id == "sonnet"


def test_what_has_no_period_raises_nothing() -> None:
    assert bound(usage(session(5), window("slots", 100, blocks=False))).level == "ok"


def test_a_model_does_not_change_a_more_serious_headline() -> None:
    assert bound(usage(session(97), opus(99))).level == "critical"


def test_a_low_balance_is_a_warning_and_an_empty_one_critical() -> None:
    limits = Thresholds(low_balance={"usd": Decimal(5), "credits": Decimal(100)})

    def level(*amounts: Any, windows: tuple[Window, ...] = ()) -> str:
        found = binding(usage(*windows, balances=amounts), Traits(), NOW, limits)
        assert found is not None
        return found.level

    assert level(balance("5")) == "ok"
    assert level(balance("4.99")) == "warning"
    assert level(balance("0")) == "exhausted"
    assert level(balance("-3")) == "exhausted"
    assert level(balance("4", "EUR")) == "ok"
    assert level(balance("99", "credits")) == "warning"
    assert level(balance("4"), windows=(session(5),)) == "warning"
    assert level(balance("0"), windows=(session(5),)) == "warning"


# --- the user's and the provider's choice ----------------------------------------------------------


def test_the_user_names_what_is_shown() -> None:
    reading = usage(session(5), weekly(99), opus(99), balances=(balance("3"),), spends=(spend("5"),))
    assert bound_id(reading, metric="session") == "session"
    assert bound_id(reading, metric="opus") == "opus"
    assert bound(reading, metric="balance").balance == balance("3")
    assert bound(reading, metric="spend").spend == spend("5")
    assert bound_id(reading, metric="automatic") == "weekly"


def test_a_metric_that_the_account_does_not_have_acts_as_automatic() -> None:
    for metric in ("gone", "balance", "spend"):
        assert bound_id(usage(session(5), weekly(99)), metric=metric) == "weekly"


def test_beside_a_named_window_the_others_still_raise_the_colour() -> None:
    found = bound(usage(session(5), weekly(100, resets_at=after(days=2))), metric="session")
    assert (found.level, found.raised_by) == ("warning", weekly(100, resets_at=after(days=2)))


def test_the_providers_own_choice_comes_before_the_rule() -> None:
    reading = usage(session(100), balances=(balance("12", "credits", id="credits"),))
    assert bound_id(reading, binding=lambda reading: "credits") == "credits"
    assert bound_id(usage(session(10), weekly(20)), binding=lambda reading: "session") == "session"
    assert bound_id(reading, binding=lambda reading: "credits", metric="session") == "session"


@pytest.mark.parametrize(
    "choice", [lambda reading: None, lambda reading: "gone", lambda reading: reading.window("x").id]
)
def test_a_choice_that_leads_nowhere_leaves_the_general_rule(choice: Any) -> None:
    assert bound_id(usage(session(30), weekly(20)), binding=choice) == "session"


def test_a_choice_that_is_over_leaves_the_general_rule() -> None:
    reading = usage(session(100, resets_at=after(minutes=-1)), weekly(20))
    assert bound_id(reading, binding=lambda _: "session") == "weekly"


# --- changing hands --------------------------------------------------------------------------------


def readings(*usages: Usage) -> list[str]:
    """Who holds the headline after each of these readings."""
    held, before, found = NOBODY, None, []
    for reading in usages:
        held, before = hold(reading, before, Traits(), NOW, held), reading
        found.append(held.id)
    return found


def test_the_headline_changes_hands_when_another_leads_at_two_readings_running() -> None:
    session_leads, weekly_leads = usage(session(50), weekly(40)), usage(session(50), weekly(60))
    assert readings(session_leads, weekly_leads, weekly_leads) == ["session", "session", "weekly"]
    assert readings(session_leads, weekly_leads, session_leads, weekly_leads) == ["session"] * 4


def test_another_challenger_begins_anew() -> None:
    first, then, last = (
        usage(session(50), weekly(percent), monthly(other)) for percent, other in ((0, 0), (60, 0), (0, 60))
    )
    assert readings(first, then, last, then, last) == ["session"] * 5


def test_a_warning_waits_for_the_second_reading() -> None:
    assert readings(usage(session(50)), usage(session(50), weekly(85))) == ["session", "session"]


def test_what_becomes_critical_or_exhausted_does_not_wait() -> None:
    before = usage(session(85), weekly(20))
    assert readings(before, usage(session(85), weekly(95))) == ["session", "weekly"]
    assert readings(before, usage(session(97), weekly(100))) == ["session", "weekly"]
    both = usage(session(100, resets_at=after(hours=1)), weekly(100, resets_at=after(days=1)))
    assert readings(usage(session(100, resets_at=after(hours=1)), weekly(96)), both) == ["session", "weekly"]


def test_two_critical_windows_do_not_take_turns() -> None:
    assert readings(usage(session(96), weekly(95)), usage(session(96), weekly(97))) == ["session", "session"]


def test_a_headline_that_is_gone_changes_at_once() -> None:
    assert readings(usage(session(50), weekly(40)), usage(weekly(40))) == ["session", "weekly"]
    assert readings(usage(session(50)), usage(balances=(balance("3"),))) == ["session", ""]
    blocked_no_more = usage(session(50, blocks=False), weekly(40))
    assert readings(usage(session(50), weekly(40)), blocked_no_more) == ["session", "weekly"]


def test_a_headline_that_was_reset_changes_at_once() -> None:
    used = usage(session(50, resets_at=after(minutes=-1)), weekly(40))
    assert readings(used, usage(session(0, resets_at=after(hours=5)), weekly(40)))[-1] == "weekly"
    early = usage(session(50, resets_at=after(hours=1)), weekly(40))
    assert readings(early, usage(session(0, resets_at=after(hours=5)), weekly(40))) == ["session", "weekly"]


def test_the_holder_is_shown_until_it_changes() -> None:
    close = usage(session(50), weekly(60))
    assert bound_id(close, held="session") == "session"
    assert bound_id(close, held="gone") == "weekly"
    assert bound_id(usage(session(50), weekly(96)), held="session") == "weekly"
    over = usage(session(50, resets_at=after(minutes=-1)), weekly(40))
    assert bound_id(over, held="session") == "weekly"
