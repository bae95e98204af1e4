"""The config follows its files while the server runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from quotaline.config import ConfigKeeper, Loaded, follow, watch
from tests.server.config_world import Folder, document, install


@pytest.fixture(autouse=True)
def providers(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    monkeypatch.setattr(watch, "STEP_SECONDS", 0.02)
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.05)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@asynccontextmanager
async def followed(folder: Folder) -> AsyncIterator[asyncio.Queue[Loaded]]:
    told: asyncio.Queue[Loaded] = asyncio.Queue()
    task = asyncio.create_task(follow(folder.keeper(), told.put))
    try:
        yield told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def following(told: asyncio.Queue[Loaded]) -> Loaded:
    return await asyncio.wait_for(told.get(), 20)


async def test_a_saved_change_is_told(folder: Folder) -> None:
    folder.write(document({"id": "kiro"}))
    async with followed(folder) as told:
        folder.write(document({"id": "zai"}, {"id": "kiro"}))
        assert (await following(told)).config.order == ("zai", "kiro")


async def test_an_atomic_replace_is_told_every_time(folder: Folder) -> None:
    folder.write(document())
    async with followed(folder) as told:
        for id in ("kiro", "zai", "claude"):
            fresh = folder.own.with_name("fresh")
            fresh.write_text(document({"id": id}))
            os.replace(fresh, folder.own)
            assert (await following(told)).config.order == (id,)


async def test_a_folder_that_comes_later_is_followed(folder: Folder) -> None:
    async with followed(folder) as told:
        folder.write(document({"id": "kiro"}))
        assert (await following(told)).config.order == ("kiro",)
        folder.write(document({"id": "zai"}))
        assert (await following(told)).config.order == ("zai",)


async def test_codexbars_file_is_followed_too(folder: Folder) -> None:
    folder.write(document({"id": "kiro"}))
    async with followed(folder) as told:
        folder.write_codexbar({"id": "zai", "enabled": True})
        assert (await following(told)).config.order == ("kiro", "zai")


async def test_a_broken_save_tells_the_problem_and_keeps_the_config(folder: Folder) -> None:
    folder.write(document({"id": "kiro"}))
    async with followed(folder) as told:
        folder.write('{"version": 1, "prov')
        loaded = await following(told)
        assert (loaded.config.order, loaded.readable) == (("kiro",), False)
        folder.write(document({"id": "kiro"}))
        assert (await following(told)).diagnostics == ()


async def test_a_file_that_is_still_being_written_is_not_called_broken(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write(document({"id": "kiro"}))
    whole = document({"id": "zai"})
    async with followed(folder) as told:
        reload, seen = ConfigKeeper.reload, list[bool]()

        def writing(keeper: ConfigKeeper) -> Loaded:
            loaded = reload(keeper)
            seen.append(loaded.readable)
            if not loaded.readable:  # the other half comes while the first one is looked at
                folder.write(whole)
            return loaded

        monkeypatch.setattr(ConfigKeeper, "reload", writing)
        folder.write(whole[:20])
        loaded = await following(told)
        assert (loaded.config.order, loaded.readable, loaded.diagnostics) == (("zai",), True, ())
        assert False in seen


async def test_the_list_of_what_the_keyring_keeps_is_followed_too(folder: Folder) -> None:
    kept: set[str] = set()
    listed = folder.home / "keyring.json"
    folder.write_codexbar({"id": "zai", "apiKey": "demo"})
    keeper = ConfigKeeper({}, folder.home, "linux", kept=lambda id: kept, kept_list=listed)
    told: asyncio.Queue[Loaded] = asyncio.Queue()
    assert keeper.loaded.config.provider("zai").api_key == "demo"
    task = asyncio.create_task(follow(keeper, told.put))
    try:
        kept.add("")
        listed.write_text("{}")
        assert (await following(told)).config.provider("zai").api_key is None
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_linked_file_is_followed_where_it_is(folder: Folder) -> None:
    target = folder.home / "dotfiles" / "quotaline.json"
    target.parent.mkdir()
    target.write_text(document())
    folder.own.parent.mkdir(parents=True)
    folder.own.symlink_to(target)
    async with followed(folder) as told:
        target.write_text(document({"id": "kiro"}))
        assert (await following(told)).config.order == ("kiro",)
