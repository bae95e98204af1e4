"""The OAuth client of the Gemini CLI, without which its login cannot be renewed: from variables or the installed CLI.

Its two values are public (an installed application's) but belong to the CLI, so they are read from there, never kept.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from quotaline_providers import Context, MissingProgram, Secret
from quotaline_providers.vendors.gemini.installs import (
    PACKAGE,
    managed_by_fnm,
    package_folders,
    package_of_fnm,
    packages_above,
    usual_places,
)

_CORE = Path("@google/gemini-cli-core")
_FILE = Path("dist/src/code_assist/oauth2.js")
_LARGEST = 64 << 20
# The CLI's bundles have chunks of many megabytes, so that these begin with the text to be found.
_CHUNK = re.compile(rb"""\./[\w./-]+\.js(?=["'])""")
_IMPORTING = re.compile(rb"""\b(?:from|import)\s*\(?\s*["']\Z""")
_ID = re.compile(rb"""OAUTH_CLIENT_ID\s*=\s*(["'])([\w.-]+)\1\s*;""")
_SECRET = re.compile(rb"""OAUTH_CLIENT_SECRET\s*=\s*(["'])([\w-]+)\1\s*;""")
_PART_OF_A_NAME = re.compile(rb"[\w$]\Z")


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """The program's own client at Google, without which no login can be renewed."""

    id: str
    secret: Secret


async def find_client(ctx: Context) -> OAuthClient:
    """Raises MissingProgram when neither the variables nor an installed CLI give the client."""
    id, secret = ctx.env("GEMINI_OAUTH_CLIENT_ID"), ctx.env("GEMINI_OAUTH_CLIENT_SECRET")
    if id and secret:
        return OAuthClient(id, Secret(secret))
    named = ctx.env_path("GEMINI_OAUTH2_JS_PATH")
    if named and (found := await ctx.files.in_thread(lambda: in_file(named))):
        return found
    program = ctx.processes.find("gemini", env="GEMINI_CLI_PATH")
    if program and (found := await ctx.files.in_thread(lambda: near_program(program))):
        return found
    package = await package_of_fnm(ctx) if program and managed_by_fnm(program) else None
    if package and (found := await ctx.files.in_thread(lambda: _in_package(package))):
        return found
    places = usual_places(ctx, program)
    if found := await ctx.files.in_thread(lambda: _first(map(_in_modules, package_folders(places)))):
        return found
    raise MissingProgram(
        "The Gemini login has expired and the Gemini CLI that could renew it was not found.", _hint(ctx)
    )


def _hint(ctx: Context) -> str:
    if ctx.processes.find("agy") or Path("/Applications/Antigravity.app").exists():
        return "Sign in with Antigravity, or reinstall the Gemini CLI."
    return "Reinstall the Gemini CLI, or set GEMINI_OAUTH_CLIENT_ID and GEMINI_OAUTH_CLIENT_SECRET."


# --- installed packages ----------------------------------------------------------------------------


def near_program(program: Path) -> OAuthClient | None:
    """The client of the CLI this program belongs to, whichever way it was installed."""
    real = program.resolve()
    base = real.parent.parent
    nested = PACKAGE / "node_modules" / _CORE / _FILE
    files = (
        base / "libexec/lib/node_modules" / nested,
        base / "lib/node_modules" / nested,
        base / "share/gemini-cli/node_modules" / _CORE / _FILE,
        base.parent / _CORE.name / _FILE,
        base / "node_modules" / _CORE / _FILE,
    )
    return _first(map(in_file, files)) or _first(map(_in_package, packages_above(real, program)))


def _in_modules(folder: Path) -> OAuthClient | None:
    return in_file(folder / _CORE / _FILE) or _in_package(folder / PACKAGE)


def _in_package(root: Path) -> OAuthClient | None:
    beside = root.resolve().parent / _CORE.name  # pnpm links the package from a folder of its own
    files = (root / _FILE, root / "node_modules" / _CORE / _FILE, beside / _FILE)
    return _first(map(in_file, files)) or _in_bundle(root / "bundle")


def _in_bundle(bundle: Path) -> OAuthClient | None:
    """The chunks of a bundle: those the start file reaches first, then the rest."""
    try:
        home = bundle.resolve(strict=True)
        rest = sorted(home.glob("*.js"))
    except OSError:
        return None
    seen: set[Path] = set()
    for start in ((home / "gemini.js"), *rest):
        waiting = deque([start])
        while waiting:
            path = waiting.popleft()
            if path in seen or not path.is_relative_to(home):
                continue
            seen.add(path)
            text = _read(path)
            if found := in_text(text):
                return found
            waiting.extend((path.parent / name).resolve() for name in _imports(text))
    return None


# --- one file --------------------------------------------------------------------------------------


def in_file(path: Path) -> OAuthClient | None:
    """The client a JavaScript file defines."""
    return in_text(_read(path))


def in_text(text: bytes) -> OAuthClient | None:
    """The client a JavaScript text defines; both values must be in the same text."""
    id, secret = _value(_ID, text), _value(_SECRET, text)
    return OAuthClient(id, Secret(secret)) if id and secret else None


def _value(assignment: re.Pattern[bytes], text: bytes) -> str | None:
    """What is assigned to exactly this name."""
    for match in assignment.finditer(text):
        if not _PART_OF_A_NAME.match(text[max(0, match.start() - 1) : match.start()]):
            return match.group(2).decode()
    return None


def _imports(text: bytes) -> Iterable[str]:
    """The chunks beside it that a text imports."""
    for match in _CHUNK.finditer(text):
        if _IMPORTING.search(text[max(0, match.start() - 40) : match.start()]):
            yield match.group().decode()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.is_file() and path.stat().st_size <= _LARGEST else b""
    except OSError:
        return b""


def _first(found: Iterable[OAuthClient | None]) -> OAuthClient | None:
    return next((client for client in found if client is not None), None)
