"""Kimi Code: the weekly requests and the 5-hour rate of a coding membership. Moonshot's platform is `moonshot`."""

from __future__ import annotations

from quotaline_providers import Provider, ProviderKind, Strategy, unlabelled
from quotaline_providers.vendors.kimi.api import another_may_help, from_api
from quotaline_providers.vendors.kimi.cli import from_cli
from quotaline_providers.vendors.kimi.credentials import CLI_LOGIN, KEY, WebToken
from quotaline_providers.vendors.kimi.web import from_web

PROVIDER = Provider(
    id="kimi",
    name="Kimi Code",
    kind=ProviderKind.CODING,
    connect="Create a Kimi Code API key and set KIMI_CODE_API_KEY, or sign in with the Kimi Code CLI.",
    summary="Weekly requests and the 5-hour rate of a coding membership; with the web's token also its month.",
    aliases=("kimi-ai",),
    homes=("KIMI_CODE_HOME",),
    dashboard="https://www.kimi.com/code/console",
    fields=("enterpriseHost",),
    deadline=90,
    regions=("mainland-cn", "global"),
    https_only=True,
    strategies=(
        Strategy.api(from_api, KEY, label="Kimi Code API key", falls_through=another_may_help),
        Strategy.cli(from_cli, CLI_LOGIN, label="Kimi Code CLI", falls_through=another_may_help, applies=unlabelled),
        Strategy.web(from_web, WebToken(), label="Kimi web cookie", applies=unlabelled),
    ),
)
