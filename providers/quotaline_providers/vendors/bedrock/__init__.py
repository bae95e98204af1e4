"""AWS Bedrock: what it cost this month, beside a budget the user sets, and what Claude did there in two weeks."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from pydantic import ValidationError

from quotaline_providers.access.endpoints import endpoint, without_query
from quotaline_providers.contract import Context, Option, OptionType, Provider, Response, StatusPage, Strategy
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    Misconfigured,
    RateLimited,
)
from quotaline_providers.fetching.optional import beside
from quotaline_providers.model import Usage
from quotaline_providers.parsing.payload import JsonObject, clean, parse_or_none, to_number
from quotaline_providers.vendors.bedrock.aws import REQUEST_TIMEOUT, Session, open_session, signed
from quotaline_providers.vendors.bedrock.costs import (
    Activity,
    CostPage,
    History,
    MetricPage,
    activity,
    cost_query,
    daily,
    error_code,
    history_range,
    metric_query,
    month_range,
    spent,
    to_usage,
)
from quotaline_providers.vendors.bedrock.login import BUDGET_ENV, CONNECT, AwsLogin, Login, set_region, valid_region

COST_URL, COST_REGION = "https://ce.us-east-1.amazonaws.com", "us-east-1"
COST_URL_ENV, METRIC_URL_ENV = "CODEXBAR_BEDROCK_API_URL", "CODEXBAR_BEDROCK_CLOUDWATCH_API_URL"
MAX_COST_PAGES, MAX_METRIC_PAGES = 40, 20
MAX_METRIC_BODY = 4 << 20
SIDE_SECONDS = 40.0
HISTORY_KEPT = timedelta(hours=6)  # AWS bills each page, and brings its costs up to date a few times a day

_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "eu-isoe-": "cloud.adc-e.uk",
    "us-isof-": "csp.hci.ic.gov",
}
_EXPIRED = ("ExpiredToken", "ExpiredTokenException")
_REFUSED = (
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
)
_FORBIDDEN = ("AccessDenied", "AccessDeniedException", "NotAuthorized", "OptInRequired")
_BUSY = (
    "Throttling",
    "ThrottlingException",
    "LimitExceededException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
)


# --- addresses and settings ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where requests go; `metrics` is None for the region's own host. Without `activity` CloudWatch is left alone."""

    costs: str
    metrics: str | None
    activity: bool


def addresses(ctx: Context) -> Addresses:
    """Raises Misconfigured for an override that is not safe."""
    costs, metrics = _override(ctx, COST_URL_ENV), _override(ctx, METRIC_URL_ENV)
    return Addresses(costs or f"{COST_URL}/", metrics, costs is None or metrics is not None)


def _override(ctx: Context, name: str) -> str | None:
    value = ctx.environ.get(name)
    if value is None:
        return None
    text = clean(value) or ""
    if "://" not in text:
        raise Misconfigured(f"The setting {name} must be a whole address.", f"Correct {name} or remove it.")
    address = without_query(endpoint(text, name, http="loopback"), name)
    return address if address.count("/") > 2 else f"{address}/"


def metric_host(region: str) -> str:
    """CloudWatch's address in this region. Raises Misconfigured for what is no region."""
    if not valid_region(region):
        raise Misconfigured("The AWS region is not valid.", "Correct AWS_REGION or the region of the profile.")
    suffix = next((suffix for start, suffix in _SUFFIXES.items() if region.startswith(start)), "amazonaws.com")
    return f"https://monitoring.{region}.{suffix}/"


def budget(ctx: Context) -> Decimal | None:
    """The monthly budget in US dollars; anything but a number above 0 is none."""
    for value in (ctx.settings.own("monthlyBudget"), ctx.env(*BUDGET_ENV)):
        number = to_number(value)
        if number is not None and number > 0:
            return Decimal(str(value).strip())
    return None


# --- requests --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """An operation of an AWS service."""

    url: str
    service: str
    region: str
    target: str
    json_version: str


def costs_call(where: Addresses) -> Call:
    """Cost Explorer's question about costs."""
    return Call(where.costs, "ce", COST_REGION, "AWSInsightsIndexService.GetCostAndUsage", "1.1")


def metrics_call(where: Addresses, region: str) -> Call:
    """CloudWatch's question about metrics of a region. Raises Misconfigured."""
    url = where.metrics or metric_host(region)
    return Call(url, "monitoring", region, "GraniteServiceVersion20100801.GetMetricData", "1.0")


async def _ask(ctx: Context, session: Session, call: Call, query: object) -> Response:
    body = json.dumps(query, separators=(",", ":")).encode()
    lines = {"Content-Type": f"application/x-amz-json-{call.json_version}", "X-Amz-Target": call.target}
    headers = await signed(ctx, session, call.url, call.service, call.region, lines, body)
    return await ctx.http.send("POST", call.url, headers=headers, content=body, timeout=REQUEST_TIMEOUT)


def _checked(ctx: Context, response: Response, session: Session) -> Response:
    """The answer when it is a good one. AWS tells refusals by name, mostly with HTTP 400."""
    code = "" if response.ok else _code(ctx, response)
    if code in _EXPIRED:
        raise ExpiredCredential("The AWS login has run out.", session.renew)
    if code in _REFUSED:
        raise ExpiredCredential("AWS does not accept the access key.", session.renew)
    if code in _FORBIDDEN or response.status == 403:
        raise Forbidden("The AWS login may not read costs.", "Let it use ce:GetCostAndUsage in IAM.")
    if code in _BUSY:
        raise RateLimited("AWS asks to wait with further questions.", until=ctx.http.retry_after(response))
    return ctx.http.check(response)


def _code(ctx: Context, response: Response) -> str:
    try:
        return error_code(ctx.http.parse(response, JsonObject))
    except BadResponse:
        return ""


async def _cost_pages(ctx: Context, session: Session, where: Addresses, granularity: str) -> tuple[CostPage, ...]:
    start, end = month_range(ctx.now) if granularity == "MONTHLY" else history_range(ctx.now)
    call, pages, token, seen = costs_call(where), list[CostPage](), None, set[str]()
    for _ in range(MAX_COST_PAGES):
        answer = await _ask(ctx, session, call, cost_query(start, end, granularity, token))
        if answer.status == 400 and _code(ctx, answer) == "DataUnavailableException":
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


PROVIDER = Provider(
    id="bedrock",
    name="AWS Bedrock",
    aliases=("aws-bedrock",),
    connect=CONNECT,
    summary="What Bedrock cost this month, beside a budget, and the tokens of Claude in the last 14 days.",
    dashboard="https://console.aws.amazon.com/bedrock",
    keys="",
    status=StatusPage("https://health.aws.amazon.com/health/status"),
    fields=("apiKey", "secretKey", "region"),
    options=(
        Option("awsAuthMode", "`keys` or `profile`; without it keys are used where both halves are known."),
        Option("awsProfile", "The profile of the AWS configuration files whose login is used."),
        Option("monthlyBudget", "A budget in US dollars to compare the month's cost with.", OptionType.NUMBER),
    ),
    strategies=(Strategy.api(from_api, AwsLogin()),),
    min_interval=3600,
    deadline=120,
)
