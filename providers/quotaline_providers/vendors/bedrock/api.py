"""Cost Explorer and CloudWatch, asked with signed requests."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

from pydantic import ValidationError

from quotaline_providers import (
    BadResponse,
    Context,
    ExpiredCredential,
    Forbidden,
    JsonObject,
    RateLimited,
    Response,
    Usage,
    beside,
    parse_or_none,
    to_number,
)
from quotaline_providers.access.clock import wrong_clock
from quotaline_providers.vendors.bedrock.aws import REQUEST_TIMEOUT, Session, open_session, signed
from quotaline_providers.vendors.bedrock.credentials import BUDGET_ENV, Login, set_region
from quotaline_providers.vendors.bedrock.mapping import Activity, History, activity, daily, spent, to_usage
from quotaline_providers.vendors.bedrock.payloads import (
    CostPage,
    MetricPage,
    clock_ahead,
    error_code,
    is_out_of_time,
)
from quotaline_providers.vendors.bedrock.queries import (
    Addresses,
    Call,
    addresses,
    cost_query,
    costs_call,
    history_range,
    metric_query,
    metrics_call,
    month_range,
)

MAX_COST_PAGES, MAX_METRIC_PAGES = 40, 20
MAX_METRIC_BODY = 4 << 20
SIDE_SECONDS = 40.0
HISTORY_KEPT = timedelta(hours=6)  # AWS bills each page, and brings its costs up to date a few times a day

_OUT_OF_TIME = ("RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture")
_SIGNATURE = ("InvalidSignatureException", "SignatureDoesNotMatch")
_EXPIRED = ("ExpiredToken", "ExpiredTokenException")
_REFUSED = (
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    *_SIGNATURE,
)
_FORBIDDEN = ("AccessDenied", "AccessDeniedException", "NotAuthorized", "OptInRequired")
_BUSY = (
    "Throttling",
    "ThrottlingException",
    "LimitExceededException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
)


def budget(ctx: Context) -> Decimal | None:
    """The monthly budget in US dollars; anything but a number above 0 is none."""
    for value in (ctx.settings.own("monthlyBudget"), ctx.env(*BUDGET_ENV)):
        number = to_number(value)
        if number is not None and number > 0:
            return Decimal(str(value).strip())
    return None


async def _ask(ctx: Context, session: Session, call: Call, query: object) -> Response:
    body = json.dumps(query, separators=(",", ":")).encode()
    lines = {"Content-Type": f"application/x-amz-json-{call.json_version}", "X-Amz-Target": call.target}
    headers = await signed(ctx, session, call.url, call.service, call.region, lines, body)
    return await ctx.http.send("POST", call.url, headers=headers, content=body, timeout=REQUEST_TIMEOUT)


def _checked(ctx: Context, response: Response, session: Session) -> Response:
    """The response when it is a good one. AWS names its refusals in the body, mostly with HTTP 400."""
    if response.is_barred:
        return ctx.http.check(response)
    body = None if response.ok else _body(ctx, response)
    code = error_code(body)
    if code in _OUT_OF_TIME or (code in _SIGNATURE and is_out_of_time(body)):
        raise wrong_clock("AWS", response, ctx.now, clock_ahead(body))
    if code in _EXPIRED:
        raise ExpiredCredential("The AWS login has expired.", session.renew)
    if code in _REFUSED:
        raise ExpiredCredential("AWS does not accept the access key.", session.renew)
    if code in _FORBIDDEN or response.status == 403:
        raise Forbidden("The AWS login may not read costs.", "Let it use ce:GetCostAndUsage in IAM.")
    if code in _BUSY:
        raise RateLimited("AWS limits the rate of requests.", until=ctx.http.retry_after(response))
    return ctx.http.check(response)


def _body(ctx: Context, response: Response) -> JsonObject | None:
    try:
        return ctx.http.parse(response, JsonObject)
    except BadResponse:
        return None


async def _cost_pages(ctx: Context, session: Session, where: Addresses, granularity: str) -> tuple[CostPage, ...]:
    start, end = month_range(ctx.now) if granularity == "MONTHLY" else history_range(ctx.now)
    call, pages, token, seen = costs_call(where), list[CostPage](), None, set[str]()
    for _ in range(MAX_COST_PAGES):
        answer = await _ask(ctx, session, call, cost_query(start, end, granularity, token))
        if answer.status == 400 and error_code(_body(ctx, answer)) == "DataUnavailableException":
            return tuple(pages)
        page = ctx.http.parse(_checked(ctx, answer, session), CostPage)
        pages.append(page)
        token = page.next_token
        if token is None:
            return tuple(pages)
        if token in seen:
            break
        seen.add(token)
    raise BadResponse("AWS Cost Explorer's pages have no end.")


async def _history(ctx: Context, session: Session, where: Addresses, login: Login) -> History:
    """The cost of each day, asked for only a few times a day."""
    key = f"history:{login.fingerprint}"
    kept = await ctx.memory.get(key)
    if kept is not None:
        with suppress(ValidationError):
            return History.model_validate_json(kept)
    found = daily(await _cost_pages(ctx, session, where, "DAILY"))
    await ctx.memory.set(key, found.model_dump_json(), until=ctx.now + HISTORY_KEPT)
    return found


async def _activity(ctx: Context, session: Session, where: Addresses) -> Activity:
    """What Claude did. Raises ReadError when it is not allowed, incomplete or not understood."""
    call, pages, token, seen = metrics_call(where, session.region), list[MetricPage](), None, set[str]()
    now = ctx.now
    for _ in range(MAX_METRIC_PAGES):
        answer = await _ask(ctx, session, call, metric_query(now, token))
        if len(answer.body) > MAX_METRIC_BODY:
            break
        page = parse_or_none(MetricPage, ctx.http.parse(ctx.http.check(answer), JsonObject).root)
        if page is None:
            break
        pages.append(page)
        token = page.next_token
        if token is None:
            try:
                return activity(pages)
            except ValueError:
                break
        if token in seen:
            break
        seen.add(token)
    raise BadResponse("CloudWatch's answer cannot be used.")


async def from_api(ctx: Context, login: Login) -> Usage:
    """The month's cost must succeed; the days and what Claude did are optional. Raises ReadError."""
    where = addresses(ctx)
    session = await open_session(ctx, login, set_region(ctx))
    spend = spent(await _cost_pages(ctx, session, where, "MONTHLY"))
    async with beside() as side:
        history = side.start(_history(ctx, session, where, login), SIDE_SECONDS)
        claude = side.start(_activity(ctx, session, where), SIDE_SECONDS) if where.activity else None
        return to_usage(spend, budget(ctx), await history, await claude if claude else None, ctx.now)
