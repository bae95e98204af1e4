"""The code usage, asked with an API key."""

from __future__ import annotations

from collections.abc import Mapping

from quotaline_providers import (
    Context,
    Credential,
    ExpiredCredential,
    Forbidden,
    Misconfigured,
    ReadError,
    Refusal,
    Refusals,
    Secret,
    Usage,
    base_address,
)
from quotaline_providers.vendors.kimi.credentials import BASE_URL
from quotaline_providers.vendors.kimi.mapping import to_usage
from quotaline_providers.vendors.kimi.payloads import CodeAnswer
from quotaline_providers.vendors.kimi.regions import CHINA, Region, configured
from quotaline_providers.vendors.kimi.web import INVALID, InvalidRequest, optional_statistics

REFUSALS: Refusals = {
    400: INVALID,
    401: Refusal(ExpiredCredential, "Kimi refused the API key."),
    403: Refusal(Forbidden, "Kimi does not let this credential read the code usage (HTTP 403)."),
}


def usages_address(ctx: Context, region: Region) -> str:
    """Where the code usage is read of a credential of this region. Raises Misconfigured."""
    own = ctx.settings.enterprise_host
    override, name = (own, "enterpriseHost") if own else (ctx.env(BASE_URL), BASE_URL)
    if override is not None and not override.lower().startswith("https://"):
        raise Misconfigured(f"The setting {name} must begin with https://.", f"Correct {name} or remove it.")
    base = base_address(override, name, region.api)
    if base.endswith("/coding/v1"):
        return f"{base}/usages"
    return f"{base}/v1/usages" if base.endswith("/coding") else f"{base}/coding/v1/usages"


async def code_usage(
    ctx: Context, region: Region, token: Secret, headers: Mapping[str, str], refusals: Refusals
) -> CodeAnswer:
    """The code usage of a key or of the CLI's token. Raises ReadError."""
    address = usages_address(ctx, region)
    return await ctx.http.get(address, CodeAnswer, bearer=token, headers=headers, refusals=refusals)


async def from_api(ctx: Context, key: Credential) -> Usage:
    """The quota of an API key. Raises ReadError."""
    region = configured(ctx) or CHINA
    answer = await code_usage(ctx, region, key.secret, {}, REFUSALS)
    return to_usage(answer, await optional_statistics(ctx, region), ctx.now)


def another_may_help(error: ReadError) -> bool:
    """Whether another credential is worth trying: not when the request itself is wrong."""
    return not isinstance(error, InvalidRequest | Misconfigured)
