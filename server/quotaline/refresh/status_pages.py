"""Vendors' status pages: each is read beside the usage, at most every few minutes and by one of all sidecars."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from quotaline.state import VendorStatus
from quotaline.store.store import Store
from quotaline.store.thread import StoreThread
from quotaline_providers.contract import Provider, StatusKind
from quotaline_providers.diagnostics import note_defect
from quotaline_providers.errors import ReadError
from quotaline_providers.hosts.machine import Machine
from quotaline_providers.parsing.payload import to_time

if TYPE_CHECKING:
    from quotaline_providers.fetching.status_page import ServiceStatus

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=5)
"""The least time between two reads of one page, whether they succeed or not."""
SHOWN_FOR = timedelta(hours=1)
"""How long a status is shown that could not be read again."""
LEASE_SECONDS = 30.0
_POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Noted:
    """What is known of one page: when it was requested last, and what it said last, at `read_at`."""

    asked_at: datetime
    status: VendorStatus | None = None
    read_at: datetime | None = None


def page_of(provider: Provider) -> str | None:
    """The key of the provider's status page: its address and product. None when it has none that is read."""
    page = provider.status
    if page is None or page.kind is StatusKind.LINK:
        return None
    address = page.url.rstrip("/")
    return f"{address}#{page.product}" if page.product else address


class StatusPages:
    """The status pages of all providers, as the shared store knows them."""

    def __init__(self, store: StoreThread, machine: Machine) -> None:
        self._store = store
        self._machine = machine
        self._noted: dict[str, Noted] = {}
        self._reading: set[str] = set()

    def of(self, provider: Provider) -> VendorStatus | None:
        """What the vendor says now; None when it is not known, or only from too long ago."""
        page = page_of(provider)
        noted = self._noted.get(page) if page is not None else None
        if noted is None or noted.read_at is None or abs(self._now - noted.read_at) > SHOWN_FOR:
            return None
        return noted.status

    def is_due(self, provider: Provider, attempted_at: datetime) -> bool:
        """Whether to read the page again: the last time is long enough ago, and the provider was read since."""
        page = page_of(provider)
        if page is None or page in self._reading:
            return False
        noted = self._noted.get(page)
        return self._is_old(page) and (noted is None or attempted_at > noted.asked_at or noted.asked_at > self._now)

    async def reload(self, providers: Iterable[Provider]) -> bool:
        """Take over what the store knows of these providers' pages. Whether that was something new."""
        pages = {page for provider in providers if (page := page_of(provider)) is not None}
        if not pages:
            return False

        def notes(store: Store) -> dict[str, str | None]:
            return {page: store.note(_note(page)) for page in pages}

        texts = await self._store.do(notes)
        found = {page: noted for page, text in texts.items() if (noted := _decoded(text)) is not None}
        changed = any(self._noted.get(page) != noted for page, noted in found.items())
        self._noted |= found
        return changed

    async def read(self, provider: Provider, *, patient: bool = False) -> bool:
        """Read the page unless that was done a moment ago or another sidecar is doing it; a `patient` caller waits for
        that one's result. A failure changes nothing but the time of the next try. Whether something is new."""
        page = page_of(provider)
        if page is None or page in self._reading:
            return False
        self._reading.add(page)
        try:
            while not await self._store.do(lambda store: store.lease(_note(page), LEASE_SECONDS)):
                if not patient:
                    return False
                await asyncio.sleep(_POLL_SECONDS)
            try:
                changed = await self.reload([provider])
                due = self._is_old(page) and self._store.restart_due is None
                return await self._fetch(provider, page) if due else changed
            finally:
                await asyncio.shield(self._store.do(lambda store: store.release(_note(page))))
        finally:
            self._reading.discard(page)

    async def _fetch(self, provider: Provider, page: str) -> bool:
        asked_at, earlier = self._now, self._noted.get(page)
        found: ServiceStatus | None = None
        try:
            # Away from the event loop: the module builds the models of three kinds of pages.
            module = await asyncio.to_thread(import_module, "quotaline_providers.fetching.status_page")
            found = await module.read_status(provider, self._machine.http, asked_at)
        except ReadError as error:
            log.info("the status page of %s could not be read: %s", provider.id, error.kind)
        except Exception as error:
            note_defect(f"reading the status page of {provider.id}", error)
        if found is not None:
            noted = Noted(asked_at, VendorStatus.of(found), asked_at)
        elif earlier is not None:
            noted = Noted(asked_at, earlier.status, earlier.read_at)
        else:
            noted = Noted(asked_at)
        self._noted[page] = noted
        text, until = _encoded(noted), asked_at + SHOWN_FOR
        await self._store.do(lambda store: store.keep_note(_note(page), text, until))
        return found is not None

    @property
    def _now(self) -> datetime:
        return self._machine.clock()

    def _is_old(self, page: str) -> bool:
        """A time in the future was written before the clock was set back, and does not count."""
        noted = self._noted.get(page)
        return noted is None or not timedelta() <= self._now - noted.asked_at < EVERY


def _note(page: str) -> str:
    return f"status:{page}"


def _encoded(noted: Noted) -> str:
    status = noted.status
    return json.dumps(
        {
            "askedAt": noted.asked_at.isoformat(),
            "readAt": noted.read_at.isoformat() if noted.read_at is not None else None,
            "indicator": status.indicator if status is not None else None,
            "description": status.description if status is not None else None,
            "updatedAt": status.updated_at.isoformat() if status is not None and status.updated_at else None,
            "url": status.url if status is not None else None,
        }
    )


def _decoded(text: str | None) -> Noted | None:
    """None for a note that cannot be understood."""
    try:
        value: Any = json.loads(text or "null")
        asked_at = to_time(value["askedAt"])
        if asked_at is None:
            return None
        if not value["indicator"]:
            return Noted(asked_at)
        status = VendorStatus(
            str(value["indicator"]), str(value["url"]), str(value["description"]), to_time(value["updatedAt"])
        )
        return Noted(asked_at, status, to_time(value["readAt"]))
    except (ValueError, TypeError, KeyError):
        return None
