"""Which Google Cloud project the quota is asked of: without one Google tells 100 % left of everything."""

from __future__ import annotations

import re
from pathlib import Path

from quotaline_providers import Context, clean
from quotaline_providers.vendors.gemini.credentials import folder

VARIABLES = ("GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_PROJECT_ID")
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")
_QUOTED = re.compile(r"""(["'])(.*?)\1""")


async def named_project(ctx: Context) -> str | None:
    """The project that the user names: in the environment, the config, or the CLI's own `.env`."""
    return ctx.env(*VARIABLES) or ctx.settings.own_text("projectId") or await _from_file(ctx)


async def _from_file(ctx: Context) -> str | None:
    """That of the first file which exists, as the CLI does. Nothing else of it is used, least of all keys."""
    path = await ctx.files.in_thread(
        lambda: next(filter(Path.is_file, (folder(ctx) / ".env", ctx.home / ".env")), None)
    )
    if path is None:
        return None
    try:
        return project_in(await ctx.files.read(path, limit=1 << 20))
    except (OSError, ValueError):
        return None


def project_in(text: str) -> str | None:
    """The project in lines of `NAME=value`, which may begin with `export`, be quoted and end in a comment."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match and match.group(1) in VARIABLES and (value := _value(match.group(2))):
            found[match.group(1)] = value
    return next((found[name] for name in VARIABLES if name in found), None)


def _value(text: str) -> str | None:
    quoted = _QUOTED.match(text)
    return clean(quoted.group(2) if quoted else text.partition("#")[0])
