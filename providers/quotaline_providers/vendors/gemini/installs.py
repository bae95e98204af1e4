"""Where the Gemini CLI is, whichever way it was installed: its package folder, and the folders that may hold it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from quotaline_providers import Context, ReadError, clean
from quotaline_providers.access.reading_files import read_bytes

PACKAGE = Path("@google/gemini-cli")
SYSTEM = (
    Path("/opt/homebrew"),
    Path("/usr/local"),
    Path("/home/linuxbrew/.linuxbrew"),
    Path("/opt/local"),
    Path("/usr"),
)
"""Folders below which Homebrew, MacPorts and system packages install."""
FNM_CURRENT_SECONDS = 2.0
FNM_EXEC_SECONDS = 4.0

_MOST_PARENTS = 8
_LARGEST = 1 << 20

Place = tuple[Path, str]
"""A folder and a pattern below it, which leads to folders of packages (`node_modules`)."""


# --- from the program ------------------------------------------------------------------------------


def is_package(root: Path) -> bool:
    """Whether this folder is the CLI's package."""
    try:
        package = json.loads(read_bytes(root / "package.json", _LARGEST))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(package, dict) and package.get("name") == PACKAGE.as_posix()


def packages_above(*programs: Path) -> Iterator[Path]:
    """The CLI's package folders near these programs."""
    for program in programs:
        for parent in list(program.parents)[:_MOST_PARENTS]:
            # The last is for the shims of npm on Windows, which are no links.
            places = ("", "lib/node_modules", "libexec/lib/node_modules", "node_modules")
            yield from filter(is_package, (parent / place / (PACKAGE if place else "") for place in places))


# --- from the usual places -------------------------------------------------------------------------

# Which variable names the home of a package or version manager, and where packages lie in it.
_UNIX = (
    ("NPM_CONFIG_PREFIX", ("lib/node_modules",)),
    ("NVM_DIR", ("versions/node/*/lib/node_modules",)),
    ("FNM_DIR", ("node-versions/*/installation/lib/node_modules",)),
    ("VOLTA_HOME", ("tools/image/packages/@google/gemini-cli/lib/node_modules",)),
    ("PNPM_HOME", ("global/*/node_modules", "global/*/*/node_modules")),
    ("BUN_INSTALL", ("install/global/node_modules",)),
    ("ASDF_DATA_DIR", ("installs/nodejs/*/lib/node_modules", "installs/nodejs/*/.npm/lib/node_modules")),
    ("MISE_DATA_DIR", ("installs/node/*/lib/node_modules", "installs/npm-google-gemini-cli/*/lib/node_modules")),
    ("YARN_GLOBAL_FOLDER", ("node_modules",)),
    ("NPM_CONFIG_CACHE", ("_npx/*/node_modules",)),
)
_WINDOWS = (
    ("NPM_CONFIG_PREFIX", ("node_modules",)),
    ("NVM_HOME", ("*/node_modules",)),
    ("NVM_SYMLINK", ("node_modules",)),
    ("FNM_DIR", ("node-versions/*/installation/node_modules",)),
    ("VOLTA_HOME", ("tools/image/packages/@google/gemini-cli/node_modules",)),
    ("PNPM_HOME", ("global/*/node_modules", "global/*/*/node_modules")),
    ("BUN_INSTALL", ("install/global/node_modules",)),
    ("YARN_GLOBAL_FOLDER", ("node_modules",)),
    ("NPM_CONFIG_CACHE", ("_npx/*/node_modules",)),
)


def usual_places(ctx: Context, program: Path | None = None) -> tuple[Place, ...]:
    """Where the package is by default, and where the user's variables or the program's own place say it is."""
    windows = ctx.platform == "win32"
    homes = _windows_homes(ctx) if windows else _unix_homes(ctx)
    # A script in a manager's folder for program. shows its home: `~/.volta/bin/gemini`, `~/.local/share/pnpm/gemini`.
    around = (program.parent, program.parent.parent) if program else ()
    managers = (
        (home, pattern)
        for variable, patterns in (_WINDOWS if windows else _UNIX)
        for home in (ctx.env_path(variable), *homes.get(variable, ()), *around)
        if home is not None
        for pattern in patterns
    )
    system = () if windows else tuple((prefix, pattern) for prefix in SYSTEM for pattern in _IN_SYSTEM)
    return tuple(dict.fromkeys((*system, *managers)))


_IN_SYSTEM = (
    "lib/node_modules",
    "opt/gemini-cli/libexec/lib/node_modules",
    "Cellar/gemini-cli/*/libexec/lib/node_modules",
    "share/gemini-cli/node_modules",
)


def _unix_homes(ctx: Context) -> dict[str, tuple[Path, ...]]:
    home, data, config = ctx.home, ctx.data_home(), ctx.config_home()
    return {
        "NPM_CONFIG_PREFIX": (home / ".npm-global", home / ".npm-packages", home / ".local"),
        "NVM_DIR": (home / ".nvm", config / "nvm"),
        "FNM_DIR": (data / "fnm", home / ".fnm", home / "Library/Application Support/fnm"),
        "VOLTA_HOME": (home / ".volta",),
        "PNPM_HOME": (data / "pnpm", home / "Library/pnpm"),
        "BUN_INSTALL": (home / ".bun",),
        "ASDF_DATA_DIR": (home / ".asdf",),
        "MISE_DATA_DIR": (data / "mise",),
        "YARN_GLOBAL_FOLDER": (config / "yarn/global",),
        "NPM_CONFIG_CACHE": (home / ".npm",),
    }


def _windows_homes(ctx: Context) -> dict[str, tuple[Path, ...]]:
    local, roaming = ctx.data_home(), ctx.config_home()
    installed = Path(ctx.environ.get("ProgramFiles") or "C:/Program Files")
    return {
        "NPM_CONFIG_PREFIX": (roaming / "npm", installed / "nodejs"),
        "NVM_HOME": (roaming / "nvm", local / "nvm"),
        "FNM_DIR": (roaming / "fnm",),
        "VOLTA_HOME": (local / "Volta",),
        "PNPM_HOME": (local / "pnpm",),
        "BUN_INSTALL": (ctx.home / ".bun",),
        "YARN_GLOBAL_FOLDER": (local / "Yarn/Data/global",),
        "NPM_CONFIG_CACHE": (local / "npm-cache",),
    }


def package_folders(places: Iterable[Place]) -> Iterator[Path]:
    """The folders of packages that exist, of each place the newest first."""
    for folder, pattern in places:
        try:
            yield from sorted(folder.glob(pattern), reverse=True)
        except OSError:
            continue


# --- from fnm --------------------------------------------------------------------------------------


def managed_by_fnm(program: Path) -> bool:
    """Whether fnm, a version manager of Node, installed this program."""
    for path in (program, program.resolve()):
        text = str(path).replace("\\", "/")
        if "/fnm_multishells/" in text or ("/node-versions/" in text and "/fnm/" in text):
            return True
    return False


async def package_of_fnm(ctx: Context) -> Path | None:
    """The CLI's package folder as fnm knows it."""
    fnm = ctx.processes.find("fnm")
    version = await _first_line(ctx, [fnm, "current"], FNM_CURRENT_SECONDS) if fnm else None
    if fnm is None or version is None or version.startswith("-"):
        return None
    inside: list[Path | str] = [fnm, "exec", "--using", version]
    modules = await _first_line(ctx, [*inside, "npm", "root", "-g"], FNM_EXEC_SECONDS)
    if modules and is_package(Path(modules) / PACKAGE):
        return Path(modules) / PACKAGE
    script = f"require.resolve('{PACKAGE.as_posix()}/package.json')"
    package = await _first_line(ctx, [*inside, "node", "-p", script], FNM_EXEC_SECONDS)
    return Path(package).parent if package else None


async def _first_line(ctx: Context, argv: list[Path | str], seconds: float) -> str | None:
    """The first line a program prints. The program is ended as soon as it came, whatever else it holds open."""
    try:
        async with ctx.processes.talk(argv, grace=0.2) as running:
            return clean(await running.read_line(seconds))
    except ReadError:
        return None
