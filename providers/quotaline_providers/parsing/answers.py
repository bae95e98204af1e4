"""The answers that a strategy has received while it runs, so that one it does not understand can be described.

They are held only until the strategy ends: what stays of an answer is its shape.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from pydantic import BaseModel

from quotaline_providers.parsing.names import known_names, names_of, sought_names
from quotaline_providers.parsing.shape import MOST_VALUES, AnswerShape, described
from quotaline_providers.parsing.unread import UNNAMED, unread_limits

MOST_ANSWERS = 12
"""Answers of one strategy that are compared with what reads them."""
MOST_BYTES = 512 << 10
"""Bytes of all of them together."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a vendor, and the model it was to be read as."""

    host: str
    status: int
    body: bytes
    model: type[BaseModel] | None = None


class Answers:
    """What one strategy has heard so far."""

    def __init__(self) -> None:
        self._task = _current_task()
        self._last: Answer | None = None
        self._own: Answer | None = None
        self._refused: tuple[Exception, Answer] | None = None
        self._users: set[str] = set()
        self._read: list[Answer] = []

    def add(self, answer: Answer, error: Exception | None) -> None:
        """Remember an answer. `error` says that it was not understood."""
        self._last = answer
        if _current_task() is self._task:  # side requests run in tasks of their own
            self._own = answer
        if error is not None:
            self._refused = (error, answer)
        elif answer.model is not None and self._has_room(answer):
            self._read.append(answer)

    def _has_room(self, answer: Answer) -> bool:
        held = sum(len(other.body) for other in self._read)
        return len(self._read) < MOST_ANSWERS and held + len(answer.body) <= MOST_BYTES

    def add_users(self, host: str) -> None:
        """This host, or one it is a part of, is where the user wants requests to go."""
        self._users.add(host.lower())

    def is_users(self, answer: Answer) -> bool:
        """Whether the answer came from a host that the user has set: its name may tell whom they work for."""
        return any(f".{answer.host}".endswith(f".{host}") for host in self._users)

    def behind(self, error: Exception) -> Answer | None:
        """The answer that led to this error: the one it was raised for, else the last one of the main requests."""
        if self._refused is not None and self._refused[0] is error:
            return self._refused[1]
        return self._own or self._last

    def unread(self, package: str) -> Unread | None:
        """The limits in the answers that were understood and that nothing of this package (or module) reads."""
        left = [MOST_VALUES]
        found: dict[str, Answer] = {}
        for answer in self._read:
            if answer.model is not None:
                for name in unread_limits(answer.body, answer.model, sought_names(package), left):
                    found.setdefault(name, answer)
        if not found:
            return None
        answer = next(iter(found.values()))
        named = frozenset(found) - {UNNAMED}
        return Unread(tuple(found), shape_of(answer, package, users=self.is_users(answer), named=named))


@dataclass(frozen=True, slots=True)
class Unread:
    """Members that look like limits and that nothing reads, by their names (`?` for one that may be the user's word),
    and the shape of the first answer that holds one."""

    names: tuple[str, ...]
    shape: AnswerShape


_listening: ContextVar[Answers | None] = ContextVar("answers", default=None)


@contextmanager
def listening() -> Iterator[Answers]:
    """Collect what is heard from here on, also in the tasks that are started meanwhile."""
    answers = Answers()
    token = _listening.set(answers)
    try:
        yield answers
    finally:
        _listening.reset(token)


def heard(answer: Answer, error: Exception | None = None) -> None:
    """An answer has come; with an `error` when it was not understood."""
    answers = _listening.get()
    if answers is not None:
        answers.add(answer, error)


def set_by_user(host: str) -> None:
    """From here on requests may go to this host because the user has set it."""
    answers = _listening.get()
    if answers is not None and host:
        answers.add_users(host)


def shape_of(answer: Answer, package: str, *, users: bool = False, named: frozenset[str] = frozenset()) -> AnswerShape:
    """What may be kept of an answer that a provider of this package (or module) did not understand. `users` says that
    its host is one that the user has set; `named` are further names that may be shown."""
    known = known_names(package) | named
    if answer.model is not None:
        known |= names_of(answer.model)
    return AnswerShape(answer.host, answer.status, described(answer.body, known), users)


def _current_task() -> asyncio.Task[object] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # in a thread
        return None
