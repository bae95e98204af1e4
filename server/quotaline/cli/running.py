"""What the commands share: an opened application, and the choice of providers a user named."""

from __future__ import annotations

import difflib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from quotaline import approvals
from quotaline.application import Application, build
from quotaline.cli import console
from quotaline.config import Diagnostic, Loaded
from quotaline.paths import seen_by_others
from quotaline.render.view import View
from quotaline.settings import Settings
from quotaline_providers import registry

BROKEN = frozenset({"not_json", "not_an_object", "unreadable", "too_large"})


class UsageError(Exception):
    """The command was called with something that does not exist; the text is for the user."""


@asynccontextmanager
async def opened(*, check_status: bool = False) -> AsyncIterator[Application]:
    """An application that knows what the store holds and what this machine has. What is wrong with the config file
    goes to standard error."""
    application = build(Settings(check_status=check_status))
    try:
        for diagnostic in _worth_telling(application.keeper.loaded):
            console.say(placed(diagnostic), error=True)
        await application.service.open()
        await application.service.rescan()
        yield application
    finally:
        await application.close()


def viewed(application: Application) -> View:
    """How this user wants to see things, here and now."""
    zone = datetime.now().astimezone().tzinfo or UTC
    return View(application.machine.clock(), application.keeper.loaded.config.display, zone)


def placed(item: Diagnostic) -> str:
    """`file:line:column: [ERROR] zai (region): ...`, as editors and compilers spell a place."""
    place = f"{seen_by_others(item.file)}:{item.line + 1}:{item.column + 1}: " if item.file else ""
    return f"{place}{item}"


def _worth_telling(loaded: Loaded) -> list[Diagnostic]:
    """What the user should know whatever they came for: CodexBar's file is not theirs to mend, unless it is broken."""
    return [
        item
        for item in loaded.diagnostics
        if item.severity != "information" and (item.file in (None, loaded.path) or item.code in BROKEN)
    ]


def chosen(names: Sequence[str] | None) -> list[str] | None:
    """The ids of the named providers; None for all. Raises UsageError for a name that no provider has."""
    if not names or any(name.lower() == "all" for name in names):
        return None
    return [named(name) for name in names]


def named(name: str) -> str:
    """The id of a provider by id or alias. Raises UsageError, with the nearest names."""
    registry.use(approvals.agreed())
    try:
        return registry.resolve(name).id
    except registry.BrokenProvider as error:
        raise UsageError(error.broken.sentence) from None
    except KeyError:
        near = difflib.get_close_matches(name.lower(), registry.ids(), n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else " `quotaline providers` lists them."
        raise UsageError(f"There is no provider called {name!r}.{hint}") from None
