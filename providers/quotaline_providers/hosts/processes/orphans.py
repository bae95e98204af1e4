"""Processes whose parents have ended, on Linux: this process becomes the one to which they fall.

A daemon that has left its session and cleared its environment carries nothing that tells who started it. But when its
parent ends, it falls to the nearest ancestor that asks for such orphans, instead of to the system's first process.
"""

from __future__ import annotations

import contextlib
import os
import sys
from functools import cache

OWN = "QUOTALINE_PROCESS"
"""The environment variable of what this process starts for itself (an editor, a browser, a worker)."""
_PR_SET_CHILD_SUBREAPER = 36


@cache
def adopt() -> bool:
    """Have orphans fall to this process from now on. Whether they do."""
    if not sys.platform.startswith("linux"):
        return False
    import ctypes  # worth importing only where programs are started

    os.environ[OWN] = "1"
    try:
        return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


def bare(environment: bytes) -> bool:
    """Whether a process with this environment (as `/proc` has it) may be anybody's: it carries no marker of ours, and
    is no copy of this process either that has not become another program yet."""
    names = {entry.partition(b"=")[0] for entry in environment.split(b"\0")}
    return not names & {OWN.encode(), b"QUOTALINE_CHILD"} and environment != _initial()


@cache
def _initial() -> bytes:
    try:
        with open("/proc/self/environ", "rb") as file:
            return file.read()
    except OSError:
        return b""


def collect(pid: int) -> None:
    """Take the exit status of an orphan that has ended, which nobody else does."""
    with contextlib.suppress(OSError):
        os.waitpid(pid, os.WNOHANG)
