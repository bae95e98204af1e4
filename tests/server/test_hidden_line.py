"""A secret that is typed: what keys do to it, and the console of Windows, of which only `msvcrt` is not real."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from quotaline.cli import hidden
from quotaline.cli.hidden.line import Line

LONG = "sessionKey=" + "0123456789" * 999
LARGEST = 1 << 20


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("key\r", "key"),
        ("key\n", "key"),
        ("kez\x7fy\r", "key"),
        ("kez\x08y\r", "key"),
        ("\x7f\x7fkey\r", "key"),
        ("schlü\x7f\x7f\r", "sch"),
        ("wrong\x15key\r", "key"),
        ("a b wrong \x17key\r", "a b key"),
        ("ke\x1b[Dy\x1bOA\x1b[1;5C\x1bb\r", "key"),
        ("k\x1b\x7fkey\r", "key"),
        ("key\x1b\r", "key"),
        ("\x00k\x01e\x0cy\r", "key"),
        ("a\tb\r", "a\tb"),
        ("key\x04", "key"),
        ("\x04", ""),
        ("\r", ""),
        ("key\rrm -rf", "key"),
        ("\x1b[200~a\r\nb\x1b[201~\r", "a\n\nb"),
        ("\x1b[200~a\x03\x15b\x1b[201~\x7f\r", "a"),
        (LONG + "\r", LONG),
    ],
)
@pytest.mark.parametrize("at_once", [1, 2, 100_000])
def test_keys_do_what_they_do_in_a_shell(typed: str, text: str, at_once: int) -> None:
    line = Line(LARGEST)
    assert any(line.feed(typed[place : place + at_once]) for place in range(0, len(typed), at_once))
    assert line.text == text


def test_a_line_goes_on_until_it_is_ended() -> None:
    line = Line(LARGEST)
    assert not line.feed("\x1b[200~key\r\n\x1b[201~")
    assert line.feed("\r")


def test_ctrl_c_interrupts() -> None:
    with pytest.raises(KeyboardInterrupt):
        Line(LARGEST).feed("key\x03")


def test_more_than_may_be_is_refused_and_not_cut() -> None:
    assert Line(3).feed("key\r")
    with pytest.raises(hidden.TooLongError):
        Line(3).feed("keys\r")


# --- the console of Windows ------------------------------------------------------------------------


class Console(ModuleType):
    """`msvcrt` of a console where this was typed: it gives UTF-16 units, arrows as two characters, Ctrl-C as one."""

    def __init__(self, typed: str) -> None:
        super().__init__("msvcrt")
        units = typed.encode("utf-16-le", "surrogatepass")
        self.typed = [
            units[place : place + 2].decode("utf-16-le", "surrogatepass") for place in range(0, len(units), 2)
        ]
        self.shown = ""

    def getwch(self) -> str:
        return self.typed.pop(0)

    def putwch(self, character: str) -> None:
        assert len(character) == 1
        self.shown += character

    def kbhit(self) -> bool:
        return bool(self.typed)


def asked(console: Console, monkeypatch: pytest.MonkeyPatch) -> str:
    with monkeypatch.context() as windows:
        windows.setitem(sys.modules, "termios", None)
        windows.setitem(sys.modules, "msvcrt", console)
        windows.delitem(sys.modules, "quotaline.cli.hidden.windows", raising=False)
        try:
            return hidden.ask("Key: ", LARGEST)
        finally:
            sys.modules.pop("quotaline.cli.hidden.windows", None)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (LONG + "\r", LONG),
        ("kez\x08y\r", "key"),
        ("ke\xe0K\x00;y\r", "key"),
        ("wrong\x15key\r", "key"),
        ("🔑\r", "🔑"),
        ("\x1a", ""),
        ("\x04", ""),
        ("key\rthe rest of a pasted text", "key"),
    ],
)
def test_the_console_of_windows_gives_all_of_it_and_shows_nothing(
    monkeypatch: pytest.MonkeyPatch, typed: str, text: str
) -> None:
    console = Console(typed)
    assert asked(console, monkeypatch) == text
    assert console.shown == "Key: \r\n"
    assert console.typed == []


def test_ctrl_c_ends_the_question_in_the_console_of_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console("key\x03")
    with pytest.raises(KeyboardInterrupt):
        asked(console, monkeypatch)
    assert console.shown == "Key: \r\n"
