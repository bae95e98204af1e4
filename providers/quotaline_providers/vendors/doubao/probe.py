"""The rate limit of an Ark API key, read from the headers of a chat answer: each probe is a real, billed token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from quotaline_providers import (
    BadResponse,
    Context,
    ExpiredCredential,
    Forbidden,
    JsonObject,
    ReadError,
    Refusal,
    Refusals,
    Response,
    Secret,
    Usage,
    Window,
    child,
    share,
    to_number,
    to_text,
    to_time,
)
from quotaline_providers.parsing.payload import to_integer

URL = "https://ark.cn-beijing.volces.com/api/coding/v3/chat/completions"
MODELS = ("doubao-seed-2.0-code", "doubao-1.5-pro-32k", "doubao-lite-32k")
SECONDS = 15.0
ACTIVE = "The API key is active; the console shows its usage."
REFUSALS: Refusals = {
    401: Refusal(ExpiredCredential, "Volcengine refused the Ark API key (HTTP {status})."),
    404: Refusal(BadResponse, "No known model may be asked with this Ark API key (HTTP {status})."),
}

NO_PLAN_HINT = "For an Agent Plan set the access key and its secret, or run `arkcli auth login`."

_NO_PLAN = re.compile(r"coding ?plan.*subscription|subscription.*coding ?plan", re.IGNORECASE | re.DOTALL)
_DURATION = re.compile(r"(?=\S)(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9}(?:\.\d{1,9})?)s)?")
_LONGEST = 10 * 366 * 86400


@dataclass(frozen=True)
class RateLimit:
    """What one answer's headers state. `remaining` is None when it cannot be relied on."""

    status: int
    limit: int | None
    remaining: int | None
    resets_at: datetime | None

    @property
    def reliable(self) -> bool:
        return self.limit is not None and self.limit > 0 and self.remaining is not None

    @property
    def ambiguous(self) -> bool:
        """A success with nothing left: for some keys every answer is like that."""
        return self.status == 200 and self.reliable and self.remaining == 0


def rate_limit(response: Response, now: datetime) -> RateLimit:
    """The limit in the headers; after a refusal for too many requests nothing is left."""
    limit = to_integer(response.headers.get("x-ratelimit-limit-requests"))
    remaining = to_integer(response.headers.get("x-ratelimit-remaining-requests"))
    if response.status == 429 and remaining is None:
        remaining = 0
    return RateLimit(
        response.status, limit, remaining, reset_at(response.headers.get("x-ratelimit-reset-requests"), now)
    )


def reset_at(text: str | None, now: datetime) -> datetime | None:
    """A time, a span such as `1h30m`, or plain seconds from now."""
    text = (text or "").strip()
    seconds = to_number(text)
    if seconds is None and (match := _DURATION.fullmatch(text)):
        days, hours, minutes, rest = (float(part or 0) for part in match.groups())
        seconds = days * 86400 + hours * 3600 + minutes * 60 + rest
    if seconds is None:
        return to_time(text)
    return now.astimezone(UTC) + timedelta(seconds=seconds) if 0 < seconds <= _LONGEST else None


def to_usage(found: RateLimit, now: datetime) -> Usage:
    """A window when there is a limit to rely on; else only that the key works."""
    limit, remaining = found.limit, found.remaining
    if limit is None or remaining is None or not found.reliable:
        return Usage(updated_at=now, notes=(ACTIVE,), limits_unavailable=True)
    used = max(0, limit - remaining)
    window = Window(
        id="requests",
        label="Requests",
        used_percent=share(used, limit),
        used=used,
        limit=limit,
        unit="requests",
        resets_at=found.resets_at,
        description=f"{used}/{limit} requests",
        lane="primary",
        blocks=True,
    )
    return Usage(updated_at=now, windows=(window,))


# --- how it is fetched -----------------------------------------------------------------------------


async def read_limit(ctx: Context, key: Secret) -> Usage:
    """The limit, from the first model that this key may use."""
    for model in MODELS:
        answer = await _probe(ctx, key, model)
        if answer.status not in (403, 404):
            break
    found = rate_limit(_answered(ctx, answer), ctx.now)
    if found.ambiguous:
        found = await _again(ctx, key, model, found)
    return to_usage(found, ctx.now)


async def _again(ctx: Context, key: Secret, model: str, first: RateLimit) -> RateLimit:
    """The limit after a second probe, where the first answer left nothing."""
    try:
        second = rate_limit(_answered(ctx, await _probe(ctx, key, model)), ctx.now)
    except ReadError:
        return first
    if second.status == 429:
        return second if second.reliable else first
    return RateLimit(second.status, None, None, None) if second.ambiguous else second


async def _probe(ctx: Context, key: Secret, model: str) -> Response:
    body = {"model": model, "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]}
    return await ctx.http.send("POST", URL, bearer=key, json=body, timeout=SECONDS)


def _answered(ctx: Context, response: Response) -> Response:
    if response.status == 400 and _is_without_plan(ctx, response):
        raise Forbidden("This Ark API key works, but has no Coding Plan; paying by use has no limits.", NO_PLAN_HINT)
    return response if response.status == 429 else ctx.http.check(response, REFUSALS)


def _is_without_plan(ctx: Context, response: Response) -> bool:
    """Whether a refusal names the missing plan, in its code or its message."""
    try:
        fields = ctx.http.parse(response, JsonObject).root
    except BadResponse:
        return False
    error = child(fields, "error") or fields
    texts = (to_text(error.get(name)) or "" for name in ("code", "message"))
    return any(_NO_PLAN.search(text[:400]) for text in texts)
