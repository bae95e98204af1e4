"""Ollama Cloud: session and weekly usage from the signed-in settings page; an API key only proves access."""

from __future__ import annotations

from quotaline_providers import AccountKind, Provider, ProviderKind, Strategy, after_any_error, unlabelled
from quotaline_providers.vendors.ollama.api import from_api
from quotaline_providers.vendors.ollama.credentials import COOKIE, KEY
from quotaline_providers.vendors.ollama.web import from_web

PROVIDER = Provider(
    id="ollama",
    name="Ollama",
    kind=ProviderKind.CHAT,
    connect="Sign in at https://ollama.com/signin and paste the Cookie header of https://ollama.com/settings.",
    summary="Session and weekly usage of Ollama Cloud; an API key only proves access.",
    dashboard="https://ollama.com/settings",
    keys="https://ollama.com/settings/keys",
    accounts=AccountKind.COOKIE,
    min_interval=300,
    deadline=70,
    strategies=(
        Strategy.web(from_web, COOKIE, falls_through=after_any_error),
        Strategy.api(from_api, KEY, applies=unlabelled),
    ),
)
