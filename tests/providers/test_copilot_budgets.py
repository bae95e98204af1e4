"""Copilot budgets: many spellings, one meaning; and a failure that never spoils the read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from quotaline_providers.contract import Account
from quotaline_providers.model import Window
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.copilot.budgets import identity, nonce, same_person
from quotaline_providers.vendors.copilot.mapping import budget_windows, selector
from quotaline_providers.vendors.copilot.payloads import BudgetPage, Person, to_dollars

NOW = datetime(2030, 12, 20, 12, tzinfo=UTC)


def windows(*budgets: dict[str, Any]) -> tuple[Window, ...]:
    return budget_windows(BudgetPage.model_validate({"budgets": list(budgets)}).budgets, NOW)


@pytest.mark.parametrize(
    ("value", "dollars"),
    [
        (12, 12),
        ("$1,250.50", 1250.5),
        ("-$15.00", -15),
        ("1-5", None),
        ("", None),
        (True, None),
        ({"cents": 450}, 4.5),
        ({"amount": None, "value": "7"}, 7),
        ({"formatted": "$3"}, 3),
        ([], None),
    ],
)
def test_amounts_come_in_many_shapes(value: object, dollars: float | None) -> None:
    assert to_dollars(value) == dollars


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Copilot", "copilot"),
        ("premium_requests", "copilot_premium_request"),
        ("Coding Agent Premium Request", "copilot_agent_premium_request"),
        ("spark-premium-requests", "spark_premium_request"),
        ("copilot_cloud_agent_premium_request", "copilot_agent_premium_request"),
        ("bundled_premium_requests", "copilot_premium_request"),
        ("copilot_agent_premium_requests", "copilot_agent_premium_request"),
        ("copilot_premium_requests", "copilot_premium_request"),
        ("Actions Linux", "actions_linux"),
    ],
)
def test_selectors_are_brought_to_one_spelling(text: str, wanted: str) -> None:
    assert selector(text) == wanted


def test_a_budget_is_a_window_until_next_month() -> None:
    (window,) = windows({"uuid": "B 9", "pricingTargetId": "premium_requests", "targetAmount": 50, "spent": "$5"})
    assert (window.id, window.label) == ("copilot-budget-b-9", "Budget - Copilot Premium Requests")
    assert (window.used_percent, window.used, window.limit, window.unit) == (10, 5, 50, "USD")
    assert window.lane is None
    assert window.resets_at == datetime(2031, 1, 1).astimezone(UTC)
    assert window.blocks is False


@pytest.mark.parametrize(
    ("skus", "title"),
    [
        ("copilot", "Copilot"),
        (["coding_agent_premium_requests"], "Copilot Agent Premium Requests"),
        ([{"sku": "spark_premium_request"}], "Spark Premium Requests"),
        ([{"name": "spark_premium_request"}, "premium_requests"], "All Premium Request SKUs"),
        ("premium_requests", "My limit"),
    ],
)
def test_a_budget_is_titled_by_what_it_limits(skus: object, title: str) -> None:
    assert windows({"name": "My limit", "skus": skus, "limit": 1, "usage": 0})[0].label == f"Budget - {title}"


@pytest.mark.parametrize(
    "budget",
    [
        {"sku": "copilot", "limit": 0, "usage": 3},
        {"sku": "copilot", "limit": "1-5", "usage": 3},
        {"sku": "actions", "limit": 10, "usage": 3},
    ],
)
def test_other_budgets_and_those_without_limit_are_left_out(budget: dict[str, Any]) -> None:
    assert windows(budget) == ()


def test_an_empty_spelling_gives_way_to_the_next() -> None:
    (window,) = windows({"id": "", "uuid": "b", "skus": [], "product": "copilot", "limit": "", "max": 4, "spent": 1})
    assert (window.id, window.used_percent) == ("copilot-budget-b", 25)


@pytest.mark.parametrize(("spent", "percent"), [("-$15.00", 0), (5000, 999), ("1-5", None)])
def test_use_is_kept_in_bounds_and_never_made_up(spent: object, percent: float | None) -> None:
    assert windows({"sku": "copilot", "limit": 100, "usage": spent})[0].used_percent == percent


def test_two_budgets_with_one_id_stay_two() -> None:
    same = {"id": 7, "sku": "copilot", "limit": 10, "usage": 1}
    assert [window.id for window in windows(same, same, same)] == [
        "copilot-budget-7",
        "copilot-budget-7-2",
        "copilot-budget-7-3",
    ]


def test_a_malformed_budget_does_not_break_its_siblings() -> None:
    page = BudgetPage.model_validate(
        {"payload": {"budgets": ["x", None, {"sku": "copilot", "limit": 1}], "has_next_page": True}}
    )
    assert len(page.budgets) == 1
    assert page.more


@pytest.mark.parametrize(
    "page",
    [
        '<meta name="X-Fetch-Nonce" content="n-1">',
        '{"x-fetch-nonce": "n-1"}',
        '{"fetchNonce":"n-1"}',
        '<div DATA-FETCH-NONCE="n-1">',
    ],
)
def test_the_nonce_is_found_wherever_it_is_kept(page: str) -> None:
    assert nonce(page) == "n-1"


def test_a_page_says_whose_it_is_in_any_order_of_attributes() -> None:
    page = '<meta content="41" name="octolytics-actor-id"><meta name="user-login" content="Ada">'
    assert identity(page) == Person(id=41, login="Ada")
    assert identity("<html>") == Person()
    assert identity('<meta name="user-id" content="3"><![odd') == Person(id=3)


def test_people_are_compared_by_id_and_else_by_login() -> None:
    assert same_person(Person(id=1, login="a"), Person(id=1, login="b"))
    assert not same_person(Person(id=1, login="a"), Person(id=2, login="a"))
    assert same_person(Person(id=1, login="Ada"), Person(login="ada"))
    assert not same_person(Person(id=1), Person())


# --- reads -----------------------------------------------------------------------------------------

SWITCHED_ON = {"budgetExtrasEnabled": True, "cookieHeader": "Cookie: user_session=k"}
PAGE = '<meta name="octolytics-actor-id" content="41"><meta name="x-fetch-nonce" content="n-1">'
PATH = "/settings/billing/budgets"


def account(vendor: Any, id: int = 41) -> None:
    host = vendor("api.github.com")
    host.get("/copilot_internal/user").answers(quota_snapshots={"chat": {"percent_remaining": 50}})
    host.get("/user").answers(id=id, login="ada")


def budget(number: int) -> dict[str, Any]:
    return {"id": number, "sku": "copilot", "limit": 10, "usage": 1}


def pages(vendor: Any, count: int) -> list[Any]:
    """The billing page, and the JSON pages behind it. The simulator tells them apart by their query."""
    host = vendor("github.com")
    return [
        host.get(PATH, query={}, cookie="user_session=k").answers_text(f"<html>{PAGE}"),
        *(
            host.get(
                PATH,
                query={"page": str(number), "page_size": "10", "scope": "customer"},
                cookie="user_session=k",
                headers={"X-Fetch-Nonce": "n-1", "GitHub-Verified-Fetch": "true", "Content-Type": None},
            ).answers(payload={"budgets": [budget(number)], "hasNextPage": number < count})
            for number in range(1, min(count, 20) + 1)
        ),
    ]


def test_budgets_are_read_page_by_page(vendor: Any, read: Any) -> None:
    account(vendor)
    pages(vendor, 3)
    seen = read("copilot", config=SWITCHED_ON, COPILOT_API_TOKEN="k")
    assert [window.id for window in seen.windows] == ["chat", *(f"copilot-budget-{number}" for number in (1, 2, 3))]
    assert seen.identity.account_id == "ada"


def test_no_more_than_twenty_pages_are_read(vendor: Any, read: Any) -> None:
    account(vendor)
    pages(vendor, 99)
    assert len(read("copilot", config=SWITCHED_ON, COPILOT_API_TOKEN="k").windows) == 21


def test_a_stale_stored_identifier_does_not_matter(vendor: Any, read: Any) -> None:
    account(vendor)
    pages(vendor, 1)
    stored = Account("Work", Secret("k"), external_identifier="github:user:999")
    assert read("copilot", config=SWITCHED_ON, account=stored).window("copilot-budget-1").used_percent == 10


def test_budgets_of_another_account_are_not_shown(vendor: Any, read: Any) -> None:
    account(vendor, id=42)
    pages(vendor, 1)[1].answers()
    assert [window.id for window in read("copilot", config=SWITCHED_ON, COPILOT_API_TOKEN="k").windows] == ["chat"]


@pytest.mark.parametrize("status", [401, 403, 302, 500])
def test_a_session_that_is_not_signed_in_only_drops_the_budgets(vendor: Any, read: Any, status: int) -> None:
    account(vendor)
    vendor("github.com").get(PATH).fails(status)
    assert [window.id for window in read("copilot", config=SWITCHED_ON, COPILOT_API_TOKEN="k").windows] == ["chat"]


def test_budgets_that_cannot_be_decoded_are_dropped(vendor: Any, read: Any) -> None:
    account(vendor)
    vendor("github.com").get(PATH).answers_text(f"<html>{PAGE}").answers_text("<html>")
    assert [window.id for window in read("copilot", config=SWITCHED_ON, COPILOT_API_TOKEN="k").windows] == ["chat"]


def test_without_a_known_owner_the_page_may_fail(vendor: Any, read: Any) -> None:
    host = vendor("api.github.com")
    host.get("/copilot_internal/user").answers(quota_snapshots={"chat": {"percent_remaining": 50}})
    host.get("/user").fails(500)
    web = vendor("github.com")
    web.get(PATH, query={}).fails(404)
    web.get(PATH, headers={"X-Fetch-Nonce": None}).answers(budgets=[budget(5)])
    assert read("copilot", config=SWITCHED_ON, COPILOT_API_TOKEN="k").window("copilot-budget-5")


@pytest.mark.parametrize(
    "config",
    [
        {"cookieHeader": "user_session=k"},
        {"budgetExtrasEnabled": False, "cookieHeader": "user_session=k"},
        {"budgetExtrasEnabled": True, "cookieHeader": "user_session=k", "cookieSource": "off"},
        {"budgetExtrasEnabled": True},
    ],
)
def test_budgets_need_their_switch_and_a_cookie(vendor: Any, read: Any, config: dict[str, Any]) -> None:
    account(vendor)
    assert [window.id for window in read("copilot", config=config, COPILOT_API_TOKEN="k").windows] == ["chat"]
    assert vendor("github.com").count == 0
