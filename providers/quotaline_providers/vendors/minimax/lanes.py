"""A plan of MiniMax and its lanes: a service over a period each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from quotaline_providers import Section

WEEKLY = "Weekly"


@dataclass(frozen=True, slots=True)
class Limit:
    """One lane: a service over a period. `percent` is used, 0-100.

    `is_text` marks the prompts, which are what the plan is for; without them nothing but images, voices and the like
    is left. `is_counted`: the vendor told counts, by which a pool that several models share is known.
    """

    service: str
    period: str
    percent: float
    used: float | None = None
    limit: float | None = None
    minutes: int | None = None
    resets_at: datetime | None = None
    text: str | None = None
    slug: str = ""
    is_text: bool = False
    unlimited: bool = False
    is_counted: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of one answer. `listed` is false where it does not name the services; `totals_alone` is true where it
    has limits, but does not tell how much of any is used."""

    limits: tuple[Limit, ...]
    name: str | None = None
    points: Decimal | None = None
    listed: bool = True
    expires_at: datetime | None = None
    renews_at: datetime | None = None
    sections: tuple[Section, ...] = ()
    totals_alone: bool = False


def reset_text(reset: datetime | None, now: datetime) -> str | None:
    """`Resets in 2 days`, in the largest unit that fits; None without a time ahead."""
    if reset is None or reset <= now:
        return None
    minutes = max(1, round((reset - now).total_seconds() / 60))
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = round(minutes / size)
            return f"Resets in {count} {unit}{'' if count == 1 else 's'}"
    return None
