"""What a command does when the reader of its output has left, as each system tells it."""

from __future__ import annotations

import errno
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import pytest


class Pipe(io.FileIO):
    """A pipe whose reader has left."""

    error: OSError | None = None

    def write(self, data: Any) -> int:
        if self.error is not None:
            raise self.error
        return super().write(data)


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[tuple[Pipe, TextIO]]:
    """A standard output that nobody reads: the pipe, and the stream that writes to it."""
    raw = Pipe(str(tmp_path / "pipe"), "wb")
    stream = io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8")
    yield raw, stream
    raw.error = None  # what is left in the buffer goes somewhere
    stream.close()


@pytest.mark.parametrize(
    ("platform", "error", "code"),
    [
        ("linux", BrokenPipeError(errno.EPIPE, "Broken pipe"), 0),
        ("darwin", BrokenPipeError(errno.EPIPE, "Broken pipe"), 0),
        ("win32", BrokenPipeError(errno.EPIPE, "Broken pipe"), 0),
        ("win32", OSError(errno.EINVAL, "Invalid argument"), 0),
        ("win32", OSError(errno.EINVAL, "Invalid argument", "a?b"), 1),
        ("win32", OSError(errno.ENOSPC, "No space left on device"), 1),
        ("linux", OSError(errno.EINVAL, "Invalid argument"), 1),
    ],
)
def test_a_reader_that_has_left_is_no_error(
    platform: str,
    error: OSError,
    code: int,
    pipe: tuple[Pipe, TextIO],
    command_line: Callable[[list[str]], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw, stream = pipe
    raw.error = error
    errors = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", errors)
    monkeypatch.setattr("quotaline.cli.console.sys.platform", platform)
    assert command_line(["config", "path"]) == code
    assert bool(errors.getvalue()) is bool(code)
