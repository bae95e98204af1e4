"""A credential given to Quotaline is the one that is used, or the user is told what comes before it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.command import Command
from tests.server.lsp_client import Desk
from tests.server.test_cli_credentials import KEYRING

CONFIG = """{
  "version": 1,
  "providers": [
    {"id": "openrouter", "apiKey": "demo-old", "refreshMinutes": 7, "ourOwnNote": "kept"},
    {"id": "nobody-we-know", "apiKey": "theirs"}
  ]
}
"""


@pytest.fixture
def with_keyring(tmp_path: Path) -> dict[str, str]:
    """The variables of a user whose keyring works."""
    (tmp_path / "demo_keyring.py").write_text(KEYRING)
    return {
        "PYTHONPATH": str(tmp_path),
        "PYTHON_KEYRING_BACKEND": "demo_keyring.Keyring",
        "DEMO_KEYRING": str(tmp_path / "entries.json"),
    }


@pytest.fixture
def user(quotaline: Command, with_keyring: dict[str, str]) -> Command:
    return quotaline.with_variables(**with_keyring)


@pytest.fixture
def bearers(vendor: Any) -> list[str]:
    """The keys OpenRouter was asked with; every one is good."""
    seen: list[str] = []

    def answer(request: Any) -> object:
        seen.append(request.headers["authorization"].removeprefix("Bearer "))
        return {"data": {"total_credits": 40, "total_usage": 10}}

    host = vendor("openrouter.ai")
    host.get("/api/v1/key").fails(500)
    host.get("/api/v1/credits").answers_with(answer)
    return seen


def write(home: Path, path: str, content: object) -> Path:
    file = home / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    file.chmod(0o600)
    return file


def test_an_older_key_in_our_file_gives_way_and_nothing_else_changes(user: Command, bearers: list[str]) -> None:
    config = write(user.home, ".config/quotaline/config.json", CONFIG)
    kept = user("set-credential", "openrouter", given="demo-new")
    assert kept.out == (f"OpenRouter: It was saved in the system keyring. The older one was removed from {config}.\n")
    assert config.read_text() == CONFIG.replace('"apiKey": "demo-old", ', "")
    assert user("usage").code == 0
    assert bearers == ["demo-new"]


def test_a_file_that_cannot_be_changed_is_named(user: Command) -> None:
    config = write(user.home, ".config/quotaline/config.json", CONFIG[:-3])
    kept = user("set-credential", "openrouter", given="demo-new")
    assert kept.code == 0
    assert "could not be removed" in kept.out
    assert config.read_text() == CONFIG[:-3]


def test_an_older_key_in_codexbars_file_is_not_used_and_not_touched(user: Command, bearers: list[str]) -> None:
    theirs = {"version": 1, "providers": [{"id": "openrouter", "enabled": True, "apiKey": "demo-theirs"}]}
    file = write(user.home, ".config/codexbar/config.json", theirs)
    assert user("usage").code == 0
    kept = user("set-credential", "openrouter", given="demo-new")
    assert kept.out == "OpenRouter: It was saved in the system keyring.\n"
    assert user("usage").code == 0
    assert json.loads(file.read_text()) == theirs
    assert user("remove-credential", "openrouter").code == 0
    assert user("usage").code == 0
    assert bearers == ["demo-theirs", "demo-new", "demo-theirs"]


def test_an_account_of_the_config_takes_its_key_from_the_keyring_once_it_is_there(
    user: Command, bearers: list[str]
) -> None:
    account = {"label": "Work", "token": "demo-old", "organizationId": "org-7"}
    entry = {"id": "openrouter", "tokenAccounts": {"version": 1, "activeIndex": 0, "accounts": [account]}}
    config = write(user.home, ".config/quotaline/config.json", {"version": 1, "providers": [entry]})
    before = config.read_text()
    kept = user("set-credential", "openrouter", "--account", "work", given="demo-new")
    assert "used instead of the one in the config file for Work" in kept.out
    assert user("usage").code == 0
    assert bearers == ["demo-new"]
    assert config.read_text() == before
    assert user("providers", "openrouter", "--format", "json").json[0]["accounts"] == ["Work"]


def test_the_first_key_stays_when_an_account_is_added(quotaline: Command, bearers: list[str]) -> None:
    quotaline("set-credential", "openrouter", given="demo-first")
    added = quotaline("set-credential", "openrouter", "--account", "Work", given="demo-work")
    assert "The one without a label stays an account of its own" in added.out
    assert quotaline("usage", "--all-accounts").code == 0
    assert sorted(bearers) == ["demo-first", "demo-work"]
    again = quotaline("set-credential", "openrouter", "--account", "Lab", given="demo-lab")
    assert "without a label" not in again.out
    assert "active account" not in added.out
    assert "Lab is the active account now, which the status line shows." in again.out


def test_a_key_of_the_environment_that_an_account_takes_the_place_of_is_told(quotaline: Command) -> None:
    user = quotaline.with_variables(OPENROUTER_API_KEY="demo-ambient")
    added = user("set-credential", "openrouter", "--account", "Work", given="demo-work")
    assert "It is read instead of the environment variable OPENROUTER_API_KEY from now on." in added.out


def test_a_key_that_an_account_replaces_is_told(quotaline: Command) -> None:
    quotaline("set-credential", "copilot", given="demo-first")
    added = quotaline("set-credential", "copilot", "--account", "Work", given="demo-work")
    assert "It is read instead of the one in config from now on." in added.out


@pytest.mark.parametrize("works", [True, False], ids=["keyring", "config"])
def test_an_account_is_removed_in_any_letters(quotaline: Command, with_keyring: dict[str, str], works: bool) -> None:
    user = quotaline.with_variables(**with_keyring) if works else quotaline
    user("set-credential", "openrouter", "--account", "Work", given="demo-work")
    user("set-credential", "openrouter", "--account", "WORK", given="demo-newer")
    assert user("remove-credential", "openrouter", "--account", "work").code == 0
    assert user("remove-credential", "openrouter", "--account", "Work").code == 1


def test_what_the_keyring_does_not_keep_takes_the_place_of_the_older_one_in_it(
    user: Command, bearers: list[str], tmp_path: Path
) -> None:
    assert user("set-credential", "openrouter", "--account", "Work", given="demo-old").code == 0
    kept = user("set-credential", "openrouter", "--account", "work", given="demo-new", DEMO_FULL="1")
    assert kept.code == 0
    assert "The system keyring did not keep it, so it was saved in" in kept.out
    assert "older" not in kept.out
    assert json.loads((tmp_path / "entries.json").read_text()) == {}
    assert user("usage").code == 0
    assert bearers == ["demo-new"]


def test_an_older_one_that_the_keyring_does_not_let_go_is_not_used_any_more(user: Command, bearers: list[str]) -> None:
    assert user("set-credential", "openrouter", "--account", "Work", given="demo-old").code == 0
    kept = user("set-credential", "openrouter", "--account", "Work", given="demo-new", DEMO_FULL="1", DEMO_STUBBORN="1")
    assert "An older one is still in the keyring; it is not used any more." in kept.out
    assert user("usage").code == 0
    assert bearers == ["demo-new"]


def test_what_comes_first_is_told(user: Command) -> None:
    kept = user("set-credential", "codebuff", given="demo-new", CODEBUFF_API_KEY="demo-env")
    assert "The environment variable CODEBUFF_API_KEY takes precedence, though" in kept.out
    assert "demo-" not in kept.out
    entry = {"id": "openrouter", "apiKeyEnv": "MY_KEY"}
    write(user.home, ".config/quotaline/config.json", {"version": 1, "providers": [entry]})
    kept = user("set-credential", "openrouter", given="demo-new", MY_KEY="demo-env")
    assert "The environment variable MY_KEY takes precedence, though" in kept.out
    assert "takes precedence" not in user("set-credential", "openrouter", given="k", OPENROUTER_API_KEY="demo-env").out


def test_the_cookie_of_a_provider_without_keys_is_kept_where_it_is_looked_for(user: Command, tmp_path: Path) -> None:
    assert user("set-credential", "codex", given="session=demo").code == 0
    assert json.loads((tmp_path / "entries.json").read_text()) == {"quotaline codex/cookie": "session=demo"}
    assert user("remove-credential", "codex").code == 0
    assert json.loads((tmp_path / "entries.json").read_text()) == {}


@pytest.fixture
def desk(environ: dict[str, str], home: Path, with_keyring: dict[str, str]) -> Iterator[Desk]:
    with Desk({**environ, **with_keyring}, home) as desk:
        yield desk


def test_an_open_editor_goes_over_to_the_new_key(desk: Desk, bearers: list[str]) -> None:
    desk.write(
        ".config/codexbar/config.json", {"version": 1, "providers": [{"id": "openrouter", "apiKey": "demo-old"}]}
    )
    client = desk.open()
    first = client.usage(lambda params: any(one["windows"] for one in params["providers"]), timeout=20)
    assert first["providers"][0]["id"] == "openrouter"
    assert desk.run("set-credential", "openrouter", stdin="demo-new").returncode == 0
    client.usage(
        lambda params: bearers[-1] == "demo-new" and any(one["windows"] for one in params["providers"]), timeout=20
    )
    assert set(bearers) == {"demo-old", "demo-new"}
    assert bearers[-1] == "demo-new"
    assert client.shut_down() == 0
