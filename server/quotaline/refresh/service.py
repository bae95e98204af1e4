"""Ties config, store, scheduler and providers together and publishes what changed. Only this changes state."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar

from quotaline.config import Config
from quotaline.detection.detect import Target, detected, loaded, profiles, targets_of
from quotaline.refresh import drift, scheduler
from quotaline.refresh.outcome import apply
from quotaline.refresh.status_pages import StatusPages, page_of
from quotaline.settings import Settings
from quotaline.state import ProviderState, Snapshot
from quotaline.store.store import Reading, Store
from quotaline.store.thread import StoreThread as StoreThread
from quotaline_providers import registry
from quotaline_providers.contract import Account, Context, Provider
from quotaline_providers.diagnostics import note_defect
from quotaline_providers.errors import BadResponse, Kind, MissingCredential, ReadError
from quotaline_providers.hosts.machine import Machine
from quotaline_providers.run import Outcome, fingerprint, plan, run
from quotaline_providers.settings import SourceChoice

T = TypeVar("T")
Cause = Literal["user", "view", "timer"]
"""Why an account is read: the user wants it read now, somebody waits to see it, or it is due. Only the first is
interactive: it may prompt, and is answered with a read of this moment only."""

POLL_SECONDS = 0.75
"""How often leases of others are looked at, while there are any."""
REST_SECONDS = 5.0
"""The longest sleep between two looks at what is due: the clock may be set, and computers sleep."""
COALESCE = timedelta(seconds=3)
LEASE_MARGIN_SECONDS = 15
SHOWN_NOTE = "shown"
CREDENTIALS_NOTE = "credentials"
"""When a credential was kept or removed last: there may be other accounts than before."""
FRESH = timedelta(minutes=5)
AFTER_DEFECT = timedelta(minutes=5)
"""How long an account rests whose read failed inside Quotaline."""


class SharedNotes:
    """The providers' memory, kept in the shared store."""

    def __init__(self, call: StoreThread) -> None:
        self._store = call

    async def get(self, key: str) -> str | None:
        return await self._store.do(lambda store: store.note(f"provider:{key}"))

    async def set(self, key: str, value: str, until: datetime | None = None) -> None:
        await self._store.do(lambda store: store.keep_note(f"provider:{key}", value, until))

    async def forget(self, key: str) -> None:
        await self._store.do(lambda store: store.drop_note(f"provider:{key}"))


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh the user asked for came to, for one account. `asked` is false when another sidecar's read, a read
    a moment ago, or a promised wait answered instead."""

    state: ProviderState
    asked: bool
    outcome: Outcome | None = None


class Service:
    """One sidecar's (or one command's) view of all accounts.

    `open` shows what the store knows; `start` begins to refresh; `refresh` reads now. Subscribers are called in the
    event loop with a `Snapshot` after every visible change.
    """

    def __init__(
        self,
        store: StoreThread,
        machine: Machine,
        config: Config,
        settings: Settings,
        chance: random.Random | None = None,
        detect: Callable[[Config, Machine], Awaitable[tuple[Target, ...]]] = detected,
    ) -> None:
        self._detect = detect
        self._store = store
        self._machine = machine
        self._config = config
        self._settings = settings
        self._chance = chance or random.Random()  # noqa: S311 (jitter, not cryptography)
        self._targets: tuple[Target, ...] = ()
        self._readings: dict[str, Reading] = {}
        self._own: dict[str, Reading] = {}
        self._reading_now: dict[str, tuple[Target, Cause, asyncio.Task[Refreshed]]] = {}
        self._tasks: set[asyncio.Task[Refreshed]] = set()
        self._statuses = StatusPages(store, machine)
        self._status_tasks: set[asyncio.Task[None]] = set()
        self._resting: dict[str, datetime] = {}
        self._looking = asyncio.Lock()
        self._leased: frozenset[str] = frozenset()
        self._last_look: datetime | None = None
        self._config_problem: str | None = None
        self._subscribers: list[Callable[[Snapshot], None]] = []
        self._telling = False
        self._wake = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._detected = False
        self._jitter: dict[str, tuple[datetime, datetime]] = {}

    # --- what others see ---

    @property
    def detected(self) -> bool:
        """Whether the machine has been looked over since the start."""
        return self._detected

    @property
    def targets(self) -> tuple[Target, ...]:
        return self._targets

    @property
    def trouble(self) -> str | None:
        """Why the shared store is not used, if it is not."""
        return self._store.trouble

    @property
    def drawn_from(self) -> list[list[str | float | None]]:
        """Which readings the snapshot is made of: each account's key and when it was attempted (epoch seconds)."""
        readings = sorted(self._readings.values(), key=lambda reading: reading.key)
        return [[one.key, one.attempted_at.timestamp() if one.attempted_at else None] for one in readings]

    def subscribe(self, subscriber: Callable[[Snapshot], None]) -> None:
        self._subscribers.append(subscriber)

    def snapshot(self) -> Snapshot:
        """All states now, in display order."""
        return Snapshot(tuple(self._state(target) for target in self._targets), self._config_problem)

    def state(self, key: str) -> ProviderState:
        """One account's state. Raises KeyError."""
        return self._state(self._target(key))

    def interact(self) -> None:
        """The user looked: refresh sooner."""
        self._last_look = self._machine.clock()
        self._wake.set()

    def use_settings(self, settings: Settings) -> None:
        """Take new client settings."""
        self._settings = settings
        self._publish()
        self._wake.set()

    async def use_config(self, config: Config, problem: str | None = None) -> None:
        """Take a new config (or only note that the file is broken, when it is the same one)."""
        self._config_problem = problem
        if config is not self._config:
            self._config = config
            await self.rescan()
        self._publish()
        self._wake.set()

    def include(self, ids: Iterable[str]) -> None:
        """Take these providers in even when nothing of them was found, because the user named them."""
        known = {target.provider for target in self._targets}
        named = (registry.get(id) for id in ids if id not in known)
        more = (target for provider in named for target in targets_of(provider, self._config, self._machine))
        self._targets = (*self._targets, *more)

    async def forget(self, provider: str) -> None:
        """Drop what is known of a provider: its credential has changed. Every sidecar reads it anew."""
        for key in [key for key, reading in self._readings.items() if reading.provider == provider]:
            await self._forget(key)
        changed = self._machine.clock().isoformat()
        await self._store.do(lambda store: store.keep_note(CREDENTIALS_NOTE, changed))
        self._publish()

    async def _forget(self, key: str) -> None:
        self._readings.pop(key, None)
        self._own.pop(key, None)
        await self._store.do(lambda store: store.drop(key))

    async def is_fresh(self, key: str, source: SourceChoice | None = None) -> bool:
        """Whether the stored usage can stand for a new read: young, without error, and of the same credential."""
        target = self._target(key)
        reading = self._current(target)
        if reading is None or reading.usage is None or reading.failure is not None or reading.attempted_at is None:
            return False
        if reading.source != (source or "auto") or self._machine.clock() - reading.attempted_at > FRESH:
            return False
        return reading.fingerprint in await self._fingerprints(target, source)

    async def credential_changed(self, key: str, source: SourceChoice | None = None) -> bool:
        """Whether what the store knows was read with another credential, or another config entry, than would be now."""
        target, reading = self._target(key), self._readings.get(key)
        if reading is None:
            return False
        if self._current(target) is None:
            return True
        if not reading.fingerprint:
            return False
        present = await self._fingerprints(target, source)  # none when it cannot be told, as with a locked keyring
        return bool(present) and reading.fingerprint not in present

    async def _fingerprints(self, target: Target, source: SourceChoice | None) -> set[str]:
        provider = registry.get(target.provider)
        found: set[str] = set()
        try:
            ctx = await self._context(target, interactive=False)
            for strategy in plan(provider, ctx, source):
                with suppress(ReadError):
                    found.add(fingerprint(strategy, await strategy.lookup.find(ctx)))
        except ReadError:  # then it is read, which tells what is wrong
            pass
        except Exception as error:
            note_defect(f"looking for the credential of {provider.id}", error)
        return found

    def reread(self, provider: str) -> None:
        """Read a provider's accounts anew in the background: its credential has changed."""
        for target in self._chosen([provider]):
            self._begin(target, "user", anew=True)

    # --- life ---

    async def open(self) -> None:
        """Take over what the store knows: what was shown last is shown again, before anything is looked for."""
        self._readings = await self._store.do(Store.readings)
        shown = await self._store.do(lambda store: store.note(SHOWN_NOTE))
        self._targets = await asyncio.to_thread(self._remembered, shown)  # it imports providers
        await self._statuses.reload(self._shown_providers())
        self._publish()

    async def rescan(self) -> None:
        """Find out which providers this machine has, without prompting, network or programs."""
        async with self._looking:
            targets = await self._detect(self._config, self._machine)
            changed = targets != self._targets
            self._targets = targets
            self._detected = True
            if changed:
                shown = json.dumps([[target.provider, target.account_label] for target in targets])
                await self._store.do(lambda store: store.keep_note(SHOWN_NOTE, shown))
        self._publish()

    async def start(self) -> None:
        """Begin to refresh in the background. Returns at once."""
        self._last_look = self._machine.clock()
        self._loop = asyncio.create_task(self._refresh_for_ever(), name="refresh loop")

    async def close(self) -> None:
        """Stop all reads (their programs too), give leases back, close the store."""
        running = [task for task in (self._loop, *self._tasks, *self._status_tasks) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        try:
            await self._machine.close()
        finally:
            await self._store.close()

    # --- refreshing ---

    async def refresh(
        self,
        keys: Sequence[str] | None = None,
        *,
        source: SourceChoice | None = None,
        interactive: bool = True,
        anew: bool = False,
        on_done: Callable[[Refreshed], None] | None = None,
    ) -> list[Refreshed]:
        """Read these accounts (provider ids or keys; all shown ones when None) now, and tell what came of each.

        `interactive` says that the user wants them read now: then it may prompt. `anew` reads whatever was read a
        moment ago or promised to the vendor: that was with another credential.
        """
        if not self._detected:  # asked in the first moments: there is nothing to read yet
            await self.rescan()
        cause: Cause = "user" if interactive else "view"
        targets = self._targets if keys is None else self._chosen(keys)
        if interactive:
            self._last_look = self._machine.clock()

        async def one(target: Target) -> Refreshed:
            done = await asyncio.shield(self._begin(target, cause, source=source, anew=anew))
            if on_done is not None:
                on_done(done)
            return done

        return list(await asyncio.gather(*(one(target) for target in targets)))

    def _chosen(self, keys: Iterable[str]) -> tuple[Target, ...]:
        wanted = set(keys)
        return tuple(target for target in self._targets if target.key in wanted or target.provider in wanted)

    def _begin(
        self, target: Target, cause: Cause, *, source: SourceChoice | None = None, anew: bool = False
    ) -> asyncio.Task[Refreshed]:
        """Start a read, or join the one under way when it will give what is wanted; else it comes after that one.

        What the user wants is more than a background read may do. Its answer will be taken, but not its failure.
        """
        earlier: asyncio.Task[Refreshed] | None = None
        if target.key in self._reading_now:
            reading, for_whom, earlier = self._reading_now[target.key]
            enough = cause != "user" or for_whom == "user"
            if source is None and not anew and reading == target and enough:
                return earlier
        work = self._read_after(earlier, target, cause, source, anew)
        task = asyncio.create_task(work, name=f"read {target.key}")
        self._reading_now[target.key] = (target, cause, task)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(target.key, done))
        return task

    def _ended(self, key: str, task: asyncio.Task[Refreshed]) -> None:
        self._tasks.discard(task)
        if key in self._reading_now and self._reading_now[key][-1] is task:
            del self._reading_now[key]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._resting[key] = self._machine.clock() + AFTER_DEFECT
            note_defect(f"the read of {key.partition('/')[0]}", error)
        self._wake.set()
        self._publish()

    async def _read_after(
        self,
        earlier: asyncio.Task[Refreshed] | None,
        target: Target,
        cause: Cause,
        source: SourceChoice | None,
        anew: bool,
    ) -> Refreshed:
        if earlier is not None:
            await asyncio.wait([earlier])
        if anew:
            await self._forget(target.key)
        return await self._read(target, cause, source)

    async def _read(self, target: Target, cause: Cause, source: SourceChoice | None) -> Refreshed:
        provider = registry.get(target.provider)
        now = self._machine.clock()
        known = self._current(target)
        hurries = cause == "user" and provider.manual_ignores_cooldown
        if _promised(known, source, now) and not hurries:
            return Refreshed(self._state(target), asked=False)
        threshold: datetime | None = self._unknown_since(known) if cause == "timer" else now - COALESCE
        if source is not None or (cause == "user" and _may_be_cured(known)):
            threshold = None
        seconds = provider.deadline + LEASE_MARGIN_SECONDS
        self._publish()

        def leased(store: Store) -> bool:
            return store.lease(target.key, seconds, attempted_before=threshold, digest=target.digest)

        while not await self._store.do(leased):
            await self._reload()
            newer = self._current(target)
            read = threshold and newer and newer.attempted_at and newer.attempted_at >= threshold
            if cause == "user" and _may_be_cured(newer):
                threshold = None
            elif read or cause == "timer":
                return Refreshed(self._state(target), asked=False)
            await asyncio.sleep(POLL_SECONDS / 3)
        try:
            await self._reload()
            if _promised(self._current(target), source, self._machine.clock()) and not hurries:
                return Refreshed(self._state(target), asked=False)
            outcome = await self._ask(provider, target, cause == "user", source)
            previous = (await self._store.do(Store.readings)).get(target.key)
            if previous is not None and previous.digest != target.digest:
                previous = self._own.get(target.key)
            reading = apply(target, previous, outcome, provider, source or "auto")
            self._readings[target.key] = self._own[target.key] = reading
            await self._store.do(lambda store: store.save(reading))
            await self._store.do(lambda store: drift.record(store, outcome))
        finally:
            self._leased -= {target.key}
            await asyncio.shield(self._store.do(lambda store: store.release(target.key)))
        return Refreshed(self._state(target), asked=True, outcome=outcome)

    async def _ask(self, provider: Provider, target: Target, interactive: bool, source: SourceChoice | None) -> Outcome:
        try:
            return await run(provider, await self._context(target, interactive), source)
        except ReadError as error:  # a source the provider does not have
            return Outcome(provider.id, (), None, error, self._machine.clock())
        except Exception as error:  # such as a keyring's: an error to be shown, and to be backed off from
            note_defect(f"preparing the read of {provider.id}", error)
            unreadable = BadResponse(f"{provider.name} could not be read ({type(error).__name__}).")
            return Outcome(provider.id, (), None, unreadable, self._machine.clock())

    async def _context(self, target: Target, interactive: bool) -> Context:
        account, settings = target.account, self._config.provider(target.provider)
        if account is not None and account.token is None and account.home is None:
            asked = self._machine.context(target.provider, settings, interactive=interactive)
            token = await asked.keyring.own(target.provider, account.label)
            if token is None:  # anything else found here would be another account's
                raise MissingCredential(
                    f"The keyring did not give the credential of the account {account.label}.",
                    "Unlock the keyring, or give the credential again with `quotaline set-credential`.",
                )
            account = replace(account, token=token)
        return self._machine.context(target.provider, settings, account=account, interactive=interactive)

    @staticmethod
    def _unknown_since(known: Reading | None) -> datetime:
        """Any attempt at or after this one was made by someone else since we last looked."""
        if known is None or known.attempted_at is None:
            return datetime.fromtimestamp(0, tz=UTC)
        return known.attempted_at + timedelta(milliseconds=1)

    # --- the background loop ---

    async def _refresh_for_ever(self) -> None:
        credentials = await self._store.do(lambda store: store.note(CREDENTIALS_NOTE))
        try:
            await self.rescan()
        except Exception as error:
            note_defect("detection", error)
        version: int | None = None
        self._store.watch(self._wake.set)
        while True:
            try:
                found = await self._store.do(Store.version)
                if found != version and version is not None:
                    seen, credentials = credentials, await self._store.do(lambda store: store.note(CREDENTIALS_NOTE))
                    if credentials != seen:
                        await self.rescan()
                if found != version or self._leased:  # the death of a holder changes nothing in the store
                    await self._reload()
                    version = found
                self._begin_due()
                rest = POLL_SECONDS if self._leased else self._until_due()
            except Exception as error:
                note_defect("a round of the refresh loop", error)
                rest = REST_SECONDS
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), rest)
            self._wake.clear()

    def _begin_due(self) -> None:
        for target in self._targets:
            when = self._next_refresh(target)
            if when is not None and when <= self._machine.clock() and target.key not in self._reading_now:
                self._begin(target, "timer")
        if self._settings.check_status and not self._reading_now:  # usage first
            self._begin_statuses()

    def _until_due(self) -> float:
        """Seconds to rest, at least a moment: what is due and not begun will not be so at once."""
        moments = (self._next_refresh(target) for target in self._targets if target.key not in self._reading_now)
        due = scheduler.soonest(moments)
        wait = REST_SECONDS if due is None else (due - self._machine.clock()).total_seconds()
        return min(max(wait, POLL_SECONDS / 3), REST_SECONDS)

    async def _reload(self) -> None:
        readings, leased = await self._store.do(lambda store: (store.readings(), store.leased()))
        told = await self._statuses.reload(self._shown_providers())
        if told or readings != self._readings or leased != self._leased:
            self._readings, self._leased = readings, leased
            self._publish()

    def _every(self, provider: Provider) -> timedelta | None:
        own = self._config.provider(provider.id).refresh_minutes
        cadence: scheduler.Cadence = own if own is not None else self._settings.refresh
        return scheduler.interval(cadence, self._last_look, provider.min_interval, self._machine.clock())

    def _next_refresh(self, target: Target) -> datetime | None:
        provider = registry.get(target.provider)
        reading = self._current(target)
        past = _past(reading)
        every = self._every(provider)
        when = scheduler.due(past, every, provider.min_interval, self._machine.clock())
        if when is not None and (rest := self._resting.get(target.key)) is not None:
            when = max(when, rest)
        if when is None or past.attempted_at is None or every is None:
            return when
        base, moved = self._jitter.get(target.key, (None, None))
        if base != when or moved is None:
            moved = scheduler.jittered(when, every, self._chance)
            self._jitter[target.key] = (when, moved)
        return moved

    # --- status pages ---

    async def check_statuses(self, keys: Iterable[str]) -> None:
        """Learn what the vendors of these accounts say of their services, from the store while that is young."""
        providers = [registry.get(target.provider) for target in self._chosen(keys)]
        pages = {page: provider for provider in providers if (page := page_of(provider)) is not None}
        await asyncio.gather(*(self._statuses.read(provider, patient=True) for provider in pages.values()))

    def _begin_statuses(self) -> None:
        """Read the pages of the vendors that were asked for usage since, in the background."""
        for target in self._targets:
            provider, reading = registry.get(target.provider), self._current(target)
            if reading is None or reading.attempted_at is None or not _was_there(reading):
                continue
            if self._statuses.is_due(provider, reading.attempted_at):
                task = asyncio.create_task(self._read_status(provider), name=f"status page of {provider.id}")
                self._status_tasks.add(task)
                task.add_done_callback(self._status_tasks.discard)

    async def _read_status(self, provider: Provider) -> None:
        try:
            if await self._statuses.read(provider):
                self._publish()
        except Exception as error:  # such as a store's
            note_defect(f"the read of the status page of {provider.id}", error)

    def _shown_providers(self) -> list[Provider]:
        return [registry.get(id) for id in {target.provider for target in self._targets}]

    # --- states ---

    def _current(self, target: Target) -> Reading | None:
        """The reading that belongs to this account as it is configured now. While another sidecar has another config
        and keeps its own in the store, ours is the last one made here: else the two would ask in turns for ever."""
        reading = self._readings.get(target.key)
        if reading is None or reading.digest in ("", target.digest):
            return reading
        own = self._own.get(target.key)
        return own if own is not None and own.digest == target.digest else None

    def _state(self, target: Target) -> ProviderState:
        provider = registry.get(target.provider)
        reading = self._current(target)
        usage = reading.usage if reading else None
        failure = reading.failure if reading else None
        now = self._machine.clock()
        stale = usage is not None and scheduler.is_stale(usage, failure is not None, self._every(provider), now)
        return ProviderState(
            provider=provider.id,
            name=provider.name,
            account=target.account_label,
            active=target.active,
            usage=usage,
            failure=failure,
            stale=stale,
            refreshing=target.key in self._reading_now or target.key in self._leased,
            next_refresh=self._next_refresh(target),
            dashboard=provider.dashboard,
            requested_source=self._config.provider(provider.id).source or "auto",
            status=self._statuses.of(provider) if self._settings.check_status else None,
        )

    def _target(self, key: str) -> Target:
        for target in self._targets:
            if target.key == key:
                return target
        raise KeyError(key)

    def _remembered(self, note: str | None) -> tuple[Target, ...]:
        """The accounts shown last time, as far as they are still known and not switched off since."""
        try:
            pairs = [(str(provider), str(account)) for provider, account in json.loads(note or "[]")]
        except (ValueError, TypeError):
            return ()
        targets = []
        for provider, account in pairs:
            if loaded(provider) is not None and self._config.provider(provider).enabled is not False:
                kept = profiles(registry.get(provider), self._config, self._machine).accounts
                accounts = {found.label: found for found in (*kept, *self._config.accounts(provider))}
                found = accounts.get(account) or (Account(account) if account else None)
                targets.append(Target(provider, account, found, "", self._config.digest(provider, account), True))
        return tuple(targets)

    def _publish(self) -> None:
        """Tell of a change soon: those of one moment are told together."""
        if self._subscribers and not self._telling:
            self._telling = True
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        self._telling = False
        snapshot = self.snapshot()
        for subscriber in self._subscribers:
            try:
                subscriber(snapshot)
            except Exception as error:  # one that cannot be told must not keep others from being told
                note_defect("a subscriber", error)


def _promised(reading: Reading | None, source: SourceChoice | None, now: datetime) -> bool:
    """Whether the vendor was promised not to be asked yet. A source the user names has a promise of its own."""
    if reading is None or reading.cool_until is None or reading.cool_until <= now:
        return False
    return source is None or source == reading.source


def _may_be_cured(reading: Reading | None) -> bool:
    """Whether the last read failed, but may do better when it is the user's own: then it may prompt."""
    return reading is not None and reading.failure is not None and reading.failure.kind is not Kind.RATE_LIMITED


def _was_there(reading: Reading) -> bool:
    """Whether there was something to ask the vendor with."""
    missing = (Kind.MISSING_CREDENTIAL, Kind.MISSING_PROGRAM, Kind.MISCONFIGURED)
    return reading.failure is None or reading.failure.kind not in missing


def _past(reading: Reading | None) -> scheduler.Past:
    if reading is None:
        return scheduler.Past()
    offline = reading.failure is not None and reading.failure.kind in (Kind.UNAVAILABLE, Kind.TIMEOUT)
    return scheduler.Past(reading.attempted_at, reading.failures, offline, reading.cool_until, reading.usage)
