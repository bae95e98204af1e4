"""Reading and replacing files without holding up the event loop."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
        await self.in_thread(lambda: replace_file(path, text))

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


def replace_file(path: Path, text: str, *, keep_link: bool = True) -> None:
    """Replace a file in one step. It, and a folder made for it, are for the user alone. A linked file stays a link,
    unless that is not to be kept. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = path.resolve() if keep_link else path
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


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes and threads from a file that is read, changed and replaced, by a lock file beside it.

    Waits for others: not for the event loop. Raises OSError where no lock file can be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:  # closing the file ends the lock
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
