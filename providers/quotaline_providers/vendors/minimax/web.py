"""The plan, the subscription and the billing history, asked with a browser's session."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from quotaline_providers import (
    BadResponse,
    Context,
    Credential,
    ExpiredCredential,
    JsonObject,
    ReadError,
    Response,
    Section,
    TimedOut,
    Unavailable,
    Usage,
    optional,
    together,
)
from quotaline_providers.fetching.browser_page import browser_headers
from quotaline_providers.parsing.json_search import Object
from quotaline_providers.parsing.payload import to_integer
from quotaline_providers.vendors.minimax.billing import HISTORY_DAYS, Charge, charge_day, history_section, to_charge
from quotaline_providers.vendors.minimax.credentials import Session, session_in
from quotaline_providers.vendors.minimax.lanes import Plan
from quotaline_providers.vendors.minimax.mapping import to_plan, to_usage
from quotaline_providers.vendors.minimax.page import NoUsageOnPage, from_page
from quotaline_providers.vendors.minimax.payloads import SESSION_REFUSALS, another_address_may_help, check_status
from quotaline_providers.vendors.minimax.regions import Addresses, addresses_of
from quotaline_providers.vendors.minimax.subscription import Combo, to_combo

SIDE_SECONDS = 20.0
PAGE_SIZE, MAX_PAGES = 100, 30
DATA = "application/json, text/plain, */*"


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
    name: str | None = None
    try:
        page = await _page(ctx, addresses, session)
        name = page.name
        if page.listed and page.limits:
            return page
    except ReadError as error:
        if isinstance(error, Unavailable | TimedOut) or not another_address_may_help(error):
            raise
        failure = error
        name = error.plan if isinstance(error, NoUsageOnPage) else None
    try:
        remains = await _remains(ctx, addresses, session)
    except ReadError as error:
        if page is not None and page.limits and not isinstance(error, ExpiredCredential):
            return page
        raise (error if failure is None or isinstance(error, ExpiredCredential) else failure) from None
    return replace(remains, name=remains.name or name)


async def _get(ctx: Context, url: str, session: Session, headers: Mapping[str, str]) -> Response:
    response = await ctx.http.send("GET", url, cookie=session.cookie, bearer=session.bearer, headers=headers)
    return ctx.http.check(response, SESSION_REFUSALS)


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
            if not another_address_may_help(error):
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
    """The last 30 days; optional, but a bearer token that is refused here cannot be used."""
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
        page = ctx.http.parse(answer, JsonObject).root
        _check_billing(page)
        records = page.get("charge_records")
        found = [record for record in records if isinstance(record, dict)] if isinstance(records, list) else []
        charges.extend(charge for record in found if (charge := to_charge(record)))
        seen += len(found)
        total = to_integer(page.get("total_cnt"))
        days = [day for record in found if (day := charge_day(record))]
        if not found or (total is not None and seen >= total) or any(day.toordinal() < oldest for day in days):
            return


def _check_billing(page: Object) -> None:
    """Only the HTTP status says that the session is refused here; any other failure is ignored."""
    try:
        check_status(page)
    except ExpiredCredential:
        raise BadResponse("MiniMax shows no billing history.") from None
