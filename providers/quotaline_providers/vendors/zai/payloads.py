"""What z.ai and BigModel CN send."""

from __future__ import annotations

from typing import Annotated

from quotaline_providers import (
    DAY_MINUTES,
    MONTH_MINUTES,
    WEEK_MINUTES,
    Flag,
    Integer,
    Number,
    Payload,
    Text,
    When,
    clamped,
    lenient_items,
    share,
)


class Envelope(Payload):
    """What every answer of the monitor is wrapped in."""

    code: Integer = None
    success: Flag = None
    msg: Text = None
    data: object = None

    @property
    def has_data(self) -> bool:
        """Whether there is a member `data`, if only null."""
        return "data" in self.model_fields_set


class Detail(Payload):
    """Calls of one tool."""

    model_config = Payload.model_config | {"protected_namespaces": ()}

    modelCode: Text = None  # noqa: N815 - the vendor's spelling
    usage: Number = None


class Limit(Payload):
    """One limit. `usage` is what is allowed, `currentValue` what is used; `percentage` is 0-100."""

    type: Text = None
    name: Text = None
    unit: Integer = None
    number: Integer = None
    percentage: Number = None
    usage: Number = None
    currentValue: Number = None  # noqa: N815
    remaining: Number = None
    nextResetTime: When = None  # noqa: N815
    usageDetails: Annotated[tuple[Detail, ...], lenient_items(Detail)] = ()  # noqa: N815

    @property
    def kind(self) -> str:
        known = (self.type, self.name)
        return next((kind for kind in known if kind in _KINDS), "")

    @property
    def minutes(self) -> int | None:
        """The window's length in minutes; None when it is not known."""
        if self.kind == "TIME_LIMIT" and (self.unit, self.number) == (5, 1):
            return MONTH_MINUTES
        unit = UNITS.get(self.unit or 0)
        return self.number * unit[0] if unit and self.number and self.number > 0 else None

    @property
    def percent(self) -> float | None:
        """Percent used, 0-100; None when nothing usable stands in the answer."""
        used = self.used
        if used is not None and self.usage:
            return share(used, self.usage)
        return None if self.percentage is None else clamped(self.percentage)

    @property
    def used(self) -> float | None:
        if self.usage is None or self.usage <= 0:
            return None
        left = None if self.remaining is None else self.usage - self.remaining
        known = [value for value in (left, self.currentValue) if value is not None]
        return min(self.usage, max(0.0, *known)) if known else None


_KINDS = ("TOKENS_LIMIT", "CREDIT_LIMIT", "TIME_LIMIT")
UNITS = {1: (DAY_MINUTES, "day"), 3: (60, "hour"), 5: (1, "minute"), 6: (WEEK_MINUTES, "week")}


class ModelUsage(Payload):
    """Tokens of one model, one number a time."""

    model_config = Payload.model_config | {"protected_namespaces": ()}

    modelName: Text = None  # noqa: N815
    tokensUsage: tuple[Number, ...] = ()  # noqa: N815


class History(Payload):
    """Tokens per model along the labels of `x_time`."""

    model_config = Payload.model_config | {"protected_namespaces": ()}
    not_read = frozenset({"totalUsage"})

    x_time: list[Text]
    modelDataList: Annotated[tuple[ModelUsage, ...], lenient_items(ModelUsage)] = ()  # noqa: N815


class AccountReport(Payload):
    """The account's money, CNY."""

    availableBalance: Number = None  # noqa: N815
    balance: Number = None
    rechargeAmount: Number = None  # noqa: N815
    giveAmount: Number = None  # noqa: N815
    totalSpendAmount: Number = None  # noqa: N815

    @property
    def amount(self) -> float | None:
        return self.balance if self.availableBalance is None else self.availableBalance
