"""Whether another process is still there: an editor, or the holder of a lease."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

LOOK_SECONDS = 2.0


def alive(pid: int) -> bool:
    """Whether a process with this id exists. A zombie does not count; one that cannot be asked for counts."""
    if pid <= 0:
        return False
    if sys.platform == "win32":
        return _alive_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _state(pid) != "Z"


def birth(pid: int) -> str:
    """When a process began, as an opaque text by which a reused id is told; empty where the system does not say."""
    fields = _stat_fields(pid)
    return fields[19] if len(fields) > 19 else ""


async def ended(pid: int) -> None:
    """Wait until this process has ended: told by the system where it can, else by looking every now and then."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except (AttributeError, OSError):
        await _seen_ended(pid)
        return
    over, loop = asyncio.Event(), asyncio.get_running_loop()
    try:
        loop.add_reader(handle, over.set)
    except NotImplementedError:
        os.close(handle)
        await _seen_ended(pid)
        return
    try:
        await over.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)


async def _seen_ended(pid: int) -> None:
    born = birth(pid)
    while alive(pid) and birth(pid) == born:  # noqa: ASYNC110 (another process cannot set an event)
        await asyncio.sleep(LOOK_SECONDS)


def _state(pid: int) -> str:
    fields = _stat_fields(pid)
    return fields[0] if fields else ""


def _stat_fields(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _alive_windows(pid: int) -> bool:
    import ctypes

    query_limited_information, still_active = 0x1000, 259
    kernel32 = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
    handle = kernel32.OpenProcess(query_limited_information, False, pid)
    if not handle:
        return bool(kernel32.GetLastError() == 5)  # access denied: it is there
    try:
        code = ctypes.c_ulong()
        return bool(kernel32.GetExitCodeProcess(handle, ctypes.byref(code))) and code.value == still_active
    finally:
        kernel32.CloseHandle(handle)
