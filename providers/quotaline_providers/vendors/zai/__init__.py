"""z.ai and BigModel CN: the quota of the GLM Coding Plan, its token history and, in China, the account's balance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from quotaline_providers.contract import AccountKind, Context, Provider, ProviderKind, Response, Strategy
from quotaline_providers.errors import BadResponse, ExpiredCredential
from quotaline_providers.fetching.optional import beside
from quotaline_providers.model import Balance, Confidence, Identity, Usage
from quotaline_providers.parsing.payload import exact, parse_or_none, to_text
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.zai.access import (
    CHINA,
    GLOBAL,
    RegionalKey,
    RegionKey,
    addresses,
    check_entry,
    span,
    team_of,
    with_parameters,
)
from quotaline_providers.vendors.zai.answers import AccountReport, Envelope, History
from quotaline_providers.vendors.zai.details import history_section, quota_section
from quotaline_providers.vendors.zai.quota import data_of, limits_of, no_package, no_plan, plan_of, windows

SUBSCRIPTIONS = "https://api.z.ai/api/biz/subscription/list"
QUOTA_SECONDS, SIDE_SECONDS = 15.0, 5.0

# --- all of it -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Extras:
    """What the optional calls told; None where they told nothing."""

    report: AccountReport | None = None
    hourly: History | None = None
    daily: History | None = None
    product: str | None = None


def to_usage(envelope: Envelope, extras: Extras, now: datetime) -> Usage:
    """The usage of one key. Raises Forbidden (no plan) and BadResponse."""
    data = data_of(envelope)
    limits = limits_of(data)
    report = extras.report
    sections = (
        quota_section(limits, report, now),
        history_section(extras.hourly, "Hourly tokens"),
        history_section(extras.daily, "Daily tokens"),
    )
    balances: tuple[Balance, ...] = ()
    if report and report.amount is not None:
        balances = (Balance(id="account", label="Account balance", amount=exact(report.amount), unit="CNY"),)
    return Usage(
        updated_at=now,
        windows=windows(limits),
        balances=balances,
        identity=Identity(plan=extras.product or plan_of(data)),
        details=tuple(section for section in sections if section and section.rows),
        confidence=Confidence.EXACT,
        limits_unavailable=not limits,
    )


def binding(usage: Usage) -> str | None:
    """The fuller one of the two main windows."""
    lanes = [window for window in (usage.lane("primary"), usage.lane("secondary")) if window]
    return max(lanes, key=lambda window: window.shown_percent or 0).id if lanes else None


# --- how it is fetched -----------------------------------------------------------------------------


async def from_api(ctx: Context, key: RegionKey) -> Usage:
    """The quota must succeed; history, balance and the plan's name are asked at the same time and may fail."""
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
    return to_usage(envelope, extras, ctx.now)


def _quota(ctx: Context, response: Response) -> Envelope:
    if response.status == 429:
        try:
            told: Envelope | None = ctx.http.parse(response, Envelope)
        except BadResponse:
            told = None
        if told and no_package(told):
            raise no_plan()
    if response.status in (401, 403):
        raise ExpiredCredential("z.ai refused the API key.", "Check the key, and that it belongs to the region in use.")
    if ctx.http.check(response).status != 200:
        raise BadResponse(f"z.ai gave an unexpected answer (HTTP {response.status}).")
    if not response.body.strip():
        raise BadResponse("z.ai answered with nothing.", f"The region may be wrong: set region to {GLOBAL} or {CHINA}.")
    return ctx.http.parse(response, Envelope)


async def _content(ctx: Context, url: str, key: Secret, headers: dict[str, str]) -> History:
    envelope = await ctx.http.get(url, Envelope, bearer=key, headers=headers, timeout=QUOTA_SECONDS)
    content = parse_or_none(History, data_of(envelope))
    if content is None:
        raise BadResponse("z.ai told no history.")
    return content


async def _report(ctx: Context, url: str, key: Secret) -> AccountReport | None:
    envelope = await ctx.http.get(url, Envelope, bearer=key, timeout=SIDE_SECONDS)
    return parse_or_none(AccountReport, envelope.data) if envelope.success is True else None


async def _product(ctx: Context, key: Secret) -> str | None:
    envelope = await ctx.http.get(SUBSCRIPTIONS, Envelope, bearer=key, timeout=SIDE_SECONDS)
    first = envelope.data[0] if isinstance(envelope.data, list) and envelope.data else None
    return to_text(first.get("productName")) if isinstance(first, dict) else None


PROVIDER = Provider(
    id="zai",
    name="z.ai / GLM",
    kind=ProviderKind.CODING,
    connect="Create an API key at z.ai (or bigmodel.cn with region bigmodel-cn) and set Z_AI_API_KEY.",
    summary="The 5-hour, weekly and tool-call limits of the GLM Coding Plan, with its token history.",
    aliases=("z.ai",),
    dashboard="https://z.ai/manage-apikey/coding-plan/personal/my-plan",
    keys="https://z.ai/manage-apikey/apikey",
    fields=("apiKey", "apiKeyEnv"),
    regions=(GLOBAL, CHINA),
    accounts=AccountKind.TOKEN,
    deadline=30,
    binding=binding,
    longer_caps=True,
    check_entry=check_entry,
    strategies=(Strategy.api(from_api, RegionalKey()),),
)
