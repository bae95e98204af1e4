"""Amp: what its texts and its page say, windows and resets, the three ways in and what falls through between them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    MissingCredential,
    MissingProgram,
    ReadError,
    TimedOut,
    Unavailable,
)
from quotaline_providers.model import Usage
from quotaline_providers.testing import NOW, Read, Run
from quotaline_providers.vendors.amp import cli
from quotaline_providers.vendors.amp.credentials import session_pairs, token_in
from quotaline_providers.vendors.amp.mapping import months_later, next_daily_reset, to_usage
from quotaline_providers.vendors.amp.payloads import parse_display, parse_page
from quotaline_providers.vendors.amp.web import is_sign_in

OWNER = "Signed in as ada@lab.test (Lab)"
FREE = "Amp Free: $7.50/$10 remaining (replenishes +$0.5/hour)"
DAILY = "Amp Free: 60% remaining today (resets daily) - https://ampcode.com/settings#amp-free"
PAGE = "<script>a={freeTierUsage:{bucket:'x',quota:500,hourlyReplenishment:25,windowHours:24,used:125}}</script>"


def usage_of(*lines: str, now: datetime = NOW) -> Usage:
    return to_usage(parse_display("\n".join(lines)), now)


def page_of(html: str) -> Usage:
    return to_usage(parse_page(html), NOW)


# --- the free allowance ----------------------------------------------------------------------------


def test_dollars_left_and_when_they_are_full_again() -> None:
    usage = usage_of(OWNER, FREE)
    window = usage.window("amp-free")
    assert (window.used_percent, window.minutes, window.lane, window.label) == (25, 1200, "primary", "Amp Free")
    assert window.resets_at == NOW + timedelta(hours=5)
    assert (usage.identity.email, usage.identity.organization, usage.identity.login_method) == (
        "ada@lab.test",
        "Lab",
        "Amp Free",
    )
    assert [(row.label, row.value) for row in usage.details[0].rows] == [
        ("Remaining", "$7.50 of $10.00"),
        ("Replenishes", "$0.50/hour"),
    ]


def test_a_percentage_with_its_daily_reset() -> None:
    window = usage_of(OWNER, DAILY).window("amp-free")
    assert (window.used_percent, window.minutes, window.description) == (40, 1440, "resets daily")
    assert window.blocks
    assert window.resets_at == datetime(2030, 1, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("line", ["Amp Free: 60% remaining", "amp free:  60% REMAINING today"])
def test_a_percentage_without_the_bracket_has_no_reset(line: str) -> None:
    window = usage_of(OWNER, line).window("amp-free")
    assert (window.used_percent, window.minutes, window.resets_at) == (40, 1440, None)


def test_dollars_win_over_a_percentage() -> None:
    assert usage_of(OWNER, DAILY, FREE).window("amp-free").used_percent == 25


@pytest.mark.parametrize(
    ("line", "percent"),
    [
        ("Amp Free: $12/$10 remaining (replenishes +$1/hour)", 0),
        ("Amp Free: 5/20 remaining", 75),
        ("Amp Free: $1,500.00/$2,000 remaining", 25),
        ("Amp Free: $0/$0 remaining", 0),
        ("Amp Free: 140% remaining", 0),
        ("Amp Free: $.5/$1 remaining", 50),
    ],
)
def test_spellings_of_amounts(line: str, percent: float) -> None:
    assert usage_of(OWNER, line).window("amp-free").used_percent == percent


@pytest.mark.parametrize("line", ["Amp Free: $2/$4 remaining", "Amp Free: $2/$4 remaining (replenishes +$0/hour)"])
def test_without_a_rate_there_is_a_window_without_reset(line: str) -> None:
    window = usage_of(OWNER, line).window("amp-free")
    assert (window.used_percent, window.resets_at, window.minutes) == (50, None, None)


@pytest.mark.parametrize(
    ("now", "reset"),
    [
        (datetime(2030, 1, 3, 0, 59, 59, tzinfo=UTC), datetime(2030, 1, 3, 1, tzinfo=UTC)),
        (datetime(2030, 1, 3, 1, tzinfo=UTC), datetime(2030, 1, 4, 1, tzinfo=UTC)),
        (datetime(2030, 1, 3, 1, 0, 1, tzinfo=UTC), datetime(2030, 1, 4, 1, tzinfo=UTC)),
        (datetime(2030, 7, 3, 23, 59, tzinfo=UTC), datetime(2030, 7, 4, 0, tzinfo=UTC)),
        (datetime(2030, 7, 4, 0, tzinfo=UTC), datetime(2030, 7, 5, 0, tzinfo=UTC)),
        (datetime(2030, 3, 10, 1, 30, tzinfo=UTC), datetime(2030, 3, 11, 0, tzinfo=UTC)),
        (datetime(2030, 11, 3, 0, 30, tzinfo=UTC), datetime(2030, 11, 4, 1, tzinfo=UTC)),
    ],
)
def test_the_daily_reset_is_eight_in_the_evening_in_new_york(now: datetime, reset: datetime) -> None:
    assert next_daily_reset(now) == reset


# --- subscriptions and credits ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "line", ["Subscription Gigawatt: {}", "Amp Gigawatt Subscription: {}", " amp Gigawatt subscription: {}"]
)
@pytest.mark.parametrize("link", ["", " - https://ampcode.com/settings"])
@pytest.mark.parametrize(
    ("left", "reset", "text"),
    [
        ("12 days", NOW + timedelta(days=12), "renews in 12 days"),
        ("1 day", NOW + timedelta(days=1), "renews in 1 day"),
        ("1 month", datetime(2030, 2, 2, 12, tzinfo=UTC), "renews in 1 month"),
        ("13 months", datetime(2031, 2, 2, 12, tzinfo=UTC), "renews in 13 months"),
    ],
)
def test_a_subscriptions_pools(line: str, link: str, left: str, reset: datetime, text: str) -> None:
    tail = f"0% other usage and 100% orb usage remaining - resets upon renewal in {left}{link}"
    usage = usage_of(OWNER, line.format(tail), DAILY)
    other, orb, free = usage.windows
    assert (other.id, other.used_percent, other.lane, other.minutes) == ("other", 100, "primary", 43200)
    assert (orb.id, orb.used_percent, orb.lane) == ("orb", 0, "secondary")
    assert (other.resets_at, other.description) == (reset, text)
    assert (free.id, free.label, free.lane) == ("amp-free", "Amp Free", None)
    assert [window.blocks for window in usage.windows] == [True, False, False]
    assert usage.identity.login_method == "Gigawatt"


TIER = "Amp Megawatt Tier: agent usage $1.40 of $20 remaining (7%)"
ORB = ", orb usage 600.5h of 750h a1.small orb hours remaining (80%)"
PERIOD = " - period 2029-12-20 to 2030-01-20"
RENEWAL = ", resets upon renewal in 18 days"


@pytest.mark.parametrize("link", ["", " - https://ampcode.com/settings", " [+10% bonus for 3 more days]"])
def test_a_tier_has_exact_amounts_and_its_period(link: str) -> None:
    usage = usage_of(OWNER, TIER + ORB + PERIOD + RENEWAL + link, DAILY)
    agent, orb, free = usage.windows
    assert (agent.id, agent.label, agent.lane, agent.minutes) == ("agent", "Agent usage", "primary", 31 * 1440)
    assert agent.used_percent == pytest.approx(93)
    assert agent.used == pytest.approx(18.6)
    assert (agent.limit, agent.unit) == (20, "USD")
    assert agent.resets_at == datetime(2030, 1, 20, tzinfo=UTC)
    assert (orb.id, orb.label, orb.lane) == ("orb", "Orb usage", "secondary")
    assert orb.used_percent == pytest.approx(19.9333, abs=0.001)
    assert (orb.used, orb.limit, orb.unit, orb.resets_at) == (149.5, 750, "hours", agent.resets_at)
    assert (free.id, free.lane) == ("amp-free", None)
    assert [window.blocks for window in usage.windows] == [True, False, False]
    assert usage.identity.plan == "Megawatt"


@pytest.mark.parametrize("line", [TIER, f"**{TIER.partition(':')[0]}:**{TIER.partition(':')[2]}", TIER.lower()])
def test_a_tier_without_orb_period_and_renewal(line: str) -> None:
    (window,) = usage_of(OWNER, line).windows
    assert (window.id, window.minutes, window.resets_at, window.description) == ("agent", None, None, None)
    assert window.used_percent == pytest.approx(93)


def test_a_tier_without_a_period_renews_later() -> None:
    agent, orb = usage_of(OWNER, TIER + ORB + ", resets upon renewal in 2 months").windows
    assert (agent.minutes, agent.resets_at) == (None, datetime(2030, 3, 2, 12, tzinfo=UTC))
    assert (orb.resets_at, orb.description) == (agent.resets_at, "renews in 2 months")


@pytest.mark.parametrize("period", [" - period 2030-02-01 to 2030-01-01", " - period 2030-02-30 to 2030-03-30"])
def test_a_period_that_is_none_leaves_the_renewal(period: str) -> None:
    (window,) = usage_of(OWNER, TIER + period + RENEWAL).windows
    assert (window.minutes, window.resets_at) == (None, NOW + timedelta(days=18))


@pytest.mark.parametrize(
    ("amounts", "percents"),
    [("$0 of $20 remaining (0%)", [100]), ("$0 of $0 remaining (40%)", [60]), ("$0 of $0 remaining", [])],
)
def test_a_tier_of_nothing(amounts: str, percents: list[float]) -> None:
    windows = usage_of(OWNER, f"Amp Kilowatt Tier: agent usage {amounts}").windows
    assert [window.used_percent for window in windows] == percents


def test_a_tier_goes_before_a_subscription() -> None:
    tail = "0% other usage and 100% orb usage remaining - resets upon renewal in 1 day"
    usage = usage_of(OWNER, f"Amp Gigawatt Subscription: {tail}", TIER)
    assert [window.id for window in usage.windows] == ["agent"]
    assert usage.identity.plan == "Megawatt"


def test_labels_may_be_bold() -> None:
    usage = usage_of(OWNER, "**Amp Free:** 45% remaining today (resets daily)", "**Individual credits:** $3 remaining")
    assert usage.window("amp-free").used_percent == pytest.approx(55)
    assert usage.balance("individual").amount == 3


def test_a_subscription_with_more_behind_it_is_not_understood() -> None:
    tail = "8% other usage and 9% orb usage remaining - resets upon renewal in 2 days or so"
    with pytest.raises(BadResponse):
        usage_of(OWNER, f"Subscription Mega: {tail}")


def test_months_end_at_the_last_day() -> None:
    assert months_later(datetime(2031, 1, 31, tzinfo=UTC), 1) == datetime(2031, 2, 28, tzinfo=UTC)
    assert months_later(NOW, 999_999) is None


def test_credits_alone_give_rows_and_no_window() -> None:
    usage = usage_of(
        OWNER,
        "Individual credits: $2,020.5 remaining (some hint) - https://ampcode.com/settings",
        "Workspace Red Team: $3 remaining",
        "Workspace ops: 4.25 remaining",
    )
    assert usage.windows == ()
    assert usage.identity.login_method == "Amp"
    assert [(row.label, row.value) for row in usage.details[0].rows] == [
        ("Individual credits", "$2,020.50"),
        ("Workspace Red Team", "$3.00"),
        ("Workspace ops", "$4.25"),
    ]
    assert usage.balance("individual").amount == Decimal("2020.5")


def test_workspaces_alone() -> None:
    usage = usage_of(OWNER, "Workspace Solo: $0 remaining")
    assert (usage.windows, usage.row("Workspace Solo").value) == ((), "$0.00")


# --- whose it is -----------------------------------------------------------------------------------


def test_a_dimmed_identity_line() -> None:
    assert usage_of(f"\x1b[2m{OWNER}\x1b[22m", FREE).identity.email == "ada@lab.test"


@pytest.mark.parametrize(
    ("line", "email", "organization"),
    [
        ("Signed in as ada@login.test (Log in Ltd)", "ada@login.test", "Log in Ltd"),
        ("Signed in as ada@lab.test", "ada@lab.test", None),
        ("signed in as ada@lab.test(Lab)", "ada@lab.test", "Lab"),
    ],
)
def test_identity_lines(line: str, email: str, organization: str | None) -> None:
    usage = usage_of(line, FREE)
    assert (usage.identity.email, usage.identity.organization) == (email, organization)


@pytest.mark.parametrize("text", ["Please sign in", "You must LOG IN first", "Run amp login"])
def test_without_an_identity_line_login_words_mean_signed_out(text: str) -> None:
    with pytest.raises(ExpiredCredential):
        parse_display(f"{text}\n{FREE}")


@pytest.mark.parametrize("text", ["amp: pedal simulator 1.0", OWNER, "Amp Free: soon"])
def test_texts_without_balances(text: str) -> None:
    with pytest.raises(BadResponse):
        parse_display(text)


def test_hostile_texts_cost_no_time() -> None:
    with pytest.raises(BadResponse):
        parse_display("Workspace " + " " * 200_000 + "\nSubscription " + "a " * 100_000 + "\nAmp Free: " + "9" * 9999)
    with pytest.raises(BadResponse):
        parse_display(("Amp" + "\t" * 490 + "\n") * 10_000)


# --- the settings page -----------------------------------------------------------------------------


def test_the_pages_literal() -> None:
    usage = page_of(PAGE)
    window = usage.window("amp-free")
    assert (window.used_percent, window.minutes, window.resets_at) == (25, 1440, NOW + timedelta(hours=5))
    assert (usage.identity.login_method, usage.identity.email) == ("Amp Free", None)


def test_a_literal_under_a_quoted_path_and_a_brace_in_a_string() -> None:
    html = '{"a1/getFreeTierUsage/":{note:"}\\"{",used:9,"quota":3,hourlyReplenishment:1},quota:7}'
    window = page_of(html).window("amp-free")
    assert (window.used_percent, window.minutes) == (100, None)


def test_whole_words_only() -> None:
    with pytest.raises(BadResponse):
        page_of("freeTierUsage:{myquota:5,used_up:1,hourlyReplenishment:1}")


@pytest.mark.parametrize(
    ("html", "kind"),
    [
        ("<h1>Sign in to Amp</h1>", ExpiredCredential),
        ("<a href='/login'>x</a>", ExpiredCredential),
        ("<p>nothing</p>", BadResponse),
        ("freeTierUsage:{quota:5,used:1", BadResponse),
        ("freeTierUsage:{quota:5,used:-1,hourlyReplenishment:1}", BadResponse),
    ],
)
def test_pages_without_usage(html: str, kind: type[ReadError]) -> None:
    with pytest.raises(kind):
        parse_page(html)


# --- the program -----------------------------------------------------------------------------------


def test_the_program_is_asked_first(program: Any, read: Read) -> None:
    checks = "import os, sys\nassert os.environ['NO_COLOR'] == '1' and sys.stdin.read() == ''"
    program("amp", f"{checks}\nif sys.argv[1:] == ['usage']: print({OWNER!r}, {FREE!r}, sep='\\n')")
    usage = read("amp", AMP_API_KEY="k")
    assert (usage.source, usage.window("amp-free").used_percent) == ("cli", 25)


def test_a_named_program_and_its_standard_error(program: Any, read: Read) -> None:
    path = program("other", f"import sys\nprint(' ')\nprint('''{OWNER}\n{FREE}''', file=sys.stderr)")
    assert read("amp", AMP_CLI_PATH=str(path)).window("amp-free").used_percent == 25


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (f"print('''{FREE}'''); raise SystemExit(3)", Unavailable),
        ("", BadResponse),
        ("print('volume up')", BadResponse),
        ("print('Please log in')", ExpiredCredential),
        ("import time; time.sleep(30)", TimedOut),
    ],
)
def test_a_failing_program_falls_through_unless_it_was_chosen(
    program: Any, outcome: Run, monkeypatch: pytest.MonkeyPatch, script: str, kind: type[ReadError]
) -> None:
    monkeypatch.setattr(cli, "SECONDS", 1.0)
    program("amp", script)
    assert isinstance(outcome("amp", source="cli").error, kind)
    assert [attempt.source for attempt in outcome("amp").attempts] == ["cli", "api", "web"]


def test_without_a_program(simulator: Any, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingProgram):
        read("amp", source="cli")


# --- the service -----------------------------------------------------------------------------------


@pytest.fixture
def site(vendor: Any) -> Any:
    return vendor("ampcode.com")


def balance(site: Any, **expectations: Any) -> Any:
    body = {"method": "userDisplayBalanceInfo", "params": {}}
    return site.post("/api/internal?userDisplayBalanceInfo=", json=body, **expectations)


def test_a_token_asks_the_service(site: Any, read: Read) -> None:
    expected = {"accept": "application/json", "content-type": "application/json", "cookie": None}
    balance(site, bearer="k", headers=expected).answers(ok=True, result={"displayText": f"{OWNER}\n{DAILY}"})
    usage = read("amp", AMP_API_KEY=" 'k' ")
    assert (usage.source, usage.window("amp-free").used_percent) == ("api", 40)


def test_the_tokens_order(site: Any, read: Read, home: Path) -> None:
    names = ("config", "env", "file")
    text = {"displayText": f"{OWNER}\n{FREE}"}
    routes = {name: balance(site, bearer=name).answers(ok=True, result=text) for name in names}
    path = home / ".local/share/amp/secrets.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"apiKey@https://other.test/": "wrong", "apiKey@https://ampcode.com/": "file"}))
    read("amp", config={"apiKey": "config"}, AMP_API_KEY="env")
    read("amp", AMP_API_KEY="env")
    read("amp", AMP_API_KEY="''")
    assert [routes[name].count for name in names] == [1, 1, 1]


@pytest.mark.parametrize(
    "text", ["{}", "[]", '{"apiKey@https://other.test/": "k"}', '{"apiKey@https://ampcode.com/": 7}']
)
def test_secrets_files_without_a_token(text: str) -> None:
    assert token_in(text) is None


@pytest.mark.parametrize("text", ["{", '{"apiKey@https://other.test/": "k"}'])
def test_an_unusable_secrets_file_is_no_token(simulator: Any, read: Read, home: Path, text: str) -> None:
    path = home / ".local/share/amp/secrets.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(MissingCredential):
        read("amp", source="api")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"ok": False, "error": {"code": "auth-required", "message": "no"}}, ExpiredCredential),
        ({"ok": False, "error": {"code": "busy", "message": "https://later.test/?key=abc"}}, BadResponse),
        ({"result": {"displayText": FREE}}, BadResponse),
        ({"ok": True, "result": {"displayText": " "}}, BadResponse),
        ({"ok": True, "result": None}, BadResponse),
        ([], BadResponse),
    ],
)
def test_answers_without_balances(site: Any, read: Read, answer: object, kind: type[ReadError]) -> None:
    balance(site).answers_json(answer)
    with pytest.raises(kind) as seen:
        read("amp", AMP_API_KEY="k")
    assert "later" not in seen.value.message


def test_the_services_own_words_are_told(site: Any, read: Read) -> None:
    words = "Balance service is down for 5 minutes"
    balance(site).answers(ok=False, error={"code": "busy", "message": words})
    with pytest.raises(Unavailable, match=words):
        read("amp", AMP_API_KEY="k")


def test_a_secrets_file_may_name_the_site_without_a_slash() -> None:
    assert token_in('{"apiKey@https://ampcode.com": "k", "apiKey@https://ampcode.com.evil.test": "x"}') == "k"


@pytest.mark.parametrize("target", ["https://elsewhere.test/", "https://ampcode.com/moved"])
def test_a_redirect_is_no_answer(site: Any, read: Read, target: str) -> None:
    balance(site).redirects(target, status=307)
    site.post("/moved").answers(ok=True, result={"displayText": FREE})
    with pytest.raises(BadResponse):
        read("amp", AMP_API_KEY="k")


# --- the web page ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pasted", ["a=1; session=s1; b=2", "Cookie: session=s1", "curl https://ampcode.com -H 'Cookie: x=y; session=s1'"]
)
def test_only_the_session_is_sent(site: Any, read: Read, pasted: str) -> None:
    headers = {"origin": "https://ampcode.com", "referer": "https://ampcode.com/settings"}
    site.get("/settings", cookie="session=s1", headers=headers).answers_text(PAGE)
    usage = read("amp", config={"cookieHeader": pasted})
    assert (usage.source, usage.window("amp-free").used_percent) == ("web", 25)


@pytest.mark.parametrize("pasted", ["a=1", "xsession=s1", "Session=s1", "s1", ""])
def test_without_a_session_the_page_is_not_asked(pasted: str) -> None:
    assert session_pairs(pasted) is None


def test_cookies_can_be_off(simulator: Any, read: Read) -> None:
    with pytest.raises(MissingCredential):
        read("amp", source="web", config={"cookieHeader": "session=s1", "cookieSource": "off"})


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://ampcode.com/login", True),
        ("http://www.ampcode.com/x/sign-in?a=b", True),
        ("https://auth.ampcode.com/anything", True),
        ("https://app.ampcode.com/Signin/", True),
        ("https://ampcode.com/auth?ReturnTo=/settings", True),
        ("https://ampcode.com/auth/x?a=1&redirect=/", True),
        ("https://ampcode.com/auth/sign-out", False),
        ("https://ampcode.com/settings?redirect=/login", False),
        ("https://ampcode.com.evil.test/login", False),
        ("https://notampcode.com/login", False),
        ("https://[", False),
    ],
)
def test_which_addresses_are_sign_in_pages(url: str, found: bool) -> None:
    assert is_sign_in(url) is found


@pytest.mark.parametrize(
    "target", ["https://auth.ampcode.com/x", "http://ampcode.com/login", "https://www.ampcode.com/signin"]
)
def test_a_redirect_to_the_sign_in_page_ends_the_session(site: Any, read: Read, target: str) -> None:
    site.get("/settings").redirects(target)
    with pytest.raises(ExpiredCredential):
        read("amp", config={"cookieHeader": "session=s1"})


def test_the_cookie_goes_only_to_amps_own_hosts(site: Any, vendor: Any, read: Read) -> None:
    site.get("/settings").redirects("https://www.ampcode.com/settings")
    expected = {"referer": "https://ampcode.com/settings"}
    vendor("www.ampcode.com").get("/settings", cookie="session=s1", headers=expected).redirects(
        "https://ampcode.com.evil.test/s"
    )
    evil = vendor("ampcode.com.evil.test").get("/s", headers={"cookie": None}).answers_text(PAGE)
    assert read("amp", config={"cookieHeader": "session=s1"}).windows
    assert evil.count == 1


def test_a_downgrade_to_http_is_not_followed(site: Any, read: Read) -> None:
    site.get("/settings").redirects("http://ampcode.com/plain")
    with pytest.raises(BadResponse):
        read("amp", config={"cookieHeader": "session=s1"})
    assert site.count == 1


def test_a_refused_token_falls_through_to_the_page(site: Any, outcome: Run) -> None:
    balance(site).fails(401)
    site.get("/settings").answers_text(PAGE)
    seen = outcome("amp", config={"cookieHeader": "session=s1"}, AMP_API_KEY="k")
    assert [attempt.source for attempt in seen.attempts] == ["cli", "api", "web"]
    assert seen.usage is not None
