"""Calls that only add to a reading: they run beside the one that counts, and none of them can fail or hold it up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar, overload

from quotaline_providers.errors import ReadError

T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")


async def optional(work: Coroutine[Any, Any, T], seconds: float) -> T | None:
    """What the call yields; None when it fails with a ReadError or takes longer than `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except (ReadError, TimeoutError):
        return None


async def in_time(task: asyncio.Task[T], seconds: float) -> T | None:
    """The task's result if it has one within so many seconds, else None. Raises what the task raised."""
    done, _ = await asyncio.wait([task], timeout=seconds)
    return task.result() if done else None


@overload
async def together(first: Coroutine[Any, Any, T], second: Coroutine[Any, Any, U], /) -> tuple[T, U]: ...


@overload
async def together(
    first: Coroutine[Any, Any, T], second: Coroutine[Any, Any, U], third: Coroutine[Any, Any, V], /
) -> tuple[T, U, V]: ...


@overload
async def together(*works: Coroutine[Any, Any, T]) -> tuple[T, ...]: ...


async def together(*works: Coroutine[Any, Any, Any]) -> tuple[Any, ...]:
    """What the calls yield, made at the same time. When one fails, its error is raised and the others are ended."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        return tuple(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Beside:
    """Starts optional calls; see `beside`."""

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task[Any]] = []
        self.works: list[Coroutine[Any, Any, Any]] = []

    def start(self, work: Coroutine[Any, Any, T], seconds: float) -> asyncio.Task[T | None]:
        """Start a call at once. Awaiting the task gives its result or None, never a ReadError."""
        task = asyncio.create_task(optional(work, seconds))
        self.tasks.append(task)
        self.works.append(work)
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
        for work in side.works:
            work.close()  # one that was cancelled before it began
