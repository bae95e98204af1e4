"""Other Claude accounts, as the user's account switcher (`cswap`) lists them. Only shown; its storage is never read."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from quotaline_providers import Context, Row, Section, Usage, beside, parse_or_none, percent
from quotaline_providers.vendors.claude.kept import SwapAccount, SwapList

ENABLED, PROGRAM, ALONE = "claudeSwapEnabled", "claudeSwapExecutablePath", "claudeSwapShowSingleAccount"
SWAP_SECONDS = 30.0
LARGEST = 256 << 10

_STATES = {
    "token_expired": "login expired",
    "relogin_required": "must sign in again",
    "api_key": "uses an API key",
    "keychain_unavailable": "keychain not available",
    "no_credentials": "signed out",
}

F = TypeVar("F")


# --- what it means ---------------------------------------------------------------------------------


def to_section(found: SwapList, *, alone: bool = False) -> Section | None:
    """A row for each account that is not the active one; with `alone` also for the only one there is."""
    single = len(found.accounts) == 1
    shown = [account for account in found.accounts if (alone and single) or not _is_active(account, found.active)]
    rows = tuple(Row(label=_name(account), value=_value(account)) for account in shown)
    return Section(title="Other accounts" if not single else "Account", rows=rows) if rows else None


def _is_active(account: SwapAccount, number: int | None) -> bool:
    return account.active is True or (account.active is None and number is not None and account.number == number)


def _name(account: SwapAccount) -> str:
    number = f"Account {account.number}" if account.number is not None else "Account"
    return account.alias or account.email or account.organization or number


def _value(account: SwapAccount) -> str:
    if account.status not in (None, "ok") or account.usage is None:
        return _STATES.get(account.status or "", "not available")
    limits = (("session", account.usage.session), ("week", account.usage.weekly))
    named = (*limits, *((window.name or "other", window) for window in account.usage.scoped))
    known = [f"{name} {percent(window.used)}" for name, window in named if window and window.used is not None]
    return " · ".join(known) or "not available"


# --- how it is asked -------------------------------------------------------------------------------


def is_enabled(ctx: Context) -> bool:
    """Whether the user wants the accounts of the switcher shown."""
    return ctx.settings.own(ENABLED) is True and ctx.account is None


async def other_accounts(ctx: Context) -> Section | None:
    """The switcher's accounts as a section; None when there is nothing to show. Raises MissingProgram, TimedOut."""
    program = _program(ctx)
    if program is None:
        return None
    done = await ctx.processes.run(
        (program, "--list", "--json"),
        timeout=SWAP_SECONDS,
        env=ctx.variables("CSWAP_*", "CLAUDE_CONFIG_DIR"),
        cwd=ctx.home,
    )
    if len(done.stdout) > LARGEST:
        return None
    try:
        found = parse_or_none(SwapList, json.loads(done.stdout))
    except (ValueError, RecursionError):
        return None
    return to_section(found, alone=ctx.settings.own(ALONE) is True) if found else None


def _program(ctx: Context) -> Path | None:
    named = ctx.settings.own_text(PROGRAM)
    path = ctx.expand(named) if named else ctx.processes.find("cswap")
    return path if path and path.is_absolute() else None


def with_other_accounts(fetch: Callable[[Context, F], Awaitable[Usage]]) -> Callable[[Context, F], Awaitable[Usage]]:
    """The fetch with the switcher's accounts beside it, when the user switched that on. They can never fail it."""

    async def read(ctx: Context, found: F) -> Usage:
        if not is_enabled(ctx):
            return await fetch(ctx, found)
        async with beside() as side:
            asked = side.start(other_accounts(ctx), SWAP_SECONDS + 2)
            usage = await fetch(ctx, found)
            section = await asked
        return usage.model_copy(update={"details": (*usage.details, section)}) if section else usage

    return read
