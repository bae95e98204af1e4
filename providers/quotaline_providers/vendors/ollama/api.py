"""What an API key shows: the plan's month or limits and the bought credits."""

from __future__ import annotations

from quotaline_providers import (
    Context,
    Credential,
    ExpiredCredential,
    Forbidden,
    JsonObject,
    ReadError,
    Refusal,
    Refusals,
    Secret,
    Usage,
    beside,
    refused_key,
)
from quotaline_providers.vendors.ollama.credentials import COOKIE
from quotaline_providers.vendors.ollama.mapping import account_usage, balance_usage
from quotaline_providers.vendors.ollama.payloads import BalanceAnswer, Catalogue
from quotaline_providers.vendors.ollama.web import from_web

SITE = "https://ollama.com"
SECONDS, ACCOUNT_SECONDS = 20.0, 5.0
REFUSALS = refused_key("Ollama")
BALANCE_REFUSALS: Refusals = {
    401: Refusal(ExpiredCredential, "Ollama refused the API key: it is invalid or was revoked."),
    403: Refusal(
        Forbidden,
        "Ollama accepts the API key, but does not let this account read its balance.",
        "Check at https://ollama.com/settings whether the account is suspended, or ask the owner of the team.",
    ),
}


async def from_api(ctx: Context, key: Credential) -> Usage:
    """The balance; whose account it is may be missing. A server that does not know the balance yet is asked whether the
    key is good. A key that gives no limit leaves it to the page, where a cookie is there, too. Raises ReadError."""
    async with beside() as side:
        asking = side.start(_account(ctx, key.secret), ACCOUNT_SECONDS)
        answer = await _balance(ctx, key.secret)
        if answer is None:
            await _prove(ctx, key.secret)
        found = await asking
    me = found.root if found else None
    usage = account_usage(me, ctx.now) if answer is None else balance_usage(answer, me, ctx.now)
    page = None if usage.windows else await _page(ctx)
    return page.model_copy(update={"balances": usage.balances}) if page else usage


async def _balance(ctx: Context, key: Secret) -> BalanceAnswer | None:
    """The balance; None where this call is not known (HTTP 404)."""
    response = await ctx.http.send("GET", f"{SITE}/api/balance", bearer=key, timeout=SECONDS)
    if response.status == 404:
        return None
    return ctx.http.parse(ctx.http.check(response, BALANCE_REFUSALS), BalanceAnswer)


async def _prove(ctx: Context, key: Secret) -> None:
    """Whether the key is good: an empty search is not run, and refused (400) only after the key was accepted. The
    catalogue is public and proves nothing."""
    response = await ctx.http.send("POST", f"{SITE}/api/web_search", bearer=key, json={"query": ""}, timeout=SECONDS)
    if response.status != 400:
        ctx.http.check(response, REFUSALS)
    await ctx.http.get(f"{SITE}/api/tags", Catalogue, bearer=key, timeout=SECONDS)


async def _account(ctx: Context, key: Secret) -> JsonObject:
    return await ctx.http.post(f"{SITE}/api/me", JsonObject, bearer=key, timeout=ACCOUNT_SECONDS)


async def _page(ctx: Context) -> Usage | None:
    """What the settings page shows, where a cookie may be used; None where that shows nothing either."""
    if ctx.source != "auto" or COOKIE.probe(ctx) is None:
        return None
    try:
        page = await from_web(ctx, await COOKIE.find(ctx))
    except ReadError:
        return None
    return page.model_copy(update={"source": "web"})
