"""Where in a payload, whose shape the vendor changes, values are looked for, and how its switches are read."""

from __future__ import annotations

from collections.abc import Iterator

from quotaline_providers.parsing.json_search import Object
from quotaline_providers.parsing.payload import to_number

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
