"""What Codebuff sends: the credit balance, and for CLI logins the plan and its limits."""

from __future__ import annotations

from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field

from quotaline_providers import Flag, Number, Payload, Text, When, lenient, lenient_part, to_text


class Breakdown(Payload):
    """What the balance is made of, in credits."""

    free: Number = None
    paid: Number = None
    ad: Number = None


class UsageAnswer(Payload):
    """POST /api/v1/usage, in credits. The live service sends no quota."""

    usage: Number = None
    used_alias: Number = Field(default=None, alias="used")
    quota: Number = None
    limit: Number = None
    balance: Number = Field(default=None, alias="remainingBalance")
    remaining_alias: Number = Field(default=None, alias="remaining")
    next_reset: When = Field(default=None, alias="next_quota_reset")
    auto_top_up: Flag = Field(default=None, alias="autoTopupEnabled")
    auto_top_up_alias: Flag = Field(default=None, alias="auto_topup_enabled")
    breakdown: Annotated[Breakdown | None, lenient(Breakdown)] = Field(default=None, alias="balanceBreakdown")

    @property
    def used(self) -> float | None:
        return self.used_alias if self.usage is None else self.usage

    @property
    def total(self) -> float | None:
        return self.limit if self.quota is None else self.quota

    @property
    def remaining(self) -> float | None:
        return self.remaining_alias if self.balance is None else self.balance

    @property
    def told_top_up(self) -> bool | None:
        return self.auto_top_up_alias if self.auto_top_up is None else self.auto_top_up

    @property
    def tops_up(self) -> bool:
        return bool(self.told_top_up)


def _to_label(value: object) -> str | None:
    """A tier: text, or a number (of any size) as its whole number."""
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        return str(int(value))
    return to_text(value)


TierLabel = Annotated[str | None, BeforeValidator(_to_label)]


class Plan(Payload):
    """A subscription and the ends of its periods."""

    display_name: TierLabel = Field(default=None, alias="displayName")
    tier: TierLabel = None
    scheduled_tier: TierLabel = Field(default=None, alias="scheduledTier")
    status: Text = None
    billing_end: When = Field(default=None, alias="billingPeriodEnd")
    current_end: When = Field(default=None, alias="currentPeriodEnd")


class RateLimits(Payload):
    """The week's and the block's credits. `limited` says that a subscriber is stopped now, and why (`weekly_limit`)."""

    not_read = frozenset({"weeklyPercentUsed"})

    weekly_used: Number = Field(default=None, alias="weeklyUsed")
    used: Number = None
    weekly_limit: Number = Field(default=None, alias="weeklyLimit")
    limit: Number = None
    weekly_resets_at: When = Field(default=None, alias="weeklyResetsAt")
    block_used: Number = Field(default=None, alias="blockUsed")
    block_limit: Number = Field(default=None, alias="blockLimit")
    block_resets_at: When = Field(default=None, alias="blockResetsAt")
    limited: Flag = None
    reason: Text = None


class PlanLimits(Payload):
    """How many hours a block lasts. The limits stand beside what was used of them."""

    not_read = frozenset({"creditsPerBlock", "weeklyCreditsLimit"})

    block_hours: Number = Field(default=None, alias="blockDurationHours")


class Person(Payload):
    """The account's owner."""

    email: Text = None


class SubscriptionAnswer(Person):
    """GET /api/user/subscription. Without a plan only `hasSubscription` comes."""

    plan: Annotated[Plan, lenient_part(Plan)] = Field(default=Plan(), alias="subscription")
    display_name: TierLabel = Field(default=None, alias="displayName")
    tier: TierLabel = None
    rate: Annotated[RateLimits, lenient_part(RateLimits)] = Field(
        default=RateLimits(), validation_alias=AliasChoices("rateLimit")
    )
    limits: Annotated[PlanLimits | None, lenient(PlanLimits)] = None
    user: Annotated[Person | None, lenient(Person)] = None

    @property
    def label(self) -> str | None:
        plan = self.plan
        return plan.display_name or self.display_name or plan.tier or self.tier or plan.scheduled_tier
