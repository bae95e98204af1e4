"""The defects of every process of this user, kept in the shared store so that `quotaline doctor` can tell them.

They stand in a fixed number of notes, so that they never grow, whoever writes: a place's digest says which of them are
its own. A defect is forgotten when it has not been seen for a month.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import ConfigDict, ValidationError

from quotaline_providers import __version__
from quotaline_providers.diagnostics import Defect
from quotaline_providers.model import Model, Time

if TYPE_CHECKING:
    from quotaline.store.notes import Changes
    from quotaline.store.store import Store

SLOTS = 32
PROBES = 4
"""Notes that one place may stand in."""
REMEMBERED = timedelta(days=30)
_LONG_AGO = datetime.fromtimestamp(0, UTC)


class NotedDefect(Model):
    """A defect as it is stored: `count` times in this `version` of Quotaline, at last `at`."""

    model_config = ConfigDict(extra="ignore")

    place: str
    what: str
    trace: tuple[str, ...]
    count: int
    at: Time
    version: str


def keep(store: Store, defect: Defect) -> None:
    """Add a defect (and how often it was seen) to what is known of its place."""
    slots = [f"defect:{(int(defect.place, 16) + step) % SLOTS}" for step in range(PROBES)]
    store.change_notes(slots, lambda notes: _added(defect, {slot: _noted(notes[slot]) for slot in slots}))


def _added(defect: Defect, noted: Mapping[str, NotedDefect | None]) -> Changes:
    def preferred(slot: str) -> tuple[bool, datetime]:
        """Its own slot, else an empty one, else the one that was not seen for the longest time."""
        there = noted[slot]
        return there is None or there.place != defect.place, there.at if there else _LONG_AGO

    slot = min(noted, key=preferred)
    there = noted[slot]
    same = there is not None and (there.place, there.version) == (defect.place, __version__)
    count = defect.count + (there.count if same and there else 0)
    new = NotedDefect(
        place=defect.place, what=defect.what, trace=defect.trace, count=count, at=defect.at, version=__version__
    )
    return {slot: (new.model_dump_json(), defect.at + REMEMBERED)}


def kept(store: Store) -> list[NotedDefect]:
    """All defects that are kept, the last one first."""
    found = (_noted(store.note(f"defect:{number}")) for number in range(SLOTS))
    return sorted((defect for defect in found if defect is not None), key=lambda defect: defect.at, reverse=True)


def _noted(note: str | None) -> NotedDefect | None:
    try:
        return NotedDefect.model_validate_json(note or "null")
    except ValidationError:
        return None
