"""Reading usage as claude.ai does, with the cookie of a signed-in browser that the user pasted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field, RootModel

from quotaline_providers.contract import Context, Credential
from quotaline_providers.errors import (
    BadResponse,
    Misconfigured,
    ReadError,
    TimedOut,
)
from quotaline_providers.model import Balance, Identity, Spend, Usage
from quotaline_providers.parsing.payload import Flag, Number, Payload, Text, clean, lenient, lenient_items
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.claude.session import Cookie, Session
from quotaline_providers.vendors.claude.usage import (
    ExtraUsage,
    Plan,
    UsageAnswer,
    cents,
    plan_of,
    spend_of,
    texts,
    to_usage,
)

PROFILE = "https://api.anthropic.com/api/oauth/profile"
WHOLE_SECONDS, EXTRAS_SECONDS, PREPAID_SECONDS = 60.0, 10.0, 2.0

# --- what the vendor sends -------------------------------------------------------------------------


class Organization(Payload):
    """One of the user's organisations."""

    uuid: Text = None
    name: Text = None
    capabilities: Annotated[tuple[str, ...], BeforeValidator(texts)] = ()


class Organizations(RootModel[Annotated[tuple[Organization, ...], lenient_items(Organization)]]):
    """`GET /api/organizations`."""


class SpendLimit(Payload):
    """`GET .../overage_spend_limit`, in cents."""

    is_enabled: Flag = None
    used_credits: Number = None
    monthly_credit_limit: Number = None
    currency: Text = None


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


# --- the meaning -----------------------------------------------------------------------------------


def choose(organizations: tuple[Organization, ...], wanted: str | None) -> Organization:
    """The organisation to read. Raises Misconfigured when the wanted one is not there, BadResponse when none is."""
    known = [one for one in organizations if one.uuid]
    if wanted:
        for one in known:
            if one.uuid == wanted:
                return one
        raise Misconfigured(
            "The Claude organisation in organizationID is not one of this account.",
            "Correct organizationID or remove it.",
        )
    if not known:
        raise BadResponse("This Claude account has no organisation.", "Sign in at claude.ai with another account.")
    chat = (one for one in known if "chat" in one.capabilities)
    people = (one for one in known if one.capabilities != ("api",))
    return next(chat, None) or next(people, None) or known[0]


def web_plan(membership: Membership | None) -> Plan:
    """The plan from a membership: its rate-limit tier, its billing, and the seat of a team."""
    organization = membership.organization if membership else None
    if membership is None or organization is None:
        return Plan(None, None)
    tier = (organization.tier or "").lower()
    plan = plan_of(None, tier)
    if plan.word is None and "stripe" in (organization.billing or "").lower() and "claude" in tier:
        plan = Plan("pro", "Claude Pro")
    seats = {"team_standard": "Claude Team Standard", "team_tier_1": "Claude Team Premium"}
    seat = seats.get((membership.seat_tier or "").lower())
    return Plan("team", seat) if seat and plan.word in (None, "team") else plan


def overage_spend(answer: SpendLimit, period: str) -> Spend | None:
    """Extra usage as the web's spend limit tells it; None unless it is on and complete."""
    if answer.is_enabled is not True or not answer.currency:
        return None
    if answer.used_credits is None or answer.monthly_credit_limit is None:
        return None
    extra = ExtraUsage(
        is_enabled=True,
        monthly_limit=answer.monthly_credit_limit,
        used_credits=answer.used_credits,
        currency=answer.currency,
    )
    return spend_of(extra, period)


def prepaid_balance(answer: Prepaid) -> Balance | None:
    """The prepaid credits; None when the answer has no usable amount."""
    if answer.amount is None or answer.amount < 0 or not answer.currency:
        return None
    return Balance(id="prepaid", label="Extra usage balance", amount=cents(answer.amount), unit=answer.currency.upper())


def with_extras(usage: Usage, spend: Spend | None, balance: Balance | None) -> Usage:
    """The usage with what only the web tells. A balance joins only in the currency of the spend."""
    spends = usage.spends or ((spend,) if spend else ())
    if balance is None or any(one.unit != balance.unit for one in spends):
        return usage.model_copy(update={"spends": spends})
    if spends:
        amount: Decimal = balance.amount
        return usage.model_copy(update={"spends": tuple(one.model_copy(update={"balance": amount}) for one in spends)})
    return usage.model_copy(update={"balances": (*usage.balances, balance)})


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose usage it is, as far as known: an e-mail address and an organisation's UUID."""

    email: str | None = None
    organization: str | None = None

    def same(self, other: Owner) -> bool:
        """Whether one of the two agrees and none contradicts."""
        pairs = ((self.email, other.email), (self.organization, other.organization))
        known = [one.lower() == two.lower() for one, two in pairs if one and two]
        return bool(known) and all(known)


# --- the strategy ----------------------------------------------------------------------------------


def _wanted(ctx: Context) -> str | None:
    if ctx.account is not None:
        return clean(ctx.account.organization_id)
    return ctx.settings.own_text("organizationID") or ctx.settings.own_text("organizationId")


async def _organization(ctx: Context, session: Session) -> Organization:
    answer = await session.get("/organizations", Organizations)
    return choose(answer.root, _wanted(ctx))


async def from_web(ctx: Context, cookie: Credential) -> Usage:
    """Usage from claude.ai. The calls go one after another because each may renew the cookie."""
    try:
        async with asyncio.timeout(WHOLE_SECONDS):
            session = Session(ctx, cookie.secret)
            organization = await _organization(ctx, session)
            path = f"/organizations/{organization.uuid}"
            answer = await session.get(f"{path}/usage", UsageAnswer)
            account = await session.maybe("/account", WebAccount)
            membership = account.membership(organization.uuid or "") if account else None
            usage = to_usage(
                answer,
                ctx.now,
                plan=web_plan(membership),
                identity=Identity(email=account.email if account else None, organization=organization.name),
                web=True,
            )
            return with_extras(usage, *await _extras(session, path, usage))
    except TimeoutError:
        raise TimedOut(f"claude.ai did not answer within {WHOLE_SECONDS:.0f} seconds.") from None


async def _extras(session: Session, path: str, usage: Usage) -> tuple[Spend | None, Balance | None]:
    spend: Spend | None = None
    if not usage.spends:
        limit = await session.maybe(f"{path}/overage_spend_limit", SpendLimit)
        period = "Spend limit" if usage.identity.plan == "Claude Enterprise" else "Monthly cap"
        spend = overage_spend(limit, period) if limit else None
    prepaid = await session.maybe(f"{path}/prepaid/credits", Prepaid, PREPAID_SECONDS)
    return spend, prepaid_balance(prepaid) if prepaid else None


# --- beside another strategy -----------------------------------------------------------------------


async def owner_of(ctx: Context, token: Secret) -> Owner:
    """Whose an OAuth token is. Raises ReadError."""
    headers = {"Content-Type": "application/json"}
    profile = await ctx.http.get(PROFILE, Profile, headers=headers, bearer=token, timeout=15)
    account, organization = profile.account, profile.organization
    return Owner(
        email=(account.email if account else None) or profile.email,
        organization=(organization.uuid if organization else None) or profile.organization_uuid,
    )


async def join_extras(ctx: Context, usage: Usage, owner: Callable[[], Awaitable[Owner]]) -> Usage:
    """The usage with the web's spend and balance, when there is a cookie and it is certainly the same account's.

    Never fails: without certainty or an answer in time the usage stays as it is.
    """
    if ctx.account is not None or Cookie().probe(ctx) is None:
        return usage
    try:
        async with asyncio.timeout(EXTRAS_SECONDS):
            session = Session(ctx, (await Cookie().find(ctx)).secret)
            ours = await owner()
            organization = await _organization(ctx, session)
            account = await session.maybe("/account", WebAccount)
            theirs = Owner(email=account.email if account else None, organization=organization.uuid)
            if not ours.same(theirs):
                return usage
            path = f"/organizations/{organization.uuid}"
            return with_extras(usage, *await _extras(session, path, usage))
    except (ReadError, TimeoutError):
        return usage
