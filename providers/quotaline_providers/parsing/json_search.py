"""Looking for values in answers whose shape is not settled: by name, in one object or in all that an answer holds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")
Object = dict[str, object]
"""A JSON object."""


def objects(value: object, *, outer_first: bool = False) -> Iterator[Object]:
    """All objects in a value, in the order in which they stand or (`outer_first`) in that of their depth."""
    waiting = deque([value])
    while waiting:
        current = waiting.popleft()
        inner: list[object] = []
        if isinstance(current, dict):
            yield current
            inner = list(current.values())
        elif isinstance(current, list):
            inner = current
        if outer_first:
            waiting.extend(inner)
        else:
            waiting.extendleft(reversed(inner))


def value_of(source: Mapping[str, object], *names: str) -> object:
    """The first value under these names that is not null."""
    return next((source[name] for name in names if source.get(name) is not None), None)


def first(source: Mapping[str, object], names: str, parse: Callable[[object], T | None]) -> T | None:
    """The first usable value under these names (divided by blanks)."""
    found = (parse(source[name]) for name in names.split() if name in source)
    return next((value for value in found if value is not None), None)


def first_in(sources: Iterable[Mapping[str, object]], names: str, parse: Callable[[object], T | None]) -> T | None:
    """The first usable value: object after object, and in each name after name."""
    found = (first(source, names, parse) for source in sources)
    return next((value for value in found if value is not None), None)
