"""Following the config files while the server runs: a change on disk becomes a new config within about a second."""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path

from quotaline.config.load import ConfigKeeper
from quotaline.config.model import Loaded

STEP = 200
"""Milliseconds without another change after which a change is taken as complete."""
DEBOUNCE = 1000
"""Milliseconds after which a change is taken as complete anyway."""
LOOK_AGAIN = 2000
"""Milliseconds after which the files are looked at without being told: network file systems tell nothing."""

Signature = tuple[tuple[int, int, int, int] | None, ...]


async def follow(
    keeper: ConfigKeeper,
    changed: Callable[[Loaded], Awaitable[None] | None],
    *,
    native: bool = True,
) -> None:
    """Call `changed` with every new state of the config until cancelled. `native` false polls the files instead.

    Saves that leave both config and diagnostics as they were are not told.
    """
    before = keeper.loaded
    seen: Signature | None = None
    async for _ in _ticks(keeper, native=native):
        now = await asyncio.to_thread(signature, keeper.files)
        if now == seen:
            continue
        seen = now
        loaded = await asyncio.to_thread(keeper.reload)
        if loaded == before:
            continue
        before = loaded
        told = changed(loaded)
        if told is not None:
            await told


def signature(files: Iterable[Path]) -> Signature:
    """What tells two states of the files apart without reading them."""
    return tuple(_stat(file) for file in files)


async def _ticks(keeper: ConfigKeeper, *, native: bool) -> AsyncIterator[None]:
    """A tick now, after every change near the files, and every other second."""
    yield None
    if not native or importlib.util.find_spec("watchfiles") is None:
        while True:
            await asyncio.sleep(LOOK_AGAIN / 1000)
            yield None
    while True:
        folders = await asyncio.to_thread(_folders, keeper.files)
        try:
            async for _ in _native(folders, keeper.files):
                yield None
                if await asyncio.to_thread(_folders, keeper.files) != folders:
                    break  # a folder has come or gone: watch the right ones
        except OSError:  # a folder went away, or the system has no watches left
            await asyncio.sleep(LOOK_AGAIN / 1000)
        yield None


async def _native(folders: frozenset[Path], files: Iterable[Path]) -> AsyncIterator[None]:
    from watchfiles import Change, awatch

    wanted = {str(part) for file in _with_targets(files) for part in (file, *file.parents)}

    def near(change: Change, path: str) -> bool:
        return path in wanted

    if not folders:
        await asyncio.sleep(LOOK_AGAIN / 1000)
        return
    async for _ in awatch(
        *folders,
        watch_filter=near,
        step=STEP,
        debounce=DEBOUNCE,
        rust_timeout=LOOK_AGAIN,
        yield_on_timeout=True,
        recursive=False,
        ignore_permission_denied=True,
    ):
        yield None


def _with_targets(files: Iterable[Path]) -> frozenset[Path]:
    """The files, and what they point to where they are links."""
    return frozenset(path for file in files for path in (file.absolute(), Path(os.path.realpath(file))))


def _folders(files: Iterable[Path]) -> frozenset[Path]:
    """The folder of each file, or the nearest one above it that exists."""
    return frozenset(
        next(folder for folder in file.parents if folder.is_dir() or folder == Path(file.anchor))
        for file in _with_targets(files)
    )


def _stat(file: Path) -> tuple[int, int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode
