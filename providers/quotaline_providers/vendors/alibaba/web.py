"""The plan, asked with the console's cookies as its own page does."""

from __future__ import annotations

import json
import re
import uuid

from quotaline_providers import (
    BadResponse,
    Context,
    Credential,
    ExpiredCredential,
    JsonObject,
    RateLimited,
    ReadError,
    Response,
    Secret,
    TimedOut,
    Unavailable,
    Usage,
    cookie_values,
)
from quotaline_providers.fetching.browser_page import CHROME, HTML
from quotaline_providers.vendors.alibaba.mapping import to_usage
from quotaline_providers.vendors.alibaba.payloads import (
    REFUSALS,
    SIGNED_OUT,
    NotFound,
    ServiceFailed,
    expanded,
    first_text,
)
from quotaline_providers.vendors.alibaba.regions import WEB_API, Overrides, Region, in_regions

TOKEN_SECONDS = 10.0
COOKIE_REFUSALS = {**REFUSALS, 401: SIGNED_OUT, 403: SIGNED_OUT}
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


def token_in_page(html: str) -> str | None:
    """The `sec_token` that stands in a dashboard page."""
    return next((match.group(1) for pattern in _TOKENS if (match := pattern.search(html))), None)


async def sec_token(ctx: Context, cookie: Secret, region: Region, overrides: Overrides) -> Secret:
    """The token every call must carry: from the dashboard, the user's data, or the cookie.

    Raises ExpiredCredential; Unavailable, TimedOut or RateLimited when that is why there was no token.
    """
    failures: list[ReadError] = []
    page = await _maybe(ctx, overrides.on_host(region.referer), cookie, {"Accept": HTML}, failures)
    if page and (token := token_in_page(page.text)):
        return Secret(token)
    headers = {"Accept": "application/json, text/plain, */*", "Referer": f"{region.gateway}/"}
    info = await _maybe(ctx, overrides.on_host(f"{region.gateway}/tool/user/info.json"), cookie, headers, failures)
    if info and (token := _token_in_info(ctx, info)):
        return Secret(token)
    if token := cookie_values(cookie.reveal()).get("sec_token"):
        return Secret(token)
    passing = (error for error in failures if isinstance(error, Unavailable | TimedOut | RateLimited))
    raise next(passing, None) or SIGNED_OUT.raised(401)


async def _maybe(
    ctx: Context, url: str, cookie: Secret, headers: dict[str, str], failures: list[ReadError]
) -> Response | None:
    """A good answer, None for any other. What failed is added to `failures`."""
    try:
        lines = {"User-Agent": SAFARI, **headers}
        response = await ctx.http.send("GET", url, cookie=cookie, headers=lines, timeout=TOKEN_SECONDS)
        ctx.http.check(response, COOKIE_REFUSALS)
    except ReadError as error:
        failures.append(error)
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
        answer = await ctx.http.post(
            url, JsonObject, cookie=cookie.secret, headers=headers, form=form, refusals=COOKIE_REFUSALS
        )
        return to_usage(answer.root, False, ctx.now)

    return await in_regions(ctx, ask)


def api_may_help(error: ReadError) -> bool:
    """Whether the API key is worth trying after this error."""
    unreachable = isinstance(error, Unavailable | TimedOut) and not isinstance(error, ServiceFailed)
    return unreachable or isinstance(error, ExpiredCredential | NotFound)
