"""Chutes: names in any spelling, windows from two places, quotas one by one, and what a subscription tells."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Misconfigured,
    MissingCredential,
)
from quotaline_providers.model import Usage
from quotaline_providers.testing import NOW, Read, Vendor
from quotaline_providers.vendors.chutes.mapping import Quota, reading, to_usage

RESET = datetime(2030, 1, 2, 16, tzinfo=UTC)
FOUR_HOUR = {"usage": 2.5, "cap": 10, "remaining": 7.5, "reset_at": "2030-01-02T16:00:00Z"}
MONTHLY = {"usage": 90, "cap": 120, "reset_at": 1896000000}


@pytest.fixture
def host(vendor: Callable[[str], Vendor]) -> Vendor:
    return vendor("api.chutes.ai")


@pytest.fixture
def subscription(host: Vendor) -> Any:
    return host.get("/users/me/subscription_usage", bearer="k")


@pytest.fixture
def quotas(host: Vendor) -> Any:
    return host.get("/users/me/quotas", bearer="k")


def usage(document: object) -> Usage:
    return to_usage(reading(document), NOW)


def percents(document: object) -> list[float | None]:
    return [window.used_percent for window in usage(document).windows]


# --- one answer ------------------------------------------------------------------------------------


def test_both_windows_of_a_subscription_need_one_call(subscription: Any, read: Read) -> None:
    subscription.answers(subscription=True, monthly_price=15, four_hour=FOUR_HOUR, monthly=MONTHLY)
    found = read("chutes", CHUTES_API_KEY=" 'k' ")
    assert [(w.id, w.lane, w.label, w.minutes) for w in found.windows] == [
        ("rolling", "primary", "4-hour quota", 240),
        ("monthly", "secondary", "Monthly quota", 43200),
    ]
    rolling, monthly = found.windows
    assert (rolling.used_percent, rolling.description, rolling.resets_at) == (25, "$2.50/$10.00", RESET)
    assert (monthly.used_percent, monthly.unit) == (75, "USD")
    assert found.subscription_renews_at == monthly.resets_at == datetime.fromtimestamp(1896000000, UTC)
    assert found.identity.login_method is None


def test_a_subscription_may_be_an_object() -> None:
    found = usage({"data": {"subscription": {"plan": "Base", "usage": 3, "cap": 12}, "rolling": {"percent_used": 40}}})
    assert [(w.id, w.used_percent) for w in found.windows] == [("rolling", 40), ("monthly", 25)]
    assert found.identity.login_method == "Base"
    assert found.window("rolling").description is None


def test_only_an_active_subscription_is_valid_and_has_no_windows() -> None:
    found = usage({"subscription": {"active": True}})
    assert found.windows == ()
    assert found.identity.login_method is None


def test_no_subscription_at_all() -> None:
    assert usage({"subscription": False}).identity.login_method == "No active subscription"


def test_nothing_known_is_a_valid_answer() -> None:
    found = usage({"hello": 1})
    assert (found.windows, found.identity.login_method) == ((), "No usage data")


@pytest.mark.parametrize("name", ["reset_at", "resetAt", "Reset-At", "RESETS_AT", "currentPeriodEnd"])
def test_names_count_in_any_spelling(name: str) -> None:
    window = usage({"fourHour": {"usedAmount": 1, "monthly_limit": 4, name: "2030-01-02T16:00:00Z"}}).windows[0]
    assert (window.used_percent, window.resets_at) == (25, RESET)


@pytest.mark.parametrize(
    ("quota", "percent"),
    [
        ({"percent_used": 1}, 1),
        ({"percent_used": 0.5}, 50),
        ({"percent_used": "30%"}, 30),
        ({"percent_remaining": 0.25}, 75),
        ({"remaining_percent": 130}, 0),
        ({"used": 1, "remaining": 3}, 25),
        ({"limit": 10, "left": 12}, 0),
        ({"limit": "$1,000", "consumed": "250"}, 25),
        ({"limit": 10, "used": 30}, 100),
    ],
)
def test_percentages(quota: dict[str, object], percent: float) -> None:
    assert percents({"quotas": [quota]}) == [percent]


@pytest.mark.parametrize("quota", [{"quota": 0, "used": 5}, {"limit": -1, "used": 0}, {"used": 3}, {"limit": "NaN"}])
def test_an_unlimited_or_unknown_quota_has_no_window(quota: dict[str, object]) -> None:
    assert percents([quota]) == []


def test_an_unusable_value_gives_way_to_the_next_name() -> None:
    assert percents([{"limit": None, "max": 20, "used": "?", "consumed": 5}]) == [25]


def test_the_same_numbers_over_different_lengths_are_two_windows() -> None:
    one, two = usage([{"limit": 8, "used": 2, "window_minutes": n} for n in (240, 43200)]).windows
    assert (one.id, one.minutes, two.id, two.minutes) == ("rolling", 240, "monthly", 43200)


def test_exact_duplicates_count_once() -> None:
    quota = {"limit": 8, "used": 2}
    assert len(usage({"quotas": [quota, dict(quota)], "data": {"limits": [quota]}}).windows) == 1


@pytest.mark.parametrize(
    ("told", "minutes"),
    [
        ({"window": "4h"}, 240),
        ({"period": "4 hours"}, 240),
        ({"interval": "30 days"}, 43200),
        ({"duration": "45 min"}, 45),
        ({"duration": "1mo"}, 43200),
        ({"period_hours": "2"}, 120),
        ({"duration_days": 7}, 10080),
        ({"window_seconds": 90}, 2),
        ({"window_minutes": 1e300}, None),
        ({"window": "forever"}, None),
    ],
)
def test_lengths(told: dict[str, object], minutes: int | None) -> None:
    (quota,) = (item for item in _quotas([{"limit": 8, "used": 2, **told}]))
    assert quota.minutes == minutes


def _quotas(document: object) -> list[Quota]:
    found = reading(document)
    return [quota for quota in (found.rolling, found.monthly, *found.others) if quota]


@pytest.mark.parametrize(
    ("label", "id"),
    [("Rolling", "rolling"), ("four-hour burst", "rolling"), ("Billing", "monthly"), ("Daily", "quota")],
)
def test_labels_tell_what_a_quota_is(label: str, id: str) -> None:
    assert usage([{"label": label, "limit": 8, "used": 2}]).windows[0].id == id


def test_explicit_objects_come_before_classified_ones() -> None:
    found = usage({"quotas": [{"label": "rolling", "limit": 8, "used": 8}], "rolling": {"limit": 8, "used": 2}})
    assert found.window("rolling").used_percent == 25


def test_a_used_object_does_not_appear_again_among_the_others() -> None:
    assert [window.id for window in usage({"four_hour": FOUR_HOUR}).windows] == ["rolling"]


def test_monthly_alone_leaves_the_first_lane_empty() -> None:
    found = usage({"monthly": MONTHLY, "quotas": [{"label": "Daily", "limit": 8, "used": 2}]})
    assert found.lane("primary") is None
    assert found.window("monthly").lane == "secondary"
    assert found.row("Daily").value == "2/8 credits"


def test_rolling_alone_is_followed_by_another_quota() -> None:
    found = usage({"rolling": FOUR_HOUR, "quotas": [{"name": "Daily", "limit": 8, "used": 2, "unit": "calls"}]})
    assert [(w.lane, w.label) for w in found.windows] == [("primary", "4-hour quota"), ("secondary", "Daily")]
    assert found.windows[1].description == "2/8 calls"


def test_other_quotas_fill_both_lanes() -> None:
    listed = [{"name": name, "limit": 8.5, "used": 2} for name in "ABC"]
    found = usage({"quotas": listed})
    assert [(w.lane, w.label) for w in found.windows] == [("primary", "A"), ("secondary", "B")]
    assert found.row("C").value == "2/8.5 credits"


@pytest.mark.parametrize(
    ("document", "plan"),
    [
        ({"status": "inactive"}, "No active subscription"),
        ({"state": "Active trial"}, None),
        ({"subscription_status": "cancelled"}, "No active subscription"),
        ({"status": "unheard-of"}, "No usage data"),
        ({"is_active": "none", "plan": {"tier": 3}}, "3"),
        ({"data": {"has_subscription": 0}}, "No active subscription"),
        ({"plan": {"tier": ["x"], "state": "free"}}, "No active subscription"),
    ],
)
def test_what_is_said_of_the_subscription(document: dict[str, object], plan: str | None) -> None:
    assert usage(document).identity.login_method == plan


def test_the_subscriptions_own_renewal_comes_before_the_monthly_reset() -> None:
    found = usage({"monthly": MONTHLY, "plan": {"renews_at": "2030-01-02T16:00:00Z"}})
    assert found.subscription_renews_at == RESET


# --- all calls -------------------------------------------------------------------------------------


def test_without_a_subscription_each_quota_is_asked(host: Vendor, subscription: Any, quotas: Any, read: Read) -> None:
    subscription.answers(subscription=False)
    quotas.answers_json([{"chute_id": "*", "is_default": True, "quota": 200}, {"chuteId": "a/b", "quota": 50}])
    host.get("/users/me/quota_usage/%2A", bearer="k").answers(quota=200, used=50)
    host.get("/users/me/quota_usage/a%2Fb", bearer="k").answers(data={"used": 25})
    found = read("chutes", CHUTES_API_TOKEN="k")
    assert [(w.lane, w.label, w.used_percent) for w in found.windows] == [
        ("primary", "All chutes", 25),
        ("secondary", "a/b", 50),
    ]
    assert [window.blocks for window in found.windows] == [True, False], "a quota of one chute stops that one alone"
    assert found.windows[0].description == "50/200 credits"
    assert found.identity.login_method == "No active subscription"


@pytest.mark.parametrize("wrapped", [{"data": 1}, {"quotas": 1}, {"data": {"quotas": 1}}])
def test_the_list_may_be_wrapped(subscription: Any, quotas: Any, read: Read, wrapped: dict[str, Any]) -> None:
    subscription.answers()
    listed = [{"quota": 10, "used": 5, "name": "Demo"}]
    quotas.answers_json({k: {"quotas": listed} if isinstance(v, dict) else listed for k, v in wrapped.items()})
    assert read("chutes", CHUTES_API_KEY="k").window("quota").used_percent == 50


def test_a_definition_stays_when_its_usage_cannot_be_had(
    host: Vendor, subscription: Any, quotas: Any, read: Read
) -> None:
    subscription.answers()
    quotas.answers_json([{"id": 7, "quota": 10, "used": 5}])
    host.get("/users/me/quota_usage/7").fails(500)
    assert read("chutes", CHUTES_API_KEY="k").window("quota").used_percent == 50


def test_without_any_window_of_a_definition_the_list_itself_is_read(subscription: Any, quotas: Any, read: Read) -> None:
    subscription.answers()
    quotas.answers(quotas=[{"name": "x"}], rolling={"limit": 4, "used": 1})
    assert read("chutes", CHUTES_API_KEY="k").window("rolling").used_percent == 25


def test_windows_of_the_first_answer_stay_and_missing_ones_are_added(
    subscription: Any, quotas: Any, read: Read
) -> None:
    subscription.answers(plan="Base", four_hour=FOUR_HOUR)
    quotas.answers_json(
        [{"period": "4h", "limit": 4, "used": 4}, {"period": "month", "limit": 4, "used": 2, "plan": "Other"}]
    )
    found = read("chutes", CHUTES_API_KEY="k")
    assert [(w.id, w.used_percent) for w in found.windows] == [("rolling", 25), ("monthly", 50)]
    assert found.identity.login_method == "Base"


def test_quotas_that_cannot_be_read_are_left_out(subscription: Any, quotas: Any, read: Read) -> None:
    subscription.answers(four_hour=FOUR_HOUR)
    quotas.answers_text("<html>")
    assert [window.id for window in read("chutes", CHUTES_API_KEY="k").windows] == ["rolling"]


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("at", ["subscription", "quotas", "usage"])
def test_a_refused_key_stops_everything(
    host: Vendor, subscription: Any, quotas: Any, read: Read, status: int, at: str
) -> None:
    if at == "subscription":
        subscription.fails(status)
    else:
        subscription.answers()
    if at == "quotas":
        quotas.fails(status)
    elif at == "usage":
        quotas.answers_json([{"id": "me", "quota": 10}])
        host.get("/users/me/quota_usage/me").fails(status)
    with pytest.raises(ExpiredCredential):
        read("chutes", CHUTES_API_KEY="k")


@pytest.mark.parametrize("body", ["<html>", "", "3"])
def test_an_answer_that_is_no_object(subscription: Any, read: Read, body: str) -> None:
    subscription.answers_text(body)
    with pytest.raises(BadResponse):
        read("chutes", CHUTES_API_KEY="k")


# --- keys and addresses ----------------------------------------------------------------------------


def test_a_configured_key_comes_before_the_environment(subscription: Any, read: Read) -> None:
    subscription.answers(four_hour=FOUR_HOUR, monthly=MONTHLY)
    read("chutes", config={"apiKey": "k"}, CHUTES_API_KEY="other", CHUTES_API_TOKEN="last")


def test_no_key(read: Read) -> None:
    with pytest.raises(MissingCredential):
        read("chutes", CHUTES_API_KEY=" '' ")


def test_another_address(vendor: Callable[[str], Vendor], read: Read) -> None:
    route = vendor("gate.example.com").get("/chutes/users/me/subscription_usage", bearer="k")
    route.answers(four_hour=FOUR_HOUR, monthly=MONTHLY)
    read("chutes", CHUTES_API_KEY="k", CHUTES_API_URL="gate.example.com/chutes/")


@pytest.mark.parametrize(
    "url", ["http://gate.example.com", "https://me@gate.example.com", "https://gate%2eexample.com"]
)
def test_an_unsafe_address_is_refused_by_name(read: Read, url: str) -> None:
    with pytest.raises(Misconfigured, match="CHUTES_API_URL"):
        read("chutes", CHUTES_API_KEY="k", CHUTES_API_URL=url)
