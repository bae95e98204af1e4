"""The local half: tokens per model from the CLI's chat files, without network or login."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from quotaline_providers import Context, Usage
from quotaline_providers.vendors.codebuff.credentials import Folders


async def from_chats(ctx: Context, folders: Folders) -> Usage:
    """The local half."""
    read_chats = await ctx.files.in_thread(_reader)
    return await read_chats(ctx, folders)


def _reader() -> Callable[[Context, Folders], Awaitable[Usage]]:
    """Imported only where there are chats, and not in the event loop."""
    from quotaline_providers.vendors.codebuff.totals import read_chats

    return read_chats
