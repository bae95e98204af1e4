"""The keyring of macOS: it asks for every entry, and only a user who waits for the answer may be asked."""

from __future__ import annotations

import asyncio
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from quotaline_providers.contract import KeyringState
from quotaline_providers.hosts.keyrings import OsKeyring, Outcome
from quotaline_providers.secret import Secret
from tests import systems
from tests.hosts.mac_keychain import Keychain, installed

KEY = Secret("demo-key")


@pytest.fixture
def keychain(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keychain]:
    keychain = Keychain()
    with installed(keychain, monkeypatch):
        yield keychain
    keychain.answered.set()


@pytest.fixture
def own(keychain: Keychain, tmp_path: Path) -> OsKeyring:
    return OsKeyring(tmp_path / "keyring.json", {})


async def test_our_own_entries_ask_nobody(own: OsKeyring, keychain: Keychain) -> None:
    assert await own.store("crof", KEY)
    assert await own.own("crof") == KEY
    assert await own.remove("crof")
    assert not await own.remove("crof")
    assert (keychain.items, keychain.dialogs) == ({}, [])


async def test_a_read_in_the_background_never_asks(own: OsKeyring, keychain: Keychain) -> None:
    await own.store("crof", KEY)
    keychain.me = "python after an update"
    assert await own.own("crof") is None
    assert own.state is KeyringState.LOCKED
    assert keychain.dialogs == []
    assert keychain.interaction


async def test_what_was_granted_once_serves_the_background(own: OsKeyring, keychain: Keychain) -> None:
    keychain.put("quotaline", "crof", "demo-key", "another python")
    assert await own.prompting().own("crof") == KEY
    assert [await own.own("crof") for _ in range(3)] == [KEY] * 3
    assert own.state is KeyringState.READY
    assert keychain.dialogs == [("quotaline", "crof")]


async def test_what_the_user_denies_is_not_used_any_more(own: OsKeyring, keychain: Keychain) -> None:
    keychain.put("quotaline", "crof", "demo-key", "another python")
    await own.prompting().own("crof")
    keychain.allows = False
    assert await own.prompting().own("crof") is None
    assert own.state is KeyringState.LOCKED
    assert await own.own("crof") is None


async def test_a_grant_ends_with_what_it_was_given_for(own: OsKeyring, keychain: Keychain) -> None:
    keychain.put("quotaline", "crof", "demo-key", "another python")
    await own.prompting().own("crof")
    other = OsKeyring(own.index_path, {})
    keychain.me = "another python"
    assert await other.store("crof", Secret("newer"))
    keychain.me = "python"
    assert await own.own("crof") is None
    assert await own.prompting().own("crof") == Secret("newer")
    assert await own.own("crof") == Secret("newer")
    keychain.me = "another python"
    assert await other.remove("crof")
    assert await own.own("crof") is None
    assert own.state is KeyringState.READY


async def test_other_programs_entries_are_granted_as_ours(own: OsKeyring, keychain: Keychain) -> None:
    keychain.put("gh:github.com", "ada", "token", "gh")
    assert await own.get("gh:github.com", "ada") is None
    assert await own.prompting().get("gh:github.com", "ada") == Secret("token")
    assert await own.get("gh:github.com", "ada") == Secret("token")
    assert len(keychain.dialogs) == 1


async def test_while_a_dialog_is_open_the_background_neither_waits_nor_switches_it_off(
    own: OsKeyring, keychain: Keychain
) -> None:
    await own.store("crof", KEY)
    keychain.put("gh:github.com", "ada", "token", "gh")
    keychain.answered.clear()
    asking = asyncio.create_task(own.prompting().get("gh:github.com", "ada"))
    assert await asyncio.to_thread(keychain.shown.wait, 20)
    assert await own.own("crof") is None
    assert own.state is KeyringState.LOCKED
    assert keychain.interaction
    keychain.answered.set()
    assert await asking == Secret("token")
    assert await own.own("crof") == KEY


async def test_removing_does_not_ask_for_what_is_removed(own: OsKeyring, keychain: Keychain) -> None:
    keychain.put("quotaline", "crof", "demo-key", "another python")
    assert await own.remove("crof")
    assert keychain.dialogs == []


@pytest.mark.parametrize(
    ("status", "outcome", "state"),
    [
        (-25308, Outcome.LOCKED, KeyringState.LOCKED),  # a login by SSH has no screen for a dialog
        (-25293, Outcome.LOCKED, KeyringState.LOCKED),
        (-25307, Outcome.NO_KEYRING, KeyringState.NONE),
        (-34018, Outcome.REFUSED, KeyringState.FAILED),
    ],
)
async def test_why_nothing_is_kept_is_told(
    own: OsKeyring, keychain: Keychain, status: int, outcome: Outcome, state: KeyringState
) -> None:
    keychain.status = status
    assert (await own.store("crof", KEY)).outcome is outcome
    assert await own.own("crof") is None
    assert own.state is state


@systems.keychain
async def test_the_real_keychain_shows_no_dialog_to_the_background(tmp_path: Path) -> None:
    service = f"quotaline-test-{uuid.uuid4()}"
    own = OsKeyring(tmp_path / "keyring.json", {"PYTHON_KEYRING_BACKEND": "keyring.backends.macOS.Keyring"})
    item = ("-s", service, "-a", "ada")
    subprocess.run(["security", "add-generic-password", *item, "-w", "demo", "-T", ""], check=True)
    try:
        assert await own.get(service, "ada") is None
        assert own.state is KeyringState.LOCKED
    finally:
        subprocess.run(["security", "delete-generic-password", *item], check=True, capture_output=True)
    assert (await own.get(service, "ada"), own.state) == (None, KeyringState.READY)
