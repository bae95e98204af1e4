"""What an API key shows: that it is accepted, and now and then its account. There is no quota for keys."""

from __future__ import annotations

from quotaline_providers import Context, Credential, JsonObject, Secret, Usage, beside, refused_key
from quotaline_providers.vendors.ollama.mapping import account_usage
from quotaline_providers.vendors.ollama.payloads import Catalogue

SITE = "https://ollama.com"
SECONDS, ACCOUNT_SECONDS = 20.0, 5.0
REFUSALS = refused_key("Ollama")


async def from_api(ctx: Context, key: Credential) -> Usage:
    """Prove the key with a search that is not run, then the catalogue; the account's data is optional."""
    async with beside() as side:
        me = side.start(_account(ctx, key.secret), ACCOUNT_SECONDS)
        await _prove(ctx, key.secret)
        await ctx.http.get(f"{SITE}/api/tags", Catalogue, bearer=key.secret, timeout=SECONDS)
        found = await me
    return account_usage(found.root if found else None, ctx.now)


async def _prove(ctx: Context, key: Secret) -> None:
    response = await ctx.http.send("POST", f"{SITE}/api/web_search", bearer=key, json={"query": ""}, timeout=SECONDS)
    if response.status != 400:  # the empty search is refused, and only after the key was accepted
        ctx.http.check(response, REFUSALS)


async def _account(ctx: Context, key: Secret) -> JsonObject:
    return await ctx.http.post(f"{SITE}/api/me", JsonObject, bearer=key, timeout=ACCOUNT_SECONDS)
