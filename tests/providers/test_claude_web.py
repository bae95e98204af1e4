"""Claude with a claude.ai cookie: organisations, usage, extras, renewed cookies, refusals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from quotaline_providers.contract import Account
from quotaline_providers.errors import (
    BadResponse,
    Misconfigured,
    MissingCredential,
    Unavailable,
)
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.claude import web
from quotaline_providers.vendors.claude.accounts import Owner, choose, web_plan
from quotaline_providers.vendors.claude.payloads import MemberOrganization, Membership, Organization
from quotaline_providers.vendors.claude.session import MOST_RENEWALS, RENEWALS, Renewals

COOKIE = "sk-ant-demo"
USAGE = {"five_hour": {"utilization": 21}, "seven_day": {"utilization": 9}}


@pytest.fixture(autouse=True)
def first_read() -> None:
    """No cookie was renewed yet."""
    RENEWALS.clear()


@pytest.fixture
def site(vendor: Any) -> Any:
    """claude.ai, whose optional answers are absent."""
    host = vendor("claude.ai")
    for path in ("overage_spend_limit", "prepaid/credits"):
        host.get(f"/api/organizations/o1/{path}").fails(404)
    return host


@pytest.fixture
def signed_in(site: Any) -> Any:
    """claude.ai with one organisation and an account."""
    site.get("/api/organizations", cookie=f"sessionKey={COOKIE}").answers_json(
        [{"uuid": "o1", "name": "Lab", "capabilities": ["chat"]}]
    )
    organization = {"uuid": "o1", "rate_limit_tier": "default_claude_max_5x"}
    site.get("/api/account").answers(
        email_address="ada@lab.test", memberships=[{"seat_tier": None, "organization": organization}]
    )
    return site


def test_usage_and_identity(signed_in: Any, read: Any) -> None:
    route = signed_in.get("/api/organizations/o1/usage", headers={"accept": "application/json"}).answers(**USAGE)
    seen = read("claude", source="web", config={"cookieHeader": f"other=1; sessionKey={COOKIE}"})
    assert (seen.window("session").used_percent, seen.window("weekly").used_percent) == (21, 9)
    assert (seen.identity.email, seen.identity.organization) == ("ada@lab.test", "Lab")
    assert (seen.identity.plan, seen.source) == ("Claude Max 5x", "web")
    assert route.requests[0].headers["cookie"] == f"sessionKey={COOKIE}"


@pytest.mark.parametrize(
    "pasted", [COOKIE, f"Cookie: sessionKey={COOKIE}", f"curl https://x.test -b 'sessionKey={COOKIE}'"]
)
def test_pasted_forms(signed_in: Any, read: Any, pasted: str) -> None:
    signed_in.get("/api/organizations/o1/usage").answers(**USAGE)
    assert read("claude", config={"cookieHeader": pasted}).source == "web"


def test_the_keyrings_cookie(signed_in: Any, read: Any, keyring_entries: dict[tuple[str, str], str]) -> None:
    signed_in.get("/api/organizations/o1/usage").answers(**USAGE)
    keyring_entries["quotaline", "claude/cookie"] = COOKIE
    assert read("claude").source == "web"


def test_a_bare_account_token_is_a_cookie(signed_in: Any, read: Any) -> None:
    signed_in.get("/api/organizations/o1/usage").answers(**USAGE)
    account = Account("Home", Secret(COOKIE), organization_id="o1")
    assert read("claude", account=account, QUOTALINE_CLAUDE_OAUTH_TOKEN="sk-ant-oat-demo").source == "web"


@pytest.mark.parametrize("config", [{}, {"cookieHeader": "sessionKey=abc"}, {"cookieHeader": "a=b"}])
def test_no_usable_key(simulator: Any, read: Any, config: dict[str, str]) -> None:
    with pytest.raises(MissingCredential):
        read("claude", source="web", config=config)


def test_cookies_switched_off(simulator: Any, read: Any) -> None:
    with pytest.raises(MissingCredential):
        read("claude", source="web", config={"cookieSource": "off", "cookieHeader": COOKIE})


def test_spend_limit_and_prepaid_credits_join(vendor: Any, read: Any) -> None:
    site = vendor("claude.ai")
    site.get("/api/organizations").answers_json([{"uuid": "o1"}])
    site.get("/api/account").fails(500)
    site.get("/api/organizations/o1/usage").answers(**USAGE)
    site.get("/api/organizations/o1/overage_spend_limit").answers(
        is_enabled=True, used_credits=700, monthly_credit_limit=2500, currency="USD"
    )
    site.get("/api/organizations/o1/prepaid/credits").answers(amount=1500, currency="usd")
    spend = read("claude", config={"cookieHeader": COOKIE}).spend("extra")
    assert (spend.used, spend.limit, spend.balance) == (Decimal(7), Decimal(25), Decimal(15))


def test_the_spend_limit_is_not_asked_when_usage_has_extra_usage(vendor: Any, read: Any) -> None:
    site = vendor("claude.ai")
    site.get("/api/organizations").answers_json([{"uuid": "o1"}])
    site.get("/api/account").fails(500)
    site.get("/api/organizations/o1/usage").answers(
        **USAGE, extra_usage={"used_credits": "100", "monthly_credit_limit": 500, "currency": "EUR"}
    )
    site.get("/api/organizations/o1/prepaid/credits").answers(amount=1500, currency="usd")
    spend = read("claude", config={"cookieHeader": COOKIE}).spend("extra")
    assert (spend.used, spend.balance) == (Decimal(1), None)


def test_prepaid_credits_may_be_late(signed_in: Any, read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "PREPAID_SECONDS", 0.05)
    signed_in.get("/api/organizations/o1/usage").answers(**USAGE)
    assert read("claude", config={"cookieHeader": COOKIE}).balances == ()


def renewal(key: str) -> dict[str, str]:
    return {"Set-Cookie": f"sessionKey={key}; Path=/; HttpOnly"}


def test_a_renewed_cookie_is_used_from_then_on(vendor: Any, read: Any) -> None:
    site = vendor("claude.ai")
    site.get("/api/organizations", cookie="sessionKey=sk-ant-1").answers_json(
        [{"uuid": "o1"}], headers=renewal("sk-ant-2")
    )
    site.get("/api/organizations/o1/usage", cookie="sessionKey=sk-ant-2").answers_json(
        USAGE, headers=renewal("sk-ant-1")
    )
    site.get("/api/account", cookie="sessionKey=sk-ant-1").answers_json({}, headers=renewal("bad"))
    for path in ("overage_spend_limit", "prepaid/credits"):
        site.get(f"/api/organizations/o1/{path}", cookie="sessionKey=sk-ant-1").fails(404)
    read("claude", config={"cookieHeader": "sk-ant-1"})


def sent(route: Any) -> list[str]:
    return [request.headers["cookie"].removeprefix("sessionKey=") for request in route.requests]


def ask(read: Any, **config: str) -> None:
    """A read that ends after its first call."""
    with pytest.raises(BadResponse, match="no organisation"):
        read("claude", source="web", config=config)


def test_a_manual_cookie_is_never_rewritten(vendor: Any, read: Any, keyring_entries: Any, memory: Any) -> None:
    vendor("claude.ai").get("/api/organizations").answers_json([], headers=renewal("sk-ant-2"))
    keyring_entries["quotaline", "claude/cookie"] = COOKIE
    ask(read)
    assert keyring_entries == {("quotaline", "claude/cookie"): COOKIE}
    assert "sk-ant" not in repr(vars(memory))


def test_the_next_read_of_this_process_uses_the_renewed_cookie(vendor: Any, read: Any) -> None:
    route = vendor("claude.ai").get("/api/organizations").answers_json([], headers=renewal("sk-ant-2"))
    route.answers_json([])
    for pasted in (COOKIE, COOKIE, "sk-ant-another"):
        ask(read, cookieHeader=pasted)
    assert sent(route) == [COOKIE, "sk-ant-2", "sk-ant-another"]


def test_a_refused_renewal_gives_way_to_the_pasted_cookie(vendor: Any, read: Any) -> None:
    route = vendor("claude.ai").get("/api/organizations").answers_json([], headers=renewal("sk-ant-2"))
    route.fails(401).answers_json([])
    for _ in range(3):
        ask(read, cookieHeader=COOKIE)
    assert sent(route) == [COOKIE, "sk-ant-2", COOKIE, COOKIE]


def test_an_older_renewal_never_replaces_a_newer_one() -> None:
    renewals, given = Renewals(), Secret("sk-ant-1")
    renewals.keep(given, given, Secret("sk-ant-2"))
    renewals.keep(given, given, Secret("sk-ant-late"))
    assert renewals.newest(given) == Secret("sk-ant-2")
    renewals.drop(given, given)
    assert renewals.newest(given) == Secret("sk-ant-2")
    renewals.drop(given, Secret("sk-ant-2"))
    assert renewals.newest(given) == given
    assert "sk-ant" not in repr(vars(renewals))


def test_only_some_renewals_are_kept() -> None:
    renewals, givens = Renewals(), [Secret(f"sk-ant-{number}") for number in range(MOST_RENEWALS + 1)]
    for given in givens:
        renewals.keep(given, given, Secret("sk-ant-new"))
    assert [renewals.newest(given) == given for given in givens] == [True, *[False] * MOST_RENEWALS]


def test_a_challenge_is_met_once_as_a_browser(vendor: Any, read: Any) -> None:
    route = vendor("claude.ai").get("/api/organizations").answers_text("<html>wait</html>", status=403)
    with pytest.raises(Unavailable, match="says nothing of the credential"):
        read("claude", config={"cookieHeader": f"cf_clearance=c; sessionKey={COOKIE}"})
    second = route.requests[1].headers
    assert second["cookie"] == f"sessionKey={COOKIE}; cf_clearance=c"
    assert second["anthropic-client-platform"] == "web_claude_ai"
    assert route.count == 2


def test_a_login_page_is_no_answer(vendor: Any, read: Any) -> None:
    vendor("claude.ai").get("/api/organizations").answers_text("<html>sign in</html>")
    with pytest.raises(BadResponse):
        read("claude", config={"cookieHeader": COOKIE})


def test_a_chosen_organisation_that_is_not_there(vendor: Any, read: Any) -> None:
    vendor("claude.ai").get("/api/organizations").answers_json([{"uuid": "o1"}])
    with pytest.raises(Misconfigured):
        read("claude", config={"cookieHeader": COOKIE, "organizationID": "o2"})


def test_which_organisation() -> None:
    api, mixed = Organization(uuid="a", capabilities=("api",)), Organization(uuid="b", capabilities=("api", "raven"))
    chat = Organization(uuid="c", capabilities=("chat",))
    assert choose((api, mixed, chat), None) == chat
    assert choose((api, mixed), None) == mixed
    assert choose((api,), None) == api
    assert choose((api, mixed), "a") == api
    odd = Organization.model_validate({"uuid": "d", "capabilities": None})
    assert choose((api, odd), None) == odd


@pytest.mark.parametrize(
    ("tier", "billing", "seat", "expected"),
    [
        ("default_claude_pro", None, None, "Claude Pro"),
        ("default_claude_ai", "stripe_subscription", None, "Claude Pro"),
        ("default_claude_ai", None, None, None),
        ("default_raven", None, "team_standard", "Claude Team Standard"),
        ("claude_team", None, "team_tier_1", "Claude Team Premium"),
        ("default_claude_max_20x", None, "team_tier_1", "Claude Max 20x"),
    ],
)
def test_web_plans(tier: str, billing: str | None, seat: str | None, expected: str | None) -> None:
    organization = MemberOrganization(tier=tier, billing=billing)
    assert web_plan(Membership(seat_tier=seat, organization=organization)).text == expected


def test_owners_must_agree_and_not_contradict() -> None:
    assert Owner("A@x.test", "o1").same(Owner("a@x.test", None))
    assert Owner(None, "o1").same(Owner("a@x.test", "o1"))
    assert not Owner("a@x.test", "o1").same(Owner("a@x.test", "o2"))
    assert not Owner().same(Owner("a@x.test", "o1"))


@pytest.mark.parametrize(("email", "balance"), [("ada@lab.test", Decimal(4)), ("eve@lab.test", None)])
def test_web_extras_join_an_oauth_read_of_the_same_account(
    vendor: Any, read: Any, email: str, balance: Decimal | None
) -> None:
    api, site = vendor("api.anthropic.com"), vendor("claude.ai")
    api.get("/api/oauth/usage").answers(**USAGE)
    api.get("/api/oauth/profile", bearer="sk-ant-oat-demo").answers(account={"email": email})
    site.get("/api/organizations").answers_json([{"uuid": "o1"}])
    site.get("/api/account").answers(email_address="ada@lab.test")
    site.get("/api/organizations/o1/overage_spend_limit").fails(404)
    site.get("/api/organizations/o1/prepaid/credits").answers(amount=400, currency="USD")
    seen = read("claude", config={"cookieHeader": COOKIE}, QUOTALINE_CLAUDE_OAUTH_TOKEN="sk-ant-oat-demo")
    assert seen.source == "oauth"
    assert (seen.balance("prepaid").amount if seen.balances else None) == balance
