"""What Anthropic sends: to a login, to claude.ai, to an Admin API key."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field, RootModel

from quotaline_providers import Flag, Integer, Number, Payload, Text, When, lenient, lenient_items

# --- usage -----------------------------------------------------------------------------------------


def texts(value: object) -> tuple[str, ...]:
    """The texts of a list; none of anything else."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list | tuple) else ()


class Limit(Payload):
    """One limit: `utilization` in percent 0-100."""

    utilization: Number = None
    resets_at: When = None


MaybeLimit = Annotated[Limit | None, lenient(Limit)]


class ScopeModel(Payload):
    """The model a newer limit is about."""

    id: Text = None
    display_name: Text = None


class Scope(Payload):
    """What a newer limit is about."""

    model: Annotated[ScopeModel | None, lenient(ScopeModel)] = None


class KindLimit(Payload):
    """One entry of the newer `limits`: `percent` 0-100."""

    kind: Text = None
    group: Text = None
    percent: Number = None
    resets_at: When = None
    scope: Annotated[Scope | None, lenient(Scope)] = None


class ExtraUsage(Payload):
    """Pay-as-you-go beside the plan. Amounts have `decimal_places` (without them the currency's own); no limit means
    no cap."""

    is_enabled: Flag = None
    monthly_limit: Number = Field(default=None, validation_alias=AliasChoices("monthly_limit", "monthly_credit_limit"))
    used_credits: Number = None
    utilization: Number = None
    currency: Text = None
    decimal_places: Integer = None


class Minor(Payload):
    """An amount in units of which 10 to the power of `exponent` make one of the currency."""

    amount: Number = Field(default=None, alias="amount_minor")
    currency: Text = None
    exponent: Integer = None


MaybeMinor = Annotated[Minor | None, lenient(Minor)]


class NewerSpend(Payload):
    """The newer `extra_usage`. Its `percent` is 0 without a cap and then means nothing."""

    not_read = frozenset({"percent", "cap", "auto_reload"})

    used: MaybeMinor = None
    limit: MaybeMinor = None
    balance: MaybeMinor = None
    enabled: Flag = None


class CloudCredits(Payload):
    """Credits for sessions in the cloud; `utilization` in percent 0-100."""

    limit: Number = Field(default=None, alias="limit_dollars")
    used: Number = Field(default=None, alias="used_dollars")
    remaining: Number = Field(default=None, alias="remaining_dollars")
    utilization: Number = None
    resets_at: When = None
    locked_reason: Text = None


class UsageAnswer(Payload):
    """`GET /api/oauth/usage` and the web's `GET /api/organizations/{uuid}/usage`."""

    not_read = frozenset({"seven_day_design", "seven_day_omelette"})

    five_hour: MaybeLimit = None
    seven_day: MaybeLimit = None
    seven_day_sonnet: MaybeLimit = None
    seven_day_opus: MaybeLimit = None
    seven_day_oauth_apps: MaybeLimit = None
    seven_day_routines: MaybeLimit = None
    seven_day_claude_routines: MaybeLimit = None
    claude_routines: MaybeLimit = None
    routines: MaybeLimit = None
    routine: MaybeLimit = None
    seven_day_cowork: MaybeLimit = None
    cowork: MaybeLimit = None
    limits: Annotated[tuple[KindLimit, ...], lenient_items(KindLimit)] = ()
    extra_usage: Annotated[ExtraUsage | None, lenient(ExtraUsage)] = None
    spend: Annotated[NewerSpend | None, lenient(NewerSpend)] = None
    iguana_necktie: Annotated[CloudCredits | None, lenient(CloudCredits)] = None


# --- claude.ai -------------------------------------------------------------------------------------


class Organization(Payload):
    """One of the user's organisations."""

    uuid: Text = None
    name: Text = None
    capabilities: Annotated[tuple[str, ...], BeforeValidator(texts)] = ()


class Organizations(RootModel[Annotated[tuple[Organization, ...], lenient_items(Organization)]]):
    """`GET /api/organizations`."""


class SpendLimit(Payload):
    """`GET .../overage_spend_limit`, in the currency's smallest unit."""

    is_enabled: Flag = None
    used_credits: Number = None
    monthly_credit_limit: Number = None
    currency: Text = None
    decimal_places: Integer = None


class Prepaid(Payload):
    """`GET .../prepaid/credits`, in cents."""

    amount: Number = None
    currency: Text = None


class MemberOrganization(Payload):
    """The organisation of a membership."""

    uuid: Text = None
    name: Text = None
    tier: Text = Field(default=None, alias="rate_limit_tier")
    billing: Text = Field(default=None, alias="billing_type")


class Membership(Payload):
    """What the user is in an organisation."""

    seat_tier: Text = None
    organization: Annotated[MemberOrganization | None, lenient(MemberOrganization)] = None


class WebAccount(Payload):
    """`GET /api/account`."""

    email: Text = Field(default=None, alias="email_address")
    memberships: Annotated[tuple[Membership, ...], lenient_items(Membership)] = ()

    def membership(self, organization: str) -> Membership | None:
        """The membership of this organisation, else the first."""
        own = (one for one in self.memberships if one.organization and one.organization.uuid == organization)
        return next(own, self.memberships[0] if self.memberships else None)


class ProfileAccount(Payload):
    """Who an OAuth token belongs to."""

    email: Text = Field(default=None, validation_alias=AliasChoices("email", "emailAddress", "email_address"))


class ProfileOrganization(Payload):
    """Which organisation an OAuth token belongs to."""

    uuid: Text = Field(default=None, validation_alias=AliasChoices("uuid", "organizationUuid", "organization_uuid"))


class Profile(ProfileAccount):
    """`GET /api/oauth/profile`."""

    account: Annotated[ProfileAccount | None, lenient(ProfileAccount)] = None
    organization: Annotated[ProfileOrganization | None, lenient(ProfileOrganization)] = None
    organization_uuid: Text = Field(
        default=None, validation_alias=AliasChoices("organizationUuid", "organization_uuid")
    )


# --- an organisation's reports ---------------------------------------------------------------------


class Cost(Payload):
    """One item of a day's cost; `amount` is a decimal text in cents."""

    amount: Text = None
    currency: Text = None
    description: Text = None

    @property
    def value(self) -> Decimal:
        """The cost in the currency's main unit."""
        try:
            value = Decimal(self.amount or "0")
        except InvalidOperation:
            return Decimal(0)
        return value / 100 if value.is_finite() else Decimal(0)


class CostDay(Payload):
    """A day of the cost report."""

    starting_at: When = None
    ending_at: When = None
    results: Annotated[tuple[Cost, ...], lenient_items(Cost)] = ()


class CostReport(Payload):
    """`GET /v1/organizations/cost_report`."""

    data: tuple[CostDay, ...]


class CacheCreation(Payload):
    """Tokens written to the cache."""

    short: Integer = Field(default=None, alias="ephemeral_5m_input_tokens")
    long: Integer = Field(default=None, alias="ephemeral_1h_input_tokens")


class Tokens(Payload):
    """One model's tokens of a day."""

    model: Text = None
    uncached: Integer = Field(default=None, alias="uncached_input_tokens")
    created: Annotated[CacheCreation | None, lenient(CacheCreation)] = Field(default=None, alias="cache_creation")
    cache_read: Integer = Field(default=None, alias="cache_read_input_tokens")
    output: Integer = Field(default=None, alias="output_tokens")

    @property
    def total(self) -> int:
        created = (self.created.short or 0) + (self.created.long or 0) if self.created else 0
        return (self.uncached or 0) + created + (self.cache_read or 0) + (self.output or 0)


class TokenDay(Payload):
    """A day of the usage report."""

    starting_at: When = None
    ending_at: When = None
    results: Annotated[tuple[Tokens, ...], lenient_items(Tokens)] = ()


class TokenReport(Payload):
    """`GET /v1/organizations/usage_report/messages`."""

    data: tuple[TokenDay, ...]
