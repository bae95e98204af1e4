"""OpenAI's API platform: an organisation's spend and requests, or the credit balance that older user keys can read."""

from __future__ import annotations

from quotaline_providers import HISTORY, AccountKind, ApiKey, Provider, StatusKind, StatusPage, Strategy
from quotaline_providers.vendors.openai.api import from_api

PROVIDER = Provider(
    id="openai",
    name="OpenAI",
    connect="Create an organisation Admin key at platform.openai.com and set OPENAI_ADMIN_KEY.",
    summary="Spend, requests and tokens of an API organisation; the credit balance with older user keys.",
    aliases=("openai-api",),
    dashboard="https://platform.openai.com/usage",
    status=StatusPage("https://status.openai.com", StatusKind.STATUSPAGE),
    keys="https://platform.openai.com/settings/organization/admin-keys",
    fields=("workspaceID",),
    options=(HISTORY,),
    accounts=AccountKind.TOKEN,
    min_interval=300,
    deadline=120,
    strategies=(Strategy.api(from_api, ApiKey(env=("OPENAI_ADMIN_KEY", "OPENAI_API_KEY"))),),
)
