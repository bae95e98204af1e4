"""Chutes: the 4-hour and monthly windows of a subscription, or plain request quotas, read with an API key.

The vendor pins no shapes, so answers are searched: a name counts whatever its spelling (`reset_at`, `resetAt`).
"""

from __future__ import annotations

from quotaline_providers import AccountKind, ApiKey, Provider, ProviderKind, Strategy
from quotaline_providers.vendors.chutes.api import from_api

PROVIDER = Provider(
    id="chutes",
    name="Chutes",
    kind=ProviderKind.CODING,
    connect="Create an API key at chutes.ai and set CHUTES_API_KEY, or store it with Quotaline.",
    summary="The 4-hour and monthly windows of a subscription, or the request quotas without one.",
    aliases=("chutes.ai",),
    dashboard="https://chutes.ai",
    keys="https://chutes.ai/app/api",
    accounts=AccountKind.TOKEN,
    deadline=90,
    description_is_detail=True,
    strategies=(Strategy.api(from_api, ApiKey(env=("CHUTES_API_KEY", "CHUTES_API_TOKEN"))),),
)
