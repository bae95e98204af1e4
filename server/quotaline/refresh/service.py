"""The service: one program's view of all accounts, for the language server and the commands.

What it knows is in `known`, which accounts there are in `accounts`; `reading` reads one, `loop` does so in the
background. All of them change `known`, and the service publishes a `Snapshot` of it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from quotaline.config import Config
from quotaline.detection.detect import Target, detected, not_loaded
from quotaline.refresh import scheduler
from quotaline.refresh.accounts import Accounts, Detect
from quotaline.refresh.known import Known
from quotaline.refresh.loop import RefreshLoop
from quotaline.refresh.reading import Cause, Reader, Request
from quotaline.refresh.status_pages import StatusPages, page_of
from quotaline.settings import Settings
from quotaline.state import AUTOMATIC, NOBODY, ProviderState, Snapshot
from quotaline.store.store import Store
from quotaline.store.thread import StoreThread
from quotaline_providers.diagnostics import note_defect
from quotaline_providers.hosts.machine import Machine
from quotaline_providers.run import Outcome
from quotaline_providers.settings import SourceChoice

FRESH = timedelta(minutes=5)
"""How old a usage may be to stand for a new read."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh came to, for one account. `fetched` is false when another program's read, a read a moment ago, a
    promised wait or the back-off after a failure answered instead, or when this program may no longer ask."""

    state: ProviderState
    fetched: bool
    outcome: Outcome | None = None


class Service:
    """`open` shows what the store knows; `start` begins to refresh; `refresh` reads now; `close` ends everything.

    Subscribers are called in the event loop with a `Snapshot` after every visible change.
    """

    def __init__(
        self,
        store: StoreThread,
        machine: Machine,
        config: Config,
        settings: Settings,
        chance: random.Random | None = None,
        detect: Detect = detected,
    ) -> None:
        self._store = store
        self._machine = machine
        self._known = Known(config, settings, self._publish)
        self._wake = asyncio.Event()
        self._accounts = Accounts(store, machine, self._known, detect)
        self._reader = Reader(store, machine, self._known, self._wake)
        self._statuses = StatusPages(store, machine)
        jitter = chance or random.Random()  # noqa: S311 (not cryptography)
        self._loop = RefreshLoop(
            store, self._known, self._accounts, self._reader, self._statuses, self._wake, machine.clock, jitter
        )
        self._loop_task: asyncio.Task[None] | None = None
        self._event_loop: asyncio.AbstractEventLoop | None = None
        self._subscribers: list[Callable[[Snapshot], None]] = []
        self._is_publishing = False
        self._version_changed: str | None = None

    # --- life ---

    async def open(self) -> None:
        """Take over what the store knows: what was shown last is shown again, before this machine is searched."""
        self._event_loop = asyncio.get_running_loop()
        readings = await self._store.do(Store.readings)
        await self._accounts.open()
        self._known.load(readings, frozenset())
        await self._statuses.reload(self._known.providers)

    async def start(self) -> None:
        """Begin to refresh in the background. Returns at once."""
        self._known.interacted(self._machine.clock())
        self._loop_task = asyncio.create_task(self._loop.run(), name="refresh loop")

    async def close(self) -> None:
        """Stop all reads (their programs too), give leases back, close the store."""
        tasks = [task for task in (self._loop_task, *self._reader.tasks, *self._loop.status_tasks) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await self._machine.close()
        finally:
            await self._store.close()

    # --- what is known ---

    @property
    def detected(self) -> bool:
        """Whether this machine was searched since the start."""
        return self._accounts.detected

    @property
    def targets(self) -> tuple[Target, ...]:
        return self._known.targets

    @property
    def trouble(self) -> str | None:
        """Why the shared store is not used, if it is not."""
        return self._store.trouble

    @property
    def drawn_from(self) -> list[list[str | float | None]]:
        """Which readings the snapshot is made of: each account's key and when it was attempted (epoch seconds)."""
        readings = sorted(self._known.readings.values(), key=lambda reading: reading.key)
        return [[one.key, one.attempted_at.timestamp() if one.attempted_at else None] for one in readings]

    def snapshot(self) -> Snapshot:
        """All states now, in display order."""
        states = tuple(self._state(target) for target in self._known.targets)
        restart_due = self._store.restart_due or self._version_changed
        broken = not_loaded(self._known.config, self._machine)
        return Snapshot(states, self._known.config_problem, restart_due, broken, self.detected)

    def state(self, key: str, source: SourceChoice | None = None) -> ProviderState:
        """One account's state, as far as it is known from this source. Raises KeyError."""
        return self._state(self._known.target(key), source)

    def _state(self, target: Target, source: SourceChoice | None = None) -> ProviderState:
        provider, reading = target.provider, self._known.reading(target, source)
        usage = reading.usage if reading else None
        failure = reading.failure if reading else None
        every, now = self._loop.interval(provider), self._machine.clock()
        entry = self._known.config.provider(provider.id)
        return ProviderState(
            provider=provider.id,
            name=provider.name,
            account=target.account_label,
            active=target.active,
            usage=usage,
            failure=failure,
            stale=usage is not None and scheduler.is_stale(usage, failure is not None, every, now),
            refreshing=self._reader.is_reading(target.key) or target.key in self._known.leased,
            next_refresh=self._loop.next_refresh(target),
            dashboard=provider.dashboard,
            requested_source=source or entry.source or "auto",
            status=self._statuses.of(provider) if self._known.settings.check_status else None,
            chosen=entry.enabled is True,
            metric=entry.metric or AUTOMATIC,
            low_balance=entry.low_balances,
            held=reading.held if reading else NOBODY,
            alone=len(self._known.chosen([provider.id])) == 1,
        )

    async def is_fresh(self, key: str, source: SourceChoice | None = None) -> bool:
        """Whether the stored usage can stand for a new read: young, without error, and of the same credential."""
        target = self._known.target(key)
        reading = self._known.reading(target, source)
        if reading is None or reading.usage is None or reading.failure is not None or reading.attempted_at is None:
            return False
        if abs(self._machine.clock() - reading.attempted_at) > FRESH:
            return False
        return reading.fingerprint in await self._reader.fingerprints(target, source, {reading.fingerprint})

    async def credential_changed(self, key: str, source: SourceChoice | None = None) -> bool:
        """Whether what the store knows was read with another credential, or another config entry, than would be now."""
        target = self._known.target(key)
        stored = self._known.readings.get(self._known.question(target, source).key)
        if stored is None:
            return False
        if self._known.reading(target, source) is None:
            return True
        used = {stored.fingerprint, *stored.tried} - {""}
        present = await self._reader.fingerprints(target, source, used) if used else set()
        return bool(present) and not used & present

    # --- what the user does ---

    def interact(self) -> None:
        """The user was there: refresh sooner."""
        self._known.interacted(self._machine.clock())
        self._wake.set()

    def use_settings(self, settings: Settings) -> None:
        """Take new client settings."""
        self._known.use_settings(settings)
        self._wake.set()

    async def use_config(self, config: Config, problem: str | None = None) -> None:
        """Take a new config (or only note that the file is broken, when it is the same one)."""
        new = config is not self._known.config
        self._known.use_config(config, problem)
        if new:
            await self.rescan()
        self._wake.set()

    def restart_due(self, message: str) -> None:
        """Tell the user that the installed version has changed. May be called in any thread. This program goes on with
        what it has loaded; it stops asking vendors only when a newer one has taken over the store."""
        self._version_changed = message
        if self._event_loop is not None:
            with suppress(RuntimeError):  # it is closed
                self._event_loop.call_soon_threadsafe(self._publish)

    async def rescan(self) -> None:
        """Find out which accounts this machine has, without prompting, network or programs."""
        await self._accounts.rescan()

    def include(self, ids: Iterable[str]) -> None:
        """Add the accounts of these providers, also when nothing of them was found, because the user named them."""
        self._accounts.include(ids)

    async def forget(self, provider: str) -> None:
        """Drop what is known of a provider: its credential has changed. Every sidecar reads it again."""
        for key in [key for key, reading in self._known.readings.items() if reading.provider == provider]:
            await self._reader.forget(key)
        await self.rescan_everywhere()

    async def rescan_everywhere(self) -> None:
        """Have every sidecar find out again which accounts there are."""
        await self._accounts.tell_credentials_changed()

    def reread(self, provider: str) -> None:
        """Read a provider's accounts again in the background: its credential has changed."""
        for target in self._known.chosen([provider]):
            self._reader.begin(Request(target, "user", force=True))

    async def refresh(
        self,
        keys: Sequence[str] | None = None,
        *,
        source: SourceChoice | None = None,
        interactive: bool = True,
        force: bool = False,
        anyway: bool = False,
        on_done: Callable[[Refreshed], None] | None = None,
    ) -> list[Refreshed]:
        """Read these accounts (provider ids or keys; all shown ones when None) now, and tell what came of each.

        `interactive` says that the user wants them read now: then it may prompt. `force` reads whatever was read a
        moment ago: that was with another credential. `anyway` asks vendors that want to be left alone, where their
        providers allow it.
        """
        if not self.detected:  # called in the first moments
            await self.rescan()
        cause: Cause = "user" if interactive else "view"
        if interactive:
            self._known.interacted(self._machine.clock())

        async def refreshed(target: Target) -> Refreshed:
            read = await asyncio.shield(self._reader.begin(Request(target, cause, source, force, anyway)))
            done = Refreshed(self._state(target, source), read.fetched, read.outcome)
            if on_done is not None:
                on_done(done)
            return done

        targets = self._known.targets if keys is None else self._known.chosen(keys)
        return list(await asyncio.gather(*(refreshed(target) for target in targets)))

    async def check_statuses(self, keys: Iterable[str]) -> None:
        """Learn what the vendors of these accounts say of their services, from the store while that is young."""
        providers = {page_of(target.provider): target.provider for target in self._known.chosen(keys)}
        await asyncio.gather(*(self._statuses.read(provider, patient=True) for provider in providers.values()))

    # --- publishing ---

    def subscribe(self, subscriber: Callable[[Snapshot], None]) -> None:
        self._subscribers.append(subscriber)

    def _publish(self) -> None:
        """Publish a snapshot soon: the changes of one moment go out together."""
        if self._subscribers and not self._is_publishing:
            self._is_publishing = True
            asyncio.get_running_loop().call_soon(self._publish_now)

    def _publish_now(self) -> None:
        self._is_publishing = False
        snapshot = self.snapshot()
        for subscriber in self._subscribers:
            try:
                subscriber(snapshot)
            except Exception as error:  # the others are to be told all the same
                note_defect("a subscriber", error)
