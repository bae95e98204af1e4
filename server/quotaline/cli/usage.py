"""`quotaline usage` and `quotaline refresh`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from quotaline.cli import console
from quotaline.cli.exit_codes import FAILED, NOTHING_CONFIGURED, OK, USAGE_ERROR
from quotaline.cli.progress import Progress
from quotaline.cli.running import UsageError, chosen, opened, viewed
from quotaline.detection.detect import Target
from quotaline.refresh.service import Service
from quotaline.render import text
from quotaline.render.view import View
from quotaline.state import ProviderState, Snapshot
from quotaline_providers import registry
from quotaline_providers.contract import Provider
from quotaline_providers.secret import redact
from quotaline_providers.settings import SOURCE_CHOICES, SourceChoice

_LABEL_LENGTH, _MOST_LABELS = 40, 12


@dataclass(frozen=True, slots=True)
class Accounts:
    """Which of a provider's accounts were asked for: by `label`, by `index` (from 1), `all`, else the active one.

    `named` says that the user asked for accounts, so that there must be some.
    """

    label: str | None = None
    index: int | None = None
    all: bool = False
    named: bool = True

    @classmethod
    def of(cls, options: argparse.Namespace) -> Accounts:
        return cls(options.account, options.account_index, options.all_accounts)

    @property
    def one(self) -> bool:
        return self.label is not None or self.index is not None


def usage_command(options: argparse.Namespace) -> int:
    """Show usage: from the shared store while it is fresh, else from the vendors."""
    try:
        ids = chosen(options.provider)
        accounts = Accounts.of(options)
        snapshot, view = asyncio.run(_states(ids, options.source, options.refresh, accounts, status=options.status))
    except UsageError as error:
        return _say_usage_error(str(error), options.format)
    _print(snapshot, view, options)
    if options.format != "text":
        _say_not_loaded(snapshot)
    return _exit_code(snapshot)


def refresh_command(options: argparse.Namespace) -> int:
    """Ask the vendors and tell in one line each what came of it."""
    try:
        ids = chosen(options.provider)
        wanted = Accounts.of(options)
        every = wanted if wanted.one or wanted.all else Accounts(all=True, named=False)
        snapshot, view = asyncio.run(_states(ids, options.source, True, every, force=options.force))
    except UsageError as error:
        return _say_usage_error(str(error), "text")
    for state in snapshot.states:
        console.say(_line(state, view))
    _say_not_loaded(snapshot)
    if not snapshot.states:
        _print_nothing()
    return _exit_code(snapshot)


async def _states(
    ids: list[str] | None,
    source: SourceChoice | None,
    refresh: bool,
    wanted: Accounts,
    *,
    status: bool = False,
    force: bool = False,
) -> tuple[Snapshot, View]:
    """What is to be shown, after asking whom must be asked. Raises UsageError for what a provider does not have (a
    source, an account)."""
    _check_source(ids, source)
    _check_takes_accounts(ids, wanted)
    async with opened(check_status=status) as application:
        service = application.service
        service.include(ids or ())
        targets = [target for target in service.targets if _wanted(target.provider, ids, source)]
        asked_for = [target.key for target in _selected(targets, ids, wanted)]
        pages = asyncio.create_task(service.check_statuses(asked_for if status else ()))
        await _refreshed(service, asked_for, source, refresh, force)
        await pages
        known = service.snapshot().states
        states = [replace(state, active=True) for state in known if state.key in asked_for]
        if source is not None:
            found = [service.state(state.key, source) for state in states]
            states = [replace(state, active=True) for state in found]
        return replace(service.snapshot(), states=tuple(states)), viewed(application)


async def _refreshed(
    service: Service, keys: list[str], source: SourceChoice | None, refresh: bool, force: bool
) -> None:
    """Have those accounts read that are to be."""
    if not refresh:
        keys = [key for key in keys if not await service.is_fresh(key, source)]
    # Another credential's read a moment ago says nothing of this one's.
    changed = [key for key in keys if await service.credential_changed(key, source)]
    others = [key for key in keys if key not in changed]
    names = {key: service.state(key).name for key in keys}
    with Progress(keys, names) as progress:
        read = partial(service.refresh, source=source, interactive=refresh, anyway=force, on_done=progress.done)
        await asyncio.gather(read(others), read(changed, force=True))


def _check_takes_accounts(ids: list[str] | None, wanted: Accounts) -> None:
    if wanted.one and len(ids or ()) != 1:
        raise UsageError("An account belongs to one provider: name it with --provider.")
    if wanted.one or (wanted.all and wanted.named):
        for provider in (registry.get(id) for id in ids or ()):
            if provider.accounts is None and provider.profiles is None:
                raise UsageError(f"{provider.name} does not support token accounts.")


def _selected(targets: Sequence[Target], ids: list[str] | None, wanted: Accounts) -> list[Target]:
    """The accounts among these. Raises UsageError when the named provider has no such account, or none at all."""
    if not (wanted.one or wanted.all):
        return [target for target in targets if target.active]
    for id in ids or () if wanted.named else ():
        if all(not target.account_label for target in targets if target.provider.id == id):
            name = registry.get(id).name
            if registry.get(id).profiles is not None:
                raise UsageError(f"No profiles configured for {name}. `quotaline config edit` names their folders.")
            raise UsageError(
                f"No token accounts configured for {name}. `quotaline set-credential {id} --account LABEL` makes one."
            )
    if wanted.all:
        return list(targets)
    name = targets[0].provider.name
    if wanted.index is not None:
        if 1 <= wanted.index <= len(targets):
            return [targets[wanted.index - 1]]
        place = f"Token account index {wanted.index} out of range for {name} (1-{len(targets)})."
        raise UsageError(f"{place} {_known(targets)}")
    label = (wanted.label or "").strip()
    exact = [target for target in targets if target.account_label == label]
    found = exact or [target for target in targets if target.account_label.casefold() == label.casefold()]
    if not found:
        shown = text.label(label, _LABEL_LENGTH)
        raise UsageError(f"No token account labeled {shown!r} for {name}. {_known(targets)}")
    return found[:1]


def _known(targets: Sequence[Target]) -> str:
    """`Its accounts: Home, Work.`"""
    labels = [text.label(target.account_label, _LABEL_LENGTH) or "(without a label)" for target in targets]
    more = f" and {len(labels) - _MOST_LABELS} more" if len(labels) > _MOST_LABELS else ""
    return f"Its accounts: {', '.join(labels[:_MOST_LABELS])}{more}."


def _check_source(ids: list[str] | None, source: SourceChoice | None) -> None:
    if ids is None and source is not None and not any(_has(provider, source) for provider in registry.every()):
        raise UsageError(f"No provider can be read from this source. Use one of: {', '.join(SOURCE_CHOICES)}.")
    for provider in (registry.get(id) for id in ids or ()):
        if not _has(provider, source):
            offered, shown = ", ".join(("auto", *provider.sources)), redact(source or "")
            raise UsageError(f"{provider.name} cannot be read from source {shown}. Use one of: {offered}.")


def _wanted(provider: Provider, ids: list[str] | None, source: SourceChoice | None) -> bool:
    """Without names, a source means all providers that have it."""
    return _has(provider, source) if ids is None else provider.id in ids


def _has(provider: Provider, source: SourceChoice | None) -> bool:
    return source in (None, "auto") or bool(provider.read_from(source))


def _print(snapshot: Snapshot, view: View, options: argparse.Namespace) -> None:
    if options.format == "json":
        from quotaline.render.codexbar_json import usage_json

        console.print_json(usage_json(snapshot, view, pretty=options.pretty))
    elif options.format == "statusline":
        from quotaline.render.statusline import status_line

        print(status_line(snapshot, view).text)
    elif options.format == "tmux":
        from quotaline.render.statusline import status_line
        from quotaline.render.text import tmux

        print(tmux(status_line(snapshot, view).text))
    elif not snapshot.states:
        _print_nothing()
    else:
        from quotaline.render.terminal import terminal

        colour = console.takes_colour() and not options.no_color
        print(terminal(snapshot, view, colour=colour, width=console.width()))


def _say_not_loaded(snapshot: Snapshot) -> None:
    for sentence in snapshot.not_loaded:
        console.say(sentence, error=True)


def _print_nothing() -> None:
    from quotaline.cli.providers import nothing_found

    console.say(nothing_found())


def _line(state: ProviderState, view: View) -> str:
    from quotaline.render.shown import shown
    from quotaline.render.statusline import state_text

    good, bad = ("✓", "✗") if console.spells("✓✗") else ("+", "-")
    error: tuple[str, ...] | None = shown(state, view).error
    if error is None:
        return f"{good} {state_text(state, view)}"
    waits = state.failure is not None and state.failure.until is not None and state.failure.until > view.now
    if waits and registry.get(state.provider).manual_ignores_cooldown:
        error = (*error, f"`quotaline refresh {state.provider} --force` asks now.")
    return f"{bad} {state.name}: {' '.join(filter(None, error))}"


def _exit_code(snapshot: Snapshot) -> int:
    if not snapshot.states:
        return NOTHING_CONFIGURED
    return FAILED if any(state.failure is not None or state.usage is None for state in snapshot.states) else OK


def _say_usage_error(message: str, format: str) -> int:
    if format == "json":
        from quotaline.render.codexbar_json import argument_error, written

        console.print_json(written(argument_error(message, code=USAGE_ERROR)))
    console.say(message, error=True)
    return USAGE_ERROR
