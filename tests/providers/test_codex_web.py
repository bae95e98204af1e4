"""Codex read with the cookies of a signed-in browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.errors import ExpiredCredential, Forbidden, MissingCredential, RateLimited, ReadError
from quotaline_providers.model import Usage
from quotaline_providers.run import Outcome
from quotaline_providers.testing import Read
from quotaline_providers.vendors.codex.web import email_in, shows_session
from tests.providers.codex_login import EMAIL, write_login

COOKIE = "__Secure-next-auth.session-token.0=demo; oai-did=1"
SESSION = {"primary_window": {"used_percent": 21, "limit_window_seconds": 18000}}
PAGE = "<html><head><title>Just a moment...</title></head></html>"


@pytest.fixture
def chatgpt(vendor: Any) -> Any:
    host = vendor("chatgpt.com")
    host.get("/backend-api/subscriptions").fails(404)
    return host


def signed_in(chatgpt: Any, email: str = EMAIL) -> None:
    chatgpt.get("/backend-api/me", cookie=COOKIE).answers(user={"Email": email})


def answering(chatgpt: Any, **fields: object) -> Any:
    return chatgpt.get("/backend-api/wham/usage", cookie=COOKIE).answers_json({"rate_limit": SESSION} | fields)


def by_cookie(read: Read, header: str = COOKIE, **more: Any) -> Usage:
    return read("codex", config={"cookieHeader": header}, source="web", **more)


def test_reads_with_cookies(chatgpt: Any, read: Read) -> None:
    signed_in(chatgpt)
    answering(chatgpt, plan_type="plus")
    usage = by_cookie(read, f"Cookie: {COOKIE}")
    assert usage.window("session").used_percent == 21
    assert (usage.source, usage.identity.email, usage.identity.plan) == ("openai-web", EMAIL, "Plus")


def test_the_session_call_stands_in_for_the_identity(chatgpt: Any, read: Read) -> None:
    chatgpt.get("/backend-api/me").fails(500)
    chatgpt.get("/api/auth/session").answers(user={"email": EMAIL})
    answering(chatgpt)
    assert by_cookie(read).identity.email == EMAIL


@pytest.mark.parametrize(("renews", "field"), [(True, "subscription_renews_at"), (False, "subscription_expires_at")])
def test_when_the_subscription_ends(vendor: Any, read: Read, renews: bool, field: str) -> None:
    chatgpt = vendor("chatgpt.com")
    signed_in(chatgpt)
    answering(chatgpt)
    chatgpt.get("/backend-api/subscriptions").answers(activeUntil="2030-03-04T00:00:00Z", will_renew=renews)
    assert getattr(by_cookie(read), field) == datetime(2030, 3, 4, tzinfo=UTC)


def test_a_member_has_a_monthly_limit(chatgpt: Any, read: Read) -> None:
    signed_in(chatgpt)
    answering(chatgpt, account_id="acc-1", plan_type="team", spend_control=None)
    chatgpt.get("/backend-api/accounts/acc-1/spend-controls/current-user/monthly-usage", cookie=COOKIE).answers(
        current_month_usage=5, effective_monthly_limit={"limit": 50}
    )
    assert by_cookie(read).window("monthly-credit-limit").limit == 50


def test_cookies_of_another_account_are_refused(chatgpt: Any, read: Read, home: Path) -> None:
    write_login(home)
    signed_in(chatgpt, "other@demo.test")
    with pytest.raises(Forbidden, match="another ChatGPT account"):
        by_cookie(read)


def test_the_same_account_in_other_letters_is_accepted(chatgpt: Any, read: Read, home: Path) -> None:
    write_login(home)
    signed_in(chatgpt, EMAIL.upper())
    answering(chatgpt)
    assert by_cookie(read).window("session").used_percent == 21


def test_without_an_email_nothing_is_trusted(chatgpt: Any, read: Read) -> None:
    chatgpt.get("/backend-api/me").answers(id="guest")
    chatgpt.get("/api/auth/session").answers()
    with pytest.raises(ExpiredCredential):
        by_cookie(read)


@pytest.mark.parametrize("status", [200, 403])
def test_a_browser_check_advises_the_login(chatgpt: Any, read: Read, status: int) -> None:
    signed_in(chatgpt)
    chatgpt.get("/backend-api/wham/usage").answers_text(PAGE, status=status)
    with pytest.raises(Forbidden) as raised:
        by_cookie(read)
    assert "oauth" in raised.value.hint


@pytest.mark.parametrize(("status", "error"), [(401, ExpiredCredential), (403, ExpiredCredential), (429, RateLimited)])
def test_refusals(chatgpt: Any, read: Read, status: int, error: type[ReadError]) -> None:
    signed_in(chatgpt)
    chatgpt.get("/backend-api/wham/usage").fails(status)
    with pytest.raises(error):
        by_cookie(read)


def test_an_ended_session(chatgpt: Any, read: Read) -> None:
    chatgpt.get("/backend-api/me").fails(401)
    chatgpt.get("/api/auth/session").fails(401)
    with pytest.raises(ExpiredCredential):
        by_cookie(read)


def test_pasted_cookies_come_last_in_auto(chatgpt: Any, outcome: Callable[..., Outcome], program: Any) -> None:
    signed_in(chatgpt)
    answering(chatgpt)
    program("codex", "raise SystemExit(1)")
    result = outcome("codex", config={"cookieHeader": COOKIE})
    assert result.usage is not None
    assert [attempt.label for attempt in result.attempts] == ["pat", "oauth", "codex-cli", "openai-web"]


def test_cookies_do_not_stand_in_for_a_chosen_workspace(outcome: Callable[..., Outcome]) -> None:
    result = outcome("codex", config={"cookieHeader": COOKIE, "workspaceID": "ws-1"})
    assert [attempt.label for attempt in result.attempts] == ["pat", "oauth"]


def test_without_cookies_the_programs_error_is_told(read: Read, program: Any) -> None:
    program("codex", "raise SystemExit(1)")
    with pytest.raises(ReadError, match="`codex` program"):
        read("codex")


def test_cookies_can_be_switched_off(read: Read) -> None:
    with pytest.raises(MissingCredential):
        read("codex", config={"cookieHeader": COOKIE, "cookieSource": "off"}, source="web")


def test_a_header_without_a_session_is_not_sent(read: Read) -> None:
    with pytest.raises(MissingCredential, match="no ChatGPT session"):
        by_cookie(read, "oai-did=1; cf_clearance=2")


def test_what_proves_a_session() -> None:
    assert shows_session("_account=a")
    assert shows_session("authjs.callback=a")
    assert not shows_session("my_account=a")


def test_emails_are_found_nearest_the_top() -> None:
    assert email_in({"a": [{"b": "deep@demo.test"}], "EMAIL": "top@demo.test"}) == "top@demo.test"
    assert email_in([["loose@demo.test"]]) == "loose@demo.test"
    assert email_in({"email": "nobody"}) is None
    assert email_in([["x"] * 3000, ["late@demo.test"]]) is None
