"""Where Amp's credentials are: the program, the access token in its secrets file, and the `session` cookie."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from quotaline_providers import ApiKey, Context, CookieHeader, Program, normalize_cookie

SITE = "https://ampcode.com"


def programs(ctx: Context) -> tuple[Path, ...]:
    """Where the program is installed when it is not on PATH."""
    if ctx.platform == "win32":
        return tuple(ctx.config_home() / "npm" / f"amp{extension}" for extension in (".exe", ".cmd", ".ps1"))
    return (
        ctx.home / ".local" / "bin" / "amp",
        ctx.home / ".amp" / "bin" / "amp",
        Path("/opt/homebrew/bin/amp"),
        Path("/usr/local/bin/amp"),
    )


def token_in(text: str) -> str | None:
    """The access token in the program's secrets file; tokens of other servers are not for us."""
    try:
        content = json.loads(text)
    except RecursionError:
        return None
    if not isinstance(content, dict):
        return None
    names = (f"apiKey@{SITE}/", f"apiKey@{SITE}")
    return next((token for name in names if isinstance(token := content.get(name), str) and token), None)


def secrets_file(ctx: Context) -> tuple[Path, Callable[[str], str | None]]:
    """The program's own file of secrets, and how the token is found in it."""
    return ctx.home / ".local" / "share" / "amp" / "secrets.json", token_in


def session_pairs(text: str) -> str | None:
    """Only the `session` cookies of a pasted header; None when there is none."""
    pairs = (pair.strip() for pair in (normalize_cookie(text) or "").split(";"))
    return "; ".join(pair for pair in pairs if pair.partition("=")[0].strip() == "session") or None


PROGRAM = Program(
    "amp", env="AMP_CLI_PATH", candidates=programs, hint="Install Amp from https://ampcode.com.", login_shell=True
)
TOKEN = ApiKey(env=("AMP_API_KEY",), file=secrets_file)
COOKIE = CookieHeader(read=session_pairs)
