"""The code usage, asked with the login of the Kimi Code CLI."""

from __future__ import annotations

import contextlib
import uuid
from pathlib import Path

from quotaline_providers import Context, ExpiredCredential, Refusal, Usage
from quotaline_providers.computer import this_computer
from quotaline_providers.vendors.kimi import api
from quotaline_providers.vendors.kimi.credentials import cli_home, cli_region, cli_token
from quotaline_providers.vendors.kimi.mapping import to_usage
from quotaline_providers.vendors.kimi.web import optional_statistics, printable

REFUSALS = {
    **api.REFUSALS,
    401: Refusal(ExpiredCredential, "Kimi refused the login of the Kimi Code CLI.", "Sign in again with the CLI."),
}


async def from_cli(ctx: Context, path: Path) -> Usage:
    """The quota of Kimi Code's own login. Raises ReadError."""
    token, region = await cli_token(ctx, path), await cli_region(ctx)
    answer = await api.code_usage(ctx, region, token, await client_headers(ctx), REFUSALS)
    return to_usage(answer, await optional_statistics(ctx, region), ctx.now)


async def client_headers(ctx: Context) -> dict[str, str]:
    """What the vendor's CLI sends about itself and the computer: the token is only accepted with it."""
    own = this_computer(ctx.environ, ctx.platform)
    values = {
        "X-Msh-Platform": "kimi_code_cli",
        "X-Msh-Version": ctx.version,
        "X-Msh-Device-Name": own.name,
        "X-Msh-Device-Model": f"{own.system} {own.release} {own.machine}",
        "X-Msh-Os-Version": own.release,
        "X-Msh-Device-Id": await device_id(ctx),
    }
    return {name: printable(value) for name, value in values.items()}


async def device_id(ctx: Context) -> str:
    """The CLI's id of this computer, created when there is none."""
    path = cli_home(ctx) / "device_id"
    with contextlib.suppress(OSError, ValueError):
        if known := (await ctx.files.read(path, limit=4096)).strip():
            return known
    made = str(uuid.uuid4())
    with contextlib.suppress(OSError, ValueError):
        await ctx.files.in_thread(lambda: path.parent.mkdir(mode=0o700, parents=True, exist_ok=True))
        if not await ctx.files.in_thread(path.exists):
            await ctx.files.replace(path, made)
    return made
