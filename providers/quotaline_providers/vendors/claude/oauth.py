"""Reading usage with an OAuth login. Claude Code's own login is only ever renewed by Claude Code."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from quotaline_providers import (
    Context,
    ExpiredCredential,
    Forbidden,
    Identity,
    RateLimited,
    ReadError,
    Refusal,
    Refusals,
    Secret,
    Unavailable,
    Usage,
    base_address,
)
from quotaline_providers.vendors.claude.accounts import plan_of
from quotaline_providers.vendors.claude.commands import installed_version
from quotaline_providers.vendors.claude.credentials import find_program
from quotaline_providers.vendors.claude.logins import CUSTOM_URL_ENV, RUN_CLAUDE, SCOPE, Login, Logins, stored_logins
from quotaline_providers.vendors.claude.mapping import to_usage
from quotaline_providers.vendors.claude.payloads import UsageAnswer
from quotaline_providers.vendors.claude.probe import ask_status
from quotaline_providers.vendors.claude.web import join_extras, owner_of

API = "https://api.anthropic.com"
USUAL_VERSION = "2.1.0"  # named where no Claude Code is installed
COOL_DOWN = timedelta(minutes=5)
RENEWED_PAUSE, UNCHANGED_PAUSE = timedelta(minutes=5), timedelta(seconds=20)
STATUS_SECONDS = 8.0
CHANGE_SECONDS, CHANGE_STEP_SECONDS = 2.0, 0.2

SIGN_IN = "Run `claude` and sign in again with `/login`."

# --- the cool-down of one token --------------------------------------------------------------------


def cool_down_key(token: Secret) -> str:
    """The note that keeps a token's cool-down: a digest, never the token."""
    return f"claude-cool-down:{hashlib.sha256(token.reveal().encode()).hexdigest()}"


async def cool_down(ctx: Context, token: Secret) -> datetime | None:
    """Until when this token must rest; None when it need not."""
    note = await ctx.memory.get(cool_down_key(token))
    try:
        until = datetime.fromisoformat(note) if note else None
    except ValueError:
        return None
    return until if until is not None and until > ctx.now else None


async def rest(ctx: Context, token: Secret, asked: datetime | None) -> datetime:
    """Let this token rest until the time the vendor gave, else five minutes; a later time already kept stays."""
    until = asked if asked is not None and asked > ctx.now else ctx.now + COOL_DOWN
    until = max(until, await cool_down(ctx, token) or until)
    await ctx.memory.set(cool_down_key(token), until.isoformat(), until)
    return until


# --- one request -----------------------------------------------------------------------------------


def custom_url(ctx: Context, login: Login) -> str | None:
    """Claude Code's own setting of another address: it serves Claude Code's own login and no other."""
    return ctx.env(CUSTOM_URL_ENV) if login.owned_by_cli else None


def base_url(ctx: Context, login: Login) -> str:
    """Where usage is asked. Raises Misconfigured for an override that is not an HTTPS address."""
    return base_address(custom_url(ctx, login), CUSTOM_URL_ENV, API)


async def ask(ctx: Context, login: Login, identity: Identity) -> Usage:
    """The usage of one login. Raises RateLimited while its token rests (unless the user asked)."""
    url = f"{base_url(ctx, login)}/api/oauth/usage"
    if login.scopes and SCOPE not in login.scopes:
        raise _insufficient()
    until = await cool_down(ctx, login.token)
    if until is not None and not ctx.interactive:
        raise RateLimited("Claude limits how often usage may be read.", until=until)
    version = await installed_version(ctx)
    headers = {
        "Content-Type": "application/json",
        "anthropic-beta": "oauth-2025-04-20",
        "User-Agent": f"claude-code/{version or USUAL_VERSION}",
    }
    answer = await ctx.http.send("GET", url, headers=headers, bearer=login.token)
    if answer.status == 429:
        until = await rest(ctx, login.token, ctx.http.retry_after(answer))
        raise RateLimited("Claude limits how often usage may be read.", until=until)
    if answer.status == 403 and SCOPE in answer.text:
        raise _insufficient()
    usage = to_usage(
        ctx.http.parse(ctx.http.check(answer, _refusals(login)), UsageAnswer),
        ctx.now,
        plan=plan_of(login.subscription, login.tier),
        identity=identity,
    )
    await ctx.memory.forget(cool_down_key(login.token))
    return usage.model_copy(update={"version": version})


def _insufficient() -> Forbidden:
    return Forbidden(f"The Claude login may not read usage (the scope {SCOPE} is missing).", SIGN_IN)


def _refusals(login: Login) -> Refusals:
    return {
        401: Refusal(
            ExpiredCredential, "Claude refused the login.", login.renewal or f"Replace the token ({login.origin})."
        ),
        403: Refusal(Unavailable, "Claude's usage is not available (status {status})."),
    }


# --- renewal by Claude Code ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Refused:
    """Tokens that need not be tried again in this read."""

    digests: frozenset[str]

    def usable(self, logins: Sequence[Login], now: datetime) -> Login | None:
        """The first login that is neither expired nor known to be refused."""
        return next((one for one in logins if not one.expired(now) and one.token.digest() not in self.digests), None)


async def renewed(ctx: Context, logins: Logins, refused: Refused) -> Login | None:
    """A login that Claude Code renewed, by itself or because it was started for that. None when there is none.

    Starting the program is for the user's own refreshes, and for the background only when the user opted in.
    """
    login = refused.usable(await _reread(ctx), ctx.now)
    if login is not None:
        return login
    if not ctx.interactive and ctx.settings.own("renewInBackground") is not True:
        return None
    note = f"claude-renewal:{hashlib.sha256(logins.store.encode()).hexdigest()[:16]}"
    if not ctx.interactive and await ctx.memory.get(note):
        return None
    program = find_program(ctx)
    if program is None or not ctx.processes.has_pty:
        return None
    before = {one.token.digest() for one in logins.logins}
    pause = UNCHANGED_PAUSE
    try:
        await ask_status(ctx, program, STATUS_SECONDS)
        after = await _changed(ctx, before)
        if not after or {one.token.digest() for one in after} != before:
            pause = RENEWED_PAUSE
        return refused.usable(after, ctx.now)
    except (ReadError, OSError):
        return None
    finally:
        await ctx.memory.set(note, "tried", ctx.now + pause)


async def _changed(ctx: Context, before: set[str]) -> tuple[Login, ...]:
    """Claude Code's logins as soon as they differ from before, or as they are after a while."""
    loop = asyncio.get_running_loop()
    end = loop.time() + CHANGE_SECONDS
    while True:
        logins = await _reread(ctx)
        if loop.time() >= end or (logins and {one.token.digest() for one in logins} != before):
            return logins
        await asyncio.sleep(CHANGE_STEP_SECONDS)


async def _reread(ctx: Context) -> tuple[Login, ...]:
    try:
        return await stored_logins(ctx)
    except ReadError:
        return ()


# --- the strategy ----------------------------------------------------------------------------------


async def from_oauth(ctx: Context, logins: Logins) -> Usage:
    """Usage with the first login that works: the next one after a refusal, then one that Claude Code renewed."""
    base_url(ctx, logins.logins[0])
    identity = logins.account.identity() if logins.account else Identity()
    error = _lapsed(logins.logins, ctx.now)
    refused = Refused(frozenset())
    while (login := refused.usable(logins.logins, ctx.now)) is not None:
        try:
            return await _with_extras(ctx, login, identity)
        except ExpiredCredential as raised:
            error = raised
            refused = Refused(refused.digests | {login.token.digest()})
    if any(one.owned_by_cli for one in logins.logins):
        fresh = await renewed(ctx, logins, refused)
        if fresh is not None:
            return await _with_extras(ctx, fresh, identity)
    raise error


def _lapsed(logins: Sequence[Login], now: datetime) -> ReadError:
    """What it means when the time of all logins is over. One that Claude Code will renew needs nobody."""
    if any(login.paused(now) for login in logins):
        return Unavailable("Claude's numbers are paused: they go on when `claude` next runs.", RUN_CLAUDE)
    first = logins[0]
    return ExpiredCredential("The Claude login has expired.", SIGN_IN if first.owned_by_cli else first.renewal)


async def _with_extras(ctx: Context, login: Login, identity: Identity) -> Usage:
    usage = await ask(ctx, login, identity)
    if custom_url(ctx, login):
        return usage
    return await join_extras(ctx, usage, lambda: owner_of(ctx, login.token))
