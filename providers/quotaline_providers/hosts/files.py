"""Reading and replacing files without holding up the event loop."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

from quotaline_providers.hosts.workers.pool import WorkerProcesses

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class DiskFiles:
    """Implements `contract.Files`."""

    def __init__(self, workers: WorkerProcesses) -> None:
        self._workers = workers

    async def read(self, path: Path, limit: int = 8 << 20) -> str:
        return await self.in_thread(lambda: _read(path, limit))

    async def read_json(self, path: Path, limit: int = 8 << 20) -> Any:
        return await self.in_thread(lambda: _read_json(path, limit))

    async def replace(self, path: Path, text: str) -> None:
        await self.in_thread(lambda: _replace(path, text))

    async def in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.to_thread(work)

    async def in_worker(self, function: Callable[[*Ts], T], *arguments: *Ts, timeout: float) -> T:
        return await self._workers.run(function, *arguments, timeout=timeout)


def _read(path: Path, limit: int) -> str:
    # Opened without waiting, so that a named pipe in a file's place cannot hold the thread for ever.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:
        data = file.read(limit + 1) or b""
    if len(data) > limit:
        raise ValueError("the file is too large")
    return data.decode("utf-8", "replace").removeprefix("\ufeff")


def _read_json(path: Path, limit: int) -> Any:
    text = _read(path, limit)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        # Without the cause: it holds the file's whole text.
        raise ValueError("the file is not JSON") from None


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    target = path.resolve()  # a linked file stays a link
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # made with mode 0600
    try:
        with open(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
