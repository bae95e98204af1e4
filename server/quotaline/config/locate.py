"""Where the config file is: Quotaline's own, and CodexBar's below it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from quotaline.paths import folders

FILE_NAME = "config.json"


def config_path(environ: Mapping[str, str], home: Path, platform: str = sys.platform) -> Path:
    """Quotaline's config file: `QUOTALINE_CONFIG`, else `config.json` in the user's config folder."""
    if chosen := environ.get("QUOTALINE_CONFIG", "").strip():
        return _expand(chosen, home)
    return folders(environ, home, platform).config / FILE_NAME


def codexbar_path(environ: Mapping[str, str], home: Path, platform: str = sys.platform) -> Path:
    """CodexBar's config file, read below ours and never written. It need not exist."""
    if chosen := environ.get("CODEXBAR_CONFIG", "").strip():
        return _expand(chosen, home)
    if base := environ.get("XDG_CONFIG_HOME", "").strip():
        folder = _expand(base, home)
        if folder.is_absolute():
            return folder / "codexbar" / FILE_NAME
    usual = home / ".config" / "codexbar" / FILE_NAME
    candidates = [usual, home / ".codexbar" / FILE_NAME]
    if platform == "win32":
        roaming = environ.get("APPDATA")
        candidates.insert(0, (Path(roaming) if roaming else home / "AppData/Roaming") / "codexbar" / FILE_NAME)
    return next((path for path in candidates if _is_there(path)), candidates[0])


def _expand(path: str, home: Path) -> Path:
    return home / path[2:] if path.startswith(("~/", "~\\")) else home if path == "~" else Path(path)


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return True  # there, but not ours to look into: reading it will say so
