"""What tests need of the system they run on: marks for tests, classes and modules (`pytestmark = systems.scripts`).

A test whose need is not met is skipped with the reason. `docs/development.md` has the list, made by `docs/skipped.py`.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Need:
    """Something that not every system has. `missing` names those without it, `reason` is shown."""

    met: bool
    missing: str
    reason: str

    @property
    def mark(self) -> pytest.MarkDecorator:
        return pytest.mark.skipif(not self.met, reason=self.reason)


_POSIX = os.name == "posix"
_LINUX = sys.platform.startswith("linux")

NEEDS = {
    "modes": Need(_POSIX, "Windows", "Windows has access lists, and no modes, owners and umask"),
    "links": Need(_POSIX, "Windows", "on Windows symbolic links need a right that users lack"),
    "names": Need(_POSIX, "Windows", "Windows allows fewer characters in the names of files"),
    "pipes": Need(_POSIX, "Windows", "Windows has no pipes among its files"),
    "scripts": Need(_POSIX, "Windows", "its programs are scripts that POSIX systems start by their first line"),
    "locks": Need(_POSIX, "Windows", "Windows locks files in another way"),
    "zombies": Need(_POSIX, "Windows", "Windows keeps nothing of a process that has ended"),
    "signals": Need(_POSIX, "Windows", "Windows has no signals that a process could handle or ignore"),
    "terminals": Need(_POSIX, "Windows", "Windows has no pseudo-terminals as POSIX systems have them"),
    "proc": Need(_LINUX, "macOS, Windows", "only Linux has /proc"),
    "mounts": Need(_LINUX, "macOS, Windows", "small and read-only disks are mounted as Linux does it"),
    "secret_service": Need(_LINUX, "macOS, Windows", "the Secret Service belongs to Linux"),
    "orphans": Need(_LINUX, "macOS, Windows", "orphans fall to us on Linux alone"),
    "keychain": Need(sys.platform == "darwin", "Linux, Windows", "needs the Keychain of macOS"),
    "credential_manager": Need(sys.platform == "win32", "Linux, macOS", "needs the Credential Manager of Windows"),
}

modes = NEEDS["modes"].mark
links = NEEDS["links"].mark
names = NEEDS["names"].mark
pipes = NEEDS["pipes"].mark
scripts = NEEDS["scripts"].mark
locks = NEEDS["locks"].mark
zombies = NEEDS["zombies"].mark
signals = NEEDS["signals"].mark
terminals = NEEDS["terminals"].mark
proc = NEEDS["proc"].mark
mounts = NEEDS["mounts"].mark
secret_service = NEEDS["secret_service"].mark
orphans = NEEDS["orphans"].mark
keychain = NEEDS["keychain"].mark
credential_manager = NEEDS["credential_manager"].mark

COMPLETE = bool(os.environ.get("CI"))
"""Whether everything that can be installed must be there: a test without it fails then, and is not skipped."""
