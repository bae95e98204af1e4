"""Whom a command is waiting for, on standard error, while a person is watching."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self

from quotaline.cli import console
from quotaline.refresh.service import Refreshed


class Progress:
    """One line that names the accounts still being asked, by key, and disappears at the end, also at Ctrl-C."""

    def __init__(self, keys: Iterable[str], names: Mapping[str, str]) -> None:
        self._waiting = [(key, names.get(key, key)) for key in keys]
        self._on = bool(self._waiting) and console.takes_codes(sys.stderr)

    def __enter__(self) -> Self:
        self._draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._on:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def done(self, refreshed: Refreshed) -> None:
        """This account has answered, or failed."""
        self._waiting = [(key, name) for key, name in self._waiting if key != refreshed.state.key]
        self._draw()

    def _draw(self) -> None:
        if self._on and self._waiting:
            line = f"Asking {', '.join(dict.fromkeys(name for _, name in self._waiting))}…"
            room = console.width(error=True) - 1
            line = console.shown(line)
            shown = line if len(line) <= room else f"{line[: room - 1]}…"
            print(f"\r\x1b[K{shown}", end="", file=sys.stderr, flush=True)
