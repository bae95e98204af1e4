"""Where Codebuff's token is, and where its CLI keeps its data: one folder for each of its release channels."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from quotaline_providers import ApiKey, Context, Lookup, MissingCredential, Origin, clean

_CHANNELS = ("manicode", "manicode-dev", "manicode-staging")

# --- the token -------------------------------------------------------------------------------------


def credentials_file(ctx: Context) -> Path:
    """Where `codebuff login` keeps its token, on every system."""
    return ctx.home / ".config" / "manicode" / "credentials.json"


def login_token(text: str) -> str | None:
    """The token of the CLI's credentials file; None when it holds none."""
    try:
        stored = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(stored, dict):
        return None
    profile = stored.get("default")
    tokens = (profile.get("authToken") if isinstance(profile, dict) else None, stored.get("authToken"))
    return next((value for token in tokens if isinstance(token, str) and (value := clean(token))), None)


TOKEN = ApiKey(env=("CODEBUFF_API_KEY",), env_first=True, file=lambda ctx: (credentials_file(ctx), login_token))

# --- the data folders ------------------------------------------------------------------------------


def data_roots(ctx: Context) -> tuple[Path, ...]:
    """The existing data folders, each once: the user's own, the CLI's three, then `CODEBUFF_DATA_DIR`."""
    own = ctx.settings.own_text("dataDir") or ctx.settings.own_text("data_dir")
    extra = ctx.env("CODEBUFF_DATA_DIR") or ""
    texts = extra.split(",") if extra and not ctx.expand(extra).is_dir() else [extra]
    named = [ctx.expand(text.strip()) for text in (own or "", *texts) if text.strip()]
    usual = [ctx.home / ".config" / channel for channel in _CHANNELS]
    ordered = [*named[:1], *usual, *named[1:]] if own else [*usual, *named]
    found: dict[str, Path] = {}
    for path in map(_normal, ordered):
        if _is_folder(path):
            found.setdefault(str(path).lower() if ctx.platform == "win32" else str(path), path)
    return tuple(found.values())


def _normal(path: Path) -> Path:
    """Without `..` and trailing slashes; a folder named `projects` stands for the data folder that holds it."""
    path = Path(os.path.normpath(path))
    return path.parent if path.name == "projects" and not (path / "projects").exists() else path


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


@dataclass(frozen=True)
class DataFolders(Lookup[tuple[Path, ...]]):
    """The CLI's data folders. `probe` also finds an installed program, which alone gives nothing to read."""

    def places(self, ctx: Context) -> tuple[str, ...]:
        return (*(f"~/.config/{channel}" for channel in _CHANNELS), "config dataDir", "env CODEBUFF_DATA_DIR")

    def probe(self, ctx: Context) -> Origin | None:
        roots = data_roots(ctx)
        if roots:
            return ctx.origin(roots[0])
        return Origin.program("codebuff") if ctx.processes.find("codebuff") else None

    async def find(self, ctx: Context) -> tuple[Path, ...]:
        roots = await ctx.files.in_thread(lambda: data_roots(ctx))
        if not roots:
            raise MissingCredential("No Codebuff data directory was found.", "Use Codebuff once on this computer.")
        return roots
