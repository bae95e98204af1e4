"""Messages as they come in: a block of header lines, then as many bytes as it says.

The library knows one spelling of one header and skips everything else, so that another spelling, or something that is
no message, leaves it waiting for ever. Here headers are read as the protocol has them, and what cannot be a message
ends the connection.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import BinaryIO

LARGEST_MESSAGE = 64 << 20
"""Bytes of one message."""
LONGEST_LINE = 8 << 10
"""Bytes of one header line."""
MOST_LINES = 32
"""Header lines of one message, and empty lines before it."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CHARSET = re.compile(r"charset\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)


class NotAMessage(Exception):
    """What came is not a message of the Language Server Protocol. The text says why, without repeating what came."""


class MessageReader:
    """Reads messages from a stream: whole ones with `message`, or as the library does, by `readline` and `read`.

    `at_end` is called once the stream has ended. Raises NotAMessage.
    """

    def __init__(self, stream: BinaryIO, at_end: Callable[[], object] | None = None) -> None:
        self._stream, self._at_end = stream, at_end
        self._lines: list[bytes] = []
        self._unread: bytes | None = None

    def message(self, largest: int = LARGEST_MESSAGE) -> bytes | None:
        """The next message; None at the end of the stream, also where it ends in the middle of a message."""
        length = self._length(largest)
        if length is None:
            return None
        body = self._stream.read(length)
        return body if len(body) == length else None

    def unread(self, message: bytes) -> None:
        """Let the next `readline` and `read` give this message."""
        self._lines, self._unread = _header(len(message)), message

    def readline(self) -> bytes:
        """The next header line, spelled as the library knows it; nothing at the end of the stream."""
        if not self._lines:
            length = self._length(LARGEST_MESSAGE)
            if length is None:
                if self._at_end is not None:
                    self._at_end()
                return b""
            self._lines = _header(length)
        return self._lines.pop(0)

    def read(self, size: int) -> bytes:
        """The bytes of the message whose headers were read."""
        if self._unread is not None:
            message, self._unread = self._unread, None
            return message
        return self._stream.read(size)

    def _length(self, largest: int) -> int | None:
        """The length that the next header block gives; None at the end of the stream."""
        lines, empty = 0, 0
        length: int | None = None
        while line := self._stream.readline(LONGEST_LINE):
            text = line.rstrip(b"\r\n")
            if not text and not lines and (empty := empty + 1) <= MOST_LINES:
                continue  # line breaks between two messages
            if not text and length is not None:
                return length
            if (lines := lines + 1) > MOST_LINES or not line.endswith(b"\n"):
                if len(line) < LONGEST_LINE and lines <= MOST_LINES:
                    return None  # the stream has ended here
                raise NotAMessage("its headers are too long")
            found = _content_length(text)
            if found is not None and length not in (None, found):
                raise NotAMessage("it gives two lengths")
            length = length if found is None else found
            if length is not None and length > largest:
                raise NotAMessage(f"it is longer than {largest >> 10} KiB")
        return None


def _content_length(line: bytes) -> int | None:
    """The length where the line is a header that gives it. Raises NotAMessage for what is no header."""
    name, colon, value = line.decode("latin-1").partition(":")
    if not line:
        raise NotAMessage("its headers give no length")
    if not colon or not _NAME.fullmatch(name):
        raise NotAMessage("it does not begin with headers")
    value = value.strip()
    if name.lower() == "content-type":
        charset = _CHARSET.search(value)
        if charset and charset[1].lower() not in ("utf-8", "utf8"):
            raise NotAMessage("its charset is not UTF-8")
    if name.lower() != "content-length":
        return None
    if not re.fullmatch(r"[0-9]{1,12}", value) or int(value) == 0:
        raise NotAMessage("its length is not a positive number")
    return int(value)


def _header(length: int) -> list[bytes]:
    return [b"Content-Length: %d\r\n" % length, b"\r\n"]
