"""Claude Desktop's login on macOS: only when allowed, of the active organisation, never instead of Claude Code's."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.errors import ExpiredCredential, MissingCredential
from quotaline_providers.testing import NOW
from quotaline_providers.vendors.claude.desktop import CLAUDE_CODE, best_of, tokens_in
from tests.hosts.test_browsers import encrypted

PASSWORD = "demo-password"
SCOPES = "user:profile user:inference"
ALLOWED = {"desktopLogin": True}

Desktop = Callable[..., None]


def name(organization: str = "org-1", client: str = CLAUDE_CODE, scopes: str = SCOPES, host: str = "anthropic") -> str:
    return f"{client}:{organization}:https://api.{host}.com:{scopes}"


def token(value: str, minutes: float = 60) -> dict[str, object]:
    expires = int((NOW + timedelta(minutes=minutes)).timestamp() * 1000)
    return {"token": value, "expiresAt": expires, "subscriptionType": "max", "refreshToken": "never-used"}


# --- which token -----------------------------------------------------------------------------------


def best(**tokens: dict[str, object]) -> str | None:
    found = best_of(tokens_in(tokens).values(), "org-1", "user:profile", NOW)
    return found.token.reveal() if found else None


def test_names_that_are_no_tokens_for_the_api() -> None:
    cache = {"a": token("a"), name(host="other"): token("b"), name("x"): {"token": "c"}, name("y"): "torn"}
    assert tokens_in(cache) == {}
    assert tokens_in([cache]) == {}


def test_the_best_token_of_the_active_organisation() -> None:
    other, more = name(client="other", scopes=SCOPES + " user:more"), name(client="other", scopes=SCOPES)
    plain = name(scopes="user:profile")
    assert best(**{name("org-2"): token("foreign", 900), other: token("more"), more: token("few", 99)}) == "more"
    assert best(**{other: token("more"), name(): token("code")}) == "code"
    assert best(**{other: token("more"), plain: token("bare")}) == "more"
    assert best(**{name(): token("late", 1.5)}) is None
    assert best(**{name(scopes="user:inference"): token("blind")}) is None


# --- reading it ------------------------------------------------------------------------------------


@pytest.fixture
def desktop(home: Path, program: Callable[[str, str], Path]) -> Desktop:
    """`desktop({name: token}, ...)`: a signed-in Claude Desktop; later caches are of a newer kind."""
    folder = home / "Library/Application Support/Claude"

    def write(*caches: object, organization: str = "org-1", host: str = ".claude.ai", at: str = "Cookies") -> None:
        kinds = ("oauth:tokenCache", "oauth:tokenCacheV2")
        texts = [base64.b64encode(encrypted(PASSWORD, json.dumps(cache).encode())).decode() for cache in caches]
        (folder / at).parent.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(dict(zip(kinds, texts, strict=False))))
        with sqlite3.connect(folder / at) as db:
            db.execute("CREATE TABLE cookies (host_key TEXT, name TEXT, encrypted_value BLOB)")
            value = encrypted(PASSWORD, hashlib.sha256(host.encode()).digest() + organization.encode())
            db.execute("INSERT INTO cookies VALUES ('.claude.ai', 'lastActiveOrg', ?)", (value,))
        db.close()
        script = f"""
import sys
open({str(home / "asked")!r}, "a").write("x")
if sys.argv[1:] != ["find-generic-password", "-s", "Claude Safe Storage", "-a", "Claude Key", "-w"]: sys.exit(44)
print({PASSWORD!r})
"""
        program("security", script)

    return write


@pytest.fixture
def usage_of(vendor: Any) -> Callable[[str], Any]:
    """`usage_of(token)`: the usage request of a token."""

    def lay(value: str) -> Any:
        return vendor("api.anthropic.com").get("/api/oauth/usage", bearer=value).answers(five_hour={"utilization": 21})

    return lay


@pytest.mark.parametrize("at", ["Cookies", "Network/Cookies"])
def test_its_login_stands_in_for_claude_codes(desktop: Desktop, mac: Any, usage_of: Any, at: str) -> None:
    desktop({name(): token("old"), name("org-2"): token("foreign")}, {name(): token("desk-token")}, at=at)
    usage_of("desk-token")
    for interactive in (True, False):
        usage = mac("claude", config=ALLOWED, source="oauth", interactive=interactive)
        assert (usage.source, usage.identity.plan) == ("oauth", "Claude Max")


def test_claude_codes_own_login_comes_first(desktop: Desktop, mac: Any, usage_of: Any, home: Path) -> None:
    desktop({name(): token("desk-token")})
    (home / ".claude").mkdir()
    (home / ".claude/.credentials.json").write_text('{"claudeAiOauth": {"accessToken": "code-token"}}')
    usage_of("code-token")
    mac("claude", config=ALLOWED, interactive=True)


@pytest.mark.parametrize(
    ("config", "interactive"), [({}, True), (ALLOWED, False)], ids=["not allowed", "in the background"]
)
def test_it_is_not_read_unasked(desktop: Desktop, mac: Any, config: Any, interactive: bool) -> None:
    desktop({name(): token("desk-token")})
    with pytest.raises(MissingCredential):
        mac("claude", config=config, source="oauth", interactive=interactive)


@pytest.mark.parametrize("wrong", [{"organization": "org-9"}, {"host": "claude.test"}, {"organization": ""}])
def test_without_the_active_organisation_there_is_no_login(desktop: Desktop, mac: Any, wrong: Any) -> None:
    desktop({name(): token("desk-token")}, **wrong)
    with pytest.raises(MissingCredential):
        mac("claude", config=ALLOWED, source="oauth", interactive=True)


@pytest.mark.parametrize("text", ["{torn", "[]", '{"oauth:tokenCache": "dG9ybg=="}', '{"oauth:tokenCacheV2": "~"}'])
def test_a_cache_that_cannot_be_read_is_no_login(desktop: Desktop, mac: Any, home: Path, text: str) -> None:
    desktop({name(): token("desk-token")})
    (home / "Library/Application Support/Claude/config.json").write_text(text)
    with pytest.raises(MissingCredential):
        mac("claude", config=ALLOWED, source="oauth", interactive=True)


def test_a_refused_login_is_claude_desktops_to_renew(desktop: Desktop, mac: Any, vendor: Any) -> None:
    desktop({name(): token("desk-token")})
    vendor("api.anthropic.com").get("/api/oauth/usage").fails(401)
    with pytest.raises(ExpiredCredential) as raised:
        mac("claude", config=ALLOWED, source="oauth", interactive=True)
    assert "Claude Desktop" in raised.value.hint
