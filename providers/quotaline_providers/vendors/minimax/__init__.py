"""MiniMax: prompts, weekly windows and points of a coding or token plan, by plan key or by a browser's session."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from quotaline_providers.access.lookups import CookieHeader
from quotaline_providers.contract import (
    AccountKind,
    Context,
    Credential,
    Option,
    OptionType,
    Provider,
    ProviderKind,
    Response,
    Strategy,
    unlabelled,
)
from quotaline_providers.errors import BadResponse, ExpiredCredential, ReadError, TimedOut, Unavailable
from quotaline_providers.fetching.browser_page import browser_headers
from quotaline_providers.fetching.optional import optional, together
from quotaline_providers.model import Section, Usage
from quotaline_providers.parsing.json_search import Object
from quotaline_providers.parsing.payload import JsonObject, to_integer
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.minimax.access import (
    CHINA,
    GLOBAL,
    Addresses,
    PlanKey,
    Session,
    addresses_of,
    key_addresses,
    region_of,
    session_in,
    usable,
)
from quotaline_providers.vendors.minimax.lanes import Plan, binding, to_usage
from quotaline_providers.vendors.minimax.plans import VendorFailure, check_status, to_plan
from quotaline_providers.vendors.minimax.platform import (
    HISTORY_DAYS,
    Charge,
    Combo,
    charge_day,
    from_page,
    history_section,
    to_charge,
    to_combo,
)

SECONDS, SIDE_SECONDS = 30.0, 20.0
PAGE_SIZE, MAX_PAGES = 100, 30
DATA = "application/json, text/plain, */*"


class NotThere(BadResponse):
    """HTTP 404 or 405: this host does not know the call."""


class ServiceFailed(Unavailable):
    """The service answered, with a failure of its own (5xx)."""


def _checked(ctx: Context, response: Response, what: str) -> Response:
    if response.status in (401, 403):
        raise ExpiredCredential(f"MiniMax refused the {what} (HTTP {response.status}).")
    if response.status in (404, 405):
        raise NotThere(f"MiniMax tells no plan here (HTTP {response.status}).")
    if response.status >= 500:
        raise ServiceFailed(f"MiniMax has a problem of its own (HTTP {response.status}).")
    if not response.ok and response.status != 429:
        raise VendorFailure(f"MiniMax did not accept the request (HTTP {response.status}).")
    return ctx.http.check(response)


def _elsewhere(error: ReadError) -> bool:
    """Whether another address of the same region may do better: not there, unreachable, or not understood."""
    if isinstance(error, VendorFailure | ServiceFailed):
        return False
    return isinstance(error, BadResponse | Unavailable | TimedOut)


# --- by key ----------------------------------------------------------------------------------------


async def from_api(ctx: Context, key: Credential) -> Usage:
    """The configured region; a key that the global one refuses may be China's."""
    region = region_of(ctx)
    try:
        return await _by_key(ctx, region, key.secret)
    except ExpiredCredential as error:
        if region != GLOBAL:
            raise
        refused = error
    try:
        return await _by_key(ctx, CHINA, key.secret)
    except ReadError:
        raise refused from None


async def _by_key(ctx: Context, region: str, key: Secret) -> Usage:
    """The newer call, then the older one; the oldest only where neither is known any more."""
    newer, older, oldest = key_addresses(region)
    try:
        return await _remains_by_key(ctx, newer, key)
    except ReadError as error:
        if not (isinstance(error, ExpiredCredential) or _elsewhere(error)):
            raise
        first = error
    try:
        return await _remains_by_key(ctx, older, key)
    except ReadError as error:
        if isinstance(first, ExpiredCredential):
            raise first from None
        if not (isinstance(first, NotThere) and isinstance(error, NotThere)):
            raise
    return await _remains_by_key(ctx, oldest, key)


async def _remains_by_key(ctx: Context, url: str, key: Secret) -> Usage:
    headers = {"Content-Type": "application/json", "MM-API-Source": "quotaline"}
    response = await ctx.http.send("GET", url, bearer=key, headers=headers, timeout=SECONDS)
    told = ctx.http.parse(_checked(ctx, response, "API key"), JsonObject)
    return to_usage(to_plan(told.root, ctx.now, by_key=True), ctx.now)


# --- by session ------------------------------------------------------------------------------------


async def from_web(ctx: Context, found: Credential) -> Usage:
    """The plan of a browser session; the subscription and the billing history are optional. Raises ReadError."""
    session = session_in(found.secret.reveal())
    if session is None:
        raise ExpiredCredential("The pasted text holds no MiniMax session.")
    addresses = addresses_of(ctx)
    plan = await _plan(ctx, addresses, session)
    combo, billing = await together(_combo(ctx, addresses, session), _billing(ctx, addresses, session))
    if combo:
        plan = replace(plan, name=combo.plan or plan.name, expires_at=combo.expires_at, renews_at=combo.renews_at)
    return to_usage(replace(plan, sections=(billing,) if billing else ()), ctx.now)


async def _plan(ctx: Context, addresses: Addresses, session: Session) -> Plan:
    """The page's plan; where that lists no services or cannot be read, the remains'."""
    page: Plan | None = None
    failure: ReadError | None = None
    try:
        page = await _page(ctx, addresses, session)
        if page.listed and page.limits:
            return page
    except ReadError as error:
        if isinstance(error, ExpiredCredential) or not _elsewhere(error) or isinstance(error, Unavailable | TimedOut):
            raise
        failure = error
    try:
        remains = await _remains(ctx, addresses, session)
    except ReadError as error:
        if page is not None and not isinstance(error, ExpiredCredential):
            return page
        raise (error if failure is None or isinstance(error, ExpiredCredential) else failure) from None
    return replace(remains, name=remains.name or (page.name if page else None))


async def _get(ctx: Context, url: str, session: Session, headers: Mapping[str, str]) -> Response:
    response = await ctx.http.send(
        "GET", url, cookie=session.cookie, bearer=session.bearer, headers=headers, timeout=SECONDS
    )
    return _checked(ctx, response, "session")


async def _page(ctx: Context, addresses: Addresses, session: Session) -> Plan:
    answer = await _get(ctx, addresses.page, session, browser_headers(addresses.platform, addresses.page_referer))
    if "json" in answer.headers.get("content-type", "").lower():
        return to_plan(ctx.http.parse(answer, JsonObject).root, ctx.now)
    return from_page(answer.text, ctx.now)


async def _remains(ctx: Context, addresses: Addresses, session: Session) -> Plan:
    headers = browser_headers(addresses.platform, addresses.page_referer, DATA) | {"X-Requested-With": "XMLHttpRequest"}
    *others, last = addresses.remains
    for url in others:
        try:
            return await _remains_at(ctx, url, session, headers)
        except ReadError as error:
            if isinstance(error, ExpiredCredential) or not _elsewhere(error):
                raise
    return await _remains_at(ctx, last, session, headers)


async def _remains_at(ctx: Context, url: str, session: Session, headers: Mapping[str, str]) -> Plan:
    if session.group:
        url += f"{'&' if urlsplit(url).query else '?'}GroupId={session.group}"
    answer = await _get(ctx, url, session, headers)
    return to_plan(ctx.http.parse(answer, JsonObject).root, ctx.now)


# --- what else a session can see -------------------------------------------------------------------


async def _combo(ctx: Context, addresses: Addresses, session: Session) -> Combo | None:
    """The subscription's plan and dates; optional, and only known for a group."""
    if session.group is None:
        return None
    headers = {
        "x-group-id": session.group,
        "Accept": DATA,
        "Accept-Language": "zh-CN,zh;q=0.9",
        "Origin": addresses.platform,
        "Referer": f"{addresses.platform}/",
    }

    async def ask() -> Combo:
        answer = await ctx.http.get(
            addresses.combo, JsonObject, cookie=session.cookie, headers=headers, timeout=SIDE_SECONDS
        )
        check_status(answer.root)
        return to_combo(answer.root)

    return await optional(ask(), SIDE_SECONDS)


async def _billing(ctx: Context, addresses: Addresses, session: Session) -> Section | None:
    """The last 30 days; optional, but a bearer token that is refused here is no good."""
    if ctx.settings.own("optionalUsage") is False:
        return None
    charges: list[Charge] = []
    try:
        async with asyncio.timeout(SIDE_SECONDS):
            await _charges(ctx, addresses, session, charges)
    except ExpiredCredential:
        if session.bearer is not None:
            raise
    except (ReadError, TimeoutError):
        pass
    return history_section(charges, ctx.now.astimezone().date())


async def _charges(ctx: Context, addresses: Addresses, session: Session, charges: list[Charge]) -> None:
    """Adds the charges page by page, until a record is too old or all are seen."""
    parts = urlsplit(addresses.billing)
    referer = f"{parts.scheme}://{parts.netloc}/account"
    headers = browser_headers(addresses.platform, referer, DATA) | {"X-Requested-With": "XMLHttpRequest"}
    oldest = ctx.now.astimezone().date().toordinal() - HISTORY_DAYS
    seen = 0
    for number in range(1, MAX_PAGES + 1):
        query = f"page={number}&limit={PAGE_SIZE}&aggregate=false"
        answer = await _get(ctx, f"{addresses.billing}{'&' if parts.query else '?'}{query}", session, headers)
        told = ctx.http.parse(answer, JsonObject).root
        _check_billing(told)
        records = told.get("charge_records")
        found = [record for record in records if isinstance(record, dict)] if isinstance(records, list) else []
        charges.extend(charge for record in found if (charge := to_charge(record)))
        seen += len(found)
        total = to_integer(told.get("total_cnt"))
        days = [day for record in found if (day := charge_day(record))]
        if not found or (total is not None and seen >= total) or any(day.toordinal() < oldest for day in days):
            return


def _check_billing(told: Object) -> None:
    """Only the HTTP status tells that the session is refused here; any other failure is ignored."""
    try:
        check_status(told)
    except ExpiredCredential:
        raise BadResponse("MiniMax tells no billing history.") from None


# --- the provider ----------------------------------------------------------------------------------


def _goes_on(error: ReadError) -> bool:
    return isinstance(error, ExpiredCredential | NotThere)


PROVIDER = Provider(
    id="minimax",
    name="MiniMax",
    kind=ProviderKind.CODING,
    connect="Set the key of your coding plan as MINIMAX_CODING_API_KEY, or paste the cookies of platform.minimax.io.",
    summary="Prompts and weekly windows per model family, points, and with cookies the billing history.",
    aliases=("mini-max",),
    dashboard="https://platform.minimax.io/user-center/payment/coding-plan?cycle_type=3",
    regions=(GLOBAL, CHINA),
    fields=("apiKey", "apiKeyEnv"),
    options=(Option("optionalUsage", "Read the billing history, too (default true).", OptionType.BOOLEAN),),
    accounts=AccountKind.COOKIE,
    deadline=150,
    binding=binding,
    strategies=(
        Strategy.api(from_api, PlanKey(), falls_through=_goes_on, applies=unlabelled),
        Strategy.web(from_web, CookieHeader(env=("MINIMAX_COOKIE", "MINIMAX_COOKIE_HEADER"), read=usable)),
    ),
)
