"""What providers remember between reads, kept in the shared store."""

from __future__ import annotations

from datetime import datetime

from quotaline.store.thread import StoreThread


class SharedNotes:
    """Implements `contract.Memory` for all programs of a user."""

    def __init__(self, store: StoreThread) -> None:
        self._store = store

    async def get(self, key: str) -> str | None:
        return await self._store.do(lambda store: store.note(f"provider:{key}"))

    async def set(self, key: str, value: str, until: datetime | None = None) -> None:
        await self._store.do(lambda store: store.keep_note(f"provider:{key}", value, until))

    async def forget(self, key: str) -> None:
        await self._store.do(lambda store: store.drop_note(f"provider:{key}"))
