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
    """Everything counted in one pass, without repeats, and the folders that could not be walked."""

    found: tuple[Found, ...] = ()
    failed: tuple[Path, ...] = ()


def scan(roots: Sequence[Path]) -> Scan:
    """Read all chat files below these data folders. The first of several copies of a message counts."""
    found: dict[str, Found] = {}
    failed: list[Path] = []
    for root in map(Root, roots):
        projects = root.path / "projects"
        problems: list[OSError] = []
        for path in _chat_files(projects, problems):
            project = path.relative_to(projects).parts[0]
            chat_id = path.parent.name if path.parent.parent.name == "chats" else None
            place = f"{root.channel}/{project}/{chat_id or ''}"
            for turn in _read(path, chat_id):
                found.setdefault(_key(turn, place), Found(turn, place if chat_id else None))
        if any(Path(problem.filename or "") == projects for problem in problems):
            failed.append(root.path)
    return Scan(tuple(found.values()), tuple(failed))


def _chat_files(projects: Path, problems: list[OSError]) -> Iterator[Path]:
    if not os.path.lexists(projects):
        return
    for folder, names, files in os.walk(projects, onerror=problems.append):
        names.sort()
        if FILE_NAME in files:
            yield Path(folder, FILE_NAME)


def _read(path: Path, chat_id: str | None) -> tuple[Turn, ...]:
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > FILE_LIMIT:
            return ()
        size, changed = status.st_size, status.st_mtime_ns
        known = _parsed.pop(path, None)
        if known is None or known[:2] != (size, changed):
            known = (size, changed, parse_chat(path.read_bytes(), chat_id))
    except OSError:
        return ()
    _parsed[path] = known
    while len(_parsed) > _CACHED_FILES:
        _parsed.pop(next(iter(_parsed)), None)
    return known[2]


def _key(turn: Turn, place: str) -> str:
    if turn.id:
        return f"id\0{turn.id}"
    digest = hashlib.sha256(repr(turn.counts).encode()).hexdigest()
    return f"{place}\0{turn.ordinal}\0{digest}"
