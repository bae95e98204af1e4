"""OpenRouter: prepaid dollars, the spending limit of one API key, and with a management key the last 30 days."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from quotaline_providers.access.endpoints import base_address
from quotaline_providers.access.lookups import ApiKey
from quotaline_providers.contract import (
    AccountKind,
    Context,
    Credential,
    Option,
    OptionType,
    Provider,
    ProviderKind,
    Response,
    StatusPage,
    Strategy,
)
from quotaline_providers.errors import BadResponse, ExpiredCredential, ReadError, TimedOut
from quotaline_providers.fetching.optional import beside, together
from quotaline_providers.formatting import money
from quotaline_providers.model import Balance, Confidence, Identity, Row, Section, Spend, Usage
from quotaline_providers.parsing.payload import clean, exact, to_number
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.openrouter.answers import ActivityAnswer, Credits, CreditsAnswer, KeyAnswer
from quotaline_providers.vendors.openrouter.budget import (
    TIMED_OUT,
    KeyPart,
    credits_window,
    dollars,
    key_section,
    key_window,
    tier,
)
from quotaline_providers.vendors.openrouter.history import activity, history_section, no_history

OFFICIAL = "https://openrouter.ai/api/v1"
CREDITS_SECONDS = 15.0
DETAIL_SECONDS = 1.0
MANAGEMENT_KEY = "OPENROUTER_MANAGEMENT_API_KEY"

# --- all of it -------------------------------------------------------------------------------------


def to_usage(credits: Credits | None, part: KeyPart, history: Section, now: datetime) -> Usage:
    """The usage of one key and its account. `credits` is None when the key may not read them."""
    key = part.key
    budget = key_window(key, now) if key else None
    windows = [budget] if budget else []
    balances: tuple[Balance, ...] = ()
    sections = [key_section(part), history]
    plan = tier(key)
    spends: tuple[Spend, ...] = ()
    if credits is not None:
        difference = credits.total_credits - credits.total_usage
        left = max(0.0, difference if credits.remaining_balance is None else credits.remaining_balance)
        windows.append(credits_window(credits, "secondary" if budget else "primary"))
        balances = (Balance(id="credits", label="Credits", amount=exact(left), unit="USD"),)
        sections.insert(0, _credits_section(credits, left))
        plan = f"Balance: {money(left)}"
    elif key is not None and key.usage is not None:
        spends = (Spend(id="key", label="API key", used=exact(max(0.0, key.usage)), unit="USD", period="Lifetime"),)
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
    return Section(title="Credits", rows=tuple(Row(label=label, value=dollars(value)) for label, value in amounts))


# --- how it is fetched -----------------------------------------------------------------------------


def base_url(ctx: Context) -> str:
    """The service's address. Raises Misconfigured."""
    if ctx.settings.enterprise_host:
        return base_address(ctx.settings.enterprise_host, "enterpriseHost", OFFICIAL)
    return base_address(ctx.env("OPENROUTER_API_URL"), "OPENROUTER_API_URL", OFFICIAL)


def management_key(ctx: Context) -> Secret | None:
    """The key that may read the account's history, from the config or the environment."""
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
    async with beside() as side:
        asking_key = side.start(_key_part(ctx, base, key.secret, seconds), seconds)
        asking_history = side.start(_history(ctx, seconds), seconds)
        answer = await _credits(ctx, base, key.secret)
        if answer.status == 401:
            raise ExpiredCredential("OpenRouter refused the API key.")
        closed = answer.status == 403
        credits = None if closed else ctx.http.parse(ctx.http.check(answer), CreditsAnswer).data
        part = await asking_key or KeyPart(reason=TIMED_OUT)
        if closed and part.timed_out:  # now it is what the read stands on, so it may take its time
            part = await _key_part(ctx, base, key.secret, CREDITS_SECONDS)
        if closed:
            _closed(ctx, answer, part)
        return to_usage(credits, part, await asking_history or no_history("Unavailable right now"), ctx.now)


def _closed(ctx: Context, response: Response, part: KeyPart) -> None:
    """Credits are closed to some kinds of keys; then the key itself must be readable."""
    if part.key is not None:
        return
    if part.status in (401, 403):
        raise ExpiredCredential("OpenRouter refused the API key.")
    ctx.http.check(response)


async def _credits(ctx: Context, base: str, key: Secret) -> Response:
    headers = {"X-Title": ctx.env("OPENROUTER_X_TITLE") or "Quotaline"}
    if referer := ctx.env("OPENROUTER_HTTP_REFERER"):
        headers["HTTP-Referer"] = referer
    return await ctx.http.send("GET", f"{base}/credits", bearer=key, headers=headers, timeout=CREDITS_SECONDS)


async def _plain(ctx: Context, url: str, key: Secret, seconds: float, **params: str) -> Response:
    return await ctx.http.send("GET", url, bearer=key, params=params, timeout=seconds)


async def _key_part(ctx: Context, base: str, key: Secret, seconds: float) -> KeyPart:
    try:
        answer = await _plain(ctx, f"{base}/key", key, seconds)
        if answer.status == 404:
            answer = await _plain(ctx, f"{base}/auth/key", key, seconds)
    except TimedOut:
        return KeyPart(reason=TIMED_OUT)
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
    try:
        answers = await together(_plain(ctx, url, key, seconds), _plain(ctx, url, key, seconds, date=today.isoformat()))
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
    kind=ProviderKind.GATEWAY,
    connect="Create an API key at openrouter.ai and set OPENROUTER_API_KEY, or store it with Quotaline.",
    summary="Prepaid balance, the spending limit of the API key, and 30 days of spend with a management key.",
    aliases=("or",),
    dashboard="https://openrouter.ai/settings/credits",
    status=StatusPage("https://status.openrouter.ai"),
    keys="https://openrouter.ai/settings/keys",
    fields=("enterpriseHost",),
    options=(
        Option(
            "pluginSecrets", f"An object whose {MANAGEMENT_KEY} is the key for the last 30 days.", OptionType.OBJECT
        ),
        Option("detailSeconds", "How many seconds the key and history details may take (1).", OptionType.NUMBER),
    ),
    accounts=AccountKind.TOKEN,
    deadline=30,
    https_only=True,
    strategies=(
        Strategy.api(
            from_api,
            ApiKey(env=("OPENROUTER_API_KEY", "OPENROUTER_KEY"), file=_key_file),
        ),
    ),
)
