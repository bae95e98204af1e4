"""What OpenRouter sends."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from quotaline_providers import Flag, Integer, Number, Payload, StrictNumber, Text, lenient

MAX_COUNT = 2**63 - 1
Dollars = Annotated[StrictNumber, Field(ge=0)]
Count = Annotated[int, Field(strict=True, ge=0, le=MAX_COUNT)]


class Credits(Payload):
    """US dollars ever added and ever used; both must be numbers."""

    total_credits: StrictNumber
    total_usage: StrictNumber
    remaining_balance: Number = None


class CreditsAnswer(Payload):
    """`GET /credits`."""

    data: Credits


class RateLimit(Payload):
    """So many requests in an interval such as `10s`."""

    requests: Integer = None
    interval: Text = None


class Key(Payload):
    """One API key's budget and spending, US dollars; `usage` is over its whole life, the periods are UTC."""

    limit: StrictNumber | None = None
    limit_remaining: StrictNumber | None = None
    limit_reset: Text = None
    usage: StrictNumber | None = None
    usage_daily: StrictNumber | None = None
    usage_weekly: StrictNumber | None = None
    usage_monthly: StrictNumber | None = None
    is_free_tier: Flag = None
    rate_limit: Annotated[RateLimit | None, lenient(RateLimit)] = None


class KeyAnswer(Payload):
    """`GET /key`."""

    data: Key


class ActivityRow(Payload):
    """One model's use on one UTC day. Reasoning tokens are part of the completion tokens."""

    model_config = Payload.model_config | {"protected_namespaces": ()}

    model_permaslug: Text = None
    model: Text = None
    endpoint_id: Text = None
    provider_name: Text = None
    workspace_id: Text = None
    prompt_tokens: Count
    completion_tokens: Count
    reasoning_tokens: Count | None = None
    requests: Count
    usage: Dollars
    byok_usage_inference: Dollars | None = None

    @property
    def numbers(self) -> tuple[float | None, ...]:
        """What two rows of the same identity must agree on."""
        tokens = (self.prompt_tokens, self.completion_tokens, self.reasoning_tokens)
        return (*tokens, self.requests, self.usage, self.byok_usage_inference)


class ActivityAnswer(Payload):
    """`GET /activity`. Rows stay raw until their day is known to matter."""

    data: list[dict[str, Any]]
