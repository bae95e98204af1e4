"""The OAuth client of the Gemini CLI, without which its login cannot be renewed: from variables or the installed CLI.

Its two values are public (an installed application's) but belong to the CLI, so they are read from there, never kept.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from quotaline_providers.contract import Context
from quotaline_providers.errors import MissingProgram, ReadError
from quotaline_providers.payload import clean
from quotaline_providers.secret import Secret

PREFIXES = (Path("/opt/homebrew"), Path("/usr/local"))
SYSTEM_MODULES = (Path("/usr/lib/node_modules"),)
FNM_CURRENT_SECONDS = 2.0
FNM_EXEC_SECONDS = 4.0

_PACKAGE = Path("@google/gemini-cli")
_CORE = Path("@google/gemini-cli-core")
_FILE = Path("dist/src/code_assist/oauth2.js")
_LARGEST = 64 << 20
_MOST_PARENTS = 8
_IMPORT = re.compile(rb"""\b(?:from|import)\s*\(?\s*["'](\./[\w./-]+\.js)["']""")
_ID = re.compile(rb"""(?<![\w$])OAUTH_CLIENT_ID\s*=\s*(["'])([\w.-]+)\1\s*;""")
_SECRET = re.compile(rb"""(?<![\w$])OAUTH_CLIENT_SECRET\s*=\s*(["'])([\w-]+)\1\s*;""")


@dataclass(frozen=True, slots=True)
class OAuthClient:
    id: str
    secret: Secret


def in_text(text: bytes) -> OAuthClient | None:
    """The client a JavaScript text defines; both values must be in the same text."""
    id, secret = _ID.search(text), _SECRET.search(text)
    if id is None or secret is None:
        return None
    return OAuthClient(id.group(2).decode(), Secret(secret.group(2).decode()))


async def find_client(ctx: Context) -> OAuthClient:
    """Raises MissingProgram when neither the variables nor an installed CLI give the client."""
    id, secret = ctx.env("GEMINI_OAUTH_CLIENT_ID"), ctx.env("GEMINI_OAUTH_CLIENT_SECRET")
    if id and secret:
        return OAuthClient(id, Secret(secret))
    named = ctx.env_path("GEMINI_OAUTH2_JS_PATH")
    if named and (found := await ctx.files.in_thread(lambda: _in_file(named))):
        return found
    program = ctx.processes.find("gemini", env="GEMINI_CLI_PATH")
    if program and (found := await ctx.files.in_thread(lambda: near_program(program))):
        return found
    root = await _fnm_root(ctx) if program and managed_by_fnm(program) else None
    if root and (found := await ctx.files.in_thread(lambda: _in_root(root))):
        return found
    if found := await ctx.files.in_thread(lambda: _well_known(ctx)):
        return found
    raise MissingProgram(
        "The Gemini login has run out and the Gemini CLI that could renew it was not found.", _hint(ctx)
    )


def _hint(ctx: Context) -> str:
    if ctx.processes.find("agy") or Path("/Applications/Antigravity.app").exists():
        return "Sign in with Antigravity and use the provider antigravity, or reinstall the Gemini CLI."
    return "Reinstall the Gemini CLI, or set GEMINI_OAUTH_CLIENT_ID and GEMINI_OAUTH_CLIENT_SECRET."


def near_program(program: Path) -> OAuthClient | None:
    """The client of the CLI this program belongs to, whichever way it was installed."""
    real = program.resolve()
    base = real.parent.parent
    nested = _PACKAGE / "node_modules" / _CORE / _FILE
    files = (
        base / "libexec/lib/node_modules" / nested,
        base / "lib/node_modules" / nested,
        base / "share/gemini-cli/node_modules" / _CORE / _FILE,
        base.parent / _CORE.name / _FILE,
        base / "node_modules" / _CORE / _FILE,
    )
    return _first(map(_in_file, files)) or _first(map(_in_root, _roots_above(real, program)))


def _roots_above(*programs: Path) -> Iterator[Path]:
    for program in programs:
        for parent in list(program.parents)[:_MOST_PARENTS]:
            # The last is for the shims of npm on Windows, which are no links.
            places = ("", "lib/node_modules", "libexec/lib/node_modules", "node_modules")
            for root in (parent / place / (_PACKAGE if place else "") for place in places):
                if _is_package(root):
                    yield root


def _is_package(root: Path) -> bool:
    try:
        package = json.loads((root / "package.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(package, dict) and package.get("name") == _PACKAGE.as_posix()


def _in_root(root: Path) -> OAuthClient | None:
    plain = _first(map(_in_file, (root / _FILE, root / "node_modules" / _CORE / _FILE)))
    return plain or _in_bundle(root / "bundle")


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
            waiting.extend((path.parent / match.decode()).resolve() for match in _IMPORT.findall(text))
    return None


def _well_known(ctx: Context) -> OAuthClient | None:
    modules = [*(prefix / "lib/node_modules" for prefix in PREFIXES), ctx.home / ".npm-global/lib/node_modules"]
    modules += SYSTEM_MODULES
    if ctx.platform == "win32":
        modules.append(ctx.config_home() / "npm/node_modules")
    for folder in modules:
        files = (folder / _CORE / _FILE, folder / _PACKAGE / "node_modules" / _CORE / _FILE)
        if found := _first(map(_in_file, files)) or _in_root(folder / _PACKAGE):
            return found
    return _first(_in_root(root) for prefix in PREFIXES for root in _homebrew(prefix))


def _homebrew(prefix: Path) -> Iterator[Path]:
    tail = Path("libexec/lib/node_modules") / _PACKAGE
    yield prefix / "opt/gemini-cli" / tail
    try:
        versions = sorted((prefix / "Cellar/gemini-cli").iterdir(), reverse=True)
    except OSError:
        return
    yield from (version / tail for version in versions)


def _in_file(path: Path) -> OAuthClient | None:
    return in_text(_read(path))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.is_file() and path.stat().st_size <= _LARGEST else b""
    except OSError:
        return b""


def _first(found: Iterable[OAuthClient | None]) -> OAuthClient | None:
    return next((client for client in found if client is not None), None)


def managed_by_fnm(program: Path) -> bool:
    """Whether fnm, a version manager of Node, put this program there."""
    for path in (program, program.resolve()):
        text = str(path).replace("\\", "/")
        if "/fnm_multishells/" in text or ("/node-versions/" in text and "/fnm/" in text):
            return True
    return False


async def _fnm_root(ctx: Context) -> Path | None:
    """The CLI's package folder as fnm knows it."""
    fnm = ctx.processes.find("fnm")
    version = await _first_line(ctx, [fnm, "current"], FNM_CURRENT_SECONDS) if fnm else None
    if fnm is None or version is None or version.startswith("-"):
        return None
    inside: list[Path | str] = [fnm, "exec", "--using", version]
    modules = await _first_line(ctx, [*inside, "npm", "root", "-g"], FNM_EXEC_SECONDS)
    if modules and _is_package(Path(modules) / _PACKAGE):
        return Path(modules) / _PACKAGE
    script = f"require.resolve('{_PACKAGE.as_posix()}/package.json')"
    package = await _first_line(ctx, [*inside, "node", "-p", script], FNM_EXEC_SECONDS)
    return Path(package).parent if package else None


async def _first_line(ctx: Context, argv: list[Path | str], seconds: float) -> str | None:
    """The first line a program prints. The program is ended as soon as it came, whatever else it holds open."""
    try:
        async with ctx.processes.talk(argv, grace=0.2) as running:
            return clean(await running.read_line(seconds))
    except ReadError:
        return None
