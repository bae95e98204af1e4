"""Moonshot: a balance in the currency of the region, and keys that never reach the other region."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Misconfigured,
    ReadError,
)
from quotaline_providers.testing import Read

GOOD: dict[str, object] = {"code": 0, "status": True, "scode": "0x0"}


@pytest.fixture
def world(vendor: Any) -> Any:
    return vendor("api.moonshot.ai")


@pytest.fixture
def china(vendor: Any) -> Any:
    return vendor("api.moonshot.cn")


def balance(vendor: Any, available: object = 22.5, voucher: object = 20, cash: object = 2.5, **fields: object) -> Any:
    data = {"available_balance": available, "voucher_balance": voucher, "cash_balance": cash}
    return vendor.get("/v1/users/me/balance", bearer="k").answers(**(GOOD | {"data": data} | fields))


def info(vendor: Any, **data: object) -> Any:
    return vendor.get("/v1/users/me", bearer="k").answers(**GOOD, data=data)


def no_info(vendor: Any) -> Any:
    return vendor.get("/v1/users/me").fails(500)


def test_a_balance_without_windows(world: Any, read: Read) -> None:
    balance(world, available=1234.5)
    no_info(world)
    usage = read("moonshot", MOONSHOT_API_KEY=" k ")
    assert usage.windows == ()
    assert usage.balance("balance").amount == Decimal("1234.5")
    assert usage.balance("balance").unit == "USD"
    assert usage.identity.login_method == "Balance: $1,234.50"
    assert usage.row("Balance").value == "$1,234.50"
    assert (usage.row("Vouchers").value, usage.row("Cash").value) == ("$20.00", "$2.50")


def test_a_deficit_in_cash_stands_beside_the_vouchers(world: Any, read: Read) -> None:
    balance(world, available="9.6", voucher="10", cash="-0.4", scode=None)
    no_info(world)
    assert read("moonshot", MOONSHOT_API_KEY="k").row("Balance").value == "$9.60 · $0.40 in deficit"


def test_a_balance_below_zero_keeps_its_sign(world: Any, read: Read) -> None:
    balance(world, available=-0.35, voucher=0, cash=-0.35)
    no_info(world)
    usage = read("moonshot", MOONSHOT_API_KEY="k")
    assert usage.balance("balance").amount == Decimal("-0.35")
    assert usage.row("Balance").value == "-$0.35"
    assert usage.row("Cash").value == "-$0.35"


def test_limits_and_tier_come_from_the_optional_call(world: Any, read: Read) -> None:
    balance(world)
    organization = {"id": "demo-org", "max_concurrency": 0, "max_request_per_minute": 80, "max_token_per_minute": 9000}
    organization["max_token_quota"] = 70000
    info(world, organization=organization, user={"user_group_id": "tier-demo"})
    usage = read("moonshot", MOONSHOT_API_KEY="k")
    assert (usage.identity.login_method, usage.identity.organization) == ("tier-demo", "demo-org")
    assert [(row.label, row.value) for row in usage.details[1].rows] == [
        ("Requests per minute", "80"),
        ("Tokens per minute", "9,000"),
        ("Token quota", "70,000"),
    ]


def test_a_broken_optional_call_does_not_hide_the_balance(world: Any, read: Read) -> None:
    balance(world)
    info(world, organization=[1], user="x", user_group_id="tier-one")
    assert read("moonshot", MOONSHOT_API_KEY="k").identity.login_method == "tier-one"


def test_china_has_its_own_host_and_currency(china: Any, read: Read) -> None:
    balance(china)
    no_info(china)
    usage = read("moonshot", config={"apiKey": "k", "region": "china"})
    assert usage.balance("balance").unit == "CNY"
    assert usage.row("Balance").value == "¥22.50"


def test_keys_in_the_environment_are_of_the_region_named_there(china: Any, read: Read) -> None:
    route = balance(china)
    no_info(china)
    read("moonshot", MOONSHOT_API_KEY="''", MOONSHOT_KEY="k", MOONSHOT_REGION="' China '")
    read("moonshot", config={"region": "china"}, MOONSHOT_API_KEY="k", MOONSHOT_REGION="china")
    assert route.count == 2


@pytest.mark.parametrize(
    ("config", "environment", "named"),
    [
        ({"apiKey": "k", "region": "china", "apiKeyRegion": "international"}, {}, "apiKeyRegion"),
        ({"apiKey": "k", "region": "international", "apiKeyRegion": "china"}, {}, "apiKeyRegion"),
        ({"apiKey": "k", "apiKeyRegion": "china"}, {}, "apiKeyRegion"),
        ({"apiKey": "k"}, {"MOONSHOT_REGION": "china"}, "apiKeyRegion"),
        ({"region": "china"}, {"MOONSHOT_API_KEY": "k"}, "MOONSHOT_REGION"),
        ({"region": "international"}, {"MOONSHOT_KEY": "k", "MOONSHOT_REGION": "china"}, "MOONSHOT_REGION"),
    ],
)
def test_a_key_of_the_other_region_is_never_sent(
    read: Read, config: dict[str, object], environment: dict[str, str], named: str
) -> None:
    with pytest.raises(Misconfigured, match=named):
        read("moonshot", config=config, **environment)


def test_a_fitting_key_of_the_environment_takes_the_place_of_one_that_does_not(china: Any, read: Read) -> None:
    route = balance(china)
    no_info(china)
    config = {"apiKey": "other", "apiKeyRegion": "international", "region": "china"}
    read("moonshot", config=config, MOONSHOT_API_KEY="k", MOONSHOT_REGION="china")
    assert route.count == 1


def test_a_key_stays_in_the_region_where_it_was_good(world: Any, read: Read) -> None:
    balance(world)
    no_info(world)
    config = {"apiKey": "k", "region": "international"}
    read("moonshot", config=config)
    with pytest.raises(Misconfigured, match="region international, but the setting region is china"):
        read("moonshot", config=config | {"region": "china"})
    read("moonshot", config=config)


def test_a_region_where_a_key_failed_is_not_kept(world: Any, china: Any, read: Read) -> None:
    world.get("/v1/users/me/balance").fails(401)
    no_info(world)
    with pytest.raises(ExpiredCredential):
        read("moonshot", config={"apiKey": "k"})
    balance(china)
    no_info(china)
    assert read("moonshot", config={"apiKey": "k", "region": "china"}).balance("balance").unit == "CNY"


def test_a_kept_key_follows_the_same_rule(world: Any, read: Read, keyring_entries: dict[tuple[str, str], str]) -> None:
    keyring_entries["quotaline", "moonshot"] = "k"
    balance(world)
    no_info(world)
    read("moonshot")
    with pytest.raises(Misconfigured, match="apiKeyRegion"):
        read("moonshot", config={"apiKeyRegion": "china"})


def test_an_unknown_region_in_the_environment_is_international(world: Any, read: Read) -> None:
    balance(world)
    no_info(world)
    read("moonshot", MOONSHOT_API_KEY="k", MOONSHOT_REGION="mars")


@pytest.mark.parametrize("name", ["region", "apiKeyRegion"])
def test_an_unknown_region_in_the_config_is_refused_before_anything_is_sent(read: Read, name: str) -> None:
    with pytest.raises(Misconfigured, match=name):
        read("moonshot", config={"apiKey": "k", name: "mars"})


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"code": 401, "status": False}, ExpiredCredential),
        ({"code": 7, "status": False, "scode": "0x7"}, BadResponse),
        ({"code": 0, "status": False, "data": {}}, BadResponse),
        ({"code": 0, "status": True, "data": {"available_balance": 1}}, BadResponse),
        ({"code": 0, "status": "yes"}, BadResponse),
        ({"status": True}, BadResponse),
        ([], BadResponse),
    ],
)
def test_bodies_that_are_no_balance(world: Any, read: Read, body: object, error: type[ReadError]) -> None:
    world.get("/v1/users/me/balance").answers_json(body)
    no_info(world)
    with pytest.raises(error):
        read("moonshot", MOONSHOT_API_KEY="k")


@pytest.mark.parametrize(
    ("scode", "told"), [("0x7", r"\(code 7, scode 0x7\)"), ("no such key sk-x", r"\(code 7\)"), (None, r"\(code 7\)")]
)
def test_a_failure_is_told_by_its_codes_alone(world: Any, read: Read, scode: str | None, told: str) -> None:
    world.get("/v1/users/me/balance").answers(code=7, status=False, scode=scode)
    no_info(world)
    with pytest.raises(BadResponse, match=told):
        read("moonshot", MOONSHOT_API_KEY="k")


@pytest.mark.parametrize("fields", [{"message": "Account is suspended"}, {"error": "Account is suspended"}])
def test_the_words_of_a_failure_are_told(world: Any, read: Read, fields: dict[str, str]) -> None:
    world.get("/v1/users/me/balance").answers(code=7, status=False, **fields)
    no_info(world)
    with pytest.raises(BadResponse, match=r"\(code 7\): Account is suspended\.") as raised:
        read("moonshot", MOONSHOT_API_KEY="k")
    assert "changed" not in raised.value.hint
