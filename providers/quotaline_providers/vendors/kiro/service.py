"""The AWS service that `kiro-cli` itself asks for its limits, read with the login of its state database.

A best effort beside the program's own report: whatever goes wrong here is None and never fails a read.
"""

from __future__ import annotations

from quotaline_providers import Context, ReadError
from quotaline_providers.vendors.kiro.credentials import stored_login
from quotaline_providers.vendors.kiro.mapping import Limits, to_limits
from quotaline_providers.vendors.kiro.payloads import LimitsAnswer

URL = "https://codewhisperer.us-east-1.amazonaws.com/"
TARGET = "AmazonCodeWhispererService.GetUsageLimits"
TIMEOUT = 10.0


async def read_limits(ctx: Context) -> Limits | None:
    """Ask the service. None when there is no login, no credible answer, or any failure."""
    try:
        login = await stored_login(ctx)
        if login is None:
            return None
        token, arn = login
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": TARGET, "Cache-Control": "no-store"}
        answer = await ctx.http.post(
            URL, LimitsAnswer, headers=headers, bearer=token, json={"profileArn": arn}, timeout=TIMEOUT
        )
        return to_limits(answer)
    except (ReadError, ValueError):
        return None
