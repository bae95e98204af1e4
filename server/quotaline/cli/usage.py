"""`quotaline usage` and `quotaline refresh`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime

from quotaline.application import Application
from quotaline.cli import FAILED, NOTHING_CONFIGURED, OK, USAGE_ERROR
from quotaline.cli.running import UsageError, chosen, opened
from quotaline.render.view import View
from quotaline.service import Refreshed
from quotaline.state import ProviderState, Snapshot
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
        print(_line(state, view))
    if not snapshot.states:
        _print_nothing()
    return _exit_code(snapshot)


async def _states(ids: list[str] | None, source: SourceChoice | None, refresh: bool) -> tuple[Snapshot, View]:
    async with opened() as application:
        service = application.service
        service.include(ids or ())
        keys = [t.key for t in service.targets if ids is None or t.provider in ids]
        if not refresh:
            keys = [key for key in keys if not await service.is_fresh(key, source)]
        progress = Progress(application, keys)
        done = await service.refresh(keys, source=source, on_done=progress.done)
        progress.clear()
        snapshot = service.snapshot()
        states = [state for state in snapshot.states if ids is None or state.provider in ids]
        if source is not None:
            answers = {refreshed.state.key: refreshed.state for refreshed in done}
            states = [replace(answers.get(state.key, state), requested_source=source) for state in states]
        view = View(application.machine.clock(), zone=datetime.now().astimezone().tzinfo or UTC)
        return replace(snapshot, states=tuple(states)), view


class Progress:
    """Names on stderr whom we are waiting for, when a person is watching."""

    def __init__(self, application: Application, keys: list[str]) -> None:
        self._waiting = list(keys)
        self._names = {t.key: application.service.state(t.key).name for t in application.service.targets}
        self._on = sys.stderr.isatty() and bool(keys)
        self._draw()

    def done(self, refreshed: Refreshed) -> None:
        if refreshed.state.key in self._waiting:
            self._waiting.remove(refreshed.state.key)
        self._draw()

    def clear(self) -> None:
        if self._on:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _draw(self) -> None:
        if self._on and self._waiting:
            names = ", ".join(self._names.get(key, key) for key in self._waiting)
            width = max(20, shutil.get_terminal_size().columns - 1)
            print(f"\r\x1b[KAsking {names}…"[: width + 4], end="", file=sys.stderr, flush=True)


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

        width = shutil.get_terminal_size((100, 24)).columns
        print(terminal(snapshot, view, colour=_wants_color(options.no_color), width=width))


def _print_nothing() -> None:
    from quotaline.cli.providers import nothing_found

    print(nothing_found())


def _wants_color(refused: bool) -> bool:
    return sys.stdout.isatty() and not refused and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


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
        print(message, file=sys.stderr)
    return USAGE_ERROR
