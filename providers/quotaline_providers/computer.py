"""What this computer calls itself. Python's `platform` is not asked: from 3.12 on it asks Windows' management service,
which takes up to seconds, sometimes for ever, and the event loop would stand still."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

_FIRST_BUILD_OF_11 = 22000
_SYSTEMS = {"darwin": "macOS", "win32": "Windows"}


@dataclass(frozen=True, slots=True)
class Computer:
    """The system (`Linux`), its release (`6.8.0`; `11` of Windows), its exact version, the processor's kind and the
    name of the computer. What is unknown is empty."""

    system: str
    release: str = ""
    version: str = ""
    machine: str = ""
    name: str = ""


def this_computer(environ: Mapping[str, str], platform: str | None = None) -> Computer:
    """The computer this runs on, at once and without starting anything."""
    system = platform or sys.platform
    if system == "win32":
        return _windows(environ)
    own = os.uname() if hasattr(os, "uname") else None
    if own is None:
        return Computer(_SYSTEMS.get(system, system))
    return Computer(_SYSTEMS.get(system, own.sysname), own.release, own.version, own.machine, own.nodename)


def _windows(environ: Mapping[str, str]) -> Computer:
    ask = getattr(sys, "getwindowsversion", None)
    own = ask() if ask else None
    # a 32-bit Python on 64-bit Windows is told of its own kind in the second variable
    machine = environ.get("PROCESSOR_ARCHITEW6432") or environ.get("PROCESSOR_ARCHITECTURE") or ""
    name = environ.get("COMPUTERNAME") or ""
    if own is None:
        return Computer("Windows", machine=machine, name=name)
    release = "11" if own.major == 10 and own.build >= _FIRST_BUILD_OF_11 else str(own.major)
    return Computer("Windows", release, f"{own.major}.{own.minor}.{own.build}", machine, name)
