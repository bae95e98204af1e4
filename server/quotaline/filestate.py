"""What tells two states of files apart without reading them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

Signature = tuple[tuple[int, int, int, int] | None, ...]


def signature(files: Iterable[Path]) -> Signature:
    """For each file when it was changed, its size, and what tells it from another in its place; None without a file."""
    return tuple(_stat(file) for file in files)


def _stat(file: Path) -> tuple[int, int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode
