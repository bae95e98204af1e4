"""Which JetBrains IDEs are here: their configuration folders, quota files and logs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import quotaline_providers as ql

QUOTA_FILE = Path("options") / "AIAssistantQuotaManager2.xml"
LOG_BYTES = 4 << 20
"""How much of a log is read, from its end."""

_COMMUNITY = (  # longer than a prefix of the vendor's main list, so matched before it
    ("IntelliJIdeaCE", "IntelliJ IDEA Community"),
    ("PyCharmCE", "PyCharm Community"),
    ("IdeaIC", "IntelliJ IDEA Community"),
)
_SAME_NAME = ["WebStorm", "GoLand", "CLion", "DataGrip", "RubyMine", "Rider", "PhpStorm", "AppCode", "Fleet"]
PRODUCTS: tuple[tuple[str, str], ...] = (
    *_COMMUNITY,
    ("IntelliJIdea", "IntelliJ IDEA"),
    ("PyCharm", "PyCharm"),
    *((name, name) for name in _SAME_NAME),
    ("AndroidStudio", "Android Studio"),
    *((name, name) for name in ("RustRover", "Aqua", "DataSpell", "Writerside")),
)


@dataclass(frozen=True, slots=True)
class Ide:
    """An IDE's configuration folder. `version` is `Unknown` when the folder names none."""

    folder: Path
    name: str
    version: str

    @property
    def label(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def quota_file(self) -> Path:
        return self.folder / QUOTA_FILE

    @property
    def order(self) -> tuple[str, tuple[int, ...]]:
        """By name ascending, version descending; missing version parts count as 0."""
        numbers = [-int(number) for number in re.findall(r"\d+", self.version)]
        return self.name, (*numbers, *[0] * (8 - len(numbers)))


def ide_of(folder: Path) -> Ide | None:
    """The IDE of this folder, by its name; None for any other folder."""
    for prefix, name in PRODUCTS:
        if folder.name.lower().startswith(prefix.lower()):
            return Ide(folder, name, folder.name[len(prefix) :] or "Unknown")
    return None


def base_folders(ctx: ql.Context) -> tuple[Path, ...]:
    """Where IDEs keep their configuration folders on this system."""
    if ctx.platform == "darwin":
        support = ctx.home / "Library" / "Application Support"
        return support / "JetBrains", support / "Google"
    if ctx.platform == "win32":
        return ctx.config_home() / "JetBrains", ctx.config_home() / "Google"
    config, data = ctx.home / ".config", ctx.home / ".local" / "share"
    folders = (
        *(base / "JetBrains" for base in (ctx.config_home(), ctx.data_home(), config, data)),
        *(base / "Google" for base in (ctx.config_home(), config)),
    )
    return tuple(dict.fromkeys(folders))


def installed(ctx: ql.Context) -> tuple[Ide, ...]:
    """All IDE folders, also those without a quota file: what a setting may offer to choose from."""
    return tuple(sorted(_folders(ctx), key=lambda ide: ide.order))


def _folders(ctx: ql.Context) -> Iterator[Ide]:
    for base in base_folders(ctx):
        try:
            children = [child for child in base.iterdir() if child.is_dir()]
        except OSError:
            continue
        yield from (ide for ide in map(ide_of, children) if ide)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A quota file and, when it was detected, the IDE it belongs to."""

    path: Path
    ide: Ide | None = None
    written: datetime | None = None


def candidates(ctx: ql.Context) -> tuple[Candidate, ...]:
    """Quota files of detected IDEs, the most recently written first."""
    found = [
        Candidate(ide.quota_file, ide, written_at(ide.quota_file)) for ide in installed(ctx) if is_file(ide.quota_file)
    ]
    oldest = datetime.min.replace(tzinfo=UTC)
    return tuple(sorted(found, key=lambda candidate: candidate.written or oldest, reverse=True))


def is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def written_at(path: Path) -> datetime | None:
    try:
        return ql.at_epoch(path.stat().st_mtime)
    except OSError:
        return None


# --- the log ---------------------------------------------------------------------------------------


def log_file(ctx: ql.Context, folder: Path) -> Path | None:
    """The log of the IDE with this configuration folder; None for a folder that is elsewhere."""
    vendor, name = folder.parent.name, folder.name
    if vendor not in ("JetBrains", "Google"):
        return None
    if ctx.platform == "darwin":
        return ctx.home / "Library" / "Logs" / vendor / name / "idea.log"
    return cache_home(ctx) / vendor / name / "log" / "idea.log"


def cache_home(ctx: ql.Context) -> Path:
    """`$XDG_CACHE_HOME` (when absolute) or `~/.cache`; `%LOCALAPPDATA%` on Windows."""
    if ctx.platform == "win32":
        return ctx.data_home()
    own = ctx.environ.get("XDG_CACHE_HOME", "")
    return Path(own) if Path(own).is_absolute() else ctx.home / ".cache"


def log_end(path: Path) -> tuple[str, bool]:
    """The end of a log, and whether it begins in the middle of a line. Nothing when it cannot be read."""
    try:
        if not path.is_file():
            return "", False
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LOG_BYTES))
            return file.read(LOG_BYTES).decode("utf-8", "replace"), size > LOG_BYTES
    except OSError:
        return "", False
