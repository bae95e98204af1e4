"""Where Quotaline keeps its files: the folders of each system, and what the virtualised ones are called outside.

An editor and a terminal of one user must find the same folders, or vendors are asked twice and a key set here is
unknown there. So a variable counts only where all programs of the desktop have it: `XDG_*` on Linux, and not on macOS,
whose editors start from the Dock without what a shell exports.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import platformdirs

NAME = "quotaline"
STORE_NAME = "store.sqlite3"
STARTUP_NOTES = "startup:"
"""What the keys of those notes in the store begin with that are the startup cache."""


class Folders(NamedTuple):
    """A user's four folders of Quotaline. Some of them are the same folder on macOS and Windows."""

    config: Path
    data: Path
    state: Path
    cache: Path


def folders(environ: Mapping[str, str], home: Path, platform: str | None = None) -> Folders:
    """The folders that `platformdirs` would tell in this environment and home on this system (or another one), whether
    they exist or not; the library can only be asked for this process."""
    system = platform or sys.platform
    if system == "win32":
        local = _absolute(environ, "LOCALAPPDATA", home / "AppData/Local") / NAME
        return Folders(local, local, local, local / "Cache")
    if system == "darwin":
        support = home / "Library/Application Support" / NAME
        return Folders(support, support, support, home / "Library/Caches" / NAME)
    return Folders(
        config=_absolute(environ, "XDG_CONFIG_HOME", home / ".config") / NAME,
        data=_absolute(environ, "XDG_DATA_HOME", home / ".local/share") / NAME,
        state=_absolute(environ, "XDG_STATE_HOME", home / ".local/state") / NAME,
        cache=_absolute(environ, "XDG_CACHE_HOME", home / ".cache") / NAME,
    )


def seen_by_others(path: Path) -> Path:
    """What other programs call this file. Windows gives a packaged Python (the Store's) files below AppData that are
    kept elsewhere, in its package's folder, where no editor looks for them. Blocks on the disk."""
    if sys.platform != "win32":
        return path
    real = Path(os.path.realpath(path))
    return real if is_virtualised(real) else path


def is_virtualised(real: Path) -> bool:
    """Whether a path, as `seen_by_others` returned it, is in the private folder of a package."""
    parts = [part.lower() for part in real.parts]
    return any(parts[at] == "packages" and parts[at + 2] == "localcache" for at in range(len(parts) - 2))


def _absolute(environ: Mapping[str, str], variable: str, usual: Path) -> Path:
    """The folder that a variable names; the usual one where that is none, or depends on the current folder."""
    named = environ.get(variable, "").strip()
    return Path(named) if Path(named).is_absolute() else usual


def _own() -> Folders:
    """The folders of the user who runs this. The library asks Windows itself; on macOS it would obey `XDG_*`."""
    if sys.platform == "darwin":
        return folders(os.environ, Path.home())
    known = platformdirs.PlatformDirs(NAME, appauthor=False)
    return Folders(known.user_config_path, known.user_data_path, known.user_state_path, known.user_cache_path)


def cache_folder() -> Path:
    """Where the shared store is."""
    return _own().cache


def store_path() -> Path:
    """The shared store."""
    return cache_folder() / STORE_NAME


def report_path() -> Path:
    """Where the report document is written for clients to open."""
    return cache_folder() / "report.md"


def state_folder() -> Path:
    """Where the history of usage and what the user has agreed to are: what cannot be read again, nor edited by hand."""
    return _own().state


def data_folder() -> Path:
    """Where the list of keyring entries is (labels, never values)."""
    return _own().data


def config_folder() -> Path:
    """Where the config file usually is, wherever `QUOTALINE_CONFIG` points."""
    return _own().config


def own_folders() -> tuple[Path, ...]:
    """The folders that hold nothing but our files, whether they exist or not."""
    own = _own()
    return tuple(dict.fromkeys((own.cache, own.state, own.data, own.config)))


def approvals_path() -> Path:
    """What the user has agreed to of third-party providers."""
    return state_folder() / "approvals.json"


def provider_folder() -> Path:
    """Where the user's own provider files are: in the user's config folder, wherever `QUOTALINE_CONFIG` points."""
    return config_folder() / "providers"
