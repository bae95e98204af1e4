"""OpenRouter: prepaid dollars, the spending limit of one API key, and with a management key the last 30 days."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from quotaline_providers.contract import Answer, Context, Credential, Option, Provider, StatusPage, Strategy
from quotaline_providers.endpoints import endpoint
from quotaline_providers.errors import BadResponse, ExpiredCredential, ReadError, TimedOut
from quotaline_providers.lookups import ApiKey
from quotaline_providers.model import (
    DAY_MINUTES,
    MONTH_MINUTES,
    WEEK_MINUTES,
    Balance,
    Chart,
    Confidence,
    Identity,
    Lane,
    Point,
    Row,
    Section,
    Spend,
    Usage,
    Window,
)
from quotaline_providers.payload import Flag, Integer, Payload, Text, clean, lenient, to_number
from quotaline_providers.secret import Secret
from quotaline_providers.wording import grouped, money, tokens

OFFICIAL = "https://openrouter.ai/api/v1"
CREDITS_SECONDS = 15.0
DETAIL_SECONDS = 1.0
MAX_ACTIVITY_ROWS, MAX_ACTIVITY_KEYS = 20_000, 10_000
MAX_COUNT = 2**63 - 1
MAX_MODEL = 64
HISTORY_DAYS = 30
MANAGEMENT_KEY = "OPENROUTER_MANAGEMENT_API_KEY"
_TOP_MODELS = 5


# --- what the vendor sends -------------------------------------------------------------------------


def _strict_number(value: object) -> object:
    if value is None:
        return None
    number = None if isinstance(value, str) else to_number(value)
    if number is None:
        raise ValueError("not a finite number")
    return number


StrictNumber = Annotated[float, BeforeValidator(_strict_number)]
Dollars = Annotated[float, BeforeValidator(_strict_number), Field(ge=0)]
Count = Annotated[int, Field(strict=True, ge=0, le=MAX_COUNT)]


class Credits(Payload):
    """US dollars ever added and ever used; both must be numbers."""

    total_credits: StrictNumber
    total_usage: StrictNumber
    remaining_balance: StrictNumber | None = None


class CreditsAnswer(Payload):
    """`GET /credits`."""

    data: Credits


class RateLimit(Payload):
    requests: Integer = None
    interval: Text = None


class Key(Payload):
    """One API key's budget and spending, US dollars; `usage` is over its whole life, the periods are UTC."""

    limit: StrictNumber | None = None
    limit_remaining: StrictNumber | None = None
    limit_reset: Text = None
    usage: StrictNumber | None = None
    usage_daily: StrictNumber | None = None
    usage_weekly: StrictNumber | None = None
    usage_monthly: StrictNumber | None = None
    is_free_tier: Flag = None
    rate_limit: Annotated[RateLimit | None, lenient(RateLimit)] = None


class KeyAnswer(Payload):
    """`GET /key`."""

    data: Key


class ActivityRow(Payload):
    """One model's use on one UTC day. Reasoning tokens are part of the completion tokens."""

    model_config = Payload.model_config | {"protected_namespaces": ()}

    model_permaslug: Text = None
    model: Text = None
    endpoint_id: Text = None
    provider_name: Text = None
    workspace_id: Text = None
    prompt_tokens: Count
    completion_tokens: Count
    reasoning_tokens: Count | None = None
    requests: Count
    usage: Dollars
    byok_usage_inference: Dollars | None = None


class ActivityAnswer(Payload):
    """`GET /activity`. Rows stay raw until their day is known to matter."""

    data: list[dict[str, Any]]


# --- the key's budget ------------------------------------------------------------------------------


@dataclass(frozen=True)
class KeyPart:
    """What is known of the key: its answer, or why there is none (`status` when the service refused)."""

    key: Key | None = None
    reason: str = ""
    status: int | None = None


_RESETS = {"daily": DAY_MINUTES, "weekly": WEEK_MINUTES, "monthly": MONTH_MINUTES}


def key_used(key: Key) -> float | None:
    """Dollars used of the key's limit; None when that cannot be told. Lifetime use says nothing of a period."""
    if key.limit is None or key.limit <= 0:
        return None
    if key.limit_remaining is not None:
        return key.limit - min(key.limit, max(0.0, key.limit_remaining))
    reset = (key.limit_reset or "").lower()
    periods = {"daily": key.usage_daily, "weekly": key.usage_weekly, "monthly": key.usage_monthly, "": key.usage}
    used = periods.get(reset)
    return used if used is not None and used >= 0 else None


def next_reset(limit_reset: str | None, now: datetime) -> datetime | None:
    """The start of the next UTC day, week (Monday) or month."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match (limit_reset or "").lower():
        case "daily":
            return midnight + timedelta(days=1)
        case "weekly":
            return midnight + timedelta(days=7 - midnight.weekday())
        case "monthly":
            return (midnight.replace(day=28) + timedelta(days=4)).replace(day=1)
    return None


def key_window(key: Key, now: datetime) -> Window | None:
    used = key_used(key)
    if used is None or key.limit is None:
        return None
    return Window(
        id="key",
        label="API key",
        used_percent=min(100.0, used / key.limit * 100),
        used=used,
        limit=key.limit,
        unit="USD",
        minutes=_RESETS.get((key.limit_reset or "").lower()),
        resets_at=next_reset(key.limit_reset, now),
        lane="primary",
    )


def credits_window(credits: Credits, lane: Lane) -> Window:
    bought = credits.total_credits
    percent = min(100.0, max(0.0, credits.total_usage / bought * 100)) if bought > 0 else 0.0
    return Window(
        id="credits",
        label="Credits used",
        used_percent=percent,
        used=max(0.0, credits.total_usage),
        limit=bought if bought > 0 else None,
        unit="USD",
        lane=lane,
    )


def key_section(part: KeyPart) -> Section:
    key = part.key
    if key is None:
        row = Row(label="Budget", value="Unavailable right now", secondary=part.reason or None)
        return Section(title="API key", rows=(row,))
    amounts = (
        ("Remaining", key.limit_remaining if key.limit else None),
        ("Used", key.usage),
        ("Today", key.usage_daily),
        ("This week", key.usage_weekly),
        ("This month", key.usage_monthly),
    )
    rows = [Row(label="Budget", value=_dollars(key.limit) if key.limit is not None else "No limit configured")]
    rows += [Row(label=label, value=_dollars(value)) for label, value in amounts if value is not None]
    if key.limit_reset:
        rows.insert(1, Row(label="Reset window", value=key.limit_reset.capitalize()))
    limit = key.rate_limit
    if limit and limit.requests and limit.requests > 0:
        text = f"{limit.requests} requests" + (f" / {limit.interval}" if limit.interval else "")
        rows.append(Row(label="Rate limit", value=text))
    if key.is_free_tier is not None:
        rows.append(Row(label="Plan", value=_tier(key) or ""))
    points = tuple(Point(label=label, value=max(0.0, value)) for label, value in amounts[2:] if value is not None)
    chart = Chart(kind="bars", title="Key spend", unit="USD", points=points) if points else None
    return Section(title="API key", rows=tuple(rows), chart=chart)


def _tier(key: Key | None) -> str | None:
    if key is None or key.is_free_tier is None:
        return None
    return "Free tier" if key.is_free_tier else "Pay as you go"


def _dollars(value: float) -> str:
    return money(max(0.0, value))


# --- the last thirty days --------------------------------------------------------------------------


@dataclass(frozen=True)
class ActivityDay:
    """One model's use on one day: tokens without double counting, dollars metered and estimated."""

    day: date
    model: str
    tokens: int
    requests: int
    metered: float
    estimated: float

    @property
    def cost(self) -> float:
        return self.metered + self.estimated


def activity(rows: Iterable[dict[str, Any]], today: date) -> tuple[ActivityDay, ...]:
    """The rows that count, each once. Raises ValueError when any of them cannot be trusted."""
    kept: dict[tuple[object, ...], ActivityRow] = {}
    for number, raw in enumerate(rows, 1):
        if number > MAX_ACTIVITY_ROWS:
            raise ValueError("too many rows")
        day = _day(raw.get("date"), today)
        if day <= today - timedelta(days=HISTORY_DAYS):
            continue
        row = ActivityRow.model_validate(raw)
        if (row.reasoning_tokens or 0) > row.completion_tokens:
            raise ValueError("more reasoning than completion")
        name = (row.model_permaslug or row.model or "")[:MAX_MODEL]
        identity = (day, name, row.endpoint_id, row.provider_name, row.workspace_id)
        if kept.setdefault(identity, row) != row:
            raise ValueError("conflicting rows")
        if len(kept) > MAX_ACTIVITY_KEYS:
            raise ValueError("too many distinct rows")
    return tuple(_activity_day(key[0], str(key[1]), row) for key, row in kept.items() if isinstance(key[0], date))


def _activity_day(day: date, model: str, row: ActivityRow) -> ActivityDay:
    count = row.prompt_tokens + row.completion_tokens
    estimated = row.byok_usage_inference or 0.0
    if count > MAX_COUNT or to_number(row.usage + estimated) is None:
        raise ValueError("overflow")
    return ActivityDay(day, model, count, row.requests, row.usage, estimated)


def _day(value: object, today: date) -> date:
    if not isinstance(value, str) or len(value) != len("2000-01-01"):
        raise ValueError("no day")
    day = datetime.strptime(value, "%Y-%m-%d").date()
    if day > today:
        raise ValueError("a day in the future")
    return day


def history_section(days: tuple[ActivityDay, ...]) -> Section:
    metered, estimated = sum(day.metered for day in days), sum(day.estimated for day in days)
    if to_number(metered + estimated) is None:
        raise ValueError("overflow")
    quality = "vendor-metered" if not estimated else "mixed" if metered else "estimate"
    per_day: dict[date, float] = defaultdict(float)
    per_model: dict[str, list[ActivityDay]] = defaultdict(list)
    for item in days:
        per_day[item.day] += item.cost
        per_model[item.model or "Unknown model"].append(item)
    rows = [
        Row(label="Spend", value=money(metered + estimated), secondary=quality),
        Row(label="Tokens", value=tokens(sum(day.tokens for day in days))),
        Row(label="Requests", value=grouped(Decimal(sum(day.requests for day in days)))),
    ]
    ranked = sorted(per_model.items(), key=lambda entry: (-sum(item.cost for item in entry[1]), entry[0]))
    rows += [_model_row(model, items) for model, items in ranked[:_TOP_MODELS]]
    points = tuple(Point(label=day.isoformat(), value=cost) for day, cost in sorted(per_day.items()))
    chart = Chart(kind="bars", title="Spend per day", unit="USD", points=points) if points else None
    return Section(title=_HISTORY_TITLE, rows=tuple(rows), chart=chart)


def _model_row(model: str, items: list[ActivityDay]) -> Row:
    requests, count = sum(item.requests for item in items), sum(item.tokens for item in items)
    return Row(
        label=model,
        value=money(sum(item.cost for item in items)),
        secondary=f"{tokens(count)} tokens, {requests} requests",
    )


_HISTORY_TITLE = "Last 30 days (UTC)"


def no_history(reason: str) -> Section:
    return Section(title=_HISTORY_TITLE, rows=(Row(label="Activity", value=reason),))


# --- all of it -------------------------------------------------------------------------------------


def to_usage(credits: Credits | None, part: KeyPart, history: Section, now: datetime) -> Usage:
    """The usage of one key and its account. `credits` is None when the key may not read them."""
    key = part.key
    budget = key_window(key, now) if key else None
    windows = [budget] if budget else []
    balances: tuple[Balance, ...] = ()
    sections = [key_section(part), history]
    plan = _tier(key)
    spends: tuple[Spend, ...] = ()
    if credits is not None:
        difference = credits.total_credits - credits.total_usage
        left = max(0.0, difference if credits.remaining_balance is None else credits.remaining_balance)
        windows.append(credits_window(credits, "secondary" if budget else "primary"))
        balances = (Balance(id="credits", label="Credits", amount=_cents(left), unit="USD"),)
        sections.insert(0, _credits_section(credits, left))
        plan = f"Balance: {money(left)}"
    elif key is not None and key.usage is not None:
        spends = (Spend(id="key", label="API key", used=_cents(max(0.0, key.usage)), unit="USD", period="Lifetime"),)
    return Usage(
        updated_at=now,
        windows=tuple(windows),
        balances=balances,
        spends=spends,
        identity=Identity(plan=plan),
        details=tuple(sections),
        confidence=Confidence.EXACT,
    )


def _credits_section(credits: Credits, left: float) -> Section:
    amounts = (("Remaining", left), ("Used", credits.total_usage), ("Total added", credits.total_credits))
    return Section(title="Credits", rows=tuple(Row(label=label, value=_dollars(value)) for label, value in amounts))


def _cents(value: float) -> Decimal:
    """Dollars without the noise of binary fractions."""
    return Decimal(str(round(value, 6)))


# --- how it is fetched -----------------------------------------------------------------------------


def base_url(ctx: Context) -> str:
    """The service's address. Raises Misconfigured."""
    if ctx.settings.enterprise_host:
        return endpoint(ctx.settings.enterprise_host, "enterpriseHost")
    override = ctx.env("OPENROUTER_API_URL")
    return endpoint(override, "OPENROUTER_API_URL") if override else OFFICIAL


def management_key(ctx: Context) -> Secret | None:
    kept = ctx.settings.own("pluginSecrets")
    own = kept.get(MANAGEMENT_KEY) if isinstance(kept, dict) else None
    value = (clean(own) if isinstance(own, str) else None) or ctx.env(MANAGEMENT_KEY)
    return Secret(value) if value else None


def detail_seconds(ctx: Context) -> float:
    """How long the optional calls may take."""
    value = to_number(ctx.settings.own("detailSeconds"))
    return min(CREDITS_SECONDS, value) if value and value > 0 else DETAIL_SECONDS


async def from_api(ctx: Context, key: Credential) -> Usage:
    """Balance, key and history at once; only the balance (or, where it is closed, the key) must succeed."""
    base = base_url(ctx)
    seconds = detail_seconds(ctx)
    key_task = asyncio.create_task(_key_part(ctx, base, key.secret, seconds))
    history_task = asyncio.create_task(_history(ctx, seconds))
    try:
        answer = await _credits(ctx, base, key.secret)
        credits = None
        if answer.status == 403:
            _closed(ctx, answer, await key_task)
        elif answer.status == 401:
            raise ExpiredCredential("OpenRouter refused the API key.")
        else:
            credits = ctx.http.parse(ctx.http.check(answer), CreditsAnswer).data
        return to_usage(credits, await key_task, await history_task, ctx.now)
    finally:
        for task in (key_task, history_task):
            task.cancel()
        await asyncio.gather(key_task, history_task, return_exceptions=True)


def _closed(ctx: Context, answer: Answer, part: KeyPart) -> None:
    """Credits are closed to some kinds of keys; then the key itself must be readable."""
    if part.key is not None:
        return
    if part.status in (401, 403):
        raise ExpiredCredential("OpenRouter refused the API key.")
    ctx.http.check(answer)


async def _credits(ctx: Context, base: str, key: Secret) -> Answer:
    headers = {"Accept": "application/json", "X-Title": ctx.env("OPENROUTER_X_TITLE") or "Quotaline"}
    if referer := ctx.env("OPENROUTER_HTTP_REFERER"):
        headers["HTTP-Referer"] = referer
    return await ctx.http.send("GET", f"{base}/credits", bearer=key, headers=headers, timeout=CREDITS_SECONDS)


async def _plain(ctx: Context, url: str, key: Secret, seconds: float, **params: str) -> Answer:
    headers = {"Accept": "application/json"}
    return await ctx.http.send("GET", url, bearer=key, headers=headers, params=params or None, timeout=seconds)


async def _key_part(ctx: Context, base: str, key: Secret, seconds: float) -> KeyPart:
    try:
        async with asyncio.timeout(seconds):
            answer = await _plain(ctx, f"{base}/key", key, seconds)
            if answer.status == 404:
                answer = await _plain(ctx, f"{base}/auth/key", key, seconds)
    except (TimedOut, TimeoutError):
        return KeyPart(reason="Request timed out")
    except ReadError:
        return KeyPart(reason="Request failed")
    if not answer.ok:
        return KeyPart(reason=f"Request returned HTTP {answer.status}", status=answer.status)
    if not answer.body.strip():
        return KeyPart(reason="Response was unavailable")
    try:
        return KeyPart(ctx.http.parse(answer, KeyAnswer).data)
    except BadResponse:
        return KeyPart(reason="Response was invalid")


async def _history(ctx: Context, seconds: float) -> Section:
    key = management_key(ctx)
    if key is None:
        return no_history("Management API key not configured")
    # The management key may do more than read, so it goes to the vendor alone, never to an overridden address.
    url, today = f"{OFFICIAL}/activity", ctx.now.date()
    calls: list[Coroutine[Any, Any, Answer]] = [
        _plain(ctx, url, key, seconds),
        _plain(ctx, url, key, seconds, date=today.isoformat()),
    ]
    try:
        answers = await asyncio.gather(*calls)
        if any(answer.status == 403 for answer in answers):
            return no_history("Management API key required")
        pages = [ctx.http.parse(ctx.http.check(answer), ActivityAnswer).data for answer in answers]
        return history_section(activity((row for page in pages for row in page), today))
    except (ReadError, ValueError, OverflowError):
        return no_history("Unavailable right now")


def _key_file(ctx: Context) -> tuple[Path, Any]:
    return ctx.home / ".config/openrouter/key.json", key_in_file


def key_in_file(text: str) -> str | None:
    """The key in a key file: a JSON object's, or the bare text."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None if text.lstrip().startswith(("{", "[")) else text
    if isinstance(content, str):
        return content
    if not isinstance(content, dict):
        return None
    found = (content.get(name) for name in ("apiKey", "api_key", "key"))
    return next((value for value in found if isinstance(value, str) and clean(value)), None)


PROVIDER = Provider(
    id="openrouter",
    name="OpenRouter",
    connect="Create an API key at openrouter.ai and set OPENROUTER_API_KEY, or store it with Quotaline.",
    summary="Prepaid balance, the spending limit of the API key, and 30 days of spend with a management key.",
    aliases=("or",),
    dashboard="https://openrouter.ai/settings/credits",
    status=StatusPage("https://status.openrouter.ai"),
    key_url="https://openrouter.ai/settings/keys",
    settings=("apiKey", "apiKeyEnv", "enterpriseHost", "tokenAccounts"),
    options=(
        Option("pluginSecrets", f"An object whose {MANAGEMENT_KEY} is the key for the last 30 days.", "object"),
        Option("detailSeconds", "How many seconds the key and history details may take (1).", "number"),
    ),
    accounts="token",
    min_interval=60,
    deadline=30,
    strategies=(
        Strategy(
            "api",
            from_api,
            ApiKey(env=("OPENROUTER_API_KEY", "OPENROUTER_KEY"), file=_key_file),
        ),
    ),
)
