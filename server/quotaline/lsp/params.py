"""Reading what clients send: members of JSON values that may be anything."""

from __future__ import annotations

from typing import Any


def member(value: Any, name: str) -> Any:
    """A member of a JSON object, whether it came as a dictionary or as an object; None when there is none."""
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


def text_member(value: Any, name: str) -> str | None:
    """A member that is a text, without the white space around it; None when it is anything else."""
    found = member(value, name)
    return found.strip() if isinstance(found, str) else None
