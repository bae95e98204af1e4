"""The API: the quota, and beside it the token history, the plan's name and, in China, the balance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from quotaline_providers import (
    BadResponse,
    Context,
    Misconfigured,
    Response,
    Secret,
    Usage,
    beside,
    endpoint,
    parse_or_none,
    refused_key,
    to_text,
)
from quotaline_providers.vendors.zai.credentials import API_HOST, CHINA, GLOBAL, RegionKey, host_of, team_of
from quotaline_providers.vendors.zai.mapping import KEY_HINT, Extras, data_of, no_package, no_plan, to_usage
from quotaline_providers.vendors.zai.payloads import AccountReport, Envelope, History

BASES = {GLOBAL: "https://api.z.ai", CHINA: "https://open.bigmodel.cn"}
QUOTA_PATH = "/api/monitor/usage/quota/limit"
MODELS_PATH = "/api/monitor/usage/model-usage"
ACCOUNT_REPORT = "https://www.bigmodel.cn/api/biz/account/query-customer-account-report"
QUOTA_URL, BALANCE_URL = "Z_AI_QUOTA_URL", "Z_AI_BALANCE_URL"
SUBSCRIPTIONS = "https://api.z.ai/api/biz/subscription/list"
QUOTA_SECONDS, SIDE_SECONDS = 15.0, 5.0
REFUSALS = refused_key("z.ai", KEY_HINT)

# --- addresses -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Addresses:
    """Where the requests go, checked before anything is sent."""

    quota: str
    models: str
    balance: str
    official: bool


def addresses(ctx: Context, region: str) -> Addresses:
    """Raises Misconfigured for an override that is unsafe or belongs to the other region."""
    quota, host, balance = (_override(ctx, name, region) for name in (QUOTA_URL, API_HOST, BALANCE_URL))
    base = host or BASES[region]
    bare = urlsplit(base).path in ("", "/")
    return Addresses(
        quota=quota or (base + QUOTA_PATH if bare else base),
        models=base + MODELS_PATH if bare else base,
        balance=balance or ACCOUNT_REPORT,
        official=quota is None and host is None,
    )


def _override(ctx: Context, name: str, region: str) -> str | None:
    value = ctx.env(name)
    if value is None:
        return None
    address = endpoint(value, name)
    other = "api.z.ai" if region == CHINA else "open.bigmodel.cn"
    if host_of(address) == other:
        raise Misconfigured(f"The setting {name} does not fit the region {region}.", f"Change region or remove {name}.")
    return address


def with_parameters(url: str, **added: str) -> str:
    """The address with these query parameters in place of those of the same name; the others stay."""
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in added]
    return urlunsplit(parts._replace(query=urlencode([*kept, *added.items()], quote_via=quote)))


def span(now: datetime, days: int) -> dict[str, str]:
    """From midnight `days` ago to the end of this hour, in local time."""
    end = now.replace(minute=59, second=59)
    start = now.replace(hour=0, minute=0, second=0) - timedelta(days=days)
    return {"startTime": f"{start:%Y-%m-%d %H:%M:%S}", "endTime": f"{end:%Y-%m-%d %H:%M:%S}"}


# --- requests --------------------------------------------------------------------------------------


async def from_api(ctx: Context, key: RegionKey) -> Usage:
    """The quota must succeed; history, balance and the plan's name are requested at the same time and may fail."""
    team = team_of(ctx)
    places = addresses(ctx, key.region)
    headers = team.headers if team else {}
    quota_url = with_parameters(places.quota, type="2") if team else places.quota
    scope = {"type": "3"} if team else {}
    local = ctx.now.astimezone()

    async def history(days: int) -> History:
        url = with_parameters(places.models, **span(local, days), **scope)
        return await _content(ctx, url, key.secret, headers)

    async with beside() as side:
        hourly = side.start(history(1), SIDE_SECONDS)
        daily = side.start(history(30), SIDE_SECONDS)
        report = side.start(_report(ctx, places.balance, key.secret), SIDE_SECONDS) if key.region == CHINA else None
        asks_plan = key.region == GLOBAL and places.official and team is None
        product = side.start(_product(ctx, key.secret), SIDE_SECONDS) if asks_plan else None
        response = await ctx.http.send("GET", quota_url, bearer=key.secret, headers=headers, timeout=QUOTA_SECONDS)
        envelope = _quota(ctx, response)
        data_of(envelope)
        extras = Extras(await report if report else None, await hourly, await daily, await product if product else None)
    return to_usage(envelope, extras, ctx.now, team=team is not None)


def _quota(ctx: Context, response: Response) -> Envelope:
    if response.status == 429:
        try:
            refusal: Envelope | None = ctx.http.parse(response, Envelope)
        except BadResponse:
            refusal = None
        if refusal and no_package(refusal):
            raise no_plan()
    if ctx.http.check(response, REFUSALS).status != 200:
        raise BadResponse(f"z.ai gave an unexpected answer (HTTP {response.status}).")
    if not response.body.strip():
        raise BadResponse("z.ai answered with nothing.", f"The region may be wrong: set region to {GLOBAL} or {CHINA}.")
    return ctx.http.parse(response, Envelope)


async def _content(ctx: Context, url: str, key: Secret, headers: dict[str, str]) -> History:
    envelope = await ctx.http.get(url, Envelope, bearer=key, headers=headers, timeout=QUOTA_SECONDS)
    content = parse_or_none(History, data_of(envelope))
    if content is None:
        raise BadResponse("z.ai answered without a history.")
    return content


async def _report(ctx: Context, url: str, key: Secret) -> AccountReport | None:
    envelope = await ctx.http.get(url, Envelope, bearer=key, timeout=SIDE_SECONDS)
    return parse_or_none(AccountReport, envelope.data) if envelope.success is True else None


async def _product(ctx: Context, key: Secret) -> str | None:
    envelope = await ctx.http.get(SUBSCRIPTIONS, Envelope, bearer=key, timeout=SIDE_SECONDS)
    first = envelope.data[0] if isinstance(envelope.data, list) and envelope.data else None
    return to_text(first.get("productName")) if isinstance(first, dict) else None
