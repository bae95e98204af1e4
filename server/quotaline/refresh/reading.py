"""Reading one account: by one task at a time in this process, and by one process at a time on this machine."""

from __future__ import annotations

import asyncio
import shlex
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from quotaline.detection.detect import Target
from quotaline.refresh import drift, waits
from quotaline.refresh.known import Known, Question
from quotaline.refresh.outcome import apply, apply_held
from quotaline.refresh.waits import Gate
from quotaline.store.reading import Reading
from quotaline.store.store import ReadStart, Store
from quotaline.store.thread import StoreThread
from quotaline_providers.access.lookups import not_given
from quotaline_providers.contract import Context
from quotaline_providers.diagnostics import note_defect
from quotaline_providers.errors import BadResponse, Kind, ReadError
from quotaline_providers.hosts.machine import Machine
from quotaline_providers.run import Outcome, fingerprint, plan, run
from quotaline_providers.settings import SourceChoice

Cause = Literal["user", "view", "timer"]
"""Why an account is read: the user wants it read now, somebody waits to see it, or it is due. Only the first is
interactive: it may prompt, and is answered with a read of this moment only."""

COALESCE = timedelta(seconds=3)
"""A read that ended so short a time ago answers the next one."""
LEASE_MARGIN_SECONDS = 15
"""How much longer than the provider's deadline a lease holds."""
LEASE_POLL_SECONDS = 0.25
"""How often a read that somebody waits for tries to get a lease that another program has."""
AFTER_DEFECT = timedelta(minutes=5)
"""How long the loop leaves an account alone whose read failed inside Quotaline."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted of one account. `source` is the one the user names, None for the configured one. `force` reads
    whatever was read a moment ago: that was with another credential. `anyway` asks a vendor that wants to be left
    alone, where its provider allows that."""

    target: Target
    cause: Cause
    source: SourceChoice | None = None
    force: bool = False
    anyway: bool = False

    @property
    def interactive(self) -> bool:
        return self.cause == "user"

    def answers(self, other: Request) -> bool:
        """Whether this one, being under way, will give what the other wants.

        The user's may do more than a background read: of that they take the result, but not the failure.
        """
        if other.source != self.source or other.force or other.target != self.target or other.anyway > self.anyway:
            return False
        return self.interactive or not other.interactive


@dataclass(frozen=True, slots=True)
class Read:
    """What came of a request. `fetched` is false when another program's read, a read a moment ago, a promised wait or
    the back-off after a failure answered instead, or when this program may no longer ask."""

    fetched: bool
    outcome: Outcome | None = None


NOT_FETCHED = Read(fetched=False)


# --- whether to ask the vendor ---


def is_answered(request: Request, known: Reading | None, since: datetime, now: datetime) -> bool:
    """Whether an attempt at or after `since` will do. An attempt in the future was made before the clock was set back,
    and does not count; nor does a failure that the user's own read, which may prompt, may not have."""
    if known is None or known.attempted_at is None:
        return False
    failed = known.failure is not None and known.failure.kind is not Kind.RATE_LIMITED
    return since <= known.attempted_at <= now and not (request.interactive and (failed or request.anyway))


def answered_since(request: Request, known: Reading | None, now: datetime) -> datetime:
    """The time from which on an attempt answers this request: for the loop, which knows of all up to the `known` one,
    any that came after that; else one of this moment."""
    if request.cause != "timer":
        return now - COALESCE
    if known is None or known.attempted_at is None or known.attempted_at > now:
        return datetime.fromtimestamp(0, tz=UTC)
    return known.attempted_at + timedelta(milliseconds=1)


# --- reading ---


class Reader:
    """Reads accounts and takes what comes of it into `known`. Sets `wake` at the end of each read."""

    def __init__(self, store: StoreThread, machine: Machine, known: Known, wake: asyncio.Event) -> None:
        self._store = store
        self._machine = machine
        self._known = known
        self._wake = wake
        self._latest: dict[str, tuple[Request, asyncio.Task[Read]]] = {}
        self.tasks: set[asyncio.Task[Read]] = set()

    @property
    def idle(self) -> bool:
        """Whether no account is being read."""
        return not self._latest

    def is_reading(self, key: str) -> bool:
        return key in self._latest

    def begin(self, request: Request) -> asyncio.Task[Read]:
        """Start a read, or join the one under way when that will answer it; else it comes after that one."""
        key = request.target.key
        earlier: asyncio.Task[Read] | None = None
        if key in self._latest:
            under_way, earlier = self._latest[key]
            if under_way.answers(request):
                return earlier
        task = asyncio.create_task(self._read_after(earlier, request), name=f"read {key}")
        self._latest[key] = (request, task)
        self.tasks.add(task)
        task.add_done_callback(lambda done: self._ended(key, done))
        return task

    def _ended(self, key: str, task: asyncio.Task[Read]) -> None:
        self.tasks.discard(task)
        if key in self._latest and self._latest[key][1] is task:
            del self._latest[key]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._known.pause(key, self._machine.clock() + AFTER_DEFECT)
            note_defect(f"the read of {key.partition('/')[0]}", error)
        self._wake.set()
        self._known.changed()

    async def _read_after(self, earlier: asyncio.Task[Read] | None, request: Request) -> Read:
        if earlier is not None:
            await asyncio.wait([earlier])
        if self._store.restart_due is not None:
            return NOT_FETCHED
        question = self._known.question(request.target, request.source)
        if request.force:
            await self.forget(question.key)
        return await self._read(request, question)

    async def _read(self, request: Request, question: Question) -> Read:
        """One call of the store before the vendor is asked, and one after."""
        key = request.target.key
        self._known.changed()
        gate = await self._take_lease(request, question)
        if gate is None:
            return NOT_FETCHED
        try:
            outcome = await self._fetch(request, gate)
            if outcome.held:
                return await self._keep_held(request, question, outcome)
            await self._keep(request, question, outcome)
        except BaseException:
            self._known.release(key)
            await asyncio.shield(self._store.do(lambda store: store.release(key)))
            raise
        return Read(fetched=True, outcome=outcome)

    async def _take_lease(self, request: Request, question: Question) -> Gate | None:
        """Which credentials may be used, when the vendor is to be asked. When another program is doing so, somebody
        who waits waits for that."""
        target, known, clock = request.target, self._known, self._machine.clock
        provider, seconds = target.provider, target.provider.deadline + LEASE_MARGIN_SECONDS
        since = answered_since(request, known.reading(target, request.source), clock())

        def wanted(stored: Reading | None) -> bool:
            return not is_answered(request, known.belonging(target, question, stored), since, clock())

        def begin(store: Store) -> tuple[ReadStart, dict[str, datetime]]:
            start = store.begin_read(target.key, seconds, wanted, question.key)
            return start, waits.in_force(store, provider.id) if start.granted else {}

        while True:
            start, told = await self._store.do(begin)
            known.load_one(target, question, start.reading, held=start.held)
            if start.granted:
                despite = request.anyway and provider.manual_ignores_cooldown
                reading = known.belonging(target, question, start.reading)
                return Gate(provider, {} if despite else told, reading, request.cause == "view", clock())
            if not start.held or request.cause == "timer":
                return None
            await asyncio.sleep(LEASE_POLL_SECONDS)

    async def _fetch(self, request: Request, gate: Gate) -> Outcome:
        target, provider = request.target, request.target.provider
        try:
            ctx = await self._context(target, interactive=request.interactive)
            return await run(provider, ctx, request.source, gate.held)
        except ReadError as error:  # a source the provider does not have
            return Outcome(provider.id, (), None, error, self._machine.clock())
        except Exception as error:  # such as a keyring's: an error to be shown, and to be backed off from
            note_defect(f"preparing the read of {provider.id}", error)
            unreadable = BadResponse(f"{provider.name} could not be read ({type(error).__name__}).")
            return Outcome(provider.id, (), None, unreadable, self._machine.clock())

    async def _context(self, target: Target, *, interactive: bool) -> Context:
        """What a read is given. Raises MissingCredential when the keyring does not give an account's credential."""
        id, account = target.provider.id, target.account
        settings = self._known.config.provider(id)
        if account is not None and account.token is None and account.home is None:
            ctx = self._machine.context(id, settings, interactive=interactive)
            token = await ctx.keyring.own(id, account.label)
            if token is None:  # anything else found here would be another account's
                option = f"--account {shlex.quote(account.label)}"
                raise not_given(ctx, f"credential of the account {account.label}", option)
            account = replace(account, token=token)
        return self._machine.context(id, settings, account=account, interactive=interactive)

    async def _keep(self, request: Request, question: Question, outcome: Outcome) -> None:
        target = request.target
        own = self._known.own(question.key)

        def made(stored: Reading | None) -> Reading:
            previous = stored if stored is None or stored.digest == target.digest else own
            return apply(target, previous, outcome, question)

        def kept(store: Store) -> Reading:
            reading = store.finish_read(target.key, made, question.key)
            waits.record(store, outcome)
            drift.record(store, outcome)
            return reading

        self._known.keep(target, await self._store.do(kept))

    async def _keep_held(self, request: Request, question: Question, outcome: Outcome) -> Read:
        """Nobody was asked: what is known stays, with the wait that is the reason beside it."""
        target = request.target
        known = self._known.reading(target, request.source)
        reading = apply_held(target, known, outcome, question)
        if reading is None or reading == known:
            self._known.release(target.key)
            await self._store.do(lambda store: store.release(target.key))
        else:
            await self._store.do(lambda store: store.finish_read(target.key, lambda stored: reading, question.key))
            self._known.keep(target, reading)
        return NOT_FETCHED

    async def forget(self, key: str) -> None:
        """Drop what is kept under this key, here and in the store."""
        self._known.forget(key)
        await self._store.do(lambda store: store.drop(key))

    async def fingerprints(self, target: Target, source: SourceChoice | None, wanted: set[str]) -> set[str]:
        """Those of the credentials that a read may use now, up to one of the `wanted`; none when it cannot be told, as
        with a locked keyring."""
        found: set[str] = set()
        try:
            ctx = await self._context(target, interactive=False)
            for strategy in plan(target.provider, ctx, source):
                with suppress(ReadError):
                    async for credential in strategy.lookup.each(ctx):
                        found.add(fingerprint(strategy, credential))
                        if wanted & found:
                            return found
        except ReadError:  # then it is read, which tells what is wrong
            pass
        except Exception as error:
            note_defect(f"the search for the credential of {target.provider.id}", error)
        return found
