"""Kiro: monthly plan credits, bonus credits and overage, from `kiro-cli`'s report and the service it calls itself."""

from __future__ import annotations

from quotaline_providers import Provider, ProviderKind, StatusPage, Strategy
from quotaline_providers.vendors.kiro.cli import from_program
from quotaline_providers.vendors.kiro.credentials import PROGRAM
from quotaline_providers.vendors.kiro.login import sign_in

PROVIDER = Provider(
    id="kiro",
    name="Kiro",
    kind=ProviderKind.CODING,
    aliases=("kiro-cli",),
    homes=("KIRO_DATA_DIR",),
    connect="Install the Kiro CLI (https://kiro.dev) and run `kiro-cli login`.",
    summary="Monthly plan credits, bonus credits, overage and context use.",
    dashboard="https://app.kiro.dev/account/usage",
    status=StatusPage("https://health.aws.amazon.com/health/status"),
    min_interval=300,
    deadline=75,
    strategies=(Strategy.cli(from_program, PROGRAM),),
    sign_in=sign_in,
)
