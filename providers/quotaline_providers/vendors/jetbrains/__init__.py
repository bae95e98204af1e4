"""JetBrains AI: monthly AI credits, read from the quota file that an IDE keeps, or from its log where that is newer."""

from __future__ import annotations

from quotaline_providers import Option, Provider, ProviderKind, Strategy
from quotaline_providers.vendors.jetbrains.local import CHOSEN, QuotaFiles, choices, from_file

PROVIDER = Provider(
    id="jetbrains",
    name="JetBrains AI",
    kind=ProviderKind.CODING,
    aliases=("jetbrains-ai", "jetbrains-ai-assistant"),
    connect="Enable AI Assistant in a JetBrains IDE and use it once.",
    summary="Monthly AI credits used and left, as the IDE last wrote them.",
    options=(Option(CHOSEN, "The IDE's configuration folder; detected when empty.", choices=choices),),
    strategies=(Strategy.cli(from_file, QuotaFiles(), label="local"),),
)
