"""The keyring of Windows: little fits into an entry, and other programs write what Python's library misreads."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend

from quotaline_providers.contract import KeyringState
from quotaline_providers.hosts.keyrings import OsKeyring, Outcome
from quotaline_providers.secret import Secret
from tests import systems
from tests.hosts.windows_vault import LARGEST_BLOB, Vault, installed

LONG = "".join(chr(33 + number % 90) for number in range(5000))


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
def library(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyringBackend]:
    with installed(vault, monkeypatch) as backend:
        yield backend


@pytest.fixture
def own(library: KeyringBackend, tmp_path: Path) -> OsKeyring:
    return OsKeyring(tmp_path / "keyring.json", {})


async def read(own: OsKeyring, service: str, account: str) -> str | None:
    secret = await own.get(service, account)
    return secret.reveal() if secret else None


# --- long values -----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [LONG[:1], LONG[:1280], LONG[:1281], LONG, LONG[:1279] + "🔑" * 700, "ключ" * 400])
async def test_a_value_of_any_length_comes_back(own: OsKeyring, vault: Vault, value: str) -> None:
    assert await own.store("codex", Secret(value), "Work")
    assert await own.own("codex", "Work") == Secret(value)
    assert own.labels("codex") == ("Work",)
    assert all(len(blob) <= LARGEST_BLOB for _, _, blob in vault.entries.values())
    assert await own.remove("codex", "Work")
    assert vault.entries == {}


async def test_a_value_that_fits_is_one_entry_that_the_library_finds(
    own: OsKeyring, vault: Vault, library: KeyringBackend
) -> None:
    await own.store("crof", Secret(LONG[:1280]))
    assert vault.targets() == ["crof@quotaline"]
    assert library.get_password("quotaline", "crof") == LONG[:1280]


@pytest.mark.parametrize(("first", "second"), [(LONG, "short"), ("short", LONG), (LONG, LONG[::-1])])
async def test_another_length_replaces_all_of_it(own: OsKeyring, vault: Vault, first: str, second: str) -> None:
    await own.store("crof", Secret(second), "other")
    entries = len(vault.entries)
    await own.store("crof", Secret(first))
    assert await own.store("crof", Secret(second))
    assert await own.own("crof") == await own.own("crof", "other") == Secret(second)
    assert len(vault.entries) == 2 * entries


async def test_whoever_reads_while_it_is_replaced_gets_a_whole_value(own: OsKeyring, vault: Vault) -> None:
    await own.store("crof", Secret(LONG))
    older = dict(vault.entries)
    await own.store("crof", Secret(LONG[::-1]))
    newer = dict(vault.entries)
    vault.entries.clear()
    vault.entries.update(older)

    def replace(target: str) -> None:
        if target.endswith(".2"):
            vault.entries.clear()
            vault.entries.update(newer)

    vault.on_read = replace
    assert await own.own("crof") == Secret(LONG[::-1])


async def test_half_a_value_is_none(own: OsKeyring, vault: Vault) -> None:
    await own.store("crof", Secret(LONG))
    vault.entries.pop(next(name for name in vault.entries if name.endswith(".2")))
    assert await own.own("crof") is None
    assert await own.remove("crof")
    assert vault.entries == {}


@pytest.mark.parametrize("writes", [0, 1, 4])
async def test_after_a_write_that_failed_neither_the_old_nor_half_of_the_new_is_left(
    own: OsKeyring, vault: Vault, writes: int
) -> None:
    await own.store("crof", Secret("old"), "Work")
    vault.writes_left = writes
    stored = await own.store("crof", Secret(LONG), "Work")
    assert (stored.outcome, stored.older_left) == (Outcome.REFUSED, False)
    assert own.labels("crof") == ()
    assert vault.entries == {}


async def test_what_is_too_long_for_any_number_of_entries_is_told(own: OsKeyring, vault: Vault) -> None:
    await own.store("crof", Secret("old"))
    assert (await own.store("crof", Secret("x" * 81_921))).outcome is Outcome.TOO_LONG
    assert (own.labels("crof"), vault.entries) == ((), {})
    assert await own.store("crof", Secret("x" * 81_920))


async def test_a_session_without_credentials_has_no_keyring(own: OsKeyring, vault: Vault) -> None:
    vault.has_session = False
    assert (await own.store("crof", Secret("k"))).outcome is Outcome.NO_KEYRING
    assert await own.own("crof") is None
    assert own.state is KeyringState.NONE


async def test_what_the_library_has_kept_is_read_and_replaced(
    own: OsKeyring, vault: Vault, library: KeyringBackend
) -> None:
    for account, value in (("crof", "first"), ("crof/Work", "second")):
        library.set_password("quotaline", account, value)
    assert vault.targets() == ["crof@quotaline", "quotaline"]
    assert await own.own("crof") == Secret("first")
    assert await own.own("crof", "Work") == Secret("second")
    await own.store("crof", Secret("third"), "Work")
    assert vault.targets() == ["crof/Work@quotaline", "crof@quotaline"]
    assert await own.own("crof", "Work") == Secret("third")


# --- other programs' entries -----------------------------------------------------------------------


@pytest.mark.parametrize("target", ["gh:github.com:ada", "gh:github.com/ada", "ada.gh:github.com", "gh:github.com"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16"])
@pytest.mark.parametrize("length", [1, 2, 40, 41, 93])
async def test_tokens_of_other_programs_are_read_as_they_are(
    own: OsKeyring, vault: Vault, target: str, encoding: str, length: int
) -> None:
    vault.put(target, "ada", LONG[:length].encode(encoding))
    assert await read(own, "gh:github.com", "ada") == LONG[:length]


async def test_of_another_account_nothing_is_given(own: OsKeyring, vault: Vault) -> None:
    vault.put("gh:github.com", "eve", b"k")
    assert await read(own, "gh:github.com", "ada") is None
    vault.put("gh:github.com:", "", b"k2")
    vault.entries.pop("gh:github.com")
    assert await read(own, "gh:github.com", "") == "k2"


async def test_what_is_no_text_is_none(own: OsKeyring, vault: Vault) -> None:
    vault.put("gh:github.com:ada", "ada", b"\xff\xfe\xff")
    assert await read(own, "gh:github.com", "ada") is None
    assert own.state is KeyringState.READY


# --- the real one ----------------------------------------------------------------------------------


@systems.credential_manager
async def test_the_real_credential_manager_keeps_values_of_any_length(tmp_path: Path) -> None:
    backend = {"PYTHON_KEYRING_BACKEND": "keyring.backends.Windows.WinVaultKeyring"}
    own, provider = OsKeyring(tmp_path / "keyring.json", backend), f"test-{uuid.uuid4()}"
    try:
        for value in (LONG[:1280], LONG[:1281], LONG, "short"):
            for label in ("", "Work"):
                assert await own.store(provider, Secret(value), label)
                assert await own.own(provider, label) == Secret(value)
    finally:
        assert [await own.remove(provider), await own.remove(provider, "Work")] == [True, True]
    assert await own.own(provider) is None
