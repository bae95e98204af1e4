"""What Kimi sends about its code quota, and the login file of its program. Counts come as texts or numbers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AliasChoices, Field

from quotaline_providers import Flag, Number, Payload, Text, When, lenient, lenient_items

_SOON = timedelta(seconds=60)


class Detail(Payload):
    """A count of requests against its limit."""

    limit: Number = None
    used: Number = None
    remaining: Number = None
    resets_at: When = Field(
        default=None, validation_alias=AliasChoices("resetTime", "resetAt", "reset_time", "reset_at", "resets_at")
    )


class Length(Payload):
    """How long a window is, in the unit that `unit` names."""

    duration: Number = None
    unit: Text = Field(default=None, alias="timeUnit")


class Limit(Payload):
    """A rate limit; its window comes as an object or a text."""

    window: Any = None
    detail: Annotated[Detail | None, lenient(Detail)] = None


class CodeAnswer(Payload):
    """`GET /coding/v1/usages`."""

    usage: Annotated[Detail | None, lenient(Detail)] = None
    limits: Any = None


class Scoped(Payload):
    """The quota of one feature."""

    scope: Text = None
    detail: Annotated[Detail | None, lenient(Detail)] = None
    limits: Any = None


class WebAnswer(Payload):
    """`GetUsages` of the web's billing service."""

    usages: Annotated[tuple[Scoped, ...], lenient_items(Scoped)] = ()


class Subscription(Payload):
    """The membership's month; ratios are fractions 0..1."""

    feature: Text = None
    type: Text = None
    amountUsedRatio: Number = None  # noqa: N815 - the vendor's spelling
    expireTime: When = None  # noqa: N815


class Rate(Payload):
    """A share used, 0-1."""

    ratio: Number = None
    enabled: Flag = None
    resetTime: When = None  # noqa: N815


class Statistics(Payload):
    """`GetSubscriptionStats` of the web's membership service."""

    subscriptionBalance: Annotated[Subscription | None, lenient(Subscription)] = None  # noqa: N815
    ratelimitCode7d: Annotated[Rate | None, lenient(Rate)] = None  # noqa: N815


class Login(Payload):
    """`credentials/kimi-code.json`; `expires_at` is epoch seconds. It is never refreshed or written here."""

    access_token: Text = Field(default=None, repr=False)
    refresh_token: Text = Field(default=None, repr=False)
    expires_at: When = None

    def usable(self, now: datetime) -> bool:
        return self.access_token is not None and self.expires_at is not None and self.expires_at > now + _SOON
