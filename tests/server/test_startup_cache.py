"""What a new editor is shown at once: rendered by an earlier one, and only while it is still true."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from quotaline.config import ConfigKeeper
from quotaline.lsp.session import rendering
from quotaline.paths import store_path
from quotaline.render.protocol import usage_params
from quotaline.render.view import View
from quotaline.state import ProviderState, Snapshot
from quotaline.store import startup_cache_writer
from quotaline.store.startup_cache import cached_params, note_key
from quotaline.store.store import Reading, Store
from quotaline.store.thread import StoreThread
from quotaline_providers.model import Usage, Window
from tests.server.conftest import KEY, Lay
from tests.server.lsp_client import Desk
from tests.server.test_lsp_session import names, shows, text

NOON = datetime(2030, 1, 2, 12, tzinfo=UTC)
RESET = NOON + timedelta(hours=5)
OPTIONS = {"resetTimes": "countdown"}


def snapshot(used: float = 62, *, refreshing: bool = False) -> Snapshot:
    window = Window(id="session", label="Session", used_percent=used, minutes=600, resets_at=RESET)
    usage = Usage(updated_at=NOON, windows=(window,))
    return Snapshot((ProviderState("claude", "Claude", usage=usage, refreshing=refreshing),))


class Room:
    """A user's store and config, in which entries are kept."""

    def __init__(self, home: Path) -> None:
        self.keeper = ConfigKeeper({}, home)
        self.store = StoreThread(Store(store_path().parent, lambda: NOON))

    async def read(self, at: datetime = NOON) -> None:
        """An account has been read."""
        await self.store.do(lambda store: store.save(Reading("claude", "claude", "", attempted_at=at)))

    async def keep(self, shown: Snapshot, at: datetime = NOON) -> None:
        view = View(at)
        readings = await self.store.do(lambda store: sorted(store.readings().values(), key=lambda one: one.key))
        known: list[list[str | float | None]] = [
            [one.key, one.attempted_at.timestamp() if one.attempted_at else None] for one in readings
        ]
        sources = startup_cache_writer.Sources(known, self.keeper.seen)
        rendered = rendering(shown, usage_params(shown, view), view)
        await startup_cache_writer.keep(self.store, OPTIONS, sources, rendered)


@pytest_asyncio.fixture
async def room(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(home))
    room = Room(home)
    await room.read()
    yield room
    await room.store.close()


def seen(after: timedelta = timedelta(), options: object = OPTIONS) -> dict[str, Any] | None:
    return cached_params(options, (NOON + after).timestamp())


def line(params: dict[str, Any] | None) -> str:
    assert params is not None
    return str(params["statusLine"]["text"])


# --- while it is true ------------------------------------------------------------------------------


async def test_it_is_what_was_rendered(room: Room) -> None:
    await room.keep(snapshot())
    assert seen() == usage_params(snapshot(), View(NOON)).to_json()
    assert line(seen()) == "Claude 62% 5h"


async def test_a_countdown_becomes_a_moment_once_it_is_no_more_near(room: Room) -> None:
    await room.keep(snapshot())
    told = line(seen(timedelta(minutes=2)))
    assert "62%" in told
    assert "5h" not in told


async def test_usage_that_has_grown_old_is_stale(room: Room) -> None:
    await room.keep(snapshot())
    young, old = seen(timedelta(minutes=9)), seen(timedelta(minutes=11))
    assert young is not None
    assert old is not None
    assert [young["providers"][0]["stale"], old["providers"][0]["stale"]] == [False, True]
    assert old["statusLine"]["severity"] == "stale"
    assert "ago" not in json.dumps(old)


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(timedelta(hours=5), id="a window has been reset"),
        pytest.param(timedelta(hours=12), id="the day is over"),
        pytest.param(timedelta(minutes=-5), id="the clock was set back"),
    ],
)
async def test_it_is_not_shown_when(room: Room, after: timedelta) -> None:
    await room.keep(snapshot())
    assert seen(after) is None


async def test_it_is_not_shown_to_an_editor_with_other_options(room: Room) -> None:
    await room.keep(snapshot())
    assert seen(options={"resetTimes": "absolute"}) is None


async def test_it_is_not_shown_once_a_config_file_has_changed(room: Room) -> None:
    await room.keep(snapshot())
    room.keeper.path.parent.mkdir(parents=True)
    room.keeper.path.write_text('{"version": 1, "providers": [{"id": "claude", "enabled": false}]}')
    assert seen() is None
    room.keeper.reload()
    await room.keep(Snapshot(()))
    assert seen() == usage_params(Snapshot(()), View(NOON)).to_json()


async def test_it_is_not_shown_once_an_account_was_read_again(room: Room) -> None:
    await room.keep(snapshot())
    await room.read(NOON + timedelta(minutes=1))
    assert seen(timedelta(minutes=1)) is None


async def test_who_forgets_a_usage_forgets_the_entries_with_it(room: Room) -> None:
    await room.keep(snapshot())
    await room.store.do(lambda store: store.drop("claude"))
    assert seen() is None


async def test_a_read_that_is_under_way_is_not_kept(room: Room) -> None:
    await room.keep(snapshot(used=10))
    await room.keep(snapshot(used=20, refreshing=True))
    assert line(seen()) == "Claude 10%"


async def test_it_is_written_again_only_when_something_is_new(room: Room) -> None:
    await room.keep(snapshot())
    version = await room.store.do(lambda store: store.note(note_key(OPTIONS)))
    await room.keep(snapshot(), NOON + timedelta(minutes=3))
    assert await room.store.do(lambda store: store.note(note_key(OPTIONS))) == version


@pytest.mark.parametrize("value", ["", "[]", "{}", '{"rendered_at": 0}', "null", "[" * 5000])
async def test_a_note_that_is_no_entry_is_nothing(room: Room, value: str) -> None:
    await room.store.do(lambda store: store.keep_note(note_key(OPTIONS), value))
    assert seen() is None


def test_no_store_is_nothing(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    assert seen() is None


def test_it_is_read_before_anything_heavy_is_imported() -> None:
    script = "import sys, quotaline.store.startup_cache; print({'pydantic', 'asyncio', 'httpx'} & sys.modules.keys())"
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "set()\n"
    )


# --- as an editor meets it -------------------------------------------------------------------------


def kept_in(desk: Desk) -> list[str]:
    stores = [path for path in desk.home.rglob("store.sqlite3") if path.is_file()]
    with closing(sqlite3.connect(stores[0])) as store:
        return [row[0] for row in store.execute("SELECT value FROM note WHERE key GLOB 'startup:*'")]


def test_a_provider_that_was_disabled_meanwhile_is_never_shown(desk: Desk, openrouter: Lay) -> None:
    openrouter(used=62)
    client = desk.open()
    client.usage(shows("62%"))
    client.shut_down()
    desk.write_config({"id": "openrouter", "enabled": False})
    again = desk.open()
    again.usage()
    again.request("quotaline/usage")
    again.shut_down()
    assert {name for params in again.of("quotaline/didChangeUsage") for name in names(params)} == set()


def test_a_provider_whose_credential_was_removed_meanwhile_is_not_shown_with_its_usage(
    bare_desk: Desk, openrouter: Lay
) -> None:
    openrouter(used=62)
    bare_desk.run("set-credential", "openrouter", stdin=KEY)
    client = bare_desk.open()
    client.usage(shows("62%"))
    client.shut_down()
    bare_desk.run("remove-credential", "openrouter")
    again = bare_desk.open()
    again.usage()
    again.request("quotaline/usage")
    again.shut_down()
    assert not [params for params in again.of("quotaline/didChangeUsage") if "62%" in text(params)]


def test_an_entry_holds_no_secret(desk: Desk, openrouter: Lay) -> None:
    openrouter(used=62)
    client = desk.open()
    client.usage(shows("62%"))
    client.command("quotaline.refresh")
    client.shut_down()
    kept = kept_in(desk)
    assert kept
    assert KEY not in "".join(kept)
