"""Reading usage as claude.ai does, with the cookie of a signed-in browser that the user pasted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from quotaline_providers import Balance, Context, Credential, Identity, ReadError, Secret, Spend, TimedOut, Usage, clean
from quotaline_providers.vendors.claude.accounts import Owner, choose, web_plan
from quotaline_providers.vendors.claude.credentials import Cookie
from quotaline_providers.vendors.claude.mapping import to_usage
from quotaline_providers.vendors.claude.payloads import (
    Organization,
    Organizations,
    Prepaid,
    Profile,
    SpendLimit,
    UsageAnswer,
    WebAccount,
)
from quotaline_providers.vendors.claude.session import Session
from quotaline_providers.vendors.claude.spending import overage_spend, prepaid_balance, with_extras

PROFILE = "https://api.anthropic.com/api/oauth/profile"
WHOLE_SECONDS, EXTRAS_SECONDS, PREPAID_SECONDS = 60.0, 10.0, 2.0


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
        spend = overage_spend(limit, usage.identity.plan == "Claude Enterprise") if limit else None
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
