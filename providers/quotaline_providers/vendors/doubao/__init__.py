"""Doubao on Volcengine Ark: the windows of the Coding and Agent Plans, or the rate limit of an Ark API key."""

from __future__ import annotations

from quotaline_providers.contract import Context, Provider, ProviderKind, Strategy
from quotaline_providers.errors import MissingCredential, ReadError
from quotaline_providers.model import Usage
from quotaline_providers.vendors.doubao.arkcli import PROGRAM, from_program
from quotaline_providers.vendors.doubao.credentials import ArkAccess, ArkCredentials, region_of
from quotaline_providers.vendors.doubao.plans import read_plans
from quotaline_providers.vendors.doubao.probe import read_limit


async def from_api(ctx: Context, access: ArkAccess) -> Usage:
    """The plans with a signed request; where that fails or cannot be signed, the limit of the API key."""
    if access.pair is not None:
        region = region_of(ctx)
        try:
            return await read_plans(ctx, access.pair, region)
        except ReadError:
            if access.key is None:
                raise
    if access.key is None:
        raise MissingCredential("No API key is set.")
    return await read_limit(ctx, access.key)


PROVIDER = Provider(
    id="doubao",
    name="Doubao",
    kind=ProviderKind.CODING,
    connect="Set ARK_API_KEY, or an access key and its secret, or run `arkcli auth login`.",
    summary="The 5-hour, weekly and monthly windows of the Coding and Agent Plans, or an API key's request limit.",
    aliases=("volcengine", "ark", "bytedance"),
    dashboard="https://console.volcengine.com/ark/region:ark+cn-beijing/openManagement?LLM=%7B%7D&advancedActiveKey=subscribe",
    keys="https://console.volcengine.com/ark/region:ark+cn-beijing/apiKey",
    fields=("apiKey", "apiKeyEnv", "secretKey", "region"),
    min_interval=300,
    deadline=90,
    longer_caps=True,
    strategies=(
        Strategy.api(from_api, ArkCredentials()),
        Strategy.cli(from_program, PROGRAM),
    ),
)
