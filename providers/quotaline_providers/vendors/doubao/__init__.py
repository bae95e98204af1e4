"""Doubao on Volcengine Ark: the windows of the Coding and Agent Plans, or the rate limit of an Ark API key."""

from __future__ import annotations

from quotaline_providers import Provider, ProviderKind, Strategy
from quotaline_providers.vendors.doubao.api import from_api
from quotaline_providers.vendors.doubao.cli import from_cli
from quotaline_providers.vendors.doubao.credentials import PROGRAM, ArkCredentials

PROVIDER = Provider(
    id="doubao",
    name="Doubao",
    kind=ProviderKind.CODING,
    connect="Set ARK_API_KEY, or an access key and its secret, or run `arkcli auth login`.",
    summary="The 5-hour, weekly and monthly windows of the Coding and Agent Plans, or an API key's request limit.",
    aliases=("volcengine", "ark", "bytedance"),
    dashboard="https://console.volcengine.com/ark/region:ark+cn-beijing/openManagement?LLM=%7B%7D&advancedActiveKey=subscribe",
    keys="https://console.volcengine.com/ark/region:ark+cn-beijing/apiKey",
    fields=("region",),
    min_interval=300,
    deadline=90,
    strategies=(
        Strategy.api(from_api, ArkCredentials()),
        Strategy.cli(from_cli, PROGRAM),
    ),
)
