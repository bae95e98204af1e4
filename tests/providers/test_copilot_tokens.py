"""Where a GitHub token for Copilot is found, and to whom it may be shown."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.errors import Misconfigured, MissingCredential
from quotaline_providers.testing import finished
from quotaline_providers.vendors.copilot.credentials import GhLogin, GitHubToken, gh_login, keyring_token, plugin_token

USER = "/copilot_internal/user"


@pytest.fixture
def shown(vendor: Any) -> Any:
    """The tokens that GitHub was shown."""
    route = vendor("api.github.com").get(USER)
    route.answers(quota_snapshots={"chat": {"percent_remaining": 50}})
    return lambda: [request.headers["authorization"] for request in route.requests]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def apps(**tokens: str) -> str:
    return json.dumps({key: {"oauth_token": token} for key, token in tokens.items()})


# --- editor plug-ins -------------------------------------------------------------------------------


def test_a_plugin_token_is_taken_only_for_its_host() -> None:
    text = json.dumps(
        {
            "github.com.evil.example": {"oauth_token": "evil"},
            "octo.example": {"oauth_token": "other"},
            "github.com:app": {"oauth_token": "mine"},
        }
    )
    assert plugin_token(text, "github.com") == "mine"
    assert plugin_token(text, "octo.example") == "other"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"github.com": "text"}', '{"github.com": {"oauth_token": 4}}'])
def test_a_strange_plugin_file_holds_no_token(text: str) -> None:
    assert plugin_token(text, "github.com") is None


def test_the_newer_plugin_file_comes_first(home: Path, read: Any, shown: Any) -> None:
    write(home / ".config/github-copilot/hosts.json", '{"github.com": {"oauth_token": "old"}}')
    write(home / ".config/github-copilot/apps.json", '{"github.com:x": {"oauth_token": "new"}}')
    read("copilot")
    assert shown() == ["token new"]


def test_a_plugin_file_that_is_no_json_is_passed_over(home: Path, read: Any, shown: Any) -> None:
    write(home / "xdg/github-copilot/apps.json", "{")
    write(home / "xdg/github-copilot/hosts.json", '{"github.com": {"oauth_token": "old"}}')
    read("copilot", XDG_CONFIG_HOME=str(home / "xdg"))
    assert shown() == ["token old"]


def test_a_token_of_another_host_is_never_sent(home: Path, read: Any, vendor: Any) -> None:
    write(home / ".config/github-copilot/apps.json", '{"octo.example": {"oauth_token": "theirs"}}')
    with pytest.raises(MissingCredential):
        read("copilot")


def test_a_github_token_is_never_sent_to_an_enterprise(home: Path, read: Any, vendor: Any) -> None:
    write(home / ".config/github-copilot/apps.json", '{"github.com": {"oauth_token": "mine"}}')
    with pytest.raises(MissingCredential):
        read("copilot", config={"enterpriseHost": "octo.example"})


def test_a_token_with_blanks_is_a_wrong_setting(read: Any) -> None:
    with pytest.raises(Misconfigured) as raised:
        read("copilot", COPILOT_API_TOKEN="two words")
    assert "two words" not in str(raised.value)


# --- hosts.yml -------------------------------------------------------------------------------------

ENTERPRISE_FIRST = """\
# written by hand
octo.example:
    user: someone
    oauth_token: theirs
"github.com":
    users:
        ada:
            oauth_token: of-ada
        bob:
    git_protocol: https
    oauth_token: 'mine' # quoted
    user: ada
"""


def test_an_enterprise_block_before_github_is_passed_over() -> None:
    assert gh_login(ENTERPRISE_FIRST, "github.com") == GhLogin("ada", "mine")
    assert gh_login(ENTERPRISE_FIRST, "octo.example") == GhLogin("someone", "theirs")


def test_users_is_not_user() -> None:
    assert gh_login("github.com:\n    users:\n        ada:\n    git_protocol: ssh\n", "github.com") == GhLogin()


def test_only_the_active_users_token_counts() -> None:
    text = "github.com:\n  users:\n    ada:\n      oauth_token: a\n    bob:\n      oauth_token: b\n  user: bob\n"
    assert gh_login(text, "github.com") == GhLogin("bob", "b")


@pytest.mark.parametrize("text", ["", "oauth_token: x", "other:\n  oauth_token: x\n", "github.com.evil:\n  user: x"])
def test_no_block_is_no_login(text: str) -> None:
    assert gh_login(text, "github.com") is None


def test_a_host_with_a_port_has_its_own_block() -> None:
    assert gh_login("octo.example:8443:\n  oauth_token: x\n", "octo.example:8443") == GhLogin(None, "x")


@pytest.mark.parametrize("folder", ["gh-own", ".config/gh"])
def test_the_github_cli_file_is_read(home: Path, read: Any, shown: Any, folder: str) -> None:
    write(home / folder / "hosts.yml", ENTERPRISE_FIRST)
    read("copilot", **({"GH_CONFIG_DIR": str(home / folder)} if folder == "gh-own" else {}))
    assert shown() == ["token mine"]


# --- the GitHub CLI's keyring and the CLI itself -----------------------------------------------------


@pytest.mark.parametrize(
    ("value", "token"),
    [
        (" plain ", "plain"),
        ("go-keyring-base64:" + base64.b64encode(b"wrapped").decode(), "wrapped"),
        ("go-keyring-base64:***", None),
        ("go-keyring-base64:" + base64.b64encode(b"\xff\xfe").decode(), None),
        ("汉字", None),
    ],
)
def test_a_keyring_item_may_be_wrapped(value: str, token: str | None) -> None:
    assert keyring_token(value) == token


@pytest.mark.parametrize("account", ["ada", ""])
def test_the_github_clis_keyring_item_is_used(
    home: Path, read: Any, shown: Any, keyring_entries: dict[tuple[str, str], str], account: str
) -> None:
    write(home / ".config/gh/hosts.yml", "github.com:\n    user: ada\n")
    keyring_entries["gh:github.com", account] = "from-keyring"
    read("copilot")
    assert shown() == ["token from-keyring"]


SAYS_TOKEN = """\
import os, sys
assert sys.argv[1:] == ["auth", "token", "--hostname", "github.com"], sys.argv
assert "GH_TOKEN" not in os.environ
print("from-program")
"""


def test_the_github_cli_is_asked_last(read: Any, shown: Any, program: Any) -> None:
    program("gh", SAYS_TOKEN)
    read("copilot", GH_TOKEN="not-this")
    assert shown() == ["token from-program"]


def test_a_github_cli_without_login_is_no_credential(read: Any, program: Any) -> None:
    program("gh", "print('no login')\nraise SystemExit(1)")
    with pytest.raises(MissingCredential):
        read("copilot")


def test_a_keyring_that_gives_nothing_is_named_when_nothing_else_is_found(
    read: Any, keyring_entries: dict[tuple[str, str], str]
) -> None:
    keyring_entries["quotaline", "copilot"] = ""
    with pytest.raises(MissingCredential) as raised:
        read("copilot")
    assert "Unlock" in raised.value.hint


# --- detection -------------------------------------------------------------------------------------


def test_detection_reads_files_and_asks_nothing(
    reader: Any, home: Path, program: Any, keyring_entries: dict[tuple[str, str], str]
) -> None:
    program("gh", f"open({str(home / 'asked')!r}, 'w')")
    keyring_entries["gh:github.com", ""] = "k"
    ctx = reader.context("copilot")
    assert GitHubToken().probe(ctx) is None
    write(home / ".config/gh/hosts.yml", "github.com:\n    user: ada\n")
    assert GitHubToken().probe(ctx) == "~/.config/gh/hosts.yml"
    write(home / ".config/github-copilot/apps.json", apps(**{"github.com": "k"}))
    assert GitHubToken().probe(ctx) == "~/.config/github-copilot/apps.json"
    assert not (home / "asked").exists()


def test_on_a_mac_the_keyring_is_read_only_while_the_user_is_there(
    reader: Any, home: Path, keyring_entries: dict[tuple[str, str], str]
) -> None:
    write(home / ".config/gh/hosts.yml", "github.com:\n    user: ada\n")
    keyring_entries["gh:github.com", "ada"] = "from-keyring"
    mac = reader.on("darwin").context("copilot")
    with pytest.raises(MissingCredential):
        finished(GitHubToken().find(mac))
    assert finished(GitHubToken().find(replace(mac, interactive=True))).secret.reveal() == "from-keyring"


def test_windows_has_its_own_folders_and_item_names(
    reader: Any, home: Path, keyring_entries: dict[tuple[str, str], str]
) -> None:
    folders = {"APPDATA": str(home / "roaming"), "LOCALAPPDATA": str(home / "local")}
    windows = reader.on("win32").context("copilot", **folders)
    write(home / "roaming/GitHub CLI/hosts.yml", "github.com:\n    user: ada\n")
    keyring_entries["gh:github.com:ada", "ada"] = "from-windows"
    assert finished(GitHubToken().find(windows)).secret.reveal() == "from-windows"
    write(home / "local/github-copilot/apps.json", apps(**{"github.com": "plugin"}))
    assert finished(GitHubToken().find(windows)).secret.reveal() == "plugin"
