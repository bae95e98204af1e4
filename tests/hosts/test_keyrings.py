"""The OS keyring: with keyrings of every temper in its place, and the list of what it keeps."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null
from keyring.errors import KeyringLocked, PasswordDeleteError

from quotaline_providers.contract import KeyringState
from quotaline_providers.hosts.keyrings import Index, OsKeyring, calls
from quotaline_providers.secret import Secret
from tests import systems

SECRET = Secret("demo-token")


class Drawer(KeyringBackend):
    """A keyring that works, in memory."""

    priority = -100  # never chosen by the library itself
    name = "Drawer"

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError


class Locked(Drawer):
    """One whose user does not give the password."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked(f"no entry for {SECRET.reveal()}")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked(f"cannot keep {password}")


class Forgetful(Drawer):
    """One that says it keeps a secret and does not."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class Asking(Drawer):
    """One that waits for a person until `opened` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = threading.Event()
        self.asked = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        self.opened.wait(20)
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.opened.wait(20)
        super().set_password(service, username, password)


class Broken(Drawer):
    """One whose library fails in an unforeseen way."""

    def get_password(self, service: str, username: str) -> str | None:
        raise ZeroDivisionError


def use(backend: KeyringBackend) -> None:
    keyring.set_keyring(backend)


@pytest.fixture(autouse=True)
def usual_keyring() -> Iterator[None]:
    usual = keyring.core._keyring_backend
    yield
    keyring.core._keyring_backend = usual


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "state" / "keyring.json"


@pytest.fixture
def own(index: Path) -> OsKeyring:
    return OsKeyring(index, {})


@pytest.fixture
def drawer() -> Drawer:
    backend = Drawer()
    use(backend)
    return backend


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asking]:
    monkeypatch.setattr(calls, "TIMEOUT", 0.2)
    backend = Asking()
    use(backend)
    yield backend
    backend.opened.set()


# --- a keyring that works --------------------------------------------------------------------------


async def test_a_stored_credential_comes_back(own: OsKeyring, drawer: Drawer) -> None:
    assert await own.store("crof", SECRET)
    assert drawer.kept == {("quotaline", "crof"): "demo-token"}
    assert await own.own("crof") == SECRET
    assert own.labels("crof") == ("",)


async def test_labelled_credentials_live_side_by_side(own: OsKeyring, drawer: Drawer) -> None:
    await own.store("crof", SECRET)
    await own.store("crof", Secret("k"), "work")
    assert set(drawer.kept) == {("quotaline", "crof"), ("quotaline", "crof/work")}
    assert own.labels("crof") == ("", "work")
    assert await own.own("crof", "work") == Secret("k")


async def test_a_removed_credential_is_gone(own: OsKeyring, drawer: Drawer) -> None:
    await own.store("crof", SECRET)
    await own.store("crof", SECRET, "work")
    assert await own.remove("crof")
    assert own.labels("crof") == ("work",)
    assert await own.own("crof") is None
    assert await own.remove("crof", "work")
    assert drawer.kept == {}


async def test_nothing_to_remove_is_told(own: OsKeyring, drawer: Drawer) -> None:
    assert not await own.remove("crof")


async def test_an_entry_taken_out_elsewhere_leaves_the_list_when_removed(own: OsKeyring, drawer: Drawer) -> None:
    await own.store("crof", SECRET)
    drawer.kept.clear()
    assert await own.own("crof") is None
    assert await own.remove("crof")
    assert own.labels("crof") == ()


async def test_entries_of_other_programs_can_be_read(own: OsKeyring, drawer: Drawer) -> None:
    drawer.kept["Some CLI", "ada"] = "k"
    assert await own.get("Some CLI", "ada") == Secret("k")
    assert await own.get("Some CLI", "eve") is None


async def test_storing_again_replaces(own: OsKeyring, drawer: Drawer) -> None:
    await own.store("crof", Secret("k"))
    assert await own.store("crof", SECRET)
    assert await own.own("crof") == SECRET
    assert own.labels("crof") == ("",)


async def test_an_empty_credential_is_not_kept(own: OsKeyring, drawer: Drawer) -> None:
    assert not await own.store("crof", Secret(""))
    assert own.labels("crof") == ()


async def test_its_name_is_told(own: OsKeyring, drawer: Drawer) -> None:
    assert await own.backend_name() == "Drawer"


async def test_the_environment_may_name_the_keyring(index: Path, drawer: Drawer) -> None:
    named = OsKeyring(index, {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"})
    assert await named.backend_name() == "none"
    assert not await named.store("crof", SECRET)


async def test_a_keyring_that_cannot_be_loaded_is_none(index: Path) -> None:
    named = OsKeyring(index, {"PYTHON_KEYRING_BACKEND": "no.such.Keyring"})
    assert (await named.backend_name()).startswith("none")
    assert await named.own("crof") is None


# --- keyrings that do not work ---------------------------------------------------------------------


class Chain(chainer.ChainerBackend):
    """A chain of keyrings none of which works."""

    backends = (fail.Keyring(), null.Keyring())  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("kind", [fail.Keyring, null.Keyring, Chain])
async def test_a_keyring_that_keeps_nothing_is_none(own: OsKeyring, kind: type[KeyringBackend]) -> None:
    use(kind())
    assert not await own.store("crof", SECRET)
    assert await own.own("crof") is None
    assert not await own.remove("crof")
    assert await own.backend_name() == "none"
    assert own.labels("crof") == ()
    assert own.state is KeyringState.NONE


@pytest.mark.parametrize(
    ("backend", "state"),
    [(Locked(), KeyringState.LOCKED), (Forgetful(), KeyringState.READY), (Broken(), KeyringState.FAILED)],
    ids=["locked", "forgetful", "broken"],
)
async def test_a_keyring_that_fails_keeps_nothing(own: OsKeyring, backend: KeyringBackend, state: KeyringState) -> None:
    use(backend)
    assert not await own.store("crof", SECRET)
    assert await own.own("crof") is None
    assert own.labels("crof") == ()
    assert own.state is own.prompting().state is state


async def test_what_the_library_says_is_never_repeated(own: OsKeyring, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    use(Locked())
    await own.store("crof", SECRET)
    await own.own("crof")
    assert SECRET.reveal() not in caplog.text


# --- a keyring that waits for a person -------------------------------------------------------------


async def test_a_waiting_keyring_is_given_up(own: OsKeyring, asking: Asking) -> None:
    assert await own.own("crof") is None
    assert own.state is KeyringState.SILENT
    assert await own.backend_name() == "Drawer"


async def test_while_it_waits_it_is_not_asked_again(own: OsKeyring, asking: Asking) -> None:
    await own.own("crof")
    assert [await own.own("crof") for _ in range(20)] == [None] * 20
    assert asking.asked == 1


async def test_the_loop_goes_on_while_it_waits(own: OsKeyring, asking: Asking) -> None:
    reading = asyncio.create_task(own.own("crof"))
    turns = 0
    while not reading.done():
        await asyncio.sleep(0.01)
        turns += 1
    assert turns > 3


async def test_once_opened_it_answers_again(own: OsKeyring, asking: Asking) -> None:
    asking.kept["quotaline", "crof"] = "demo-token"
    assert await own.own("crof") is None
    asking.opened.set()
    async with asyncio.timeout(5):
        while await own.own("crof") is None:
            await asyncio.sleep(0.01)
    assert await own.own("crof") == SECRET


async def test_what_is_kept_too_late_is_taken_out_again(own: OsKeyring, asking: Asking) -> None:
    removed = threading.Event()

    def remove(service: str, username: str) -> None:
        Drawer.delete_password(asking, service, username)
        removed.set()

    asking.delete_password = remove  # type: ignore[method-assign]
    assert not await own.store("crof", SECRET)
    asking.opened.set()
    assert await asyncio.to_thread(removed.wait, 5)
    assert asking.kept == {}
    assert own.labels("crof") == ()


async def test_cancelling_does_not_wait_for_it(own: OsKeyring, asking: Asking) -> None:
    reading = asyncio.create_task(own.own("crof"))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


# --- the list --------------------------------------------------------------------------------------


async def test_the_list_holds_labels_and_no_secret(own: OsKeyring, drawer: Drawer, index: Path) -> None:
    await own.store("crof", SECRET, "work")
    assert json.loads(index.read_text()) == {"version": 1, "providers": {"crof": ["work"]}}
    assert {path.name for path in index.parent.iterdir()} == {index.name, f".{index.name}.lock"}


@systems.modes
async def test_the_list_is_for_the_user_alone(own: OsKeyring, drawer: Drawer, index: Path) -> None:
    usual = os.umask(0)
    try:
        await own.store("crof", SECRET)
    finally:
        os.umask(usual)
    assert {stat.S_IMODE(path.stat().st_mode) for path in index.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(index.parent.stat().st_mode) == 0o700


@systems.pipes
def test_a_pipe_in_the_lists_place_holds_nobody(index: Path, own: OsKeyring) -> None:
    index.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(index)
    assert own.labels("crof") == ()


def test_no_label_is_lost_when_many_programs_add_one(index: Path) -> None:
    labels = [f"label {number:02}" for number in range(40)]
    with ThreadPoolExecutor(8) as programs:
        list(programs.map(lambda label: Index(index).add("crof", label), labels))
    assert Index(index).labels("crof") == tuple(labels)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"providers": []}', '{"providers": {"crof": "work"}}', "\x00\xff", "[" * 100_000],
    ids=["empty", "cut", "list", "wrong providers", "wrong labels", "binary", "deep"],
)
async def test_a_broken_list_is_an_empty_one(own: OsKeyring, drawer: Drawer, index: Path, text: str) -> None:
    index.parent.mkdir()
    index.write_text(text, "latin-1")
    assert own.labels("crof") == ()
    assert await own.store("crof", SECRET)
    assert own.labels("crof") == ("",)


async def test_another_window_sees_what_was_stored(own: OsKeyring, drawer: Drawer, index: Path) -> None:
    other = OsKeyring(index, {})
    assert other.labels("crof") == ()
    await own.store("crof", SECRET)
    assert other.labels("crof") == ("",)
    await other.store("poe", SECRET)
    assert (own.labels("crof"), own.labels("poe")) == (("",), ("",))


async def test_a_credential_that_cannot_be_listed_is_not_kept(tmp_path: Path, drawer: Drawer) -> None:
    (tmp_path / "file").write_text("")
    own = OsKeyring(tmp_path / "file" / "keyring.json", {})
    assert not await own.store("crof", SECRET)
    assert drawer.kept == {}
