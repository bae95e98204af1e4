"""What an editor showed last, as it was rendered, so that a new one shows it before it can render by itself.

An entry is a note in the shared store (see `startup_cache_writer`), beside the readings it was rendered from: who
forgets a provider's usage forgets the entries with it. An entry says until when, for which readings and with which
config files it is true; else it is not shown, and what is true comes a moment later. This module is imported before
pydantic is and needs nothing of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from quotaline import __version__
from quotaline.filestate import signature
from quotaline.paths import STARTUP_NOTES, store_path

BUSY_SECONDS = 0.02
"""How long the store's lock is waited for."""
_PLACES = ("QUOTALINE_CONFIG", "CODEXBAR_CONFIG", "XDG_CONFIG_HOME")


def note_key(options: Any, environ: Mapping[str, str] = os.environ) -> str:
    """The note for editors with these initialization options: they decide how usage is rendered."""
    parts = [__version__, options, [environ.get(name) for name in _PLACES]]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True, default=_plain).encode()).hexdigest()
    return f"{STARTUP_NOTES}{digest[:16]}"


def cached_params(options: Any, now: float) -> dict[str, Any] | None:
    """The parameters of `quotaline/didChangeUsage` that are still true at this time (epoch seconds); None when there
    are none. Blocks on the disk."""
    try:
        address = f"file:///{quote(store_path().as_posix().removeprefix('/'))}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as store:
            row = store.execute("SELECT value FROM note WHERE key = ?", (note_key(options),)).fetchone()
            readings = store.execute("SELECT key, attempted_at FROM reading ORDER BY key").fetchall()
        return None if row is None else true_params(json.loads(row[0]), list(map(list, readings)), now)
    except (sqlite3.Error, OSError, ValueError, KeyError, TypeError, RuntimeError):  # RuntimeError: no home, nesting
        return None


def true_params(entry: Mapping[str, Any], readings: list[list[Any]], now: float) -> dict[str, Any] | None:
    """The parameters in an entry that hold at this time; None when none do, when the store has other readings (keys,
    and when they were attempted) than they were rendered from, or when a config file has changed."""
    if not entry["rendered_at"] - 1 <= now < entry["until"] or entry["readings"] != readings:
        return None
    paths, files = entry["files"]
    if [list(one) if one else None for one in signature(map(Path, paths))] != files:
        return None
    for until, params in entry["renderings"]:
        if now < until and isinstance(params["providers"], list):
            return dict(params)
    return None


def _plain(value: Any) -> Any:
    return vars(value) if hasattr(value, "__dict__") else str(value)
