"""The API: usage and costs with an Admin key, else the credit balance."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from quotaline_providers import (
    BadResponse,
    Context,
    Credential,
    ExpiredCredential,
    Forbidden,
    RateLimited,
    ReadError,
    Refusal,
    Refusals,
    Response,
    Secret,
    TimedOut,
    Unavailable,
    Usage,
    history_days,
)
from quotaline_providers.vendors.openai.mapping import balance_usage, days_of, to_usage
from quotaline_providers.vendors.openai.payloads import CostPage, Grants, Page, UsagePage

BASE = "https://api.openai.com/v1"
COSTS, COMPLETIONS, GRANTS = "organization/costs", "organization/usage/completions", "dashboard/billing/credit_grants"
USAGE_SECONDS, BALANCE_SECONDS = 20.0, 15.0
CHUNK_DAYS, MAX_PAGES = 31, 100
RETRY_SECONDS, MAX_RETRY_SECONDS = 1.0, 10.0
_RETRIED = (408, 429, 500, 502, 503, 504)
_PLAIN_ENV = "OPENAI_API_KEY"
_BOUND_KEYS = {"sk-svcacct-": "a service account's key", "sk-proj-": "a project's key"}
"""Keys by how they begin that can read neither usage nor balance, whatever they may otherwise do."""
NEEDS_ADMIN_KEY = (
    "Create an organisation Admin key (`sk-admin-...`) at platform.openai.com/settings/organization/admin-keys."
)


@dataclass(frozen=True)
class Question:
    """What is requested of the two endpoints."""

    key: Secret
    project: str | None
    start: datetime
    days: int

    def chunks(self) -> Iterable[tuple[datetime, int]]:
        """Consecutive spans of at most 31 days: where each starts and how many days it has."""
        for first in range(0, self.days, CHUNK_DAYS):
            yield self.start + timedelta(days=first), min(CHUNK_DAYS, self.days - first)


class Refused(ExpiredCredential):
    """The key is not an Admin key, or is not known at all."""


def refusals_of(path: str) -> Refusals:
    """What the refusals of an endpoint mean; each names it."""
    refused = Refusal(
        Refused,
        f"OpenAI refused the key for {path} (HTTP {{status}}).",
        f"{NEEDS_ADMIN_KEY} Project and service-account keys cannot read organisation usage.",
    )
    other = Refusal(BadResponse, f"OpenAI refused the request ({path}, HTTP {{status}}).")
    failed = Refusal(Unavailable, f"OpenAI is not available ({path}, HTTP {{status}}).")
    return {
        **dict.fromkeys(range(300, 500), other),
        **dict.fromkeys(range(500, 600), failed),
        401: refused,
        403: refused,
        429: Refusal(RateLimited, f"OpenAI limits the rate of requests ({path}, HTTP 429)."),
    }


def balance_refusals(key: Secret) -> Refusals:
    """What it means that the balance is refused, too: of a key that can never read it, what it is."""
    kind = next((words for start, words in _BOUND_KEYS.items() if key.reveal().startswith(start)), None)
    if kind is not None:
        refused = Refusal(Forbidden, f"This is {kind}, which cannot read usage or costs.", NEEDS_ADMIN_KEY)
        return {**refusals_of(GRANTS), 401: refused, 403: refused}
    return {
        **refusals_of(GRANTS),
        401: Refusal(ExpiredCredential, "OpenAI refused the key (HTTP {status}).", NEEDS_ADMIN_KEY),
        403: Refusal(
            Forbidden,
            "This key may read neither usage nor balance (HTTP {status}).",
            f"{NEEDS_ADMIN_KEY} The balance alone can be read with a user key that has billing access.",
        ),
    }


def project_of(ctx: Context) -> str | None:
    """The project to look at. A labelled account never inherits another's."""
    if ctx.account and ctx.account.token:
        return None
    return ctx.settings.workspace_id or ctx.env("OPENAI_PROJECT_ID")


async def from_api(ctx: Context, found: Credential) -> Usage:
    """Usage and costs; where that fails, the balance, unless an Admin key asks for one project."""
    key, project, days = found.secret, project_of(ctx), history_days(ctx)
    midnight = ctx.now.replace(hour=0, minute=0, second=0, microsecond=0)
    question = Question(key, project, midnight - timedelta(days=days - 1), days)
    try:
        costs = await _pages(ctx, question, COSTS, "line_item", CostPage)
        usages = await _pages(ctx, question, COMPLETIONS, "model", UsagePage)
    except ReadError as error:
        if project is None or found.origin.name == _PLAIN_ENV:
            return await _balance(ctx, key, error)
        raise
    buckets = days_of(
        (bucket for page in costs for bucket in page.data), (bucket for page in usages for bucket in page.data), ctx.now
    )
    return to_usage(buckets, days, project, ctx.now)


P = TypeVar("P", bound=Page)


async def _pages(ctx: Context, question: Question, path: str, group: str, model: type[P]) -> list[P]:
    pages: list[P] = []
    for start, days in question.chunks():
        query = {
            "start_time": str(int(start.timestamp())),
            "end_time": str(int((start + timedelta(days=days)).timestamp())),
            "bucket_width": "1d",
            "limit": str(days),
            "group_by": group,
        }
        if question.project:
            query["project_ids"] = question.project
        pages += await _chunk(ctx, question.key, path, query, model)
    return pages


async def _chunk(ctx: Context, key: Secret, path: str, query: dict[str, str], model: type[P]) -> list[P]:
    pages: list[P] = []
    cursors: set[str] = set()
    while len(pages) < MAX_PAGES:
        response = await _with_retry(ctx, key, path, query)
        page = ctx.http.parse(ctx.http.check(response, refusals_of(path)), model)
        pages.append(page)
        if not page.has_more:
            return pages
        if page.next_page is None or page.next_page in cursors:
            raise BadResponse("OpenAI's answer has more pages but not where they are.")
        cursors.add(page.next_page)
        query = query | {"page": page.next_page}
    raise BadResponse("OpenAI's answer has more pages of usage than there can be.")


async def _with_retry(ctx: Context, key: Secret, path: str, query: dict[str, str]) -> Response:
    """The answer, after one more try when the first failed in passing."""
    until: datetime | None = None
    try:
        answer = await _send(ctx, key, path, query, USAGE_SECONDS)
        if answer.status not in _RETRIED:
            return answer
        until = ctx.http.retry_after(answer)
    except (TimedOut, Unavailable):
        pass
    await asyncio.sleep(pause(until, ctx.now))
    return await _send(ctx, key, path, query, USAGE_SECONDS)


def pause(until: datetime | None, now: datetime) -> float:
    """Seconds before the second try: as long as the vendor asks for, within reason."""
    return RETRY_SECONDS if until is None else min(MAX_RETRY_SECONDS, max(0.0, (until - now).total_seconds()))


async def _send(ctx: Context, key: Secret, path: str, query: dict[str, str] | None, seconds: float) -> Response:
    return await ctx.http.send("GET", f"{BASE}/{path}", bearer=key, params=query, timeout=seconds)


async def _balance(ctx: Context, key: Secret, error: ReadError) -> Usage:
    """The balance, in place of the usage that failed with `error`."""
    try:
        response = await _send(ctx, key, GRANTS, None, BALANCE_SECONDS)
        return balance_usage(ctx.http.parse(ctx.http.check(response, balance_refusals(key)), Grants), ctx.now)
    except ReadError as second:
        if isinstance(error, Refused):
            raise second from None
        raise error from None
