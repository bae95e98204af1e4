"""Kimi K2: one answer in many shapes, and generic keys that the relay must not get unasked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from quotaline_providers.errors import (
    BadResponse,
    MissingCredential,
)
from quotaline_providers.testing import NOW, Read
from quotaline_providers.vendors.kimik2 import (
    AVERAGE,
    CONSUMED,
    KEY,
    REMAINING,
    TIME,
    Credits,
    found_in,
    moment,
    to_usage,
)


@pytest.fixture
def route(vendor: Any) -> Any:
    return vendor("kimi-k2.ai").get("/api/user/credits", bearer="k")


def test_used_and_left_give_a_percentage(route: Any, read: Read) -> None:
    values = {"total": 1500, "credits_remaining": "4500", "average_tokens": 900}
    route.answers(data={"usage": {**values, "updated_at": "2029-12-31T23:00:00.5Z"}})
    usage = read("kimik2", KIMI_K2_API_KEY=" k\n")
    window = usage.window("credits")
    assert (window.used_percent, window.lane, window.minutes, window.resets_at) == (25, "primary", None, None)
    assert window.description == "1,500 used, 4,500 left"
    assert window.blocks
    assert usage.identity.login_method == "Credits: 4,500 left"
    assert usage.balance("credits").amount == 4500
    assert usage.row("Average tokens per request").value == "900"
    assert usage.updated_at == datetime(2029, 12, 31, 23, 0, 0, 500_000, UTC)


@pytest.mark.parametrize("place", ["data.usage", "data.credits", "result", "result.usage", "result.credits", "usage"])
def test_values_are_found_in_every_place(place: str) -> None:
    document: dict[str, object] = {"usedCredits": 2, "creditsLeft": 6}
    for name in reversed(place.split(".")):
        document = {name: document}
    assert found_in(document) == Credits(2, 6)


def test_the_root_comes_before_its_children_and_names_in_their_order() -> None:
    assert found_in({"credits_left": 1, "data": {"credits_left": 2, "credits_remaining": 3}}).remaining == 3
    assert found_in({"credits_left": 1, "data": {"credits_left": 2}}).remaining == 1
    assert found_in({"usage": {"consumed": 4, "remaining": 5}}) == Credits(4, 5)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", float("nan"), float("inf"), None, True, "much"])
def test_numbers_that_are_none_are_passed_over(value: object) -> None:
    document: dict[str, object] = {"credits_remaining": value, "credits_left": 7, "total": value, "avg_tokens": value}
    assert found_in(document) == Credits(None, 7)
    assert found_in({"credits_remaining": value}, "1e999").remaining is None


def test_the_header_is_the_last_resort(route: Any, read: Read) -> None:
    route.answers_json({"total": 5}, headers={"x-credits-REMAINING": "15"})
    assert read("kimik2", KIMI_K2_API_KEY="k").window("credits").used_percent == 25


def test_negative_credits_are_none_left() -> None:
    assert to_usage(found_in({"credits_left": -4, "total": 1}), NOW).identity.login_method == "Credits: 0 left"


def test_a_percentage_needs_both_numbers() -> None:
    assert to_usage(Credits(remaining=8.25), NOW).windows == ()
    assert to_usage(Credits(remaining=8.25), NOW).identity.login_method == "Credits: 8.25 left"
    assert to_usage(Credits(0, 0), NOW).windows == ()
    assert to_usage(Credits(3, None), NOW).windows == ()


@pytest.mark.parametrize(
    ("value", "time"),
    [
        (1_000_000_000_000, datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)),
        ("1900000000", datetime(2030, 3, 17, 17, 46, 40, tzinfo=UTC)),
        ("2030-01-01T00:00:00Z", datetime(2030, 1, 1, tzinfo=UTC)),
        (0, None),
        (-5, None),
        (999_999_999_999, None),
        (1e300, None),
        ("soon", None),
    ],
)
def test_times(value: object, time: datetime | None) -> None:
    assert moment(value) == time


def test_without_a_time_it_is_now_and_never_later() -> None:
    assert to_usage(found_in({"credits_left": 1, "timestamp": 0}), NOW).updated_at == NOW
    assert to_usage(found_in({"credits_left": 1, "timestamp": "2031-01-01T00:00:00Z"}), NOW).updated_at == NOW


def test_a_time_that_is_none_is_passed_over() -> None:
    assert found_in({"updated_at": "soon", "data": {"lastUpdated": "1900000000"}}).time is not None


def test_what_is_left_is_not_made_up() -> None:
    usage = to_usage(Credits(consumed=12.5), NOW)
    assert (usage.windows, usage.balances, usage.identity.login_method) == ((), (), None)
    assert usage.row("Consumed").value == "12.5"


@pytest.mark.parametrize("name", CONSUMED + REMAINING)
def test_every_name_of_an_amount(name: str) -> None:
    document: dict[str, object] = {name.rpartition(".")[2]: 4}
    if "." in name:
        document = {"usage": document}
    assert 4 in (found_in(document).consumed, found_in(document).remaining)


@pytest.mark.parametrize("name", AVERAGE)
def test_every_name_of_the_average(name: str) -> None:
    assert found_in({"result": {name: "7"}}).average_tokens == 7


@pytest.mark.parametrize("name", TIME)
def test_every_name_of_the_time(name: str) -> None:
    assert found_in({"credits": {name: 1_900_000_000}}).time == datetime(2030, 3, 17, 17, 46, 40, tzinfo=UTC)


def test_an_empty_answer_is_no_gauge_at_zero(route: Any, read: Read) -> None:
    route.answers()
    with pytest.raises(BadResponse, match="no credit data"):
        read("kimik2", KIMI_K2_API_KEY="k")


@pytest.mark.parametrize("body", ["[]", "{", "<html>"])
def test_answers_that_cannot_be_understood(route: Any, read: Read, body: str) -> None:
    route.answers_text(body)
    with pytest.raises(BadResponse):
        read("kimik2", KIMI_K2_API_KEY="k")


def test_generic_keys_need_the_provider_to_be_enabled(route: Any, read: Read, reader: Any) -> None:
    route.answers(credits_left=1)
    with pytest.raises(MissingCredential, match="KIMI_API_KEY is set") as raised:
        read("kimik2", KIMI_API_KEY="k", KIMI_KEY="''")
    assert "`quotaline config enable kimik2`" in raised.value.hint
    places = reader.context("kimik2", KIMI_API_KEY="k")
    assert "env KIMI_API_KEY (set, but used only when the provider is enabled)" in KEY.places(places)
    assert KEY.probe(places) is None
    with pytest.raises(MissingCredential, match="KIMI_API_KEY and KIMI_KEY"):
        read("kimik2", KIMI_API_KEY="k", KIMI_KEY="k")
    read("kimik2", config={"enabled": True}, KIMI_K2_API_KEY=" ", KIMI_API_KEY="''", KIMI_KEY="k")
    read("kimik2", config={"apiKey": "k"}, KIMI_K2_API_KEY="other")
    assert route.count == 2
