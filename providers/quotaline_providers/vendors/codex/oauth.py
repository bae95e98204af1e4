"""Reading ChatGPT's usage service with the login of `codex login`."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

from quotaline_providers import (
    Context,
    ExpiredCredential,
    Identity,
    MissingCredential,
    Refusal,
    Refusals,
    Response,
    Usage,
    Window,
    optional,
    together,
)
from quotaline_providers.model import ResetCredits
from quotaline_providers.vendors.codex.amounts import monthly_usage, reset_credits
from quotaline_providers.vendors.codex.cli import monthly_limit_of
from quotaline_providers.vendors.codex.credentials import Login, bound, native_login
from quotaline_providers.vendors.codex.homes import workspace
from quotaline_providers.vendors.codex.mapping import Extras, Limits, service_limits, to_usage
from quotaline_providers.vendors.codex.payloads import (
    MonthlyUsageAnswer,
    ResetCreditsAnswer,
    UsageAnswer,
    WorkspacesAnswer,
)
from quotaline_providers.vendors.codex.program import CODEX
from quotaline_providers.vendors.codex.service import (
    ASK_AGAIN,
    MONTHLY_SECONDS,
    PROGRAM_SECONDS,
    USAGE_SECONDS,
    Bearer,
    Rejected,
    account_headers,
    monthly_url,
    wants_monthly,
)

RESET_CREDITS_SECONDS = 6.0
WORKSPACES_SECONDS = 20.0
NAME_KEPT = timedelta(days=1)
REFUSED = Refusal(Rejected, "The Codex login was refused.", "Run `codex login`.")
REFUSALS: Refusals = {401: REFUSED, 403: REFUSED}


async def from_login(ctx: Context, login: Login) -> Usage:
    """Read with the Codex login. Its refresh token is never used: that would sign the program out."""
    if login.stale and login.external:
        raise ExpiredCredential(
            f"The login in {login.origin} has expired.", "Sign in again with the program it belongs to."
        )
    if login.stale:
        raise Rejected("The Codex login has expired.", "Run `codex login`.")
    bearer, answer = await _ask(ctx, login)
    if answer.status in (401, 403) and (newer := await _rotated(ctx, login)):
        login = newer
        bearer, answer = await _ask(ctx, login)
    usage_answer = ctx.http.parse(ctx.http.check(answer, REFUSALS), UsageAnswer)
    limits = service_limits(usage_answer, ctx.now, answer.headers)
    account_id = workspace(ctx) or login.account_id or usage_answer.account_id
    plan = usage_answer.plan_type or login.plan
    monthly_call = wants_monthly(usage_answer, limits, login.base, plan) and account_id
    vouchers, monthly, organization = await together(
        optional(_vouchers(ctx, bearer), RESET_CREDITS_SECONDS),
        optional(_monthly(ctx, bearer, account_id if monthly_call else None), MONTHLY_SECONDS),
        optional(_workspace_name(ctx, bearer), WORKSPACES_SECONDS),
    )
    if vouchers is None and usage_answer.rate_limit_reset_credits:
        vouchers = ResetCredits(available=usage_answer.rate_limit_reset_credits.available_count)
    extras = Extras(reset_credits=vouchers, monthly=monthly)
    if _may_ask_program(ctx, login, limits, extras):
        extras = replace(extras, monthly=await _monthly_of_program(ctx, login))
    identity = Identity(account_id=account_id, email=login.email, organization=organization, plan=plan)
    return to_usage(limits, identity, ctx.now, extras, certain=True)


async def _ask(ctx: Context, login: Login) -> tuple[Bearer, Response]:
    headers = account_headers(workspace(ctx) or login.account_id)
    bearer = Bearer(login.base, login.access_token, headers)
    return bearer, await bearer.get(ctx, bearer.usage_url, USAGE_SECONDS)


async def _rotated(ctx: Context, login: Login) -> Login | None:
    """The login as the program may have renewed it in the meantime; None when nothing changed."""
    if login.external:
        return None
    try:
        newer = await native_login(ctx)
    except MissingCredential:
        return None
    if newer is None or newer.stale or newer.access_token == login.access_token:
        return None
    return await bound(ctx, newer)


async def _vouchers(ctx: Context, bearer: Bearer) -> ResetCredits:
    url = f"{bearer.base}/wham/rate-limit-reset-credits"
    extra = {"OpenAI-Beta": "codex-1", "originator": "Codex Desktop"}
    answer = await bearer.get(ctx, url, RESET_CREDITS_SECONDS, **extra)
    return reset_credits(ctx.http.parse(ctx.http.check(answer), ResetCreditsAnswer), ctx.now)


async def _monthly(ctx: Context, bearer: Bearer, account_id: str | None) -> Window | None:
    if account_id is None:
        return None
    found = await bearer.get(ctx, monthly_url(bearer.base, account_id), MONTHLY_SECONDS)
    return monthly_usage(ctx.http.parse(ctx.http.check(found), MonthlyUsageAnswer))


async def _workspace_name(ctx: Context, bearer: Bearer) -> str | None:
    """The name of the workspace the user chose; asked once a day."""
    wanted = workspace(ctx)
    if wanted is None:
        return None
    note = "codex-workspace:" + hashlib.sha256(f"{bearer.base}\0{wanted.lower()}".encode()).hexdigest()[:16]
    if (kept := await ctx.memory.get(note)) is not None:
        return kept
    answer = await bearer.get(ctx, f"{bearer.base}/accounts", WORKSPACES_SECONDS, **{"User-Agent": "codex-cli"})
    name = ctx.http.parse(ctx.http.check(answer), WorkspacesAnswer).name_of(wanted)
    if name is not None:
        await ctx.memory.set(note, name, until=ctx.now + NAME_KEPT)
    return name


def _may_ask_program(ctx: Context, login: Login, limits: Limits, extras: Extras) -> bool:
    automatic = ctx.source == "auto" and workspace(ctx) is None
    empty = limits.balance == 0 and not limits.monthly and not extras.monthly
    vouchers = extras.reset_credits
    return automatic and empty and login.email is not None and not (vouchers and vouchers.available)


async def _monthly_of_program(ctx: Context, login: Login) -> Window | None:
    """The program's monthly limit. Not asked again for some hours once it had none: that starts a program."""
    email = login.email or ""
    note = "codex-no-monthly-limit:" + hashlib.sha256(email.lower().encode()).hexdigest()[:16]
    if not ctx.interactive and await ctx.memory.get(note):
        return None
    program = await optional(CODEX.find(ctx), PROGRAM_SECONDS)
    if program is None:
        return None
    found = await monthly_limit_of(ctx, program, email)
    if found is None:
        await ctx.memory.set(note, "1", until=ctx.now + ASK_AGAIN)
    return found
