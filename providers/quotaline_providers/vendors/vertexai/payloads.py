"""What Google sends: pages of Cloud Monitoring's time series, and renewed tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from quotaline_providers import Number, Payload, Text, lenient, lenient_items

SERVICE = "aiplatform.googleapis.com"


@dataclass(frozen=True, slots=True)
class Key:
    """A quota: what is counted, under which limit, where."""

    metric: str
    limit_name: str
    location: str


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


class RefreshAnswer(Payload):
    """POST /token. `expires_in` is seconds. The refresh token stays the same."""

    access_token: Text = None
    id_token: Text = None
    expires_in: Number = None
