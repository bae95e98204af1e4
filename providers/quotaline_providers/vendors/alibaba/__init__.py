"""Alibaba Coding Plan: 5-hour, weekly and monthly requests, from the cloud console by cookie or by API key."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Awaitable, Callable

from quotaline_providers.access.lookups import ApiKey, CookieHeader, cookie_values
from quotaline_providers.contract import (
    Context,
    Credential,
    Provider,
    ProviderKind,
    Response,
    StatusPage,
    Strategy,
    unlabelled,
)
from quotaline_providers.errors import BadResponse, ExpiredCredential, ReadError, TimedOut, Unavailable
from quotaline_providers.fetching.browser_page import CHROME, HTML
from quotaline_providers.fetching.refusals import refused_key
from quotaline_providers.model import Usage
from quotaline_providers.parsing.payload import JsonObject
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.alibaba.quota import (
    KeyUnusable,
    NoQuota,
    expanded,
    first_text,
    login_required,
    to_usage,
)
from quotaline_providers.vendors.alibaba.regions import (
    CHINA,
    INTERNATIONAL,
    REGIONS,
    WEB_API,
    Overrides,
    Region,
    overrides_of,
    region_of,
)

SECONDS, TOKEN_SECONDS = 30.0, 10.0
SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/26.3 Safari/605.1.15"
)
_TOKENS = tuple(
    re.compile(rf"{name}\s*:\s*{quote}([^{quote}]+){quote}")
    for name, quote in (
        ("SEC_TOKEN", '"'),
        ("SEC_TOKEN", "'"),
        ("secToken", '"'),
        ("sec_token", '"'),
        ("sec_token", "'"),
        ('"SEC_TOKEN"', '"'),
        ('"sec_token"', '"'),
    )
)


class NotThere(BadResponse):
    """HTTP 404: the region's console does not know this call or account."""


class ServiceFailed(Unavailable):
    """The service answered, with a failure of its own (5xx); another way of asking would not help."""


async def in_regions(ctx: Context, ask: Callable[[Region, Overrides], Awaitable[Usage]]) -> Usage:
    """Ask the configured region; where that is the international one and does not fit, ask China's, too."""
    region, overrides = region_of(ctx), overrides_of(ctx)
    try:
        return await ask(region, overrides)
    except (ExpiredCredential, NotThere, NoQuota) as error:
        if region.name != INTERNATIONAL:
            raise
        refused: ReadError = error
    try:
        return await ask(REGIONS[CHINA], overrides)
    except KeyUnusable:
        raise
    except ReadError:
        raise refused from None


def _checked(ctx: Context, response: Response) -> Response:
    if response.status == 404:
        raise NotThere("Alibaba knows no coding plan here (HTTP 404).")
    if response.status >= 500:
        raise ServiceFailed(f"Alibaba has a problem of its own (HTTP {response.status}).")
    return ctx.http.check(response)


# --- by key ----------------------------------------------------------------------------------------


async def from_api(ctx: Context, key: Credential) -> Usage:
    """The plan, asked with an API key in one region after another. Raises ReadError."""

    async def ask(region: Region, overrides: Overrides) -> Usage:
        headers = {
            "x-api-key": key.secret.reveal(),
            "X-DashScope-API-Key": key.secret.reveal(),
            "User-Agent": CHROME,
            "Origin": region.gateway,
            "Referer": region.dashboard,
        }
        body = {"queryCodingPlanInstanceInfoRequest": {"commodityCode": region.commodity}}
        url = overrides.api_quota(region)
        response = await ctx.http.send("POST", url, bearer=key.secret, headers=headers, json=body, timeout=SECONDS)
        if response.status in (401, 403):
            ctx.http.check(response, refused_key("Alibaba"))
        return to_usage(ctx.http.parse(_checked(ctx, response), JsonObject).root, True, ctx.now)

    return await in_regions(ctx, ask)


# --- by cookie -------------------------------------------------------------------------------------


def token_in_page(html: str) -> str | None:
    """The `sec_token` that stands in a dashboard page."""
    return next((match.group(1) for pattern in _TOKENS if (match := pattern.search(html))), None)


async def sec_token(ctx: Context, cookie: Secret, region: Region, overrides: Overrides) -> Secret:
    """The token every call must carry: from the dashboard, the user's data, or the cookie. Raises ExpiredCredential."""
    page = await _maybe(ctx, overrides.on_host(region.referer), cookie, {"Accept": HTML})
    if page and (token := token_in_page(page.text)):
        return Secret(token)
    headers = {"Accept": "application/json, text/plain, */*", "Referer": f"{region.gateway}/"}
    info = await _maybe(ctx, overrides.on_host(f"{region.gateway}/tool/user/info.json"), cookie, headers)
    if info and (token := _token_in_info(ctx, info)):
        return Secret(token)
    if token := cookie_values(cookie.reveal()).get("sec_token"):
        return Secret(token)
    raise login_required(by_key=False)


async def _maybe(ctx: Context, url: str, cookie: Secret, headers: dict[str, str]) -> Response | None:
    try:
        lines = {"User-Agent": SAFARI, **headers}
        response = await ctx.http.send("GET", url, cookie=cookie, headers=lines, timeout=TOKEN_SECONDS)
    except ReadError:
        return None
    return response if response.status == 200 else None


def _token_in_info(ctx: Context, response: Response) -> str | None:
    try:
        info = expanded(ctx.http.parse(response, JsonObject).root)
    except BadResponse:
        return None
    return first_text(info, "secToken", "sec_token")


def parameters(region: Region, anonymous_id: str | None) -> str:
    """The call as the console makes it."""
    cornerstone = {
        "feTraceId": str(uuid.uuid4()),
        "feURL": region.dashboard,
        "protocol": "V2",
        "console": "ONE_CONSOLE",
        "productCode": "p_efm",
        "domain": region.domain,
        "consoleSite": region.site,
        "userNickName": "",
        "userPrincipalName": "",
        "xsp_lang": "en-US",
    }
    if anonymous_id:
        cornerstone["X-Anonymous-Id"] = anonymous_id
    request = {"commodityCode": region.commodity, "onlyLatestOne": True}
    data = {"queryCodingPlanInstanceInfoRequest": request, "cornerstoneParam": cornerstone}
    return json.dumps({"Api": WEB_API, "V": "1.0", "Data": data})


async def from_web(ctx: Context, cookie: Credential) -> Usage:
    """The plan, asked as the console's own page does. Raises ReadError."""
    values = cookie_values(cookie.secret.reveal())
    csrf = values.get("login_aliyunid_csrf") or values.get("csrf")

    async def ask(region: Region, overrides: Overrides) -> Usage:
        token = await sec_token(ctx, cookie.secret, region, overrides)
        headers = {
            "Accept": "*/*",
            "X-Requested-With": "XMLHttpRequest",
            "User-Agent": CHROME,
            "Origin": region.gateway,
            "Referer": region.referer,
        }
        if csrf:
            headers |= {"x-xsrf-token": csrf, "x-csrf-token": csrf}
        form: dict[str, str | Secret] = {
            "params": parameters(region, values.get("cna")),
            "region": region.region_id,
            "sec_token": token,
        }
        url = overrides.web_quota(region)
        response = await ctx.http.send("POST", url, cookie=cookie.secret, headers=headers, form=form, timeout=SECONDS)
        if response.status in (401, 403):
            raise login_required(by_key=False)
        return to_usage(ctx.http.parse(_checked(ctx, response), JsonObject).root, False, ctx.now)

    return await in_regions(ctx, ask)


def _goes_on(error: ReadError) -> bool:
    unreachable = isinstance(error, Unavailable | TimedOut) and not isinstance(error, ServiceFailed)
    return unreachable or isinstance(error, ExpiredCredential | NotThere)


PROVIDER = Provider(
    id="alibaba",
    name="Alibaba",
    kind=ProviderKind.CODING,
    connect="Paste the Cookie header of the signed-in Model Studio console, or set ALIBABA_CODING_PLAN_API_KEY.",
    summary="5-hour, weekly and monthly requests of the Model Studio / Bailian Coding Plan.",
    aliases=("alibaba-coding-plan", "bailian"),
    dashboard=REGIONS[INTERNATIONAL].dashboard,
    status=StatusPage("https://status.aliyun.com"),
    keys="https://modelstudio.console.alibabacloud.com/",
    regions=(INTERNATIONAL, CHINA),
    min_interval=180,
    deadline=150,
    longer_caps=True,
    strategies=(
        Strategy.web(
            from_web,
            CookieHeader(env=("ALIBABA_CODING_PLAN_COOKIE",)),
            label="alibaba-coding-plan.web",
            falls_through=_goes_on,
            applies=unlabelled,
        ),
        Strategy.api(
            from_api,
            ApiKey(env=("ALIBABA_CODING_PLAN_API_KEY", "ALIBABA_QWEN_API_KEY", "DASHSCOPE_API_KEY")),
            label="alibaba-coding-plan.api",
        ),
    ),
)
