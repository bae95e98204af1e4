"""What becomes of Claude's usage answers: windows, extra usage, plan names."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from quotaline_providers.errors import BadResponse
from quotaline_providers.model import Confidence, Identity, Usage
from quotaline_providers.testing import NOW
from quotaline_providers.vendors.claude.accounts import plan_of
from quotaline_providers.vendors.claude.mapping import to_usage
from quotaline_providers.vendors.claude.payloads import UsageAnswer

LATER = "2030-01-06T08:00:00Z"


def usage(web: bool = False, subscription: str | None = None, **fields: Any) -> Usage:
    answer = UsageAnswer.model_validate(fields)
    return to_usage(answer, NOW, plan=plan_of(subscription, None), identity=Identity(), web=web)


def limit(percent: float | None, resets_at: object = LATER) -> dict[str, object]:
    return {"utilization": percent, "resets_at": resets_at}


def scoped(name: str | None, percent: float | None = 9, id: str | None = None, **more: object) -> dict[str, object]:
    model = {"id": id, "display_name": name}
    scope = {"model": model if name is not None else None}
    return {"kind": "weekly_scoped", "group": "weekly", "percent": percent, "resets_at": LATER, "scope": scope, **more}


def test_three_lanes() -> None:
    seen = usage(five_hour=limit(41.5), seven_day=limit(7), seven_day_sonnet=limit(3))
    lanes = [(window.lane, window.label, window.used_percent, window.minutes) for window in seen.windows]
    assert lanes == [
        ("primary", "Session", 41.5, 300),
        ("secondary", "Weekly", 7, 10080),
        ("tertiary", "Sonnet", 3, 10080),
    ]
    assert [window.blocks for window in seen.windows] == [True, True, False]
    assert seen.confidence is Confidence.EXACT


@pytest.mark.parametrize(
    "time", ["2030-01-06T08:00:00Z", "2030-01-06T09:00:00.250+01:00", 1893916800, 1893916800000, "1893916800"]
)
def test_reset_times_come_in_many_spellings(time: object) -> None:
    resets_at = usage(five_hour=limit(1, time)).window("session").resets_at
    assert resets_at is not None
    assert resets_at.replace(microsecond=0) == datetime(2030, 1, 6, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "primary"),
    [
        ({"seven_day": limit(12), "seven_day_oauth_apps": limit(4)}, ("weekly", "secondary", 12)),
        ({"seven_day_oauth_apps": limit(4), "seven_day_sonnet": limit(5)}, ("apps", "primary", 4)),
        ({"seven_day_sonnet": limit(5), "seven_day_opus": limit(6)}, ("sonnet", "tertiary", 5)),
        ({"seven_day_opus": limit(6)}, ("opus", "tertiary", 6)),
    ],
)
@pytest.mark.parametrize("session", [None, limit(None)])
def test_without_a_session_a_weekly_window_fills_its_lane(fields: Any, primary: object, session: Any) -> None:
    window = usage(five_hour=session, **fields).lane("primary")
    assert window is not None
    assert (window.id, window.lane, window.used_percent) == primary
    assert window.minutes == 10080


def test_a_window_in_two_lanes_is_one_window() -> None:
    seen = usage(seven_day=limit(12), seven_day_sonnet=limit(5))
    assert [window.id for window in seen.windows] == ["weekly", "sonnet"]
    assert seen.lane("primary") == seen.lane("secondary") == seen.window("weekly")
    assert seen.lane("tertiary") == seen.window("sonnet")


def test_null_windows_and_null_utilization_are_left_out() -> None:
    seen = usage(five_hour=limit(5), seven_day=limit(None), seven_day_sonnet=None, seven_day_opus=None)
    assert [window.id for window in seen.windows] == ["session"]


def test_opus_fills_in_for_a_missing_sonnet() -> None:
    tertiary = usage(five_hour=limit(5), seven_day_opus=limit(66)).lane("tertiary")
    assert tertiary is not None
    assert (tertiary.label, tertiary.used_percent) == ("Opus", 66)


@pytest.mark.parametrize("web", [False, True])
def test_sonnet_and_opus_are_both_shown(web: bool) -> None:
    seen = usage(web, five_hour=limit(5), seven_day=limit(9), seven_day_sonnet=limit(7), seven_day_opus=limit(97))
    models = [(window.id, window.lane, window.used_percent, window.blocks) for window in seen.windows[2:]]
    assert models == [("sonnet", "tertiary", 7, False), ("opus", None, 97, False)]


def test_unknown_and_ignored_keys_do_nothing() -> None:
    seen = usage(five_hour=limit(5), seven_day_design=limit(50), seven_day_omelette=limit(51), brand_new={"a": []})
    assert [window.id for window in seen.windows] == ["session"]


def test_a_malformed_window_does_not_spoil_its_siblings() -> None:
    assert usage(five_hour=limit(5), seven_day="soon").window("session").used_percent == 5


def test_model_limits_are_extra_windows_before_routines() -> None:
    seen = usage(
        five_hour=limit(1),
        limits=[scoped("Saga 2", 8), scoped("Myth", 2, id="model/myth-1", is_active=False)],
        seven_day_cowork=limit(77),
        routine=limit(30),
    )
    extras = [(window.id, window.label, window.used_percent, window.lane) for window in seen.windows[1:]]
    assert extras == [
        ("claude-weekly-scoped-saga-2", "Saga 2 only", 8, None),
        ("claude-weekly-scoped-model-myth-1", "Myth only", 2, None),
        ("claude-routines", "Daily Routines", 30, None),
    ]
    assert not any(window.blocks for window in seen.windows[1:])


@pytest.mark.parametrize(
    "entry",
    [
        scoped(None),
        scoped(" "),
        scoped("All models"),
        scoped("Weekly", id="claude/all_models"),
        scoped("Week", id="all-models"),
        scoped("Saga", None),
        scoped("Saga", group="session"),
        scoped("Saga", kind="monthly_scoped"),
        {"kind": "weekly_scoped", "group": "weekly", "percent": 3},
        "nonsense",
    ],
)
def test_other_limits_are_no_extra_windows(entry: object) -> None:
    assert [window.id for window in usage(five_hour=limit(5), limits=[entry]).windows] == ["session"]


def test_the_first_of_a_duplicate_limit_wins() -> None:
    seen = usage(five_hour=limit(5), limits=[scoped("Saga", 8), scoped("saga", 90)])
    assert [window.used_percent for window in seen.windows[1:]] == [8]


def test_newer_limits_stand_in_for_absent_windows() -> None:
    seen = usage(
        limits=[{"kind": "session", "group": "session", "percent": 20}, {"kind": "weekly_all", "percent": 30}],
    )
    assert (seen.window("session").used_percent, seen.window("weekly").used_percent) == (20, 30)


def extra(**fields: object) -> dict[str, object]:
    return {"is_enabled": True, "used_credits": 300, "monthly_limit": 2000, "currency": "eur", **fields}


def test_extra_usage_is_in_cents() -> None:
    spend = usage(five_hour=limit(5), extra_usage=extra()).spend("extra")
    assert (spend.used, spend.limit, spend.unit, spend.period) == (Decimal(3), Decimal(20), "EUR", "Monthly cap")


def test_large_enterprise_limits_are_cents_too() -> None:
    seen = usage(five_hour=limit(5), subscription="enterprise", extra_usage=extra(monthly_limit=90_000_000))
    assert (seen.spend("extra").limit, seen.spend("extra").period) == (Decimal(900_000), "Spend limit")


def test_no_cap_means_spend_only() -> None:
    spend = usage(five_hour=limit(5), extra_usage=extra(monthly_limit=None, currency=None)).spend("extra")
    assert (spend.limit, spend.unit, spend.period) == (None, "USD", "Monthly")


@pytest.mark.parametrize(
    ("fields", "used", "limit"),
    [
        ({"currency": "JPY", "decimal_places": 0}, "1234", "9000"),
        ({"currency": "jpy"}, "1234", "9000"),
        ({"currency": "KRW"}, "1234", "9000"),
        ({"currency": "USD"}, "12.34", "90"),
        ({"currency": "USD", "decimal_places": 2}, "12.34", "90"),
        ({"currency": "KWD", "decimal_places": "3"}, "1.234", "9"),
    ],
)
def test_amounts_have_the_decimals_that_are_told_or_those_of_the_currency(
    fields: dict[str, object], used: str, limit: str
) -> None:
    found = usage(extra_usage={"is_enabled": True, "used_credits": 1234, "monthly_limit": 9000, **fields})
    assert (found.spend("extra").used, found.spend("extra").limit) == (Decimal(used), Decimal(limit))


def test_decimals_that_cannot_be_leave_the_amount_unknown() -> None:
    assert usage(five_hour=limit(5), extra_usage=extra(decimal_places=-1)).spends == ()
    assert usage(five_hour=limit(5), extra_usage=extra(decimal_places=40)).spends == ()


# --- the newer spend -------------------------------------------------------------------------------


def minor(amount: object, currency: str | None = "USD", **more: object) -> dict[str, object]:
    return {"amount_minor": amount, "currency": currency, **more}


def test_the_newer_spend_stands_alone() -> None:
    spend = usage(five_hour=limit(5), spend={"used": minor(650, exponent=2), "limit": minor(4000)}).spend("extra")
    assert (spend.used, spend.limit, spend.unit, spend.period) == (Decimal("6.5"), Decimal(40), "USD", "Monthly cap")
    alone = usage(spend={"used": minor(650), "limit": minor(4000), "enabled": True})
    assert (alone.windows, alone.notes) == ((), ("Spend limit: $6.50 / $40.00",))


def test_the_newer_and_the_older_spend_are_one_amount() -> None:
    seen = usage(five_hour=limit(5), spend={"used": minor(650), "limit": None, "percent": 0}, extra_usage=extra())
    assert [(spend.used, spend.limit, spend.unit) for spend in seen.spends] == [(Decimal("6.5"), None, "USD")]


@pytest.mark.parametrize("spend", [{"used": minor(650), "enabled": False}, {"used": minor(None)}, {"used": 6.5}, {}])
def test_a_newer_spend_that_is_off_or_unreadable_leaves_the_older(spend: dict[str, object]) -> None:
    assert usage(five_hour=limit(5), spend=spend, extra_usage=extra()).spend("extra").used == 3
    assert usage(five_hour=limit(5), spend=spend).spends == ()


def test_the_newer_spend_counts_in_its_own_units() -> None:
    yen = {"used": minor(1234, "jpy", exponent=0), "limit": minor(9000, None), "balance": minor(50, "JPY")}
    spend = usage(five_hour=limit(5), spend=yen).spend("extra")
    assert (spend.used, spend.limit, spend.balance, spend.unit) == (Decimal(1234), Decimal(9000), Decimal(50), "JPY")
    mixed = {"used": minor(100), "limit": minor(900, "EUR"), "balance": minor(50, "EUR")}
    spend = usage(five_hour=limit(5), spend=mixed).spend("extra")
    assert (spend.used, spend.limit, spend.balance) == (Decimal(1), None, None)


@pytest.mark.parametrize("member", [{"extra_usage": extra(monthly_limit=None)}, {"spend": {"used": minor(300, "EUR")}}])
@pytest.mark.parametrize("web", [False, True])
def test_without_a_cap_and_without_windows_the_amount_is_shown(member: dict[str, Any], web: bool) -> None:
    seen = usage(web, **member)
    assert (seen.windows, seen.notes) == ((), ())
    spend = seen.spend("extra")
    assert (spend.label, spend.used, spend.limit, spend.unit) == ("Extra usage", Decimal(3), None, "EUR")


# --- credits for the cloud -------------------------------------------------------------------------


def test_cloud_session_credits_are_a_window_of_their_own() -> None:
    part = {"limit_dollars": 50, "used_dollars": 12.5, "remaining_dollars": 37.5, "resets_at": LATER}
    window = usage(five_hour=limit(5), iguana_necktie=part).window("claude-cloud-session-credits")
    assert (window.label, window.used_percent, window.used, window.limit) == ("Cloud session credits", 25, 12.5, 50)
    assert (window.unit, window.lane, window.blocks) == ("USD", None, False)
    assert window.resets_at == datetime(2030, 1, 6, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("part", "percent"),
    [
        ({"limit_dollars": 50, "utilization": 31}, 31),
        ({"limit_dollars": "50", "remaining_dollars": 40}, 20),
        ({"limit_dollars": 50, "remaining_dollars": -3}, 100),
        ({"limit_dollars": 50}, None),
        ({"limit_dollars": 0, "used_dollars": 3}, None),
        ({"limit_dollars": None, "used_dollars": 3}, None),
        (None, None),
        ("soon", None),
    ],
)
def test_what_is_told_of_the_cloud_credits(part: object, percent: float | None) -> None:
    windows = usage(five_hour=limit(5), iguana_necktie=part).windows[1:]
    assert [window.used_percent for window in windows] == ([] if percent is None else [percent])


def test_cloud_credits_are_no_plan_and_may_be_locked() -> None:
    part = {"limit_dollars": 50, "used_dollars": 1, "locked_reason": "payment_required"}
    with pytest.raises(BadResponse, match="missing session data"):
        usage(iguana_necktie=part)
    row = usage(five_hour=limit(5), iguana_necktie=part).row("Cloud session credits")
    assert (row.value, row.secondary) == ("Locked", "payment required")


def test_a_share_of_the_cap_tells_what_was_spent() -> None:
    spend = usage(extra_usage=extra(used_credits=None, utilization=25)).spend("extra")
    assert (spend.used, spend.limit) == (Decimal(5), Decimal(20))
    assert usage(five_hour=limit(5), extra_usage=extra(used_credits=None)).spends == ()


def test_disabled_extra_usage_is_hidden() -> None:
    assert usage(five_hour=limit(5), extra_usage=extra(is_enabled=False)).spends == ()
    assert usage(True, five_hour=limit(5), extra_usage=extra(is_enabled=False)).spends == ()


def test_only_the_web_may_leave_is_enabled_out() -> None:
    fields = {"used_credits": "250", "monthly_credit_limit": "1000"}
    assert usage(five_hour=limit(5), extra_usage=fields).spends == ()
    spend = usage(True, five_hour=limit(5), extra_usage=fields).spend("extra")
    assert (spend.used, spend.limit) == (Decimal("2.5"), Decimal(10))


def test_an_account_with_only_a_spend_limit_has_no_window() -> None:
    seen = usage(extra_usage=extra(currency="USD"))
    assert seen.windows == ()
    assert (seen.spend("extra").label, seen.notes) == ("Spend limit", ("Spend limit: $3.00 / $20.00",))


@pytest.mark.parametrize("fields", [{}, {"extra_usage": extra(monthly_limit=0)}])
@pytest.mark.parametrize("web", [False, True])
def test_neither_window_nor_spend_limit_is_no_answer(fields: dict[str, Any], web: bool) -> None:
    with pytest.raises(BadResponse, match="missing session data"):
        usage(web, **fields)


def test_on_the_web_an_absent_session_is_a_placeholder_and_models_reset_with_the_week() -> None:
    seen = usage(True, five_hour=None, seven_day=limit(30), seven_day_sonnet=limit(4, "2030-01-03T00:00:00Z"))
    assert (seen.window("session").used_percent, seen.window("session").placeholder) == (0, True)
    assert seen.window("session").blocks is False
    assert seen.window("sonnet").resets_at == seen.window("weekly").resets_at


@pytest.mark.parametrize(
    ("subscription", "tier", "expected"),
    [
        ("pro", None, "Claude Pro"),
        ("max", "default_claude_max_20x", "Claude Max 20x"),
        ("max", None, "Claude Max"),
        (None, "default_claude_max_5x", "Claude Max 5x"),
        ("team", "default_claude_max_5x", "Claude Team"),
        ("enterprise", None, "Claude Enterprise"),
        (None, "default_claude_ai", None),
        (None, None, None),
    ],
)
def test_plan_names(subscription: str | None, tier: str | None, expected: str | None) -> None:
    assert plan_of(subscription, tier).text == expected
