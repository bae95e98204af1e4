"""All chat files the Codebuff CLI keeps, each parsed once for as long as it stays the same."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from quotaline_providers.vendors.codebuff.messages import Turn, parse_chat

FILE_NAME = "chat-messages.json"
FILE_LIMIT = 64 << 20

_CACHED_FILES = 4096
_parsed: dict[Path, tuple[int, int, tuple[Turn, ...]]] = {}
"""Parsed files by path, good while size and modification time (ns) stay the same."""


@dataclass(frozen=True, slots=True)
class Root:
    """A data folder of the CLI; its base name is the release channel."""

    path: Path

    @property
    def channel(self) -> str:
        return self.path.name


@dataclass(frozen=True, slots=True)
class Found:
    """A counted message and the chat it stands in; `chat` is None outside a `chats` folder."""

    turn: Turn
    chat: str | None


@dataclass(frozen=True, slots=True)
class Scan:
    """Everything counted in one pass, without repeats, the folders that could not be walked, and how many files were
    too large to be read."""

    found: tuple[Found, ...] = ()
    failed: tuple[Path, ...] = ()
    too_large: int = 0


def scan(roots: Sequence[Path]) -> Scan:
    """Read all chat files below these data folders. A message counts once per chat, and a file that is reached in two
    ways counts once."""
    found: dict[str, Found] = {}
    failed: list[Path] = []
    seen: set[tuple[int, int]] = set()
    too_large = 0
    for root in map(Root, roots):
        projects = root.path / "projects"
        problems: list[OSError] = []
        for path in _chat_files(projects, problems):
            status = _status(path)
            if status is None or (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            if status.st_size > FILE_LIMIT:
                too_large += 1
                continue
            project = path.relative_to(projects).parts[0]
            chat_id = path.parent.name if path.parent.parent.name == "chats" else None
            place = f"{root.channel}/{project}/{chat_id or ''}"
            for turn in _read(path, status, chat_id):
                found.setdefault(_key(turn, place), Found(turn, place if chat_id else None))
        if any(Path(problem.filename or "") == projects for problem in problems):
            failed.append(root.path)
    return Scan(tuple(found.values()), tuple(failed), too_large)


def _chat_files(projects: Path, problems: list[OSError]) -> Iterator[Path]:
    if not os.path.lexists(projects):
        return
    for folder, names, files in os.walk(projects, onerror=problems.append):
        names.sort()
        if FILE_NAME in files:
            yield Path(folder, FILE_NAME)


def _status(path: Path) -> os.stat_result | None:
    """Of a regular file; None for anything else."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _read(path: Path, status: os.stat_result, chat_id: str | None) -> tuple[Turn, ...]:
    size, changed = status.st_size, status.st_mtime_ns
    known = _parsed.pop(path, None)
    if known is None or known[:2] != (size, changed):
        try:
            known = (size, changed, parse_chat(path.read_bytes(), chat_id))
        except OSError:
            return ()
    _parsed[path] = known
    while len(_parsed) > _CACHED_FILES:
        _parsed.pop(next(iter(_parsed)), None)
    return known[2]


def _key(turn: Turn, place: str) -> str:
    if turn.id:
        return f"{place}\0id\0{turn.id}"
    digest = hashlib.sha256(repr(turn.counts).encode()).hexdigest()
    return f"{place}\0{turn.ordinal}\0{digest}"
