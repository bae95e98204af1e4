"""Kimi K2 (unofficial): the credits left at the relay kimi-k2.ai. Moonshot's own API is `moonshot`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from quotaline_providers.contract import Context, Credential, Provider, Strategy
from quotaline_providers.errors import BadResponse
from quotaline_providers.lookups import ApiKey, Chosen
from quotaline_providers.model import Balance, Identity, Row, Section, Usage, Window
from quotaline_providers.payload import JsonObject, child, to_number, to_time
from quotaline_providers.wording import grouped

URL = "https://kimi-k2.ai/api/user/credits"
_MILLISECONDS_FROM = 1e12
_LATEST = 64_092_211_200  # the year 4001

# The relay's answer has had many shapes: every value is looked for under all its names, in all these places.
_PLACES: tuple[tuple[str, ...], ...] = (
    (),
    ("data",),
    ("data", "usage"),
    ("data", "credits"),
    ("result",),
    ("result", "usage"),
    ("result", "credits"),
    ("usage",),
    ("credits",),
)
_CONSUMED = [
    "total_credits_consumed",
    "totalCreditsConsumed",
    "total_credits_used",
    "totalCreditsUsed",
    "credits_consumed",
    "creditsConsumed",
    "consumedCredits",
    "usedCredits",
    "total",
    "usage.total",
    "usage.consumed",
]
_REMAINING = [
    "credits_remaining",
    "creditsRemaining",
    "remaining_credits",
    "remainingCredits",
    "available_credits",
    "availableCredits",
    "credits_left",
    "creditsLeft",
    "usage.credits_remaining",
    "usage.remaining",
]
_AVERAGE = [
    "average_tokens_per_request",
    "averageTokensPerRequest",
    "average_tokens",
    "averageTokens",
    "avg_tokens",
    "avgTokens",
]
_TIME = ["updated_at", "updatedAt", "timestamp", "time", "last_update", "lastUpdated"]


@dataclass(frozen=True)
class Credits:
    """What was found, in the relay's own credits."""

    consumed: float | None = None
    remaining: float | None = None
    average_tokens: float | None = None
    time: datetime | None = None


def values(document: dict[str, object], names: list[str]) -> Iterator[object]:
    """For each name, the value in the first place that has it."""
    places = [place for path in _PLACES if (place := child(document, *path)) is not None]
    for name in names:
        *path, last = name.split(".")
        holders = (child(place, *path) for place in places)
        yield from (holder[last] for holder in [next((h for h in holders if h and last in h), None)] if holder)


def moment(value: object) -> datetime | None:
    """A time: ISO 8601, or seconds, or milliseconds from 1e12 on; None for anything not positive or far off."""
    number = to_number(value)
    if number is None:
        return to_time(value)
    seconds = number / 1000 if number >= _MILLISECONDS_FROM else number
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _LATEST else None


def found_in(document: dict[str, object], header: str | None = None) -> Credits:
    """The credits of an answer; `header` is its `X-Credits-Remaining`."""

    def number(names: list[str]) -> float | None:
        return next((found for value in values(document, names) if (found := to_number(value)) is not None), None)

    remaining = number(_REMAINING)
    if remaining is None:
        remaining = to_number(header)
    return Credits(
        consumed=number(_CONSUMED),
        remaining=None if remaining is None else max(0.0, remaining),
        average_tokens=number(_AVERAGE),
        time=next((time for value in values(document, _TIME) if (time := moment(value)) is not None), None),
    )


def to_usage(credits: Credits, now: datetime) -> Usage:
    """The usage. Raises BadResponse when the answer held no credits at all."""
    if credits.consumed is None and credits.remaining is None:
        raise BadResponse("kimi-k2.ai gave no credit data.")
    left = credits.remaining or 0.0
    rows = [Row(label="Remaining", value=grouped(left))]
    if credits.consumed is not None:
        rows.append(Row(label="Consumed", value=grouped(credits.consumed)))
    if credits.average_tokens is not None:
        rows.append(Row(label="Average tokens per request", value=grouped(credits.average_tokens)))
    window = _window(credits)
    return Usage(
        updated_at=credits.time or now,
        windows=(window,) if window else (),
        balances=(Balance(id="credits", label="Credits", amount=Decimal(str(left)), unit="credits"),),
        identity=Identity(plan=f"Credits: {grouped(left)} left"),
        details=(Section(title="Credits", rows=tuple(rows)),),
    )


def _window(credits: Credits) -> Window | None:
    used, left = credits.consumed, credits.remaining
    if used is None or left is None or used + left <= 0:
        return None
    total = used + left
    return Window(
        id="credits",
        label="Credits",
        used_percent=min(100.0, max(0.0, used / total * 100)),
        used=used,
        limit=total if to_number(total) is not None else None,
        unit="credits",
        description=f"{grouped(used)} used, {grouped(left)} left",
        lane="primary",
    )


def _keys(ctx: Context) -> ApiKey:
    # The generic names often hold an official Moonshot key: the relay gets them only when the user asked for it.
    generic = ("KIMI_API_KEY", "KIMI_KEY") if ctx.settings.enabled else ()
    return ApiKey(env=("KIMI_K2_API_KEY", *generic))


async def from_api(ctx: Context, key: Credential) -> Usage:
    answer = await ctx.http.send("GET", URL, bearer=key.secret, headers={"Accept": "application/json"})
    document = ctx.http.parse(ctx.http.check(answer), JsonObject).root
    return to_usage(found_in(document, answer.headers.get("x-credits-remaining")), ctx.now)


PROVIDER = Provider(
    id="kimik2",
    name="Kimi K2 (unofficial)",
    connect="Copy an API key of the unofficial relay kimi-k2.ai and set KIMI_K2_API_KEY, or store it with Quotaline.",
    summary="Credits left at the unofficial relay kimi-k2.ai.",
    aliases=("kimi-k2",),
    dashboard="https://kimrel.com/my-credits",
    key_url="https://kimrel.com/my-credits",
    settings=("apiKey", "apiKeyEnv", "tokenAccounts"),
    accounts="token",
    min_interval=60,
    deadline=35,
    strategies=(Strategy("api", from_api, Chosen(_keys)),),
)
