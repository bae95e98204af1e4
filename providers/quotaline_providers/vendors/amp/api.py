"""Amp's service: the balances as it words them, asked with an access token."""

from __future__ import annotations

from quotaline_providers import (
    BadResponse,
    Context,
    Credential,
    ExpiredCredential,
    Unavailable,
    Usage,
    refused_key,
    sentence,
)
from quotaline_providers.vendors.amp.credentials import SITE
from quotaline_providers.vendors.amp.mapping import to_usage
from quotaline_providers.vendors.amp.payloads import Reply, parse_display

METHOD = "userDisplayBalanceInfo"
URL = f"{SITE}/api/internal?{METHOD}"
SECONDS = 15.0
REFUSALS = refused_key("Amp")


async def from_api(ctx: Context, token: Credential) -> Usage:
    """The balances of an access token. Raises ReadError."""
    body = {"method": METHOD, "params": {}}
    response = await ctx.http.send("POST", URL, bearer=token.secret, json=body, timeout=SECONDS)
    if response.url != URL:
        raise BadResponse("Amp redirected the request to another place.")
    reply = ctx.http.parse(ctx.http.check(response, REFUSALS), Reply)
    if reply.ok is not True:
        if reply.error and reply.error.code == "auth-required":
            raise ExpiredCredential("Amp refused the access token.")
        if words := sentence(reply.error.message if reply.error else None):
            raise Unavailable(f"Amp could not report the balance: {words}")
        raise BadResponse("Amp could not report the balance.")
    text = reply.result.displayText if reply.result else None
    if text is None:
        raise BadResponse("Amp reported no balance.")
    return to_usage(parse_display(text), ctx.now)
