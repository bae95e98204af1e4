"""A child program's whole family: everything it started, also what left its process group, and how that is ended.

Children carry a marking variable in their environment, by which daemons that detached themselves are found again.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

MARK = "QUOTALINE_CHILD"
"""The environment variable that marks the programs we started; its value is unique for each of them."""

if sys.platform == "win32":
    KILL = signal.SIGTERM
else:
    KILL = signal.SIGKILL  # what ends a process without asking it

_PROC = Path("/proc")
_DEAD = frozenset("ZX")
_PASSES = 20
_PAUSE = 0.05  # seconds between two looks for survivors


@dataclass(frozen=True, slots=True)
class _Process:
    """A row of the process table. `born` is in clock ticks since boot, 0 where the system does not tell."""

    pid: int
    parent: int
    group: int
    session: int
    dead: bool
    born: int = 0
    marked: bool = False


@dataclass(slots=True)
class Family:
    """The program with this process id, leader of its own session and process group, and all its descendants."""

    pid: int
    mark: str
    born: int = field(init=False)

    def __post_init__(self) -> None:
        row = _linux_row(self.pid)
        self.born = row.born if row else 0

    def signal(self, number: int) -> None:
        """Signal the process group at once, without looking for those who left it. On Windows: end the whole tree."""
        if sys.platform == "win32":
            _end_tree(self.pid)
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def living(self) -> dict[int, int]:
        """Process ids of all members that still run, and their groups. Looks through the process table: not for the
        event loop."""
        rows = [row for row in _table(self.mark, self.born) if row.pid not in (1, os.getpid())]
        found = {row.pid for row in rows if row.marked or self.pid in (row.pid, row.group, row.session)}
        known = -1
        while known != len(found):
            known = len(found)
            found |= {row.pid for row in rows if row.parent in found}
        return {row.pid: row.group for row in rows if row.pid in found and not row.dead}

    def signal_all(self, number: int) -> bool:
        """Signal every member, wherever it went. Whether there was one. Not for the event loop."""
        living = self.living()
        self.signal(number)
        for pid, group in living.items():
            if group != self.pid:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
        return bool(living)

    def wait(self, until: float) -> None:
        """Return when no member runs any more, or at that time of the monotonic clock. Not for the event loop."""
        while self.living() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _PAUSE))

    def end(self) -> None:
        """Kill every member and return when none is left (or after a second). Not for the event loop."""
        if sys.platform == "win32":
            return
        for _ in range(_PASSES):
            if not self.signal_all(KILL):
                return
            time.sleep(_PAUSE)


def new_mark() -> str:
    """A value for the marking variable that nobody else has."""
    return uuid4().hex


def end_all(families: Mapping[int, Family]) -> None:
    """Kill these process groups now: the last resort when nobody waits for them any more."""
    for family in tuple(families.values()):
        family.signal(KILL)


# --- process tables --------------------------------------------------------------------------------


def _table(mark: str, born: int) -> list[_Process]:
    """The processes of this system (on Linux those not older than the child, which is all that can be its own)."""
    if sys.platform == "win32":
        return []
    if not sys.platform.startswith("linux"):
        return _ps_rows(mark)
    rows = (_linux_row(int(entry), mark, born) for entry in os.listdir(_PROC) if entry.isdigit())
    return [row for row in rows if row is not None and row.born >= born]


def _linux_row(pid: int, mark: str = "", born: int = 0) -> _Process | None:
    folder = f"/proc/{pid}"
    row = parse_stat(pid, _bytes(f"{folder}/stat"))
    if row is None or row.dead or not mark or row.born < born:
        return row
    marked = f"{MARK}={mark}".encode() in _bytes(f"{folder}/environ").split(b"\0")
    return _Process(row.pid, row.parent, row.group, row.session, row.dead, row.born, marked)


def parse_stat(pid: int, stat: bytes) -> _Process | None:
    """A row from `/proc/<pid>/stat`, whose second field may hold any character. None when there is no such process."""
    fields = stat.rpartition(b")")[2].split()
    if len(fields) < 20:
        return None
    parent, group, session = (int(value) for value in fields[1:4])
    return _Process(pid, parent, group, session, fields[0].decode() in _DEAD, int(fields[19]))


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:  # ended meanwhile, or another user's
        return b""


def _ps_rows(mark: str) -> list[_Process]:
    command = ["/bin/ps", "-axEww", "-o", "pid=,ppid=,pgid=,stat=,command="]
    try:
        listing = subprocess.run(command, capture_output=True, timeout=5, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return parse_ps(listing.decode("utf-8", "replace"), mark)


def parse_ps(listing: str, mark: str) -> list[_Process]:
    """Rows from a `ps` listing of pid, parent, group, state, and command line followed by the environment."""
    rows = []
    for line in listing.splitlines():
        fields = line.split(None, 4)
        if len(fields) < 4 or not all(field.isdigit() for field in fields[:3]):
            continue
        pid, parent, group = (int(field) for field in fields[:3])
        marked = f"{MARK}={mark}" in (fields[4] if len(fields) > 4 else "")
        rows.append(_Process(pid, parent, group, group, fields[3][0] in _DEAD, 0, marked))
    return rows


def _end_tree(pid: int) -> None:
    program = Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "taskkill.exe"
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run([str(program), "/T", "/F", "/PID", str(pid)], capture_output=True, timeout=5, check=False)
