"""What was shown last, kept as it was drawn, so that a new editor shows it before anything else is even imported.

It is only a picture: the session draws it anew from the store a moment later.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quotaline.lsp.methods import DID_CHANGE_USAGE

if TYPE_CHECKING:
    from quotaline.lsp.server import QuotalineServer

_kept: dict[Path, object] = {}


def announce(server: QuotalineServer) -> None:
    """Send the last picture drawn with the same settings, to a client that takes it. Nothing when there is none."""
    ours = _member(server.client_capabilities.experimental, "quotaline")
    if _member(ours, "usage") is not True:
        return
    try:
        params = json.loads(_path(server.options).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return
    if isinstance(params, dict) and isinstance(params.get("providers"), list):
        server.protocol.notify(DID_CHANGE_USAGE, params)


def keep(options: Any, params: Mapping[str, Any]) -> None:
    """Keep a picture when any usage in it is new, or a provider came or went. It holds what the store holds."""
    path = _path(options)
    providers = params["providers"]
    gist = [(one["id"], one["account"], one["updatedAt"], one["error"]) for one in providers]
    if _kept.get(path) == gist or any(one["refreshing"] for one in providers):
        return
    _kept[path] = gist
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(prefix=".shown.", dir=path.parent)
        with open(handle, "w", encoding="utf-8") as file:
            json.dump(params, file)
        os.replace(name, path)


def _path(options: Any) -> Path:
    from quotaline.folders import cache_folder

    digest = hashlib.sha256(json.dumps(options, sort_keys=True, default=str).encode()).hexdigest()[:12]
    return cache_folder() / f"shown-{digest}.json"


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)
