"""The network half with the local one added; each is shown when the other has nothing or fails."""

from __future__ import annotations

import asyncio

from quotaline_providers import (
    BadResponse,
    Context,
    Credential,
    ExpiredCredential,
    ReadError,
    Refusal,
    Refusals,
    Secret,
    Unavailable,
    Usage,
    base_address,
    beside,
    in_time,
)
from quotaline_providers.vendors.codebuff.credentials import credentials_file, data_folders
from quotaline_providers.vendors.codebuff.local import from_chats
from quotaline_providers.vendors.codebuff.mapping import to_usage
from quotaline_providers.vendors.codebuff.payloads import SubscriptionAnswer, UsageAnswer

BASE = "https://www.codebuff.com"
OVERRIDE = "CODEBUFF_API_URL"
TIMEOUT = 15.0
SUBSCRIPTION_WAIT = 2.0
"""Seconds the subscription may still take once the balance is known."""
CHATS_WAIT = 20.0
"""Seconds the chats may still take once the network half is done; what was read by then is kept for the next time."""

_REFUSED = Refusal(
    ExpiredCredential,
    "Codebuff refused the token.",
    "Run `codebuff login` again, or replace the key in CODEBUFF_API_KEY.",
)
_NOT_FOUND = Refusal(
    BadResponse, "Codebuff's usage endpoint was not found (HTTP 404).", f"Check {OVERRIDE} if it is set."
)
REFUSALS: Refusals = {
    401: _REFUSED,
    403: _REFUSED,
    404: _NOT_FOUND,
    **dict.fromkeys(range(500, 600), Refusal(Unavailable, "Codebuff is not available now (HTTP {status}).")),
}

# --- the network half ------------------------------------------------------------------------------


async def read_account(ctx: Context, found: Credential) -> Usage:
    """The network half. Only the CLI's own login may ask for the subscription; that may fail or be late unnoticed."""
    base = base_address(ctx.env(OVERRIDE), OVERRIDE, BASE)
    own_login = found.origin == ctx.show(credentials_file(ctx))
    async with beside() as side:
        asking = side.start(_subscription(ctx, base, found.secret), TIMEOUT) if own_login else None
        answer = await _balance(ctx, base, found.secret)
        return to_usage(answer, await in_time(asking, SUBSCRIPTION_WAIT) if asking else None, ctx.now)


async def _balance(ctx: Context, base: str, token: Secret) -> UsageAnswer:
    body = {"fingerprintId": "quotaline-usage"}
    response = await ctx.http.send("POST", f"{base}/api/v1/usage", bearer=token, json=body, timeout=TIMEOUT)
    ctx.http.check(response, REFUSALS)
    if response.status != 200:
        raise BadResponse(f"Codebuff gave an unexpected answer (HTTP {response.status}).")
    return ctx.http.parse(response, UsageAnswer)


async def _subscription(ctx: Context, base: str, token: Secret) -> SubscriptionAnswer:
    return await ctx.http.get(f"{base}/api/user/subscription", SubscriptionAnswer, bearer=token, timeout=TIMEOUT)


# --- with the local half ---------------------------------------------------------------------------


async def _chats(ctx: Context) -> Usage | None:
    if ctx.source == "api":
        return None
    folders = await ctx.files.in_thread(lambda: data_folders(ctx))
    if not folders.found:
        return Usage(updated_at=ctx.now, notes=folders.notes) if folders.notes else None
    try:
        return await from_chats(ctx, folders)
    except ReadError as error:
        return Usage(updated_at=ctx.now, notes=(error.message,))


async def _in_time(reading: asyncio.Task[Usage | None]) -> Usage | None:
    try:
        return await asyncio.wait_for(reading, CHATS_WAIT)
    except TimeoutError:
        return None


def _joined(account: Usage, local: Usage) -> Usage:
    return account.model_copy(
        update={
            "details": (*account.details, *local.details),
            "notes": (*account.notes, *local.notes),
            "models": local.models,
            "short_text": account.short_text or local.short_text,
        }
    )


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
