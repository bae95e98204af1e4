"""What lets us in at MiniMax (a plan key, or a pasted browser session), and where that may be sent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from quotaline_providers.access.endpoints import endpoint
from quotaline_providers.access.lookups import ApiKey, normalize_cookie
from quotaline_providers.contract import Context, Credential, Lookup, Origin, OriginKind
from quotaline_providers.errors import Misconfigured, MissingCredential
from quotaline_providers.parsing.payload import clean
from quotaline_providers.secret import Secret

GLOBAL, CHINA = "global", "cn"
_DOMAINS = {GLOBAL: "minimax.io", CHINA: "minimaxi.com"}
PLAN_URL, REMAINS_URL, BILLING_URL = "MINIMAX_CODING_PLAN_URL", "MINIMAX_REMAINS_URL", "MINIMAX_BILLING_HISTORY_URL"
HOST, OWN_HOSTS_ONLY = "MINIMAX_HOST", "MINIMAX_REQUIRE_PROVIDER_ENDPOINT_OVERRIDES"
STANDARD_KEY = "sk-api-"

# --- keys ------------------------------------------------------------------------------------------

_PLAN_KEY = ApiKey(env=("MINIMAX_CODING_API_KEY",), env_first=True)
_OTHER_KEY = ApiKey(env=("MINIMAX_API_KEY",), from_config=False, from_keyring=False)


@dataclass(frozen=True)
class PlanKey(Lookup[Credential]):
    """The coding plan's variable, the configured key, then the general variable. A standard key cannot read a plan."""

    def places(self, ctx: Context) -> tuple[str, ...]:
        return (*_PLAN_KEY.places(ctx), *_OTHER_KEY.places(ctx))

    def probe(self, ctx: Context) -> Origin | None:
        origin = _PLAN_KEY.probe(ctx)
        if origin is not None and origin.kind is OriginKind.KEYRING:
            return origin
        if origin is None:
            return None if _standard(ctx.env("MINIMAX_API_KEY")) else _OTHER_KEY.probe(ctx)
        in_config = origin.kind is OriginKind.CONFIG
        return None if _standard(ctx.settings.api_key if in_config else ctx.env(origin.name)) else origin

    async def find(self, ctx: Context) -> Credential:
        found = await (_PLAN_KEY if _PLAN_KEY.probe(ctx) else _OTHER_KEY).find(ctx)
        if _standard(found.secret.reveal()):
            raise MissingCredential(
                "The MiniMax API key is a standard key, which cannot read a plan.",
                "Set the key of your coding plan, or paste the platform's cookies.",
            )
        return found


def _standard(key: str | None) -> bool:
    return (key or "").startswith(STANDARD_KEY)


# --- a pasted session ------------------------------------------------------------------------------

_BEARER = re.compile(r"authorization\s*:\s*bearer\s+([A-Za-z0-9._\-+=/]+)", re.IGNORECASE)
_GROUP = re.compile(
    r"x-group-id\s*:\s*(\d{4,})|minimax_group_id_v2=(\d{4,})|(?<![a-z0-9])group_?id=(\d{4,})", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Session:
    """A browser session: its cookies and, where they were pasted too, a bearer token and the group's number."""

    cookie: Secret
    bearer: Secret | None = None
    group: str | None = field(default=None)


def session_in(text: str) -> Session | None:
    """The session in a pasted header, `Cookie:` line or cURL command; None without a cookie."""
    value = clean(text) or ""
    lines = [line.strip() for line in value.splitlines() if line.strip()]
    if value[:5].lower() != "curl " and len(lines) > 1:
        value = next((line for line in lines if line.lower().startswith("cookie:")), lines[0])
    cookie = normalize_cookie(value)
    if cookie is None:
        return None
    bearer, group = _BEARER.search(text), _GROUP.search(text)
    return Session(
        Secret(cookie),
        Secret(bearer.group(1)) if bearer else None,
        next((number for number in group.groups() if number), None) if group else None,
    )


def usable(text: str) -> str | None:
    """The pasted text as it is, when there is a session in it."""
    return text if session_in(text) else None


# --- regions and addresses -------------------------------------------------------------------------


def region_of(ctx: Context) -> str:
    """The configured region. Raises Misconfigured."""
    name = (ctx.settings.region or GLOBAL).lower()
    if name not in _DOMAINS:
        raise Misconfigured("The setting region is no region of MiniMax.", f"Set region to {GLOBAL} or {CHINA}.")
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
