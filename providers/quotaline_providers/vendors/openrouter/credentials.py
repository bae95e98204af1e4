"""The keys: of the API, also in a key file, and the management key that may read the account's history."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from quotaline_providers import ApiKey, Context, Secret, clean

MANAGEMENT_KEY = "OPENROUTER_MANAGEMENT_API_KEY"


def management_key(ctx: Context) -> Secret | None:
    """The key that may read the account's history, from the config or the environment."""
    kept = ctx.settings.own("pluginSecrets")
    own = kept.get(MANAGEMENT_KEY) if isinstance(kept, dict) else None
    value = (clean(own) if isinstance(own, str) else None) or ctx.env(MANAGEMENT_KEY)
    return Secret(value) if value else None


def _key_file(ctx: Context) -> tuple[Path, Any]:
    return ctx.home / ".config/openrouter/key.json", key_in_file


def key_in_file(text: str) -> str | None:
    """The key in a key file: a JSON object's, or the bare text."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None if text.lstrip().startswith(("{", "[")) else text
    if isinstance(content, str):
        return content
    if not isinstance(content, dict):
        return None
    found = (content.get(name) for name in ("apiKey", "api_key", "key"))
    return next((value for value in found if isinstance(value, str) and clean(value)), None)


KEY = ApiKey(env=("OPENROUTER_API_KEY", "OPENROUTER_KEY"), file=_key_file)
