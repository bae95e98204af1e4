"""What a bug report needs and nobody may read anything private from: where our own defects were, and whether the
installed program is still the one that runs.

A defect is an exception that nobody expected. It is told by its type and by the places in the code that led to it:
never by its message, a local variable or anything else that a user or a vendor said.
"""

from __future__ import annotations

import hashlib
import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

log = logging.getLogger(__name__)

MOST = 32
"""Defects that are kept, by place."""
MOST_FRAMES = 12
MOST_CAUSES = 4
_FROM_WORKER = "quotaline_trace"
_PACKAGES = ("quotaline", "quotaline_providers")
_LIBRARY = re.compile(r"site-packages|dist-packages|python3\.\d+")


# --- defects ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Defect:
    """Something unexpected at one place of the code. `what` is what was being done (our words and a provider's id),
    `trace` the error's type and its frames, innermost first, then its causes the same way; `at` the last time (UTC).
    """

    what: str
    trace: tuple[str, ...]
    count: int
    at: datetime

    @property
    def place(self) -> str:
        """Tells this place from others: a digest of the type, the innermost frame, and the innermost one of ours."""
        frames = [line for line in self.trace if line.startswith("at ")]
        own = next((frame for frame in frames if frame.startswith(tuple(f"at {name}/" for name in _PACKAGES))), "")
        return hashlib.sha256("\0".join((*self.trace[:2], own)).encode()).hexdigest()[:16]

    @property
    def where(self) -> str:
        """The type and the innermost frame: `KeyError at quotaline_providers/run.py:110 (run)`."""
        return " ".join(self.trace[:2])


sink: Callable[[Defect], None] | None = None
"""Where defects are kept for later (set by the application). It is told of a place the first, second, fourth, eighth...
time, with the count since it was last told; it must not wait, and may be called from any thread."""

_lock = threading.Lock()
_kept: dict[str, Defect] = {}


def note_defect(what: str, error: BaseException) -> Defect:
    """Log and keep an exception that nobody expected, without its message or any value. Never raises."""
    return keep_defect(Defect(what, tuple(_trace(error)), 1, datetime.now(UTC)))


def keep_defect(found: Defect) -> Defect:
    """As `note_defect`, for one that a process of ours has noted (once)."""
    with _lock:
        earlier = _kept.pop(found.place, None)
        found = replace(found, count=earlier.count + 1 if earlier else 1)
        while len(_kept) >= MOST:
            del _kept[next(iter(_kept))]
        _kept[found.place] = found
    if found.count & (found.count - 1) == 0:  # a loop that fails for days shall not fill a log
        log.error("%s failed: %s", found.what, " ".join(found.trace))
        if sink is not None:
            with suppress(Exception):
                sink(replace(found, count=found.count - found.count // 2))
    return found


def defects() -> tuple[Defect, ...]:
    """The defects of this process, the last one last."""
    with _lock:
        return tuple(_kept.values())


def note_unhandled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """For an event loop's `set_exception_handler`: an error that no task or callback has handled. Connections that
    the other side cuts are none of ours."""
    error = context.get("exception")
    if isinstance(error, Exception) and not isinstance(error, ConnectionError):
        note_defect("background work", error)


def note_stray_errors() -> None:
    """From here on note what a thread or a finalizer raises: Python itself prints it with its message and its code."""

    def in_thread(raised: threading.ExceptHookArgs) -> None:
        if isinstance(raised.exc_value, Exception):
            note_defect("a thread", raised.exc_value)

    def in_finalizer(raised: sys.UnraisableHookArgs) -> None:
        if isinstance(raised.exc_value, Exception):
            note_defect("a finalizer", raised.exc_value)

    threading.excepthook, sys.unraisablehook = in_thread, in_finalizer


def carry_trace(error: BaseException) -> None:
    """Have an error that goes to another process take the places that led to it along: its frames stay here."""
    with suppress(Exception):
        setattr(error, _FROM_WORKER, tuple(_trace(error)))


def _trace(error: BaseException) -> Iterator[str]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(seen) < MOST_CAUSES:
        yield f"caused by {_type_of(current)}" if seen else _type_of(current)
        seen.add(id(current))
        yield from _frames(current)
        carried = current.__dict__.get(_FROM_WORKER)  # `getattr` may run code of the error's own
        if isinstance(carried, tuple):
            yield "in a worker:"
            yield from (line for line in carried if isinstance(line, str))
        if isinstance(current, BaseExceptionGroup):
            current = current.exceptions[0]
        else:
            current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _type_of(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _frames(error: BaseException) -> Iterator[str]:
    frames = list(traceback.walk_tb(error.__traceback__))[-MOST_FRAMES:]
    for frame, line in reversed(frames):
        yield f"at {_file(frame.f_code.co_filename)}:{line} ({frame.f_code.co_qualname})"


def _file(path: str) -> str:
    """A source file without the folders of this machine: from our package on, from a library on, or its name alone."""
    parts = PurePath(path).parts
    for index in range(len(parts) - 2, -1, -1):
        if _is_package(parts[: index + 1]):
            return "/".join(parts[index:])
        if _LIBRARY.fullmatch(parts[index]) and (parts[index - 1].startswith("lib") or "-" in parts[index]):
            return "/".join(parts[index + 1 :])
    return parts[-1] if parts else "?"


def _is_package(folder: tuple[str, ...]) -> bool:
    """Whether the folder is one of our packages. Users' own folders are called `quotaline`, too."""
    if folder[-1] != _PACKAGES[0]:
        return folder[-1] in _PACKAGES
    loaded = getattr(sys.modules.get(_PACKAGES[0]), "__file__", None)
    return isinstance(loaded, str) and PurePath(loaded).parent.parts == folder


# --- the installed version -------------------------------------------------------------------------

on_upgrade: Callable[[str], None] | None = None
"""Told once, with a sentence for the user, when the installed program is seen to be another one. From any thread."""

_VERSION = re.compile(r"^__version__\s*=\s*[\"']([^\"']+)[\"']", re.MULTILINE)
_Signature = tuple[int, int, int]


def _signature(path: Path) -> _Signature | None:
    """By which a file can be seen to have been replaced; None when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class Installation:
    """The package on disk, beside what was loaded from it. `file` is the one that states the version."""

    def __init__(self, file: Path, loaded: str) -> None:
        self._file = file
        self._loaded = loaded
        self._on_disk = _signature(file) is not None  # a package in an archive is not replaced under us
        self._same: _Signature | None = None
        self._told = False

    def version(self) -> str | None:
        """The version that is installed now; None when the package is gone or just being replaced."""
        found = _signature(self._file)
        if not self._on_disk or (found is not None and found == self._same):
            return self._loaded
        try:
            match = _VERSION.search(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        version = match[1] if match else None
        if version == self._loaded:
            self._same = found
        return version

    def restart_due(self) -> str | None:
        """A sentence for the user when the installed version is no longer the one that runs."""
        version = self.version()
        if version == self._loaded:
            return None
        sentence = (
            f"Quotaline was updated to version {version}; restart the editor to use it."
            if version
            else "The installed Quotaline was replaced or removed; restart the editor."
        )
        if on_upgrade is not None and not self._told:
            self._told = True
            with suppress(Exception):
                on_upgrade(sentence)
        return sentence


_package = sys.modules[__name__.rpartition(".")[0]]  # an import would name all that it exports
_installation = Installation(Path(__file__).with_name("__init__.py"), str(_package.__version__))


def restart_due() -> str | None:
    """A sentence for the user when the installed Quotaline is no longer the one that runs: then nothing more may be
    loaded from it. Costs one look at a file."""
    return _installation.restart_due()
