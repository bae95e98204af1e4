"""Where a GitHub token for Copilot is found, and to whom it may be shown."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.errors import ExpiredCredential, Forbidden, Misconfigured, MissingCredential
from quotaline_providers.testing import finished
from quotaline_providers.vendors.copilot.credentials import GitHubToken
from quotaline_providers.vendors.copilot.logins import GhLogin, cli_tokens, gh_login, keyring_token, plugin_token

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


# --- the plug-ins' database ------------------------------------------------------------------------


@pytest.fixture
def database(home: Path) -> Iterator[sqlite3.Connection]:
    """The open database of the newer plug-ins, whose rows are still in the write-ahead log."""
    path = home / ".config/github-copilot/auth.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("PRAGMA journal_mode=WAL")
        opened.execute("CREATE TABLE oauth_tokens (auth_authority TEXT, token_ciphertext)")
        yield opened


def keep(database: sqlite3.Connection, host: str, token: str | bytes) -> None:
    database.execute("INSERT INTO oauth_tokens VALUES (?, ?)", (host, token))
    database.commit()


@pytest.mark.parametrize("token", ["gho_mine", b"ghu_mine"])
def test_the_plugins_database_is_read(
    home: Path, read: Any, shown: Any, database: sqlite3.Connection, token: str | bytes
) -> None:
    keep(database, "octo.ghe.com", "gho_theirs")
    keep(database, "github.com", token)
    read("copilot")
    assert shown() == [f"token {token if isinstance(token, str) else token.decode()}"]


def test_the_plugins_files_come_before_their_database(
    home: Path, read: Any, shown: Any, database: sqlite3.Connection
) -> None:
    keep(database, "github.com", "gho_newer")
    write(home / ".config/github-copilot/hosts.json", apps(**{"github.com": "old"}))
    read("copilot")
    assert shown() == ["token old"]


@pytest.mark.parametrize("value", ["encrypted", b"\xff\x00", "ghr_refresh", ""])
def test_a_value_that_is_no_token_leaves_it_to_the_next_place(
    home: Path, read: Any, shown: Any, database: sqlite3.Connection, value: str | bytes
) -> None:
    keep(database, "github.com", value)
    write(home / ".config/gh/hosts.yml", "github.com:\n    oauth_token: mine\n")
    read("copilot")
    assert shown() == ["token mine"]


def test_a_database_of_another_kind_is_no_login(home: Path, read: Any, database: sqlite3.Connection) -> None:
    database.execute("DROP TABLE oauth_tokens")
    database.commit()
    with pytest.raises(MissingCredential):
        read("copilot")


# --- the Copilot CLI -------------------------------------------------------------------------------

CONFIG = """\
// written by the program: do not edit
{
  "copilotTokens": { // by host
    "https://github.com:ada": "gho_ada",
    "https://github.com:bob": {"token": "gho_bob", "refresh": "ghr_no"},
    "https://octo.ghe.com": "gho_theirs"
  }, /* the last */
  "lastLoggedInUser": {"host": "https://github.com", "login": "bob"},
  "note": "a // in a text is text"
}
// the end
"""


@pytest.mark.parametrize("folder", [".copilot", "elsewhere"])
def test_the_copilot_cli_config_is_read(home: Path, read: Any, shown: Any, folder: str) -> None:
    write(home / folder / "config.json", CONFIG)
    read("copilot", **({"COPILOT_HOME": "~/elsewhere"} if folder == "elsewhere" else {}))
    assert shown() == ["token gho_bob"]


def test_the_last_users_token_comes_first() -> None:
    assert cli_tokens(CONFIG, "github.com") == ("gho_bob", "gho_ada")
    assert cli_tokens(CONFIG, "octo.ghe.com") == ("gho_theirs",)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ('{"copilot_tokens": {"github.com": "ghu_one"}}', ("ghu_one",)),
        ('{"logins": [{"github.com": {"a": {"b": ["x", {"c": "github_pat_two"}]}}}]}', ("github_pat_two",)),
        ('{"copilotTokens": {"github.com": "ghr_refresh", "github.com.evil.test": "gho_evil"}}', ()),
        ('{"copilotTokens": {"github.com": null}}', ()),
        ("[" * 5000, ()),
        ("{", ()),
        ("", ()),
    ],
)
def test_shapes_of_the_copilot_cli_config(text: str, tokens: tuple[str, ...]) -> None:
    assert cli_tokens(text, "github.com") == tokens


# --- the environment -------------------------------------------------------------------------------


def test_the_copilot_clis_own_variable_comes_second(read: Any, shown: Any) -> None:
    read("copilot", COPILOT_API_TOKEN="one", COPILOT_GITHUB_TOKEN="two")
    read("copilot", COPILOT_GITHUB_TOKEN="two")
    assert shown() == ["token one", "token two"]


def test_the_general_variable_counts_in_a_codespace_alone(read: Any, shown: Any) -> None:
    with pytest.raises(MissingCredential):
        read("copilot", GITHUB_TOKEN="k")
    read("copilot", GITHUB_TOKEN="k", CODESPACES="true")
    assert shown() == ["token k"]


# --- data residency --------------------------------------------------------------------------------

TENANTS = {
    ".config/github-copilot/apps.json": apps(**{"octo.ghe.com:app": "theirs"}),
    ".copilot/config.json": '{"copilotTokens": {"https://octo.ghe.com": "gho_theirs"}}',
    ".config/gh/hosts.yml": "octo.ghe.com:\n    oauth_token: theirs\n",
}


@pytest.mark.parametrize("file", TENANTS)
def test_a_login_with_data_residency_needs_its_host_in_the_config(
    home: Path, read: Any, vendor: Any, file: str
) -> None:
    write(home / file, TENANTS[file])
    route = vendor("api.octo.ghe.com").get(USER).answers(quota_snapshots={"chat": {"percent_remaining": 50}})
    with pytest.raises(MissingCredential, match=r"a login of octo\.ghe\.com") as raised:
        read("copilot")
    assert "enterpriseHost" in raised.value.hint
    assert route.count == 0
    assert read("copilot", config={"enterpriseHost": "octo.ghe.com"}).windows
    with pytest.raises(MissingCredential):
        read("copilot", config={"enterpriseHost": "other.ghe.com"})


# --- one place after the other ---------------------------------------------------------------------


@pytest.fixture
def places(home: Path) -> Callable[..., None]:
    """`places(first=..., second=...)`: the tokens in a plug-in's file and in the GitHub CLI's."""

    def make(first: str, second: str) -> None:
        write(home / ".config/github-copilot/apps.json", apps(**{"github.com:app": first}))
        write(home / ".config/gh/hosts.yml", f"github.com:\n    oauth_token: {second}\n")

    return make


@pytest.fixture
def user(vendor: Any) -> Callable[[str], Any]:
    """`user(token)`: what GitHub answers to this token."""
    return lambda token: vendor("api.github.com").get(USER, headers={"Authorization": f"token {token}"})


NO_ACCESS = {"access_type_sku": "no_access", "quota_snapshots": None, "can_signup_for_limited": True}


def test_a_refused_token_in_one_place_does_not_hide_a_good_one(places: Any, user: Any, outcome: Any) -> None:
    places("revoked", "good")
    user("revoked").fails(401)
    user("good").answers(quota_snapshots={"premium_interactions": {"entitlement": 400, "percent_remaining": 25}})
    seen = outcome("copilot")
    assert seen.usage.window("premium").used_percent == 75
    assert [attempt.origin for attempt in seen.attempts] == [
        "~/.config/github-copilot/apps.json",
        "~/.config/gh/hosts.yml",
    ]


def test_an_account_without_copilot_does_not_hide_one_with_it(places: Any, user: Any, read: Any) -> None:
    places("without", "good")
    user("without").answers(**NO_ACCESS)
    user("good").answers(quota_snapshots={"chat": {"percent_remaining": 40}})
    assert read("copilot").window("chat").used_percent == 60


def test_the_last_refusal_names_all_places(places: Any, user: Any, read: Any) -> None:
    places("one", "two")
    user("one").fails(401)
    user("two").fails(401)
    with pytest.raises(ExpiredCredential) as raised:
        read("copilot")
    assert raised.value.message.endswith("Tried: ~/.config/github-copilot/apps.json, ~/.config/gh/hosts.yml.")


@pytest.mark.parametrize("status", [403, 429, 500])
def test_any_other_failure_stops(places: Any, user: Any, outcome: Any, status: int) -> None:
    places("one", "two")
    user("one").fails(status)
    assert len(outcome("copilot").attempts) == 1


def test_the_same_token_in_two_places_is_sent_once(places: Any, user: Any, read: Any) -> None:
    places("one", "one")
    route = user("one").fails(401)
    with pytest.raises(ExpiredCredential):
        read("copilot")
    assert route.count == 1


def test_a_token_the_user_gave_is_the_only_one(places: Any, user: Any, read: Any) -> None:
    places("one", "two")
    user("given").fails(401)
    with pytest.raises(ExpiredCredential):
        read("copilot", COPILOT_API_TOKEN="given")


def test_no_copilot_is_quiet_where_nobody_set_it_up(places: Any, user: Any, read: Any) -> None:
    places("one", "two")
    for token in ("one", "two", "given"):
        user(token).answers(**NO_ACCESS)
    with pytest.raises(Forbidden, match="has no Copilot") as raised:
        read("copilot")
    assert (raised.value.quiet, raised.value.definite) == (True, True)
    assert "free plan" in raised.value.hint
    with pytest.raises(Forbidden) as raised:
        read("copilot", config={"apiKey": "given"})
    assert not raised.value.quiet


def test_nothing_found_is_quiet_and_an_account_without_free_plan_is_told_less(user: Any, read: Any) -> None:
    with pytest.raises(MissingCredential) as missing:
        read("copilot")
    assert missing.value.quiet
    user("given").answers(access_type_sku="no_access", quota_snapshots={})
    with pytest.raises(Forbidden) as raised:
        read("copilot", COPILOT_API_TOKEN="given")
    assert "free plan" not in raised.value.hint


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
    assert "Give it again" in raised.value.hint


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


def test_on_a_mac_which_asks_for_other_programs_items_the_cli_is_asked_first(
    reader: Any, home: Path, program: Any, keyring_entries: dict[tuple[str, str], str]
) -> None:
    write(home / ".config/gh/hosts.yml", "github.com:\n    user: ada\n")
    keyring_entries["gh:github.com", "ada"] = "from-keyring"
    mac = reader.on("darwin").context("copilot")
    assert finished(GitHubToken().find(mac)).secret.reveal() == "from-keyring"
    program("gh", SAYS_TOKEN)
    assert finished(GitHubToken().find(mac)).secret.reveal() == "from-program"


def test_windows_has_its_own_folders(reader: Any, home: Path, keyring_entries: dict[tuple[str, str], str]) -> None:
    folders = {"APPDATA": str(home / "roaming"), "LOCALAPPDATA": str(home / "local")}
    windows = reader.on("win32").context("copilot", **folders)
    write(home / "roaming/GitHub CLI/hosts.yml", "github.com:\n    user: ada\n")
    keyring_entries["gh:github.com", "ada"] = "from-windows"
    assert finished(GitHubToken().find(windows)).secret.reveal() == "from-windows"
    write(home / "local/github-copilot/apps.json", apps(**{"github.com": "plugin"}))
    assert finished(GitHubToken().find(windows)).secret.reveal() == "plugin"
