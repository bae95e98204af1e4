"""Reading what an organisation spent, with an Anthropic Admin API key."""

from __future__ import annotations

from collections.abc import Iterator
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
    history_days,
)
from quotaline_providers.vendors.claude.costs import to_spending
from quotaline_providers.vendors.claude.payloads import CostReport, TokenReport

API = "https://api.anthropic.com/v1/organizations"
MOST_DAYS = 31  # of one answer
P = TypeVar("P", bound=Payload)

_REFUSED = Refusal(
    ExpiredCredential, "Anthropic refused the Admin API key.", "Create a new key in the Anthropic console."
)
REFUSALS: Refusals = {
    401: _REFUSED,
    403: _REFUSED,
    429: Refusal(RateLimited, "Anthropic limits how often its reports may be read."),
}


def spans(now: datetime, days: int) -> Iterator[tuple[datetime, datetime]]:
    """The days before today and today as spans that fit into one answer each: from midnight to midnight, in UTC."""
    end = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    start = end - timedelta(days=days + 1)
    while start < end:
        following = min(end, start + timedelta(days=MOST_DAYS))
        yield start, following
        start = following


def _query(start: datetime, end: datetime, group: str) -> tuple[tuple[str, str], ...]:
    return (
        ("starting_at", f"{start:%Y-%m-%dT%H:%M:%SZ}"),
        ("ending_at", f"{end:%Y-%m-%dT%H:%M:%SZ}"),
        ("bucket_width", "1d"),
        ("limit", str(MOST_DAYS)),
        ("group_by[]", group),
    )


async def _report(ctx: Context, key: Secret, path: str, group: str, model: type[P]) -> list[P]:
    return [
        await _part(ctx, key, path, _query(start, end, group), model)
        for start, end in spans(ctx.now, history_days(ctx))
    ]


async def _part(ctx: Context, key: Secret, path: str, query: tuple[tuple[str, str], ...], model: type[P]) -> P:
    headers = {"x-api-key": key.reveal(), "anthropic-version": "2023-06-01"}
    answer = await ctx.http.send("GET", f"{API}/{path}", headers=headers, params=query, timeout=20)
    if answer.status != 200 and answer.status not in REFUSALS:
        message = f"Anthropic's {path} failed with status {answer.status}."  # which of the two reports it was
        raise Unavailable(message) if answer.status >= 500 else BadResponse(message)
    return ctx.http.parse(ctx.http.check(answer, REFUSALS), model)


async def from_admin(ctx: Context, key: Credential) -> Usage:
    """The cost report, then the usage report; both are needed."""
    costs = await _report(ctx, key.secret, "cost_report", "description", CostReport)
    used = await _report(ctx, key.secret, "usage_report/messages", "model", TokenReport)
    days, token_days = (day for part in costs for day in part.data), (day for part in used for day in part.data)
    return to_spending(days, token_days, history_days(ctx), ctx.now)
