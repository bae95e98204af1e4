"""Where `kiro-cli` is, and the login it keeps in its state database."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quotaline_providers import Context, MissingCredential, Program, Secret
from quotaline_providers.vendors.kiro.payloads import StoredProfile, StoredToken

SIGN_IN = "Run `kiro-cli login`."

TOKEN_KEYS = ("kirocli:odic:token", "kirocli:social:token", "codewhisperer:odic:token")
PROFILE_KEY = "api.codewhisperer.profile"
_PROFILE = re.compile(r"arn:aws:codewhisperer:([a-z0-9-]+):\d+:profile/[\w-]+")


@dataclass(frozen=True, slots=True)
class StoredLogin:
    """A login that the program keeps: its access token, its profile, and the region where that lives."""

    token: Secret
    arn: str
    region: str


def programs(ctx: Context) -> tuple[Path, ...]:
    """Where the program is installed when it is not on PATH."""
    if ctx.platform == "win32":
        folders = (ctx.data_home(), Path("C:/Program Files"))
        return tuple(folder / "Kiro-Cli" / "kiro-cli.exe" for folder in folders)
    return (
        ctx.home / ".local" / "bin" / "kiro-cli",
        Path("/opt/homebrew/bin/kiro-cli"),
        Path("/usr/local/bin/kiro-cli"),
    )


PROGRAM = Program(
    "kiro-cli",
    env="KIRO_CLI_PATH",
    candidates=programs,
    hint="Install it from https://kiro.dev.",
    login_shell=True,
)


def logged_out() -> MissingCredential:
    """The error of a program without a login."""
    return MissingCredential("Kiro is not logged in.", SIGN_IN)


def state_databases(ctx: Context) -> tuple[Path, ...]:
    """Where the program may keep its state, in order."""
    if own := ctx.env_path("KIRO_DATA_DIR"):
        folders: tuple[Path, ...] = (own,)
    elif ctx.platform == "darwin":
        folders = (ctx.home / "Library" / "Application Support" / "kiro-cli",)
    elif ctx.platform == "win32":
        local_share = ctx.home / ".local" / "share"
        folders = tuple(base / "kiro-cli" for base in (ctx.data_home(), ctx.config_home(), local_share))
    else:
        folders = (ctx.data_home() / "kiro-cli",)
    return tuple(folder / "data.sqlite3" for folder in folders)


async def stored_logins(ctx: Context) -> AsyncIterator[StoredLogin]:
    """The logins in the program's state, in order. One whose profile is malformed tells no region and is left out."""
    for path in state_databases(ctx):
        if not await ctx.files.in_thread(path.is_file):
            continue
        profile = StoredProfile.model_validate(await _row(ctx, path, "state", PROFILE_KEY) or {})
        for key in TOKEN_KEYS:
            token = StoredToken.model_validate(await _row(ctx, path, "auth_kv", key) or {})
            arn = profile.arn or token.profile_arn
            profile_of = _PROFILE.fullmatch(arn) if arn else None
            if token.access_token and arn and profile_of:
                yield StoredLogin(Secret(token.access_token), arn, profile_of.group(1))


_QUERIES = {
    "auth_kv": "SELECT value FROM auth_kv WHERE key = ?",
    "state": "SELECT value FROM state WHERE key = ?",
}


async def _row(ctx: Context, path: Path, table: str, key: str) -> dict[str, Any] | None:
    try:
        rows = await ctx.databases.rows(path, _QUERIES[table], (key,))
        value = json.loads(rows[0][0]) if rows and isinstance(rows[0][0], str | bytes) else None
    except (OSError, ValueError, RecursionError, sqlite3.Error):
        return None
    return value if isinstance(value, dict) else None
