"""Limits in an answer that nobody reads: a vendor's newer words beside the ones we know.

An answer that still parses can hide the limit that matters, as when a vendor moves its numbers to another member and
leaves the old one at 0. So each object that was read is compared with what reads it: members that look like limits and
that no field accounts for are told. A model says which of them are known and not needed in `not_read`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel, RootModel

from quotaline_providers.parsing.names import field_names, plain
from quotaline_providers.parsing.payload import to_number
from quotaline_providers.parsing.shape import DEEPEST, LARGEST_BODY

MOST_NAMES = 6
"""Names that are told of one answer."""
MOST_FOUND = 40
"""Members after which the search ends: several may have one name."""
UNNAMED = "?"
"""Stands for names that may be the user's own words."""

_LEFT = {"left", "remaining"}
_PORTIONS = _LEFT | {"consumed", "pct", "percent", "percentage", "percents", "ratio", "used", "utilization"}
_LIMITS = _PORTIONS | {
    *("allotment", "allowance", "allowances", "balance", "balances", "budget", "budgets", "cap", "caps", "credit"),
    *("credits", "entitlement", "limit", "limits", "pool", "pools", "quota", "quotas", "spend", "spending", "spent"),
    *("usage", "usages"),
}
_OTHER_ENDS = {
    *("at", "code", "count", "currency", "date", "days", "duration", "enabled", "end", "expires", "id", "ids"),
    *("interval", "key", "kind", "label", "mode", "name", "period", "reset", "resets", "seconds", "start", "status"),
    *("tier", "time", "type", "unit", "until", "url", "version"),
}
"""What a name ends in that only tells something about a limit."""
_THROTTLES = {"concurrency", "concurrent", "context", "minute", "parallel", "rpm", "second", "tpm"}
"""Limits of speed and size, which nobody uses up."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z_]*(\d{1,2}[A-Za-z_]*)*")
_HEXADECIMAL = re.compile(r"(?=.*\d)[0-9a-fA-F]+")
_LONGEST_NAME = 32


def unread_limits(body: bytes, model: type[BaseModel], known: Collection[str], left: list[int]) -> tuple[str, ...]:
    """The names of members that look like limits and that are not read, each once, in the order of the answer.

    `known` are the names, all `plain`, that the provider reads in answers without a model. `left` is how many values
    may still be looked at, as the event loop waits meanwhile. A name that may be the user's own word is `UNNAMED`.
    """
    if len(body) > LARGEST_BODY:
        return ()
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    search = _Search(known, left)
    search.value(value, model, DEEPEST)
    return tuple(dict.fromkeys(map(_shown, search.found)))[:MOST_NAMES]


@dataclass(slots=True)
class _Search:
    """A walk through one answer, with the models that read its parts."""

    known: Collection[str]
    left: list[int]
    found: list[str] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return self.left[0] <= 0 or len(self.found) >= MOST_FOUND

    def value(self, value: object, reads: object, depth: int) -> None:
        """Compare a value with the annotation of what reads it."""
        self.left[0] -= 1
        if depth == 0 or self.done:
            return
        if isinstance(value, str) and reads is object:
            value = _unpacked(value)
        if isinstance(value, list):
            item = _item_of(reads)
            for element in value[: self.left[0]]:
                self.value(element, item, depth - 1)
        elif isinstance(value, dict):
            model = _model_of(reads)
            if model is None:
                self._map(value, reads, depth)
            elif issubclass(model, RootModel):
                self.value(value, model.model_fields["root"].annotation, depth)
            else:
                self._model(value, model, depth)

    def _model(self, value: dict[str, object], model: type[BaseModel], depth: int) -> None:
        fields, skipped, renames = _fields_of(model)
        if not renames and fields.keys().isdisjoint(map(plain, value)):
            return
        for name, item in value.items():
            if self.done:
                break
            known = plain(name)
            if known in fields:
                self.value(item, fields[known], depth - 1)
            elif renames and known in self.known:
                self.value(item, object, depth - 1)
            elif known not in skipped and self._is_limit(name, item):
                self.found.append(name)

    def _map(self, value: dict[str, object], reads: object, depth: int) -> None:
        """An object without a model: its names are data when it is read as a map, else those that the code knows.

        What holds known names is searched for them, whatever it is called itself.
        """
        item = _value_of(reads)
        beside = item is object and any(plain(name) in self.known for name in value)
        for name, part in value.items():
            if self.done:
                break
            named = beside and plain(name) not in self.known and _is_named(name, _LIMITS)
            if named and not self._holds_known(part, 3) and self._is_limit(name, part):
                self.found.append(name)
            else:
                self.value(part, item, depth - 1)

    def _holds_known(self, value: object, depth: int) -> bool:
        self.left[0] -= 1
        if depth == 0 or self.left[0] <= 0:
            return False
        if isinstance(value, dict):
            return any(plain(name) in self.known or self._holds_known(part, depth - 1) for name, part in value.items())
        return isinstance(value, list) and any(self._holds_known(part, depth - 1) for part in value)

    def _is_limit(self, name: str, value: object) -> bool:
        self.left[0] -= 1
        if _is_named(name, _LIMITS):
            return _has_amount(value, 3, left=_is_named(name, _LEFT))
        return isinstance(value, dict) and any(
            _is_named(inner, _PORTIONS) and _is_amount(part, left=_is_named(inner, _LEFT))
            for inner, part in value.items()
        )


@lru_cache(maxsize=256)
def _fields_of(model: type[BaseModel]) -> tuple[dict[str, object], frozenset[str], bool]:
    """What reads each member, by the plain name; those that are known and not needed; and whether the model changes an
    object before it reads it, so that names in its code count, too."""
    validators = model.__pydantic_decorators__.model_validators.values()
    fields: dict[str, object] = {
        plain(name): info.annotation for key, info in model.model_fields.items() for name in field_names(model, key)
    }
    skipped = frozenset(map(plain, getattr(model, "not_read", ())))
    return fields, skipped, any(one.info.mode == "before" for one in validators)


def _unpacked(text: str) -> object:
    """What a text holds that is itself JSON; else the text."""
    if not text.startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _is_named(name: str, words: set[str]) -> bool:
    parts = [word.lower() for word in _WORD.findall(name[:80])]
    return bool(parts) and not words.isdisjoint(parts) and parts[-1] not in _OTHER_ENDS and _THROTTLES.isdisjoint(parts)


def _has_amount(value: object, depth: int, *, left: bool = False) -> bool:
    if isinstance(value, dict) and depth:
        return any(
            _has_amount(part, depth - 1, left=_is_named(name, _LEFT))
            for name, part in value.items()
            if not {word.lower() for word in _WORD.findall(name[-20:])[-1:]} & _OTHER_ENDS
        )
    if isinstance(value, list) and depth:
        return any(_has_amount(part, depth - 1) for part in value[:20])
    return _is_amount(value, left=left)


def _is_amount(value: object, *, left: bool) -> bool:
    """Whether a value tells something: not 0 (but of what is left), nor the -1 that stands for no limit."""
    number = to_number(value)
    return number is not None and number != -1 and (number != 0 or left)


def _shown(name: str) -> str:
    words = name.split("_")
    harmless = len(name) <= _LONGEST_NAME and _IDENTIFIER.fullmatch(name) is not None
    return name if harmless and not any(_HEXADECIMAL.fullmatch(word) and len(word) > 5 for word in words) else UNNAMED


# --- what an annotation says of the parts of a value ---


def _readings(annotation: object) -> Iterator[object]:
    """The types that an annotation allows; of the `lenient` ones, the models that they are made of."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _readings(get_args(annotation)[0])
    elif origin is Union or type(annotation).__name__ == "UnionType":
        for part in get_args(annotation):
            yield from _readings(part)
    else:
        yield annotation


@lru_cache(maxsize=512)
def _model_of(annotation: object) -> type[BaseModel] | None:
    """The payload model that reads an object."""
    models = (reading for reading in _readings(annotation) if isinstance(reading, type))
    return next((one for one in models if issubclass(one, BaseModel)), None)


@lru_cache(maxsize=512)
def _item_of(annotation: object) -> object:
    """What reads the items of a list."""
    for reading in _readings(annotation):
        if get_origin(reading) in (tuple, list, frozenset, set):
            return get_args(reading)[0]
        if isinstance(reading, type) and issubclass(reading, RootModel):
            root: object = reading.model_fields["root"].annotation
            return _item_of(root)
        if reading is object or (isinstance(reading, type) and issubclass(reading, BaseModel)):
            return reading
    return None


@lru_cache(maxsize=512)
def _value_of(annotation: object) -> object:
    """What reads the members of a map."""
    for reading in _readings(annotation):
        if get_origin(reading) is dict:
            return _settled(get_args(reading)[1])
        if reading in (object, dict):
            return object
    return None


def _settled(annotation: object) -> object:
    return object if str(annotation) == "typing.Any" else annotation
