"""OpenRouter: prepaid dollars, the spending limit of one API key, and with a management key the last 30 days."""

from __future__ import annotations

from quotaline_providers import AccountKind, Option, OptionType, Provider, ProviderKind, StatusPage, Strategy
from quotaline_providers.vendors.openrouter.api import from_api
from quotaline_providers.vendors.openrouter.credentials import KEY, MANAGEMENT_KEY

PROVIDER = Provider(
    id="openrouter",
    name="OpenRouter",
    kind=ProviderKind.GATEWAY,
    connect="Create an API key at openrouter.ai and set OPENROUTER_API_KEY, or store it with Quotaline.",
    summary="Prepaid balance, the spending limit of the API key, and 30 days of spend with a management key.",
    aliases=("or",),
    dashboard="https://openrouter.ai/settings/credits",
    status=StatusPage("https://status.openrouter.ai"),
    keys="https://openrouter.ai/settings/keys",
    fields=("enterpriseHost",),
    options=(
        Option(
            "pluginSecrets", f"An object whose {MANAGEMENT_KEY} is the key for the last 30 days.", OptionType.OBJECT
        ),
        Option("detailSeconds", "How many seconds the key and history details may take (4).", OptionType.NUMBER),
    ),
    accounts=AccountKind.TOKEN,
    deadline=30,
    https_only=True,
    strategies=(Strategy.api(from_api, KEY),),
)
