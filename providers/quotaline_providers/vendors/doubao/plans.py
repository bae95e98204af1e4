"""The Coding Plan and the Agent Plan, read from Volcengine's OpenAPI with signed requests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from quotaline_providers.contract import Context, Response
from quotaline_providers.errors import BadResponse, ExpiredCredential, Forbidden, ReadError
from quotaline_providers.model import Confidence, Identity, Usage
from quotaline_providers.parsing.payload import (
    Integer,
    JsonObject,
    NeededNumber,
    Number,
    Payload,
    Text,
    When,
    child,
    lenient,
    to_text,
)
from quotaline_providers.vendors.doubao.credentials import AccessKey
from quotaline_providers.vendors.doubao.quotas import Level, Quota, level_named, windows
from quotaline_providers.vendors.doubao.signature import canonical_query, signed_headers

HOST = "open.volcengineapi.com"
VERSION = "2024-01-01"
SECONDS = 15.0
_LATEST = 253_402_300_799

# --- what the vendor sends -------------------------------------------------------------------------


class CodingQuota(Payload):
    """`Percent` is what is used, 0-100; `ResetTimestamp` is in seconds."""

    Level: Text = None
    Percent: NeededNumber
    ResetTimestamp: Integer = None


class CodingResult(Payload):
    """The Coding Plan. Times are Unix seconds."""

    Status: Text = None
    UpdateTimestamp: Integer = None
    QuotaUsage: tuple[CodingQuota, ...] | None = None


class CodingAnswer(Payload):
    """`GetCodingPlanUsage`."""

    Result: CodingResult


class AgentQuota(Payload):
    """`ResetTime` is in milliseconds; -1 means none."""

    Quota: Number = None
    Used: Number = None
    ResetTime: When = None


class AgentResult(Payload):
    """The Agent Plan, in the vendor's points."""

    AFPFiveHour: Annotated[AgentQuota | None, lenient(AgentQuota)] = None
    AFPWeekly: Annotated[AgentQuota | None, lenient(AgentQuota)] = None
    AFPMonthly: Annotated[AgentQuota | None, lenient(AgentQuota)] = None


class AgentAnswer(Payload):
    """`GetAFPUsage`."""

    Result: AgentResult


# --- how it becomes a usage ------------------------------------------------------------------------


def coding_quotas(answer: CodingAnswer) -> tuple[Quota, ...]:
    """The windows of the Coding Plan; levels that are not known are left out."""
    return tuple(
        Quota("coding-plan", level, item.Percent, moment(item.ResetTimestamp))
        for item in answer.Result.QuotaUsage or ()
        if (level := level_named(item.Level))
    )


def agent_quotas(answer: AgentAnswer) -> tuple[Quota, ...]:
    """The windows of the Agent Plan."""
    result = answer.Result
    told: tuple[tuple[Level, AgentQuota | None], ...] = (
        ("session", result.AFPFiveHour),
        ("weekly", result.AFPWeekly),
        ("monthly", result.AFPMonthly),
    )
    return tuple(
        Quota("agent-plan", level, item.Used / item.Quota * 100, item.ResetTime)
        for level, item in told
        if item and item.Used is not None and item.Quota is not None and item.Quota > 0
    )


def moment(seconds: int | None) -> datetime | None:
    """A UTC time from Unix seconds; None for none."""
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None and 0 < seconds <= _LATEST else None


def to_usage(coding: CodingAnswer, agent: AgentAnswer | None, now: datetime) -> Usage:
    """Both plans together; an Agent Plan without Coding Plan stands alone, without that one's state."""
    from_coding = coding_quotas(coding)
    from_agent = agent_quotas(agent) if agent else ()
    alone = bool(from_agent) and not from_coding
    told = None if alone else moment(coding.Result.UpdateTimestamp)
    return Usage(
        updated_at=told or now,
        windows=windows((*from_coding, *from_agent)),
        identity=Identity(plan=None if alone else coding.Result.Status),
        confidence=Confidence.EXACT,
    )


# --- how it is fetched -----------------------------------------------------------------------------


async def read_plans(ctx: Context, pair: AccessKey, region: str) -> Usage:
    """The Coding Plan, then the Agent Plan, which may fail when the first told something."""
    coding = ctx.http.parse(_checked(ctx, await _ask(ctx, "GetCodingPlanUsage", pair, region)), CodingAnswer)
    try:
        answer = await _ask(ctx, "GetAFPUsage", pair, region)
        no_plan = answer.status in (403, 404)
        agent = None if no_plan else ctx.http.parse(_checked(ctx, answer), AgentAnswer)
    except ReadError:
        if not coding_quotas(coding):
            raise
        agent = None
    return to_usage(coding, agent, ctx.now)


async def _ask(ctx: Context, action: str, pair: AccessKey, region: str) -> Response:
    query = {"Action": action, "Version": VERSION}
    headers = signed_headers(HOST, query, pair, region, ctx.now)
    url = f"https://{HOST}/?{canonical_query(query)}"
    return await ctx.http.send("POST", url, headers=headers, content=b"", timeout=SECONDS)


def _checked(ctx: Context, response: Response) -> Response:
    if response.status == 401:
        raise ExpiredCredential(f"Volcengine refused the access key{_code(ctx, response)}.")
    if response.status == 403:
        raise Forbidden(f"The access key may not read the usage{_code(ctx, response)}.")
    if response.status in (400, 404):
        raise BadResponse(f"Volcengine did not accept the question{_code(ctx, response)}.")
    return ctx.http.check(response)


def _code(ctx: Context, response: Response) -> str:
    """The vendor's code of the error, where it is a mere name."""
    try:
        told = child(ctx.http.parse(response, JsonObject).root, "ResponseMetadata", "Error") or {}
    except BadResponse:
        told = {}
    code = to_text(told.get("Code")) or ""
    plain = len(code) <= 60 and code.replace(".", "").isalpha() and code.isascii()
    return f" (HTTP {response.status}, {code})" if plain else f" (HTTP {response.status})"
