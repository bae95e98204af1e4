"""What OpenRouter sends."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from quotaline_providers import (
    Flag,
    Integer,
    Number,
    Payload,
    StrictNumber,
    Text,
    When,
    lenient,
    lenient_items,
)

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


KEY_SCOPE = "key_limit"
"""The scope of the layer that is the key's own limit."""


class Layer(Payload):
    """One of the budgets that apply to a key, such as its workspace's; US dollars."""

    scope: Text = None
    limit_usd: Number = None
    spend_usd: Number = None
    remaining_usd: Number = None
    reset_interval: Text = None
    resets_at: When = None

    @property
    def used(self) -> float | None:
        """Dollars used, within the limit; None when not told."""
        if self.limit_usd is None:
            return None
        left = None if self.remaining_usd is None else self.limit_usd - self.remaining_usd
        used = self.spend_usd if left is None else left
        return None if used is None else max(0.0, used)


class Key(Payload):
    """One API key's budget and spending, US dollars; `usage` is over its whole life, the periods are UTC."""

    not_read = frozenset({"byok_usage", "byok_usage_daily", "byok_usage_weekly", "byok_usage_monthly"})

    limit: StrictNumber | None = None
    limit_remaining: StrictNumber | None = None
    limit_reset: Text = None
    usage: StrictNumber | None = None
    usage_daily: StrictNumber | None = None
    usage_weekly: StrictNumber | None = None
    usage_monthly: StrictNumber | None = None
    is_free_tier: Flag = None
    is_management_key: Flag = None
    rate_limit: Annotated[RateLimit | None, lenient(RateLimit)] = None
    """Deprecated: -1 requests for everyone."""
    budgets: Annotated[tuple[Layer, ...], lenient_items(Layer)] = ()

    @property
    def has_spent(self) -> bool:
        return any((used or 0) > 0 for used in (self.usage, self.usage_daily, self.usage_weekly, self.usage_monthly))


class KeyAnswer(Payload):
    """`GET /key`."""

    data: Key


class ActivityRow(Payload):
    """One model's use on one UTC day. Reasoning tokens may exceed completion tokens, and are never added to them."""

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
