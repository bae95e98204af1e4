"""Claude Code's login in the macOS Keychain: before the file, and only when the user asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.errors import MissingCredential
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.claude import logins
from quotaline_providers.vendors.claude.keychain import Granted

USAGE = {"five_hour": {"utilization": 21}}
PAST, FUTURE = datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 2, 1, tzinfo=UTC)


def entry(token: str, until: datetime = FUTURE) -> str:
    return json.dumps({"claudeAiOauth": {"accessToken": token, "expiresAt": int(until.timestamp() * 1000)}})


@pytest.fixture
def keychain(program: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`keychain(text)`: the item of Claude Code, as `security` prints it; each question is noted in `asked`."""
    monkeypatch.setattr(logins, "KEYCHAIN_SECONDS", 10.0)

    def write(text: str, service: str = "Claude Code-credentials") -> None:
        script = f"""
import sys
open({str(home / "asked")!r}, "a").write("x")
if sys.argv[sys.argv.index("-s") + 1] != {service!r}: sys.exit(44)
print({text!r})
"""
        program("security", script)

    return write


@pytest.fixture
def file(home: Path) -> Callable[[str], None]:
    """`file(text)`: Claude Code's login file."""

    def write(text: str) -> None:
        (home / ".claude").mkdir(exist_ok=True)
        (home / ".claude/.credentials.json").write_text(text)

    return write


@pytest.fixture
def usage_of(vendor: Any) -> Callable[[str], Any]:
    """`usage_of(token)`: the usage request of a token."""
    return lambda token: vendor("api.anthropic.com").get("/api/oauth/usage", bearer=token)


def test_the_keychain_outranks_the_file(mac: Any, keychain: Any, file: Any, usage_of: Any) -> None:
    keychain(entry("chain-token"))
    file(entry("file-token"))
    usage_of("chain-token").answers(**USAGE)
    mac("claude", interactive=True, USER="ada")


def test_the_background_never_asks_the_keychain(mac: Any, keychain: Any, file: Any, usage_of: Any, home: Path) -> None:
    keychain(entry("chain-token"))
    file(entry("file-token"))
    usage_of("file-token").answers(**USAGE)
    mac("claude")
    assert not (home / "asked").exists()


def test_what_the_user_let_us_read_serves_the_background(mac: Any, keychain: Any, usage_of: Any, home: Path) -> None:
    keychain(entry("chain-token"))
    usage_of("chain-token").answers(**USAGE)
    for interactive in (True, False, False):
        mac("claude", interactive=interactive)
    assert (home / "asked").read_text() == "x"


def test_an_item_that_is_gone_is_forgotten(mac: Any, keychain: Any, usage_of: Any, home: Path) -> None:
    keychain(entry("chain-token"))
    usage_of("chain-token").answers(**USAGE)
    mac("claude", interactive=True)
    keychain(entry("chain-token"), "Another item")
    for interactive in (True, False):
        with pytest.raises(MissingCredential):
            mac("claude", source="oauth", interactive=interactive)


def test_granted_items_are_not_shown() -> None:
    granted = Granted()
    granted.keep("service", "", Secret("demo-token"))
    assert "demo-token" not in repr(vars(granted))


def test_an_expired_file_beside_a_fresh_item(mac: Any, keychain: Any, file: Any, usage_of: Any) -> None:
    keychain(entry("chain-token").encode().hex())
    file(entry("file-token", PAST))
    usage_of("chain-token").answers(**USAGE)
    mac("claude", interactive=True)


def test_an_expired_item_beside_a_fresh_file(mac: Any, keychain: Any, file: Any, usage_of: Any) -> None:
    keychain(entry("chain-token", PAST))
    file(entry("file-token"))
    usage_of("file-token").answers(**USAGE)
    mac("claude", interactive=True)


def test_a_refused_item_gives_way_to_the_file(mac: Any, keychain: Any, file: Any, usage_of: Any, vendor: Any) -> None:
    keychain(entry("chain-token"))
    file(entry("file-token"))
    route = vendor("api.anthropic.com").get("/api/oauth/usage").fails(401).answers(**USAGE)
    mac("claude", interactive=True)
    sent = [request.headers["authorization"] for request in route.requests]
    assert sent == ["Bearer chain-token", "Bearer file-token"]


def test_an_item_with_logins_of_servers_only(mac: Any, keychain: Any, simulator: Any) -> None:
    keychain('{"mcpOAuth": {"demo": {}}}')
    with pytest.raises(MissingCredential, match="no subscription login"):
        mac("claude", source="oauth", interactive=True)


def test_another_folder_has_its_own_item(mac: Any, keychain: Any, usage_of: Any, home: Path) -> None:
    folder = str(home / "other")
    keychain(entry("chain-token"), logins.keychain_services({"CLAUDE_CONFIG_DIR": folder})[0])
    usage_of("chain-token").answers(**USAGE)
    mac("claude", interactive=True, CLAUDE_CONFIG_DIR=folder)
