"""Reading what an organisation spent, with an Anthropic Admin API key."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, TypeVar

from pydantic import Field

from quotaline_providers.access.lookups import ApiKey
from quotaline_providers.contract import Context, Credential, Lookup, Origin
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Misconfigured,
    MissingCredential,
    RateLimited,
    Unavailable,
)
from quotaline_providers.formatting import money, tokens
from quotaline_providers.model import Chart, Confidence, Identity, Point, Row, Section, Spend, Usage
from quotaline_providers.parsing.payload import Integer, Payload, Text, When, lenient, lenient_items
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.claude.login import account_token, bare_token, key_form

API = "https://api.anthropic.com/v1/organizations"
DAYS, MAX_ITEMS = 30, 20
P = TypeVar("P", bound=Payload)
KEY_ENV = ("ANTHROPIC_ADMIN_KEY", "ANTHROPIC_ADMIN_API_KEY")

# --- what the vendor sends -------------------------------------------------------------------------


class Cost(Payload):
    """One item of a day's cost; `amount` is a decimal text in cents."""

    amount: Text = None
    currency: Text = None
    description: Text = None

    @property
    def value(self) -> Decimal:
        """The cost in the currency's main unit."""
        try:
            value = Decimal(self.amount or "0")
        except InvalidOperation:
            return Decimal(0)
        return value / 100 if value.is_finite() else Decimal(0)


class CostDay(Payload):
    """A day of the cost report."""

    starting_at: When = None
    ending_at: When = None
    results: Annotated[tuple[Cost, ...], lenient_items(Cost)] = ()


class CostReport(Payload):
    """`GET /v1/organizations/cost_report`."""

    data: tuple[CostDay, ...]


class CacheCreation(Payload):
    """Tokens written to the cache."""

    short: Integer = Field(default=None, alias="ephemeral_5m_input_tokens")
    long: Integer = Field(default=None, alias="ephemeral_1h_input_tokens")


class Tokens(Payload):
    """One model's tokens of a day."""

    model: Text = None
    uncached: Integer = Field(default=None, alias="uncached_input_tokens")
    created: Annotated[CacheCreation | None, lenient(CacheCreation)] = Field(default=None, alias="cache_creation")
    cache_read: Integer = Field(default=None, alias="cache_read_input_tokens")
    output: Integer = Field(default=None, alias="output_tokens")

    @property
    def total(self) -> int:
        created = (self.created.short or 0) + (self.created.long or 0) if self.created else 0
        return (self.uncached or 0) + created + (self.cache_read or 0) + (self.output or 0)


class TokenDay(Payload):
    """A day of the usage report."""

    starting_at: When = None
    ending_at: When = None
    results: Annotated[tuple[Tokens, ...], lenient_items(Tokens)] = ()


class TokenReport(Payload):
    """`GET /v1/organizations/usage_report/messages`."""

    data: tuple[TokenDay, ...]


# --- the meaning -----------------------------------------------------------------------------------


D = TypeVar("D", CostDay, TokenDay)


def _past(days: Iterable[D], now: datetime) -> list[D]:
    known = [day for day in days if day.starting_at is not None and day.starting_at <= now]
    return sorted(known, key=lambda day: day.starting_at or now)[-DAYS:]


def _is_today(day: CostDay | TokenDay, now: datetime) -> bool:
    if day.starting_at is None:
        return False
    return day.starting_at <= now < (day.ending_at or day.starting_at + timedelta(days=1))


def _sum(days: Iterable[CostDay]) -> Decimal:
    return sum((cost.value for day in days for cost in day.results), Decimal(0))


def _items(days: Sequence[CostDay], unit: str) -> tuple[Row, ...]:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for day in days:
        for cost in day.results:
            totals[cost.description or "Other"] += cost.value
    largest = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Row(label=name, value=money(value, unit)) for name, value in largest[:MAX_ITEMS])


def to_usage(costs: CostReport, used: TokenReport, now: datetime) -> Usage:
    """The last thirty days of an organisation: cost, tokens, and where they went."""
    days, token_days = _past(costs.data, now), _past(used.data, now)
    unit = next((cost.currency.upper() for day in days for cost in day.results if cost.currency), "USD")
    total = _sum(days)
    today = _sum(day for day in days if _is_today(day, now))
    week = _sum(day for day in days if day.starting_at is not None and day.starting_at > now - timedelta(days=7))
    models: Counter[str] = Counter()
    for day in token_days:
        for entry in day.results:
            models[entry.model or "Other"] += entry.total
    today_tokens = sum(entry.total for day in token_days if _is_today(day, now) for entry in day.results)
    cache_read = sum(entry.cache_read or 0 for day in token_days for entry in day.results)
    top = max(models, key=lambda name: models[name], default=None)
    rows = (
        Row(label="Today spend", value=money(today, unit)),
        Row(label="7d spend", value=money(week, unit)),
        Row(label="30d spend", value=money(total, unit)),
        Row(label="Today tokens", value=tokens(today_tokens)),
        Row(label="30d tokens", value=tokens(models.total())),
        Row(label="Cache read", value=tokens(cache_read)),
        *((Row(label="Top model", value=top, secondary=tokens(models[top])),) if top else ()),
    )
    points = tuple(
        Point(label=day.starting_at.date().isoformat(), value=float(_sum((day,)))) for day in days if day.starting_at
    )
    items = _items(days, unit)
    return Usage(
        updated_at=now,
        spends=(Spend(id="cost", label="Last 30 days", used=total, unit=unit, period="Last 30 days"),),
        identity=Identity(plan="Admin API"),
        details=(
            Section(title="Spend", rows=rows, chart=Chart(kind="bars", points=points, title="Daily spend", unit=unit)),
            *((Section(title="Cost items", rows=items),) if items else ()),
        ),
        confidence=Confidence.EXACT,
    )


# --- the lookup and the strategy -------------------------------------------------------------------


@dataclass(frozen=True)
class AdminKey(Lookup[Credential]):
    """An Admin API key: the selected account's, config `apiKey`, the keyring, the environment."""

    def places(self, ctx: Context) -> tuple[str, ...]:
        return ApiKey(KEY_ENV).places(ctx)

    def probe(self, ctx: Context) -> Origin | None:
        if ctx.account is not None:
            try:
                return Origin.account(ctx.account.label) if account_token(ctx, "admin") else None
            except MissingCredential:
                return None
        if ctx.settings.api_key and key_form(ctx.settings.api_key) != "admin":
            return next((Origin.env(name) for name in KEY_ENV if ctx.env(name)), None)
        return ApiKey(KEY_ENV).probe(ctx)

    async def find(self, ctx: Context) -> Credential:
        token = account_token(ctx, "admin")
        if token is not None and ctx.account is not None:
            return Credential(Secret(token), Origin.account(ctx.account.label))
        for candidate in await self._ambient(ctx):
            value = bare_token(candidate.secret.reveal())
            if value.startswith("sk-ant-api"):
                raise Misconfigured(
                    f"The Anthropic key ({candidate.origin}) is an ordinary one, which cannot read usage.",
                    "Create an Admin API key in the Anthropic console.",
                )
            if value and key_form(value) == "admin":
                return Credential(Secret(value), candidate.origin)
        if ctx.source == "api":
            raise MissingCredential(
                "No Anthropic Admin API key is set.", "Create one in the Anthropic console and set it as apiKey."
            )
        raise MissingCredential("Claude is not connected: no login and no Admin API key was found.")

    async def _ambient(self, ctx: Context) -> list[Credential]:
        found: list[Credential] = []
        for lookup in (ApiKey(), ApiKey(KEY_ENV, from_config=False, env_first=True)):
            try:
                found.append(await lookup.find(ctx))
            except MissingCredential:
                continue
        return found


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
    if answer.status in (401, 403):
        raise ExpiredCredential("Anthropic refused the Admin API key.", "Create a new key in the Anthropic console.")
    if answer.status == 429:
        raise RateLimited("Anthropic limits how often reports may be asked.", until=ctx.http.retry_after(answer))
    if answer.status != 200:
        message = f"Anthropic's {path} failed with status {answer.status}."
        raise Unavailable(message) if answer.status >= 500 else BadResponse(message)
    return ctx.http.parse(answer, model)


async def from_admin(ctx: Context, key: Credential) -> Usage:
    """The cost report, then the usage report; both are needed."""
    costs = await _report(ctx, key.secret, "cost_report", "description", CostReport)
    used = await _report(ctx, key.secret, "usage_report/messages", "model", TokenReport)
    return to_usage(costs, used, ctx.now)
