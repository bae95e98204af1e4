"""Kilo: the credit balance and the Kilo Pass, with an API key or the login of Kilo's own program."""

from __future__ import annotations

import json
from pathlib import Path

from quotaline_providers.access.lookups import ApiKey
from quotaline_providers.contract import (
    Context,
    Credential,
    Option,
    OptionType,
    Provider,
    ProviderKind,
    Response,
    Strategy,
    after,
    unlabelled,
)
from quotaline_providers.errors import BadResponse, ExpiredCredential
from quotaline_providers.fetching.optional import beside
from quotaline_providers.fetching.refusals import refused_key
from quotaline_providers.model import Usage
from quotaline_providers.parsing.payload import JsonDocument
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.kilo.account import Account, account_of, balances, to_usage, windows
from quotaline_providers.vendors.kilo.batch import PROCEDURES, payloads
from quotaline_providers.vendors.kilo.login import KiloLogin, token_of
from quotaline_providers.vendors.kilo.organizations import (
    ENABLED,
    KNOWN,
    Organization,
    enabled,
    listed,
    section,
)

BASE = "https://app.kilo.ai/api/trpc"
PROFILE = "https://api.kilo.ai/api/profile"
SECONDS = 15.0
SIDE_SECONDS = 20.0
SCOPE = "X-KILOCODE-ORGANIZATIONID"


async def from_api(ctx: Context, key: Credential) -> Usage:
    """The account of an API key, and its organisations. Raises ReadError."""
    return await read_account(ctx, key.secret)


async def from_login(ctx: Context, found: Path | Secret) -> Usage:
    """The account of the program's login, and its organisations. Raises ReadError."""
    return await read_account(ctx, await token_of(ctx, found))


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
    headers = {SCOPE: scope.id} if scope else {}
    answer = await _call(ctx, token, PROCEDURES, headers)
    if answer.status == 404:
        raise BadResponse("Kilo's usage service was not found (HTTP 404).")
    return account_of(*payloads(ctx.http.parse(ctx.http.check(answer, refused_key("Kilo")), JsonDocument).root))


async def _organizations(ctx: Context, token: Secret) -> tuple[Organization, ...]:
    answer = await _call(ctx, token, ("user.getOrganizations",), {})
    if answer.status == 404:
        answer = await _get(ctx, token, PROFILE, {}, None)
    return listed(ctx.http.parse(ctx.http.check(answer), JsonDocument).root)


async def _call(ctx: Context, token: Secret, procedures: tuple[str, ...], headers: dict[str, str]) -> Response:
    nothing = {str(number): {"json": None} for number in range(len(procedures))}
    params = {"batch": "1", "input": json.dumps(nothing, separators=(",", ":"))}
    return await _get(ctx, token, f"{BASE}/{','.join(procedures)}", headers, params)


async def _get(
    ctx: Context, token: Secret, url: str, headers: dict[str, str], params: dict[str, str] | None
) -> Response:
    return await ctx.http.send("GET", url, bearer=token, headers=headers, params=params, timeout=SECONDS)


PROVIDER = Provider(
    id="kilo",
    name="Kilo",
    kind=ProviderKind.CODING,
    connect="Create an API key at app.kilo.ai and set KILO_API_KEY, or run `kilo login`.",
    summary="Credits left and the month's Kilo Pass, also of organisations.",
    aliases=("kilo-ai",),
    dashboard="https://app.kilo.ai/usage",
    keys="https://app.kilo.ai/profile",
    options=(
        Option(ENABLED, "The ids of the organisations to show as well.", OptionType.ARRAY),
        Option(KNOWN, "Names for organisations: objects with `id`, `name` and `role`.", OptionType.ARRAY),
        Option("extrasEnabled", "Kept from other programs; it changes nothing.", OptionType.BOOLEAN),
    ),
    description_is_detail=True,
    strategies=(
        Strategy.api(
            from_api,
            ApiKey(env=("KILO_API_KEY",)),
            falls_through=after(ExpiredCredential),
        ),
        Strategy.cli(from_login, KiloLogin(), applies=unlabelled),
    ),
)
