"""Reading what an organisation spent, with an Anthropic Admin API key."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

from quotaline_providers import (
    BadResponse,
    Context,
    Credential,
    ExpiredCredential,
    Payload,
    RateLimited,
    Refusal,
    Refusals,
    Secret,
    Unavailable,
    Usage,
)
from quotaline_providers.vendors.claude.costs import DAYS, to_spending
from quotaline_providers.vendors.claude.payloads import CostReport, TokenReport

API = "https://api.anthropic.com/v1/organizations"
P = TypeVar("P", bound=Payload)

_REFUSED = Refusal(
    ExpiredCredential, "Anthropic refused the Admin API key.", "Create a new key in the Anthropic console."
)
REFUSALS: Refusals = {
    401: _REFUSED,
    403: _REFUSED,
    429: Refusal(RateLimited, "Anthropic limits how often its reports may be read."),
}


def _query(now: datetime, group: str) -> tuple[tuple[str, str], ...]:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start, end = midnight - timedelta(days=DAYS), midnight + timedelta(days=1)
    return (
        ("starting_at", f"{start:%Y-%m-%dT%H:%M:%SZ}"),
        ("ending_at", f"{end:%Y-%m-%dT%H:%M:%SZ}"),
        ("bucket_width", "1d"),
        ("limit", "31"),
        ("group_by[]", group),
    )


async def _report(ctx: Context, key: Secret, path: str, group: str, model: type[P]) -> P:
    headers = {"x-api-key": key.reveal(), "anthropic-version": "2023-06-01"}
    answer = await ctx.http.send("GET", f"{API}/{path}", headers=headers, params=_query(ctx.now, group), timeout=20)
    if answer.status != 200 and answer.status not in REFUSALS:
        message = f"Anthropic's {path} failed with status {answer.status}."  # which of the two reports it was
        raise Unavailable(message) if answer.status >= 500 else BadResponse(message)
    return ctx.http.parse(ctx.http.check(answer, REFUSALS), model)


async def from_admin(ctx: Context, key: Credential) -> Usage:
    """The cost report, then the usage report; both are needed."""
    costs = await _report(ctx, key.secret, "cost_report", "description", CostReport)
    used = await _report(ctx, key.secret, "usage_report/messages", "model", TokenReport)
    return to_spending(costs, used, ctx.now)
