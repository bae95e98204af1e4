"""The API: credits, the key's budget, and with a management key the account's history."""

from __future__ import annotations

import asyncio

from quotaline_providers import (
    BadResponse,
    Context,
    Credential,
    Forbidden,
    ReadError,
    Refusal,
    Response,
    Secret,
    Section,
    TimedOut,
    Unavailable,
    Usage,
    base_address,
    beside,
    in_time,
    refused_key,
    to_number,
)
from quotaline_providers.vendors.openrouter.credentials import management_key
from quotaline_providers.vendors.openrouter.history import activity, history_section, no_history
from quotaline_providers.vendors.openrouter.mapping import (
    NEEDS_MANAGEMENT_KEY,
    TIMED_OUT,
    CreditsPart,
    KeyPart,
    to_usage,
)
from quotaline_providers.vendors.openrouter.payloads import ActivityAnswer, Credits, CreditsAnswer, KeyAnswer

OFFICIAL = "https://openrouter.ai/api/v1"
CREDITS_SECONDS = 15.0
DETAIL_SECONDS = 4.0
REFUSALS = refused_key("OpenRouter")


class Closed(Forbidden):
    """The key may not read the account's credits."""


CREDITS_REFUSALS = {
    **REFUSALS,
    403: Refusal(
        Closed,
        "OpenRouter does not let this key read the account's credits, and tells nothing of the key itself.",
        "Use a key with a limit, or a management key.",
    ),
}


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
    """Balance, key and history at once; one of balance and key must be read."""
    base = base_url(ctx)
    seconds = detail_seconds(ctx)
    async with beside() as side:
        asking_key = side.start(_key_part(ctx, base, key.secret, seconds), seconds)
        asking_history = side.start(_history(ctx, base, key.secret, asking_key, seconds), seconds)
        failure: ReadError | None = None
        account = CreditsPart()
        try:
            account = CreditsPart(await _credits(ctx, base, key.secret))
        except ReadError as error:
            failure = error
        part = await asking_key or KeyPart(reason=TIMED_OUT)
        if failure and part.timed_out:  # now it is what the read stands on, so it may take its time
            part = await _key_part(ctx, base, key.secret, CREDITS_SECONDS)
        if failure:
            account = _without_credits(failure, part)
        usage = to_usage(account, part, await asking_history or no_history("Unavailable right now"), ctx.now)
    if failure and not _stands_alone(usage, failure):
        failure.partial = usage.model_copy(update={"notes": ()}) if usage.windows or usage.spends else None
        raise failure
    return usage


def _stands_alone(usage: Usage, failure: ReadError) -> bool:
    """Whether the key's part is an answer although the credits failed: its limit is one during an outage, what it spent
    where the credits are closed to it. Else it only stands beside the failure."""
    if isinstance(failure, Closed):
        return bool(usage.windows or usage.spends)
    return isinstance(failure, Unavailable | TimedOut) and bool(usage.windows)


def _without_credits(failure: ReadError, part: KeyPart) -> CreditsPart:
    """Why there is a key without credits. Raises the failure where there is no key either."""
    if isinstance(failure, Closed):
        if part.key is None:
            raise REFUSALS[403].raised(403) if part.status in (401, 403) else failure
        return CreditsPart(reason=NEEDS_MANAGEMENT_KEY)
    if part.key is None:
        raise failure
    return CreditsPart(
        reason="Unavailable right now", note=f"The account's balance could not be read. {failure.message}"
    )


async def _credits(ctx: Context, base: str, key: Secret) -> Credits:
    headers = {"X-Title": ctx.env("OPENROUTER_X_TITLE") or "Quotaline"}
    if referer := ctx.env("OPENROUTER_HTTP_REFERER"):
        headers["HTTP-Referer"] = referer
    url = f"{base}/credits"
    answer = await ctx.http.get(
        url, CreditsAnswer, refusals=CREDITS_REFUSALS, bearer=key, headers=headers, timeout=CREDITS_SECONDS
    )
    return answer.data


async def _plain(ctx: Context, url: str, key: Secret, seconds: float) -> Response:
    return await ctx.http.send("GET", url, bearer=key, timeout=seconds)


async def _key_part(ctx: Context, base: str, key: Secret, seconds: float) -> KeyPart:
    try:
        answer = await _plain(ctx, f"{base}/key", key, seconds)
        if answer.status == 404:
            answer = await _plain(ctx, f"{base}/auth/key", key, seconds)
    except TimedOut:
        return KeyPart(reason=TIMED_OUT)
    except ReadError:
        return KeyPart(reason="Request failed")
    if answer.is_barred:
        return KeyPart(reason="Request failed")
    if not answer.ok:
        return KeyPart(reason=f"Request returned HTTP {answer.status}", status=answer.status)
    if not answer.body.strip():
        return KeyPart(reason="Response was unavailable")
    try:
        return KeyPart(ctx.http.parse(answer, KeyAnswer).data)
    except BadResponse:
        return KeyPart(reason="Response was invalid")


async def _history(
    ctx: Context, base: str, key: Secret, asking_key: asyncio.Task[KeyPart | None], seconds: float
) -> Section:
    """The account's history, by the management key. The main key serves where the vendor itself says that it is one."""
    allowed = management_key(ctx)
    if allowed is None:
        part = await in_time(asking_key, seconds)
        if base != OFFICIAL or part is None or part.key is None or not part.key.is_management_key:
            return no_history("Management API key not configured")
        allowed = key
    # The management key may do more than read, so it goes to the vendor alone, never to an overridden address.
    try:
        answer = await _plain(ctx, f"{OFFICIAL}/activity", allowed, seconds)
        if answer.status == 403 and not answer.is_barred:
            return no_history("Management API key required")
        rows = ctx.http.parse(ctx.http.check(answer), ActivityAnswer).data
        return history_section(activity(rows, ctx.now.date()))
    except (ReadError, ValueError, OverflowError):
        return no_history("Unavailable right now")
