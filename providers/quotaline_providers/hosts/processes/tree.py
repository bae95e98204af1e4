"""All processes that a child program started, also those that left its process group, and how they are ended.

Children carry a marker variable in their environment, by which daemons that detached themselves are found. On Linux
those that have cleared it are found as orphans (see `orphans`).
"""

# Linux reads /proc here; other systems use psutil. On Linux psutil would lose in three ways: `Process.children` does
# not find a daemon whose parent has ended; one pass over 60 processes with their environments takes 20 ms instead of
# 1.6 ms (older processes are skipped before their environment is read), and each program that ends needs two; its
# import costs 11 ms and 1.2 MiB in every sidecar.

from __future__ import annotations

import atexit
import contextlib
import math
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import uuid4

from quotaline_providers.hosts.processes.orphans import adopt, bare, collect

MARKER = "QUOTALINE_CHILD"
"""The environment variable that marks the programs we started; its value is unique for each of them."""

if sys.platform == "win32":
    KILL_SIGNAL = signal.SIGTERM  # `os.kill` terminates the process with any number
else:
    KILL_SIGNAL = signal.SIGKILL

_HAS_PROC = sys.platform.startswith("linux")
_DEAD = frozenset("ZX")
_PASSES = 20
_PAUSE = 0.05  # seconds between two looks for survivors
_EXEC = 0.1  # seconds for a process to become another program: its environment is empty for a moment


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A row of the process table. `group` and `session` are 0 on Windows, which has none.

    `born` is when it began: clock ticks since boot on Linux, seconds since the epoch elsewhere.
    """

    pid: int
    parent: int
    group: int
    session: int
    dead: bool
    born: float
    marked: bool = False
    bare: bool = False
    """Nothing tells who started it."""


@dataclass(slots=True)
class ProcessTree:
    """The program with this process id, leader of its own session and process group, and all its descendants.

    `close` it when it was collected: until then it may be the one that an orphan comes from.
    """

    pid: int
    mark: str
    born: float = field(init=False)

    def __post_init__(self) -> None:
        row = _row(self.pid)
        self.born = row.born if row else 0
        _open[self.pid] = self

    def close(self) -> None:
        """It has ended."""
        _open.pop(self.pid, None)

    def signal_group(self, number: int) -> None:
        """Signal the process group at once, without looking for those who left it. On Windows: the program alone."""
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                os.kill(self.pid, number)
            else:
                os.killpg(self.pid, number)

    def running(self) -> dict[int, int]:
        """Process ids of all members that still run, and their groups. Reads the process table: not for the event
        loop."""
        rows = [row for row in _table(self.mark, self.born) if row.pid not in (1, os.getpid())]
        found = {row.pid: row.born for row in rows if row.marked or self.pid in (row.pid, row.group, row.session)}
        if sys.platform == "win32":  # children keep the id of a parent that has ended; asyncio's handle reserves ours
            found[self.pid] = self.born
        found |= {row.pid: row.born for row in rows if self._is_orphan(row)}
        known = -1
        while known != len(found):
            known = len(found)
            found |= {row.pid: row.born for row in rows if row.born >= found.get(row.parent, math.inf)}
        return {row.pid: row.group for row in rows if row.pid in found and not row.dead}

    def _is_orphan(self, row: ProcessRow) -> bool:
        """Whether it fell to this process when its parent ended, and can come from no other program than this one.
        What may be another one's is left to the last of them."""
        if not row.bare or starting or not _fell_to_us(row):
            return False
        if any(other is not self and other.born <= row.born for other in tuple(_open.values())):
            return False
        time.sleep(_EXEC)
        again = _row(row.pid, self.mark, self.born)
        return again is not None and again.bare

    def signal_all(self, number: int) -> bool:
        """Signal every member, wherever it went. Whether there was one. Not for the event loop."""
        running = self.running()
        self.signal_group(number)
        for pid, group in running.items():
            if group != self.pid:
                with contextlib.suppress(OSError):
                    os.kill(pid, number)
        return bool(running)

    def wait(self, until: float) -> None:
        """Return when no member runs any more, or at that time of the monotonic clock. Not for the event loop."""
        while self.running() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _PAUSE))

    def kill(self) -> None:
        """Kill every member and return when none is left (or after a second). Not for the event loop."""
        for _ in range(_PASSES):
            if not self.signal_all(KILL_SIGNAL):
                break
            time.sleep(_PAUSE)
        for row in _table("", self.born) if adopt() else ():
            if row.dead and not starting and _fell_to_us(row):
                collect(row.pid)


def new_mark() -> str:
    """A value for the marker variable that nobody else has."""
    return uuid4().hex


def kill_groups(trees: Mapping[int, ProcessTree]) -> None:
    """Kill these process groups now: the last resort when nobody waits for them any more."""
    for tree in tuple(trees.values()):
        tree.signal_group(KILL_SIGNAL)


def kill_starting() -> None:
    """Kill what is being started while this process ends, and of which nobody knows the process id yet."""
    for mark in tuple(starting):
        for row in _table(mark, 0):
            if row.marked and not row.dead:
                with contextlib.suppress(OSError):
                    os.kill(row.pid, KILL_SIGNAL)


_open: dict[int, ProcessTree] = {}
"""The programs of this process that were not collected yet."""
starting: set[str] = set()
"""The marks of those that are being started, and are not among them yet."""
atexit.register(kill_starting)


def _fell_to_us(row: ProcessRow) -> bool:
    """Whether it is a child of this process, in another session, that this process did not start as a program."""
    return adopt() and row.parent == os.getpid() and row.pid not in _open and row.session != os.getsid(0)


# --- process tables --------------------------------------------------------------------------------


def _table(mark: str, born: float) -> list[ProcessRow]:
    """The processes that are not older than the child, which is all that can be its own."""
    if _HAS_PROC:
        pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
    else:
        import psutil

        pids = psutil.pids()
    rows = (_row(pid, mark, born) for pid in pids)
    return [row for row in rows if row is not None and row.born >= born]


def _row(pid: int, mark: str = "", born: float = 0) -> ProcessRow | None:
    """One process, None when it has ended. `marked` is told only when asked for a mark, and of those born since."""
    return _proc_row(pid, mark, born) if _HAS_PROC else psutil_row(pid, mark, born)


def _proc_row(pid: int, mark: str, born: float) -> ProcessRow | None:
    folder = f"/proc/{pid}"
    row = parse_stat(pid, _bytes(f"{folder}/stat"))
    if row is None or row.dead or not mark or row.born < born:
        return row
    environment = _bytes(f"{folder}/environ")
    marked = f"{MARKER}={mark}".encode() in environment.split(b"\0")
    return replace(row, marked=marked, bare=bare(environment))


def parse_stat(pid: int, stat: bytes) -> ProcessRow | None:
    """A row from `/proc/<pid>/stat`, whose second field may hold any character. None when there is no such process."""
    fields = stat.rpartition(b")")[2].split()
    if len(fields) < 20:
        return None
    parent, group, session = (int(value) for value in fields[1:4])
    return ProcessRow(pid, parent, group, session, fields[0].decode() in _DEAD, int(fields[19]))


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:  # ended meanwhile, or another user's
        return b""


def psutil_row(pid: int, mark: str, born: float) -> ProcessRow | None:
    """One process as psutil tells of it, on any system. Another user's is never marked."""
    import psutil

    try:
        process = psutil.Process(pid)
        began, group, session, dead = process.create_time(), 0, 0, False
        if sys.platform != "win32":
            group, session = os.getpgid(pid), os.getsid(pid)
            dead = process.status() == psutil.STATUS_ZOMBIE
        row = ProcessRow(pid, process.ppid(), group, session, dead, began)
    except (psutil.Error, OSError):
        return None
    if dead or not mark or began < born:
        return row
    marked = False
    with contextlib.suppress(psutil.Error, OSError):
        marked = process.environ().get(MARKER) == mark
    return ProcessRow(pid, row.parent, group, session, dead, began, marked)
