"""What the commands share: an opened application, and the choice of providers a user named."""

from __future__ import annotations

import difflib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from quotaline.application import Application, build
from quotaline.cli import console
from quotaline.settings import Settings
from quotaline_providers import registry


class UsageError(Exception):
    """The command was called with something that does not exist; the text is for the user."""


@asynccontextmanager
async def opened(*, check_status: bool = False) -> AsyncIterator[Application]:
    """An application that knows what the store holds and what this machine has. Config problems go to stderr."""
    application = build(Settings(check_status=check_status))
    try:
        for diagnostic in application.keeper.loaded.diagnostics:
            console.say(str(diagnostic), error=True)
        await application.service.open()
        await application.service.look_around()
        yield application
    finally:
        await application.close()


def chosen(names: Sequence[str] | None) -> list[str] | None:
    """The ids of the named providers; None for all. Raises UsageError for a name that no provider has."""
    if not names or any(name.lower() == "all" for name in names):
        return None
    return [named(name) for name in names]


def named(name: str) -> str:
    """The id of a provider by id or alias. Raises UsageError, with the nearest names."""
    try:
        return registry.resolve(name).id
    except KeyError:
        near = difflib.get_close_matches(name.lower(), registry.ids(), n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else " `quotaline providers` lists them."
        raise UsageError(f"There is no provider called {name!r}.{hint}") from None
