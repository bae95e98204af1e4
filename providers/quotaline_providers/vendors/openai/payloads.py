"""What OpenAI sends: pages of daily costs and usage, and credit grants."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from quotaline_providers import Integer, NeededNumber, Payload, Text, When, lenient, lenient_items, to_number

_LATEST = 253_402_214_400  # the last day of the year 9999

Midnight = Annotated[int, Field(ge=0, le=_LATEST)]
"""The beginning of a UTC day, epoch seconds."""


def _dollars(value: object) -> float:
    if value is None or (isinstance(value, str) and not value.strip()):
        return 0.0
    number = to_number(value)
    if number is None:
        raise ValueError("not an amount")
    return number


class Amount(Payload):
    """US dollars; nothing means zero, anything else that is not a number spoils the page."""

    value: Annotated[float, BeforeValidator(_dollars)] = 0.0


class CostResult(Payload):
    """The cost of one line item."""

    amount: Amount | None = None
    line_item: Text = None


class UsageResult(Payload):
    """Tokens of one model. Cached input is part of the input."""

    input_tokens: Integer = None
    input_cached_tokens: Integer = None
    input_audio_tokens: Integer = None
    output_tokens: Integer = None
    output_audio_tokens: Integer = None
    num_model_requests: Integer = None
    model: Text = None


class CostBucket(Payload):
    """One UTC day, epoch seconds, end exclusive."""

    start_time: Midnight
    end_time: int
    results: tuple[CostResult, ...]


class UsageBucket(Payload):
    """One UTC day, epoch seconds, end exclusive."""

    start_time: Midnight
    end_time: int
    results: tuple[UsageResult, ...]


class Page(Payload):
    """A page of buckets, and where the next one begins."""

    has_more: bool
    next_page: Text = None


class CostPage(Page):
    """`GET /organization/costs`."""

    data: tuple[CostBucket, ...]


class UsagePage(Page):
    """`GET /organization/usage/completions`."""

    data: tuple[UsageBucket, ...]


class Grant(Payload):
    """A grant of credits. Its amounts are in the sums."""

    not_read = frozenset({"grant_amount", "used_amount"})

    expires_at: When = None


class GrantList(Payload):
    """All grants."""

    data: Annotated[tuple[Grant, ...], lenient_items(Grant)] = ()


class Grants(Payload):
    """Prepaid credit, US dollars."""

    total_granted: NeededNumber
    total_used: NeededNumber
    total_available: NeededNumber
    grants: Annotated[GrantList | None, lenient(GrantList)] = None
