"""Whether the clock of this computer is wrong, by the time that a vendor's answer tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from quotaline_providers.contract import Response
from quotaline_providers.errors import Unavailable

TOLERANCE = timedelta(minutes=5)
"""Vendors that sign or check times allow about as much."""
SET_CLOCK = "Set the date and time of this computer, best automatically."


def ahead(response: Response, now: datetime) -> timedelta | None:
    """How far `now` is ahead of the answer's `Date` (negative: behind); None when it has none, or hardly differs."""
    try:
        told = parsedate_to_datetime(response.headers.get("date", ""))
        told = told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    difference = now - told
    return difference if abs(difference) > TOLERANCE else None


def clock_note(response: Response, now: datetime) -> str:
    """A sentence for a refusal that a wrong clock may have caused; empty when the clock is right or nothing tells."""
    difference = ahead(response, now)
    return f"This computer's clock is {_words(difference)}, which can be the reason." if difference else ""


def wrong_clock(vendor: str, response: Response, now: datetime, told: timedelta | None = None) -> Unavailable:
    """For a vendor that refused a request because of its time. `told` is how far ahead the clock is, where the refusal
    itself says that."""
    difference = told or ahead(response, now)
    how = f"{_words(difference)}" if difference else "wrong"
    return Unavailable(f"{vendor} refused the time of the request: this computer's clock is {how}.", SET_CLOCK)


def _words(difference: timedelta) -> str:
    """`3 hours ahead`, `12 minutes behind`: cut, never rounded up."""
    minutes = int(abs(difference).total_seconds() // 60)
    unit, size = ("minute", 1) if minutes < 120 else ("hour", 60) if minutes < 2880 else ("day", 1440)
    count = minutes // size
    return f"{count} {unit}{'' if count == 1 else 's'} {'ahead' if difference > timedelta() else 'behind'}"
