"""Kiro: monthly plan credits, bonus credits and overage, from `kiro-cli`'s report and the service it calls itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

from quotaline_providers.contract import Context, Provider, ProviderKind, StatusPage, Strategy
from quotaline_providers.errors import BadResponse, TimedOut, Unavailable
from quotaline_providers.fetching.optional import together
from quotaline_providers.model import Usage
from quotaline_providers.vendors.kiro.login import sign_in
from quotaline_providers.vendors.kiro.program import PROGRAM, logged_out, read_context, read_login, read_usage
from quotaline_providers.vendors.kiro.report import Login
from quotaline_providers.vendors.kiro.service import limits as ask_service
from quotaline_providers.vendors.kiro.usage import to_usage


async def from_program(ctx: Context, program: Path) -> Usage:
    """All reports: the account beside the usage, then context and service together."""
    asking = asyncio.create_task(read_login(ctx, program))
    try:
        try:
            report = await read_usage(ctx, program)
        except (BadResponse, TimedOut, Unavailable):
            if await asking is None:
                raise logged_out() from None
            raise
        filled, limits = await together(read_context(ctx, program), ask_service(ctx))
        login = await asking
    finally:
        asking.cancel()
        await asyncio.wait([asking])
    return to_usage(report, ctx.now, login=login or Login(), context=filled, limits=limits)


PROVIDER = Provider(
    id="kiro",
    name="Kiro",
    kind=ProviderKind.CODING,
    aliases=("kiro-cli",),
    connect="Install the Kiro CLI (https://kiro.dev) and run `kiro-cli login`.",
    summary="Monthly plan credits, bonus credits, overage and context use.",
    dashboard="https://app.kiro.dev/account/usage",
    status=StatusPage("https://health.aws.amazon.com/health/status"),
    min_interval=300,
    deadline=45,
    strategies=(Strategy.cli(from_program, PROGRAM),),
    sign_in=sign_in,
)
