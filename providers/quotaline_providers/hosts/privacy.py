"""What this process makes on the disk is for the user alone, whatever their umask says; their programs keep theirs."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PRIVATE = 0o077
"""The umask that leaves nothing to others."""

_users: int | None = None


def write_privately() -> None:
    """From here on no file and no folder that this process makes can be used by others, temporary files and those of
    libraries included."""
    global _users
    before = os.umask(PRIVATE)
    if _users is None:
        _users = before


def users_umask() -> int:
    """The umask for programs that are the user's: the one they have set; -1 where it still holds in this process."""
    return -1 if _users is None else _users


@contextmanager
def as_the_user_has_it() -> Iterator[None]:
    """The user's umask, for a library that starts one of the user's programs itself."""
    ours = os.umask(_users) if _users is not None else None
    try:
        yield
    finally:
        if ours is not None:
            os.umask(ours)


def make_folder(path: Path) -> None:
    """Make a folder and those above it that are missing, for the user alone. What exists stays as it is.

    Raises OSError.
    """
    if not path.is_dir():
        if not path.parent.exists():
            make_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def make_own_folder(path: Path) -> None:
    """As `make_folder`, for a folder that holds nothing but our files: what others may do there is taken from them
    also where it exists. Raises OSError where it cannot be made."""
    make_folder(path)
    close_to_others(path)


def close_to_others(path: Path) -> None:
    """Take from others what they may do with one of our own files or folders. A link, a device and what is not the
    user's stay as they are."""
    if os.name != "posix":
        return
    with suppress(OSError):
        found = path.lstat()
        ours = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
        if ours and found.st_uid == os.geteuid() and found.st_mode & PRIVATE:
            path.chmod(stat.S_IMODE(found.st_mode) & ~PRIVATE)
