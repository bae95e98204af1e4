"""The background loop: takes over what other programs have written, and begins to read what is due."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from quotaline.detection.detect import Target
from quotaline.refresh import scheduler
from quotaline.refresh.accounts import Accounts
from quotaline.refresh.known import Known
from quotaline.refresh.reading import AFTER_DEFECT, Reader, Request
from quotaline.refresh.status_pages import StatusPages
from quotaline.refresh.waits import NOT_ASKED, past
from quotaline.store.reading import Reading
from quotaline.store.store import Store
from quotaline.store.thread import StoreThread
from quotaline_providers import diagnostics
from quotaline_providers.contract import Provider
from quotaline_providers.diagnostics import note_defect

LEASED_SECONDS = 0.75
"""The time between two rounds while another program reads an account: its death changes nothing in the store."""
SHORTEST_SLEEP_SECONDS = 0.25
LOOK_AGAIN = timedelta(minutes=5)
"""How often, while a vendor is to be left alone, the loop sees whether there is another credential."""
LONGEST_SLEEP_SECONDS = 5.0
"""The clock may be set, and computers sleep."""


class RefreshLoop:
    """Begins the reads of a service. `wake` ends its sleep."""

    def __init__(
        self,
        store: StoreThread,
        known: Known,
        accounts: Accounts,
        reader: Reader,
        statuses: StatusPages,
        wake: asyncio.Event,
        clock: Callable[[], datetime],
        chance: random.Random,
    ) -> None:
        self._store = store
        self._known = known
        self._accounts = accounts
        self._reader = reader
        self._statuses = statuses
        self._wake = wake
        self._clock = clock
        self._chance = chance
        self._version: int | None = None
        self._restart_due: str | None = None
        self._jitter: dict[str, tuple[datetime, datetime]] = {}
        self._looked: dict[str, datetime] = {}
        self.status_tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Search this machine, then go on for ever. A round that fails is noted, and another one made."""
        await self._accounts.credentials_changed()  # up to now does not count
        try:
            await self._accounts.rescan()
        except Exception as error:
            note_defect("detection", error)
        self._store.watch(self._wake.set)
        while True:
            try:
                sleep = await self.round()
            except Exception as error:
                note_defect("a round of the refresh loop", error)
                sleep = LONGEST_SLEEP_SECONDS
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), sleep)
            self._wake.clear()

    async def round(self) -> float:
        """Take over what is new in the store and begin what is due. The seconds to sleep then."""
        diagnostics.restart_due()  # which tells the service when an update has replaced this program
        version = await self._store.do(Store.version)
        if version != self._version and self._version is not None and await self._accounts.credentials_changed():
            await self._accounts.rescan()
        if version != self._version or self._known.leased:
            await self.reload()
            self._version = version
        if self._restart_due != self._store.restart_due:
            self._restart_due = self._store.restart_due
            self._known.changed()
        self.begin_due()
        return LEASED_SECONDS if self._known.leased else self._until_due()

    async def reload(self) -> None:
        """Take over all that the store knows."""
        readings, leased = await self._store.do(lambda store: (store.readings(), store.leased()))
        new_status = await self._statuses.reload(self._known.providers)
        self._known.load(readings, leased)
        if new_status:
            self._known.changed()

    def begin_due(self) -> None:
        """Begin to read the accounts that are due, and when there are none the status pages that are."""
        for target in self._known.targets:
            when = self.next_refresh(target)
            if when is None or self._reader.is_reading(target.key):
                continue
            if when <= self._clock() or self._may_be_another_credential(target):
                self._reader.begin(Request(target, "timer"))
        if self._known.settings.check_status and self._reader.idle and self._store.restart_due is None:
            self._begin_statuses()

    def _may_be_another_credential(self, target: Target) -> bool:
        """Whether to see once more if the credential is still the one that is to wait. If so, nobody is asked."""
        reading, now = self._known.reading(target), self._clock()
        if reading is None or not scheduler.in_force(reading.cool_until, now):
            self._looked.pop(target.key, None)
            return False
        last = self._looked.setdefault(target.key, now)
        if abs(now - last) < LOOK_AGAIN:
            return False
        self._looked[target.key] = now
        return True

    def _until_due(self) -> float:
        """Seconds to sleep, at least a moment: what is due and was not begun will not be so at once."""
        targets = (target for target in self._known.targets if not self._reader.is_reading(target.key))
        due = scheduler.soonest(self.next_refresh(target) for target in targets)
        wait = LONGEST_SLEEP_SECONDS if due is None else (due - self._clock()).total_seconds()
        return min(max(wait, SHORTEST_SLEEP_SECONDS), LONGEST_SLEEP_SECONDS)

    # --- when an account is due ---

    def interval(self, provider: Provider) -> timedelta | None:
        """The normal time between two reads now; None when only the user starts them."""
        own = self._known.config.provider(provider.id).refresh_minutes
        cadence: scheduler.Cadence = own if own is not None else self._known.settings.refresh
        return scheduler.interval(cadence, self._known.last_interaction, provider.min_interval, self._clock())

    def next_refresh(self, target: Target) -> datetime | None:
        """When the account is to be read next; None when that is never without the user, or not by this program."""
        if self._store.restart_due is not None:
            return None
        now, every = self._clock(), self.interval(target.provider)
        before = past(self._known.reading(target))
        when = scheduler.due(before, every, target.provider.min_interval, now)
        paused = self._known.paused.get(target.key)
        if when is not None and paused is not None and scheduler.in_force(paused, now, AFTER_DEFECT):
            when = max(when, paused)
        if when is None or every is None or before.attempted_at is None or when == now:  # `now` is no fixed moment
            return when
        base, later = self._jitter.get(target.key, (None, None))
        if base != when or later is None:
            later = scheduler.jittered(when, every, self._chance)
            self._jitter[target.key] = (when, later)
        return later

    # --- status pages ---

    def _begin_statuses(self) -> None:
        """Read the pages of the vendors whose usage was read since."""
        for target in self._known.targets:
            provider, reading = target.provider, self._known.reading(target)
            if reading is None or reading.attempted_at is None or not _is_connected(reading):
                continue
            if self._statuses.is_due(provider, reading.attempted_at):
                task = asyncio.create_task(self._read_status(provider), name=f"status page of {provider.id}")
                self.status_tasks.add(task)
                task.add_done_callback(self.status_tasks.discard)

    async def _read_status(self, provider: Provider) -> None:
        try:
            if await self._statuses.read(provider):
                self._known.changed()
        except Exception as error:  # such as a store's
            note_defect(f"the read of the status page of {provider.id}", error)


def _is_connected(reading: Reading) -> bool:
    """Whether there was something to ask the vendor with."""
    return reading.failure is None or reading.failure.kind not in NOT_ASKED
