"""Reading and replacing files without holding up the event loop."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

from quotaline_providers.access.reading_files import read_bytes
from quotaline_providers.hosts.privacy import make_folder
from quotaline_providers.hosts.workers.pool import WorkerProcesses

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
FileState = tuple[int, ...]

LOCK_SECONDS = 10.0
"""How long another program's lock is waited for."""
_PAUSE = 0.01  # seconds between two tries
_REFUSED_MOVES = 100


class DiskFiles:
    """Implements `contract.Files`."""

    def __init__(self, workers: WorkerProcesses) -> None:
        self._workers = workers

    async def read(self, path: Path, limit: int = 8 << 20) -> str:
        return await self.in_thread(lambda: _read(path, limit))

    async def read_json(self, path: Path, limit: int = 8 << 20) -> Any:
        return await self.in_thread(lambda: _read_json(path, limit))

    async def replace(self, path: Path, text: str) -> None:
        await asyncio.to_thread(replace_file, path, text)

    async def change(self, path: Path, change: Callable[[str], str | None]) -> bool:
        return await self.in_thread(lambda: change_file(path, change))

    async def in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.to_thread(work)

    async def in_worker(self, function: Callable[[*Ts], T], *arguments: *Ts, timeout: float) -> T:
        return await self._workers.run(function, *arguments, timeout=timeout)


def _read(path: Path, limit: int) -> str:
    return read_bytes(path, limit).decode("utf-8", "replace").removeprefix("\ufeff")


def _read_json(path: Path, limit: int) -> Any:
    text = _read(path, limit)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        # Without the cause: it holds the file's whole text.
        raise ValueError("the file is not JSON") from None


def replace_file(path: Path, text: str, *, keep_link: bool = True, seen: FileState | None = None) -> bool:
    """Replace a file in one step. It, and a folder made for it, are for the user alone. A linked file stays a link,
    unless that is not to be kept. Raises OSError.

    False, and nothing is replaced, when another program has written the file since its state was `seen`.
    """
    make_folder(path.parent)
    target = Path(os.path.realpath(path)) if keep_link else path
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # made with mode 0600
    try:
        with open(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        if replaced := seen in (None, state_of(target)):
            _move(temporary, target)
        else:
            os.unlink(temporary)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    return replaced


def _move(temporary: str, target: Path) -> None:
    """Windows refuses to replace a file that another program is reading at this moment."""
    for _ in range(_REFUSED_MOVES if sys.platform == "win32" else 0):
        try:
            os.replace(temporary, target)
        except PermissionError:
            time.sleep(_PAUSE)
        else:
            return
    os.replace(temporary, target)


def change_file(path: Path, change: Callable[[str], str | None], limit: int = 8 << 20) -> bool:
    """Replace the text of another program's file with what `change` makes of it; None leaves it.

    Whether it was replaced: not when that program has written it meanwhile. Raises OSError, ValueError.
    """
    seen = state_of(path)
    text = change(_read(path, limit))
    return text is not None and replace_file(path, text, seen=seen)


def state_of(path: Path) -> FileState:
    """What tells two states of a file apart without reading it; empty when there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes and threads from a file that is read, changed and replaced, by a lock file beside it.

    Waits for others, at most LOCK_SECONDS: not for the event loop. Raises OSError where no lock file can be made, and
    TimeoutError (one of them) when another program keeps the lock. A file system that has no locks gives none.
    """
    make_folder(path.parent)
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path.with_name(f".{path.name}.lock"), flags, 0o600)
    try:  # closing the file ends the lock
        end = time.monotonic() + LOCK_SECONDS
        while not _lock(descriptor):
            if time.monotonic() >= end:
                raise TimeoutError(errno.ETIMEDOUT, "another program keeps it locked")
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Take the lock, if nobody else has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)
    return True
