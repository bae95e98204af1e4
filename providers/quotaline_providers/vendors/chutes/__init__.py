"""Chutes: the 4-hour and monthly windows of a subscription, or plain request quotas, read with an API key.

The vendor pins no shapes, so answers are searched: a name counts whatever its spelling (`reset_at`, `resetAt`).
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from urllib.parse import quote

from quotaline_providers.access.endpoints import base_address
from quotaline_providers.access.lookups import ApiKey
from quotaline_providers.contract import AccountKind, Context, Credential, Provider, ProviderKind, Response, Strategy
from quotaline_providers.errors import BadResponse, ReadError
from quotaline_providers.fetching.optional import optional
from quotaline_providers.fetching.refusals import refused_key
from quotaline_providers.formatting import percent
from quotaline_providers.model import MONTH_MINUTES, Identity, Lane, Row, Section, Usage, Window
from quotaline_providers.parsing.payload import JsonDocument, to_text
from quotaline_providers.vendors.chutes.names import Node, first, node
from quotaline_providers.vendors.chutes.quotas import FOUR_HOURS, Quota, Reading, reading, roots

OFFICIAL = "https://api.chutes.ai"
OVERRIDE = "CHUTES_API_URL"
SECONDS = 15.0
DETAIL_SECONDS = 45.0
"""How long all calls for single quotas may take together; what is known by then is shown."""

# --- how it becomes a usage ------------------------------------------------------------------------


def to_usage(found: Reading, now: datetime) -> Usage:
    """The usage of one account: the windows of a subscription, else the fullest quotas."""
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
        windows.append(_window(found.rolling, "rolling", "primary", "4-hour quota", FOUR_HOURS))
    elif not found.monthly and rest:
        windows.append(_window(rest.pop(0), "quota", "primary"))
    if found.monthly:
        windows.append(_window(found.monthly, "monthly", "secondary", "Monthly quota", MONTH_MINUTES))
    elif rest:
        windows.append(_window(rest.pop(0), "quota-2", "secondary"))
    return tuple(windows), tuple(rest)


def _window(quota: Quota, id: str, lane: Lane, label: str = "", minutes: int | None = None) -> Window:
    return Window(
        id=id,
        label=label or quota.label or "Quota",
        used_percent=quota.percent,
        used=quota.used,
        limit=quota.limit,
        unit=quota.unit if quota.description else None,
        minutes=quota.minutes or minutes,
        resets_at=quota.resets_at,
        description=quota.description,
        lane=lane,
    )


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
    return definition | roots(usage)[1] if isinstance(usage, dict) else definition


async def from_api(ctx: Context, key: Credential) -> Usage:
    """The subscription; where it does not tell both windows, the quotas one by one."""
    base = base_address(ctx.env(OVERRIDE), OVERRIDE, OFFICIAL)
    response = ctx.http.check(await _send(ctx, f"{base}/users/me/subscription_usage", key), refused_key("Chutes"))
    found = reading(ctx.http.parse(response, JsonDocument).root)
    if found.rolling is None or found.monthly is None:
        found = found.completed(await _quotas(ctx, base, key))
    return to_usage(found, ctx.now)


async def _quotas(ctx: Context, base: str, key: Credential) -> Reading:
    """The account's quotas; empty when they cannot be read."""
    end = asyncio.get_running_loop().time() + DETAIL_SECONDS
    listed = await _optional(ctx, f"{base}/users/me/quotas", key, SECONDS)
    together: list[Node] = []
    for definition in definitions(listed):
        id = first(definition, ("chute_id", "id"), to_text)
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
        ctx.http.check(answer, refused_key("Chutes"))
    try:
        return ctx.http.parse(ctx.http.check(answer), JsonDocument).root
    except ReadError:
        return None


async def _send(ctx: Context, url: str, key: Credential) -> Response:
    return await ctx.http.send("GET", url, bearer=key.secret, timeout=SECONDS)


PROVIDER = Provider(
    id="chutes",
    name="Chutes",
    kind=ProviderKind.CODING,
    connect="Create an API key at chutes.ai and set CHUTES_API_KEY, or store it with Quotaline.",
    summary="The 4-hour and monthly windows of a subscription, or the request quotas without one.",
    aliases=("chutes.ai",),
    dashboard="https://chutes.ai",
    keys="https://chutes.ai/app/api",
    accounts=AccountKind.TOKEN,
    deadline=90,
    longer_caps=True,
    description_is_detail=True,
    strategies=(Strategy.api(from_api, ApiKey(env=("CHUTES_API_KEY", "CHUTES_API_TOKEN"))),),
)
