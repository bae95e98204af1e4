"""Chutes: the 4-hour and monthly windows of a subscription, or plain request quotas, read with an API key.

The vendor pins no shapes, so answers are searched: a name counts whatever its spelling (`reset_at`, `resetAt`).
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from urllib.parse import quote

from quotaline_providers.contract import Answer, Context, Credential, Provider, Strategy
from quotaline_providers.endpoints import base_address
from quotaline_providers.errors import BadResponse, ReadError
from quotaline_providers.lookups import ApiKey, accepted
from quotaline_providers.model import MONTH_MINUTES, Identity, Lane, Row, Section, Usage, Window
from quotaline_providers.payload import JsonDocument, to_number, to_text, to_time
from quotaline_providers.sidecalls import optional
from quotaline_providers.wording import grouped, money, percent

OFFICIAL = "https://api.chutes.ai"
OVERRIDE = "CHUTES_API_URL"
SECONDS = 15.0
DETAIL_SECONDS = 45.0
"""How long all calls for single quotas may take together; what is known by then is shown."""
FOUR_HOURS = 240
_LONGEST = 10 * 366 * 1440

# --- what the vendor sends, under which names -------------------------------------------------------

ROLLING = ("rolling", "rolling_window", "rolling_4h", "four_hour", "four_hour_usage", "window_4h")
MONTHLY = ("monthly", "monthly_usage", "subscription", "subscription_usage", "billing_period")
CONTAINERS = ("quotas", "quota", "quota_usage", "limits", "usage", "entries", "subscription_usage")
LIMIT = (
    *("limit", "cap", "max", "maximum", "quota", "quota_limit", "monthly_cap", "monthly_limit"),
    *("request_limit", "token_limit", "hard_limit", "total"),
)
USED = (
    *("used", "usage", "used_amount", "consumed", "consumed_amount", "current", "current_usage"),
    *("requests", "request_count", "tokens", "token_usage", "monthly_usage"),
)
REMAINING = ("remaining", "available", "balance", "left", "remaining_amount", "available_amount")
PERCENT_USED = ("percent_used", "usage_percent", "used_percent", "utilization", "utilization_percent")
PERCENT_LEFT = ("percent_remaining", "remaining_percent")
NUMBERS = (*LIMIT, *USED, *REMAINING, *PERCENT_USED, *PERCENT_LEFT)
LABEL = ("label", "name", "title", "type", "quota_type", "period", "window", "window_name", "chute_id")
UNIT = ("unit", "units", "currency", "quota_unit")
RESET = (
    *("reset_at", "resets_at", "reset_time", "next_reset_at", "renews_at", "renewal_at", "period_end"),
    *("current_period_end", "expires_at", "window_end", "end_time"),
)
LENGTHS = {
    f"{of}_{unit}": minutes
    for unit, minutes in (("minutes", 1.0), ("hours", 60.0), ("days", 1440.0), ("seconds", 1 / 60))
    for of in ("window", "period", "duration")
}
LENGTH_TEXTS = ("window", "period", "interval", "duration")
SUBSCRIPTIONS = ("subscription", "subscription_usage", "current_subscription", "plan")
ACTIVE = ("active", "is_active", "subscription_active", "has_subscription")
STATE = ("status", "state", "subscription_status")
PLAN = ("plan_name", "plan", "tier", "subscription_plan", "subscription_tier")

_LENGTH_TEXT = re.compile(
    r"(\d+(?:\.\d+)?)[\s_-]*(mo|mos|months?|w|wks?|weeks?|d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?)\b"
)
_LENGTH_UNITS = {"mo": MONTH_MINUTES, "w": 10080, "d": 1440, "h": 60, "m": 1, "s": 1 / 60}

Node = dict[str, object]
"""A JSON object whose names are spelled in lower-case letters and digits only."""


def spelled(name: str) -> str:
    """A name in the one spelling by which names are compared."""
    return re.sub(r"[\W_]", "", name.lower())


def node(value: Mapping[str, object]) -> Node:
    """The object with its names in the one spelling; of two that fall together the first stays."""
    found: Node = {}
    for name, item in value.items():
        found.setdefault(spelled(name), item)
    return found


def values(where: Node, names: Iterable[str]) -> Iterator[object]:
    """The values under these names, in their order."""
    return (where[key] for name in names if (key := spelled(name)) in where)


def amount(value: object) -> float | None:
    """A number, also as text with a dollar or percent sign and thousands separators."""
    return to_number(re.sub(r"[,$%]", "", value) if isinstance(value, str) else value)


def number(where: Node, names: Iterable[str]) -> float | None:
    return next((found for value in values(where, names) if (found := amount(value)) is not None), None)


def text(where: Node, names: Iterable[str]) -> str | None:
    return next((found for value in values(where, names) if (found := to_text(value))), None)


def time(where: Node, names: Iterable[str]) -> datetime | None:
    return next((found for value in values(where, names) if (found := to_time(value))), None)


# --- quotas ----------------------------------------------------------------------------------------

Kind = Literal["rolling", "monthly", "other"]


@dataclass(frozen=True)
class Quota:
    """One allowance: percent used (0-100), the amounts it comes from, its length in minutes."""

    key: str
    percent: float
    used: float | None
    limit: float | None
    unit: str
    label: str | None
    minutes: int | None
    resets_at: datetime | None
    kind: Kind = "other"

    @property
    def description(self) -> str | None:
        if self.used is None or not self.limit:
            return None
        if self.unit == "USD":
            return f"{money(self.used)}/{money(self.limit)}"
        return f"{grouped(self.used)}/{grouped(self.limit)} {self.unit}"


def _share(value: float) -> float:
    """A percentage that may have come as a fraction; exactly 1 is one percent."""
    return min(100.0, max(0.0, value * 100 if abs(value) < 1 else value))


def length(where: Node) -> int | None:
    """A window's length in minutes; None when none is told."""
    for name, factor in LENGTHS.items():
        if (told := number(where, (name,))) is not None and 0 < (minutes := round(told * factor)) <= _LONGEST:
            return minutes
    for value in values(where, LENGTH_TEXTS):
        if isinstance(value, str) and (match := _LENGTH_TEXT.match(value.strip().lower())):
            unit = match[2]
            factor = _LENGTH_UNITS["mo" if unit.startswith("mo") else unit[0]]
            if 0 < (minutes := round(float(match[1]) * factor)) <= _LONGEST:
                return minutes
    return None


def quota_of(where: Node, kind: Kind | None = None) -> Quota | None:
    """The allowance this object tells; None when it has no percentage. `kind` is given where its place tells it."""
    limit, used, remaining = (number(where, names) for names in (LIMIT, USED, REMAINING))
    if limit is None and used is not None and remaining is not None:
        limit = used + remaining
    if used is None and limit is not None and remaining is not None:
        used = limit - remaining
    told_used, told_left = number(where, PERCENT_USED), number(where, PERCENT_LEFT)
    if told_used is not None:
        share = _share(told_used)
    elif told_left is not None:
        share = 100 - _share(told_left)
    elif used is not None and limit is not None and limit > 0:
        share = min(100.0, max(0.0, used / limit * 100))
    else:
        return None
    # The windows of a subscription are in dollars, of which the answer says nothing.
    in_dollars = kind is not None and amount(where.get("cap")) is not None
    minutes, label = length(where), text(where, LABEL)
    unit = text(where, UNIT)
    return Quota(
        key=json.dumps(where, sort_keys=True, default=str),
        percent=share,
        used=used,
        limit=limit if limit is not None and limit > 0 else None,
        unit=unit or ("USD" if in_dollars else "credits"),
        label="All chutes" if label == "*" else label,
        minutes=minutes,
        resets_at=time(where, RESET),
        kind=kind or classified(f"{label or ''} {unit or 'credits'}", minutes),
    )


def classified(words: str, minutes: int | None) -> Kind:
    words = words.lower()
    if minutes == FOUR_HOURS or any(
        word in words for word in ("rolling", "4h", "4 h", "4-hour", "four hour", "four-hour")
    ):
        return "rolling"
    if any(word in words for word in ("month", "billing", "subscription")) or (minutes or 0) >= 40320:
        return "monthly"
    return "other"


def objects(value: object) -> Iterator[Node]:
    """All objects in a value that hold a usable number of a quota, in the order of the document."""
    if isinstance(value, dict):
        here = node(value)
        if number(here, NUMBERS) is not None:
            yield here
        for item in here.values():
            yield from objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from objects(item)


# --- a whole answer --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """What one answer tells. `active` is None when nothing is said of a subscription."""

    rolling: Quota | None = None
    monthly: Quota | None = None
    others: tuple[Quota, ...] = ()
    active: bool | None = None
    plan: str | None = None
    renews_at: datetime | None = None

    @property
    def empty(self) -> bool:
        return not (self.rolling or self.monthly or self.others)

    def completed(self, more: Reading) -> Reading:
        """With the windows that are missing here; what is known of the subscription stays."""
        return replace(
            self,
            rolling=self.rolling or more.rolling,
            monthly=self.monthly or more.monthly,
            others=self.others or more.others,
        )


def reading(document: object) -> Reading:
    """What an answer tells. Raises BadResponse when it is neither an object nor a list."""
    root, data = roots(document)
    quotas: dict[str, Quota] = {}
    inside = (value for name in CONTAINERS for place in (root, data) for value in values(place, (name,)))
    for found in (*(item for value in inside for item in objects(value)), *objects(root)):
        if quota := quota_of(found):
            quotas.setdefault(quota.key, quota)
    rolling = _explicit((root, data), ROLLING, "rolling") or _first(quotas.values(), "rolling")
    monthly = _explicit((root, data), MONTHLY, "monthly") or _first(quotas.values(), "monthly")
    taken = {quota.key for quota in (rolling, monthly) if quota}
    places = (root, data, *(node(v) for at in (root, data) for v in values(at, SUBSCRIPTIONS) if isinstance(v, dict)))
    return Reading(
        rolling=rolling,
        monthly=monthly,
        others=tuple(quota for quota in quotas.values() if quota.key not in taken and quota.kind == "other"),
        active=is_active(places),
        plan=next((plan for place in places if (plan := text(place, PLAN))), None),
        renews_at=next((reset for place in places if (reset := time(place, RESET))), None),
    )


def roots(document: object) -> tuple[Node, Node]:
    """The document as an object, and the object its content is in."""
    if isinstance(document, list):
        document = {"quotas": document}
    if not isinstance(document, dict):
        raise BadResponse("Chutes answered with data of another shape.")
    root = node(document)
    inner = next((value for value in values(root, ("data", "result")) if isinstance(value, dict)), None)
    return root, root if inner is None else node(inner)


def _explicit(places: Iterable[Node], names: Sequence[str], kind: Kind) -> Quota | None:
    found = (node(v) for place in places for v in values(place, names) if isinstance(v, dict))
    return next((quota for item in found if (quota := quota_of(item, kind))), None)


def _first(quotas: Iterable[Quota], kind: Kind) -> Quota | None:
    return next((quota for quota in quotas if quota.kind == kind), None)


def is_active(places: Sequence[Node]) -> bool | None:
    """Whether there is an active subscription; None when that is not told."""
    for place in places:
        for value in values(place, ACTIVE):
            if (told := _yes_or_no(value)) is not None:
                return told
        if isinstance(value := place.get("subscription"), bool):
            return value
    for place in places:
        words = (text(place, (name,)) for name in STATE)
        for state in (word.lower() for word in words if word):
            if "active" in state and "inactive" not in state:
                return True
            if any(word in state for word in ("free", "inactive", "cancel", "none", "expired")):
                return False
    return None


def _yes_or_no(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.strip().lower()
        if word in ("true", "1", "yes", "active"):
            return True
        return False if word in ("false", "0", "no", "inactive", "none") else None
    told = to_number(value)
    return None if told is None else told != 0


def to_usage(found: Reading, now: datetime) -> Usage:
    windows, rest = _windows(found)
    if found.plan:
        login: str | None = found.plan
    elif found.active is False:
        login = "No active subscription"
    else:
        login = "No usage data" if found.active is None and not windows else None
    rows = tuple(Row(label=quota.label or "Quota", value=quota.description or percent(quota.percent)) for quota in rest)
    return Usage(
        updated_at=now,
        windows=windows,
        identity=Identity(plan=login),
        details=(Section(title="Other quotas", rows=rows),) if rows else (),
        subscription_renews_at=found.renews_at or (found.monthly.resets_at if found.monthly else None),
    )


def _windows(found: Reading) -> tuple[tuple[Window, ...], tuple[Quota, ...]]:
    """The windows of the two lanes, and the quotas for which there is none."""
    windows: list[Window] = []
    rest = list(found.others)
    if found.rolling:
        windows.append(_window(found.rolling, "rolling", "4-hour quota", "primary", FOUR_HOURS))
    elif not found.monthly and rest:
        windows.append(_other(rest.pop(0), "quota", "primary"))
    if found.monthly:
        windows.append(_window(found.monthly, "monthly", "Monthly quota", "secondary", MONTH_MINUTES))
    elif rest:
        windows.append(_other(rest.pop(0), "quota-2", "secondary"))
    return tuple(windows), tuple(rest)


def _window(quota: Quota, id: str, label: str, lane: Lane, minutes: int | None) -> Window:
    return Window(
        id=id,
        label=label,
        used_percent=quota.percent,
        used=quota.used,
        limit=quota.limit,
        unit=quota.unit if quota.description else None,
        minutes=quota.minutes or minutes,
        resets_at=quota.resets_at,
        description=quota.description,
        lane=lane,
    )


def _other(quota: Quota, id: str, lane: Lane) -> Window:
    return _window(quota, id, quota.label or "Quota", lane, None)


# --- how it is fetched -----------------------------------------------------------------------------


def definitions(document: object) -> tuple[Node, ...]:
    """The quotas an account has, as `GET /users/me/quotas` lists them."""
    found = document
    if isinstance(document, dict):
        root = node(document)
        inner = root.get("data")
        nested = node(inner).get("quotas") if isinstance(inner, dict) else None
        found = next((value for value in (root.get("quotas"), inner, nested) if isinstance(value, list)), None)
    return tuple(node(item) for item in found if isinstance(item, dict)) if isinstance(found, list) else ()


def merged(definition: Node, usage: object) -> Node:
    """A quota with what was used of it."""
    if not isinstance(usage, dict):
        return definition
    root = node(usage)
    inner = next((value for value in values(root, ("data", "result")) if isinstance(value, dict)), None)
    return definition | (root if inner is None else node(inner))


async def from_api(ctx: Context, key: Credential) -> Usage:
    """The subscription; where it does not tell both windows, the quotas one by one."""
    base = base_address(ctx.env(OVERRIDE), OVERRIDE, OFFICIAL)
    answer = accepted(ctx, await _send(ctx, f"{base}/users/me/subscription_usage", key), "Chutes")
    found = reading(ctx.http.parse(answer, JsonDocument).root)
    if found.rolling is None or found.monthly is None:
        found = found.completed(await _quotas(ctx, base, key))
    return to_usage(found, ctx.now)


async def _quotas(ctx: Context, base: str, key: Credential) -> Reading:
    """The account's quotas; empty when they cannot be read."""
    end = asyncio.get_running_loop().time() + DETAIL_SECONDS
    listed = await _optional(ctx, f"{base}/users/me/quotas", key, SECONDS)
    together: list[Node] = []
    for definition in definitions(listed):
        id = text(definition, ("chute_id", "id"))
        left = end - asyncio.get_running_loop().time()
        used = None
        if id and id not in (".", "..") and left > 0:
            url = f"{base}/users/me/quota_usage/{quote(id, safe='')}"
            used = await _optional(ctx, url, key, min(SECONDS, left))
        together.append(merged(definition, used))
    try:
        one_by_one = reading({"quotas": together})
        return reading(listed) if one_by_one.empty else one_by_one
    except BadResponse:
        return Reading()


async def _optional(ctx: Context, url: str, key: Credential, seconds: float) -> object:
    """The JSON of a call that may fail, then None. A refused key is an error here, too."""
    answer = await optional(_send(ctx, url, key), seconds)
    if answer is None:
        return None
    if answer.status in (401, 403):
        accepted(ctx, answer, "Chutes")
    try:
        return ctx.http.parse(ctx.http.check(answer), JsonDocument).root
    except ReadError:
        return None


async def _send(ctx: Context, url: str, key: Credential) -> Answer:
    return await ctx.http.send("GET", url, bearer=key.secret, headers={"Accept": "application/json"}, timeout=SECONDS)


PROVIDER = Provider(
    id="chutes",
    name="Chutes",
    connect="Create an API key at chutes.ai and set CHUTES_API_KEY, or store it with Quotaline.",
    summary="The 4-hour and monthly windows of a subscription, or the request quotas without one.",
    aliases=("chutes.ai",),
    dashboard="https://chutes.ai",
    key_url="https://chutes.ai/app/api",
    settings=("apiKey", "apiKeyEnv", "tokenAccounts"),
    accounts="token",
    min_interval=60,
    deadline=90,
    longer_caps=True,
    strategies=(Strategy("api", from_api, ApiKey(env=("CHUTES_API_KEY", "CHUTES_API_TOKEN")), label="api"),),
)
