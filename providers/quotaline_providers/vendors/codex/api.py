"""Reading ChatGPT's usage service with a personal access token."""

from __future__ import annotations

from quotaline_providers import Context, Identity, Refusal, Refusals, Usage, optional, to_text
from quotaline_providers.computer import this_computer
from quotaline_providers.model import ResetCredits
from quotaline_providers.vendors.codex.credentials import BoundToken
from quotaline_providers.vendors.codex.homes import workspace
from quotaline_providers.vendors.codex.mapping import Extras, service_limits, to_usage
from quotaline_providers.vendors.codex.payloads import UsageAnswer, WhoAmI
from quotaline_providers.vendors.codex.program import CODEX
from quotaline_providers.vendors.codex.service import (
    ASK_AGAIN,
    PROGRAM_SECONDS,
    USAGE_SECONDS,
    VERSION_SECONDS,
    Bearer,
    Rejected,
    account_headers,
)

WHOAMI = "https://auth.openai.com/api/accounts/v1/user-auth-credential/whoami"
REFUSED = Refusal(Rejected, "The personal access token was refused.", "Create a new one and sign in to Codex with it.")
REFUSALS: Refusals = {401: REFUSED, 403: REFUSED}


async def from_access_token(ctx: Context, token: BoundToken) -> Usage:
    """Read with a personal access token. Raises ExpiredCredential or Forbidden when it is refused."""
    version = await _program_version(ctx)
    agent = {"originator": "codex_cli_rs", "User-Agent": program_agent(ctx, version)}
    headers = account_headers(None, **agent)
    who = await ctx.http.get(WHOAMI, WhoAmI, bearer=token.secret, headers=headers, refusals=REFUSALS)
    account_id = workspace(ctx) or who.chatgpt_account_id
    bearer = Bearer(token.base, token.secret, account_headers(account_id, **agent))
    answer = await bearer.get(ctx, bearer.usage_url, USAGE_SECONDS)
    usage_answer = ctx.http.parse(ctx.http.check(answer, REFUSALS), UsageAnswer)
    limits = service_limits(usage_answer, ctx.now, answer.headers)
    count = usage_answer.rate_limit_reset_credits
    extras = Extras(reset_credits=ResetCredits(available=count.available_count) if count else None)
    identity = Identity(
        account_id=account_id or usage_answer.account_id,
        email=who.email,
        plan=usage_answer.plan_type or who.chatgpt_plan_type,
    )
    return to_usage(limits, identity, ctx.now, extras, certain=True).model_copy(update={"version": version})


def program_agent(ctx: Context, version: str | None) -> str:
    """The name the Codex program gives itself."""
    name = f"codex_cli_rs/{version}" if version else "codex_cli_rs"
    own = this_computer(ctx.environ, ctx.platform)
    return f"{name} ({own.system} {own.release}; {own.machine})"


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
