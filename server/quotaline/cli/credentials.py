"""`quotaline sign-in`, `set-credential` and `remove-credential`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import webbrowser
from collections.abc import Awaitable, Callable

from quotaline.application import Application
from quotaline.cli import console, hidden
from quotaline.cli.exit_codes import FAILED, OK, USAGE_ERROR
from quotaline.cli.running import UsageError, named, opened
from quotaline.credentials import forget, keep
from quotaline.detection.detect import COOKIE_LABEL
from quotaline_providers import registry
from quotaline_providers.access.cookies import is_capture, normalize_cookie
from quotaline_providers.contract import Provider, SignedIn, SignInPrompt
from quotaline_providers.errors import ReadError
from quotaline_providers.hosts.privacy import as_the_user_has_it
from quotaline_providers.secret import Secret

LARGEST = 1 << 20
"""Bytes of a credential on standard input, or characters that are typed: more is refused, not cut."""


def _sign_in_command(options: argparse.Namespace) -> int:
    return _with_provider(options.provider, _sign_in)


def _set_command(options: argparse.Namespace) -> int:
    async def put(application: Application, provider: Provider) -> int:
        kept = await keep(application, provider, secret, COOKIE_LABEL if options.cookie else options.account)
        console.say(f"{provider.name}: {kept.message}")
        await application.service.forget(provider.id)
        return OK

    try:
        provider = registry.get(named(options.provider))
        _check_takes(provider, cookie=options.cookie)
        what = "Cookie header" if options.cookie or "apiKey" not in provider.settings else "API key"
        secret = _asked_for(f"{provider.name} {what}: ")
        if what == "Cookie header":
            _check_cookie(secret.reveal())
    except UsageError as error:
        console.say(str(error), error=True)
        return USAGE_ERROR
    return _with_provider(provider.id, put)


def _check_takes(provider: Provider, *, cookie: bool) -> None:
    """Raises UsageError for a credential this provider has no use for."""
    if cookie and "cookieHeader" not in provider.settings:
        raise UsageError(f"{provider.name} is not read with a browser's cookies. {provider.connect}")
    if not {"apiKey", "cookieHeader"} & set(provider.settings):
        raise UsageError(f"{provider.name} takes no API key. {provider.connect}")


def _check_cookie(pasted: str) -> None:
    """Raises UsageError for headers or a command without a cookie. Of several lines a terminal gives but the first."""
    if is_capture(pasted) and normalize_cookie(pasted) is None:
        raise UsageError(
            "There is no cookie in that. Paste the Cookie line alone, or pass all of it on standard input."
        )


def _remove_command(options: argparse.Namespace) -> int:
    async def remove(application: Application, provider: Provider) -> int:
        kept = await forget(application, provider, COOKIE_LABEL if options.cookie else options.account)
        console.say(f"{provider.name}: {kept.message}")
        await application.service.forget(provider.id)
        return OK

    return _with_provider(options.provider, remove)


async def _sign_in(application: Application, provider: Provider) -> int:
    if provider.sign_in is None:
        raise UsageError(f"{provider.name} cannot be signed in to by Quotaline. {provider.connect}")
    config = application.keeper.loaded.config
    ctx = application.machine.context(provider.id, config.provider(provider.id), interactive=True)
    async for step in provider.sign_in(ctx):
        if isinstance(step, SignInPrompt):
            _tell(step)
        elif isinstance(step, SignedIn):
            who = f" as {step.label}" if step.label else ""
            kept = await keep(application, provider, step.credential, step.label) if step.credential else None
            console.say(f"{provider.name}: signed in{who}. {kept.message if kept else ''}".rstrip())
            await application.service.forget(provider.id)
            return OK
    console.say(f"{provider.name}: the sign-in ended without an account.", error=True)
    return FAILED


def _tell(step: SignInPrompt) -> None:
    console.say(step.message)
    if step.url:
        print(f"  {step.url}")  # whole, whatever the width; its characters were checked
    if step.code:
        console.say(f"  code: {step.code}")
    sys.stdout.flush()
    if step.url and sys.stdout.isatty() and _has_desktop():
        with as_the_user_has_it():
            webbrowser.open(step.url)


def _has_desktop() -> bool:
    """Without one, a browser would take over the terminal."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _asked_for(prompt: str) -> Secret:
    """The credential from standard input, or typed without echo. Raises UsageError when nothing was given, or too much.

    Asked for in the main thread, before any event loop: only there does Ctrl-C end the wait.
    """
    try:
        given = hidden.ask(prompt, LARGEST) if sys.stdin is not None and sys.stdin.isatty() else _piped()
    except hidden.ClosedError:
        given = ""
    except UnicodeDecodeError:
        raise UsageError("The input is not text.") from None
    except hidden.TooLongError:
        raise UsageError("That is longer than a key or cookie can be. Nothing was kept.") from None
    if not given.strip():
        raise UsageError("Nothing was entered. Pass the key or cookie on standard input, or type it when asked.")
    return Secret(given)


def _piped() -> str:
    if sys.stdin is None:
        return ""
    data = sys.stdin.buffer.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise hidden.TooLongError
    return data.decode("utf-8-sig")


def _with_provider(name: str, work: Callable[[Application, Provider], Awaitable[int]]) -> int:
    async def run() -> int:
        provider = registry.get(named(name))
        async with opened() as application:
            return await work(application, provider)

    try:
        return asyncio.run(run())
    except UsageError as error:
        console.say(str(error), error=True)
        return USAGE_ERROR
    except ReadError as error:
        console.say(" ".join(filter(None, (error.message, error.hint))), error=True)
        return FAILED


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "sign-in": _sign_in_command,
    "set-credential": _set_command,
    "remove-credential": _remove_command,
}
