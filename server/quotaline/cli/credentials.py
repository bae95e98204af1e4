"""`quotaline sign-in`, `set-credential` and `remove-credential`."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
import webbrowser
from collections.abc import Awaitable, Callable

from quotaline.application import Application
from quotaline.cli import FAILED, OK, USAGE_ERROR
from quotaline.cli.running import UsageError, named, opened
from quotaline.credentials import forget, keep
from quotaline.detection import COOKIE_LABEL
from quotaline_providers import registry
from quotaline_providers.contract import Provider, SignedIn, SignInPrompt
from quotaline_providers.errors import ReadError
from quotaline_providers.secret import Secret


def _sign_in_command(options: argparse.Namespace) -> int:
    return _with_provider(options.provider, _sign_in)


def _set_command(options: argparse.Namespace) -> int:
    async def put(application: Application, provider: Provider) -> int:
        what = "Cookie header" if options.cookie else "API key"
        secret = await asyncio.to_thread(_asked_for, f"{provider.name} {what}: ")
        kept = await keep(application, provider, secret, COOKIE_LABEL if options.cookie else options.account)
        print(f"{provider.name}: {kept.message}")
        await application.service.forget(provider.id)
        return OK

    return _with_provider(options.provider, put)


def _remove_command(options: argparse.Namespace) -> int:
    async def remove(application: Application, provider: Provider) -> int:
        kept = await forget(application, provider, COOKIE_LABEL if options.cookie else options.account)
        print(f"{provider.name}: {kept.message}")
        await application.service.forget(provider.id)
        return OK

    return _with_provider(options.provider, remove)


async def _sign_in(application: Application, provider: Provider) -> int:
    if provider.sign_in is None:
        print(f"{provider.name} has no sign-in of its own. {provider.connect}")
        return FAILED
    config = application.keeper.loaded.config
    ctx = application.machine.context(provider.id, config.provider(provider.id), interactive=True)
    async for step in provider.sign_in(ctx):
        if isinstance(step, SignInPrompt):
            _tell(step)
        elif isinstance(step, SignedIn):
            kept = await keep(application, provider, step.credential, step.label)
            print(f"{provider.name}: signed in as {step.label}. {kept.message}")
            await application.service.forget(provider.id)
            return OK
    return FAILED


def _tell(step: SignInPrompt) -> None:
    print(step.message)
    if step.url:
        print(f"  {step.url}")
        if sys.stdout.isatty():
            webbrowser.open(step.url)
    if step.code:
        print(f"  code: {step.code}")
    sys.stdout.flush()


def _asked_for(prompt: str) -> Secret:
    """The credential from standard input, or typed without echo."""
    return Secret(getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.read())


def _with_provider(name: str, work: Callable[[Application, Provider], Awaitable[int]]) -> int:
    async def run() -> int:
        provider = registry.get(named(name))
        async with opened() as application:
            return await work(application, provider)

    try:
        return asyncio.run(run())
    except UsageError as error:
        print(error, file=sys.stderr)
        return USAGE_ERROR
    except ReadError as error:
        print(" ".join(filter(None, (error.message, error.hint))), file=sys.stderr)
        return FAILED
    except EOFError:
        print("Nothing was given.", file=sys.stderr)
        return USAGE_ERROR


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "sign-in": _sign_in_command,
    "set-credential": _set_command,
    "remove-credential": _remove_command,
}
