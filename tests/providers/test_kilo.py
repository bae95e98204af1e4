"""Kilo: whose answer is whose in a batch, credits and pass from every shape, and its two credentials."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    MissingCredential,
    ReadError,
    Unavailable,
)
from quotaline_providers.model import Usage
from quotaline_providers.testing import NOW, Read, Route, Vendor
from quotaline_providers.vendors.kilo import PROVIDER
from quotaline_providers.vendors.kilo.mapping import Amounts, account_of, credits_of, pass_of, to_usage, top_up_text
from quotaline_providers.vendors.kilo.organizations import listed
from quotaline_providers.vendors.kilo.payloads import contexts, payloads, switch

PATH = "/api/trpc/user.getCreditBlocks,kiloPass.getState,user.getAutoTopUpPaymentMethod"
INPUT = '{"0":{"json":null},"1":{"json":null},"2":{"json":null}}'
QUERY = {"batch": "1", "input": INPUT}
CREDITS: dict[str, object] = {
    "creditBlocks": [
        {"amount_mUsd": 9000000, "balance_mUsd": 4500000, "is_free": False, "expiry_date": "2030-05-01T00:00:00Z"},
        {"amount_mUsd": "3000000", "balance_mUsd": 1500000, "is_free": True, "expiry_date": None},
        {"amount_mUsd": 0, "balance_mUsd": 0},
    ],
    "autoTopUpEnabled": True,
}
PASS: dict[str, object] = {
    "subscription": {
        "tier": "tier_19",
        "currentPeriodUsageUsd": 6,
        "currentPeriodBaseCreditsUsd": "20",
        "currentPeriodBonusCreditsUsd": 4.0,
        "nextBillingAt": "2030-02-01T00:00:00.000Z",
    }
}
TOP_UP: dict[str, object] = {"enabled": True, "paymentMethod": None, "amountCents": 2500}


def entry(payload: object) -> dict[str, object]:
    return {"result": {"data": payload}}


def error(code: str, message: str = "") -> dict[str, object]:
    return {"error": {"json": {"message": message, "data": {"code": code}}}}


def usage(credits: object = None, subscription: object = None, method: object = None) -> Usage:
    return to_usage(account_of(credits, subscription, method), NOW)


@pytest.fixture
def host(vendor: Callable[[str], Vendor]) -> Vendor:
    return vendor("app.kilo.ai")


@pytest.fixture
def batch(host: Vendor) -> Route:
    return host.get(PATH, bearer="k", query=QUERY)


@pytest.fixture
def login(home: Path) -> Callable[..., Path]:
    """`login(content)`: the login of Kilo's own program."""

    def write(content: object, folder: str = ".local/share/kilo") -> Path:
        path = home / folder / "auth.json"
        path.parent.mkdir(parents=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write


# --- a whole reading -------------------------------------------------------------------------------


def test_credits_pass_and_top_up(batch: Route, read: Read) -> None:
    batch.answers_json([entry(CREDITS), entry(PASS), entry({"json": TOP_UP}), entry(CREDITS)])
    found = read("kilo", KILO_API_KEY=" 'k' ", KILO_API_URL="https://elsewhere.example.com")
    credits, subscription = found.windows
    assert (credits.id, credits.lane, credits.label, credits.used_percent) == ("credits", "primary", "Credits", 50)
    assert (credits.description, credits.resets_at, credits.minutes) == ("6/12 credits", None, None)
    assert (subscription.lane, subscription.label, subscription.used_percent) == ("secondary", "Kilo Pass", 25)
    assert subscription.description == "$6.00 / $20.00 (+ $4.00 bonus)"
    assert subscription.resets_at == datetime(2030, 2, 1, tzinfo=UTC)
    assert found.balance("credits").amount == Decimal(6)
    assert found.identity.login_method == "Starter · Auto top-up: $25"
    assert found.identity.organization is None
    assert [(row.label, row.value, row.secondary) for row in found.details[0].rows] == [
        ("Credits", "$4.50 left", "until 2030-05-01"),
        ("Free credits", "$1.50 left", "without end"),
    ]
    assert found.source == "api"


@pytest.mark.parametrize("document", [[], [{}, {}, {}], [entry(None), entry({"json": None}), {"result": {}}]])
def test_nothing_told_is_a_success_without_windows(batch: Route, read: Read, document: object) -> None:
    batch.answers_json(document)
    found = read("kilo", KILO_API_KEY="k")
    assert (found.windows, found.identity.login_method) == ((), None)


@pytest.mark.parametrize("status", [200, 207])
def test_the_third_procedure_may_fail(batch: Route, read: Read, status: int) -> None:
    batch.answers_json([entry(CREDITS), entry(PASS), error("UNAUTHORIZED")], status=status)
    assert read("kilo", KILO_API_KEY="k").identity.login_method == "Starter · Auto top-up: enabled"


@pytest.mark.parametrize("broken", [0, 1])
@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (error("UNAUTHORIZED"), ExpiredCredential),
        ({"error": {"data": {"code": "FORBIDDEN"}}}, ExpiredCredential),
        ({"error": {"code": -32001, "message": "Forbidden for you"}}, ExpiredCredential),
        (error("NOT_FOUND"), BadResponse),
        (error("", "no procedure: not found"), BadResponse),
        (error("INTERNAL_SERVER_ERROR"), BadResponse),
        ({"error": {}}, BadResponse),
    ],
)
def test_the_first_two_procedures_may_not_fail(
    batch: Route, read: Read, broken: int, told: dict[str, object], kind: type[ReadError]
) -> None:
    entries = [entry(CREDITS), entry(PASS), entry(None)]
    entries[broken] = told
    batch.answers_json(entries, status=207)
    with pytest.raises(kind):
        read("kilo", KILO_API_KEY="k")


@pytest.mark.parametrize("body", ["<html>", "3", '{"hello": 1}', '{"3": {}}'])
def test_answers_of_another_shape(batch: Route, read: Read, body: str) -> None:
    batch.answers_text(body)
    with pytest.raises(BadResponse):
        read("kilo", KILO_API_KEY="k")


# --- the batch -------------------------------------------------------------------------------------


def test_a_lone_answer_is_the_first_procedures() -> None:
    assert payloads(entry({"a": 1})) == ({"a": 1}, None, None)


def test_numbered_answers_go_by_their_numbers() -> None:
    assert payloads({"0": entry({"a": 1}), "2": entry({"c": 1}), "7": entry({"d": 1})}) == ({"a": 1}, None, {"c": 1})


def test_where_a_payload_stands() -> None:
    told = [{"result": {"json": 1}}, {"result": {"data": {"json": None, "other": 2}}}, {"result": {"data": [3]}}]
    assert payloads(told) == (1, None, [3])
    assert payloads([{"result": {"data": {"a": 1}}, "error": None}])[0] == {"a": 1}


def test_objects_are_searched_breadth_first_two_levels_deep() -> None:
    document = {"n": 0, "list": [[{"n": 1, "deep": {"n": 2, "deeper": {"n": 3}}}]], "more": {"n": 1.5}}
    assert [item["n"] for item in contexts(document)] == [0, 1, 1.5, 2]


@pytest.mark.parametrize(
    ("value", "meaning"),
    [(True, True), (0, False), (2, True), (" Yes ", True), ("off", False), ("maybe", None), (None, None)],
)
def test_switches(value: object, meaning: bool | None) -> None:
    assert switch(value) is meaning


# --- credits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"inner": {"creditBlocks": [{"amount_mUsd": 2e6}]}}, Amounts(None, 2)),
        ({"creditBlocks": [{"amount_mUsd": 1e6, "balance_mUsd": 3e6}]}, Amounts(0, 1, 3)),
        ({"creditBlocks": [{"amount_mUsd": 1e6, "balance_mUsd": -3e6}]}, Amounts(1, 1, 0)),
        ({"creditBlocks": [{"id": "x"}], "totalCredits": 8, "usedCredits": "2"}, Amounts(2, 8)),
        ({"blocks": [{"consumed": 3}, {"limit": 9}], "used": 1}, Amounts(3, 9)),
        ({"used": 4, "a": {"remaining": 6}}, Amounts(4, None, 6)),
        ({"totalBalance_mUsd": 0}, Amounts(0, 0, 0)),
        ({"totalBalance_mUsd": 5e6}, Amounts(0, 5, 5)),
        ({"totalBalance_mUsd": -5e6}, Amounts(0, 0, 0)),
        ({"hello": 1}, None),
        ([], None),
        (None, None),
    ],
)
def test_where_credits_are_found(payload: object, expected: Amounts | None) -> None:
    assert credits_of(payload) == expected


@pytest.mark.parametrize(
    ("amounts", "percent", "text"),
    [
        ({"used": 2.5, "total": 10}, 25, "2.50/10 credits"),
        ({"used": 30, "total": 10}, 100, "30/10 credits"),
        ({"used": 4, "remaining": 12}, 25, "4/16 credits"),
        ({"total": 20, "remaining": 15}, 25, "5/20 credits"),
        ({"total": 1234}, 0, "0/1,234 credits"),
        ({"total": -3}, 100, "0/0 credits"),
    ],
)
def test_credits_windows(amounts: dict[str, object], percent: float, text: str) -> None:
    window = usage(amounts).window("credits")
    assert (window.used_percent, window.description) == (percent, text)


def test_a_balance_of_nothing_is_used_up() -> None:
    found = usage({"creditBlocks": [], "totalBalance_mUsd": 0})
    window = found.window("credits")
    assert (window.used_percent, window.description) == (100, "0/0 credits")
    assert found.balance("credits").amount == 0


def test_only_used_credits_make_no_window() -> None:
    assert usage({"used": 4}).windows == ()


# --- the pass --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tier", "plan"),
    [("tier_19", "Starter"), ("tier_49", "Pro"), ("tier_199", "Expert"), ("demo", "demo"), (None, "Kilo Pass")],
)
def test_tiers(tier: object, plan: str) -> None:
    assert pass_of({"subscription": {"tier": tier}}).plan == plan


def test_a_pass_without_its_base_has_a_plan_but_no_window() -> None:
    found = usage(None, {"subscription": {"tier": "tier_49", "currentPeriodUsageUsd": 3}})
    assert (found.windows, found.identity.login_method) == ((), "Pro")


def test_a_pass_may_be_the_payload_itself() -> None:
    told = {"currentPeriodBaseCreditsUsd": 10, "currentPeriodUsageUsd": -4, "renewAt": 1896000000000}
    window = usage(None, told).window("pass")
    assert (window.used_percent, window.description) == (0, "$0.00 / $10.00")
    assert window.resets_at == datetime.fromtimestamp(1896000000, UTC)


def test_use_beyond_the_pass_is_clamped_but_told() -> None:
    told = {"subscription": {"currentPeriodBaseCreditsUsd": 10, "currentPeriodUsageUsd": 14.5}}
    window = usage(None, told).window("pass")
    assert (window.used_percent, window.description) == (100, "$14.50 / $10.00")


def test_a_pass_of_nothing_is_used_up() -> None:
    assert usage(None, {"subscription": {"currentPeriodBaseCreditsUsd": 0}}).window("pass").used_percent == 100


@pytest.mark.parametrize(
    ("payload", "used", "total", "bonus"),
    [
        ({"subscription": None, "amountCents": 4000, "amount": 7, "usedCents": 1000}, 10, 40, 0),
        ({"state": {"limit_mUsd": 8e6, "limit": 3, "left_mUsd": 6e6}}, 2, 8, 0),
        ({"passes": [{"included": "12", "spent": 3, "bonusCents": 200}]}, 3, 12, 2),
        ({"usedAmount": 3, "availableAmount": 5}, 3, 8, 0),
        ({"a": {"amount": 5, "b": {"amountCents": 900}}, "used": 1}, 1, 9, 0),
    ],
)
def test_a_pass_by_other_names(payload: object, used: float, total: float, bonus: float) -> None:
    amounts = pass_of(payload).amounts
    assert (amounts.used, amounts.total, amounts.bonus) == (used, total, bonus)
    assert amounts.left == total - used


@pytest.mark.parametrize("name", ["resetAt", "resetsAt", "nextResetAt", "nextRenewalAt", "periodEndsAt", "expiryAt"])
def test_resets_of_a_pass_by_other_names(name: str) -> None:
    assert pass_of({"x": {name: "1896000000"}}).amounts.resets_at == datetime.fromtimestamp(1896000000, UTC)


@pytest.mark.parametrize(
    ("payload", "plan"),
    [
        ({"subscription": None, "deep": {"tierName": " Demo "}}, "Demo"),
        ({"plan": {"name": "One"}, "name": "Two pass"}, "One"),
        ({"pass": {"name": "Three"}}, "Three"),
        ({"state": "Four"}, "Four"),
        ({"state": {"name": "Five"}}, "Five"),
        ({"x": {"name": "My Pass"}}, "My Pass"),
        ({"x": {"name": "Somebody"}}, None),
    ],
)
def test_plans_by_other_names(payload: object, plan: str | None) -> None:
    assert pass_of(payload).plan == plan


@pytest.mark.parametrize(
    ("left", "used", "blocks"),
    [(5, 4, [False, True]), (0, 4, [False, True]), (5, 10, [True, False]), (0, 10, [True, False])],
)
def test_the_pool_with_the_most_left_is_the_one_that_blocks(left: int, used: int, blocks: list[bool]) -> None:
    subscription = {"subscription": {"currentPeriodBaseCreditsUsd": 10, "currentPeriodUsageUsd": used}}
    assert [window.blocks for window in usage({"total": 20, "remaining": left}, subscription).windows] == blocks


# --- automatic top-ups -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("credits", "method", "text"),
    [
        (None, {"enabled": True, "paymentMethod": "card"}, "Auto top-up: card"),
        (None, {"isEnabled": "on", "inner": {"cardBrand": "visa"}}, "Auto top-up: visa"),
        (None, {"active": 1, "amountUsd": 12.5}, "Auto top-up: $12.50"),
        (None, {"status": "Active", "amount": 0}, "Auto top-up: enabled"),
        (None, {"status": "none"}, "Auto top-up: off"),
        ({"autoTopUpEnabled": False}, {"status": "unheard-of"}, "Auto top-up: off"),
        ({"autoTopUpEnabled": True}, None, "Auto top-up: enabled"),
        (None, {}, None),
    ],
)
def test_top_ups(credits: object, method: object, text: str | None) -> None:
    assert top_up_text(credits, method) == text


# --- two ways in -----------------------------------------------------------------------------------


def test_a_configured_key_wins(batch: Route, read: Read, login: Callable[..., Path]) -> None:
    login({"kilo": {"access": "other"}})
    batch.answers_json([])
    read("kilo", config={"apiKey": "k"}, KILO_API_KEY="other")


@pytest.mark.parametrize("kept", [{"type": "oauth", "access": " 'k' ", "refresh": "r"}, {"type": "api", "key": "k"}])
def test_the_programs_login_is_used_without_a_key(
    batch: Route, read: Read, login: Callable[..., Path], kept: dict[str, str]
) -> None:
    login({"kilo": kept})
    batch.answers_json([entry(CREDITS)])
    assert read("kilo").source == "cli"


def test_the_xdg_folder_comes_first(batch: Route, read: Read, home: Path, login: Callable[..., Path]) -> None:
    login({"kilo": {"access": "other"}})
    login({"kilo": {"access": "k"}}, "data/kilo")
    batch.answers_json([])
    read("kilo", XDG_DATA_HOME=str(home / "data"))


def test_a_refused_login_does_not_hide_that_of_the_next_place(
    host: Vendor, read: Read, home: Path, login: Callable[..., Path]
) -> None:
    login({"kilo": {"access": "old"}}, "data/kilo")
    login({"kilo": {"access": "k"}})
    host.get(PATH, bearer="old").fails(401)
    host.get(PATH, bearer="k").answers_json([])
    read("kilo", XDG_DATA_HOME=str(home / "data"))


def test_the_login_may_be_in_the_environment(batch: Route, read: Read) -> None:
    batch.answers_json([])
    assert read("kilo", KILO_AUTH_CONTENT='{"kilo": {"access": "k"}}').source == "cli"


@pytest.mark.parametrize("refused", [401, 403, "UNAUTHORIZED"])
def test_a_refused_key_falls_back_to_the_login(
    host: Vendor, read: Read, login: Callable[..., Path], refused: Any
) -> None:
    login({"kilo": {"access": "k"}})
    bad = host.get(PATH, bearer="bad")
    if isinstance(refused, int):
        bad.fails(refused)
    else:
        bad.answers_json([error(refused)])
    host.get(PATH, bearer="k").answers_json([entry(CREDITS)])
    assert read("kilo", KILO_API_KEY="bad").source == "cli"


def test_another_error_does_not_fall_back(batch: Route, read: Read, login: Callable[..., Path]) -> None:
    login({"kilo": {"access": "other"}})
    batch.fails(500)
    with pytest.raises(Unavailable):
        read("kilo", KILO_API_KEY="k")


def test_the_login_is_not_looked_at_when_a_key_is_asked_for(read: Read, login: Callable[..., Path]) -> None:
    login({"kilo": {"access": "other"}})
    with pytest.raises(MissingCredential, match="key"):
        read("kilo", source="api")


def test_no_login(read: Read) -> None:
    with pytest.raises(MissingCredential, match=r"\.local/share/kilo/auth\.json.*kilo auth login"):
        read("kilo", source="cli")


@pytest.mark.parametrize("content", ["{", "[]", {}, {"kilo": {"access": "  "}}, {"kilo": "x"}, {"kilo": {"access": 3}}])
def test_a_login_without_a_token(read: Read, login: Callable[..., Path], content: object) -> None:
    login(content)
    with pytest.raises(MissingCredential, match="usable"):
        read("kilo")


def test_a_login_that_cannot_be_read(read: Read, home: Path) -> None:
    (home / ".local/share/kilo/auth.json").mkdir(parents=True)
    with pytest.raises(Forbidden, match="cannot be read"):
        read("kilo")


# --- organisations ---------------------------------------------------------------------------------

ORGANIZATIONS = {
    "kiloKnownOrganizations": [{"id": "org_a", "name": "Team A", "role": "member"}, {"name": "no id"}],
    "kiloEnabledOrganizationIDs": [" org_a ", "org_b", "org_a", "", 4],
}


def test_enabled_organisations_stand_beside_the_person(host: Vendor, read: Read) -> None:
    host.get(PATH, headers={"X-KILOCODE-ORGANIZATIONID": "org_a"}).answers_json([entry({"used": 1, "total": 4})])
    host.get(PATH, headers={"X-KILOCODE-ORGANIZATIONID": "org_b"}).fails(500)
    host.get(PATH).answers_json([entry(CREDITS)])
    found = read("kilo", config=ORGANIZATIONS, KILO_API_KEY="k")
    assert [(window.id, window.label, window.lane) for window in found.windows] == [
        ("credits", "Credits", "primary"),
        ("org:org_a:credits", "Team A Credits", None),
    ]
    assert found.window("org:org_a:credits").used_percent == 25
    assert found.identity.organization == "Personal"


def test_the_list_of_organisations_is_asked_for_only_by_the_user(host: Vendor, batch: Route, read: Read) -> None:
    batch.answers_json([])
    query = {"batch": "1", "input": '{"0":{"json":null}}'}
    route = host.get("/api/trpc/user.getOrganizations", bearer="k", query=query)
    route.answers_json([entry({"json": [{"id": "org_a", "name": " ", "role": "owner"}]})])
    assert read("kilo", KILO_API_KEY="k").details == ()
    (row,) = read("kilo", interactive=True, KILO_API_KEY="k").details[0].rows
    assert (row.label, row.value, row.secondary) == ("org_a", "org_a", "owner")


def test_the_profile_tells_the_organisations_where_the_list_is_gone(
    vendor: Callable[[str], Vendor], host: Vendor, batch: Route, read: Read
) -> None:
    batch.answers_json([])
    host.get("/api/trpc/user.getOrganizations").fails(404)
    vendor("api.kilo.ai").get("/api/profile", bearer="k").answers(organizations=[{"id": "org_a", "name": "Team A"}])
    assert read("kilo", interactive=True, KILO_API_KEY="k").row("Team A").value == "org_a"


@pytest.mark.parametrize(
    "document",
    [
        [{"result": {"data": {"json": [{"id": "x"}]}}}],
        [{"result": {"data": [{"id": "x"}]}}],
        {"organizations": [{"id": "x"}]},
        {"result": {"data": {"json": {"organizations": [{"id": "x"}]}}}},
        {"result": {"data": {"json": [{"id": "x"}]}}},
    ],
)
def test_lists_of_organisations(document: object) -> None:
    assert [item.name for item in listed(document)] == ["x"]


@pytest.mark.parametrize("document", [None, 3, [], {}, {"organizations": 3}, [{"result": {"data": {"json": None}}}]])
def test_lists_of_another_shape_are_empty(document: object) -> None:
    assert listed(document) == ()


def test_its_words_for_other_programs_settings_are_known() -> None:
    assert {"kiloKnownOrganizations", "kiloEnabledOrganizationIDs", "extrasEnabled"} <= {
        option.name for option in PROVIDER.options
    }
