"""How a project's quotas become a usage: which use meets which limit, the fullest first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from quotaline_providers import Identity, Row, Section, Usage, Window, grouped
from quotaline_providers.vendors.vertexai.payloads import SERVICE, Key, Series

LISTED = 10


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota's use and limit; `percent` may be above 100."""

    key: Key
    used: float
    limit: float

    @property
    def percent(self) -> float:
        return self.used / self.limit * 100


def maxima(series: Iterable[Series]) -> dict[Key, float]:
    """The highest value of each quota."""
    found: dict[Key, float] = {}
    for one in series:
        key, value = one.key, one.highest
        if key is not None and value is not None:
            found[key] = max(value, found.get(key, value))
    return found


def matched(used: Mapping[Key, float], limits: Mapping[Key, float]) -> tuple[Quota, ...]:
    """The quotas whose limit is known, the fullest first."""
    found = [Quota(key, value, limit) for key, value in used.items() if (limit := limit_of(key, limits)) is not None]
    return tuple(sorted(found, key=lambda quota: (-quota.percent, quota.key.metric, quota.key.location)))


def limit_of(key: Key, limits: Mapping[Key, float]) -> float | None:
    """The limit of the same name; for a use that names none, the only one in the same place."""
    exact = limits.get(key, 0.0)
    if exact > 0:
        return exact
    if key.limit_name:
        return None
    near = [
        value
        for other, value in limits.items()
        if value > 0 and (other.metric, other.location) == (key.metric, key.location)
    ]
    return near[0] if len(near) == 1 else None


def _row(quota: Quota) -> Row:
    return Row(
        label=f"{quota.key.metric.removeprefix(f'{SERVICE}/')} ({quota.key.location})",
        value=f"{grouped(quota.used)} / {grouped(quota.limit)}",
        secondary=f"{quota.percent:.0f}% used",
    )


def to_usage(quotas: tuple[Quota, ...], project: str, email: str | None, now: datetime) -> Usage:
    """Without any quota only whose project it is, which is not an error."""
    windows: tuple[Window, ...] = ()
    if quotas:
        windows = (
            Window(
                id="requests",
                label="Requests",
                used_percent=quotas[0].percent,
                description="Current quota",
                lane="primary",
                blocks=False,
            ),
        )
    rows = tuple(_row(quota) for quota in quotas[:LISTED])
    return Usage(
        updated_at=now,
        windows=windows,
        identity=Identity(email=email, organization=project, login="gcloud"),
        details=(Section(title="Quota usage", rows=rows),) if rows else (),
        limits_unavailable=not quotas,
    )
