"""Following the config files while the server runs: a change on disk becomes a new config within about a second.

The files are looked at in a thread of their own. That costs less than a native watcher, which has to be watched itself,
and works the same on network file systems, through links and for folders that do not exist yet.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from quotaline.config.load import ConfigKeeper
from quotaline.config.model import Loaded
from quotaline.filestate import Signature, signature

POLL_SECONDS = 0.75
STEP_SECONDS = 0.25
"""How long a file that is not complete JSON may be one that is still being written."""


async def follow(keeper: ConfigKeeper, changed: Callable[[Loaded], Awaitable[None] | None]) -> None:
    """Call `changed` with every new state of the config until cancelled.

    A save that leaves both config and diagnostics as they were is not reported.
    """
    before = keeper.loaded
    with _looking(keeper) as news:
        while True:
            news.clear()
            loaded = await asyncio.to_thread(keeper.reload)
            if not loaded.readable:  # perhaps only half written
                await asyncio.sleep(STEP_SECONDS)
                loaded = await asyncio.to_thread(keeper.reload)
            if loaded != before:
                before = loaded
                waiting = changed(loaded)
                if waiting is not None:
                    await waiting
            await news.wait()


@contextmanager
def _looking(keeper: ConfigKeeper) -> Iterator[asyncio.Event]:
    """An event that is set after every change of the files. What changed before the first look counts as one."""
    news, over = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def look() -> None:
        seen: Signature | None = None
        while True:
            now = signature(keeper.watched)
            if now != seen:
                seen = now
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(news.set)
            if over.wait(POLL_SECONDS):
                return

    threading.Thread(target=look, name="config watch", daemon=True).start()
    try:
        yield news
    finally:
        over.set()
