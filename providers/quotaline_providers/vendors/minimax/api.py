"""The plan, asked with an API key at several addresses and in both regions."""

from __future__ import annotations

from quotaline_providers import Context, Credential, ExpiredCredential, JsonObject, ReadError, Secret, Usage
from quotaline_providers.vendors.minimax.mapping import to_plan, to_usage
from quotaline_providers.vendors.minimax.payloads import KEY_REFUSALS, NotFound, another_address_may_help
from quotaline_providers.vendors.minimax.regions import CHINA, GLOBAL, key_addresses, region_of


async def from_api(ctx: Context, key: Credential) -> Usage:
    """The configured region; a key that the global one refuses may be China's."""
    region = region_of(ctx)
    try:
        return await _by_key(ctx, region, key.secret)
    except ExpiredCredential as error:
        if region != GLOBAL:
            raise
        refused = error
    try:
        return await _by_key(ctx, CHINA, key.secret)
    except ReadError:
        raise refused from None


async def _by_key(ctx: Context, region: str, key: Secret) -> Usage:
    """The newer call, then the older one; the oldest only where neither is known any more."""
    newer, older, oldest = key_addresses(region)
    try:
        return await _remains_by_key(ctx, newer, key)
    except ReadError as error:
        if not (isinstance(error, ExpiredCredential) or another_address_may_help(error)):
            raise
        first = error
    try:
        return await _remains_by_key(ctx, older, key)
    except ReadError as error:
        if isinstance(first, ExpiredCredential):
            raise first from None
        if not (isinstance(first, NotFound) and isinstance(error, NotFound)):
            raise
    return await _remains_by_key(ctx, oldest, key)


async def _remains_by_key(ctx: Context, url: str, key: Secret) -> Usage:
    headers = {"Content-Type": "application/json", "MM-API-Source": "quotaline"}
    answer = await ctx.http.get(url, JsonObject, bearer=key, headers=headers, refusals=KEY_REFUSALS)
    return to_usage(to_plan(answer.root, ctx.now, by_key=True), ctx.now)


def web_may_help(error: ReadError) -> bool:
    """Whether a browser session is worth trying: a refused key, or a call that is not known."""
    return isinstance(error, ExpiredCredential | NotFound)
