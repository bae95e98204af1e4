"""`quotaline usage` and `quotaline refresh`."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

from quotaline.cli import FAILED, NOTHING_CONFIGURED, OK, USAGE_ERROR, console
from quotaline.cli.progress import Progress
from quotaline.cli.running import UsageError, chosen, opened
from quotaline.render.view import View
from quotaline.service import Service
from quotaline.state import ProviderState, Snapshot
from quotaline_providers import registry
from quotaline_providers.contract import Provider
from quotaline_providers.settings import SourceChoice


def usage_command(options: argparse.Namespace) -> int:
    """Show usage: from the shared store while it is fresh, else from the vendors."""
    try:
        ids = chosen(options.provider)
        snapshot, view = asyncio.run(_states(ids, options.source, options.refresh))
    except UsageError as error:
        return _say_usage_error(str(error), options.format)
    _print(snapshot, view, options)
    return _exit_code(snapshot)


def refresh_command(options: argparse.Namespace) -> int:
    """Ask the vendors and tell in one line each what came of it."""
    try:
        ids = chosen(options.provider)
        snapshot, view = asyncio.run(_states(ids, options.source, refresh=True))
    except UsageError as error:
        return _say_usage_error(str(error), "text")
    for state in snapshot.states:
        console.say(_line(state, view))
    if not snapshot.states:
        _print_nothing()
    return _exit_code(snapshot)


async def _states(ids: list[str] | None, source: SourceChoice | None, refresh: bool) -> tuple[Snapshot, View]:
    """What is to be shown, after asking whom must be asked. Raises UsageError for a source a provider does not have."""
    _check_source(ids, source)
    async with opened() as application:
        service = application.service
        service.include(ids or ())
        asked_for = [t.key for t in service.targets if t.active and _wanted(t.provider, ids, source)]
        answers = await _refreshed(service, asked_for, source, refresh)
        states = [state for state in service.snapshot().states if state.key in asked_for]
        if source is not None:
            states = [replace(answers.get(state.key, state), requested_source=source) for state in states]
        view = View(application.machine.clock(), zone=datetime.now().astimezone().tzinfo or UTC)
        return replace(service.snapshot(), states=tuple(states)), view


async def _refreshed(
    service: Service, keys: list[str], source: SourceChoice | None, refresh: bool
) -> dict[str, ProviderState]:
    """The states of those accounts that had to be asked, by key."""
    if not refresh:
        keys = [key for key in keys if not await service.is_fresh(key, source)]
    # Another credential's read a moment ago, or the wait its vendor asked for, says nothing of this one's.
    changed = [key for key in keys if await service.credential_changed(key, source)]
    others = [key for key in keys if key not in changed]
    names = {key: service.state(key).name for key in keys}
    with Progress(keys, names) as progress:
        done = await asyncio.gather(
            service.refresh(others, source=source, on_done=progress.done),
            service.refresh(changed, source=source, anew=True, on_done=progress.done),
        )
    return {refreshed.state.key: refreshed.state for part in done for refreshed in part}


def _check_source(ids: list[str] | None, source: SourceChoice | None) -> None:
    for provider in (registry.get(id) for id in ids or ()):
        if not _has(provider, source):
            offered = ", ".join(("auto", *provider.sources))
            raise UsageError(f"{provider.name} cannot be read from source {source}. Use one of: {offered}.")


def _wanted(provider: str, ids: list[str] | None, source: SourceChoice | None) -> bool:
    """Without names, a source means all providers that have it."""
    return _has(registry.get(provider), source) if ids is None else provider in ids


def _has(provider: Provider, source: SourceChoice | None) -> bool:
    return source in (None, "auto", *provider.sources)


def _print(snapshot: Snapshot, view: View, options: argparse.Namespace) -> None:
    if options.format == "json":
        from quotaline.render.codexbar_json import usage_json

        print(usage_json(snapshot, view, pretty=options.pretty))
    elif options.format == "statusline":
        from quotaline.render.statusline import status_line

        print(status_line(snapshot, view).text)
    elif not snapshot.states:
        _print_nothing()
    else:
        from quotaline.render.terminal import terminal

        colour = console.takes_colour() and not options.no_color
        print(terminal(snapshot, view, colour=colour, width=console.width()))


def _print_nothing() -> None:
    from quotaline.cli.providers import nothing_found

    console.say(nothing_found())


def _line(state: ProviderState, view: View) -> str:
    from quotaline.render.statusline import state_text

    if state.failure is None:
        return f"✓ {state_text(state, view)}"
    return f"✗ {state.name}: {state.failure.message} {state.failure.hint}".rstrip()


def _exit_code(snapshot: Snapshot) -> int:
    if not snapshot.states:
        return NOTHING_CONFIGURED
    return FAILED if any(state.failure is not None or state.usage is None for state in snapshot.states) else OK


def _say_usage_error(message: str, format: str) -> int:
    if format == "json":
        from quotaline.render.codexbar_json import argument_error

        print(json.dumps(argument_error(message, code=USAGE_ERROR)))
    else:
        console.say(message, error=True)
    return USAGE_ERROR
