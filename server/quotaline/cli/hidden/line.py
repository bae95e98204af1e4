"""A line that is typed without being seen: what keys do to it."""

from __future__ import annotations

import re

CTRL_C, CTRL_D, CTRL_U, CTRL_W, CTRL_Z = "\x03", "\x04", "\x15", "\x17", "\x1a"
_ENTER, _BACKSPACE = "\r\n", "\x7f\x08"

_PASTE, _PASTED = "\x1b[200~", "\x1b[201~"
"""What a terminal puts around a pasted text when it is asked to: then its line breaks are no Enter."""
_KEY = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|[^\[O\x00-\x1f\x7f])", re.DOTALL)
"""An arrow, a function key, Alt with a key: they edit nothing here."""
_BEGUN = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|O)?\Z")
"""The beginning of such a key, whose rest is still to come."""


class ClosedError(Exception):
    """The terminal was closed before the line was ended."""


class TooLongError(Exception):
    """More was typed than may be."""


class Line:
    """What was typed so far. Line breaks inside of a pasted text stay in it; whoever uses the text trims it."""

    def __init__(self, largest: int, end_of_input: str = CTRL_D) -> None:
        self._largest = largest
        self._end_of_input = end_of_input
        self._typed: list[str] = []
        self._rest = ""
        self._pasting = False

    @property
    def text(self) -> str:
        return "".join(self._typed)

    def feed(self, characters: str) -> bool:
        """Take what came from the terminal; whether the line is ended, and what came after its end is dropped.

        Raises KeyboardInterrupt for Ctrl-C and TooLongError.
        """
        given, self._rest = self._rest + characters, ""
        place = 0
        while place < len(given):
            if given[place] == "\x1b":
                key = _KEY.match(given, place)
                if key is None:
                    if _BEGUN.match(given, place):
                        self._rest = given[place:]
                        return False
                    place += 1
                    continue
                self._pasting = key.group() == _PASTE or (self._pasting and key.group() != _PASTED)
                place = key.end()
            elif self._press(given[place]):
                return True
            else:
                place += 1
        return False

    def _press(self, character: str) -> bool:
        """Whether this ends the line."""
        if self._pasting:
            self._add(character)
        elif character in _ENTER or character in self._end_of_input:
            return True
        elif character == CTRL_C:
            raise KeyboardInterrupt
        elif character in _BACKSPACE:
            del self._typed[-1:]
        elif character == CTRL_U:
            self._typed.clear()
        elif character == CTRL_W:
            self._typed[:] = re.sub(r"\S*\s*\Z", "", self.text)
        else:
            self._add(character)
        return False

    def _add(self, character: str) -> None:
        if character >= " " or character in "\t\r\n":  # no other control character belongs to a secret
            self._typed.append("\n" if character == "\r" else character)
        if len(self._typed) > self._largest:
            raise TooLongError
