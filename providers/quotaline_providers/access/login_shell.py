"""Programs that only the user's login shell finds: an editor started from a menu has a shorter PATH than a terminal."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from quotaline_providers.contract import Context
from quotaline_providers.errors import ReadError

SHELLS = frozenset({"bash", "zsh", "fish", "ksh", "sh", "dash"})
SHELL_SECONDS = 4.0
FOUND_KEPT, MISSING_KEPT = timedelta(days=1), timedelta(hours=6)


async def in_login_shell(ctx: Context, name: str) -> Path | None:
    """Where the user's login shell (`SHELL`) finds a program, an alias included. None when it does not.

    Starting a shell is slow, so the answer is remembered; a read that the user asked for looks again if it was None.
    """
    shell = ctx.env_path("SHELL")
    if ctx.platform == "win32" or shell is None or shell.name not in SHELLS or not re.fullmatch(r"[\w-]+", name):
        return None
    note = f"login-shell:{name}"
    kept = await ctx.memory.get(note)
    if kept is not None and (kept or not ctx.interactive):
        found = _executable(ctx, name, kept)
        if found is not None or not kept:
            return found
    try:
        argv = (shell, "-l", "-i", "-c", f"command -v {name}")
        done = await ctx.processes.run(argv, timeout=SHELL_SECONDS, cwd=ctx.home)
    except ReadError:
        return None
    candidates = reversed(paths_in(done.stdout, name))
    found = next((path for text in candidates if (path := _executable(ctx, name, text))), None)
    kept_for = FOUND_KEPT if found else MISSING_KEPT
    await ctx.memory.set(note, str(found or ""), until=ctx.now + kept_for)
    return found


def paths_in(output: str, name: str) -> list[str]:
    """The absolute paths of this program in what `command -v` printed, after whatever the start-up files said."""
    return re.findall(rf"/(?:[^\s'\"=/]+/)*{re.escape(name)}(?![\w./-])", output)


def _executable(ctx: Context, name: str, path: str) -> Path | None:
    return ctx.processes.find(name, places=(Path(path),)) if path else None
