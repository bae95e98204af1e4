"""One read of one provider: its strategies in order, what falls through, what was tried, a deadline for the whole."""

from __future__ import annotations

import asyncio
import hashlib
import shlex
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from quotaline_providers.access.unusable import nowhere, told
from quotaline_providers.contract import Context, Credential, Origin, OriginKind, Provider, Strategy
from quotaline_providers.diagnostics import note_defect
from quotaline_providers.errors import (
    FALL_THROUGH,
    BadResponse,
    ExpiredCredential,
    Forbidden,
    Misconfigured,
    MissingCredential,
    MissingProgram,
    ReadError,
    TimedOut,
    Unavailable,
)
from quotaline_providers.model import Confidence, Usage, capped
from quotaline_providers.parsing.answers import Answers, Unread, listening, shape_of
from quotaline_providers.parsing.unread import UNNAMED
from quotaline_providers.secret import redact
from quotaline_providers.settings import SourceChoice


class NotYet(ReadError):
    """A credential is not used yet, after the vendor's last answer to it. `goes_on`: the next strategy is tried."""

    def __init__(self, message: str, *, goes_on: bool = False) -> None:
        super().__init__(message)
        self.goes_on = goes_on


Held = Callable[[str], ReadError | None]
"""Why the credential with this fingerprint is not to be used now: RateLimited while a wait lasts, or NotYet."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One strategy's try. `skipped`: its credential or program was not there; `held`: it was not used, as a wait lasts.
    `fingerprint` tells credentials apart. `unread`: what of its answers looks like a limit and was not read."""

    source: str
    label: str
    error: ReadError | None = None
    origin: str | None = None
    fingerprint: str = ""
    skipped: bool = False
    unread: Unread | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a run: usage or an error (or partial usage with an error), and the way there."""

    provider: str
    attempts: tuple[Attempt, ...]
    usage: Usage | None
    error: ReadError | None
    finished_at: datetime

    @property
    def fingerprint(self) -> str:
        """Which credential answered; empty when none did."""
        return self.attempts[-1].fingerprint if self.usage is not None and self.attempts else ""

    @property
    def held(self) -> bool:
        """Whether nobody was asked because the vendor wants to be left alone."""
        unused = [attempt for attempt in self.attempts if not attempt.skipped]
        return bool(unused) and all(attempt.held for attempt in unused)

    @property
    def tried(self) -> tuple[str, ...]:
        """The fingerprints of the credentials with which the vendor was asked, in order."""
        used = (attempt.fingerprint for attempt in self.attempts if not attempt.held)
        return tuple(dict.fromkeys(fingerprint for fingerprint in used if fingerprint))


def plan(provider: Provider, ctx: Context, source: SourceChoice | None = None) -> tuple[Strategy[Any], ...]:
    """The strategies a run would try, in order. Raises Misconfigured for a source the provider does not have, and
    Unavailable when its service has ended and no source was named."""
    choice = source or ctx.settings.source or "auto"
    if choice == "auto":
        if provider.ended:
            hint = f"Nothing is sent to it any more; `--source {provider.sources[0]}` asks all the same."
            raise Unavailable(provider.ended, hint, definite=True)
        return tuple(strategy for strategy in provider.strategies if strategy.in_auto and strategy.applies(ctx))
    chosen = provider.read_from(choice)
    if not chosen:
        offered = ", ".join(("auto", *provider.sources))
        raise Misconfigured(f"{provider.name} cannot be read from source {redact(choice)}.", f"Use one of: {offered}.")
    return tuple(strategy for strategy in chosen if strategy.applies(ctx))


async def run(
    provider: Provider, ctx: Context, source: SourceChoice | None = None, held: Held = lambda fingerprint: None
) -> Outcome:
    """Read a provider once, with credentials that are not `held`. Never raises ReadError: it is in the outcome.
    Cancellation passes through."""
    attempts: list[Attempt] = []
    usage: Usage | None = None
    error: ReadError | None = None
    choice = source or ctx.settings.source or "auto"
    ctx = replace(ctx, source=next((strategy.source for strategy in provider.read_from(choice)), choice))
    try:
        async with asyncio.timeout(provider.deadline):
            usage = await _try_in_order(provider, ctx, source, held, attempts)
    except TimeoutError:
        error = TimedOut(f"{provider.name} did not answer within {provider.deadline:.0f} seconds.")
        if attempts and attempts[-1].error is None:
            attempts[-1] = replace(attempts[-1], error=error)
    except ReadError as raised:
        error = raised
    if error is not None:
        if isinstance(error, MissingCredential) and provider.homes:
            error.message = told(error.message, await nowhere(ctx, provider.homes))
        error = _with_hint(error, provider, _only_one(attempts, error))
        usage = error.partial
    if usage is not None and not usage.source and attempts:
        usage = usage.model_copy(update={"source": attempts[-1].label})
    usage = None if usage is None else capped(usage)
    return Outcome(provider.id, tuple(attempts), usage, error, ctx.now)


async def _try_in_order(
    provider: Provider, ctx: Context, source: SourceChoice | None, held: Held, attempts: list[Attempt]
) -> Usage:
    real: ReadError | None = None
    for strategy in plan(provider, ctx, source):
        before = len(attempts)
        usage = await _try_each(provider, ctx, strategy, held, attempts)
        if usage is not None:
            return usage
        last = _told(attempts[before:])
        if not attempts[-1].skipped:
            real = last
        if not (isinstance(last, FALL_THROUGH) or strategy.falls_through(last) or _goes_on(last)):
            raise last
    # The error shown is that of the last strategy that really could run; else the one that found something that is no
    # account; else the first one missing something.
    raise (
        real
        or next((attempt.error for attempt in attempts if attempt.error and attempt.error.quiet), None)
        or next((attempt.error for attempt in attempts if attempt.error), None)
        or MissingCredential(f"{provider.name} is not connected.")
    )


async def _try_each(
    provider: Provider, ctx: Context, strategy: Strategy[Any], held: Held, attempts: list[Attempt]
) -> Usage | None:
    """One strategy's usage, with the first of its credentials that is not refused; an attempt for each."""
    async with aclosing(cast("AsyncGenerator[Any, None]", strategy.lookup.each(ctx))) as places:
        while True:
            before = len(attempts)
            usage = await _try(provider, ctx, strategy, places, held, attempts)
            if len(attempts) == before:
                return None
            error = attempts[-1].error
            if error is None or attempts[-1].skipped or not (strategy.next_place(error) or _goes_on(error)):
                return usage


def _goes_on(error: ReadError) -> bool:
    return isinstance(error, NotYet) and error.goes_on


def _told(attempts: list[Attempt]) -> ReadError:
    """The error of one strategy, with the place of the credential that was refused; of several refusals the last, which
    names all places. It is only quiet if all are."""
    errors = [attempt.error for attempt in attempts if attempt.error is not None]
    last = errors[-1]
    origins = [attempt.origin for attempt in attempts if attempt.origin]
    if len(origins) > 1:
        last.message = f"{last.message} Tried: {', '.join(origins)}."
        last.quiet = all(error.quiet for error in errors)
    elif origins and isinstance(last, ExpiredCredential | Forbidden) and (place := _place(origins[0], last)):
        last.message = f"{last.message} It came from {place}."
    return last


def _place(origin: str, error: ReadError) -> str:
    """Where a credential was found, in words; empty when the error names it, or when it is no place of a credential."""
    kind = origin.kind if isinstance(origin, Origin) else OriginKind.FILE
    name = origin.name if isinstance(origin, Origin) else ""
    if kind in (OriginKind.PROGRAM, OriginKind.OTHER) or any(
        word in f"{error.message} {error.hint}" for word in (origin, name) if word
    ):
        return ""
    words = {OriginKind.ENVIRONMENT: f"the environment variable {name}", OriginKind.KEYRING: "the system keyring"}
    words |= {OriginKind.ACCOUNT: f"the account {name}", OriginKind.CONFIG: "the config file"}
    return words.get(kind, origin)


async def _try(
    provider: Provider,
    ctx: Context,
    strategy: Strategy[Any],
    places: AsyncIterator[Any],
    held: Held,
    attempts: list[Attempt],
) -> Usage | None:
    """One try, with the next credential there is, and the usage it gave. It is put at the end of `attempts`, also when
    it is cancelled, unless there is no credential left. Nothing but cancellation passes through."""
    attempt, place = Attempt(strategy.source, strategy.name), len(attempts)
    error: ReadError
    with listening() as answers:
        try:
            try:
                found = await anext(places)
            except FALL_THROUGH:
                attempt = replace(attempt, skipped=True)
                raise
            attempt = replace(attempt, origin=_origin(ctx, strategy, found), fingerprint=fingerprint(strategy, found))
            if (reason := held(attempt.fingerprint)) is not None:
                attempt = replace(attempt, held=True)
                raise reason
            attempts.append(attempt)
            usage = await strategy.fetch(ctx, found)
            unread = _unread(provider, strategy, answers)
            attempts[-1] = replace(attempt, unread=unread)
            return half_understood(usage, unread) if unread else usage
        except StopAsyncIteration:
            return None
        except ReadError as raised:
            error = raised
        except (Exception, SystemExit) as raised:  # a library that ends "the program" shall not end ours
            note_defect(f"reading {provider.id} ({strategy.name})", raised)
            error = BadResponse(f"{provider.name} gave an answer that could not be read ({type(raised).__name__}).")
            error.__cause__ = raised
    if isinstance(error, BadResponse) and error.shape is None and (answer := answers.behind(error)) is not None:
        error.shape = shape_of(answer, _package_of(provider, strategy), users=answers.is_users(answer))
    attempts[place:] = [replace(attempt, error=error)]
    return None


def _unread(provider: Provider, strategy: Strategy[Any], answers: Answers) -> Unread | None:
    """What looks like a limit and was not read. A read that has succeeded does not fail because of it."""
    try:
        return answers.unread(_package_of(provider, strategy))
    except Exception as error:
        note_defect(f"comparing the answer of {provider.id} with its models", error)
        return None


def half_understood(usage: Usage, unread: Unread) -> Usage:
    """A usage that says that its vendor tells of limits which are not read."""
    named = [name for name in unread.names if name != UNNAMED]
    words = f" ({', '.join(named)})" if named else ""
    note = f"The answer also holds limits that Quotaline does not know yet{words}; one of them may be nearer."
    changes = {
        "unread_limits": (*usage.unread_limits, *unread.names),
        "notes": (note, *usage.notes),
        "confidence": Confidence.UNKNOWN,
    }
    return usage.model_copy(update=changes)


def _package_of(provider: Provider, strategy: Strategy[Any]) -> str:
    """The package (or module) whose payload models are the provider's."""
    top = getattr(strategy.fetch, "__module__", "").partition(".")[0]
    return f"{top}.vendors.{provider.id}" if top == __name__.partition(".")[0] else top


def fingerprint(strategy: Strategy[Any], found: object) -> str:
    """Tells one credential from another without holding it: a digest over the way in and what was found."""
    if isinstance(found, Credential):
        detail = found.secret.digest()
    elif isinstance(found, Path):
        detail = str(found)
    else:
        detail = getattr(found, "fingerprint", "") or ""
    return hashlib.sha256(f"{strategy.name}\0{detail}".encode()).hexdigest()[:16]


def _origin(ctx: Context, strategy: Strategy[Any], found: object) -> str | None:
    if isinstance(found, Credential):
        return found.origin
    return ctx.show(found) if isinstance(found, Path) else strategy.lookup.probe(ctx)


def _with_hint(error: ReadError, provider: Provider, attempt: Attempt | None) -> ReadError:
    if not error.hint and isinstance(error, MissingCredential | MissingProgram | ExpiredCredential | Forbidden):
        error.hint = provider.connect
    if isinstance(error, ExpiredCredential) and attempt is not None and (command := _replacing(provider, attempt)):
        error.hint = f"Replace it with `{command}`. {error.hint}".rstrip()
    return error


def _only_one(attempts: list[Attempt], error: ReadError) -> Attempt | None:
    """The attempt that ended in this error, where its strategy had no other credential."""
    found = next((one for one in attempts if one.error is error), None)
    return found if found is not None and sum(one.label == found.label for one in attempts) == 1 else None


_PAIR = "secretKey"
"""A provider with this setting takes a pair of keys or a profile, and a command for one value replaces neither."""


def _replacing(provider: Provider, attempt: Attempt) -> str:
    """The command that replaces a refused credential which the user gave to us: a variable that is set instead would
    come after it. Empty for one from elsewhere."""
    origin, web = attempt.origin, attempt.source == "web"
    if not isinstance(origin, Origin) or ("cookieHeader" if web else "apiKey") not in provider.settings:
        return ""
    command = f"quotaline set-credential {provider.id}"
    if origin.kind is OriginKind.ACCOUNT:
        return f"{command} --account {shlex.quote(origin.name)}" if provider.accounts is not None else ""
    if origin.kind not in (OriginKind.CONFIG, OriginKind.KEYRING) or _PAIR in provider.settings:
        return ""
    return f"{command} --cookie" if web and "apiKey" in provider.settings else command
