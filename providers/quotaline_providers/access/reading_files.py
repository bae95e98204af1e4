"""Opening a file of which nobody knows what it is: a named pipe in its place would hold whoever opens it for ever."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO


def opened(path: Path) -> BinaryIO:
    """The file, opened without waiting. A pipe in its place is as good as empty: what `read` gives may be None, too.

    Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    return open(descriptor, "rb")


def read_bytes(path: Path, limit: int) -> bytes:
    """The file's bytes. Raises OSError, and ValueError above the limit."""
    with opened(path) as file:
        data = file.read(limit + 1) or b""
    if len(data) > limit:
        raise ValueError("the file is too large")
    return data
