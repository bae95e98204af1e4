"""Ollama: the balance of a key, blocks of the settings page, pasted sessions, redirects."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from quotaline_providers.contract import Account
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    MissingCredential,
    RateLimited,
    ReadError,
    Unavailable,
)
from quotaline_providers.model import Usage
from quotaline_providers.secret import Secret
from quotaline_providers.testing import NOW, Read, Run
from quotaline_providers.vendors.ollama.credentials import account_session, has_session, pasted_session
from quotaline_providers.vendors.ollama.mapping import NOTE, account_usage, page_usage
from quotaline_providers.vendors.ollama.web import is_sign_in

HEAD = '<h2><span>Cloud Usage</span> <span class="b">max</span></h2><p id="header-email"> ada@lab.test </p>'
SESSION = (
    '<div><span>Session usage</span><span>7.5% used</span><i data-time="2030-01-02T15:00:00.250Z">3 hours</i></div>'
)
WEEKLY = '<div><span>Weekly usage</span><span>30 % Used</span><i data-time="2030-01-06T00:00:00Z">4 days</i></div>'
PAGE = HEAD + SESSION + WEEKLY


def page_of(html: str) -> Usage:
    return page_usage(html, NOW)


# --- the page --------------------------------------------------------------------------------------


def test_both_blocks_plan_and_address() -> None:
    usage = page_of(PAGE)
    session, weekly = usage.windows
    assert (session.id, session.used_percent, session.minutes, session.lane) == ("session", 7.5, 300, "primary")
    assert session.resets_at == datetime(2030, 1, 2, 15, 0, 0, 250_000, tzinfo=UTC)
    assert session.blocks
    assert weekly.blocks
    assert (weekly.id, weekly.used_percent, weekly.minutes, weekly.lane) == ("weekly", 30, 10080, "secondary")
    assert weekly.resets_at == datetime(2030, 1, 6, tzinfo=UTC)
    assert (usage.identity.login_method, usage.identity.email, usage.identity.organization) == (
        "max",
        "ada@lab.test",
        None,
    )


@pytest.mark.parametrize("words", ["40% used", "40%used", "40 %  USED", "40% Used"])
def test_spellings_of_used(words: str) -> None:
    assert page_of(f"Session usage <b>{words}</b>").window("session").used_percent == 40


def test_the_bars_width_is_the_last_resort() -> None:
    assert page_of('Weekly usage <div style="width: 12.25%">').window("weekly").used_percent == 12.25


def test_only_one_block() -> None:
    assert [window.id for window in page_of(SESSION).windows] == ["session"]
    assert [window.id for window in page_of(WEEKLY).windows] == ["weekly"]


def test_an_hourly_block_has_no_length() -> None:
    window = page_of("<b>Hourly usage</b> 5% used").window("session")
    assert (window.used_percent, window.minutes) == (5, None)
    assert page_of("Session usage: none. Hourly usage 6% used").window("session").used_percent == 6


def test_a_block_never_takes_the_other_blocks_reset() -> None:
    usage = page_of("Session usage 5% used " + WEEKLY)
    assert usage.window("session").resets_at is None
    assert usage.window("weekly").resets_at is not None


def test_a_reset_far_behind_belongs_to_its_block() -> None:
    near = f'Session usage 5% used {"x" * 3000}<i data-time="2030-01-02T15:00:00Z">'
    far = f'Session usage 5% used {"x" * 4100}<i data-time="2030-01-02T15:00:00Z">'
    assert page_of(near).window("session").resets_at is not None
    assert page_of(far).window("session").resets_at is None


def test_percentages_are_clamped() -> None:
    assert page_of("Session usage 180% used").window("session").used_percent == 100


def test_an_odd_header() -> None:
    usage = page_of('<span>Cloud Usage</span><span> </span><p id="header-email">nobody</p>' + SESSION)
    assert (usage.identity.login_method, usage.identity.email) == (None, None)


@pytest.mark.parametrize(
    "html",
    [
        '<h1>Sign in to Ollama</h1><form><input type="email">',
        "<h1>Log in to Ollama</h1><form action='/login'>",
        '<form><a href="/signin">x</a>',
        "<form><script>'/api/auth/signin'</script>",
        '<form><input name="email"><input type="password">',
    ],
)
def test_signed_out_pages(html: str) -> None:
    with pytest.raises(ExpiredCredential, match="signed in"):
        page_of(html)


@pytest.mark.parametrize(
    "html",
    [
        "<p>How to sign in to Ollama</p>",
        "<form><input type='email'>",
        '<a href="/signin">x</a>',
        "",
        "<form>sign in</form>",
    ],
)
def test_pages_without_usage_that_are_no_sign_in_page(html: str) -> None:
    with pytest.raises(BadResponse):
        page_of(html)


# --- sessions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("__Secure-session=x", True),
        ("a=b; wos-session=x", True),
        ("next-auth.session-token.0=x; next-auth.session-token.1=y", True),
        ("session=x", True),
        ("Session=x", False),
        ("__secure-session=x", False),
        ("_ga=1; theme=dark", False),
        ("session.x=1", False),
    ],
)
def test_which_cookies_are_a_session(header: str, found: bool) -> None:
    assert has_session(header) is found


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("session=x; x-cookie:y", "session=x; x-cookie:y"),
        ("Cookie: a=b; session=x", "a=b; session=x"),
        ("curl https://x.test -b'session=x'", "session=x"),
        ("curl https://x.test -H Cookie:session=x", "session=x"),
        ("curl https://x.test \\\n -H 'cookie: a=b; ollama_session=x'", "a=b; ollama_session=x"),
        ("abc", "__Secure-session=abc"),
        ("abc==", "__Secure-session=abc=="),
        ("a=b", None),
        ("a=b; c=d", None),
        ("", None),
    ],
)
def test_pasted_headers(text: str, header: str | None) -> None:
    assert pasted_session(text) == header


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("abc", "__Secure-session=abc"),
        ("abc==", "__Secure-session=abc=="),
        ("foo=bar", "__Secure-session=foo=bar"),
        ("__SECURE-SESSION=x; a=b", "__Secure-session=x; a=b"),
        ("a=b; __secure-session=x", "a=b; __Secure-session=x"),
        ("wos-session=x", "wos-session=x"),
        ("a=b; c=d", "a=b; c=d"),
        ("Cookie: session=x", "session=x"),
        ("curl https://x.test -b'session=x'", "session=x"),
        ("a=b\nX-Other: 1", None),
        (" ", None),
    ],
)
def test_account_tokens(text: str, header: str | None) -> None:
    assert account_session(text) == header


# --- reading the page ------------------------------------------------------------------------------


@pytest.fixture
def site(vendor: Any) -> Any:
    return vendor("ollama.com")


def test_the_page_is_asked_as_a_browser_does(site: Any, read: Read) -> None:
    headers = {
        "origin": "https://ollama.com",
        "referer": "https://ollama.com/settings",
        "accept-language": "en-US,en;q=0.9",
    }
    site.get("/settings", cookie="a=b; session=x", headers=headers).answers_text(f"<html>{PAGE}")
    usage = read("ollama", config={"cookieHeader": "a=b; session=x"})
    assert (usage.source, len(usage.windows)) == ("web", 2)


def test_the_environments_cookie_and_an_accounts(site: Any, read: Read) -> None:
    one = site.get("/settings", cookie="session=x").answers_text(PAGE)
    two = site.get("/settings", cookie="__Secure-session=mine").answers_text(PAGE)
    read("ollama", OLLAMA_SESSION_COOKIE="session=x")
    read("ollama", account=Account("Work", Secret("mine")), OLLAMA_SESSION_COOKIE="session=x", OLLAMA_API_KEY="k")
    assert (one.count, two.count) == (1, 1)


@pytest.mark.parametrize("config", [{"cookieHeader": "_ga=1"}, {"cookieSource": "manual"}, {"cookieHeader": "a=b\nc"}])
def test_no_session_cookie(simulator: Any, read: Read, config: dict[str, str]) -> None:
    with pytest.raises(MissingCredential) as seen:
        read("ollama", config=config, source="web", OLLAMA_SESSION_COOKIE="session=x")
    assert "ollama.com" in seen.value.hint


@pytest.mark.parametrize(
    ("status", "kind"), [(401, ExpiredCredential), (403, ExpiredCredential), (404, BadResponse), (502, Unavailable)]
)
def test_refusals_of_the_page(site: Any, read: Read, status: int, kind: type[ReadError]) -> None:
    site.get("/settings").fails(status)
    with pytest.raises(kind):
        read("ollama", config={"cookieHeader": "session=x"})


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://ollama.com/signin", True),
        ("https://www.ollama.com/signin/", True),
        ("https://signin.ollama.com/", True),
        ("https://api.workos.com/user_management/authorize?x=y", True),
        ("https://api.workos.com/other", False),
        ("https://ollama.com/settings", False),
        ("http://ollama.com/signin", False),
        ("https://ollama.com.evil.test/signin", False),
    ],
)
def test_which_addresses_ask_to_sign_in(url: str, found: bool) -> None:
    assert is_sign_in(url) is found


@pytest.mark.parametrize("target", ["https://signin.ollama.com/x", "https://api.workos.com/user_management/authorize"])
def test_a_redirect_to_the_sign_in_page_ends_the_session(site: Any, read: Read, target: str) -> None:
    site.get("/settings").redirects(target)
    with pytest.raises(ExpiredCredential):
        read("ollama", config={"cookieHeader": "session=x"})


def test_the_sign_in_page_of_the_same_host(site: Any, read: Read) -> None:
    site.get("/settings").redirects("/signin")
    site.get("/signin").answers_text("<p>welcome</p>")
    with pytest.raises(ExpiredCredential):
        read("ollama", config={"cookieHeader": "session=x"})


def test_the_cookie_goes_only_to_ollamas_own_hosts(site: Any, vendor: Any, read: Read) -> None:
    site.get("/settings").redirects("https://www.ollama.com/settings")
    own = {"referer": "https://ollama.com/settings"}
    vendor("www.ollama.com").get("/settings", cookie="session=x", headers=own).redirects(
        "https://ollama.com.evil.test/s"
    )
    evil = vendor("ollama.com.evil.test").get("/s", headers={"cookie": None}).answers_text(PAGE)
    assert read("ollama", config={"cookieHeader": "session=x"}).windows
    assert evil.count == 1


def test_plain_http_is_not_followed(site: Any, read: Read) -> None:
    site.get("/settings").redirects("http://ollama.com/settings")
    with pytest.raises(BadResponse):
        read("ollama", config={"cookieHeader": "session=x"})


# --- the balance of a key --------------------------------------------------------------------------

PERIOD = {"from": "2029-12-20T04:00:00Z", "until": "2030-01-20T04:00:00Z"}


def credit_plan(left: object = 18, allowance: object = 24, **others: object) -> dict[str, object]:
    return {"balance_usd": left, "allowance_usd": allowance, "period": PERIOD} | others


@pytest.fixture
def balance(site: Any) -> Any:
    site.post("/api/me").fails(500)
    return site.get("/api/balance", bearer="k", query={})


def test_a_credit_plan_is_a_month(balance: Any, read: Read) -> None:
    balance.answers(included=credit_plan(), purchased={"balance_usd": 12.5})
    usage = read("ollama", OLLAMA_API_KEY=" 'k' ")
    (month,) = usage.windows
    assert (month.id, month.label, month.lane, month.used_percent, month.blocks) == (
        "monthly",
        "Monthly",
        "primary",
        25,
        True,
    )
    assert (month.used, month.limit, month.unit, month.minutes) == (6, 24, "USD", 31 * 1440)
    assert month.resets_at == datetime(2030, 1, 20, 4, tzinfo=UTC)
    assert month.description == "$6.00 / $24.00"
    assert usage.balance("purchased").amount == Decimal("12.5")
    assert (usage.identity.plan, usage.notes, usage.source) == (None, (), "api")


@pytest.mark.parametrize(("left", "percent"), [(0, 100), ("-1", 100), (30, 0), ("18.00", 25)])
def test_what_is_left_of_the_month(balance: Any, read: Read, left: object, percent: float) -> None:
    balance.answers(included=credit_plan(left, "24"), purchased=None)
    usage = read("ollama", OLLAMA_API_KEY="k")
    assert usage.window("monthly").used_percent == percent
    assert usage.balances == ()


def test_an_older_plan_has_a_session_and_a_week(balance: Any, read: Read) -> None:
    session = {"remaining_percent": "62", "resets_at": "2030-01-02T15:00:00Z"}
    weekly = {"remaining_percent": 90.5, "resets_at": "2030-01-06T00:00:00Z"}
    balance.answers(included={"session": session, "weekly": weekly}, purchased={"balance_usd": 0})
    usage = read("ollama", OLLAMA_API_KEY="k")
    assert [(window.id, window.lane, window.used_percent, window.minutes) for window in usage.windows] == [
        ("session", "primary", 38, 300),
        ("weekly", "secondary", 9.5, 10080),
    ]
    assert usage.window("weekly").resets_at == datetime(2030, 1, 6, tzinfo=UTC)
    assert usage.balance("purchased").amount == 0


def test_a_week_alone_stays_in_its_slot(balance: Any, read: Read) -> None:
    balance.answers(included={"session": {"resets_at": 5}, "weekly": {"remaining_percent": 110}})
    usage = read("ollama", OLLAMA_API_KEY="k")
    assert [(window.id, window.lane, window.used_percent) for window in usage.windows] == [("weekly", "secondary", 0)]


@pytest.mark.parametrize("included", [None, {}, credit_plan(allowance=0), credit_plan(left=None), "none"])
def test_bought_credits_without_a_limit(balance: Any, read: Read, included: object) -> None:
    balance.answers(included=included, purchased={"balance_usd": "7.5"})
    usage = read("ollama", OLLAMA_API_KEY="k")
    assert (usage.windows, usage.balance("purchased").amount) == ((), Decimal("7.5"))
    assert usage.limits_unavailable
    assert usage.notes


def test_the_account_adds_its_plan_to_the_balance(site: Any, read: Read) -> None:
    site.get("/api/balance").answers(included=credit_plan())
    site.post("/api/me", bearer="k").answers(Email="ada@lab.test", Plan="pro", session_usage=99)
    usage = read("ollama", OLLAMA_API_KEY="k")
    assert (usage.identity.email, usage.identity.plan) == ("ada@lab.test", "pro")
    assert [window.id for window in usage.windows] == ["monthly"]


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, ExpiredCredential, "revoked"),
        (403, Forbidden, "accepts the API key"),
        (400, BadResponse, "HTTP 400"),
        (502, Unavailable, "HTTP 502"),
    ],
)
def test_refusals_of_the_balance(balance: Any, read: Read, status: int, kind: type[ReadError], words: str) -> None:
    balance.fails(status)
    with pytest.raises(kind, match=words):
        read("ollama", OLLAMA_API_KEY="k")


def test_the_wait_that_the_balance_asks_for(balance: Any, read: Read) -> None:
    balance.fails(429, headers={"Retry-After": "45"})
    with pytest.raises(RateLimited) as seen:
        read("ollama", OLLAMA_API_KEY="k")
    assert seen.value.until == NOW + timedelta(seconds=45)


@pytest.mark.parametrize("body", ["{}", '{"included": null, "purchased": 3}', "[]", "<html>", ""])
def test_balances_that_cannot_be_understood(balance: Any, read: Read, body: str) -> None:
    balance.answers_text(body)
    with pytest.raises(BadResponse):
        read("ollama", OLLAMA_API_KEY="k")


# --- a key and a cookie ----------------------------------------------------------------------------

BOTH = {"cookieHeader": "session=x"}


def test_with_a_key_the_page_is_not_asked(balance: Any, site: Any, read: Read) -> None:
    balance.answers(included=credit_plan())
    assert read("ollama", config=BOTH, OLLAMA_API_KEY="k").source == "api"


def test_a_key_that_shows_no_limit_leaves_it_to_the_page(balance: Any, site: Any, read: Read) -> None:
    balance.answers(included=None, purchased={"balance_usd": 3})
    site.get("/settings").answers_text(PAGE)
    usage = read("ollama", config=BOTH, OLLAMA_API_KEY="k")
    assert (usage.source, len(usage.windows)) == ("web", 2)
    assert usage.balance("purchased").amount == 3
    assert read("ollama", config=BOTH, source="api", OLLAMA_API_KEY="k").windows == ()


def test_a_page_without_usage_leaves_what_the_key_told(balance: Any, site: Any, read: Read) -> None:
    balance.answers(included=None, purchased={"balance_usd": 3})
    site.get("/settings").answers_text("<p>nothing</p>")
    assert read("ollama", config=BOTH, OLLAMA_API_KEY="k").source == "api"


def test_any_failure_of_the_key_falls_to_the_page(balance: Any, site: Any, outcome: Run) -> None:
    balance.fails(401)
    page = site.get("/settings").answers_text(PAGE).answers_text("<p>nothing</p>")
    seen = outcome("ollama", config=BOTH, OLLAMA_API_KEY="k")
    assert [attempt.source for attempt in seen.attempts] == ["api", "web"]
    assert seen.usage is not None
    assert isinstance(outcome("ollama", config=BOTH).error, BadResponse)
    assert page.count == 2


def test_a_page_without_usage_tells_that_a_key_shows_it(site: Any, read: Read) -> None:
    site.get("/settings").answers_text("<p>Monthly usage</p>")
    with pytest.raises(BadResponse) as seen:
        read("ollama", config=BOTH)
    assert "OLLAMA_API_KEY" in seen.value.hint


# --- a key where the balance is not known ----------------------------------------------------------


def key_accepted(site: Any, status: int = 400, key: str = "k") -> None:
    site.get("/api/balance", bearer=key).fails(404)
    site.post("/api/web_search", bearer=key, json={"query": ""}).fails(status)
    site.get("/api/tags", bearer=key).answers(models=[{"name": "tiny:1b"}])


@pytest.mark.parametrize("status", [200, 400])
def test_a_key_proves_access_and_shows_no_bars(site: Any, read: Read, status: int) -> None:
    key_accepted(site, status)
    site.post("/api/me").fails(404)
    usage = read("ollama", OLLAMA_API_KEY=" 'k' ")
    assert (usage.windows, usage.identity.login_method, usage.source) == ((), "API key", "api")
    assert usage.notes == (NOTE,)


def test_the_keys_order(site: Any, read: Read) -> None:
    site.post("/api/me").fails(500)
    key_accepted(site)
    read("ollama", config={"apiKey": "k"}, OLLAMA_API_KEY="other", OLLAMA_KEY="third")
    read("ollama", OLLAMA_API_KEY="k", OLLAMA_KEY="third")
    read("ollama", OLLAMA_API_KEY=" ", OLLAMA_KEY="k")


def test_the_account_of_a_key(site: Any, read: Read) -> None:
    key_accepted(site)
    ends = {"Time": "2030-02-01T00:00:00Z", "Valid": True}
    site.post("/api/me", bearer="k").answers(ID="u7", Email="ada@lab.test", Plan="pro", SubscriptionPeriodEnd=ends)
    usage = read("ollama", OLLAMA_API_KEY="k")
    assert (usage.identity.email, usage.identity.login_method, usage.identity.account_id) == (
        "ada@lab.test",
        "pro",
        "u7",
    )
    assert usage.row("Billing period ends").value == "2030-02-01"


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_not_accepted(site: Any, read: Read, status: int) -> None:
    site.post("/api/me").fails(500)
    site.get("/api/balance").fails(404)
    site.post("/api/web_search").fails(status)
    with pytest.raises(ExpiredCredential):
        read("ollama", OLLAMA_API_KEY="k")


def test_an_unreadable_catalogue(site: Any, read: Read) -> None:
    site.post("/api/me").fails(500)
    site.get("/api/balance").fails(404)
    site.post("/api/web_search").fails(400)
    site.get("/api/tags").answers(error="none")
    with pytest.raises(BadResponse):
        read("ollama", OLLAMA_API_KEY="k")


def test_cookies_can_be_off(site: Any, read: Read) -> None:
    key_accepted(site)
    site.post("/api/me").fails(500)
    config = {"cookieHeader": "session=x", "cookieSource": "off"}
    assert read("ollama", config=config, OLLAMA_API_KEY="k").source == "api"


@pytest.mark.parametrize(
    ("me", "percents"),
    [
        ({"session_usage": 12, "weekly_usage": "40%"}, [12, 40]),
        ({"Usage": {"usage-5h": {"pct": "7"}, "Daily_Usage": {"used": 1, "limit": 4}}}, [7, 25]),
        ({"cloud_usage": {"FiveHourUsage": {"remaining": 1, "max": 10}}}, [90]),
        ({"quota": {"usagefivehour": {"value": 30, "max": 20}}}, [100]),
        ({"session_usage": {"limit": 0, "used": 1}, "weekly_usage": []}, []),
        ({"session_usage": {"used": 1}}, []),
        ([], []),
        ("x", []),
    ],
)
def test_windows_an_account_may_tell(me: object, percents: list[float]) -> None:
    windows = account_usage(me, NOW).windows
    assert [window.used_percent for window in windows] == percents
    assert all(window.blocks for window in windows)


@pytest.mark.parametrize(
    ("reset", "time"),
    [
        ({"reset_at": "2030-01-03T00:00:00Z"}, datetime(2030, 1, 3, tzinfo=UTC)),
        ({"seconds_to_reset": 90}, NOW + timedelta(seconds=90)),
        ({"reset_in": -1}, None),
        ({}, None),
    ],
)
def test_resets_an_account_may_tell(reset: dict[str, object], time: datetime | None) -> None:
    usage = account_usage({"session_usage": {"percent": 5} | reset}, NOW)
    assert usage.window("session").resets_at == time
    assert usage.notes == ()


def test_a_null_object_that_is_not_valid_is_absent() -> None:
    me = {"Plan": {"String": "pro", "Valid": False}, "Email": {"String": "a@b.test", "Valid": True}}
    usage = account_usage(me, NOW)
    assert (usage.identity.login_method, usage.identity.email) == ("API key", "a@b.test")
