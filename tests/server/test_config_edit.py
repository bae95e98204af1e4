"""Changing the config file: only what must change, and never a broken file."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from quotaline.config import edit
from quotaline.config.edit import rewritten
from quotaline_providers.errors import Misconfigured
from quotaline_providers.secret import Secret
from tests import systems
from tests.server.config_world import Folder, document, install

USERS_OWN = """{
    "hooks": {"enabled": false},
    "version": 1,
    "mine": [1,  2],
    "providers": [
        { "enabled": true, "id": "nobody", "apiKey": "demo" },
        {
            "id": "or",
            "newThing": {"a": 1},
            "enabled": true
        }
    ]
}
"""


@pytest.fixture(autouse=True)
def providers(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_only_the_value_changes(folder: Folder) -> None:
    path = folder.write(USERS_OWN)
    edit.set_enabled(path, "openrouter", False)
    assert path.read_text() == USERS_OWN.replace('"enabled": true\n', '"enabled": false\n')


def test_a_new_key_stands_behind_the_others(folder: Folder) -> None:
    path = folder.write(USERS_OWN)
    edit.set_field(path, "openrouter", "source", "api")
    assert path.read_text() == USERS_OWN.replace('"enabled": true\n', '"enabled": true,\n            "source": "api"\n')


def test_a_new_entry_stands_behind_the_others(folder: Folder) -> None:
    path = folder.write(USERS_OWN)
    edit.set_enabled(path, "kiro", True)
    changed = path.read_text()
    assert changed.startswith(USERS_OWN[: USERS_OWN.rindex("\n    ]")])
    assert json.loads(changed)["providers"][2] == {"id": "kiro", "enabled": True}
    assert list(json.loads(changed)) == ["hooks", "version", "mine", "providers"]


def test_none_takes_a_key_out(folder: Folder) -> None:
    path = folder.write(USERS_OWN)
    edit.set_field(path, "openrouter", "enabled", None)
    assert path.read_text() == USERS_OWN.replace(',\n            "enabled": true\n', "\n")


def test_what_is_so_already_is_not_written(folder: Folder) -> None:
    path = folder.write(USERS_OWN)
    before = path.stat().st_ino
    edit.set_enabled(path, "openrouter", True)
    assert path.stat().st_ino == before


def test_a_fresh_file_is_made_with_its_folders_for_the_user_alone(folder: Folder) -> None:
    edit.set_enabled(folder.own, "kiro", False)
    assert json.loads(folder.own.read_text()) == {"version": 1, "providers": [{"id": "kiro", "enabled": False}]}
    if os.name == "posix":
        assert stat.S_IMODE(folder.own.stat().st_mode) == 0o600
    assert sorted(os.listdir(folder.own.parent)) == [".config.json.lock", "config.json"]


def test_an_edit_takes_others_permissions_away(folder: Folder) -> None:
    path = folder.write(USERS_OWN, mode=0o644)
    edit.set_enabled(path, "openrouter", False)
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@systems.links
def test_a_link_stays_a_link(folder: Folder) -> None:
    target = folder.home / "dotfiles.json"
    target.write_text(document())
    folder.own.parent.mkdir(parents=True)
    folder.own.symlink_to(target)
    edit.set_enabled(folder.own, "kiro", True)
    assert folder.own.is_symlink()
    assert "kiro" in target.read_text()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1, "providers": {}}', '{"version": 1, "providers": [}'])
def test_a_broken_file_is_left_alone(folder: Folder, text: str) -> None:
    path = folder.write(text)
    with pytest.raises(Misconfigured, match="not changed"):
        edit.set_enabled(path, "kiro", True)
    assert path.read_text() == text


def test_what_does_not_exist_is_refused(folder: Folder) -> None:
    for provider, field, value in [
        ("nobody", "enabled", True),
        ("kiro", "apiKey", "k"),
        ("kiro", "id", "zai"),
        ("zai", "enabled", "perhaps"),
        ("zai", "source", "magic"),
    ]:
        with pytest.raises(Misconfigured):
            edit.set_field(folder.own, provider, field, value)
    assert not folder.own.exists()


def test_the_starter_text_is_valid(folder: Folder) -> None:
    edit.create(folder.own)
    assert folder.own.read_text() == edit.starter_text()
    assert folder.load().diagnostics == ()
    folder.write(USERS_OWN)
    edit.create(folder.own)
    assert folder.own.read_text() == USERS_OWN


def test_a_folder_that_takes_no_file(folder: Folder) -> None:
    (folder.home / "plain").write_text("")
    with pytest.raises(Misconfigured, match="cannot be written"):
        edit.set_enabled(folder.home / "plain/config.json", "kiro", True)


# --- credentials ---


def test_a_key_is_kept_and_removed(folder: Folder) -> None:
    edit.store_credential(folder.own, "or", Secret("k"))
    assert folder.load().config.provider("openrouter").api_key == "k"
    assert edit.remove_credential(folder.own, "openrouter")
    assert not edit.remove_credential(folder.own, "openrouter")
    assert json.loads(folder.own.read_text())["providers"] == [{"id": "openrouter"}]


def test_a_cookie_goes_where_cookies_go(folder: Folder) -> None:
    edit.store_credential(folder.own, "sakana", Secret("a=b"))
    edit.store_credential(folder.own, "claude", Secret("a=b"), "cookie")
    config = folder.load().config
    assert [config.provider(id).cookie_header for id in ("sakana", "claude")] == ["a=b", "a=b"]


def test_a_labelled_credential_is_an_account_and_the_active_one(folder: Folder) -> None:
    for label, key in (("Work", "a"), ("Home", "b"), ("work", "c")):
        edit.store_credential(folder.own, "zai", Secret(key), label)
    config = folder.load().config
    assert [(item.label, item.token) for item in config.accounts("zai")] == [
        ("Work", Secret("c")),
        ("Home", Secret("b")),
    ]
    active = config.active_account("zai")
    assert active is not None
    assert active.label == "Work"
    account = json.loads(folder.own.read_text())["providers"][0]["tokenAccounts"]["accounts"][0]
    assert len(account["id"]) == 36
    assert isinstance(account["addedAt"], int)
    assert edit.remove_credential(folder.own, "zai", "WORK")
    assert [item.label for item in folder.load().config.accounts("zai")] == ["Home"]
    assert edit.remove_credential(folder.own, "zai", "Home")
    assert not edit.remove_credential(folder.own, "zai", "Home")


def test_a_label_needs_a_provider_with_accounts(folder: Folder) -> None:
    with pytest.raises(Misconfigured, match="does not support"):
        edit.store_credential(folder.own, "kiro", Secret("k"), "Work")


def test_removing_from_no_file_makes_none(folder: Folder) -> None:
    assert not edit.remove_credential(folder.own, "zai")
    assert not folder.own.exists()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


@given(before=OBJECTS, after=OBJECTS, indent=st.sampled_from([None, 1, 4]))
def test_a_rewritten_text_says_what_it_must(
    before: dict[str, object], after: dict[str, object], indent: int | None
) -> None:
    assert json.loads(rewritten(json.dumps(before, indent=indent), before, after)) == after
