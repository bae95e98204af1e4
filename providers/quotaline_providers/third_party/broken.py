"""A provider that is declared and cannot be used: which one, where it comes from, what is wrong and where."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Why(StrEnum):
    """What keeps a third-party provider from being used."""

    FAILED = "failed"
    """Its code cannot be run, or gives no provider."""
    REFUSED = "refused"
    """Its id belongs to another provider, which comes first."""
    UNSAFE = "unsafe"
    """Its file or folder is not the user's own, or others can write it."""
    UNAPPROVED = "unapproved"
    """The user has not approved its file."""
    CHANGED = "changed"
    """Its file is not the one that the user approved."""
    UNCONFIRMED = "unconfirmed"
    """It reads a credential of another provider, and the user has not confirmed that."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A credential and the id of the provider it belongs to: a variable's name, or a path that begins with `~/`."""

    what: str
    owner: str


@dataclass(frozen=True, slots=True)
class Broken:
    """One provider that cannot be used. `reason` holds types and names, and never a value.

    `file` and `line` tell where its code failed, else where it is; they are empty and 0 when that is not known.
    `claims` are the credentials of others that it uses without the user's word, `hosts` those that its code names.
    """

    id: str
    origin: str
    why: Why
    reason: str
    file: str = ""
    line: int = 0
    claims: tuple[Claim, ...] = ()
    hosts: frozenset[str] = frozenset()

    @property
    def place(self) -> str:
        """`file:line`, as compilers spell it; empty when it is not known."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def sentence(self) -> str:
        """For people: `Provider demo-meter (package demo-meter 1.0) is not loaded: demo_meter.py:3: RuntimeError.`"""
        place = f"{self.place}: " if self.place else ""
        return f"Provider {self.id} ({self.origin}) is not loaded: {place}{self.reason}."

    @property
    def urgent(self) -> bool:
        """Whether the user should be told wherever usage is shown: what they installed or approved does not work.

        A file that waits for its first approval does not hurry, nor does one whose id is taken.
        """
        return self.why not in (Why.UNAPPROVED, Why.REFUSED)


class BrokenProvider(KeyError):
    """The provider that was asked for is declared and cannot be used; `broken` tells why."""

    def __init__(self, broken: Broken) -> None:
        super().__init__(broken.id)
        self.broken = broken

    def __str__(self) -> str:
        return self.broken.sentence


def failure(id: str, origin: str, error: BaseException, ours: Callable[[str], bool], home: str) -> Broken:
    """An exception of a provider's own code as `Broken`.

    `ours` tells whether a file belongs to the provider: the innermost such frame is where it failed. `home` is the
    provider's main file, which is named when none of its frames is known.
    """
    file, line = home, 0
    if isinstance(error, SyntaxError) and error.filename and ours(error.filename):
        file, line = error.filename, error.lineno or 0
    else:
        for frame, number in traceback.walk_tb(error.__traceback__):
            if ours(frame.f_code.co_filename):
                file, line = frame.f_code.co_filename, number
    return Broken(id, origin, Why.FAILED, _reason(error), file, line)


def _reason(error: BaseException) -> str:
    """The error's type, with the module that is missing: an error's own text may hold anything."""
    missing = error.name if isinstance(error, ImportError) else None
    named = missing if missing and all(part.isidentifier() for part in missing.split(".")) else ""
    return f"{type(error).__name__} ({named})" if named else type(error).__name__
