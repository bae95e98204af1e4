"""The AWS service that `kiro-cli` itself asks for its limits, read with the login of its state database.

A best effort beside the program's own report: whatever goes wrong here is None and never fails a read.
"""

from __future__ import annotations

from quotaline_providers import Context, ExpiredCredential, Forbidden, ReadError
from quotaline_providers.vendors.kiro.credentials import StoredLogin, stored_logins
from quotaline_providers.vendors.kiro.mapping import Limits, to_limits
from quotaline_providers.vendors.kiro.payloads import LimitsAnswer

URLS = {
    "us-east-1": "https://codewhisperer.us-east-1.amazonaws.com/",
    "eu-central-1": "https://q.eu-central-1.amazonaws.com/",
}
"""The service by the region of the profile. No token is sent for any other."""
TARGET = "AmazonCodeWhispererService.GetUsageLimits"
TIMEOUT = 10.0


async def read_limits(ctx: Context) -> Limits | None:
    """Ask the service. None when there is no login, no credible answer, or any failure."""
    asked: set[str] = set()
    try:
        async for login in stored_logins(ctx):
            if login.region not in URLS or login.token.digest() in asked:
                continue
            asked.add(login.token.digest())
            try:
                return to_limits(await _ask(ctx, login))
            except (ExpiredCredential, Forbidden):
                continue  # the program keeps older logins beside newer ones
    except (ReadError, ValueError):
        pass
    return None


async def _ask(ctx: Context, login: StoredLogin) -> LimitsAnswer:
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": TARGET, "Cache-Control": "no-store"}
    body = {"profileArn": login.arn}
    return await ctx.http.post(
        URLS[login.region], LimitsAnswer, headers=headers, bearer=login.token, json=body, timeout=TIMEOUT
    )
