"""Looking for values in payloads whose shape the vendor changes: by name, in an object and what it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from quotaline_providers.payload import to_number

T = TypeVar("T")
Object = dict[str, object]

DEPTH = 2


def contexts(payload: object, depth: int = DEPTH) -> tuple[Object, ...]:
    """The payload and the objects nested in it (also in arrays), breadth first, down to a depth."""
    found: list[Object] = []
    level = list(_objects(payload))
    for _ in range(depth + 1):
        found += level
        level = [inner for item in level for value in item.values() for inner in _objects(value)]
    return tuple(found)


def _objects(value: object) -> Iterator[Object]:
    """The value if it is an object, or the objects in an array, however nested."""
    waiting = [value]
    while waiting:
        next_one = waiting.pop()
        if isinstance(next_one, dict):
            yield next_one
        elif isinstance(next_one, list):
            waiting.extend(reversed(next_one))


def first(where: Iterable[Object], names: str, parse: Callable[[object], T | None]) -> T | None:
    """The first usable value: object after object, and in each name after name."""
    listed = names.split()
    found = (parse(item[name]) for item in where for name in listed if name in item)
    return next((value for value in found if value is not None), None)


def words(value: object) -> str | None:
    """A text, trimmed; None for anything else and for nothing."""
    return (value.strip() or None) if isinstance(value, str) else None


def switch(value: object) -> bool | None:
    """A boolean, a number, or a word for on or off."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.strip().lower()
        if word in ("true", "1", "yes", "enabled", "on"):
            return True
        return False if word in ("false", "0", "no", "disabled", "off") else None
    number = to_number(value)
    return None if number is None else number != 0
