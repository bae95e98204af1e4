"""Where things stand in a JSON text: one tolerant pass gives the span of every key and value, typed or half-typed."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Path = tuple[str | int, ...]
"""The way to a value: `("providers", 0, "apiKey")`."""

Kind = Literal["object", "array", "string", "other", "missing"]

_DEEPEST = 100
_LINE_END = re.compile(r"\r\n|\r|\n")
_WORD = re.compile(r"[^\s,:{}\[\]\"]+")


@dataclass(slots=True)
class Member:
    """One `"key": value` of an object. `node` is of kind `missing` while the value is not there yet."""

    key: str
    start: int
    end: int
    node: Node
    colon: bool = True


@dataclass(slots=True)
class Node:
    """A value and its span (offsets; `end` is exclusive). `text` is what a string says, or a number's own text."""

    kind: Kind
    start: int
    end: int
    text: str = field(default="", repr=False)
    members: list[Member] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)
    closed: bool = True

    def member(self, key: str) -> Member | None:
        """The member with this key; the last one where it is repeated, as JSON readers do."""
        return next((member for member in reversed(self.members) if member.key == key), None)

    def at(self, path: Path) -> Node | None:
        """The value at this path, None when there is none."""
        node: Node | None = self
        for step in path:
            if node is None:
                return None
            if isinstance(step, int):
                node = node.items[step] if -1 < step < len(node.items) else None
            else:
                member = node.member(step)
                node = member.node if member else None
        return node

    def nearest(self, path: Path) -> Node:
        """The value at this path, or the innermost one on the way that is there."""
        while (node := self.at(path)) is None:
            path = path[:-1]
        return node


class Lines:
    """Offsets of a text as zero-based lines and UTF-16 columns, and back."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def position(self, offset: int) -> tuple[int, int]:
        """(line, column) of an offset."""
        offset = max(0, min(offset, len(self._text)))
        line = bisect_right(self._starts, offset) - 1
        return line, _utf16(self._text[self._starts[line] : offset])

    def offset(self, line: int, column: int) -> int:
        """The offset of a position; one past the end of a line or of the text is brought back inside."""
        if line < 0:
            return 0
        if line >= len(self._starts):
            return len(self._text)
        offset = self._starts[line]
        while column > 0 and offset < len(self._text) and self._text[offset] not in "\r\n":
            column -= _utf16(self._text[offset])
            offset += 1
        return offset

    def range(self, start: int, end: int) -> tuple[int, int, int, int]:
        """(line, column, end line, end column) of a span."""
        return (*self.position(start), *self.position(end))


def scan(text: str) -> Node:
    """The text's value with all spans, as far as it can be made out. Never raises."""
    scanner = _Scanner(text)
    return scanner.value(0)


def repeated(node: Node, path: Path = ()) -> Iterator[tuple[Path, Member]]:
    """Every member whose key stood in the same object before."""
    seen: set[str] = set()
    for member in node.members:
        if member.key in seen:
            yield (*path, member.key), member
        seen.add(member.key)
        yield from repeated(member.node, (*path, member.key))
    for index, item in enumerate(node.items):
        yield from repeated(item, (*path, index))


def _utf16(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def value(self, depth: int) -> Node:
        self.space()
        character = self.peek()
        if character == "{":
            return self.object(depth) if depth < _DEEPEST else self.skip()
        if character == "[":
            return self.array(depth) if depth < _DEEPEST else self.skip()
        if character == '"':
            return self.string()
        word = _WORD.match(self.text, self.at)
        if word is None:
            return Node("missing", self.at, self.at)
        self.at = word.end()
        return Node("other", word.start(), word.end(), word.group())

    def object(self, depth: int) -> Node:
        node = Node("object", self.at, self.at)
        self.at += 1
        while True:
            self.space(also=",")
            character = self.peek()
            if character in ("", "]"):
                return self.end(node, closed=False)
            if character == "}":
                self.at += 1
                return self.end(node)
            if character in "{[:":  # a value where a key must stand: pass over it
                self.at += character == ":"
                if character != ":":
                    self.value(depth + 1)
                continue
            key = self.value(depth + 1)
            node.members.append(self.member(key, depth))

    def member(self, key: Node, depth: int) -> Member:
        after_key = self.at
        self.space()
        if self.peek() != ":":
            self.at = after_key
            return Member(key.text, key.start, key.end, Node("missing", key.end, key.end), colon=False)
        self.at += 1
        after_colon = self.at
        value = self.value(depth + 1)
        if value.kind in ("string", "missing"):
            after_value = self.at
            self.space()
            if value.kind == "missing" or self.peek() == ":":  # `"id":` and then the next member's key
                self.at = after_colon
                value = Node("missing", after_colon, after_colon)
            else:
                self.at = after_value
        return Member(key.text, key.start, key.end, value)

    def array(self, depth: int) -> Node:
        node = Node("array", self.at, self.at)
        self.at += 1
        while True:
            self.space(also=",:")
            character = self.peek()
            if character in ("", "}"):
                return self.end(node, closed=False)
            if character == "]":
                self.at += 1
                return self.end(node)
            node.items.append(self.value(depth + 1))

    def string(self) -> Node:
        start = self.at
        self.at += 1
        while (character := self.peek()) and character not in '"\r\n':
            self.at += 2 if character == "\\" else 1
        self.at = min(self.at, len(self.text))
        closed = character == '"'
        self.at += closed
        raw = self.text[start + 1 : self.at - closed]
        try:
            text = str(json.loads(f'"{raw}"', strict=False))
        except ValueError:
            text = raw
        return Node("string", start, self.at, text, closed=closed)

    def skip(self) -> Node:
        """Pass over something nested too deeply to be ours."""
        start, depth = self.at, 0
        while character := self.peek():
            if character == '"':
                self.string()
                continue
            self.at += 1
            depth += (character in "{[") - (character in "}]")
            if depth == 0:
                break
        return Node("other", start, self.at)

    def end(self, node: Node, *, closed: bool = True) -> Node:
        node.end, node.closed = self.at, closed
        return node

    def space(self, also: str = "") -> None:
        while (character := self.peek()) and (character.isspace() or character == "\ufeff" or character in also):
            self.at += 1

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""
