"""How people get Quotaline: what stands in hints, in the clients and in the documentation."""

from __future__ import annotations

PUBLISHED = False
"""Whether a release is on the package index. Until then nothing may be named there: whoever took the name would be
installed. `make docs` carries a change into the clients and the documents."""

WHERE = "" if PUBLISHED else " in a checkout of Quotaline"
"""Completes "Install it"."""


def requirement(*extras: str) -> str:
    """What to install: `quotaline`, or `.` in a checkout, with these extras."""
    name = "quotaline" if PUBLISHED else "."
    return f"{name}[{','.join(extras)}]" if extras else name


def install_commands() -> tuple[str, str]:
    """The two commands that install it, each for itself."""
    return f"uv tool install {requirement()}", f"pipx install {requirement()}"
