"""Where GroqCloud's service is."""

from __future__ import annotations

from quotaline_providers.access.endpoints import base_address
from quotaline_providers.contract import Context

OVERRIDE = "GROQ_API_URL"
OFFICIAL = "https://api.groq.com/v1"


def api_base(ctx: Context) -> str:
    """The address without a trailing slash. Raises Misconfigured."""
    return base_address(ctx.env(OVERRIDE), OVERRIDE, OFFICIAL)
