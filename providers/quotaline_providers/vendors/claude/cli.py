"""Reading usage through Claude Code itself: what it prints, else its panel in a terminal, then its plain output."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from quotaline_providers import (
    BadResponse,
    Confidence,
    Context,
    ExpiredCredential,
    Forbidden,
    Identity,
    MissingCredential,
    Payload,
    RateLimited,
    ReadError,
    TimedOut,
    Unavailable,
    Usage,
    When,
    parse_or_none,
)
from quotaline_providers.vendors.claude.accounts import Owner
from quotaline_providers.vendors.claude.commands import ask_plainly, ask_printed, signed_in
from quotaline_providers.vendors.claude.kept import Account
from quotaline_providers.vendors.claude.logins import local_account
from quotaline_providers.vendors.claude.panel import Capture, State, identity_of, printed_readings, to_usage, usage_of
from quotaline_providers.vendors.claude.probe import ask_usage
from quotaline_providers.vendors.claude.web import join_extras

ASKED_SECONDS, AUTO_SECONDS = 24.0, 12.0
AGAIN_SECONDS, LATE_SECONDS = 14.0, 60.0
PAUSE = timedelta(minutes=5)
REUSE = timedelta(minutes=15)

# --- the result kept for the background ------------------------------------------------------------


class Kept(Payload):
    """The last panel read and whose it was."""

    account: str
    read_at: datetime
    usage: Usage


def still_good(kept: Kept, account: str, now: datetime) -> bool:
    """Whether a kept result may stand for a new one: same account, recent, no window reset since it was read."""
    if kept.account != account or not timedelta(0) <= now - kept.read_at < REUSE:
        return False
    resets = (window.resets_at for window in kept.usage.windows if window.resets_at is not None)
    return not any(kept.read_at < reset <= now for reset in resets)


async def _kept(ctx: Context, account: Account | None) -> Usage | None:
    if ctx.interactive or account is None or account.uuid is None:
        return None
    note = await ctx.memory.get("claude-panel")
    try:
        kept = Kept.model_validate_json(note) if note else None
    except ValueError:
        return None
    return kept.usage if kept is not None and still_good(kept, account.uuid, ctx.now) else None


async def _keep(ctx: Context, account: Account | None, usage: Usage) -> None:
    if account is not None and account.uuid is not None:
        anonymous = usage.model_copy(update={"identity": Identity(plan=usage.identity.plan)})
        kept = Kept(account=account.uuid, read_at=ctx.now, usage=anonymous)
        await ctx.memory.set("claude-panel", kept.model_dump_json(), ctx.now + REUSE)


# --- what a capture means --------------------------------------------------------------------------


def outcome(capture: Capture, now: datetime) -> Usage:
    """The usage a capture shows. Raises what the program said instead."""
    state = capture.state
    if state is State.USAGE:
        return to_usage(capture.text, now)
    if state is State.NO_LIMITS:
        return Usage(
            updated_at=now,
            identity=identity_of(capture.text),
            limits_unavailable=True,
            notes=("This subscription has no limits to show.",),
            confidence=Confidence.UNKNOWN,
        )
    raise _error(state, capture.timed_out, now)


def _of_printed(text: str, now: datetime) -> Usage | None:
    """The usage that the print form tells; None when the panel may tell more. Raises what the program said instead."""
    found = printed_readings(text)
    if "session" in found:
        return usage_of(found, Identity(), now)
    said = Capture(text)
    final = (State.RATE_LIMITED, State.INVALID, State.NO_LIMITS)
    return outcome(said, now) if said.state in final else None


def _error(state: State, timed_out: bool, now: datetime) -> ReadError:
    if state is State.RATE_LIMITED:
        return RateLimited("Claude limits how often usage may be read.", until=now + PAUSE)
    if state is State.INVALID:
        return ExpiredCredential("Claude Code's login was refused.", "Run `claude` and sign in again with `/login`.")
    if state is State.FAILED:
        return Unavailable("Claude Code could not load the usage.")
    if state is State.TRUST:
        return Forbidden("Claude Code waits for an answer to its questions.", "Run `claude` once and answer them.")
    if state is State.LOADING:
        return TimedOut("Claude Code is still loading the usage.")
    if timed_out:
        return TimedOut("Claude Code did not show the usage in time.")
    return BadResponse("Claude Code's usage panel could not be understood.")


# --- the strategy ----------------------------------------------------------------------------------


async def from_cli(ctx: Context, program: Path) -> Usage:
    """Usage from the program's panel. Starting it is costly, so the background reuses a recent result."""
    account = await local_account(ctx)
    kept = await _kept(ctx, account)
    if kept is not None:
        return _signed(kept, account)
    if not ctx.interactive and (until := await _paused(ctx)) is not None:
        raise RateLimited("Claude limits how often usage may be read.", until=until)
    if await signed_in(ctx, program) is False:
        raise MissingCredential("Claude Code is signed out.", "Run `claude` and sign in.")
    try:
        usage = await _read(ctx, program)
    except RateLimited as error:
        until = error.until or ctx.now + PAUSE
        await ctx.memory.set("claude-pause", until.isoformat(), until)
        raise
    await ctx.memory.forget("claude-pause")
    if usage.limits_unavailable:
        return _signed(usage, account)
    await _keep(ctx, account, usage)
    return await join_extras(ctx, _signed(usage, account), lambda: _owner(usage, account))


async def _read(ctx: Context, program: Path) -> Usage:
    printed = await ask_printed(ctx, program)
    if printed is not None and (usage := _of_printed(printed, ctx.now)) is not None:
        return usage
    if not ctx.processes.has_pty:
        return outcome(await ask_plainly(ctx, program), ctx.now)
    first = ASKED_SECONDS if ctx.interactive or ctx.source == "cli" else AUTO_SECONDS
    capture = await ask_usage(ctx, program, first)
    if capture.state is State.LOADING or (capture.timed_out and capture.state is State.NOTHING):
        capture = await ask_usage(ctx, program, LATE_SECONDS)
    elif capture.state is State.NOTHING:
        capture = await ask_usage(ctx, program, max(AGAIN_SECONDS, first))
    try:
        return outcome(capture, ctx.now)
    except (TimedOut, Unavailable):
        simple = await ask_plainly(ctx, program)
        if simple.state in (State.LOADING, State.FAILED, State.NOTHING, State.TRUST):
            raise
        return outcome(simple, ctx.now)


def _signed(usage: Usage, account: Account | None) -> Usage:
    """The usage with what the panel did not say of its owner, unless the panel names another one."""
    known = usage.identity
    if account is None or (known.email and account.email and known.email.lower() != account.email.lower()):
        return usage
    local = account.identity()
    identity = Identity(
        account_id=local.account_id,
        email=known.email or local.email,
        organization=known.organization or local.organization,
        plan=known.plan,
    )
    return usage.model_copy(update={"identity": identity})


async def _owner(usage: Usage, account: Account | None) -> Owner:
    email = usage.identity.email or (account.email if account else None)
    return Owner(email=email, organization=account.organization_uuid if account else None)


async def _paused(ctx: Context) -> datetime | None:
    note = parse_or_none(_Pause, {"until": await ctx.memory.get("claude-pause")})
    return note.until if note is not None and note.until is not None and note.until > ctx.now else None


class _Pause(Payload):
    until: When = None
