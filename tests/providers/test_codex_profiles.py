"""Several Codex homes: which accounts they are, which one is active, and that each is read with its own login alone."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.contract import Account, Profiles
from quotaline_providers.errors import MissingCredential
from quotaline_providers.testing import Read
from quotaline_providers.vendors.codex.profiles import profiles
from tests import systems
from tests.providers.codex_login import id_token, tokens, write_login

SESSION = {"primary_window": {"used_percent": 21, "limit_window_seconds": 18000}}


def login(email: str, account: str = "acc-1", access: str = "demo-token") -> dict[str, object]:
    return {"tokens": tokens(access, id_token=id_token(email), account_id=account)}


@pytest.fixture
def found(reader: Any) -> Callable[..., Profiles]:
    """`found(paths, **settings)`: the accounts of these homes."""

    def look(paths: object, environment: dict[str, str] | None = None, **settings: object) -> Profiles:
        config = {"codexProfileHomePaths": paths, **settings}
        return profiles(reader.context("codex", config, **(environment or {})))

    return look


def labels(found: Profiles) -> list[str]:
    return [account.label for account in found.accounts]


def test_each_home_is_an_account_beside_the_usual_one(found: Callable[..., Profiles], home: Path) -> None:
    write_login(home)
    write_login(home, login("eve@demo.test"), ".codex-work")
    seen = found(["~/.codex-work", str(home / "lab/.codex")])
    assert labels(seen) == ["codex-work", "lab"]
    assert [account.home for account in seen.accounts] == [home / ".codex-work", home / "lab/.codex"]
    assert (seen.usual, seen.active) == (True, None)


@pytest.mark.parametrize("setting", [None, "~/.codex-work", [3, "", "relative/path", None], []])
def test_only_absolute_paths_and_those_of_the_own_home_count(found: Callable[..., Profiles], setting: object) -> None:
    assert found(setting) == Profiles()


def test_equal_folder_names_are_told_apart(found: Callable[..., Profiles]) -> None:
    assert labels(found(["~/a/Work", "~/b/work", "~/c/.work"])) == ["Work", "work (2)", "work (3)"]


def test_one_account_in_two_homes_is_one(found: Callable[..., Profiles], home: Path) -> None:
    write_login(home, login("ada@demo.test"))
    write_login(home, login("ADA@demo.test"), "same")
    write_login(home, login("ada@demo.test", "acc-2"), "other-workspace")
    write_login(home, login("ada@demo.test", "acc-2"), "again")
    seen = found(["~/same", "~/.codex", "~/other-workspace", "~/other-workspace", "~/again"])
    assert labels(seen) == ["other-workspace"]


@pytest.mark.parametrize("content", ["{torn", "[]", '{"OPENAI_API_KEY": "k"}'])
def test_a_home_without_a_usable_login_stays_an_account(
    found: Callable[..., Profiles], home: Path, content: str
) -> None:
    write_login(home, content, "one")
    write_login(home, content, "two")
    assert labels(found(["~/one", "~/two"])) == ["one", "two"]


@systems.pipes
def test_a_pipe_in_a_files_place_holds_nobody(found: Callable[..., Profiles], home: Path) -> None:
    for folder, name in (("one", "auth.json"), (".codex", "config.toml")):
        (home / folder).mkdir()
        os.mkfifo(home / folder / name)
    seen = found(["~/one"])
    assert (labels(seen), seen.usual) == (["one"], False)


def test_without_a_login_the_usual_home_is_no_account(found: Callable[..., Profiles], home: Path) -> None:
    assert not found(["~/work"]).usual
    (home / ".codex").mkdir()
    (home / ".codex/config.toml").write_text('cli_auth_credentials_store = "keyring"\n')
    assert found(["~/work"]).usual
    assert not found(["~/work"], {"CODEX_HOME": str(home / "elsewhere")}).usual


@pytest.mark.parametrize(
    ("choice", "active"),
    [
        ({"kind": "liveSystem"}, ""),
        ({"kind": "liveSystem", "homePath": "~/work"}, "work"),
        ({"kind": "profileHome", "homePath": "~/.codex"}, ""),
        ({"kind": "profileHome", "homePath": "~/gone"}, None),
        ({"kind": "managedAccount", "accountID": "7"}, None),
        ("work", None),
    ],
)
def test_which_account_is_active(
    found: Callable[..., Profiles], home: Path, choice: object, active: str | None
) -> None:
    write_login(home)
    assert found(["~/work", "~/play"], codexActiveSource=choice).active == active


def test_an_account_that_is_not_there_is_not_active(found: Callable[..., Profiles]) -> None:
    assert found(["~/work"], codexActiveSource={"kind": "liveSystem"}).active is None


# --- reading one -----------------------------------------------------------------------------------


@pytest.fixture
def work(home: Path) -> Account:
    """The account in `~/work`."""
    return Account("work", home=home / "work")


def test_a_profile_is_read_with_its_own_login(vendor: Any, read: Read, home: Path, work: Account) -> None:
    write_login(home)
    write_login(home, login("eve@demo.test", "acc-2", "work-token"), "work")
    chatgpt = vendor("chatgpt.com")
    chatgpt.get("/backend-api/wham/usage", bearer="work-token", headers={"ChatGPT-Account-Id": "acc-2"}).answers(
        rate_limit=SESSION
    )
    chatgpt.get("/backend-api/wham/rate-limit-reset-credits", bearer="work-token").fails(404)
    usage = read("codex", account=work, config={"workspaceID": "the-usual-one"}, CODEX_HOME=str(home / "other"))
    assert usage.identity.email == "eve@demo.test"


def test_no_other_login_stands_in(read: Read, home: Path, work: Account) -> None:
    write_login(home, {"personal_access_token": "demo-pat", "tokens": tokens()})
    write_login(home, None, ".config/codex")
    with pytest.raises(MissingCredential, match="~/work") as raised:
        read("codex", account=work, config={"externalSources": True})
    assert "CODEX_HOME" in raised.value.hint


def test_the_program_gets_the_profiles_home(
    read: Read, home: Path, work: Account, program: Callable[[str, str], Path]
) -> None:
    limits = {"primary": {"usedPercent": 5, "windowDurationMins": 300}}
    script = f"""
import json, os, sys
assert os.environ["CODEX_HOME"] == {str(home / "work")!r}
for line in sys.stdin:
    id = json.loads(line).get("id")
    id and print(json.dumps({{"id": id, "result": {{"rateLimits": json.loads({json.dumps(limits)!r})}}}}), flush=True)
"""
    program("codex", script)
    assert read("codex", account=work).window("session").used_percent == 5
