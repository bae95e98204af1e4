"""What Cost Explorer and CloudWatch send."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from quotaline_providers import JsonObject, Payload, StrictNumber, Text, child, lenient, lenient_items, to_number


def _dollars(value: object) -> Decimal | None:
    """Cost Explorer sends amounts as text; anything else is skipped."""
    return Decimal(value.strip()) if isinstance(value, str) and to_number(value) is not None else None


def _listed(value: object) -> object:
    if not isinstance(value, list):
        raise ValueError("not a list")
    return value


class Amount(Payload):
    """An amount in US dollars, which comes as text."""

    amount: Annotated[Decimal | None, BeforeValidator(_dollars)] = Field(default=None, alias="Amount")


class Metrics(Payload):
    """The one metric that is asked for."""

    unblended: Annotated[Amount | None, lenient(Amount)] = Field(default=None, alias="UnblendedCost")


_GIVEN_BACK = {"credit", "refund"}


class Group(Payload):
    """The cost of one service and record type: its keys, in this order. Without a type it counts as use."""

    keys: tuple[object, ...] = Field(default=(), alias="Keys")
    metrics: Annotated[Metrics | None, lenient(Metrics)] = Field(default=None, alias="Metrics")

    @property
    def service(self) -> str:
        return self.keys[0] if self.keys and isinstance(self.keys[0], str) else ""

    @property
    def gives_back(self) -> bool:
        """Whether it takes off what is to pay, and is no use."""
        return any(isinstance(key, str) and key.strip().lower() in _GIVEN_BACK for key in self.keys[1:2])

    @property
    def cost(self) -> Decimal | None:
        return self.metrics.unblended.amount if self.metrics and self.metrics.unblended else None


class Period(Payload):
    """The first day of a period, YYYY-MM-DD."""

    start: Text = Field(default=None, alias="Start")


class Result(Payload):
    """The costs of one period by service."""

    period: Annotated[Period | None, lenient(Period)] = Field(default=None, alias="TimePeriod")
    groups: Annotated[tuple[Group, ...], lenient_items(Group)] = Field(default=(), alias="Groups")

    @property
    def bedrock(self) -> tuple[tuple[Group, Decimal], ...]:
        """The groups that are Bedrock's with their cost; third-party models have services of their own."""
        return tuple(
            (group, group.cost)
            for group in self.groups
            if "bedrock" in group.service.lower() and group.cost is not None
        )


class CostPage(Payload):
    """One page of GetCostAndUsage."""

    results: Annotated[tuple[Result, ...], lenient_items(Result), BeforeValidator(_listed)] = Field(
        alias="ResultsByTime"
    )
    next_token: Text = Field(default=None, alias="NextPageToken")


class MetricResult(Payload):
    """One metric's values, which may go on in the next page."""

    id: str = Field(alias="Id")
    status: str = Field(default="", alias="StatusCode")
    values: tuple[Annotated[StrictNumber, Field(ge=0)], ...] = Field(default=(), alias="Values")


class MetricPage(Payload):
    """One page of GetMetricData."""

    results: tuple[MetricResult, ...] = Field(default=(), alias="MetricDataResults")
    messages: tuple[object, ...] | None = Field(default=None, alias="Messages")
    next_token: Text = Field(default=None, alias="NextToken")


_STAMP = re.compile(r"\b\d{8}T\d{6}Z\b")
_OUT_OF_TIME = ("signature expired", "signature not yet current")


def is_out_of_time(body: JsonObject | None) -> bool:
    """Whether a signature was refused for the time that it names."""
    text = _message(body).lower()
    return any(words in text for words in _OUT_OF_TIME)


def clock_ahead(body: JsonObject | None) -> timedelta | None:
    """How far our clock is ahead, by the times in such a refusal: ours comes first, the service's last."""
    stamps = [datetime.strptime(text, "%Y%m%dT%H%M%S%z") for text in _STAMP.findall(_message(body)[:400])]
    return stamps[0] - stamps[-1] if len(stamps) > 1 else None


def _message(body: JsonObject | None) -> str:
    fields = body.root if body else {}
    texts = (*(fields.get(name) for name in ("message", "Message")), (child(fields, "Error") or {}).get("Message"))
    return next((text for text in texts if isinstance(text, str)), "")


def error_code(body: JsonObject | None) -> str:
    """The error's name in an AWS answer; empty when there is none."""
    fields = body.root if body else {}
    codes = (*(fields.get(name) for name in ("__type", "code", "Code")), (child(fields, "Error") or {}).get("Code"))
    return next((text.rsplit("#", 1)[-1].strip() for text in codes if isinstance(text, str) and text.strip()), "")
