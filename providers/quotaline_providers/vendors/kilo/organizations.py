"""The organisations whose credits are shown beside one's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from quotaline_providers import Context, Row, Section, child
from quotaline_providers.parsing.payload import to_words

ENABLED, KNOWN = "kiloEnabledOrganizationIDs", "kiloKnownOrganizations"


@dataclass(frozen=True)
class Organization:
    """`role` is what the person is in it."""

    id: str
    name: str
    role: str | None = None


def organizations(items: object) -> tuple[Organization, ...]:
    """The organisations of a list; what has no id is left out."""
    found = []
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and (id := to_words(item.get("id"))):
            found.append(Organization(id, to_words(item.get("name")) or id, to_words(item.get("role"))))
    return tuple(found)


def listed(document: object) -> tuple[Organization, ...]:
    """The organisations in an answer of any known shape; none in any other."""
    entry = document[0] if isinstance(document, list) and document else document
    data = (child(entry, "result") or {}).get("data")
    inner = data.get("json") if isinstance(data, dict) else None
    places = (inner, data, *((place or {}).get("organizations") for place in map(child, (inner, data, entry))))
    return next((found for place in places if (found := organizations(place))), ())


def enabled(ctx: Context) -> tuple[Organization, ...]:
    """The organisations the user enabled, in order, each once; those not known by name are named by their id."""
    known = {item.id: item for item in organizations(ctx.settings.own(KNOWN))}
    ids = ctx.settings.own(ENABLED)
    cleaned = (to_words(id) for id in ids) if isinstance(ids, list) else ()
    return tuple(known.get(id) or Organization(id, id) for id in dict.fromkeys(cleaned) if id)


def section(found: Iterable[Organization]) -> Section:
    """What can be enabled, and by which id."""
    rows = tuple(Row(label=item.name, value=item.id, secondary=item.role) for item in found)
    return Section(title=f"Organisations (for {ENABLED})", rows=rows)
