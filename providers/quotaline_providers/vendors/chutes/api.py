"""The API: the subscription, and where that is not enough the quotas one by one."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from quotaline_providers import (
    BadResponse,
    Context,
    Credential,
    ExpiredCredential,
    JsonDocument,
    ReadError,
    Usage,
    base_address,
    optional,
    refused_key,
    to_text,
)
from quotaline_providers.vendors.chutes.mapping import Reading, definitions, merged, reading, to_usage
from quotaline_providers.vendors.chutes.payloads import Node, first

OFFICIAL = "https://api.chutes.ai"
OVERRIDE = "CHUTES_API_URL"
SECONDS = 15.0
REFUSALS = refused_key("Chutes")
DETAIL_SECONDS = 45.0
"""How long all calls for single quotas may take together; what is known by then is shown."""


async def from_api(ctx: Context, key: Credential) -> Usage:
    """The subscription; where it does not have both windows, the quotas one by one."""
    base = base_address(ctx.env(OVERRIDE), OVERRIDE, OFFICIAL)
    url = f"{base}/users/me/subscription_usage"
    answer = await ctx.http.get(url, JsonDocument, refusals=REFUSALS, bearer=key.secret, timeout=SECONDS)
    found = reading(answer.root)
    if found.rolling is None or found.monthly is None:
        found = found.completed(await _quotas(ctx, base, key))
    return to_usage(found, ctx.now)


async def _quotas(ctx: Context, base: str, key: Credential) -> Reading:
    """The account's quotas; empty when they cannot be read."""
    end = asyncio.get_running_loop().time() + DETAIL_SECONDS
    listed = await _optional(ctx, f"{base}/users/me/quotas", key, SECONDS)
    together: list[Node] = []
    for definition in definitions(listed):
        id = first(definition, ("chute_id", "id"), to_text)
        left = end - asyncio.get_running_loop().time()
        used = None
        if id and id not in (".", "..") and left > 0:
            url = f"{base}/users/me/quota_usage/{quote(id, safe='')}"
            used = await _optional(ctx, url, key, min(SECONDS, left))
        together.append(merged(definition, used))
    try:
        one_by_one = reading({"quotas": together})
        return reading(listed) if one_by_one.empty else one_by_one
    except BadResponse:
        return Reading()


async def _optional(ctx: Context, url: str, key: Credential, seconds: float) -> object:
    """The JSON of a call that may fail, then None. A refused key is an error here, too."""
    response = await optional(ctx.http.send("GET", url, bearer=key.secret, timeout=SECONDS), seconds)
    if response is None:
        return None
    try:
        return ctx.http.parse(ctx.http.check(response, REFUSALS), JsonDocument).root
    except ExpiredCredential:
        raise
    except ReadError:
        return None
