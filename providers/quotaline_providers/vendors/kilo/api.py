"""Kilo's service: the person's account and organisations, asked with an API key or the program's token."""

from __future__ import annotations

import json

from quotaline_providers import (
    BadResponse,
    Context,
    Credential,
    JsonDocument,
    Refusal,
    Refusals,
    Response,
    Secret,
    Usage,
    beside,
    refused_key,
)
from quotaline_providers.vendors.kilo.mapping import Account, account_of, balances, to_usage, windows
from quotaline_providers.vendors.kilo.organizations import Organization, enabled, listed, section
from quotaline_providers.vendors.kilo.payloads import PROCEDURES, payloads

BASE = "https://app.kilo.ai/api/trpc"
PROFILE = "https://api.kilo.ai/api/profile"
SECONDS = 15.0
SIDE_SECONDS = 20.0
SCOPE = "X-KILOCODE-ORGANIZATIONID"
REFUSALS: Refusals = {
    **refused_key("Kilo"),
    404: Refusal(BadResponse, "Kilo's usage service was not found (HTTP {status})."),
}


async def from_api(ctx: Context, key: Credential) -> Usage:
    """The account of an API key, and its organisations. Raises ReadError."""
    return await read_account(ctx, key.secret)


async def read_account(ctx: Context, token: Secret) -> Usage:
    """The person's account; beside it every enabled organisation's, and when the user asked, what could be enabled."""
    async with beside() as side:
        scopes = [(item, side.start(_account(ctx, token, item), SIDE_SECONDS)) for item in enabled(ctx)]
        listing = side.start(_organizations(ctx, token), SIDE_SECONDS) if ctx.interactive else None
        usage = to_usage(await _account(ctx, token), ctx.now)
        for item, task in scopes:
            if (account := await task) is not None:
                usage = with_scope(usage, item, account)
        found = await listing if listing else None
    if scopes:
        usage = usage.model_copy(update={"identity": usage.identity.model_copy(update={"organization": "Personal"})})
    return usage.model_copy(update={"details": (*usage.details, section(found))}) if found else usage


def with_scope(usage: Usage, item: Organization, account: Account) -> Usage:
    """The usage with an organisation's windows and balance after the person's."""
    prefix = f"org:{item.id}:"
    return usage.model_copy(
        update={
            "windows": (*usage.windows, *windows(account, prefix, item.name)),
            "balances": (*usage.balances, *balances(account, prefix, item.name)),
        }
    )


async def _account(ctx: Context, token: Secret, scope: Organization | None = None) -> Account:
    response = await _call(ctx, token, PROCEDURES, {SCOPE: scope.id} if scope else {})
    return account_of(*payloads(ctx.http.parse(ctx.http.check(response, REFUSALS), JsonDocument).root))


async def _organizations(ctx: Context, token: Secret) -> tuple[Organization, ...]:
    response = await _call(ctx, token, ("user.getOrganizations",), {})
    if response.status == 404:
        response = await ctx.http.send("GET", PROFILE, bearer=token, timeout=SECONDS)
    return listed(ctx.http.parse(ctx.http.check(response), JsonDocument).root)


async def _call(ctx: Context, token: Secret, procedures: tuple[str, ...], headers: dict[str, str]) -> Response:
    nothing = {str(number): {"json": None} for number in range(len(procedures))}
    params = {"batch": "1", "input": json.dumps(nothing, separators=(",", ":"))}
    url = f"{BASE}/{','.join(procedures)}"
    return await ctx.http.send("GET", url, bearer=token, headers=headers, params=params, timeout=SECONDS)
