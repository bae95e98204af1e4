"""Codebuff: credit balance and weekly limit over the network, tokens per model from the CLI's chat files.

The halves are independent: each is shown when the other has nothing or fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from quotaline_providers.access.lookups import ApiKey
from quotaline_providers.contract import Context, Credential, Option, Provider, ProviderKind, Strategy
from quotaline_providers.errors import ReadError
from quotaline_providers.model import Usage
from quotaline_providers.vendors.codebuff.folders import DataFolders, data_roots
from quotaline_providers.vendors.codebuff.network import credentials_file, login_token, read_account

CONNECT = "Run `codebuff login`, or set CODEBUFF_API_KEY."
CHATS_WAIT = 20.0
"""Seconds the chats may still take once the network half is done; what was read by then is kept for the next time."""


async def from_account(ctx: Context, found: Credential) -> Usage:
    """The network half with the local one added; a failure of the network carries the local half as its `partial`."""
    reading = asyncio.create_task(_chats(ctx))
    try:
        try:
            usage = await read_account(ctx, found)
        except ReadError as error:
            local = await _in_time(reading)
            if local and local.details:
                error.partial = local
            raise
        local = await _in_time(reading)
        return usage if local is None else _joined(usage, local)
    finally:
        reading.cancel()


async def _chats(ctx: Context) -> Usage | None:
    if ctx.settings.source == "api":
        return None
    roots = await ctx.files.in_thread(lambda: data_roots(ctx))
    try:
        return await from_chats(ctx, roots) if roots else None
    except ReadError as error:
        return Usage(updated_at=ctx.now, notes=(error.message,))


async def _in_time(reading: asyncio.Task[Usage | None]) -> Usage | None:
    try:
        return await asyncio.wait_for(reading, CHATS_WAIT)
    except TimeoutError:
        return None


def _joined(account: Usage, local: Usage) -> Usage:
    return account.model_copy(
        update={"details": (*account.details, *local.details), "notes": (*account.notes, *local.notes)}
    )


async def from_chats(ctx: Context, roots: tuple[Path, ...]) -> Usage:
    """The local half."""
    read_chats = await ctx.files.in_thread(_reader)
    return await read_chats(ctx, roots)


def _reader() -> Callable[[Context, tuple[Path, ...]], Awaitable[Usage]]:
    """Imported only where there are chats, and not in the event loop."""
    from quotaline_providers.vendors.codebuff.totals import read_chats

    return read_chats


PROVIDER = Provider(
    id="codebuff",
    name="Codebuff",
    kind=ProviderKind.CODING,
    aliases=("manicode",),
    connect=CONNECT,
    summary="Credits used and left, the weekly limit, and tokens per model from local chats.",
    dashboard="https://www.codebuff.com/usage",
    keys="",
    options=(Option("dataDir", "One more folder with Codebuff data, beside the CLI's own."),),
    strategies=(
        Strategy.api(
            from_account,
            ApiKey(env=("CODEBUFF_API_KEY",), env_first=True, file=lambda ctx: (credentials_file(ctx), login_token)),
            label="api",
        ),
        Strategy.local(from_chats, DataFolders(), label="local"),
    ),
)
