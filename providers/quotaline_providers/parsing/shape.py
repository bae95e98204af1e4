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
"""Members of one object that are shown."""
LONGEST = 4096
"""Characters of a shape."""
LARGEST_BODY = 1 << 20
"""Bytes of a body that is looked into."""
_MOST_VALUES = 20_000
_KINDS = ("null", "boolean", "number", "string", "array", "object")
_CUT = "..."
_SIZES = ((1 << 10, "under 1 kB"), (64 << 10, "1 to 64 kB"), (1 << 20, "64 kB to 1 MB"))


@dataclass(frozen=True, slots=True)
class AnswerShape:
    """What may be kept of an answer that was not understood: who gave it, with which HTTP status, and its shape."""

    host: str
    status: int
    shape: str


def described(body: bytes, known: Collection[str]) -> str:
    """The shape of a body as JSON text of at most 4096 characters; kind and size of one that is no JSON."""
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
    for depth in range(DEEPEST, 0, -1):
        whole = _Part()
        _add(whole, value, known, depth, [_MOST_VALUES])
        found = _shown(whole)
        if len(json.dumps(found, separators=(",", ":"))) <= LONGEST:
            return found
    return _kind_of(value)


@dataclass(slots=True)
class _Part:
    """What is known of the values in one place: their types and the parts below. `most` is how many members with
    names that are not known one object had at most, by their type."""

    kinds: set[str] = field(default_factory=set)
    members: dict[str, _Part] = field(default_factory=dict)
    others: dict[str, _Part] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)
    items: _Part | None = None
    opened: bool = False


def _add(part: _Part, value: object, known: Collection[str], depth: int, left: list[int]) -> None:
    left[0] -= 1
    part.kinds.add(_kind_of(value))
    if depth == 0 or left[0] <= 0:
        return
    if isinstance(value, dict):
        part.opened = True
        counts: dict[str, int] = {}
        for name, item in value.items():
            kind = _kind_of(item)
            if name in known:
                below = part.members.setdefault(name, _Part())
            else:
                below = part.others.setdefault(kind, _Part())
                counts[kind] = counts.get(kind, 0) + 1
            if left[0] > 0:
                _add(below, item, known, depth - 1, left)
        part.most.update({kind: max(count, part.most.get(kind, 0)) for kind, count in counts.items()})
    elif isinstance(value, list):
        part.opened = True
        part.items = part.items or _Part()
        for item in value:
            if left[0] > 0:
                _add(part.items, item, known, depth - 1, left)


def _shown(part: _Part) -> Shape:
    kinds = [kind for kind in _KINDS if kind in part.kinds]
    plain = "|".join(kind for kind in kinds if kind not in ("array", "object") or not part.opened)
    ways: list[Shape] = [plain] if plain else []
    if part.opened and "array" in kinds:
        ways.append([_shown(part.items)] if part.items and part.items.kinds else [])
    if part.opened and "object" in kinds:
        ways.append(_members(part))
    return ways[0] if len(ways) == 1 else {"|": ways} if ways else _CUT


def _members(part: _Part) -> dict[str, Shape]:
    shown = {name: _shown(below) for name, below in part.members.items()}
    for kind in (kind for kind in _KINDS if kind in part.others):
        mark = "?" if part.most[kind] == 1 else "*"
        number = sum(name.rstrip("0123456789") == mark for name in shown) + 1
        shown[mark if number == 1 else f"{mark}{number}"] = _shown(part.others[kind])
    if len(shown) > BROADEST:
        shown = dict(list(shown.items())[:BROADEST])
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
    return next((name for limit, name in _SIZES if length < limit), "over 1 MB")
