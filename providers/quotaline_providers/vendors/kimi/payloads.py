"""What Kimi sends about its code quota, and the login file of its program. Counts come as texts or numbers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AliasChoices, Field

from quotaline_providers import Flag, Number, Payload, Text, When, lenient, lenient_items, lenient_part

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


class Pool(Payload):
    """The newer form of one window: the fraction used, 0-1."""

    used_ratio: Number = None
    resets_at: When = Field(
        default=None, validation_alias=AliasChoices("reset_time", "resetTime", "reset_at", "resetAt", "resets_at")
    )

    @property
    def told(self) -> bool:
        return self.used_ratio is not None and self.used_ratio >= 0


class Pools(Payload):
    """All windows in the newer form. The month of code is a part of the whole month."""

    limit_5h: Annotated[Pool, lenient_part(Pool)] = Pool()
    limit_7d: Annotated[Pool, lenient_part(Pool)] = Pool()
    limit_month_total: Annotated[Pool, lenient_part(Pool)] = Pool()
    limit_month_code: Annotated[Pool, lenient_part(Pool)] = Pool()

    @property
    def told(self) -> bool:
        return any(pool.told for pool in (self.limit_5h, self.limit_7d, self.limit_month_total, self.limit_month_code))


class Membership(Payload):
    """What the user pays for (`LEVEL_BASIC`)."""

    level: Text = None


class User(Payload):
    """Whose usage it is."""

    membership: Annotated[Membership, lenient_part(Membership)] = Membership()


class CodeAnswer(Payload):
    """`GET /coding/v1/usages`: counts, or the newer pools, or both."""

    usage: Annotated[Detail | None, lenient(Detail)] = None
    limits: Any = None
    usages: Annotated[Pools, lenient_part(Pools)] = Pools()
    user: Annotated[User, lenient_part(User)] = User()


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
