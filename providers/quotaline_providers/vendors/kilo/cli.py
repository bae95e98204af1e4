"""The account of the login that Kilo's own program keeps."""

from __future__ import annotations

from pathlib import Path

from quotaline_providers import Context, Secret, Usage
from quotaline_providers.vendors.kilo.api import read_account
from quotaline_providers.vendors.kilo.credentials import token_of


async def from_cli(ctx: Context, found: Path | Secret) -> Usage:
    """The account of the program's login, and its organisations. Raises ReadError."""
    return await read_account(ctx, await token_of(ctx, found))
