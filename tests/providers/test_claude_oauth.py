"""Claude with an OAuth login: where it is found, when it is asked, and that only Claude Code renews its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.contract import Account
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    Misconfigured,
    MissingCredential,
    RateLimited,
    Unavailable,
)
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.claude import logins, oauth, probe
from quotaline_providers.vendors.claude.keychain import keychain_text

USAGE = {"five_hour": {"utilization": 21}}
PAST, FUTURE = datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 2, 1, tzinfo=UTC)
TOKEN = "sk-ant-oat-demo"
ENV = "QUOTALINE_CLAUDE_OAUTH_TOKEN"

Store = Callable[..., Path]


def entry(token: str = "demo-token", until: datetime | None = FUTURE, **fields: object) -> dict[str, object]:
    expires = {} if until is None else {"expiresAt": int(until.timestamp() * 1000)}
    return {"claudeAiOauth": {"accessToken": token, "refreshToken": "never-used", **expires, **fields}}


@pytest.fixture
def store(home: Path) -> Store:
    """`store(token, until)`: writes Claude Code's login file."""

    def write(*arguments: Any, folder: str = ".claude", **fields: Any) -> Path:
        path = home / folder / ".credentials.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(entry(*arguments, **fields)))
        return path

    return write


@pytest.fixture
def usage_route(vendor: Any) -> Callable[..., Any]:
    """`usage_route(token)`: the usage request of a token."""
    return lambda token=TOKEN, **more: vendor("api.anthropic.com").get("/api/oauth/usage", bearer=token, **more)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("START_SECONDS", "STATUS_IDLE_SECONDS", "SETTLE_SECONDS"):
        monkeypatch.setattr(probe, name, 0.3)
    monkeypatch.setattr(oauth, "STATUS_SECONDS", 1.5)
    monkeypatch.setattr(oauth, "CHANGE_SECONDS", 0.2)
    monkeypatch.setattr(oauth, "CHANGE_STEP_SECONDS", 0.05)


# --- where the login is found ----------------------------------------------------------------------


def test_the_stored_login(store: Store, usage_route: Any, read: Any, home: Path) -> None:
    store(subscriptionType="max", rateLimitTier="default_claude_max_20x", scopes=["user:inference", "user:profile"])
    account = {"accountUuid": "u1", "emailAddress": "ada@lab.test", "organizationUuid": "o1"}
    (home / ".claude.json").write_text(json.dumps({"oauthAccount": account}))
    route = usage_route("demo-token").answers(**USAGE)
    seen = read("claude")
    assert (seen.source, seen.identity.plan) == ("oauth", "Claude Max 20x")
    assert (seen.identity.email, seen.identity.account_id) == ("ada@lab.test", "u1")
    headers = route.requests[0].headers
    assert headers["user-agent"] == "claude-code/2.1.0"
    assert headers["anthropic-beta"] == "oauth-2025-04-20"


def test_the_installed_version_is_named_and_asked_once(program: Any, usage_route: Any, read: Any, home: Path) -> None:
    program("claude", f"open({str(home / 'runs')!r}, 'a').write('x')\nprint('2.7.1 (Claude Code)')")
    route = usage_route(headers={"user-agent": "claude-code/2.7.1"}).answers(**USAGE)
    assert [read("claude", **{ENV: TOKEN}).version for _ in range(2)] == ["2.7.1", "2.7.1"]
    assert route.count == 2
    assert (home / "runs").read_text() == "x"


def test_environment_tokens_come_before_the_store(store: Store, usage_route: Any, read: Any) -> None:
    store()
    usage_route("first").answers(**USAGE)
    usage_route("second").answers(**USAGE)
    read("claude", **{ENV: " first ", "CODEXBAR_CLAUDE_OAUTH_TOKEN": "second"})
    read("claude", CODEXBAR_CLAUDE_OAUTH_TOKEN="second")


def test_a_configured_token(usage_route: Any, read: Any) -> None:
    usage_route().answers(**USAGE)
    assert read("claude", config={"apiKey": f"Bearer {TOKEN}"}).source == "oauth"


def test_an_account_decides_alone(store: Store, usage_route: Any, outcome: Any) -> None:
    store()
    usage_route().answers(**USAGE)
    seen = outcome(
        "claude", account=Account("Work", Secret(f"Bearer {TOKEN}")), ANTHROPIC_ADMIN_KEY="sk-ant-admin-demo"
    )
    assert (seen.usage.source, seen.attempts[-1].origin) == ("oauth", "account Work")


@pytest.mark.parametrize("token", [None, Secret(" "), Secret("Bearer "), Secret("x=1")])
def test_a_malformed_account_never_uses_another_login(store: Store, simulator: Any, read: Any, token: Any) -> None:
    store()
    with pytest.raises(MissingCredential):
        read("claude", account=Account("Work", token), **{ENV: TOKEN})


def test_the_setup_token_is_never_used(simulator: Any, store: Store, usage_route: Any, read: Any) -> None:
    with pytest.raises(MissingCredential, match="setup-token"):
        read("claude", source="oauth", CLAUDE_CODE_OAUTH_TOKEN="demo")
    store()
    usage_route("demo-token").answers(**USAGE)
    read("claude", CLAUDE_CODE_OAUTH_TOKEN="demo")


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"CLAUDE_CONFIG_DIR": "{home}/one"}, "one"),
        ({"CLAUDE_CONFIG_DIR": "{home}/one", "CLAUDE_SECURESTORAGE_CONFIG_DIR": "{home}/two"}, "two"),
        ({"CLAUDE_CONFIG_DIR": "{home}/one", "CLAUDE_SECURESTORAGE_CONFIG_DIR": ""}, ".claude"),
        ({"CLAUDE_CONFIG_DIR": ""}, ".claude"),
    ],
)
def test_other_folders(
    store: Store, usage_route: Any, read: Any, home: Path, variables: dict[str, str], folder: str
) -> None:
    store(folder=folder)
    usage_route("demo-token").answers(**USAGE)
    read("claude", **{name: value.format(home=home) for name, value in variables.items()})


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ('{"mcpOAuth": {"a": {}}}', MissingCredential, "no subscription login"),
        ('{"claudeAiOauth": {"accessToken": "  "}}', MissingCredential, "not signed in"),
        ("{}", MissingCredential, "not signed in"),
        ("{torn", BadResponse, "could not be understood"),
        ("[]", BadResponse, "could not be understood"),
        ('{"claudeAiOauth": []}', BadResponse, "could not be understood"),
    ],
)
def test_stores_without_a_login(
    simulator: Any, store: Store, read: Any, text: str, error: type[Exception], words: str
) -> None:
    store().write_text(text)
    with pytest.raises(error, match=words):
        read("claude", source="oauth")


def test_an_unreadable_account_is_not_signed_out(store: Store, usage_route: Any, read: Any, home: Path) -> None:
    store()
    (home / ".claude.json").write_text("{torn")
    usage_route("demo-token").answers(**USAGE)
    assert read("claude").identity.email is None


def test_the_keychain_names_its_items() -> None:
    first, second = logins.keychain_services({"CLAUDE_CONFIG_DIR": "/srv/demo"})
    assert second == "Claude Code-credentials"
    assert first.startswith("Claude Code-credentials-")
    assert len(first) == len(second) + 9
    assert logins.keychain_services({}) == ("Claude Code-credentials",)


def test_the_keychain_may_print_hexadecimal() -> None:
    text = json.dumps(entry("demo-token"))
    assert keychain_text(text.encode().hex() + "\n") == text
    assert keychain_text(text + "\n") == text
    assert keychain_text("beef\n") == "beef"


# --- what is asked ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scopes", [None, [], "user:inference", [7]])
def test_unknown_scopes_are_worth_a_try(store: Store, usage_route: Any, read: Any, scopes: object) -> None:
    store(scopes=scopes)
    usage_route("demo-token").answers(**USAGE)
    read("claude")


def test_a_missing_scope_is_told_without_a_request(store: Store, simulator: Any, read: Any) -> None:
    store(scopes=["user:inference"])
    with pytest.raises(Forbidden, match="user:profile") as raised:
        read("claude")
    assert "claude" in raised.value.hint
    with pytest.raises(Forbidden):
        read("claude", QUOTALINE_CLAUDE_OAUTH_TOKEN=TOKEN, QUOTALINE_CLAUDE_OAUTH_SCOPES="user:inference, other")


def test_a_missing_expiry_is_worth_a_try(store: Store, usage_route: Any, read: Any) -> None:
    store("demo-token", None)
    usage_route("demo-token").answers(**USAGE)
    read("claude")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, "vendor words", ExpiredCredential),
        (403, "needs scope user:profile", Forbidden),
        (403, "vendor words", Unavailable),
        (503, "vendor words", Unavailable),
        (200, "<html>sign in</html>", BadResponse),
        (200, "{torn", BadResponse),
        (200, "{}", BadResponse),
    ],
)
def test_answers_that_are_no_usage(usage_route: Any, read: Any, status: int, body: str, error: type[Exception]) -> None:
    usage_route().answers_text(body, status=status)
    with pytest.raises(error) as raised:
        read("claude", **{ENV: TOKEN})
    assert "vendor words" not in str(raised.value)
    assert TOKEN not in str(raised.value)


def test_another_address_must_be_https(store: Store, vendor: Any, read: Any) -> None:
    store()
    for unsafe in ("http://lab.example", "https://lab.example/?a=b"):
        with pytest.raises(Misconfigured, match="CLAUDE_CODE_CUSTOM_OAUTH_URL"):
            read("claude", source="oauth", CLAUDE_CODE_CUSTOM_OAUTH_URL=unsafe)
    vendor("lab.example").get("/api/oauth/usage", bearer="demo-token").answers(**USAGE)
    read("claude", CLAUDE_CODE_CUSTOM_OAUTH_URL="https://lab.example/")


def test_a_given_token_never_follows_claude_codes_address(usage_route: Any, read: Any) -> None:
    route = usage_route().answers(**USAGE)
    custom = {"CLAUDE_CODE_CUSTOM_OAUTH_URL": "https://lab.example/"}
    read("claude", account=Account("Work", Secret(TOKEN)), **custom)
    read("claude", config={"apiKey": TOKEN}, **custom)
    read("claude", **{ENV: TOKEN}, **custom)
    assert route.count == 3


# --- the cool-down ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("600", 600),
        ("0", 300),
        (None, 300),
        ("Wed, 02 Jan 2030 12:20:00 GMT", 1200),
        ("Wed, 02 Jan 2030 11:00:00 GMT", 300),
    ],
)
def test_a_limited_token_rests(usage_route: Any, read: Any, clock: Any, header: str | None, wait: int) -> None:
    route = usage_route().fails(429, headers={"Retry-After": header} if header else {}).answers(**USAGE)
    start = clock.now
    for moment in (0, wait - 2):
        clock.set(start + timedelta(seconds=moment))
        with pytest.raises(RateLimited) as raised:
            read("claude", **{ENV: TOKEN})
        assert raised.value.until == start + timedelta(seconds=wait)
    assert route.count == 1
    clock.set(start + timedelta(seconds=wait + 1))
    read("claude", **{ENV: TOKEN})


def test_the_user_may_pass_and_the_later_deadline_stays(usage_route: Any, read: Any, clock: Any) -> None:
    route = usage_route().fails(429, headers={"Retry-After": "3600"}).fails(429, headers={"Retry-After": "10"})
    route.answers(**USAGE)
    start = clock.now
    for _ in range(2):
        with pytest.raises(RateLimited) as raised:
            read("claude", interactive=True, **{ENV: TOKEN})
        assert raised.value.until == start + timedelta(hours=1)
    read("claude", interactive=True, **{ENV: TOKEN})
    read("claude", **{ENV: TOKEN})
    assert route.count == 4


def test_two_tokens_are_limited_independently(usage_route: Any, read: Any) -> None:
    usage_route("one").fails(429)
    usage_route("two").answers(**USAGE)
    with pytest.raises(RateLimited):
        read("claude", **{ENV: "one"})
    read("claude", **{ENV: "two"})


def test_notes_hold_no_token(usage_route: Any, read: Any, memory: Any) -> None:
    usage_route().fails(429)
    with pytest.raises(RateLimited):
        read("claude", **{ENV: TOKEN})
    assert TOKEN not in repr(vars(memory))


# --- renewal ---------------------------------------------------------------------------------------


def renewing(path: Path, token: str = "fresh-token", until: datetime = FUTURE) -> str:
    """A `claude` that renews its login when asked for its status."""
    return f"""
import sys
if "--version" in sys.argv: print("2.1.90"); sys.exit()
open({str(path.parent / "runs")!r}, "a").write("x")
print("Ready", flush=True)
for line in sys.stdin:
    if "/status" in line:
        open({str(path)!r}, "w").write({json.dumps(entry(token, until))!r})
        print("Account: ada@lab.test", flush=True)
    if "/exit" in line:
        break
"""


def test_the_cli_renews_an_expired_login_when_the_user_asks(
    store: Store, program: Any, usage_route: Any, read: Any
) -> None:
    path = store("old-token", PAST)
    program("claude", renewing(path))
    usage_route("fresh-token").answers(**USAGE)
    assert read("claude", interactive=True).source == "oauth"


def test_the_cli_renews_a_refused_login(store: Store, program: Any, usage_route: Any, read: Any) -> None:
    path = store("old-token")
    program("claude", renewing(path))
    refused = usage_route("old-token").fails(401)
    assert refused.count == 0
    usage_route("fresh-token").answers(**USAGE)
    with pytest.raises(ExpiredCredential):
        read("claude", source="oauth")
    assert not (path.parent / "runs").exists()
    assert read("claude", interactive=True).source == "oauth"


def test_the_background_starts_no_program_to_renew(store: Store, simulator: Any, program: Any, read: Any) -> None:
    path = store("old-token", PAST)
    program("claude", renewing(path))
    with pytest.raises(Unavailable, match="paused"):
        read("claude", source="oauth")
    assert not (path.parent / "runs").exists()


@pytest.mark.parametrize("until", [None, FUTURE])
def test_a_login_that_can_be_renewed_is_paused_and_not_signed_out(
    store: Store, simulator: Any, read: Any, until: datetime | None
) -> None:
    store("old-token", PAST, refreshTokenExpiresAt=until and int(until.timestamp() * 1000))
    with pytest.raises(Unavailable, match="when `claude` next runs") as raised:
        read("claude")
    assert "sign in" not in raised.value.message + raised.value.hint


@pytest.mark.parametrize("fields", [{"refreshToken": ""}, {"refreshTokenExpiresAt": int(PAST.timestamp() * 1000)}])
def test_a_login_that_cannot_be_renewed_has_expired(
    store: Store, simulator: Any, read: Any, fields: dict[str, object]
) -> None:
    store("old-token", PAST, **fields)
    with pytest.raises(ExpiredCredential, match="expired") as raised:
        read("claude")
    assert "/login" in raised.value.hint


def test_unless_the_user_opted_in(store: Store, program: Any, usage_route: Any, read: Any) -> None:
    path = store("old-token", PAST)
    program("claude", renewing(path))
    usage_route("fresh-token").answers(**USAGE)
    read("claude", config={"renewInBackground": True})


@pytest.mark.parametrize(("token", "wait"), [("old-token", 20), ("other-token", 300)])
def test_the_background_tries_again_only_after_a_pause(
    store: Store, simulator: Any, program: Any, outcome: Any, clock: Any, token: str, wait: int
) -> None:
    path = store("old-token", PAST)
    program("claude", renewing(path, token, PAST))
    for moment, runs in ((0, "x"), (wait - 2, "x"), (3, "xx")):
        clock.advance(timedelta(seconds=moment))
        seen = outcome("claude", source="oauth", config={"renewInBackground": True})
        assert isinstance(seen.error, Unavailable)
        assert (path.parent / "runs").read_text() == runs


def test_without_a_cli_the_user_is_told_what_to_run(store: Store, simulator: Any, read: Any) -> None:
    store("old-token", PAST)
    with pytest.raises(Unavailable, match="paused") as raised:
        read("claude", interactive=True)
    assert "Run `claude`" in raised.value.hint


# --- what comes next -------------------------------------------------------------------------------

PANEL = "print('Current session\\n22% used')"


def failing_over(panel: str = PANEL) -> str:
    return f"""
import sys
if "--version" in sys.argv: print("2.1.90"); sys.exit()
if "auth" in sys.argv: print('{{"loggedIn": true}}'); sys.exit()
for line in sys.stdin:
    if "/usage" in line: {panel}; sys.stdout.flush()
    if "/exit" in line: break
"""


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_in_auto_any_error_goes_on_to_the_cli(usage_route: Any, program: Any, outcome: Any, status: int) -> None:
    usage_route().fails(status)
    program("claude", failing_over())
    seen = outcome("claude", **{ENV: TOKEN})
    assert seen.usage.source == "claude"
    assert seen.usage.window("session").used_percent == 22


def test_explicit_oauth_uses_the_cli_for_an_absent_login_on_a_user_action_only(
    simulator: Any, program: Any, read: Any
) -> None:
    program("claude", failing_over())
    assert read("claude", source="oauth", interactive=True).source == "claude"
    with pytest.raises(MissingCredential):
        read("claude", source="oauth")


def test_explicit_oauth_does_not_use_the_cli_for_other_errors(usage_route: Any, program: Any, read: Any) -> None:
    usage_route().fails(500)
    program("claude", failing_over())
    with pytest.raises(Unavailable):
        read("claude", source="oauth", interactive=True, **{ENV: TOKEN})
