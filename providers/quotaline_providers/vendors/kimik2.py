"""Kimi K2 (unofficial): the credits left at the relay kimi-k2.ai. Moonshot's own API is `moonshot`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import quotaline_providers as ql

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
CONSUMED = [
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
REMAINING = [
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
AVERAGE = [
    "average_tokens_per_request",
    "averageTokensPerRequest",
    "average_tokens",
    "averageTokens",
    "avg_tokens",
    "avgTokens",
]
TIME = ["updated_at", "updatedAt", "timestamp", "time", "last_update", "lastUpdated"]


@dataclass(frozen=True)
class Credits:
    """What was found, in the relay's own credits."""

    consumed: float | None = None
    remaining: float | None = None
    average_tokens: float | None = None
    time: datetime | None = None


def values(document: dict[str, object], names: list[str]) -> Iterator[object]:
    """For each name, the value in the first place that has it; None when no place has."""
    places = [place for path in _PLACES if (place := ql.child(document, *path)) is not None]
    for name in names:
        *path, last = name.split(".")
        holders = (ql.child(place, *path) or {} for place in places)
        yield next((holder[last] for holder in holders if last in holder), None)


def moment(value: object) -> datetime | None:
    """A time: ISO 8601, or seconds, or milliseconds from 1e12 on; None for anything not positive or far off.

    Not `to_time`, to which a number above 1e10 is milliseconds: the relay is known to mean seconds up to 1e12.
    """
    number = ql.to_number(value)
    if number is None:
        return ql.to_time(value)
    seconds = number / 1000 if number >= _MILLISECONDS_FROM else number
    return ql.at_epoch(seconds) if seconds < _LATEST else None


def found_in(document: dict[str, object], header: str | None = None) -> Credits:
    """The credits of an answer; `header` is its `X-Credits-Remaining`."""

    def number(names: list[str]) -> float | None:
        return next((found for value in values(document, names) if (found := ql.to_number(value)) is not None), None)

    remaining = number(REMAINING)
    if remaining is None:
        remaining = ql.to_number(header)
    return Credits(
        consumed=number(CONSUMED),
        remaining=None if remaining is None else max(0.0, remaining),
        average_tokens=number(AVERAGE),
        time=next((time for value in values(document, TIME) if (time := moment(value)) is not None), None),
    )


def to_usage(credits: Credits, now: datetime) -> ql.Usage:
    """The usage. Raises BadResponse when the answer held no credits at all."""
    if credits.consumed is None and credits.remaining is None:
        raise ql.BadResponse("kimi-k2.ai gave no credit data.")
    known = (
        ("Remaining", credits.remaining),
        ("Consumed", credits.consumed),
        ("Average tokens per request", credits.average_tokens),
    )
    rows = tuple(ql.Row(label=label, value=ql.grouped(value)) for label, value in known if value is not None)
    window = _window(credits)
    return ql.Usage(
        updated_at=min(credits.time or now, now),
        windows=(window,) if window else (),
        balances=_balances(credits.remaining),
        identity=ql.Identity(
            login=None if credits.remaining is None else f"Credits: {ql.grouped(credits.remaining)} left"
        ),
        details=(ql.Section(title="Credits", rows=rows),),
    )


def _balances(left: float | None) -> tuple[ql.Balance, ...]:
    return () if left is None else (ql.Balance(id="credits", label="Credits", amount=ql.exact(left), unit="credits"),)


def _window(credits: Credits) -> ql.Window | None:
    used, left = credits.consumed, credits.remaining
    if used is None or left is None or used + left <= 0:
        return None
    total = used + left
    return ql.Window(
        id="credits",
        label="Credits",
        used_percent=ql.share(used, total),
        used=used,
        limit=total if ql.to_number(total) is not None else None,
        unit="credits",
        description=f"{ql.grouped(used)} used, {ql.grouped(left)} left",
        lane="primary",
        blocks=True,
    )


# The generic names often hold an official Moonshot key: the relay gets them only when the user asked for it.
KEY = ql.ApiKey(env=("KIMI_K2_API_KEY",), env_if_enabled=("KIMI_API_KEY", "KIMI_KEY"))


async def from_api(ctx: ql.Context, key: ql.Credential) -> ql.Usage:
    """One request has everything. Raises ReadError."""
    answer = await ctx.http.send("GET", URL, bearer=key.secret)
    document = ctx.http.parse(ctx.http.check(answer), ql.JsonObject).root
    return to_usage(found_in(document, answer.headers.get("x-credits-remaining")), ctx.now)


PROVIDER = ql.Provider(
    id="kimik2",
    name="Kimi K2 (unofficial)",
    kind=ql.ProviderKind.GATEWAY,
    connect="Copy an API key of the unofficial relay kimi-k2.ai and set KIMI_K2_API_KEY, or store it with Quotaline.",
    summary="Credits left at the unofficial relay kimi-k2.ai.",
    aliases=("kimi-k2",),
    dashboard="https://kimrel.com/my-credits",
    accounts=ql.AccountKind.TOKEN,
    deadline=35,
    strategies=(ql.Strategy.api(from_api, KEY),),
)
