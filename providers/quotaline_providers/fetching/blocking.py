"""Libraries that block: they work in a thread, and whatever they want of the world is done on the event loop.

So a vendor's own library can find a login while its requests and programs still go through the host facilities.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

from quotaline_providers.contract import Context

T = TypeVar("T")


class Loop:
    """The event loop as the thread sees it. After `end` nothing more is done for the thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._waiting: set[Future[Any]] = set()
        self._ended = False

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What the coroutine yields. Called from the thread only; raises what the coroutine raises."""
        with self._lock:
            if self._ended:
                work.close()
                raise CancelledError
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
            self._waiting.add(future)
        try:
            return future.result()
        finally:
            self._waiting.discard(future)

    def end(self) -> None:
        """Cancel what still runs for the thread, so that the thread ends, too."""
        with self._lock:
            self._ended = True
            left = tuple(self._waiting)
        for future in left:
            future.cancel()


async def in_thread(ctx: Context, work: Callable[[Loop], T]) -> T:
    """What the blocking work yields. When we are cancelled, whatever it waits for is cancelled with us."""
    loop = Loop(asyncio.get_running_loop())
    try:
        return await ctx.files.in_thread(lambda: work(loop))
    finally:
        loop.end()
