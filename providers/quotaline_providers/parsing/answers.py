"""The answers that a strategy has received while it runs, so that one it does not understand can be described.

They are held only until the strategy ends: what stays of an answer is its shape.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import ModuleType

from pydantic import AliasChoices, AliasPath, BaseModel

from quotaline_providers.parsing.shape import AnswerShape, described


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

    def add(self, answer: Answer, error: Exception | None) -> None:
        """Remember an answer. `error` says that it was not understood."""
        self._last = answer
        if _current_task() is self._task:  # side requests run in tasks of their own
            self._own = answer
        if error is not None:
            self._refused = (error, answer)

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


def shape_of(answer: Answer, package: str, *, users: bool = False) -> AnswerShape:
    """What may be kept of an answer that a provider of this package (or module) did not understand. `users` says that
    its host is one that the user has set."""
    known = known_names(package)
    if answer.model is not None:
        known |= names_of(answer.model)
    return AnswerShape(answer.host, answer.status, described(answer.body, known), users)


def known_names(package: str) -> frozenset[str]:
    """The member names that stand in the payload models of a package (or module) and of all modules below it."""
    modules = [
        module
        for name, module in list(sys.modules.items())
        if (name == package or name.startswith(f"{package}.")) and isinstance(module, ModuleType)
    ]
    models = {
        item
        for module in modules
        for item in list(vars(module).values())
        if isinstance(item, type) and issubclass(item, BaseModel) and item.__module__ == module.__name__
    }
    return frozenset(name for model in models for name in names_of(model))


def names_of(model: type[BaseModel]) -> frozenset[str]:
    """The names under which a model's fields may stand in an answer."""
    return frozenset(
        name
        for key, info in model.model_fields.items()
        for name in (key, info.alias, *_spellings(info.validation_alias))
        if name is not None
    )


def _spellings(alias: str | AliasPath | AliasChoices | None) -> Iterator[str]:
    if isinstance(alias, str):
        yield alias
    elif isinstance(alias, AliasPath):
        yield from (step for step in alias.path if isinstance(step, str))
    elif isinstance(alias, AliasChoices):
        for choice in alias.choices:
            yield from _spellings(choice)


def _current_task() -> asyncio.Task[object] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # in a thread
        return None
