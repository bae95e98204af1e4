"""Whom not to ask yet: the waits that vendors have asked for, and the back-off after failures.

Both belong to the credential that was used. A wait is a note in the shared store, named by the provider and the
credential's fingerprint, so that it holds for every account, source and program that would use the same one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from quotaline.refresh import scheduler
from quotaline.store.reading import Reading
from quotaline_providers.contract import Provider
from quotaline_providers.errors import LONGEST_WAIT, Kind, RateLimited, ReadError
from quotaline_providers.run import NotYet, Outcome

if TYPE_CHECKING:
    from quotaline.store.notes import Changes
    from quotaline.store.store import Store

COOL_DOWN = timedelta(minutes=5)
"""How long to leave a vendor alone that said "too many requests" without saying for how long."""
NOT_ASKED = frozenset({Kind.MISSING_CREDENTIAL, Kind.MISSING_PROGRAM, Kind.MISCONFIGURED})
"""Failures for which no vendor was asked: there is nothing to back off from."""


def waits_until(error: RateLimited, now: datetime) -> datetime:
    """Until when the vendor is left alone after this error."""
    return min(error.until, now + LONGEST_WAIT) if error.until is not None else now + COOL_DOWN


# --- waits, in the store ---


def record(store: Store, outcome: Outcome) -> None:
    """Keep the waits that were asked for, the later of an old and a new one; a success ends its credential's."""
    told: dict[str, datetime | None] = {}
    for attempt in outcome.attempts:
        if (
            attempt.fingerprint
            and not attempt.held
            and (attempt.error is None or isinstance(attempt.error, RateLimited))
        ):
            told[_key(outcome.provider, attempt.fingerprint)] = (
                waits_until(attempt.error, outcome.finished_at) if attempt.error is not None else None
            )

    def change(before: Mapping[str, str | None]) -> Changes:
        return {key: _note(until, before[key]) for key, until in told.items() if until or before[key]}

    if any(until is not None or store.note(key) is not None for key, until in told.items()):
        store.change_notes(tuple(told), change)


def in_force(store: Store, provider: str) -> dict[str, datetime]:
    """Until when which credentials (fingerprints) of a provider are not to be used."""
    prefix = _key(provider, "")
    return {key.removeprefix(prefix): datetime.fromisoformat(note) for key, note in store.notes(prefix).items()}


def _note(until: datetime | None, before: str | None) -> tuple[str, datetime] | None:
    if until is None:
        return None
    later = max(until, datetime.fromisoformat(before)) if before is not None else until
    return later.isoformat(), later


def _key(provider: str, fingerprint: str) -> str:
    return f"wait:{provider}:{fingerprint}"


# --- at a read ---


@dataclass(frozen=True, slots=True)
class Gate:
    """Says of each credential that a read finds whether it may be used now.

    `waits` are those of the provider; `known` is what came of the same question last. Whoever only looks (`backs_off`)
    does not ask again so soon after a failure. The user's own refresh does.
    """

    provider: Provider
    waits: Mapping[str, datetime]
    known: Reading | None
    backs_off: bool
    now: datetime

    def held(self, fingerprint: str) -> ReadError | None:
        until = self.waits.get(fingerprint) or self._older_wait()
        if scheduler.in_force(until, self.now):
            return RateLimited(f"{self.provider.name} refuses further requests for now.", until=until)
        if (
            self.backs_off
            and self.known is not None
            and fingerprint in self.known.tried
            and self._backing_off(self.known)
        ):
            return NotYet("It failed a moment ago.", goes_on=fingerprint != self.known.tried[-1])
        return None

    def _older_wait(self) -> datetime | None:
        """A wait that a program kept which did not tell credentials apart."""
        return self.known.cool_until if self.known is not None and not self.known.tried else None

    def _backing_off(self, known: Reading) -> bool:
        if known.failure is None or known.failure.kind in NOT_ASKED:
            return False
        again = scheduler.again(past(known), self.provider.min_interval)
        return again is not None and scheduler.in_force(again, self.now)


def past(reading: Reading | None) -> scheduler.Past:
    """What the scheduler is told of an account."""
    if reading is None:
        return scheduler.Past()
    offline = reading.failure is not None and reading.failure.kind in (Kind.UNAVAILABLE, Kind.TIMEOUT)
    return scheduler.Past(reading.attempted_at, reading.failures, offline, reading.cool_until, reading.usage)
