"""Amp: the daily free quota, a subscription's pools and the credits, from its program, its service or its web page."""

from __future__ import annotations

from quotaline_providers import Provider, ProviderKind, Strategy, after_any_error, unlabelled
from quotaline_providers.vendors.amp.api import from_api
from quotaline_providers.vendors.amp.cli import from_cli
from quotaline_providers.vendors.amp.credentials import COOKIE, PROGRAM, TOKEN
from quotaline_providers.vendors.amp.web import SETTINGS, from_web

PROVIDER = Provider(
    id="amp",
    name="Amp",
    kind=ProviderKind.CODING,
    connect="Run `amp login`, or create an access token at https://ampcode.com/settings and set AMP_API_KEY.",
    summary="The daily free quota, a subscription's pools, and individual and workspace credits.",
    aliases=("ampcode",),
    dashboard=f"{SETTINGS}/usage",
    keys=SETTINGS,
    strategies=(
        Strategy.cli(from_cli, PROGRAM, falls_through=after_any_error, applies=unlabelled),
        Strategy.api(from_api, TOKEN, falls_through=after_any_error),
        Strategy.web(from_web, COOKIE, applies=unlabelled),
    ),
)
