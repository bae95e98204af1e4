"""MiniMax's two regions, and the addresses a user may put in place of theirs."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from quotaline_providers import Context, Misconfigured, endpoint

GLOBAL, CHINA = "global", "cn"
_DOMAINS = {GLOBAL: "minimax.io", CHINA: "minimaxi.com"}
PLAN_URL, REMAINS_URL, BILLING_URL = "MINIMAX_CODING_PLAN_URL", "MINIMAX_REMAINS_URL", "MINIMAX_BILLING_HISTORY_URL"
HOST, OWN_HOSTS_ONLY = "MINIMAX_HOST", "MINIMAX_REQUIRE_PROVIDER_ENDPOINT_OVERRIDES"


def region_of(ctx: Context) -> str:
    """The configured region. Raises Misconfigured."""
    name = (ctx.settings.region or GLOBAL).lower()
    if name not in _DOMAINS:
        raise Misconfigured("The setting region is not a MiniMax region.", f"Set region to {GLOBAL} or {CHINA}.")
    return name


def key_addresses(region: str) -> tuple[str, ...]:
    """Where a plan is read by key, newest first."""
    base = f"https://api.{_DOMAINS[region]}/v1"
    paths = ("token_plan/remains", "api/openplatform/coding_plan/remains", "coding_plan/remains")
    return tuple(f"{base}/{path}" for path in paths)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a browser session is sent. `remains` are tried in order."""

    page: str
    remains: tuple[str, ...]
    combo: str
    billing: str
    platform: str

    @property
    def page_referer(self) -> str:
        return self.page.partition("?")[0]


def addresses_of(ctx: Context) -> Addresses:
    """The region's addresses, or those the user put in their place. Raises Misconfigured, naming the variable."""
    domain = _DOMAINS[region_of(ctx)]
    page, remains, billing, host = (_checked(ctx, name) for name in (PLAN_URL, REMAINS_URL, BILLING_URL, HOST))
    platform, site = (host or f"https://{name}.{domain}" for name in ("platform", "www"))
    path = "/v1/api/openplatform/coding_plan/remains"
    combo = "/v1/api/openplatform/charge/combo/cycle_audio_resource_package"
    return Addresses(
        page=page or f"{platform}/user-center/payment/coding-plan?cycle_type=3",
        remains=(remains,) if remains else (f"{platform}{path}",) if host else (f"{platform}{path}", f"{site}{path}"),
        combo=f"{site}{combo}?biz_line=2&cycle_type=3&resource_package_type=7",
        billing=billing or f"{platform}/account/amount",
        platform=platform,
    )


def _checked(ctx: Context, name: str) -> str | None:
    value = ctx.env(name)
    if value is None:
        return None
    url = endpoint(value, name)
    host = (urlsplit(url).hostname or "").lower()
    own = any(host == domain or host.endswith(f".{domain}") for domain in _DOMAINS.values())
    if not own and (ctx.env(OWN_HOSTS_ONLY) or "").lower() in ("1", "true", "yes", "on"):
        raise Misconfigured(f"The setting {name} names a host that is not MiniMax's.", f"Correct {name} or remove it.")
    return urlunsplit(urlsplit(url)._replace(path="", query="")) if name == HOST else url
