"""When an account is read again. Pure functions of times and counts; `loop` sleeps and reads."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from quotaline_providers.errors import LONGEST_WAIT
from quotaline_providers.model import MONTH_MINUTES, Usage

RECENT_INTERACTION = timedelta(minutes=5)
WARM_INTERACTION = timedelta(hours=1)
IDLE_INTERACTION = timedelta(hours=4)
BOUNDARY_MARGIN = timedelta(seconds=30)
BOUNDARY_EARLIEST = timedelta(seconds=5)
FIRST_BACK_OFF = timedelta(minutes=1)
LONGEST_BACK_OFF = timedelta(hours=1)
OFFLINE_RETRIES = (15, 45, 120, 300)
JITTER = 0.1

Cadence = Literal["adaptive", "manual"] | float
"""`adaptive`, `manual`, or minutes."""


@dataclass(frozen=True, slots=True)
class Past:
    """What has happened to one account so far. `failures` counts failed reads in a row; `offline` says that the last
    one failed because the vendor could not be reached."""

    attempted_at: datetime | None = None
    failures: int = 0
    offline: bool = False
    cool_until: datetime | None = None
    usage: Usage | None = None


def adaptive_interval(last_interaction: datetime | None, now: datetime) -> timedelta:
    """2 minutes while the user is there, then 5, 15 and 30 as the last interaction grows older; one in the future, from
    before the clock was set back, counts as now."""
    if last_interaction is None:
        return timedelta(minutes=30)
    since = now - last_interaction
    if since <= RECENT_INTERACTION:
        return timedelta(minutes=2)
    if since <= WARM_INTERACTION:
        return timedelta(minutes=5)
    return timedelta(minutes=15) if since < IDLE_INTERACTION else timedelta(minutes=30)


def interval(cadence: Cadence, last_interaction: datetime | None, minimum: float, now: datetime) -> timedelta | None:
    """The normal time between two reads, never under the provider's minimum (seconds). None for `manual`."""
    if cadence == "manual":
        return None
    if cadence == "adaptive":
        base = adaptive_interval(last_interaction, now)
    else:
        base = timedelta(minutes=min(float(cadence), MONTH_MINUTES))
    return max(base, timedelta(seconds=minimum))


def back_off(failures: int) -> timedelta:
    """How long to wait at least after this many failed reads in a row: 1, 2, 4... minutes, at most an hour."""
    if failures <= 0:
        return timedelta()
    doubled = FIRST_BACK_OFF.total_seconds() * 2 ** min(failures - 1, 16)
    return min(LONGEST_BACK_OFF, timedelta(seconds=doubled))


def wait(past: Past, every: timedelta, minimum: float) -> timedelta:
    """The time from the last attempt to the next: the interval, lengthened by failures; the first few failures to
    reach the vendor are retried sooner (15, 45, 120, 300 s), but never under the minimum (seconds)."""
    if past.offline and 0 < past.failures <= len(OFFLINE_RETRIES):
        return min(_retry(past, minimum), every)
    return max(every, back_off(past.failures))


def _retry(past: Past, minimum: float) -> timedelta:
    """The least time from a failed attempt to the next."""
    if past.offline and 0 < past.failures <= len(OFFLINE_RETRIES):
        return timedelta(seconds=max(minimum, OFFLINE_RETRIES[past.failures - 1]))
    return max(timedelta(seconds=minimum), back_off(past.failures))


def again(past: Past, minimum: float) -> datetime | None:
    """When somebody who only looks may have a failed read made again; None when there is nothing to wait for."""
    if past.attempted_at is None or past.failures == 0:
        return None
    return past.attempted_at + _retry(past, minimum)


def in_force(until: datetime | None, now: datetime, longest: timedelta = LONGEST_WAIT) -> bool:
    """Whether something that lasts until then still does. What would last longer than anything may is from before the
    clock was set back."""
    return until is not None and now < until <= now + longest


def boundary(usage: Usage | None, attempted_at: datetime) -> datetime | None:
    """The moment right after the next reset of any window that neither the usage nor an attempt has come after yet."""
    if usage is None:
        return None
    resets = (window.resets_at for window in usage.windows if window.resets_at is not None)
    moments = (reset + BOUNDARY_MARGIN for reset in resets if reset > usage.updated_at)
    return min((moment for moment in moments if moment > attempted_at), default=None)


def due(past: Past, every: timedelta | None, minimum: float, now: datetime) -> datetime | None:
    """When an account should be read next, without jitter. None: only when the user asks.

    A promised wait (`cool_until`) is kept; failures back off; a reset boundary brings the read forward. An attempt or
    a wait far in the future is from before the clock was set back, and does not count.
    """
    if every is None:
        return None
    when = now
    if past.attempted_at is not None:
        pause = wait(past, every, minimum)
        if past.attempted_at <= now + pause:
            when = past.attempted_at + pause
            if past.failures == 0 and (reset := boundary(past.usage, past.attempted_at)) is not None:
                when = min(when, max(reset, past.attempted_at + BOUNDARY_EARLIEST))
    return max(when, past.cool_until) if past.cool_until and past.cool_until <= now + LONGEST_WAIT else when


def jittered(when: datetime, every: timedelta, chance: random.Random) -> datetime:
    """The moment moved later by up to a tenth of the interval, so that machines do not ask in step."""
    return when + every * (JITTER * chance.random())


def soonest(moments: Iterable[datetime | None]) -> datetime | None:
    """The earliest moment, None when there is none."""
    return min((moment for moment in moments if moment is not None), default=None)


def is_stale(usage: Usage, failed: bool, every: timedelta | None, now: datetime) -> bool:
    """Whether a usage on display may no longer be true: its refresh failed, or it is overdue, or it is from before the
    clock was set back, so that nobody knows."""
    if failed:
        return True
    age = abs(now - usage.updated_at)
    return age > max(timedelta(minutes=10), 2 * (every or timedelta(hours=1)))
