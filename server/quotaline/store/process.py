"""Whether another process is still there: an editor, or the holder of a lease."""

# Linux reads /proc and waits for a pidfd here; other systems use psutil. On Linux psutil would cost 11 ms and 1.2 MiB
# in every sidecar and every `quotaline statusline`, and its time of birth counts from the system clock: two processes
# of which one began before the clock was set would disagree on it. Its `wait` blocks a thread that cannot be stopped.

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

POLL_SECONDS = 2.0

_HAS_PROC = sys.platform.startswith("linux")


def alive(pid: int) -> bool:
    """Whether a process with this id exists. A zombie does not count; one that cannot be asked for counts."""
    if pid <= 0:
        return False
    if _HAS_PROC:
        return _alive_in_proc(pid)
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:  # it is there, and another user's
        return True


def birth(pid: int) -> str:
    """When a process began, as an opaque text by which a reused id is told; empty where the system does not say."""
    if _HAS_PROC:
        fields = _stat_fields(pid)
        return fields[19] if len(fields) > 19 else ""
    import psutil

    try:
        return str(psutil.Process(pid).create_time())
    except (psutil.Error, ValueError):
        return ""


async def ended(pid: int) -> None:
    """Wait until this process has ended: told by the system where it can, else by asking every `POLL_SECONDS`."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except (AttributeError, OSError):
        await _poll(pid)
        return
    over, loop = asyncio.Event(), asyncio.get_running_loop()
    try:
        loop.add_reader(handle, over.set)
    except NotImplementedError:
        os.close(handle)
        await _poll(pid)
        return
    try:
        await over.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)


async def _poll(pid: int) -> None:
    born = birth(pid)
    while alive(pid) and birth(pid) == born:  # noqa: ASYNC110 (another process cannot set an event)
        await asyncio.sleep(POLL_SECONDS)


def _alive_in_proc(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _stat_fields(pid)[:1] != ["Z"]


def _stat_fields(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()
