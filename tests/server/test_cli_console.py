"""The terminal as the commands see it, for the systems these tests do not run on."""

from __future__ import annotations

import ctypes
import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from quotaline.cli import console


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "cp1252"

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1


class WindowsConsole:
    """What Windows says of its console; `mode` is what it was set to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, knows_codes: bool = True, is_console: bool = True) -> None:
        self.mode, self._knows, self._is_console = 3, knows_codes, is_console
        kernel32 = SimpleNamespace(GetConsoleMode=self._get, SetConsoleMode=self._set)
        monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel32), raising=False)
        monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(get_osfhandle=lambda number: number))
        monkeypatch.setattr(sys, "platform", "win32")
        monkeypatch.setattr(sys, "stdout", Terminal())
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.delenv("TERM", raising=False)

    def _get(self, handle: object, mode: Any) -> int:
        mode._obj.value = self.mode
        return int(self._is_console)

    def _set(self, handle: object, mode: int) -> int:
        if self._knows:
            self.mode = mode
        return int(self._knows)


def test_a_windows_console_is_asked_to_obey_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = WindowsConsole(monkeypatch)
    assert console.takes_colour()
    assert windows.mode == 3 | 4
    monkeypatch.setenv("NO_COLOR", "1")
    assert not console.takes_colour()


def test_an_old_windows_console_has_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    WindowsConsole(monkeypatch, knows_codes=False)
    assert not console.takes_colour()
    WindowsConsole(monkeypatch, is_console=False)
    assert not console.takes_colour()


def test_a_terminal_that_says_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, takes in (("xterm", True), ("dumb", False), ("", False)):
        monkeypatch.setenv("TERM", name)
        assert console.takes_codes(Terminal()) is takes
    assert not console.takes_codes(io.StringIO())


def test_characters_that_the_terminal_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert console.spells("é·")
    assert not console.spells("✓")
