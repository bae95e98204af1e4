"""Synthetic: named lanes that keep their slots, and the older shapes."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from quotaline_providers.errors import (
    BadResponse,
)
from quotaline_providers.testing import NOW, Read
from quotaline_providers.vendors.synthetic import dollars, length, quotas, regen_text, to_quota, to_usage

LATER = datetime(2030, 3, 17, 17, 46, 40, tzinfo=UTC)
WEEKLY: dict[str, object] = {
    "percentRemaining": 75.0,
    "maxCredits": "$1,000.00",
    "remainingCredits": "$750.00",
    "nextRegenCredits": "$100.00",
    "nextRegenAt": "2030-01-02T15:00:00Z",
}


@pytest.fixture
def route(vendor: Any) -> Any:
    return vendor("api.synthetic.new").get("/v2/quotas", bearer="k")


def test_the_three_named_lanes(route: Any, read: Read) -> None:
    rolling = {"max": 200, "remaining": 150, "tickPercent": 0.05, "nextTickAt": "2030-01-02T12:10:00Z"}
    search = {"hourly": {"limit": 50, "requests": 73.8, "renewsAt": 1900000000}}
    old = {"limit": 300, "requests": 30}
    route.answers(rollingFiveHourLimit=rolling, weeklyTokenLimit=WEEKLY, search=search, subscription=old)
    usage = read("synthetic", SYNTHETIC_API_KEY="' k '")
    assert [(w.id, w.lane, w.used_percent) for w in usage.windows] == [
        ("five-hour", "primary", 25),
        ("weekly", "secondary", 25),
        ("search", "tertiary", 100),
    ]
    assert [window.blocks for window in usage.windows] == [True, True, False]
    assert usage.window("five-hour").next_regen_percent == 5
    assert usage.window("weekly").next_regen_percent == 10
    assert usage.window("search").resets_at == LATER
    spend = usage.spend("credits")
    assert (spend.used, spend.limit, spend.next_regen) == (Decimal(250), Decimal(1000), Decimal(100))
    assert spend.period == "Weekly"
    row = usage.row("Weekly tokens regenerates")
    assert (row.value, row.secondary) == ("85% after next regen", "Full in ~3 regens")
    assert usage.row("Subscription requests").value == "30 / 300"
    assert usage.identity.plan is None


PLAN_WEEK = {"nextRegenAt": "2030-01-02T12:20:00Z", "percentRemaining": 67.25, "nextRegenPercent": 2}


def test_the_plans_week_alone(route: Any, read: Read) -> None:
    route.answers(planWeeklyLimit=PLAN_WEEK)
    (week,) = read("synthetic", SYNTHETIC_API_KEY="k").windows
    assert (week.id, week.lane, week.used_percent, week.next_regen_percent) == ("weekly", "secondary", 32.75, 2)
    assert week.resets_at == datetime(2030, 1, 2, 12, 20, tzinfo=UTC)


@pytest.mark.parametrize("document", [{"planWeeklyLimit": PLAN_WEEK}, {"data": {"planWeeklyLimit": PLAN_WEEK}}])
def test_beside_the_plans_week_the_old_counter_is_dead(document: dict[str, object]) -> None:
    usage = to_usage({"subscription": {"limit": 135, "requests": 27}, **document}, NOW)
    assert [(window.id, window.used_percent) for window in usage.windows] == [("weekly", 32.75)]
    assert [row.label for section in usage.details for row in section.rows] == ["Weekly tokens regenerates"]


def test_the_plans_week_goes_before_the_tokens_that_give_the_dollars() -> None:
    usage = to_usage({"planWeeklyLimit": PLAN_WEEK, "weeklyTokenLimit": WEEKLY}, NOW)
    assert [window.used_percent for window in usage.windows] == [32.75]
    assert usage.window("weekly").next_regen_percent == 2
    spend = usage.spend("credits")
    assert (spend.used, spend.limit, spend.next_regen) == (Decimal(250), Decimal(1000), Decimal(100))


def test_a_plans_week_without_numbers_leaves_the_tokens() -> None:
    usage = to_usage({"planWeeklyLimit": {"nextRegenAt": None}, "weeklyTokenLimit": WEEKLY}, NOW)
    assert usage.window("weekly").used_percent == 25


def test_half_a_percent_that_regenerates_is_no_fraction() -> None:
    quota = to_quota({"percentRemaining": 50, "nextRegenPercent": 0.5}, weekly=True)
    assert quota is not None
    assert quota.step == 0.5


@pytest.mark.parametrize("rolling", [None, {}, {"limited": False}])
def test_a_missing_lane_leaves_its_slot_empty(rolling: object) -> None:
    document = {"rollingFiveHourLimit": rolling, "weeklyTokenLimit": WEEKLY, "search": {"hourly": {"percent": 10}}}
    usage = to_usage(document, NOW)
    assert usage.lane("primary") is None
    assert [window.lane for window in usage.windows] == ["secondary", "tertiary"]


def test_lanes_may_stand_under_data() -> None:
    one, two, three = quotas({"data": {"weeklyTokenLimit": WEEKLY}})
    assert (one, three) == (None, None)
    assert two is not None


def test_without_any_named_lane_the_generic_quotas_count() -> None:
    listed = [
        {"name": "Monthly", "limit": 800, "used": 80, "reset_at": "2030-02-01T00:00:00Z"},
        {"name": "Daily", "max": 40, "remaining": 10, "window_minutes": 1440},
        {"limit": 0, "used": 3},
    ]
    empty: dict[str, object] = {"rollingFiveHourLimit": None, "weeklyTokenLimit": {}, "search": {"hourly": {}}}
    usage = to_usage({"plan": "Starter", "quotas": listed, **empty}, NOW)
    assert [window.used_percent for window in usage.windows] == [10, 75]
    assert [(window.id, window.label, window.lane) for window in usage.windows] == [
        ("quota-1", "Monthly", "primary"),
        ("quota-2", "Daily", "secondary"),
    ]
    assert usage.windows[1].description == "1 day window"
    assert usage.identity.plan == "Starter"
    assert [window.used_percent for window in to_usage(listed, NOW).windows] == [10, 75]


def test_a_quota_without_a_name_is_named_by_its_length() -> None:
    nameless = [{"max": 40, "remaining": 10, "window_minutes": 1440}, {"max": 40, "remaining": 20}]
    assert [window.label for window in to_usage(nameless, NOW).windows] == ["Daily", "Weekly tokens"]


def test_a_named_lane_shuts_the_generic_quotas_out_also_when_it_tells_no_percentage() -> None:
    with pytest.raises(BadResponse):
        to_usage({"rollingFiveHourLimit": {"limit": 0, "used": 1}, "quotas": [{"percent": 5}]}, NOW)


def test_credits_alone_make_a_weekly_lane() -> None:
    (window,) = to_usage({"weeklyTokenLimit": {"max_credits": "$40.00", "remaining_credits": 30}}, NOW).windows
    assert (window.id, window.lane, window.used_percent, window.next_regen_percent) == ("weekly", "secondary", 25, None)


def test_a_plan_may_stand_under_data_and_is_a_text() -> None:
    document = {"subscription": {"packs": 1}, "data": {"tier": "Large", "quotas": [{"percent": 5}]}}
    assert to_usage(document, NOW).identity.plan == "Large"


def test_a_counter_that_does_not_tell_its_use_is_no_row() -> None:
    usage = to_usage({"weeklyTokenLimit": WEEKLY, "subscription": {"limit": 300, "percent": 10}}, NOW)
    assert "Subscription requests" not in {row.label for section in usage.details for row in section.rows}


def test_a_used_up_lane_is_full(route: Any, read: Read) -> None:
    route.answers(rollingFiveHourLimit={"max": 200, "remaining": 0, "limited": True})
    assert read("synthetic", SYNTHETIC_API_KEY="k").window("five-hour").used_percent == 100


def test_quotas_nested_deep_are_found_in_sorted_order() -> None:
    inner = {"messages": 200, "requests": 20, "period": "5hr", "resetsAt": "2030-01-02T15:00:00Z"}
    (window,) = to_usage({"subscription": {"packs": 1, "rateLimit": inner}}, NOW).windows
    assert (window.used_percent, window.minutes) == (10, 300)
    one, two, _ = quotas({"data": {"limits": {"b": {"x": {"percent": 20}}, "a": {"percent": 30}}}})
    assert one is not None
    assert two is not None
    assert (one.used_percent, two.used_percent) == (30, 20)


@pytest.mark.parametrize(
    ("source", "used"),
    [
        ({"percent": 1}, 100),
        ({"percent": 0.5}, 50),
        ({"percent": 100}, 100),
        ({"usedPercent": "12"}, 12),
        ({"percentRemaining": 0.25}, 75),
        ({"used": 1, "remaining": 3}, 25),
        ({"max": 10, "remaining": 15}, 0),
        ({"max": 10, "remaining": -2}, 100),
        ({"max": 10, "remaining": 0, "limited": True}, 100),
    ],
)
def test_percentages(source: dict[str, object], used: float) -> None:
    quota = to_quota(source)
    assert quota is not None
    assert quota.used_percent == used


def test_a_limit_of_zero_is_no_quota() -> None:
    assert to_quota({"limit": 0, "used": 1}) is None


def test_the_weekly_rest_is_never_a_fraction() -> None:
    quota = to_quota({"percentRemaining": 0.8}, weekly=True)
    assert quota is not None
    assert quota.used_percent == pytest.approx(99.2)


def test_unreadable_dollars_leave_the_percentage() -> None:
    quota = to_quota({"percentRemaining": 75, "maxCredits": "many", "remainingCredits": "$5"}, weekly=True)
    assert quota is not None
    assert (quota.used_percent, quota.credits, quota.step) == (25, None, None)
    assert regen_text(quota) is None
    assert dollars("$1,000.00") == 1000


@pytest.mark.parametrize(
    "source",
    [{"resetAt": 1900000000}, {"resetAt": "1900000000000"}, {"resetAt": "soon", "reset_at": 5, "endAt": 1900000000}],
)
def test_resets_in_every_spelling(source: dict[str, object]) -> None:
    quota = to_quota({"percent": 50, **source})
    assert quota is not None
    assert quota.resets_at == LATER


@pytest.mark.parametrize(
    ("source", "minutes"),
    [
        ({"window": "30 min"}, 30),
        ({"period": "2 Days"}, 2880),
        ({"window": "monthly", "period": "1 hour"}, 60),
        ({"windowSeconds": 3600}, 60),
        ({"periodHours": "5"}, 300),
        ({"window": "soon"}, None),
        ({"windowSeconds": 10}, None),
    ],
)
def test_lengths(source: dict[str, object], minutes: int | None) -> None:
    assert length(source) == minutes


@pytest.mark.parametrize(("left", "text"), [(100, "Near full"), (88, "Full in ~1 regen"), (75, "Full in ~3 regens")])
def test_ticks_to_full(left: float, text: str) -> None:
    quota = to_quota({"max": 100, "remaining": left, "tickPercent": 0.1})
    assert quota is not None
    texts = regen_text(quota)
    assert texts is not None
    assert texts[1] == text


@pytest.mark.parametrize("body", ["{", "3", '"x"', "{}", "[]", '{"quotas": [{"limit": 0}]}', "<html>"])
def test_answers_without_a_quota(route: Any, read: Read, body: str) -> None:
    route.answers_text(body)
    with pytest.raises(BadResponse):
        read("synthetic", SYNTHETIC_API_KEY="k")
