"""The local half: tokens per model from the CLI's chat files, without network or login."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from quotaline_providers import Context, Usage


async def from_chats(ctx: Context, roots: tuple[Path, ...]) -> Usage:
    """The local half."""
    read_chats = await ctx.files.in_thread(_reader)
    return await read_chats(ctx, roots)


def _reader() -> Callable[[Context, tuple[Path, ...]], Awaitable[Usage]]:
    """Imported only where there are chats, and not in the event loop."""
    from quotaline_providers.vendors.codebuff.totals import read_chats

    return read_chats
