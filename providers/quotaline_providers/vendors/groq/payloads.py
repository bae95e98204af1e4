"""What GroqCloud sends: the console's activity, renewed sessions, and samples of the Prometheus API."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from quotaline_providers import Integer, NeededNumber, Number, Payload, Text, to_number


class Activity(Payload):
    """One model's use on one day; `cost` is in US dollars, `timestamp` in Unix seconds."""

    organization_name: Text = None
    model: Text = None
    timestamp: Annotated[NeededNumber, Field(gt=0, lt=250_000_000_000)]
    num_requests: Integer = None
    n_context_tokens_total: Integer = None
    n_non_cached_context_tokens_total: Integer = None
    n_generated_tokens_total: Integer = None
    cost: Number = None

    @property
    def input(self) -> int:
        """Input that was not cached; all input where that is not known."""
        plain = self.n_non_cached_context_tokens_total
        return (self.n_context_tokens_total or 0) if plain is None else plain

    @property
    def cached(self) -> int:
        return max(0, (self.n_context_tokens_total or 0) - self.input)

    @property
    def total(self) -> int:
        context = self.n_context_tokens_total
        return (self.input if context is None else context) + (self.n_generated_tokens_total or 0)


class ActivityAnswer(Payload):
    """`GET /platform/v1/organizations/<id>/activity`."""

    data: tuple[Activity, ...]


class SessionData(Payload):
    """The renewed session's token."""

    session_jwt: str = Field(min_length=1, repr=False)


class SessionAnswer(Payload):
    """`POST /sdk/v1/b2b/sessions/authenticate`."""

    data: SessionData


class Series(Payload):
    """A sample: its time and its value."""

    value: tuple[object, ...] = ()


class Vector(Payload):
    """The series of an answer."""

    result: tuple[Series, ...] = ()


class Metric(Payload):
    """An answer of the Prometheus API."""

    status: str
    data: Vector | None = None

    @property
    def rate(self) -> float:
        """All series added up; a sample that is not a number counts as 0."""
        series = self.data.result if self.data else ()
        return sum(to_number(one.value[-1]) or 0.0 for one in series if one.value)
