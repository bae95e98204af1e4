"""What was shown last, as it was drawn, so that a new editor shows it before the means to draw are even imported.

The shared store keeps it as a note (see `pictures`, which draws it), beside the readings it was drawn from: who forgets
a provider's usage forgets the pictures of it. A picture says until when, of which readings and with which config files
it is true; else it is not shown, and what is true comes a moment later.
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
from quotaline.paths import PICTURE_NOTES, store_path

PATIENCE = 0.02
"""Seconds to wait for the store's lock."""
_PLACES = ("QUOTALINE_CONFIG", "CODEXBAR_CONFIG", "XDG_CONFIG_HOME")


def note_key(options: Any, environ: Mapping[str, str] = os.environ) -> str:
    """The note for editors with these initialization options: they decide how things are drawn."""
    told = [__version__, options, [environ.get(name) for name in _PLACES]]
    digest = hashlib.sha256(json.dumps(told, sort_keys=True, default=_plain).encode()).hexdigest()
    return f"{PICTURE_NOTES}{digest[:16]}"


def last_shown(options: Any, now: float) -> dict[str, Any] | None:
    """The parameters of `quotaline/didChangeUsage` that are still true at this time (epoch seconds); None when there
    are none. Blocks on the disk."""
    try:
        address = f"file:///{quote(store_path().as_posix().removeprefix('/'))}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=PATIENCE)) as store:
            row = store.execute("SELECT value FROM note WHERE key = ?", (note_key(options),)).fetchone()
            readings = store.execute("SELECT key, attempted_at FROM reading ORDER BY key").fetchall()
        return None if row is None else true_part(json.loads(row[0]), list(map(list, readings)), now)
    except (sqlite3.Error, OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def true_part(picture: Mapping[str, Any], readings: list[list[Any]], now: float) -> dict[str, Any] | None:
    """The drawing of a picture that holds at this time; None when none does, when the store holds other readings (keys,
    and when they were attempted) than it was drawn from, or when a config file has changed."""
    if not picture["drawn_at"] - 1 <= now < picture["until"] or picture["readings"] != readings:
        return None
    paths, seen = picture["files"]
    if [list(one) if one else None for one in signature(map(Path, paths))] != seen:
        return None
    for until, params in picture["drawings"]:
        if now < until and isinstance(params["providers"], list):
            return dict(params)
    return None


def _plain(value: Any) -> Any:
    return vars(value) if hasattr(value, "__dict__") else str(value)
