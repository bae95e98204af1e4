"""Reading ChatGPT's usage service with the Codex login or with a personal access token."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import quote

from quotaline_providers.contract import Context, Credential, Response
from quotaline_providers.errors import ExpiredCredential, MissingCredential
from quotaline_providers.fetching.optional import optional, together
from quotaline_providers.model import Identity, ResetCredits, Spend, Usage
from quotaline_providers.parsing.payload import to_text
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.codex import rpc
from quotaline_providers.vendors.codex.credits import monthly_usage, reset_credits
from quotaline_providers.vendors.codex.homes import DEFAULT_BASE, base_url, config_text, workspace
from quotaline_providers.vendors.codex.login import Login, native_login
from quotaline_providers.vendors.codex.mapping import Extras, Limits, plan_title, service_limits, to_usage
from quotaline_providers.vendors.codex.payloads import (
    MonthlyUsageAnswer,
    ResetCreditsAnswer,
    UsageAnswer,
    WhoAmI,
    WorkspacesAnswer,
)
from quotaline_providers.vendors.codex.program import CODEX

USAGE_SECONDS = 30.0
RESET_CREDITS_SECONDS = 6.0
MONTHLY_SECONDS = 4.0
WORKSPACES_SECONDS = 20.0
VERSION_SECONDS, PROGRAM_SECONDS = 5.0, 30.0
ASK_AGAIN = timedelta(hours=6)
NAME_KEPT = timedelta(days=1)
WHOAMI = "https://auth.openai.com/api/accounts/v1/user-auth-credential/whoami"
_PERSONAL_PLANS = frozenset({"guest", "free", "go", "plus", "pro"})


class Rejected(ExpiredCredential):
    """The login is spent or refused; the next way in may still work."""


@dataclass(frozen=True)
class Bearer:
    """How the service is asked: its address, the token and the headers every call carries."""

    base: str
    token: Secret
    headers: Mapping[str, str]

    @property
    def usage_url(self) -> str:
        return self.base + ("/wham/usage" if "/backend-api" in self.base else "/api/codex/usage")

    async def get(self, ctx: Context, url: str, timeout: float, **headers: str) -> Response:
        return await ctx.http.send("GET", url, bearer=self.token, headers={**self.headers, **headers}, timeout=timeout)


def account_headers(account_id: str | None, **more: str) -> dict[str, str]:
    """The headers that choose an account, and more."""
    return {**({"ChatGPT-Account-Id": account_id} if account_id else {}), **more}


def wants_monthly(answer: UsageAnswer, limits: Limits, base: str, plan: str | None = None) -> bool:
    """Whether the member's monthly limit is worth a call of its own. `plan` stands in for one the answer leaves out."""
    personal = (answer.plan_type or plan or "").lower() in _PERSONAL_PLANS
    return "/backend-api" in base and limits.monthly is None and answer.has_spend_control and not personal


def monthly_url(base: str, account_id: str) -> str:
    """Where a member's monthly limit is told."""
    return f"{base}/accounts/{quote(account_id, safe='')}/spend-controls/current-user/monthly-usage"


# --- the login of `codex login` --------------------------------------------------------------------


async def from_login(ctx: Context, login: Login) -> Usage:
    """Read with the Codex login. Its refresh token is never used: that would sign the program out."""
    if login.stale and login.external:
        raise ExpiredCredential(f"The login in {login.origin} has expired.", "Sign in again with the program it is of.")
    if login.stale:
        raise Rejected("The Codex login has expired.", "Run `codex login`.")
    base = base_url(await config_text(ctx))
    bearer, answer = await _ask(ctx, base, login)
    if answer.status in (401, 403) and (newer := await _rotated(ctx, login)):
        login = newer
        bearer, answer = await _ask(ctx, base, login)
    if answer.status in (401, 403):
        raise Rejected("The Codex login was refused.", "Run `codex login`.")
    usage_answer = ctx.http.parse(ctx.http.check(answer), UsageAnswer)
    limits = service_limits(usage_answer, ctx.now, answer.headers)
    account_id = workspace(ctx) or login.account_id or usage_answer.account_id
    plan = usage_answer.plan_type or login.plan
    monthly_call = wants_monthly(usage_answer, limits, base, plan) and account_id
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
    identity = Identity(account_id=account_id, email=login.email, organization=organization, plan=plan_title(plan))
    return to_usage(limits, identity, ctx.now, extras, certain=True)


async def _ask(ctx: Context, base: str, login: Login) -> tuple[Bearer, Response]:
    headers = account_headers(workspace(ctx) or login.account_id)
    bearer = Bearer(base, login.access_token, headers)
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
    return newer


async def _vouchers(ctx: Context, bearer: Bearer) -> ResetCredits:
    url = f"{bearer.base}/wham/rate-limit-reset-credits"
    extra = {"OpenAI-Beta": "codex-1", "originator": "Codex Desktop"}
    answer = await bearer.get(ctx, url, RESET_CREDITS_SECONDS, **extra)
    return reset_credits(ctx.http.parse(ctx.http.check(answer), ResetCreditsAnswer), ctx.now)


async def _monthly(ctx: Context, bearer: Bearer, account_id: str | None) -> Spend | None:
    if account_id is None:
        return None
    found = await bearer.get(ctx, monthly_url(bearer.base, account_id), MONTHLY_SECONDS)
    return monthly_usage(ctx.http.parse(ctx.http.check(found), MonthlyUsageAnswer))


async def _workspace_name(ctx: Context, bearer: Bearer) -> str | None:
    """The name of the workspace the user chose; asked once a day."""
    wanted = workspace(ctx)
    if wanted is None or bearer.base != DEFAULT_BASE:
        return None
    note = "codex-workspace:" + hashlib.sha256(wanted.lower().encode()).hexdigest()[:16]
    if (kept := await ctx.memory.get(note)) is not None:
        return kept
    answer = await bearer.get(ctx, f"{DEFAULT_BASE}/accounts", WORKSPACES_SECONDS, **{"User-Agent": "codex-cli"})
    name = ctx.http.parse(ctx.http.check(answer), WorkspacesAnswer).name_of(wanted)
    if name is not None:
        await ctx.memory.set(note, name, until=ctx.now + NAME_KEPT)
    return name


def _may_ask_program(ctx: Context, login: Login, limits: Limits, extras: Extras) -> bool:
    automatic = ctx.source == "auto" and workspace(ctx) is None
    empty = limits.balance == 0 and not limits.monthly and not extras.monthly
    vouchers = extras.reset_credits
    return automatic and empty and login.email is not None and not (vouchers and vouchers.available)


async def _monthly_of_program(ctx: Context, login: Login) -> Spend | None:
    """The program's monthly limit. Not asked again for some hours once it had none: that starts a program."""
    email = login.email or ""
    note = "codex-no-monthly-limit:" + hashlib.sha256(email.lower().encode()).hexdigest()[:16]
    if not ctx.interactive and await ctx.memory.get(note):
        return None
    program = await optional(CODEX.find(ctx), PROGRAM_SECONDS)
    if program is None:
        return None
    found = await rpc.monthly_limit_of(ctx, program, email)
    if found is None:
        await ctx.memory.set(note, "1", until=ctx.now + ASK_AGAIN)
    return found


# --- a personal access token -----------------------------------------------------------------------


async def from_access_token(ctx: Context, token: Credential) -> Usage:
    """Read with a personal access token. Raises ExpiredCredential or Forbidden when it is refused."""
    version = await _program_version(ctx)
    agent = {"originator": "codex_cli_rs", "User-Agent": program_agent(version)}
    base = base_url(await config_text(ctx))
    headers = account_headers(None, **agent)
    answer = await ctx.http.send("GET", WHOAMI, bearer=token.secret, headers=headers, timeout=USAGE_SECONDS)
    who = ctx.http.parse(_accepted(ctx, answer), WhoAmI)
    account_id = workspace(ctx) or who.chatgpt_account_id
    bearer = Bearer(base, token.secret, account_headers(account_id, **agent))
    answer = await bearer.get(ctx, bearer.usage_url, USAGE_SECONDS)
    usage_answer = ctx.http.parse(_accepted(ctx, answer), UsageAnswer)
    limits = service_limits(usage_answer, ctx.now, answer.headers)
    count = usage_answer.rate_limit_reset_credits
    extras = Extras(reset_credits=ResetCredits(available=count.available_count) if count else None)
    identity = Identity(
        account_id=account_id or usage_answer.account_id,
        email=who.email,
        plan=plan_title(usage_answer.plan_type or who.chatgpt_plan_type),
    )
    return to_usage(limits, identity, ctx.now, extras, certain=True).model_copy(update={"version": version})


def _accepted(ctx: Context, response: Response) -> Response:
    if response.status in (401, 403):
        raise Rejected("The personal access token was refused.", "Create a new one and sign in to Codex with it.")
    return ctx.http.check(response)


def program_agent(version: str | None) -> str:
    """The name the Codex program gives itself."""
    name = f"codex_cli_rs/{version}" if version else "codex_cli_rs"
    return f"{name} ({platform.system()} {platform.release()}; {platform.machine()})"


async def _program_version(ctx: Context) -> str | None:
    """The installed program's version, remembered for some hours; None when there is none."""
    kept = await ctx.memory.get("codex-version")
    if kept is not None:
        return kept or None
    program = await optional(CODEX.find(ctx), PROGRAM_SECONDS)
    asked = ctx.processes.run((program, "--version"), timeout=VERSION_SECONDS, cwd=ctx.home) if program else None
    done = await optional(asked, PROGRAM_SECONDS) if asked else None
    words = done.stdout.split() if done and done.exit_code == 0 else []
    version = to_text(words[1]) if len(words) > 1 else None
    await ctx.memory.set("codex-version", version or "", until=ctx.now + ASK_AGAIN)
    return version
