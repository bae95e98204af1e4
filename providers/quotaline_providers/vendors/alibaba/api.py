"""The plan, asked with an API key."""

from __future__ import annotations

from quotaline_providers import Context, Credential, JsonObject, Usage, refused_key
from quotaline_providers.fetching.browser_page import CHROME
from quotaline_providers.vendors.alibaba.mapping import to_usage
from quotaline_providers.vendors.alibaba.payloads import REFUSALS
from quotaline_providers.vendors.alibaba.regions import Overrides, Region, in_regions

KEY_REFUSALS = {**REFUSALS, **refused_key("Alibaba")}


async def from_api(ctx: Context, key: Credential) -> Usage:
    """The plan, asked with an API key in one region after another. Raises ReadError."""

    async def ask(region: Region, overrides: Overrides) -> Usage:
        headers = {
            "x-api-key": key.secret.reveal(),
            "X-DashScope-API-Key": key.secret.reveal(),
            "User-Agent": CHROME,
            "Origin": region.gateway,
            "Referer": region.dashboard,
        }
        body = {"queryCodingPlanInstanceInfoRequest": {"commodityCode": region.commodity}}
        url = overrides.api_quota(region)
        answer = await ctx.http.post(
            url, JsonObject, bearer=key.secret, headers=headers, json=body, refusals=KEY_REFUSALS
        )
        return to_usage(answer.root, True, ctx.now)

    return await in_regions(ctx, ask)
