"""OpenAI's API platform: an organisation's spend and requests, or the credit balance that older user keys can read."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, TypeVar

from pydantic import BeforeValidator

from quotaline_providers.contract import Answer, Context, Credential, Option, Provider, StatusPage, Strategy
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    RateLimited,
    ReadError,
    TimedOut,
    Unavailable,
)
from quotaline_providers.lookups import ApiKey
from quotaline_providers.model import (
    Balance,
    Chart,
    Confidence,
    Identity,
    Point,
    Row,
    Section,
    Spend,
    Usage,
    Window,
)
from quotaline_providers.payload import Integer, Payload, Text, When, lenient, lenient_items, to_number
from quotaline_providers.secret import Secret
from quotaline_providers.wording import grouped, money, tokens

BASE = "https://api.openai.com/v1"
COSTS, COMPLETIONS, GRANTS = "organization/costs", "organization/usage/completions", "dashboard/billing/credit_grants"
USAGE_SECONDS, BALANCE_SECONDS = 20.0, 15.0
HISTORY_DAYS, MAX_HISTORY_DAYS, CHUNK_DAYS, MAX_PAGES = 30, 365, 31, 100
RETRY_SECONDS, MAX_RETRY_SECONDS = 1.0, 10.0
_RETRIED = (408, 429, 500, 502, 503, 504)
_TOP = 24
_PLAIN_ENV = "env OPENAI_API_KEY"


# --- what the vendor sends -------------------------------------------------------------------------


def _dollars(value: object) -> float:
    if value is None or (isinstance(value, str) and not value.strip()):
        return 0.0
    number = to_number(value)
    if number is None:
        raise ValueError("not an amount")
    return number


class Amount(Payload):
    """US dollars; nothing means zero, anything that is no number spoils the page."""

    value: Annotated[float, BeforeValidator(_dollars)] = 0.0


class CostResult(Payload):
    amount: Amount | None = None
    line_item: Text = None


class UsageResult(Payload):
    """Tokens of one model. Cached input is part of the input."""

    input_tokens: Integer = None
    input_cached_tokens: Integer = None
    input_audio_tokens: Integer = None
    output_tokens: Integer = None
    output_audio_tokens: Integer = None
    num_model_requests: Integer = None
    model: Text = None


class CostBucket(Payload):
    """One UTC day, epoch seconds, end exclusive."""

    start_time: int
    end_time: int
    results: tuple[CostResult, ...]


class UsageBucket(Payload):
    """One UTC day, epoch seconds, end exclusive."""

    start_time: int
    end_time: int
    results: tuple[UsageResult, ...]


class Page(Payload):
    has_more: bool
    next_page: Text = None


class CostPage(Page):
    data: tuple[CostBucket, ...]


class UsagePage(Page):
    data: tuple[UsageBucket, ...]


class Grant(Payload):
    expires_at: When = None


class GrantList(Payload):
    data: Annotated[tuple[Grant, ...], lenient_items(Grant)] = ()


def _required(value: object) -> float:
    number = to_number(value)
    if number is None:
        raise ValueError("not a number")
    return number


Dollars = Annotated[float, BeforeValidator(_required)]


class Grants(Payload):
    """Prepaid credit, US dollars."""

    total_granted: Dollars
    total_used: Dollars
    total_available: Dollars
    grants: Annotated[GrantList | None, lenient(GrantList)] = None


# --- an organisation's days ------------------------------------------------------------------------


@dataclass
class Day:
    """What one UTC day cost and used, all models and line items together."""

    start: int
    end: int
    cost: float = 0.0
    requests: int = 0
    input: int = 0
    cached: int = 0
    output: int = 0
    models: dict[str, tuple[int, int]] = field(default_factory=dict)
    items: dict[str, float] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        return self.input + self.output

    def add_cost(self, result: CostResult) -> None:
        cost = result.amount.value if result.amount else 0.0
        name = result.line_item or "API"
        self.cost += cost
        self.items[name] = self.items.get(name, 0.0) + cost

    def add_usage(self, result: UsageResult) -> None:
        used = (result.input_tokens or 0) + (result.input_audio_tokens or 0)
        made = (result.output_tokens or 0) + (result.output_audio_tokens or 0)
        requests = result.num_model_requests or 0
        self.input += used
        self.output += made
        self.cached += result.input_cached_tokens or 0
        self.requests += requests
        name = result.model or "Responses and Chat Completions"
        count, asked = self.models.get(name, (0, 0))
        self.models[name] = (count + used + made, asked + requests)


def days_of(costs: Iterable[CostBucket], usages: Iterable[UsageBucket], now: datetime) -> tuple[Day, ...]:
    """The days that have begun, oldest first; the buckets of both endpoints join by their start."""
    days: dict[int, Day] = {}
    for cost in costs:
        for result in _day(days, cost.start_time, cost.end_time, cost.results):
            days[cost.start_time].add_cost(result)
    for usage in usages:
        for used in _day(days, usage.start_time, usage.end_time, usage.results):
            days[usage.start_time].add_usage(used)
    return tuple(days[start] for start in sorted(days) if start <= now.timestamp())


R = TypeVar("R")


def _day(days: dict[int, Day], start: int, end: int, results: tuple[R, ...]) -> tuple[R, ...]:
    days.setdefault(start, Day(start, end))
    return results


def to_usage(days: tuple[Day, ...], history: int, project: str | None, now: datetime) -> Usage:
    """The last `history` days present; with one day only that which contains now."""
    today = tuple(day for day in days if day.start <= now.timestamp() < day.end)
    shown = today if history == 1 else days[-history:]
    period = "Today" if history == 1 else f"Last {history} days"
    return Usage(
        updated_at=now,
        spends=(Spend(id="spend", label="Spend", used=_exact(_cost(shown)), unit="USD", period=period),),
        identity=Identity(
            plan=f"Admin API: {project}" if project else "Admin API",
            organization=f"Project: {project}" if project else None,
        ),
        details=tuple(section for section in _sections(shown, today, days, period) if section.rows),
        confidence=Confidence.EXACT,
        source="admin-api:project" if project else "admin-api",
    )


def _sections(
    shown: tuple[Day, ...], today: tuple[Day, ...], days: tuple[Day, ...], period: str
) -> tuple[Section, ...]:
    points = tuple(Point(label=f"{datetime.fromtimestamp(day.start, UTC):%Y-%m-%d}", value=day.cost) for day in shown)
    chart = Chart(kind="bars", title="Daily spend", unit="USD", points=points) if points else None
    rows = [Row(label="Spend", value=money(_cost(shown)))]
    if period != "Today":
        rows += [Row(label="Today", value=money(_cost(today))), Row(label="7d", value=money(_cost(days[-7:])))]
    asked, used, made = (sum(values) for values in _columns(shown))
    rows += [
        Row(label="Requests", value=grouped(asked)),
        Row(label="Tokens", value=tokens(used + made), secondary=f"{tokens(used)} input · {tokens(made)} output"),
        Row(label="Cached input", value=tokens(sum(day.cached for day in shown))),
    ]
    return (
        Section(title=period, rows=tuple(rows), chart=chart),
        Section(title="Models", rows=_models(shown)),
        Section(title="Line items", rows=_items(shown)),
    )


def _columns(days: tuple[Day, ...]) -> tuple[list[int], list[int], list[int]]:
    return [day.requests for day in days], [day.input for day in days], [day.output for day in days]


def _models(days: tuple[Day, ...]) -> tuple[Row, ...]:
    counts: dict[str, int] = defaultdict(int)
    requests: dict[str, int] = defaultdict(int)
    for day in days:
        for name, (count, asked) in day.models.items():
            counts[name] += count
            requests[name] += asked
    ranked = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:_TOP]
    return tuple(
        Row(label=name, value=f"{tokens(count)} tokens", secondary=f"{grouped(requests[name])} requests")
        for name, count in ranked
    )


def _items(days: tuple[Day, ...]) -> tuple[Row, ...]:
    costs: dict[str, float] = defaultdict(float)
    for day in days:
        for name, cost in day.items.items():
            costs[name] += cost
    ranked = sorted(costs.items(), key=lambda entry: (-entry[1], entry[0]))[:_TOP]
    return tuple(Row(label=name, value=money(cost)) for name, cost in ranked)


def _cost(days: Iterable[Day]) -> float:
    return sum(day.cost for day in days)


def _exact(value: float) -> Decimal:
    """Dollars without the noise of binary fractions."""
    return Decimal(str(round(value, 6)))


# --- the older balance -----------------------------------------------------------------------------


def balance_usage(grants: Grants, now: datetime) -> Usage:
    """Prepaid credit as one window; it resets when the next grant expires."""
    granted, used = max(0.0, grants.total_granted), max(0.0, grants.total_used)
    available = max(0.0, grants.total_available)
    expiries = [grant.expires_at for grant in (grants.grants.data if grants.grants else ()) if grant.expires_at]
    reset = min((moment for moment in expiries if moment > now), default=None)
    percent = min(100.0, used / granted * 100) if granted > 0 else 0.0 if available > 0 else 100.0
    text = money(available)
    return Usage(
        updated_at=now,
        windows=(
            Window(
                id="credits",
                label="Spend",
                used_percent=percent,
                used=used,
                limit=granted if granted > 0 else None,
                unit="USD",
                resets_at=reset,
                description=f"{text} available",
                lane="primary",
            ),
        ),
        balances=(Balance(id="credits", label="API credits", amount=_exact(available), unit="USD"),),
        spends=(
            Spend(
                id="credits",
                label="API credits",
                used=_exact(used),
                limit=_exact(granted),
                unit="USD",
                period="API credits",
                resets_at=reset,
            ),
        ),
        identity=Identity(plan=f"API balance: {text}"),
        confidence=Confidence.EXACT,
        source="billing-api",
    )


# --- how it is fetched -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """What to ask of the two endpoints."""

    key: Secret
    project: str | None
    start: datetime
    days: int

    def chunks(self) -> Iterable[tuple[datetime, int]]:
        """Consecutive spans of at most 31 days: where each starts and how many days it has."""
        for first in range(0, self.days, CHUNK_DAYS):
            yield self.start + timedelta(days=first), min(CHUNK_DAYS, self.days - first)


class Refused(ExpiredCredential):
    """The key is known to be no Admin key, or is not known at all."""


def history_days(ctx: Context) -> int:
    days = to_number(ctx.settings.own("historyDays"))
    return HISTORY_DAYS if days is None else min(MAX_HISTORY_DAYS, max(1, int(days)))


def project_of(ctx: Context) -> str | None:
    """The project to look at. A labelled account never inherits another's."""
    if ctx.account and ctx.account.token:
        return None
    return ctx.settings.workspace_id or ctx.env("OPENAI_PROJECT_ID")


async def from_api(ctx: Context, found: Credential) -> Usage:
    """Usage and costs; where that fails, the balance, unless an Admin key asks for one project."""
    project, days = project_of(ctx), history_days(ctx)
    key = _unprefixed(found.secret)
    midnight = ctx.now.replace(hour=0, minute=0, second=0, microsecond=0)
    question = Question(key, project, midnight - timedelta(days=days - 1), days)
    try:
        costs = await _pages(ctx, question, COSTS, "line_item", CostPage)
        usages = await _pages(ctx, question, COMPLETIONS, "model", UsagePage)
    except ReadError as error:
        if project is None or found.origin == _PLAIN_ENV:
            return await _balance(ctx, key, error)
        raise
    buckets = days_of(
        (bucket for page in costs for bucket in page.data), (bucket for page in usages for bucket in page.data), ctx.now
    )
    return to_usage(buckets, days, project, ctx.now)


def _unprefixed(secret: Secret) -> Secret:
    value = secret.reveal()
    return Secret(value[7:].strip()) if value.lower().startswith("bearer ") else secret


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
        page = ctx.http.parse(_checked(ctx, await _asked(ctx, key, path, query), path), model)
        pages.append(page)
        if not page.has_more:
            return pages
        if page.next_page is None or page.next_page in cursors:
            raise BadResponse("OpenAI told of more usage but not where it is.")
        cursors.add(page.next_page)
        query = query | {"page": page.next_page}
    raise BadResponse("OpenAI told more pages of usage than there can be.")


async def _asked(ctx: Context, key: Secret, path: str, query: dict[str, str]) -> Answer:
    """The answer, after one more try when the first failed in passing."""
    wait = RETRY_SECONDS
    try:
        answer = await _send(ctx, key, path, query, USAGE_SECONDS)
        if answer.status not in _RETRIED:
            return answer
        told = ctx.http.retry_after(answer)
        if told:
            wait = min(MAX_RETRY_SECONDS, max(0.0, (told - ctx.now).total_seconds()))
    except (TimedOut, Unavailable):
        pass
    await asyncio.sleep(wait)
    return await _send(ctx, key, path, query, USAGE_SECONDS)


async def _send(ctx: Context, key: Secret, path: str, query: dict[str, str] | None, seconds: float) -> Answer:
    return await ctx.http.send(
        "GET",
        f"{BASE}/{path}",
        bearer=key,
        headers={"Accept": "application/json"},
        params=query,
        timeout=seconds,
    )


def _checked(ctx: Context, answer: Answer, path: str) -> Answer:
    if answer.status in (401, 403):
        raise Refused(
            f"OpenAI refused the key for {path} (HTTP {answer.status}).",
            "An organisation Admin key is needed; project and service-account keys cannot read organisation usage.",
        )
    if answer.status == 429:
        raise RateLimited(f"OpenAI asks to wait ({path}, HTTP 429).", until=ctx.http.retry_after(answer))
    if answer.status >= 500:
        raise Unavailable(f"OpenAI is not available now ({path}, HTTP {answer.status}).")
    if answer.status != 200:
        raise BadResponse(f"OpenAI did not accept the request ({path}, HTTP {answer.status}).")
    return answer


async def _balance(ctx: Context, key: Secret, error: ReadError) -> Usage:
    """The balance, in place of the usage that failed with `error`."""
    try:
        answer = await _send(ctx, key, GRANTS, None, BALANCE_SECONDS)
        if answer.status == 401:
            raise ExpiredCredential("OpenAI refused the key.", "Use an organisation Admin key.")
        if answer.status == 403:
            raise Forbidden("This key may not read the balance.", "A user key with billing access is needed.")
        return balance_usage(ctx.http.parse(_checked(ctx, answer, GRANTS), Grants), ctx.now)
    except ReadError as second:
        if isinstance(error, Refused):
            raise second from None
        raise error from None


PROVIDER = Provider(
    id="openai",
    name="OpenAI",
    connect="Create an organisation Admin key at platform.openai.com and set OPENAI_ADMIN_KEY.",
    summary="Spend, requests and tokens of an API organisation; the credit balance with older user keys.",
    aliases=("openai-api",),
    dashboard="https://platform.openai.com/usage",
    status=StatusPage("https://status.openai.com", "statuspage"),
    key_url="https://platform.openai.com/settings/organization/admin-keys",
    settings=("apiKey", "apiKeyEnv", "workspaceID", "tokenAccounts"),
    options=(Option("historyDays", "How many days of history to show, 1 to 365 (30).", "number"),),
    accounts="token",
    min_interval=300,
    deadline=120,
    strategies=(Strategy("api", from_api, ApiKey(env=("OPENAI_ADMIN_KEY", "OPENAI_API_KEY")), label="api"),),
)
