"""What `workspace/executeCommand` does. `CommandError` says what was wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pygls.uris import to_fs_path

from quotaline.lsp import methods
from quotaline.lsp.params import text_member
from quotaline.lsp.session import Session
from quotaline.paths import seen_by_others
from quotaline.refresh.service import Refreshed
from quotaline.render import text, wire
from quotaline.render.shown import shown
from quotaline.render.view import View
from quotaline_providers import registry
from quotaline_providers.contract import Provider, SignedIn, SignInPrompt
from quotaline_providers.errors import ReadError
from quotaline_providers.hosts.files import replace_file
from quotaline_providers.secret import Secret

Spoken = wire.MessageResult | wire.SignInResult | wire.SetCredentialResult
"""Results with a sentence for the user."""


class CommandError(Exception):
    """A command was called with the wrong arguments, or cannot be carried out; the text is for the user."""


async def execute_command(session: Session, name: str, arguments: tuple[Any, ...]) -> wire.Wire:
    """Carry a command out. A client that is not ours shows no result: it is told the message. Raises CommandError."""
    try:
        result = await _COMMANDS[name](session, arguments)
    except ReadError as error:
        raise CommandError(" ".join(filter(None, (error.message, error.hint)))) from None
    if isinstance(result, Spoken) and not session.client.shows_usage:
        session.client.show_message(result.message)
    session.republish()
    return result


async def _refresh(session: Session, arguments: tuple[Any, ...]) -> wire.RefreshResult:
    ids = _ids(arguments)
    keys = [_provider(id).id if "/" not in id else id for id in ids] or None
    shown = session.service.targets
    wanted = [t for t in shown if keys is None or t.key in keys or t.provider.id in keys]
    async with session.client.progress("Refreshing AI usage") as report:
        done: list[Refreshed] = []

        def tell(refreshed: Refreshed) -> None:
            done.append(refreshed)
            report(f"{refreshed.state.name} ({len(done)} of {len(wanted)})", 100 * len(done) // max(1, len(wanted)))

        outcomes = await session.service.refresh(keys, on_done=tell)
    await session.publish()
    view = session.view()
    return wire.RefreshResult(tuple(_outcome(one, view) for one in outcomes))


def _outcome(refreshed: Refreshed, view: View) -> wire.Outcome:
    state, error = refreshed.state, shown(refreshed.state, view).error
    message = " ".join(filter(None, error)) if error else None
    return wire.Outcome(state.provider, state.account or None, error is None, refreshed.fetched, message)


async def _open_dashboard(session: Session, arguments: tuple[Any, ...]) -> wire.DashboardResult:
    provider = _provider(_one_id(arguments))
    dashboard = text.web_address(provider.dashboard)
    if dashboard is None:
        raise CommandError(f"{provider.name} has no dashboard.")
    await _show(session, dashboard, external=True)
    return wire.DashboardResult(dashboard)


async def _show_report(session: Session, arguments: tuple[Any, ...]) -> wire.DocumentResult:
    path = session.documents.report_path
    text = session.report("markdown").content
    await asyncio.to_thread(lambda: replace_file(path, text, keep_link=False))  # a link there is not ours
    uri = (await asyncio.to_thread(seen_by_others, path)).as_uri()
    await _show(session, uri, external=False)
    return wire.DocumentResult(uri)


async def _open_config(session: Session, arguments: tuple[Any, ...]) -> wire.DocumentResult:
    from quotaline.config import edit

    path = session.application.keeper.path
    if not path.exists():
        await asyncio.to_thread(edit.create, path)
    uri = (await asyncio.to_thread(seen_by_others, path)).as_uri()
    await _show(session, uri, external=False)
    return wire.DocumentResult(uri)


async def _set_enabled(session: Session, arguments: tuple[Any, ...], enabled: bool) -> wire.MessageResult:
    from quotaline.config import edit

    provider = _provider(_one_id(arguments))
    await asyncio.to_thread(edit.set_enabled, session.application.keeper.path, provider.id, enabled)
    await session.reload_config()
    if enabled and provider.ended:
        return wire.MessageResult(f"{provider.ended} It is shown only where its entry names a source.")
    return wire.MessageResult(f"{provider.name} is {'shown' if enabled else 'no longer shown'}.")


async def _enable(session: Session, arguments: tuple[Any, ...]) -> wire.MessageResult:
    return await _set_enabled(session, arguments, True)


async def _disable(session: Session, arguments: tuple[Any, ...]) -> wire.MessageResult:
    return await _set_enabled(session, arguments, False)


async def _set_credential(session: Session, arguments: tuple[Any, ...]) -> wire.SetCredentialResult:
    from quotaline.credentials import keep

    call = arguments[0] if arguments else None
    id, value, label = (text_member(call, name) for name in ("id", "value", "label"))
    if not id or not value:
        raise CommandError("This command takes an object with `id` and `value`.")
    try:
        provider = registry.resolve(id)
    except registry.BrokenProvider as error:
        raise CommandError(error.broken.sentence) from None
    except KeyError:  # unlike elsewhere the id is not repeated: it may be the credential, in the wrong place
        raise CommandError("There is no provider with this `id`.") from None
    kept = await keep(session.application, provider, Secret(value), label or "")
    await session.reload_config()
    session.service.reread(provider.id)
    return wire.SetCredentialResult(kept.where, kept.message)


async def _sign_in(session: Session, arguments: tuple[Any, ...]) -> wire.SignInResult:
    from quotaline.credentials import keep

    provider = _provider(_one_id(arguments))
    if provider.sign_in is None:
        return wire.SignInResult(False, provider.connect)
    machine, config = session.application.machine, session.application.keeper.loaded.config
    ctx = machine.context(provider.id, config.provider(provider.id), interactive=True)
    async for step in provider.sign_in(ctx):
        if isinstance(step, SignInPrompt):
            await _prompt(session, step)
        elif isinstance(step, SignedIn):
            who = f" as {step.label}" if step.label else ""
            kept = await keep(session.application, provider, step.credential, step.label) if step.credential else None
            await session.reload_config()
            session.service.reread(provider.id)
            message = f"{provider.name}: signed in{who}. {kept.message if kept else ''}".rstrip()
            return wire.SignInResult(True, message)
    return wire.SignInResult(False, f"The sign-in to {provider.name} did not finish.")


async def _prompt(session: Session, step: SignInPrompt) -> None:
    code = f" Code: {step.code}" if step.code else ""
    session.client.show_message(f"{step.message}{code}")
    if step.url:
        await _show(session, step.url, external=True)


async def _show(session: Session, uri: str, *, external: bool) -> None:
    """Have the client show it, or tell the user where it is when the client cannot."""
    if not await session.client.show_document(uri, external=external):
        session.client.show_message(f"Open {uri if external else to_fs_path(uri)}")


def _ids(arguments: tuple[Any, ...]) -> list[str]:
    """Provider ids from `["a", "b"]`, `[["a", "b"]]` or `[{"ids": [...]}]`."""
    found: list[str] = []
    for argument in arguments:
        if isinstance(argument, str):
            found.append(argument)
        elif isinstance(argument, list | tuple):
            found.extend(_ids(tuple(argument)))
        elif isinstance(argument, dict):
            found.extend(_ids(tuple(value for name, value in argument.items() if name in ("id", "ids"))))
        elif argument is not None:
            raise CommandError("Provider ids must be strings.")
    return found


def _one_id(arguments: tuple[Any, ...]) -> str:
    ids = _ids(arguments)
    if len(ids) != 1:
        raise CommandError("This command takes one provider id.")
    return ids[0]


def _provider(id: str) -> Provider:
    try:
        return registry.resolve(id)
    except registry.BrokenProvider as error:
        raise CommandError(error.broken.sentence) from None
    except KeyError:
        raise CommandError(f"There is no provider called {id[:40]!r}.") from None


_COMMANDS: dict[str, Callable[[Session, tuple[Any, ...]], Awaitable[wire.Wire]]] = {
    methods.REFRESH: _refresh,
    methods.OPEN_DASHBOARD: _open_dashboard,
    methods.SHOW_REPORT: _show_report,
    methods.SIGN_IN: _sign_in,
    methods.SET_CREDENTIAL: _set_credential,
    methods.ENABLE: _enable,
    methods.DISABLE: _disable,
    methods.OPEN_CONFIG: _open_config,
}
