"""Kimi Code: the weekly requests and the 5-hour rate of a coding membership. Moonshot's platform is `moonshot`."""

from __future__ import annotations

import contextlib
import platform
import uuid
from collections.abc import Mapping
from pathlib import Path

from quotaline_providers.access.endpoints import base_address
from quotaline_providers.access.lookups import ApiKey, LoginFile
from quotaline_providers.contract import Context, Credential, Provider, ProviderKind, Response, Strategy, unlabelled
from quotaline_providers.errors import BadResponse, ExpiredCredential, Forbidden, Misconfigured, ReadError
from quotaline_providers.fetching.browser_page import browser_headers
from quotaline_providers.fetching.optional import beside, optional
from quotaline_providers.model import Usage
from quotaline_providers.parsing.payload import jwt_claims, to_text
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.kimi.login import BASE_URL, WebToken, cli_home, cli_token, login_files
from quotaline_providers.vendors.kimi.quota import (
    SCOPE,
    CodeAnswer,
    Statistics,
    WebAnswer,
    binding,
    coding,
    to_usage,
)

API = "https://api.kimi.com"
SITE = "https://www.kimi.com"
USAGES = f"{SITE}/apiv2/kimi.gateway.billing.v1.BillingService/GetUsages"
STATISTICS = f"{SITE}/apiv2/kimi.gateway.membership.v2.MembershipService/GetSubscriptionStats"
SECONDS, STATISTICS_SECONDS = 30.0, 2.0


class InvalidRequest(BadResponse):
    """The vendor did not understand the request itself (HTTP 400): no other credential would help."""


# --- with a key or Kimi Code's login ---------------------------------------------------------------


def usages_address(ctx: Context) -> str:
    """Where the code usage is read. Raises Misconfigured."""
    own = ctx.settings.enterprise_host
    override, name = (own, "enterpriseHost") if own else (ctx.env(BASE_URL), BASE_URL)
    if override is not None and not override.lower().startswith("https://"):
        raise Misconfigured(f"The setting {name} must begin with https://.", f"Correct {name} or remove it.")
    base = base_address(override, name, API)
    if base.endswith("/coding/v1"):
        return f"{base}/usages"
    return f"{base}/v1/usages" if base.endswith("/coding") else f"{base}/coding/v1/usages"


def accepted(ctx: Context, response: Response, invalid: ExpiredCredential) -> Response:
    """The answer of the code service. Raises InvalidRequest, the given error (401), Forbidden; else as `check`."""
    if response.status == 400:
        raise InvalidRequest("Kimi did not accept the request (HTTP 400).")
    if response.status == 401:
        raise invalid
    if response.status == 403:
        raise Forbidden("Kimi does not let this credential read the code usage (HTTP 403).")
    return ctx.http.check(response)


async def _code_usage(
    ctx: Context, token: Secret, headers: Mapping[str, str], invalid: ExpiredCredential
) -> CodeAnswer:
    response = await ctx.http.send("GET", usages_address(ctx), bearer=token, headers=headers, timeout=SECONDS)
    return ctx.http.parse(accepted(ctx, response, invalid), CodeAnswer)


async def from_api(ctx: Context, key: Credential) -> Usage:
    """The quota of an API key. Raises ReadError."""
    answer = await _code_usage(ctx, key.secret, {}, ExpiredCredential("Kimi refused the API key."))
    return to_usage(answer, await _web_statistics(ctx), ctx.now)


async def from_cli(ctx: Context, path: Path) -> Usage:
    """The quota of Kimi Code's own login. Raises ReadError."""
    token = await cli_token(ctx, path)
    invalid = ExpiredCredential("Kimi refused the login of the Kimi Code CLI.", "Sign in again with the CLI.")
    answer = await _code_usage(ctx, token, await client_headers(ctx), invalid)
    return to_usage(answer, await _web_statistics(ctx), ctx.now)


async def client_headers(ctx: Context) -> dict[str, str]:
    """What the vendor's CLI says about itself and the computer: the token is only accepted beside it."""
    system = {"darwin": "macOS", "win32": "Windows"}.get(ctx.platform, platform.system())
    version = platform.release()
    values = {
        "X-Msh-Platform": "kimi_code_cli",
        "X-Msh-Version": ctx.version,
        "X-Msh-Device-Name": platform.node(),
        "X-Msh-Device-Model": f"{system} {version} {platform.machine()}",
        "X-Msh-Os-Version": version,
        "X-Msh-Device-Id": await device_id(ctx),
    }
    return {name: printable(value) for name, value in values.items()}


def printable(text: str) -> str:
    """Only printable ASCII, because it goes into a header; `unknown` when nothing is left."""
    return "".join(character for character in text if " " <= character <= "~").strip() or "unknown"


async def device_id(ctx: Context) -> str:
    """The CLI's id of this computer, made where there is none."""
    path = cli_home(ctx) / "device_id"
    with contextlib.suppress(OSError, ValueError):
        if known := (await ctx.files.read(path, limit=4096)).strip():
            return known
    made = str(uuid.uuid4())
    with contextlib.suppress(OSError, ValueError):
        await ctx.files.in_thread(lambda: path.parent.mkdir(mode=0o700, parents=True, exist_ok=True))
        if not await ctx.files.in_thread(path.exists):
            await ctx.files.replace(path, made)
    return made


# --- with the web's token --------------------------------------------------------------------------


async def web_headers(ctx: Context, token: Secret) -> dict[str, str]:
    """What the web client sends, with what its token says of the session."""
    claims = jwt_claims(token.reveal())
    told = {"x-msh-device-id": "device_id", "x-msh-session-id": "ssid", "x-traffic-id": "sub"}
    known = {name: to_text(claims.get(claim)) for name, claim in told.items()}
    return {
        **browser_headers(SITE, f"{SITE}/code/console", "*/*"),
        "connect-protocol-version": "1",
        "x-language": "en-US",
        "x-msh-platform": "web",
        "r-timezone": await time_zone(ctx),
        **{name: printable(value) for name, value in known.items() if value},
    }


async def time_zone(ctx: Context) -> str:
    """The IANA name of the local time zone; UTC where it cannot be told."""
    named = (ctx.env("TZ") or "").lstrip(":")
    if "/" in named and not named.startswith("/"):
        return printable(named)
    with contextlib.suppress(OSError):
        link = await ctx.files.in_thread(lambda: Path("/etc/localtime").resolve().as_posix())
        _, found, name = link.partition("/zoneinfo/")
        if found and name:
            return printable(name)
    return "UTC"


async def _ask(ctx: Context, url: str, token: Secret, body: object) -> Response:
    cookie = Secret(f"kimi-auth={token.reveal()}")
    headers = await web_headers(ctx, token)
    return await ctx.http.send("POST", url, bearer=token, cookie=cookie, headers=headers, json=body, timeout=SECONDS)


async def _statistics(ctx: Context, token: Secret) -> Statistics:
    return ctx.http.parse(ctx.http.check(await _ask(ctx, STATISTICS, token, {})), Statistics)


async def _web_statistics(ctx: Context) -> Statistics | None:
    """The statistics beside another way of reading, where a web token is at hand."""
    if ctx.account is not None or ctx.settings.cookie_source == "off":
        return None

    async def asked() -> Statistics:
        return await _statistics(ctx, (await WebToken().find(ctx)).secret)

    return await optional(asked(), STATISTICS_SECONDS)


async def from_web(ctx: Context, token: Credential) -> Usage:
    """Usage and, at the same time, the statistics, which only get two seconds."""
    async with beside() as side:
        statistics = side.start(_statistics(ctx, token.secret), STATISTICS_SECONDS)
        answer = await _ask(ctx, USAGES, token.secret, {"scope": [SCOPE]})
        if answer.status == 400:
            raise InvalidRequest("Kimi did not accept the request (HTTP 400).")
        if answer.status in (401, 403):
            raise ExpiredCredential(f"Kimi refused the web token (HTTP {answer.status}).", "Sign in at www.kimi.com.")
        usages = ctx.http.parse(ctx.http.check(answer), WebAnswer)
        return to_usage(coding(usages), await statistics, ctx.now)


# --- the provider ----------------------------------------------------------------------------------


def _goes_on(error: ReadError) -> bool:
    return not isinstance(error, InvalidRequest | Misconfigured)


PROVIDER = Provider(
    id="kimi",
    name="Kimi Code",
    kind=ProviderKind.CODING,
    connect="Create a Kimi Code API key and set KIMI_CODE_API_KEY, or sign in with the Kimi Code CLI.",
    summary="Weekly requests and the 5-hour rate of a coding membership; with the web's token also its month.",
    aliases=("kimi-ai",),
    dashboard="https://www.kimi.com/code/console",
    fields=("cookieHeader", "cookieSource", "enterpriseHost"),
    deadline=90,
    binding=binding,
    https_only=True,
    strategies=(
        Strategy.api(from_api, ApiKey(env=("KIMI_CODE_API_KEY",)), label="Kimi Code API key", falls_through=_goes_on),
        Strategy.cli(
            from_cli,
            LoginFile(login_files, "The Kimi Code CLI is not signed in."),
            label="Kimi Code CLI",
            falls_through=_goes_on,
            applies=unlabelled,
        ),
        Strategy.web(from_web, WebToken(), label="Kimi web cookie", applies=unlabelled),
    ),
)
