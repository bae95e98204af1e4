"""What Cloud Monitoring sends about quotas, and how it becomes a usage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from quotaline_providers.formatting import grouped
from quotaline_providers.model import Identity, Row, Section, Usage, Window
from quotaline_providers.parsing.payload import Number, Payload, Text, lenient, lenient_items

PERIOD = timedelta(hours=24)
LISTED = 10
USED, LIMIT = "quota/allocation/usage", "quota/limit"
_SERVICE = "aiplatform.googleapis.com"


class Labels(Payload):
    """What a series counts."""

    quota_metric: Text = None
    quota_id: Text = None
    limit_name: Text = None
    location: Text = None


class Labelled(Payload):
    """A metric or a resource."""

    labels: Annotated[Labels | None, lenient(Labels)] = None


class Value(Payload):
    """A number, or a whole number as text."""

    double: Number = Field(default=None, alias="doubleValue")
    int64: Number = Field(default=None, alias="int64Value")


class Point(Payload):
    """One value of a series."""

    value: Annotated[Value | None, lenient(Value)] = None

    @property
    def number(self) -> float | None:
        if self.value is None:
            return None
        return self.value.int64 if self.value.double is None else self.value.double


class Series(Payload):
    """One quota's values in one location."""

    metric: Annotated[Labelled | None, lenient(Labelled)] = None
    resource: Annotated[Labelled | None, lenient(Labelled)] = None
    points: Annotated[tuple[Point, ...], lenient_items(Point)] = ()

    @property
    def key(self) -> Key | None:
        """None for a series that does not say what it counts."""
        metric = (self.metric.labels if self.metric else None) or Labels()
        resource = (self.resource.labels if self.resource else None) or Labels()
        name = metric.quota_metric or resource.quota_id
        return Key(name, metric.limit_name or "", resource.location or "global") if name else None

    @property
    def highest(self) -> float | None:
        return max((number for point in self.points if (number := point.number) is not None), default=None)


class SeriesPage(Payload):
    """One page of `timeSeries.list`. An empty project sends no series."""

    series: Annotated[tuple[Series, ...], lenient_items(Series)] = Field(default=(), alias="timeSeries")
    next_token: Text = Field(default=None, alias="nextPageToken")


@dataclass(frozen=True, slots=True)
class Key:
    """A quota: what is counted, under which limit, where."""

    metric: str
    limit_name: str
    location: str


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota's use and limit; `percent` may be above 100."""

    key: Key
    used: float
    limit: float

    @property
    def percent(self) -> float:
        return self.used / self.limit * 100


def query(kind: str, now: datetime, token: str | None) -> dict[str, str]:
    """What is asked: the highest value of each hour of the last day."""
    return {
        "filter": f'metric.type="serviceruntime.googleapis.com/{kind}" AND resource.type="consumer_quota" '
        f'AND resource.label.service="{_SERVICE}"',
        "interval.startTime": f"{now - PERIOD:%Y-%m-%dT%H:%M:%SZ}",
        "interval.endTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "aggregation.alignmentPeriod": "3600s",
        "aggregation.perSeriesAligner": "ALIGN_MAX",
        "view": "FULL",
        **({"pageToken": token} if token else {}),
    }


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
        label=f"{quota.key.metric.removeprefix(f'{_SERVICE}/')} ({quota.key.location})",
        value=f"{grouped(quota.used)} / {grouped(quota.limit)}",
        secondary=f"{quota.percent:.0f}% used",
    )


def to_usage(quotas: tuple[Quota, ...], project: str, email: str | None, now: datetime) -> Usage:
    """Without any quota only whose project it is, which is no error."""
    windows: tuple[Window, ...] = ()
    if quotas:
        windows = (
            Window(
                id="requests",
                label="Requests",
                used_percent=quotas[0].percent,
                description="Current quota",
                lane="primary",
            ),
        )
    rows = tuple(_row(quota) for quota in quotas[:LISTED])
    return Usage(
        updated_at=now,
        windows=windows,
        identity=Identity(email=email, organization=project, plan="gcloud"),
        details=(Section(title="Quota usage", rows=rows),) if rows else (),
        limits_unavailable=not quotas,
    )
