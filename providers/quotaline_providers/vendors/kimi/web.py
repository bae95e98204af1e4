"""The web client's services, asked with its token: the code usage and the membership's statistics."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TypeVar

from quotaline_providers import (
    BadResponse,
    Context,
    ExpiredCredential,
    Payload,
    Refusal,
    Refusals,
    Secret,
    Usage,
    beside,
    optional,
    to_text,
)
from quotaline_providers.fetching.browser_page import browser_headers
from quotaline_providers.parsing.payload import jwt_claims
from quotaline_providers.vendors.kimi.credentials import WebCredential, WebToken
from quotaline_providers.vendors.kimi.mapping import SCOPE, coding, to_usage
from quotaline_providers.vendors.kimi.payloads import Statistics, WebAnswer
from quotaline_providers.vendors.kimi.regions import Region

P = TypeVar("P", bound=Payload)

USAGES = "/apiv2/kimi.gateway.billing.v1.BillingService/GetUsages"
STATISTICS = "/apiv2/kimi.gateway.membership.v2.MembershipService/GetSubscriptionStats"
STATISTICS_SECONDS = 2.0


class InvalidRequest(BadResponse):
    """The vendor did not understand the request itself (HTTP 400): no other credential would help."""


INVALID = Refusal(InvalidRequest, "Kimi did not accept the request (HTTP 400).")


def _refusals(region: Region) -> Refusals:
    hint = f"Sign in at www.{region.domain}."
    refused = Refusal(ExpiredCredential, "Kimi refused the web token (HTTP {status}).", hint)
    return {400: INVALID, 401: refused, 403: refused}


def printable(text: str) -> str:
    """Only printable ASCII, because it goes into a header; `unknown` when nothing is left."""
    return "".join(character for character in text if " " <= character <= "~").strip() or "unknown"


async def web_headers(ctx: Context, region: Region, token: Secret) -> dict[str, str]:
    """What the web client sends, with what its token's claims say of the session."""
    claims = jwt_claims(token.reveal())
    names = {"x-msh-device-id": "device_id", "x-msh-session-id": "ssid", "x-traffic-id": "sub"}
    known = {name: to_text(claims.get(claim)) for name, claim in names.items()}
    return {
        **browser_headers(region.site, f"{region.site}/code/console", "*/*"),
        "connect-protocol-version": "1",
        "x-language": "en-US",
        "x-msh-platform": "web",
        "r-timezone": await time_zone(ctx),
        **{name: printable(value) for name, value in known.items() if value},
    }


async def time_zone(ctx: Context) -> str:
    """The IANA name of the local time zone; UTC where it is not known."""
    named = (ctx.env("TZ") or "").lstrip(":")
    if "/" in named and not named.startswith("/"):
        return printable(named)
    with contextlib.suppress(OSError):
        link = await ctx.files.in_thread(lambda: Path("/etc/localtime").resolve().as_posix())
        _, found, name = link.partition("/zoneinfo/")
        if found and name:
            return printable(name)
    return "UTC"


async def _ask(ctx: Context, path: str, token: WebCredential, body: object, model: type[P]) -> P:
    cookie = Secret(f"kimi-auth={token.secret.reveal()}")
    region = token.region
    headers = await web_headers(ctx, region, token.secret)
    return await ctx.http.post(
        f"{region.site}{path}",
        model,
        bearer=token.secret,
        cookie=cookie,
        headers=headers,
        json=body,
        refusals=_refusals(region),
    )


async def _statistics(ctx: Context, token: WebCredential) -> Statistics:
    return await _ask(ctx, STATISTICS, token, {}, Statistics)


async def optional_statistics(ctx: Context, region: Region) -> Statistics | None:
    """The statistics beside another way of reading, where there is a web token of the same region; None without."""
    if ctx.account is not None or ctx.settings.cookie_source == "off":
        return None

    async def with_token() -> Statistics | None:
        token = await WebToken().find(ctx)
        return await _statistics(ctx, token) if token.region == region else None

    return await optional(with_token(), STATISTICS_SECONDS)


async def from_web(ctx: Context, token: WebCredential) -> Usage:
    """Usage and, at the same time, the statistics, which only get two seconds."""
    async with beside() as side:
        statistics = side.start(_statistics(ctx, token), STATISTICS_SECONDS)
        answer = await _ask(ctx, USAGES, token, {"scope": [SCOPE]}, WebAnswer)
        return to_usage(coding(answer), await statistics, ctx.now)
