"""MiniMax's lanes (a service over a period), and the usage they make."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from quotaline_providers.formatting import grouped
from quotaline_providers.model import Balance, Identity, Lane, Row, Section, Usage, Window

WEEKLY = "Weekly"
_LANES: tuple[Lane, ...] = ("primary", "secondary", "tertiary")


@dataclass(frozen=True, slots=True)
class Limit:
    """One lane: a service over a period. `percent` is used, 0-100."""

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


@dataclass(frozen=True, slots=True)
class Plan:
    """All that one answer tells. `listed` is false where the services could not be told apart."""

    limits: tuple[Limit, ...]
    name: str | None = None
    points: Decimal | None = None
    listed: bool = True
    expires_at: datetime | None = None
    renews_at: datetime | None = None
    sections: tuple[Section, ...] = ()


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


# --- the usage -------------------------------------------------------------------------------------


def ordered(limits: Iterable[Limit]) -> list[Limit]:
    """Text lanes first, each interval before the week, then the rest as told."""
    listed = list(limits)
    text = sorted((limit for limit in listed if limit.is_text), key=lambda limit: limit.period == WEEKLY)
    return text + [limit for limit in listed if not limit.is_text]


def to_usage(plan: Plan, now: datetime) -> Usage:
    """The usage of one plan, its windows in the order in which MiniMax shows them."""
    windows: list[Window] = []
    ids: set[str] = set()
    for number, limit in enumerate(ordered(plan.limits)):
        name = f"{limit.slug}-weekly" if limit.period == WEEKLY and "weekly" not in limit.slug.lower() else limit.slug
        id = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-") or "prompts"
        while id in ids:
            id += "-2"
        ids.add(id)
        windows.append(_window(limit, id, _LANES[number] if number < len(_LANES) else None))
    rows = tuple(_row(limit) for limit in plan.limits) if plan.listed else ()
    services = (Section(title="Quota services", rows=rows),) if rows else ()
    points = plan.points
    return Usage(
        updated_at=now,
        windows=tuple(windows),
        balances=() if points is None else (Balance(id="points", label="Points", amount=points, unit="Points"),),
        identity=Identity(plan=plan.name),
        details=services + plan.sections,
        subscription_expires_at=plan.expires_at,
        subscription_renews_at=plan.renews_at,
        limits_unavailable=not windows,
    )


def _label(limit: Limit) -> str:
    name = limit.service[:1].upper() + limit.service[1:]
    return f"{name} · {limit.period}" if limit.period else name


def _window(limit: Limit, id: str, lane: Lane | None) -> Window:
    return Window(
        id=id,
        label=_label(limit),
        used_percent=limit.percent,
        used=limit.used,
        limit=limit.limit,
        minutes=limit.minutes,
        resets_at=limit.resets_at,
        description=limit.text,
        lane=lane,
    )


def _row(limit: Limit) -> Row:
    value = "Unlimited" if limit.unlimited else f"{grouped(limit.used or 0)} / {grouped(limit.limit or 0)}"
    return Row(label=_label(limit), value=value)


def binding(usage: Usage) -> str | None:
    """The fullest of the three main windows."""
    lanes = [window for lane in _LANES if (window := usage.lane(lane))]
    return max(lanes, key=lambda window: window.shown_percent or 0).id if lanes else None
