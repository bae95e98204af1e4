"""Kilo: the credit balance and the Kilo Pass, with an API key or the login of Kilo's own program."""

from __future__ import annotations

from quotaline_providers import (
    ExpiredCredential,
    Option,
    OptionType,
    Provider,
    ProviderKind,
    Strategy,
    after,
    unlabelled,
)
from quotaline_providers.vendors.kilo.api import from_api
from quotaline_providers.vendors.kilo.cli import from_cli
from quotaline_providers.vendors.kilo.credentials import KEY, KiloLogin
from quotaline_providers.vendors.kilo.organizations import ENABLED, KNOWN

PROVIDER = Provider(
    id="kilo",
    name="Kilo",
    kind=ProviderKind.CODING,
    connect="Create an API key at app.kilo.ai and set KILO_API_KEY, or run `kilo auth login`.",
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
        Strategy.api(from_api, KEY, falls_through=after(ExpiredCredential)),
        Strategy.cli(from_cli, KiloLogin(), applies=unlabelled),
    ),
)
