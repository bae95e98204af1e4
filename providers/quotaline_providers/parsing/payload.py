"""Reading what vendors send: one lenient base model, one number parser, one date parser."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, RootModel, ValidationError

P = TypeVar("P", bound=BaseModel)

_MILLISECONDS_FROM = 10_000_000_000
_LATEST = 253_402_300_799  # the end of year 9999, the last second a datetime can hold
_LARGEST, _SMALLEST = 1e20, 1e-100
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_FRACTION = re.compile(r"(\.\d{6})\d+")
# Possessive: a hostile text of digits must not cost quadratic time, as the event loop waits meanwhile.
_NUMBER = re.compile(r"[+-]?(?:\d++\.?+\d*+|\.\d++)(?:[eE][+-]?\d++)?")


class Payload(BaseModel):
    """A vendor's answer: unknown keys are ignored, names may be given by alias.

    An unknown one that looks like a limit is told to the user; `not_read` names those that are known and not needed.
    """

    not_read: ClassVar[frozenset[str]] = frozenset()

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, allow_inf_nan=True, defer_build=True)


class JsonObject(RootModel[dict[str, object]]):
    """An answer whose shape is not settled: any JSON object, to be searched."""


class JsonDocument(RootModel[object]):
    """An answer whose shape is not settled: any JSON value."""


def child(value: object, *path: str) -> dict[str, object] | None:
    """The object at this path of names; None when there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else None


def to_number(value: object) -> float | None:
    """A finite number from a JSON number or a numeric string (trimmed). None for anything else, booleans included.

    None, too, for one too large to be meant, and 0 for one too small: then no sum or quotient is more than can be kept.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = value.strip()
        if not _NUMBER.fullmatch(value):
            return None
    if not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(number) or abs(number) > _LARGEST:
        return None
    return number if abs(number) > _SMALLEST else 0.0


def to_integer(value: object) -> int | None:
    """As `to_number`, cut to a whole number."""
    number = to_number(value)
    return None if number is None else int(number)


def clamped(percent: float) -> float:
    """A percentage kept within 0-100."""
    return min(100.0, max(0.0, percent))


def share(used: float, limit: float) -> float:
    """Percent used of a limit, 0-100; 0 where there is no limit."""
    return clamped(used / limit * 100) if limit > 0 else 0.0


def exact(value: float) -> Decimal:
    """An amount without the noise of binary fractions: at most six decimals."""
    return Decimal(str(round(value, 6)))


def at_epoch(seconds: float) -> datetime | None:
    """The UTC time so many seconds after the beginning of 1970; None when not positive or after the year 9999."""
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds <= _LATEST else None


def to_time(value: object) -> datetime | None:
    """A UTC time from ISO 8601 text (a date alone is midnight UTC), epoch seconds, or epoch milliseconds when above
    10,000,000,000, as number or numeric string. None when absent, not positive or not understood."""
    number = to_number(value)
    if number is not None:
        return at_epoch(number / 1000 if number > _MILLISECONDS_FROM else number)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _DATE.match(text) is None:
        return None
    try:
        time = datetime.fromisoformat(_FRACTION.sub(r"\1", text))
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def to_words(value: object) -> str | None:
    """A trimmed non-empty text; None for anything else, numbers included."""
    return (value.strip() or None) if isinstance(value, str) else None


def to_text(value: object) -> str | None:
    """A trimmed non-empty text; a number becomes its text (whole when it is whole)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return (str(int(value)) if value.is_integer() else str(value)) if math.isfinite(value) else None
    return to_words(value)


def to_flag(value: object) -> bool | None:
    """A JSON boolean; None for anything else."""
    return value if isinstance(value, bool) else None


def needed_number(value: object) -> float:
    """As `to_number`, but raises ValueError for anything unusable, so that the answer as a whole cannot be read."""
    number = to_number(value)
    if number is None:
        raise ValueError("not a finite number")
    return number


def strict_number(value: object) -> float:
    """As `needed_number`, but a text is unusable, too."""
    if isinstance(value, str):
        raise ValueError("a text instead of a number")
    return needed_number(value)


NeededNumber = Annotated[float, BeforeValidator(needed_number)]
"""A number that may come as text; anything unusable spoils the answer."""
StrictNumber = Annotated[float, BeforeValidator(strict_number)]
"""A JSON number; anything else spoils the answer, a number in a text included."""
Number = Annotated[float | None, BeforeValidator(to_number)]
"""A number that may come as text; anything unusable is None."""
Integer = Annotated[int | None, BeforeValidator(to_integer)]
"""A whole number that may come as text; anything unusable is None."""
When = Annotated[datetime | None, BeforeValidator(to_time)]
"""A time in any of the vendors' spellings; anything unusable is None."""
Text = Annotated[str | None, BeforeValidator(to_text)]
"""A text, trimmed; empty and wrong-typed are None."""
Flag = Annotated[bool | None, BeforeValidator(to_flag)]
"""A boolean; wrong-typed is None."""


def lenient(model: type[P]) -> BeforeValidator:
    """For an optional nested object: a malformed one becomes None and does not spoil its siblings.

    Use as `Annotated[Child | None, lenient(Child)] = None`.
    """

    def parse(value: object) -> P | None:
        return parse_or_none(model, value)

    return BeforeValidator(parse)


def lenient_part(model: type[P]) -> BeforeValidator:
    """As `lenient`, for an object whose fields are all optional: a malformed one, or null, becomes an empty one.

    Use as `Annotated[Child, lenient_part(Child)] = Child()`.
    """

    def parse(value: object) -> P:
        return parse_or_none(model, value) or model()

    return BeforeValidator(parse)


def lenient_items(model: type[P]) -> BeforeValidator:
    """For a list of objects: malformed elements are left out, a non-list is empty.

    Use as `Annotated[tuple[Child, ...], lenient_items(Child)] = ()`.
    """

    def parse(value: object) -> tuple[P, ...]:
        if not isinstance(value, Iterable) or isinstance(value, str | bytes | dict):
            return ()
        return tuple(item for item in (parse_or_none(model, element) for element in value) if item is not None)

    return BeforeValidator(parse)


def parse_or_none(model: type[P], value: object) -> P | None:
    """The value as this model, or None when it does not fit."""
    if value is None:
        return None
    try:
        return model.model_validate(value)
    except (ValidationError, RecursionError):
        return None


def clean(value: str | None) -> str | None:
    """A setting as a user typed it: trimmed, one pair of matching quotes off, trimmed; None when nothing is left."""
    if value is None:
        return None
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1].strip()
    return value or None


def jwt_claims(token: str | None) -> dict[str, Any]:
    """The claims of a JSON web token, unverified; empty when it is not one."""
    parts = (token or "").split(".")
    if len(parts) != 3:
        return {}
    try:
        raw = base64.urlsafe_b64decode(parts[1].rstrip("=") + "=" * (-len(parts[1].rstrip("=")) % 4))
        claims = json.loads(raw)
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
