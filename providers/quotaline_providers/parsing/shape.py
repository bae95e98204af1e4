"""What an answer looks like without what it says: JSON types, and of its names only those that we know.

An answer that is not understood cannot be kept, because it holds whatever the vendor knows of the user. Its shape can,
and tells a maintainer what the vendor has changed. It is JSON itself:

- `"string"`, `"number"`, `"boolean"` and `"null"` stand for values, and `"null|number"` for values of both types;
- `{"limit": "number"}` is an object. A member whose name is not known is called `?`; several of one type, or in several
  items of a list, are one member called `*`. A number behind either tells members of different types apart;
- `["string"]` is a list, with the one shape that all of its items have together;
- `{"|": ["null", {}]}` is one or the other; `"object"` and `"array"` are ones that are not looked into.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field

Shape = str | list["Shape"] | dict[str, "Shape"]

DEEPEST = 10
BROADEST = 40
"""Members with known names that are shown of one object."""
LONGEST = 4096
"""Characters of a shape."""
LARGEST_BODY = 256 << 10
"""Bytes of a body that is looked into."""
MOST_VALUES = 5_000
"""Values of one answer that are looked at: the event loop waits meanwhile."""
_KINDS = ("null", "boolean", "number", "string", "array", "object")
_CUT = "..."
_SIZES = ((1 << 10, "under 1 kB"), (16 << 10, "1 to 16 kB"), (256 << 10, "16 to 256 kB"), (2 << 20, "256 kB to 2 MB"))


@dataclass(frozen=True, slots=True)
class AnswerShape:
    """What may be kept of an answer that was not understood: who gave it, with which HTTP status, and its shape.
    `users` tells that the host is one that the user has set: its name is not for others."""

    host: str
    status: int
    shape: str
    users: bool = False


def described(body: bytes, known: Collection[str]) -> str:
    """The shape of a body as JSON text of at most 4096 characters; kind and size of one that is not JSON."""
    body = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not body:
        return "empty"
    if len(body) <= LARGEST_BODY:
        try:
            return json.dumps(shape(json.loads(body), known), separators=(",", ":"))
        except (ValueError, RecursionError):
            pass
    return f"{_kind(body)}, {_size(len(body))}"


def shape(value: object, known: Collection[str]) -> Shape:
    """The shape of a JSON value, small enough to be kept; `known` are the names that may be shown."""
    whole = _Part()
    _add(whole, value, known, DEEPEST, [MOST_VALUES])
    for depth in range(DEEPEST, 0, -1):
        found = _shown(whole, depth)
        if len(json.dumps(found, separators=(",", ":"))) <= LONGEST:
            return found
    return _shown(whole, 0)


@dataclass(slots=True)
class _Part:
    """What is known of the values in one place: their types and the parts below. `most` is how many members with
    names that are not known one object had at most, by their type."""

    kinds: set[str] = field(default_factory=set)
    members: dict[str, _Part] = field(default_factory=dict)
    others: dict[str, _Part] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)
    items: _Part | None = None


def _add(part: _Part, value: object, known: Collection[str], depth: int, left: list[int]) -> None:
    """Take a value into account, and what is in it, as deep as that and until so many values were seen."""
    left[0] -= 1
    part.kinds.add(_kind_of(value))
    if depth == 0 or left[0] <= 0:
        return
    if isinstance(value, dict):
        counts: dict[str, int] = {}
        for name, item in value.items():
            kind = _kind_of(item)
            if name in known:
                below = part.members.setdefault(name, _Part())
            else:
                below = part.others.setdefault(kind, _Part())
                counts[kind] = counts.get(kind, 0) + 1
            _add(below, item, known, depth - 1, left)
            if left[0] <= 0:
                break
        part.most.update({kind: max(count, part.most.get(kind, 0)) for kind, count in counts.items()})
    elif isinstance(value, list):
        part.items = part.items or _Part()
        for item in value:
            _add(part.items, item, known, depth - 1, left)
            if left[0] <= 0:
                break


def _shown(part: _Part, depth: int) -> Shape:
    kinds = [kind for kind in _KINDS if kind in part.kinds]
    plain = "|".join(kind for kind in kinds if depth == 0 or kind not in ("array", "object"))
    ways: list[Shape] = [plain] if plain else []
    if depth > 0 and "array" in kinds:
        ways.append([_shown(part.items, depth - 1)] if part.items and part.items.kinds else [])
    if depth > 0 and "object" in kinds:
        ways.append(_members(part, depth - 1))
    return ways[0] if len(ways) == 1 else {"|": ways}


def _members(part: _Part, depth: int) -> dict[str, Shape]:
    shown = {name: _shown(below, depth) for name, below in list(part.members.items())[:BROADEST]}
    for kind in (kind for kind in _KINDS if kind in part.others):
        mark = "?" if part.most[kind] == 1 else "*"
        number = sum(name.rstrip("0123456789") == mark for name in shown) + 1
        shown[mark if number == 1 else f"{mark}{number}"] = _shown(part.others[kind], depth)
    if len(part.members) > BROADEST:
        shown[_CUT] = _CUT
    return shown


def _kind_of(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _kind(body: bytes) -> str:
    if body.startswith(b"<"):
        return "html"
    try:
        text = body.decode()
    except ValueError:
        return "binary"
    if "\0" in text:
        return "binary"
    if text[0] not in "[{":
        return "text"
    return "broken json" if len(body) <= LARGEST_BODY else "json"


def _size(length: int) -> str:
    return next((name for limit, name in _SIZES if length < limit), "over 2 MB")
