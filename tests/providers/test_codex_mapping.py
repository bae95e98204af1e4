"""What Codex's answers mean, whatever their spelling and however broken a part of them is."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from quotaline_providers.errors import BadResponse
from quotaline_providers.model import Confidence, Identity, ResetCredit, ResetCredits, Usage
from quotaline_providers.testing import NOW
from quotaline_providers.vendors.codex.amounts import monthly_limit, monthly_usage, reset_credits
from quotaline_providers.vendors.codex.mapping import (
    Extras,
    plan_title,
    program_limits,
    service_limits,
    to_usage,
)
from quotaline_providers.vendors.codex.payloads import (
    IndividualLimit,
    MonthlyUsageAnswer,
    ResetCreditsAnswer,
    RpcRateLimits,
    UsageAnswer,
)

LATER = 1893700000
HOUR5, WEEK = 18000, 604800


def window(used: object = 10, seconds: object = HOUR5, **more: object) -> dict[str, object]:
    return {"used_percent": used, "limit_window_seconds": seconds, "reset_at": LATER} | more


def usage(headers: dict[str, str] | None = None, **answer: Any) -> Usage:
    limits = service_limits(UsageAnswer.model_validate(answer), NOW, headers)
    return to_usage(limits, Identity(email="ada@demo.test"), NOW, certain=True)


def limits(first: object = None, second: object = None, **more: object) -> dict[str, object]:
    return {"primary_window": first, "secondary_window": second} | more


def lanes(found: Usage) -> dict[str, str | None]:
    return {window.id: window.lane for window in found.windows}


# --- main windows ----------------------------------------------------------------------------------


def test_session_and_weekly() -> None:
    found = usage(rate_limit=limits(window(33), window(7, WEEK)))
    assert lanes(found) == {"session": "primary", "weekly": "secondary"}
    assert found.window("session").used_percent == 33
    assert (found.window("session").label, found.window("weekly").label) == ("Session", "Weekly")
    assert found.window("weekly").minutes == 10080
    assert found.window("weekly").resets_at == datetime.fromtimestamp(LATER, UTC)
    assert found.confidence == Confidence.EXACT


def test_reversed_slots_are_swapped() -> None:
    found = usage(rate_limit=limits(window(1, WEEK), window(2)))
    assert [(w.id, w.used_percent, w.lane) for w in found.windows] == [
        ("session", 2, "primary"),
        ("weekly", 1, "secondary"),
    ]


def test_a_lone_weekly_window_leaves_the_first_slot_empty() -> None:
    assert lanes(usage(rate_limit=limits(window(1, WEEK)))) == {"weekly": "secondary"}


def test_unknown_lengths_keep_their_slots_under_their_own_names() -> None:
    found = usage(rate_limit=limits(window(1, 43200), window(2, 259200)))
    assert lanes(found) == {"12-hour": "primary", "3-day": "secondary"}
    assert [window.label for window in found.windows] == ["12-hour", "3-day"]


@pytest.mark.parametrize(
    ("seconds", "label", "lane", "minutes"),
    [
        (17900, "Session", "primary", 298),
        (604740, "Weekly", "secondary", 10079),
        (2592000, "Monthly", "primary", 43200),
        (2628000, "Monthly", "primary", 43800),
        (2678400, "Monthly", "primary", 44640),
        (2419200, "Monthly", "primary", 40320),
    ],
)
def test_a_length_names_a_window_whatever_its_slot(seconds: int, label: str, lane: str, minutes: int) -> None:
    for raw in (limits(window(28, seconds)), limits(None, window(28, seconds))):
        (found,) = usage(rate_limit=raw).windows
        assert (found.id, found.label, found.lane, found.minutes) == (label.lower(), label, lane, minutes)


def test_a_week_before_a_month_stays_first() -> None:
    found = usage(rate_limit=limits(window(1, WEEK), window(2, 2628000)))
    assert lanes(found) == {"weekly": "primary", "monthly": "secondary"}


@pytest.mark.parametrize("empty", [window(0, 0, reset_at=0), {"used_percent": 0}, window(0, None, reset_at=None)])
def test_a_window_without_length_use_and_reset_is_absent(empty: dict[str, object]) -> None:
    found = usage(rate_limit=limits(window(28), empty))
    assert lanes(found) == {"session": "primary"}
    assert found.confidence == Confidence.EXACT
    assert lanes(usage(rate_limit=limits(empty, window(1, WEEK)))) == {"weekly": "secondary"}


def test_a_day_that_resets_in_five_days_is_a_week() -> None:
    in_days = {days: int(NOW.timestamp()) + days * 86400 for days in (1, 5, 8)}
    found = usage(rate_limit=limits(window(28), window(3, 86400, reset_at=in_days[5])))
    assert lanes(found) == {"session": "primary", "weekly": "secondary"}
    assert found.window("weekly").minutes == 10080
    for days in (1, 8):
        assert usage(rate_limit=limits(None, window(3, 86400, reset_at=in_days[days]))).window("daily").minutes == 1440


def test_two_windows_of_one_length_stay_apart() -> None:
    assert lanes(usage(rate_limit=limits(window(1, WEEK), window(2, WEEK)))) == {
        "weekly": "primary",
        "weekly-2": "secondary",
    }


@pytest.mark.parametrize("second", [None, "absent"])
def test_no_second_window_is_certain(second: object) -> None:
    raw = {"primary_window": window()} if second == "absent" else limits(window(), second)
    found = usage(rate_limit=raw)
    assert lanes(found) == {"session": "primary"}
    assert found.confidence == Confidence.EXACT


@pytest.mark.parametrize("broken", ["soon", {}, {"used_percent": "many"}, [1]])
def test_a_malformed_window_keeps_the_other_and_raises_doubt(broken: object) -> None:
    found = usage(rate_limit=limits(broken, window(5, WEEK)))
    assert lanes(found) == {"weekly": "secondary"}
    assert found.confidence == Confidence.UNKNOWN
    other = usage(rate_limit=limits(window(5), broken))
    assert (lanes(other), other.confidence) == ({"session": "primary"}, Confidence.UNKNOWN)


def test_other_spellings_of_a_window() -> None:
    found = usage(
        rateLimit={"primary": {"remainingPercent": "60", "window_minutes": 300, "reset_after_seconds": 60}},
    )
    assert found.window("session").used_percent == 40
    assert found.window("session").resets_at == NOW + timedelta(seconds=60)


def test_no_reset_and_no_length() -> None:
    found = usage(rate_limit=limits({"used_percent": 1, "limit_window_seconds": 0, "reset_at": 0}))
    assert (found.window("session").minutes, found.window("session").resets_at) == (None, None)


def test_headers_stand_in_for_missing_numbers() -> None:
    found = usage(
        {"x-codex-primary-used-percent": "12.5", "x-codex-credits-balance": "3"},
        rate_limit=limits({"limit_window_seconds": HOUR5}),
    )
    assert found.window("session").used_percent == 12.5
    assert found.balance("credits").amount == 3


@pytest.mark.parametrize(
    "wrapper",
    [
        {"rate_limit": limits(window(9)), "plan_type": "go"},
        limits(window(9)),
    ],
)
def test_a_wrapper_may_hold_the_members(wrapper: dict[str, object]) -> None:
    assert usage(rate_limit_status=wrapper).window("session").used_percent == 9


# --- extra windows ---------------------------------------------------------------------------------


def extra(name: object = None, feature: object = None, limit: object = None) -> dict[str, object]:
    return {"limit_name": name, "metered_feature": feature, "rate_limit": limit}


def extras(*entries: object) -> Usage:
    return usage(rate_limit=limits(window()), additional_rate_limits=list(entries))


def test_spark_has_a_short_and_a_weekly_window() -> None:
    found = extras(extra("Model-Spark", None, limits(window(1, WEEK), window(2))))
    assert [(w.id, w.label, w.used_percent) for w in found.windows[1:]] == [
        ("codex-spark-weekly", "Codex Spark Weekly", 1),
        ("codex-spark", "Codex Spark 5-hour", 2),
    ]


def test_only_the_main_windows_block_the_account() -> None:
    spark = extra("Model-Spark", None, limits(window(1)))
    found = usage(rate_limit=limits(window(), window(1, WEEK)), additional_rate_limits=[spark])
    assert [(w.id, w.blocks) for w in found.windows] == [("session", True), ("weekly", True), ("codex-spark", False)]


def test_spark_windows_are_named_by_their_length() -> None:
    found = extras(extra("Model-Spark", None, limits(window(1, 2628000), window(2, 43200))))
    assert [(w.id, w.label) for w in found.windows[1:]] == [("codex-spark-weekly", "Codex Spark Monthly")]


def test_spark_of_unknown_length_goes_by_slot() -> None:
    found = extras(extra(None, "a_spark", limits(window(1, 0), window(2, 0))))
    assert [w.id for w in found.windows[1:]] == ["codex-spark", "codex-spark-weekly"]


def test_other_limits_are_named_after_their_feature() -> None:
    found = extras(
        extra("Deep Work", "deep_work.v2", limits(None, window(4))),
        extra("Deep again", "deep-work-v2", limits(window(5))),
        extra("codex", None, limits(window(6))),
    )
    assert [(w.id, w.label, w.used_percent, w.lane) for w in found.windows[1:]] == [
        ("codex-deep-work-v2", "Deep Work", 4, None)
    ]


def test_code_review_is_an_extra_window() -> None:
    found = usage(rate_limit=limits(window()), code_review_rate_limit=limits(window(8)))
    assert found.window("codex-code-review").used_percent == 8


@pytest.mark.parametrize("broken", [{"a": 1}, "text", [7], [extra("X", "x", "y")], [extra("X", "x", limits("y"))]])
def test_malformed_extra_limits_raise_doubt_only(broken: object) -> None:
    found = usage(rate_limit=limits(window()), additional_rate_limits=broken)
    assert lanes(found) == {"session": "primary"}
    assert found.confidence == Confidence.UNKNOWN


def test_a_good_extra_limit_survives_a_malformed_one() -> None:
    assert extras(3, extra("X", "x", limits(window(4)))).window("codex-x").used_percent == 4


def test_extra_windows_make_no_result_by_themselves() -> None:
    found = usage(additional_rate_limits=[extra("X", "x", limits(window()))])
    assert found.limits_unavailable
    assert found.windows == ()


# --- credits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("balance", "amount"), [("17.5", "17.5"), (4, "4"), (-2, "-2")])
def test_a_credit_balance_is_a_result_by_itself(balance: object, amount: str) -> None:
    found = usage(credits={"has_credits": True, "balance": balance})
    assert (found.balance("credits").amount, found.balance("credits").unit) == (Decimal(amount), "credits")
    assert not found.limits_unavailable


def test_no_credits_and_no_balance_is_zero() -> None:
    assert usage(credits={"hasCredits": False, "balance": None}).balance("credits").amount == 0


@pytest.mark.parametrize("part", [{"has_credits": True, "balance": None}, {"has_credits": True}])
def test_a_missing_balance_is_not_invented(part: dict[str, object]) -> None:
    found = usage(rate_limit=limits(window()), credits=part)
    assert found.balances == ()
    assert found.row("Credits").value == "Available, amount not told"
    assert found.short_text is None


def test_credits_without_a_number_are_no_amount_beside_spark_alone() -> None:
    spark = extra("Model-Spark", None, limits(window(97)))
    found = usage(rate_limit=None, additional_rate_limits=[spark], credits={"has_credits": True})
    assert (found.balances, found.short_text) == ((), "Credits available")
    assert [(w.id, w.blocks) for w in found.windows] == [("codex-spark", False)]


def test_unlimited_credits_are_said() -> None:
    assert usage(credits={"has_credits": True, "unlimited": True}).row("Credits").value == "Unlimited"


def test_the_monthly_limit_of_a_member() -> None:
    part = {"limit": "600", "used": "45.5", "remaining_percent": 92, "reset_at": LATER}
    found = usage(spend_control={"individual_limit": part})
    limit = found.window("monthly-credit-limit")
    assert (limit.used, limit.limit, limit.unit, limit.label) == (45.5, 600, "credits", "Monthly credit limit")
    assert (limit.used_percent, limit.blocks, limit.lane) == (8, True, None)
    assert limit.resets_at == datetime.fromtimestamp(LATER, UTC)
    assert found.blocked is None


def test_the_nearest_monthly_limit_wins() -> None:
    found = usage(
        individualLimit={"limit": 1},
        rate_limit=limits(window(), individual_limit={"limit": 2}),
        spendControl={"individualLimit": {"limit": 3}},
    )
    assert found.window("monthly-credit-limit").limit == 1
    without = usage(rate_limit=limits(window(), individual_limit={"limit": 2}), spendControl={"individualLimit": {}})
    assert without.window("monthly-credit-limit").limit == 2


@pytest.mark.parametrize(
    ("part", "used"),
    [
        ({"limit": 200, "remainingPercent": 75}, 50),
        ({"limit": 200, "remaining_percent": 140}, 0),
        ({"limit": 200}, 0),
        ({"limit": 200, "used": -8}, 0),
    ],
)
def test_monthly_use_is_derived_and_clamped(part: dict[str, object], used: float) -> None:
    limit = monthly_limit(IndividualLimit.model_validate(part))
    assert limit is not None
    assert (limit.used, limit.used_percent) == (used, used / 2)


@pytest.mark.parametrize("limit", [0, "0", -5, None, "inf", "NaN", {"amount": 5}])
def test_no_usable_monthly_limit(limit: object) -> None:
    found = usage(rate_limit=limits(window()), individual_limit={"limit": limit, "used": 4})
    assert lanes(found) == {"session": "primary"}


def monthly(used: object, limit: object, **modes: str) -> Any:
    answer = {"current_month_usage": used, "effective_monthly_limit": {"limit": limit, **modes}}
    return monthly_usage(MonthlyUsageAnswer.model_validate(answer))


def test_the_monthly_use_of_a_member() -> None:
    limit = monthly("-3", "500", enforcement_mode="HARD_CAP")
    assert (limit.used, limit.limit) == (0, 500)


@pytest.mark.parametrize("mode", ["NONE", "off", "Disabled", "no_limit"])
def test_an_inactive_mode_wins_over_a_bad_limit(mode: str) -> None:
    assert monthly(3, {"bad": 1}, enforcement_mode=mode) is None
    assert monthly(3, 5, limit_mode=mode) is None


@pytest.mark.parametrize(("used", "limit"), [("bad", None), ("bad", 0), ("bad", 5), (1, {"a": 1}), (1, "inf")])
def test_no_monthly_use_without_good_numbers(used: object, limit: object) -> None:
    assert monthly(used, limit) is None


# --- the vendor's own verdict ----------------------------------------------------------------------


def calm(**more: object) -> dict[str, object]:
    """Windows that say nothing of a stop."""
    return limits(window(9), window(31, WEEK), **more)


def reason(**answer: Any) -> str | None:
    blocked = usage(**answer).blocked
    return blocked.reason if blocked else None


@pytest.mark.parametrize(
    ("type", "words"),
    [
        ("workspace_owner_credits_depleted", "out of workspace credits: add credits"),
        ("workspace_member_credits_depleted", "out of workspace credits: ask the owner"),
        ("workspace_owner_usage_limit_reached", "workspace usage limit reached"),
        ("workspace_member_usage_limit_reached", "own usage limit reached: ask the owner"),
        ("rate_limit_reached", "limit reached"),
        ("some_new_word", "some new word"),
    ],
)
def test_the_vendors_verdict_has_a_reason(type: str, words: str) -> None:
    found = usage(rate_limit=calm(allowed=False, limit_reached=True), rate_limit_reached_type={"type": type})
    assert found.blocked is not None
    assert (found.blocked.reason, found.blocked.until) == (words, None)
    assert [w.used_percent for w in found.windows] == [9, 31]
    assert reason(rate_limit=calm(), rate_limit_reached_type=type) == words
    assert reason(rate_limit=None, rate_limit_reached_type=type) == words
    assert reason(rate_limit=calm(rate_limit_reached_type=type)) == words


def test_any_sign_is_a_verdict() -> None:
    assert reason(rate_limit=calm(allowed=False)) == "limit reached"
    assert reason(rate_limit=calm(limit_reached=True)) == "limit reached"
    assert reason(rate_limit=calm(allowed=True, limit_reached=False), rate_limit_reached_type=None) is None
    assert reason(rate_limit=calm(allowed="no", limit_reached=1)) is None
    header = usage({"x-codex-rate-limit-reached-type": "rate_limit_reached"}, rate_limit=calm())
    assert header.blocked is not None
    assert not usage(rate_limit=None, rate_limit_reached_type="rate_limit_reached").limits_unavailable


def test_a_reached_limit_lasts_until_the_exhausted_window_resets() -> None:
    found = usage(rate_limit=limits(window(9), window(100, WEEK, reset_at=LATER + 60), limit_reached=True))
    assert found.blocked is not None
    assert found.blocked.until == datetime.fromtimestamp(LATER + 60, UTC)


@pytest.mark.parametrize(
    ("limit", "until"),
    [({"limit": "10", "used": "10.72", "remaining_percent": 0, "reset_at": LATER}, LATER), ("10", None), (10, None)],
)
def test_an_individual_spend_limit_that_is_reached_stops_the_account(limit: object, until: int | None) -> None:
    found = usage(rate_limit=limits(None, window(18, WEEK)), spendControl={"reached": True, "individualLimit": limit})
    assert found.blocked is not None
    assert found.blocked.reason == "individual spend limit reached"
    assert found.blocked.until == (datetime.fromtimestamp(until, UTC) if until else None)
    if until:
        assert found.window("monthly-credit-limit").used_percent == 100


def test_a_side_model_that_is_stopped_does_not_stop_the_account() -> None:
    spark = extra("Model-Spark", None, limits(window(100), allowed=False, limit_reached=True))
    assert reason(rate_limit=calm(allowed=True), additional_rate_limits=[spark]) is None


# --- reset credits ---------------------------------------------------------------------------------


def vouchers(count: object, *credits: dict[str, object]) -> Any:
    return reset_credits(ResetCreditsAnswer.model_validate({"available_count": count, "credits": credits}), NOW)


def test_only_usable_reset_credits_count() -> None:
    found = vouchers(
        4,
        {"id": "forever"},
        {"id": "late", "status": "available", "expires_at": "2030-03-01T00:00:00.5Z"},
        {"id": "soon", "status": "available", "expires_at": 1893801600},
        {"id": "gone", "status": "available", "expires_at": "2030-01-01T00:00:00Z"},
        {"id": "used", "status": "redeemed"},
    )
    assert found.available == 3
    digests = ["codex-reset-credit-v1-" + hashlib.sha256(n.encode()).hexdigest() for n in ("gone", "soon", "late")]
    assert [credit.id for credit in found.credits][:3] == digests
    assert found.credits[0].status == "expired"
    shown = to_usage(service_limits(UsageAnswer(), NOW), Identity(), NOW, Extras(reset_credits=found))
    assert [row.value for row in shown.details[0].rows] == [
        "expires 2030-01-05 00:00 UTC",
        "expires 2030-03-01 00:00 UTC",
        "never expires",
    ]


def test_the_end_of_the_only_voucher_is_told_with_their_number_alone() -> None:
    one = ResetCredits(available=1, credits=(ResetCredit(id="x", status="available", expires_at=NOW),))
    assert to_usage(service_limits(UsageAnswer(), NOW), Identity(), NOW, Extras(reset_credits=one)).details == ()


def test_the_count_alone_is_enough() -> None:
    assert vouchers(2).available == 2


@pytest.mark.parametrize("count", [None, -1, "2", 1.5, True])
def test_without_a_proper_count_the_answer_is_invalid(count: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's
        vouchers(count)


# --- the whole -------------------------------------------------------------------------------------


def test_a_known_account_without_limits() -> None:
    assert usage(plan_type="free").limits_unavailable


def test_nothing_at_all_is_an_error() -> None:
    with pytest.raises(BadResponse):
        to_usage(service_limits(UsageAnswer(), NOW), Identity(), NOW)


def test_undecodable_limits_are_an_error_and_not_no_limits() -> None:
    with pytest.raises(BadResponse):
        usage(rate_limit=limits("?", "?"))


@pytest.mark.parametrize(
    ("word", "title"),
    [
        ("pro", "Pro 20x"),
        ("prolite", "Pro 5x"),
        ("Pro Lite", "Pro 5x"),
        ("free_workspace", "Free Workspace"),
        ("k12", "K12"),
        ("codex-cbp_plan", "CBP"),
        ("quorum", "Quorum"),
        ("", None),
        (None, None),
    ],
)
def test_plan_names(word: str | None, title: str | None) -> None:
    assert plan_title(word) == title


def test_a_used_up_window_does_not_stop_the_account_while_credits_pay_on() -> None:
    def blocking(**answer: Any) -> list[str]:
        return [one.id for one in usage(**answer).windows if one.blocks]

    full = limits(window(4), window(100, WEEK))
    assert blocking(rate_limit=full, credits={"balance": 0}) == ["session", "weekly"]
    assert blocking(rate_limit=full, credits={"balance": 4}) == ["session"]
    assert blocking(rate_limit=full, credits={"unlimited": True}) == ["session"]
    assert blocking(rate_limit=limits(window(99)), credits={"balance": 4}) == ["session"]


# --- the program's answers -------------------------------------------------------------------------


def program(**result: Any) -> Any:
    return program_limits(RpcRateLimits.model_validate(result), NOW)


def rpc_window(used: float, minutes: int) -> dict[str, object]:
    return {"usedPercent": used, "windowDurationMins": minutes, "resetsAt": LATER}


def test_program_windows_and_credits() -> None:
    found = program(
        rateLimits={
            "primary": rpc_window(4, 10080),
            "secondary": rpc_window(5, 300),
            "credits": {"hasCredits": True, "balance": "lots"},
        }
    )
    assert [(w.id, w.used_percent) for w in found.windows] == [("session", 5), ("weekly", 4)]
    assert (found.balance, found.untold) == (0, False)


@pytest.mark.parametrize(
    ("credits", "balance"),
    [
        ({"hasCredits": True}, None),
        ({"hasCredits": True, "balance": None}, None),
        ({"hasCredits": False}, 0),
        ({"hasCredits": True, "unlimited": True, "balance": "lots"}, None),
        ({"hasCredits": True, "balance": "7"}, 7),
    ],
)
def test_the_programs_credits_without_a_number_are_not_zero(credits: dict[str, object], balance: float | None) -> None:
    assert program(rateLimits={"credits": credits}).balance == balance


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"rateLimits": {"rateLimitReachedType": "rate_limit_reached"}}, "limit reached"),
        ({"rateLimits": {"rateLimitReachedType": {"type": "new_word"}}}, "new word"),
        ({"rateLimits": {"spendControlReached": True}}, "individual spend limit reached"),
        ({"rateLimits": {}, "spendControlReached": True}, "individual spend limit reached"),
        ({"rateLimits": {"spendControlReached": False, "rateLimitReachedType": None}}, None),
    ],
)
def test_the_program_tells_the_verdict_too(result: dict[str, object], words: str | None) -> None:
    blocked = to_usage(program(**result), Identity(email="ada@demo.test"), NOW).blocked
    assert (blocked.reason if blocked else None) == words


def test_program_snake_spelling() -> None:
    found = program(rate_limits={"primary": {"used_percent": 3, "window_duration_mins": 300}})
    assert found.windows[0].minutes == 300


def test_program_monthly_limit_comes_from_the_first_named_limit() -> None:
    found = program(
        rateLimits={"primary": None},
        rateLimitsByLimitId={
            "b": {"limitName": "Beta", "individualLimit": {"limit": "2"}},
            "z": {"limitId": "alpha", "individualLimit": {"limit": "5"}},
            "n": 7,
        },
    )
    assert (found.monthly.label, found.monthly.limit) == ("Beta", 2)
    own = program(rateLimits={"limitName": "Mine", "individualLimit": {"limit": 9}}, rateLimitsByLimitId={})
    assert (own.monthly.label, own.monthly.limit) == ("Mine", 9)


def test_program_limits_of_other_models_are_extra_windows() -> None:
    found = program(
        rateLimits={"limitId": "codex", "primary": rpc_window(1, 300)},
        rateLimitsByLimitId={
            "codex": {"limitId": "codex", "primary": rpc_window(1, 300)},
            "codex_other": {"limitName": "Other", "primary": rpc_window(2, 300)},
        },
    )
    assert [(w.id, w.label) for w in found.extras] == [("codex-codex-other", "Other")]
