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


@dataclass(frozen=True, slots=True)
class Folders:
    """The data folders there are, each once, and the settings that name one that does not exist. `fingerprint` is the
    same for all, as they are no credential."""

    found: tuple[Path, ...] = ()
    missing: tuple[str, ...] = ()
    fingerprint: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(f"{setting} names a folder that does not exist." for setting in self.missing)


def data_folders(ctx: Context) -> Folders:
    """The user's own, the CLI's three, then `CODEBUFF_DATA_DIR`."""
    own = [ctx.expand(text) for text in (_own_folder(ctx),) if text]
    extra = _from_environment(ctx)
    usual = [ctx.home / ".config" / channel for channel in _CHANNELS]
    found: dict[str, Path] = {}
    for path in map(_normal, [*own, *usual, *extra]):
        if _is_folder(path):
            found.setdefault(str(path).lower() if ctx.platform == "win32" else str(path), path)
    named = (("dataDir", own), ("CODEBUFF_DATA_DIR", extra))
    missing = (name for name, paths in named if not all(map(_is_folder, map(_normal, paths))))
    return Folders(tuple(found.values()), tuple(missing))


def _own_folder(ctx: Context) -> str | None:
    """The config entry's own, also in the spellings of other programs."""
    extra = ctx.settings.own("extra")
    other = extra.get("data_dir") if isinstance(extra, dict) else None
    named = ctx.settings.own_text("dataDir") or ctx.settings.own_text("data_dir")
    return named or (clean(other) if isinstance(other, str) else None)


def _from_environment(ctx: Context) -> list[Path]:
    """One folder, or several with commas between them."""
    extra = ctx.env("CODEBUFF_DATA_DIR") or ""
    texts = extra.split(",") if extra and not _is_folder(ctx.expand(extra)) else [extra]
    return [ctx.expand(text.strip()) for text in texts if text.strip()]


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
class DataFolders(Lookup[Folders]):
    """The CLI's data folders. `probe` also finds an installed program, which alone gives nothing to read."""

    def places(self, ctx: Context) -> tuple[str, ...]:
        return (*(f"~/.config/{channel}" for channel in _CHANNELS), "config dataDir", "env CODEBUFF_DATA_DIR")

    def probe(self, ctx: Context) -> Origin | None:
        folders = data_folders(ctx)
        if folders.found:
            return ctx.origin(folders.found[0])
        return Origin.program("codebuff") if ctx.processes.find("codebuff") else None

    async def find(self, ctx: Context) -> Folders:
        """Raises MissingCredential: quietly, as a program on PATH alone is no account."""
        folders = await ctx.files.in_thread(lambda: data_folders(ctx))
        if not folders.found:
            why = " ".join(("Codebuff's data directory was not found.", *folders.notes))
            raise MissingCredential(why, "Use Codebuff once on this computer, or run `codebuff login`.", quiet=True)
        return folders
