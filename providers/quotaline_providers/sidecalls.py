"""Calls that only add to a reading: they run beside the one that counts, and none of them can fail or hold it up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from quotaline_providers.errors import ReadError

T = TypeVar("T")


async def optional(work: Coroutine[Any, Any, T], seconds: float) -> T | None:
    """What the call yields; None when it fails with a ReadError or takes longer than `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except (ReadError, TimeoutError):
        return None


class Beside:
    """Starts optional calls; see `beside`."""

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task[Any]] = []

    def start(self, work: Coroutine[Any, Any, T], seconds: float) -> asyncio.Task[T | None]:
        """Start a call at once. Awaiting the task gives its result or None, never a ReadError."""
        task = asyncio.create_task(optional(work, seconds))
        self.tasks.append(task)
        return task


@asynccontextmanager
async def beside() -> AsyncIterator[Beside]:
    """`async with beside() as side:` whatever was started and still runs at the end is cancelled and gone."""
    side = Beside()
    try:
        yield side
    finally:
        for task in side.tasks:
            task.cancel()
        await asyncio.gather(*side.tasks, return_exceptions=True)
