"""`display` of the config file: how things are shown, wherever that is. An editor's own settings go before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pydantic.fields import FieldInfo

from quotaline.config.check import Problem
from quotaline.config.fields import Key, type_words
from quotaline.settings import Fault, Settings, StatusLineSettings, usable

_OF_ALL = ("reset_times", "work_days", "hide_identity")
_LINE = Settings.model_fields["status_line"].alias or ""
_VALUES = {
    "percent": ("used", "left"),
    "resetTimes": ("countdown", "absolute"),
    "workDays": ("automatic",),
    "hideIdentity": ("true", "false"),
}


def _fields() -> dict[str, FieldInfo]:
    line = StatusLineSettings.model_fields.values()
    rest = (Settings.model_fields[name] for name in _OF_ALL)
    named = {field.alias or "": field for field in (*line, *rest)}
    return {"percent": named.pop("percent"), **named}


FIELDS: Mapping[str, FieldInfo] = MappingProxyType(_fields())
"""The keys of `display`: those of the status line and those of all faces, without a section."""


def display_shapes() -> dict[str, Any]:
    """The JSON schema of each key."""
    shapes = {
        name: {part: value for part, value in schema.items() if part != "title"}
        for model in (StatusLineSettings, Settings)
        for name, schema in model.model_json_schema(by_alias=True)["properties"].items()
    }
    return {name: shapes[name] for name in FIELDS}


def display_keys() -> tuple[Key, ...]:
    """The keys for people."""
    shapes = display_shapes()
    return tuple(
        Key(name, type_words(shapes[name]), field.description or "", _VALUES.get(name, ()), default=_default(field))
        for name, field in FIELDS.items()
    )


def _default(field: FieldInfo) -> str:
    default = field.get_default()
    return str(default).lower() if isinstance(default, bool) else "" if default in ((), "") else str(default)


def read_display(raw: object) -> tuple[Settings, tuple[Problem, ...]]:
    """What of it can be used, as settings of which only these are set, and what is wrong with the rest."""
    if raw is None:
        return Settings(), ()
    if not isinstance(raw, dict):
        return Settings(), (Problem("error", "wrong_type", "display must be an object.", ("display",)),)
    line = {key: value for key, value in raw.items() if key in FIELDS and FIELDS[key] in _line_fields()}
    rest = {key: value for key, value in raw.items() if key in FIELDS and key not in line}
    settings, faults = usable({**rest, **({_LINE: line} if line else {})})
    return settings, (*map(_problem, faults), *_unknown(raw))


def _line_fields() -> list[FieldInfo]:
    return list(StatusLineSettings.model_fields.values())


def _problem(fault: Fault) -> Problem:
    key = fault.path[-1] if fault.path else ""
    return Problem(
        "error", "wrong_type", f"{key or 'display'}: {fault.sentence}", ("display", *((key,) if key else ()))
    )


def _unknown(raw: Mapping[str, object]) -> Iterator[Problem]:
    for key in raw:
        if key not in FIELDS:
            known = ", ".join(FIELDS)
            yield Problem("warning", "unknown_key", f"Unknown key; display has {known}.", ("display", key))
