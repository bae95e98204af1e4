"""Ollama Cloud: the month's credits, or the session and the week, by API key or from the signed-in settings page."""

from __future__ import annotations

from quotaline_providers import AccountKind, Provider, ProviderKind, Strategy, after_any_error, unlabelled
from quotaline_providers.vendors.ollama.api import from_api
from quotaline_providers.vendors.ollama.credentials import COOKIE, KEY
from quotaline_providers.vendors.ollama.web import from_web

PROVIDER = Provider(
    id="ollama",
    name="Ollama",
    kind=ProviderKind.CHAT,
    connect="Create an API key at https://ollama.com/settings/keys and set OLLAMA_API_KEY, or paste the Cookie header "
    "of https://ollama.com/settings.",
    summary="The month's credits of Ollama Cloud, or the session and the week of an older plan.",
    dashboard="https://ollama.com/settings",
    keys="https://ollama.com/settings/keys",
    accounts=AccountKind.COOKIE,
    min_interval=300,
    deadline=70,
    strategies=(
        Strategy.api(from_api, KEY, falls_through=after_any_error, applies=unlabelled),
        Strategy.web(from_web, COOKIE),
    ),
)
