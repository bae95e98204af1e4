"""Volcengine's service: the plans with signed requests, or the rate limit of an Ark API key."""

from __future__ import annotations

import re

from quotaline_providers import (
    BadResponse,
    Context,
    ExpiredCredential,
    Forbidden,
    JsonObject,
    MissingCredential,
    ReadError,
    Response,
    Usage,
    child,
    to_text,
    wrong_clock,
)
from quotaline_providers.access.clock import ahead
from quotaline_providers.vendors.doubao.credentials import AccessKey, ArkAccess, region_of
from quotaline_providers.vendors.doubao.mapping import coding_quotas, plans_usage
from quotaline_providers.vendors.doubao.payloads import AgentAnswer, CodingAnswer
from quotaline_providers.vendors.doubao.probe import read_limit
from quotaline_providers.vendors.doubao.signature import canonical_query, signed_headers

HOST = "open.volcengineapi.com"
VERSION = "2024-01-01"
SECONDS = 15.0
_OF_TIME = re.compile(r"Time|Expired|Signature")
"""In the code of a refusal that a wrong clock may have caused: requests are signed with the time."""


async def from_api(ctx: Context, access: ArkAccess) -> Usage:
    """The plans with a signed request; where that fails or cannot be signed, the limit of the API key."""
    if access.pair is not None:
        region = region_of(ctx)
        try:
            return await read_plans(ctx, access.pair, region)
        except ReadError:
            if access.key is None:
                raise
    if access.key is None:
        raise MissingCredential("No API key is set.")
    return await read_limit(ctx, access.key)


async def read_plans(ctx: Context, pair: AccessKey, region: str) -> Usage:
    """The Coding Plan, then the Agent Plan, which may fail when the first has quotas."""
    coding = ctx.http.parse(_checked(ctx, await _ask(ctx, "GetCodingPlanUsage", pair, region)), CodingAnswer)
    try:
        answer = await _ask(ctx, "GetAFPUsage", pair, region)
        no_plan = answer.status in (403, 404) and not answer.is_barred
        agent = None if no_plan else ctx.http.parse(_checked(ctx, answer), AgentAnswer)
    except ReadError:
        if not coding_quotas(coding):
            raise
        agent = None
    return plans_usage(coding, agent, ctx.now)


async def _ask(ctx: Context, action: str, pair: AccessKey, region: str) -> Response:
    query = {"Action": action, "Version": VERSION}
    headers = signed_headers(HOST, query, pair, region, ctx.now)
    url = f"https://{HOST}/?{canonical_query(query)}"
    return await ctx.http.send("POST", url, headers=headers, content=b"", timeout=SECONDS)


def _checked(ctx: Context, response: Response) -> Response:
    # No mapping of refusals: their texts hold the code in the body.
    if response.is_barred:
        return ctx.http.check(response)
    if not response.ok and ahead(response, ctx.now) and _OF_TIME.search(_code(ctx, response)):
        raise wrong_clock("Volcengine", response, ctx.now)
    if response.status == 401:
        raise ExpiredCredential(f"Volcengine refused the access key{_code(ctx, response)}.")
    if response.status == 403:
        raise Forbidden(f"The access key may not read the usage{_code(ctx, response)}.")
    if response.status in (400, 404):
        raise BadResponse(f"Volcengine did not accept the request{_code(ctx, response)}.")
    return ctx.http.check(response)


def _code(ctx: Context, response: Response) -> str:
    """The vendor's code of the error, where it is a mere name."""
    try:
        error = child(ctx.http.parse(response, JsonObject).root, "ResponseMetadata", "Error") or {}
    except BadResponse:
        error = {}
    code = to_text(error.get("Code")) or ""
    plain = len(code) <= 60 and code.replace(".", "").isalpha() and code.isascii()
    return f" (HTTP {response.status}, {code})" if plain else f" (HTTP {response.status})"
