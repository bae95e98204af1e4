"""Alibaba's two regions, the addresses a user may put in place of theirs, and which region is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from quotaline_providers import Context, ExpiredCredential, Misconfigured, ReadError, Usage, endpoint
from quotaline_providers.vendors.alibaba.payloads import KeyUnusable, NoQuota, NotFound

INTERNATIONAL, CHINA = "intl", "cn"
QUOTA_URL = "ALIBABA_CODING_PLAN_QUOTA_URL"
HOST = "ALIBABA_CODING_PLAN_HOST"
OWN_HOSTS_ONLY = "ALIBABA_CODING_PLAN_REQUIRE_PROVIDER_ENDPOINT_OVERRIDES"
OWN_HOSTS = frozenset(
    {
        "modelstudio.console.alibabacloud.com",
        "bailian-singapore-cs.alibabacloud.com",
        "bailian.console.aliyun.com",
        "bailian-cs.console.aliyun.com",
        "bailian-beijing-cs.aliyuncs.com",
    }
)
_CALL = "queryCodingPlanInstanceInfoV2"
WEB_API = f"zeldaEasy.broadscope-bailian.codingPlan.{_CALL}"


@dataclass(frozen=True, slots=True)
class Region:
    """What differs between the regions."""

    name: str
    gateway: str
    console: str
    action: str
    site: str
    region_id: str
    commodity: str
    page: str
    fragment: str = "#/efm/coding_plan"

    @property
    def domain(self) -> str:
        return self.gateway.removeprefix("https://")

    @property
    def referer(self) -> str:
        return f"{self.gateway}{self.page}"

    @property
    def dashboard(self) -> str:
        return f"{self.referer}{self.fragment}"


REGIONS = {
    INTERNATIONAL: Region(
        name=INTERNATIONAL,
        gateway="https://modelstudio.console.alibabacloud.com",
        console="https://bailian-singapore-cs.alibabacloud.com",
        action="IntlBroadScopeAspnGateway",
        site="MODELSTUDIO_ALIBABACLOUD",
        region_id="ap-southeast-1",
        commodity="sfm_codingplan_public_intl",
        page="/ap-southeast-1/?tab=coding-plan",
    ),
    CHINA: Region(
        name=CHINA,
        gateway="https://bailian.console.aliyun.com",
        console="https://bailian-cs.console.aliyun.com",
        action="BroadScopeAspnGateway",
        site="BAILIAN_ALIYUN",
        region_id="cn-beijing",
        commodity="sfm_codingplan_public_cn",
        page="/cn-beijing/?tab=model",
    ),
}


def region_of(ctx: Context) -> Region:
    """The configured region. Raises Misconfigured."""
    name = (ctx.settings.region or INTERNATIONAL).lower()
    if name not in REGIONS:
        raise Misconfigured(
            "The setting region is not an Alibaba region.", f"Set region to {INTERNATIONAL} or {CHINA}."
        )
    return REGIONS[name]


@dataclass(frozen=True, slots=True)
class Overrides:
    """Addresses the user set instead of the vendor's."""

    quota_url: str | None = None
    host: str | None = None

    def on_host(self, url: str) -> str:
        """The address, on the host the user named."""
        if self.host is None:
            return url
        return urlunsplit(urlsplit(url)._replace(netloc=urlsplit(self.host).netloc))

    def web_quota(self, region: Region) -> str:
        address = (
            f"{region.console}/data/api.json?action={region.action}&product=sfm_bailian&api={WEB_API}&_v=undefined"
        )
        return self.quota_url or self.on_host(address)

    def api_quota(self, region: Region) -> str:
        query = f"action={WEB_API}&product=broadscope-bailian&api={_CALL}&currentRegionId={region.region_id}"
        return self.quota_url or self.on_host(f"{region.gateway}/data/api.json?{query}")


def overrides_of(ctx: Context) -> Overrides:
    """The overrides in the environment. Raises Misconfigured, which names the variable."""
    return Overrides(_checked(ctx, QUOTA_URL), _checked(ctx, HOST))


def _checked(ctx: Context, name: str) -> str | None:
    value = ctx.env(name)
    if value is None:
        return None
    url = endpoint(value, name)
    strict = (ctx.env(OWN_HOSTS_ONLY) or "").lower() in ("1", "true", "yes", "on")
    if strict and (urlsplit(url).hostname or "").lower() not in OWN_HOSTS:
        raise Misconfigured(f"The setting {name} names a host that is not Alibaba's.", f"Correct {name} or remove it.")
    return url


async def in_regions(ctx: Context, ask: Callable[[Region, Overrides], Awaitable[Usage]]) -> Usage:
    """Ask the configured region, and China's where the international one does not fit. Raises ReadError."""
    region, overrides = region_of(ctx), overrides_of(ctx)
    try:
        return await ask(region, overrides)
    except (ExpiredCredential, NotFound, NoQuota) as error:
        if region.name != INTERNATIONAL:
            raise
        refused: ReadError = error
    try:
        return await ask(REGIONS[CHINA], overrides)
    except KeyUnusable:
        raise
    except ReadError:
        raise refused from None
