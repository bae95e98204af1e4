"""The API: credits, the key's budget, and with a management key the account's history."""

from __future__ import annotations

from quotaline_providers import (
    BadResponse,
    Context,
    Credential,
    ReadError,
    Response,
    Secret,
    Section,
    TimedOut,
    Usage,
    base_address,
    beside,
    refused_key,
    to_number,
    together,
)
from quotaline_providers.vendors.openrouter.credentials import management_key
from quotaline_providers.vendors.openrouter.mapping import (
    TIMED_OUT,
    KeyPart,
    activity,
    history_section,
    no_history,
    to_usage,
)
from quotaline_providers.vendors.openrouter.payloads import ActivityAnswer, CreditsAnswer, KeyAnswer

OFFICIAL = "https://openrouter.ai/api/v1"
CREDITS_SECONDS = 15.0
DETAIL_SECONDS = 4.0
REFUSALS = refused_key("OpenRouter")


def base_url(ctx: Context) -> str:
    """The service's address. Raises Misconfigured."""
    if ctx.settings.enterprise_host:
        return base_address(ctx.settings.enterprise_host, "enterpriseHost", OFFICIAL)
    return base_address(ctx.env("OPENROUTER_API_URL"), "OPENROUTER_API_URL", OFFICIAL)


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
        response = await _credits(ctx, base, key.secret)
        closed = response.status == 403
        credits = None if closed else ctx.http.parse(ctx.http.check(response, REFUSALS), CreditsAnswer).data
        part = await asking_key or KeyPart(reason=TIMED_OUT)
        if closed and part.timed_out:  # now it is what the read stands on, so it may take its time
            part = await _key_part(ctx, base, key.secret, CREDITS_SECONDS)
        if closed:
            _check_closed(ctx, response, part)
        return to_usage(credits, part, await asking_history or no_history("Unavailable right now"), ctx.now)


def _check_closed(ctx: Context, response: Response, part: KeyPart) -> None:
    """Credits are closed to some kinds of keys; then the key itself must be readable. Raises ReadError."""
    if part.key is None:
        ctx.http.check(response, REFUSALS if part.status in (401, 403) else None)


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
