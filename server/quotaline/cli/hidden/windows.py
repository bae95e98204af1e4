"""The console of Windows."""

from __future__ import annotations

import msvcrt
from typing import Protocol, cast

from quotaline.cli.hidden.line import CTRL_D, CTRL_Z, Line

_SPECIAL = "\x00\xe0"
"""What comes before the second half of an arrow or function key."""


class Console(Protocol):
    """What Python's `msvcrt` does: characters come unseen, and Ctrl-C is one of them."""

    def getwch(self) -> str: ...

    def putwch(self, character: str) -> None: ...

    def kbhit(self) -> bool: ...


def ask(prompt: str, largest: int) -> str:
    """As `hidden.ask`."""
    console = cast("Console", msvcrt)
    line = Line(largest, CTRL_D + CTRL_Z)
    _say(console, prompt)
    try:
        while not line.feed(_character(console)):
            pass
    finally:
        while console.kbhit():  # the rest of a pasted text was not meant for whoever reads next
            console.getwch()
        _say(console, "\r\n")
    return line.text


def _character(console: Console) -> str:
    """The next one; empty for a key that is none. One above U+FFFF comes in two halves."""
    first = console.getwch()
    if first in _SPECIAL and console.kbhit():
        console.getwch()
        return ""
    if "\ud800" <= first <= "\udbff":
        return (first + console.getwch()).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return first


def _say(console: Console, text: str) -> None:
    for character in text:
        console.putwch(character)
