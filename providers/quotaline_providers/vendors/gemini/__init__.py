"""Gemini: the daily quota of each model family, read with the Google login the Gemini CLI keeps."""

from __future__ import annotations

from quotaline_providers import Option, Provider, ProviderKind, StatusKind, StatusPage, Strategy
from quotaline_providers.vendors.gemini.api import from_api
from quotaline_providers.vendors.gemini.credentials import SIGN_IN, CliLogin

PROVIDER = Provider(
    id="gemini",
    name="Gemini",
    kind=ProviderKind.CODING,
    aliases=("gemini_cli", "gemini-cli"),
    homes=("GEMINI_CLI_HOME",),
    summary="Daily quota of the Pro, Flash and Flash Lite models of the Gemini CLI's Google login.",
    connect=SIGN_IN,
    dashboard="https://gemini.google.com",
    status=StatusPage(
        "https://www.google.com/appsstatus/dashboard/products/npdyhgECDJ6tB66MxXyo/history",
        StatusKind.GOOGLE,
        product="npdyhgECDJ6tB66MxXyo",
    ),
    strategies=(Strategy.api(from_api, CliLogin()),),
    deadline=100,
    options=(
        Option("configDir", "The Gemini CLI's folder when it is not `~/.gemini`."),
        Option("projectId", "The Google Cloud project to ask for when Google names none."),
    ),
)
