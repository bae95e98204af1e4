"""Amp's program: what `amp usage` prints."""

from __future__ import annotations

from pathlib import Path

from quotaline_providers import BadResponse, Context, Unavailable, Usage
from quotaline_providers.vendors.amp.mapping import to_usage
from quotaline_providers.vendors.amp.payloads import parse_display

SECONDS = 15.0


async def from_cli(ctx: Context, program: Path) -> Usage:
    """What `amp usage` prints, on either stream. Raises ReadError."""
    ended = await ctx.processes.run(
        (program, "usage"), timeout=SECONDS, env={**ctx.variables("AMP_URL", "AMP_SETTINGS_FILE"), "NO_COLOR": "1"}
    )
    if ended.exit_code:
        raise Unavailable(f"`amp usage` failed with exit code {ended.exit_code}.", "Run `amp usage` to see why.")
    text = ended.stdout if ended.stdout.strip() else ended.stderr
    if not text.strip():
        raise BadResponse("`amp usage` printed nothing.")
    return to_usage(parse_display(text), ctx.now)
