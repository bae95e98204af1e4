"""Following the config files while the server runs: a change on disk becomes a new config within about a second."""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from pathlib import Path

from quotaline.config.load import ConfigKeeper
from quotaline.config.model import Loaded

STEP = 250
"""Milliseconds without another change after which a change is taken as complete."""
DEBOUNCE = 1000
"""Milliseconds after which a change is taken as complete anyway."""
LOOK_AGAIN = 10_000
"""Milliseconds after which the files are looked at without being told: network file systems tell nothing."""
POLL = 2000
"""Milliseconds between looks where no watcher works."""

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
    async with aclosing(_ticks(keeper, native=native)) as ticks:
        async for _ in ticks:
            now = await asyncio.to_thread(signature, keeper.files)
            if now == seen:
                continue
            seen = now
            loaded = await asyncio.to_thread(keeper.reload)
            if not loaded.readable:  # perhaps only half written
                await asyncio.sleep(STEP / 1000)
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


async def _ticks(keeper: ConfigKeeper, *, native: bool) -> AsyncGenerator[None, None]:
    """A tick now, after every change near the files, and every now and then."""
    yield None
    if not native or importlib.util.find_spec("watchfiles") is None:
        while True:
            await asyncio.sleep(POLL / 1000)
            yield None
    while True:
        folders = await asyncio.to_thread(_folders, keeper.files)
        try:
            async with aclosing(_native(folders, keeper.files)) as changes:
                async for _ in changes:
                    yield None
                    if await asyncio.to_thread(_folders, keeper.files) != folders:
                        break  # a folder has come or gone: watch the right ones
        except (OSError, RuntimeError, ExceptionGroup):  # a folder went away, or the system has no watches left
            await asyncio.sleep(POLL / 1000)
        yield None


async def _native(folders: frozenset[Path], files: Iterable[Path]) -> AsyncGenerator[None, None]:
    """A tick once the watcher stands (what changed before it did would go unnoticed), and one for every change."""
    from watchfiles import Change, awatch

    wanted = {str(part) for file in _with_targets(files) for part in (file, *file.parents)}

    def near(change: Change, path: str) -> bool:
        return path in wanted

    changes = awatch(
        *folders,
        watch_filter=near,
        step=STEP,
        debounce=DEBOUNCE,
        rust_timeout=LOOK_AGAIN,
        yield_on_timeout=True,
        recursive=False,
        ignore_permission_denied=True,
    )
    change = asyncio.ensure_future(anext(changes))
    try:
        await asyncio.wait({change}, timeout=STEP / 1000)
        yield None
        while True:
            await change
            yield None
            change = asyncio.ensure_future(anext(changes))
    finally:
        change.cancel()
        await asyncio.gather(change, return_exceptions=True)
        await changes.aclose()


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
