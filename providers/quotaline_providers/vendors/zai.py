"""z.ai and BigModel CN: the quota of the GLM Coding Plan, its token history and, in China, the account's balance."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from quotaline_providers.contract import Answer, Context, Credential, Provider, Strategy
from quotaline_providers.endpoints import endpoint
from quotaline_providers.errors import BadResponse, ExpiredCredential, Forbidden, Misconfigured, MissingCredential
from quotaline_providers.lookups import ApiKey
from quotaline_providers.model import (
    DAY_MINUTES,
    MONTH_MINUTES,
    SESSION_MINUTES,
    WEEK_MINUTES,
    Balance,
    Chart,
    Confidence,
    Identity,
    Lane,
    Point,
    Row,
    Section,
    Usage,
    Window,
)
from quotaline_providers.payload import (
    Flag,
    Integer,
    Number,
    Payload,
    Text,
    When,
    clean,
    lenient_items,
    parse_or_none,
    to_text,
)
from quotaline_providers.secret import Secret
from quotaline_providers.sidecalls import beside
from quotaline_providers.wording import duration, grouped, money, tokens

GLOBAL, CHINA = "global", "bigmodel-cn"
BASES = {GLOBAL: "https://api.z.ai", CHINA: "https://open.bigmodel.cn"}
QUOTA_PATH = "/api/monitor/usage/quota/limit"
MODELS_PATH = "/api/monitor/usage/model-usage"
SUBSCRIPTIONS = "https://api.z.ai/api/biz/subscription/list"
ACCOUNT_REPORT = "https://www.bigmodel.cn/api/biz/account/query-customer-account-report"
QUOTA_URL, API_HOST, BALANCE_URL = "Z_AI_QUOTA_URL", "Z_AI_API_HOST", "Z_AI_BALANCE_URL"
QUOTA_SECONDS, SIDE_SECONDS = 15.0, 5.0
_TOP = 20
_CHINA_ENV = ("Z_AI_API_KEY", "BIGMODEL_API_KEY", "ZHIPU_API_KEY", "ZHIPUAI_API_KEY", "GLM_API_KEY")
_GLOBAL_ENV = ("Z_AI_API_KEY", "ZAI_API_KEY")
_CHINA_FILES = (".coding-relay/glm-api-key", ".config/bigmodel/api_key", ".config/zhipu/api_key")
_GLOBAL_FILE, _HELPER_FILE = ".config/zai/key.json", ".chelper/config.yaml"


# --- what the vendor sends -------------------------------------------------------------------------


class Envelope(Payload):
    """What every answer of the monitor is wrapped in."""

    code: Integer = None
    success: Flag = None
    msg: Text = None
    data: Any = None


class Detail(Payload):
    model_config = Payload.model_config | {"protected_namespaces": ()}

    modelCode: Text = None  # noqa: N815 - the vendor's spelling
    usage: Number = None


class Limit(Payload):
    """One limit. `usage` is what is allowed, `currentValue` what is used; `percentage` is 0-100."""

    type: Text = None
    name: Text = None
    unit: Integer = None
    number: Integer = None
    percentage: Number = None
    usage: Number = None
    currentValue: Number = None  # noqa: N815
    remaining: Number = None
    nextResetTime: When = None  # noqa: N815
    usageDetails: Annotated[tuple[Detail, ...], lenient_items(Detail)] = ()  # noqa: N815

    @property
    def kind(self) -> str:
        known = (self.type, self.name)
        return next((kind for kind in known if kind in _KINDS), "")

    @property
    def minutes(self) -> int | None:
        """The window's length; None when it cannot be told."""
        if self.kind == "TIME_LIMIT" and (self.unit, self.number) == (5, 1):
            return MONTH_MINUTES
        unit = _UNITS.get(self.unit or 0)
        return self.number * unit[0] if unit and self.number and self.number > 0 else None

    @property
    def percent(self) -> float | None:
        """Percent used, 0-100; None when nothing usable was told."""
        used = self.used
        if used is not None and self.usage:
            return used / self.usage * 100
        return None if self.percentage is None else min(100.0, max(0.0, self.percentage))

    @property
    def used(self) -> float | None:
        if self.usage is None or self.usage <= 0:
            return None
        left = None if self.remaining is None else self.usage - self.remaining
        known = [value for value in (left, self.currentValue) if value is not None]
        return min(self.usage, max(0.0, *known)) if known else None


_KINDS = ("TOKENS_LIMIT", "CREDIT_LIMIT", "TIME_LIMIT")
_UNITS = {1: (DAY_MINUTES, "day"), 3: (60, "hour"), 5: (1, "minute"), 6: (WEEK_MINUTES, "week")}


class ModelUsage(Payload):
    model_config = Payload.model_config | {"protected_namespaces": ()}

    modelName: Text = None  # noqa: N815
    tokensUsage: tuple[Number, ...] = ()  # noqa: N815


class History(Payload):
    """Tokens per model along the labels of `x_time`."""

    model_config = Payload.model_config | {"protected_namespaces": ()}

    x_time: list[Text]
    modelDataList: Annotated[tuple[ModelUsage, ...], lenient_items(ModelUsage)] = ()  # noqa: N815


class AccountReport(Payload):
    """The account's money, CNY."""

    availableBalance: Number = None  # noqa: N815
    balance: Number = None
    rechargeAmount: Number = None  # noqa: N815
    giveAmount: Number = None  # noqa: N815
    totalSpendAmount: Number = None  # noqa: N815

    @property
    def amount(self) -> float | None:
        return self.balance if self.availableBalance is None else self.availableBalance


# --- the quota -------------------------------------------------------------------------------------


def data_of(envelope: Envelope) -> Any:
    """The content of a successful answer. Raises Forbidden (no plan) and BadResponse."""
    if envelope.success is True and envelope.code == 200:
        return envelope.data
    if no_package(envelope):
        raise no_plan()
    raise BadResponse("z.ai did not accept the request.", "Check the API key, its region and the team ids.")


def no_package(envelope: Envelope) -> bool:
    """Whether this failure says that the account has no coding plan."""
    message = (envelope.msg or "").lower()
    telling = ("insufficient balance", "no resource package", "no active coding package")
    failed = envelope.success is False and "coding plan" in message
    return envelope.code == 1113 or failed or any(words in message for words in telling)


def no_plan() -> Forbidden:
    return Forbidden("This account has no active coding plan.", "Subscribe to a GLM Coding Plan.", definite=True)


def limits_of(data: object) -> tuple[Limit, ...]:
    """The limits of a known kind. Raises BadResponse when there is no list, or one without a usable percentage."""
    items = data.get("limits") if isinstance(data, dict) else None
    if not isinstance(items, list):
        raise BadResponse(
            "z.ai told no limits.",
            "A team account needs its organizationId and workspaceID exactly as the vendor shows.",
        )
    parsed = (parse_or_none(Limit, item) for item in items)
    known = tuple(limit for limit in parsed if limit is not None and limit.kind)
    if any(limit.percent is None for limit in known):
        raise BadResponse("z.ai told a limit without how much of it is used.")
    return known


def plan_of(data: object) -> str | None:
    if not isinstance(data, dict):
        return None
    names = ("planName", "plan", "plan_type", "packageName", "level")
    return next((text for name in names if isinstance(data.get(name), str) and (text := to_text(data[name]))), None)


def reset_text(limit: Limit) -> str | None:
    minutes = limit.minutes
    if limit.kind == "TIME_LIMIT":
        return "MCP"
    if minutes == SESSION_MINUTES:
        return "5-hour"
    if minutes is None or not limit.number:
        return None
    return f"{limit.number} {_UNITS[limit.unit or 0][1]}{'' if limit.number == 1 else 's'} window"


def window_of(limit: Limit, id: str, label: str, lane: Lane | None) -> Window:
    return Window(
        id=id,
        label=label,
        used_percent=limit.percent,
        used=limit.used,
        limit=limit.usage if limit.usage and limit.usage > 0 else None,
        minutes=limit.minutes,
        resets_at=limit.nextResetTime,
        description=reset_text(limit),
        lane=lane,
    )


def by_length(limits: Iterable[Limit]) -> list[Limit]:
    """Token and credit limits, shortest first; one of unknown length is the longest."""
    return sorted(
        (limit for limit in limits if limit.kind != "TIME_LIMIT"),
        key=lambda limit: float("inf") if limit.minutes is None else limit.minutes,
    )


def windows(limits: tuple[Limit, ...]) -> tuple[Window, ...]:
    """Shortest first, longest second, then any between them; the tool calls last, or first when alone."""
    quotas, calls = by_length(limits), _calls(limits)
    found = []
    if quotas:
        found.append(window_of(quotas[0], "session", _label(quotas[0], "5-hour"), "primary"))
    if len(quotas) > 1:
        found.append(window_of(quotas[-1], "weekly", _label(quotas[-1], "Weekly"), "secondary"))
    for number, limit in enumerate(quotas[1:-1], 1):
        found.append(window_of(limit, f"limit-{number}", _label(limit, "Quota"), None))
    if calls:
        found.append(window_of(calls, "zai-mcp", "MCP", None if quotas else "primary"))
    return tuple(found)


def _label(limit: Limit, usual: str) -> str:
    known = {SESSION_MINUTES: "5-hour", WEEK_MINUTES: "Weekly"}
    return usual if limit.minutes is None else known.get(limit.minutes) or reset_text(limit) or usual


def _calls(limits: Iterable[Limit]) -> Limit | None:
    return next((limit for limit in reversed(tuple(limits)) if limit.kind == "TIME_LIMIT"), None)


# --- details ---------------------------------------------------------------------------------------


def quota_section(limits: tuple[Limit, ...], report: AccountReport | None, now: datetime) -> Section:
    quotas, calls = by_length(limits), _calls(limits)
    rows = [_quota_row(_noun(quotas[-1]).capitalize(), quotas[-1])] if quotas else []
    if len(quotas) > 1:
        rows.append(_quota_row(f"Session {_noun(quotas[0])}", quotas[0]))
    if calls:
        rows.append(_quota_row("MCP quota", calls))
    if any(limit.kind == "CREDIT_LIMIT" for limit in quotas):
        rows.append(rate_row(now))
    if report and report.amount is not None:
        rows.append(_balance_row(report, report.amount))
    details = [item for limit in limits for item in limit.usageDetails if item.modelCode and item.usage is not None]
    rows += [Row(label=item.modelCode or "", value=grouped(item.usage or 0)) for item in details[:_TOP]]
    return Section(title="Quota details", rows=tuple(rows))


def _noun(limit: Limit) -> str:
    return "credit quota" if limit.kind == "CREDIT_LIMIT" else "token quota"


def _quota_row(label: str, limit: Limit) -> Row:
    amounts = [f"{grouped(limit.usage)} limit"] if limit.usage is not None else []
    amounts += [f"{grouped(limit.remaining)} remaining"] if limit.remaining is not None else []
    return Row(label=label, value=f"{grouped(limit.percent or 0, 1)}% used", secondary=" · ".join(amounts) or None)


def rate_row(now: datetime) -> Row:
    """Whether credits cost the peak rate: Monday to Friday, 06:00 to 10:00 UTC."""
    now = now.astimezone(UTC)
    peak = now.weekday() < 5 and 6 <= now.hour < 10
    until = now.replace(hour=10 if peak else 6, minute=0, second=0, microsecond=0)
    while until <= now or until.weekday() >= 5:
        until += timedelta(days=1)
    following = "off-peak" if peak else "peak"
    return Row(
        label="Quota rate", value="Peak" if peak else "Off-peak", secondary=f"{following} in {duration(until - now)}"
    )


def _balance_row(report: AccountReport, amount: float) -> Row:
    parts = [("recharged", report.rechargeAmount), ("granted", report.giveAmount or None)]
    parts.append(("spent", report.totalSpendAmount))
    shown = [
        f"{word} {_yuan(value)}" for word, value in parts if value is not None and (word != "granted" or value > 0)
    ]
    return Row(label="Account balance", value=_yuan(amount), secondary=" · ".join(shown) or None)


def _yuan(value: float) -> str:
    return money(value, "CNY").replace("CN¥", "¥")


def history_section(history: History | None, title: str) -> Section | None:
    """Tokens per label as bars and per model as rows; None when nothing was used."""
    if history is None:
        return None
    bars: dict[str, float] = defaultdict(float)
    models: dict[str, float] = defaultdict(float)
    for item in history.modelDataList:
        for label, count in zip(history.x_time, item.tokensUsage, strict=False):
            if label and count and count > 0:
                bars[label] += count
                models[item.modelName or "Unknown model"] += count
    if not bars:
        return None
    points = tuple(Point(label=label, value=bars[label]) for label in dict.fromkeys(history.x_time) if label in bars)
    ranked = sorted(models.items(), key=lambda entry: (-entry[1], entry[0]))[:_TOP]
    rows = tuple(Row(label=name, value=f"{tokens(count)} tokens") for name, count in ranked)
    return Section(title=title, rows=rows, chart=Chart(kind="bars", title=title, unit="tokens", points=points))


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
        balances = (Balance(id="account", label="Account balance", amount=Decimal(str(report.amount)), unit="CNY"),)
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


# --- keys and addresses ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RegionKey(Credential):
    """A key and the region it belongs to."""

    region: str = GLOBAL


def told_region(ctx: Context) -> str | None:
    """The configured region, or the one an overridden host implies; None when neither says anything.
    Raises Misconfigured."""
    region = ctx.settings.region
    if region is None:
        return CHINA if _host(ctx.env(API_HOST)) == "open.bigmodel.cn" else None
    if region.lower() not in BASES:
        raise Misconfigured("The setting region does not fit z.ai.", f"Set region to {GLOBAL} or {CHINA}.")
    return region.lower()


def _host(address: str | None) -> str:
    text = address or ""
    try:
        return (urlsplit(text if "://" in text else f"https://{text}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def first_line(text: str) -> str | None:
    return next((line for raw in text.splitlines() if (line := clean(raw))), None)


def key_in_json(text: str) -> str | None:
    """The key in a key file: a JSON object's `apiKey`, `api_key` or `key`, or the bare text."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None if text.lstrip().startswith(("{", "[")) else clean(text)
    if isinstance(content, dict):
        names = (content.get(name) for name in ("apiKey", "api_key", "key"))
        return next((key for value in names if isinstance(value, str) and (key := clean(value))), None)
    return clean(content) if isinstance(content, str) else None


def key_in_helper(text: str) -> tuple[str | None, str]:
    """Key and region in the vendor's helper file."""
    found = {name: clean(value) for name, value in re.findall(r"(?m)^\s*(api_key|plan)\s*:\s*(.*?)\s*$", text)}
    return found.get("api_key"), CHINA if "china" in (found.get("plan") or "").lower() else GLOBAL


class RegionalKey:
    """A key of the region in use: the keys of the two regions are never sent to each other's host."""

    def places(self, ctx: Context) -> tuple[str, ...]:
        region = self._region_or_global(ctx)
        files = tuple(ctx.show(path) for path in (*self._files(ctx, region), ctx.home / _HELPER_FILE))
        return self._usual(region).places(ctx) + files

    def trace(self, ctx: Context) -> str | None:
        region = self._region_or_global(ctx)
        if found := self._usual(region).trace(ctx):
            return found
        files = (*self._files(ctx, region), ctx.home / _HELPER_FILE)
        return next((ctx.show(path) for path in files if path.is_file()), None)

    async def find(self, ctx: Context) -> RegionKey:
        told = told_region(ctx)
        region = told or GLOBAL
        try:
            key = await self._usual(region).find(ctx)
        except MissingCredential:
            return await self._last_resort(ctx, told)
        return RegionKey(_unprefixed(key.secret), key.origin, region)

    async def _last_resort(self, ctx: Context, told: str | None) -> RegionKey:
        region = told or GLOBAL
        read: Callable[[str], str | None] = first_line if region == CHINA else key_in_json
        for path in self._files(ctx, region):
            if key := read(await self._text(ctx, path)):
                return RegionKey(Secret(key), ctx.show(path), region)
        path = ctx.home / _HELPER_FILE
        key, belongs = key_in_helper(await self._text(ctx, path))
        if key and told in (None, belongs):
            return RegionKey(Secret(key), ctx.show(path), belongs)
        raise MissingCredential("No API key is set.")

    async def _text(self, ctx: Context, path: Path) -> str:
        try:
            return await ctx.files.read(path)
        except (OSError, ValueError):
            return ""

    def _files(self, ctx: Context, region: str) -> Iterator[Path]:
        return (ctx.home / name for name in (_CHINA_FILES if region == CHINA else (_GLOBAL_FILE,)))

    def _usual(self, region: str) -> ApiKey:
        return ApiKey(env=_CHINA_ENV if region == CHINA else _GLOBAL_ENV)

    def _region_or_global(self, ctx: Context) -> str:
        try:
            return told_region(ctx) or GLOBAL
        except Misconfigured:
            return GLOBAL


def _unprefixed(secret: Secret) -> Secret:
    value = secret.reveal()
    return Secret(value[7:].strip()) if value.lower().startswith("bearer ") else secret


@dataclass(frozen=True)
class Addresses:
    """Where to ask, checked before anything is sent."""

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
    if _host(address) == other:
        raise Misconfigured(f"The setting {name} does not fit the region {region}.", f"Change region or remove {name}.")
    return address


@dataclass(frozen=True)
class Team:
    """The ids a team's requests carry."""

    organization: str
    project: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Bigmodel-Organization": self.organization, "Bigmodel-Project": self.project}


def team_of(ctx: Context) -> Team | None:
    """The team of the account in use; None when it is a person's. Raises Misconfigured."""
    account = ctx.account
    if account is None or (account.usage_scope or "").strip().lower() != "team":
        return None
    ids = {"organizationId": account.organization_id, "workspaceID": account.workspace_id}
    for name, value in ids.items():
        text = clean(value)
        if text is None or re.search(r"[\s\x00-\x1f\x7f]", text):
            state = "is missing" if text is None else "holds a space or line break"
            raise Misconfigured(f"The setting {name} of a team account {state}.", f"Set {name} as the vendor shows it.")
    return Team(clean(account.organization_id) or "", clean(account.workspace_id) or "")


def with_parameters(url: str, **added: str) -> str:
    """The address with these query parameters in place of those of the same name; the others stay."""
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in added]
    return urlunsplit(parts._replace(query=urlencode([*kept, *added.items()])))


def span(now: datetime, days: int) -> dict[str, str]:
    """From midnight `days` ago to the end of this hour, in local time."""
    end = now.replace(minute=59, second=59)
    start = now.replace(hour=0, minute=0, second=0) - timedelta(days=days)
    return {"startTime": f"{start:%Y-%m-%d %H:%M:%S}", "endTime": f"{end:%Y-%m-%d %H:%M:%S}"}


# --- how it is fetched -----------------------------------------------------------------------------


async def from_api(ctx: Context, key: RegionKey) -> Usage:
    """The quota must succeed; history, balance and the plan's name are asked at the same time and may fail."""
    team = team_of(ctx)
    places = addresses(ctx, key.region)
    headers = {"Accept": "application/json", **(team.headers if team else {})}
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
        answer = await ctx.http.send("GET", quota_url, bearer=key.secret, headers=headers, timeout=QUOTA_SECONDS)
        envelope = _quota(ctx, answer)
        data_of(envelope)
        extras = Extras(await report if report else None, await hourly, await daily, await product if product else None)
    return to_usage(envelope, extras, ctx.now)


def _quota(ctx: Context, answer: Answer) -> Envelope:
    if answer.status == 429:
        try:
            told: Envelope | None = ctx.http.parse(answer, Envelope)
        except BadResponse:
            told = None
        if told and no_package(told):
            raise no_plan()
    if answer.status in (401, 403):
        raise ExpiredCredential("z.ai refused the API key.", "Check the key, and that it belongs to the region in use.")
    if ctx.http.check(answer).status != 200:
        raise BadResponse(f"z.ai gave an unexpected answer (HTTP {answer.status}).")
    if not answer.body.strip():
        raise BadResponse("z.ai answered with nothing.", f"The region may be wrong: set region to {GLOBAL} or {CHINA}.")
    return ctx.http.parse(answer, Envelope)


async def _content(ctx: Context, url: str, key: Secret, headers: dict[str, str]) -> History:
    envelope = await ctx.http.get(url, Envelope, bearer=key, headers=headers, timeout=QUOTA_SECONDS)
    content = parse_or_none(History, data_of(envelope))
    if content is None:
        raise BadResponse("z.ai told no history.")
    return content


async def _report(ctx: Context, url: str, key: Secret) -> AccountReport | None:
    headers = {"Accept": "application/json"}
    envelope = await ctx.http.get(url, Envelope, bearer=key, headers=headers, timeout=SIDE_SECONDS)
    return parse_or_none(AccountReport, envelope.data) if envelope.success is True else None


async def _product(ctx: Context, key: Secret) -> str | None:
    headers = {"Accept": "application/json"}
    envelope = await ctx.http.get(SUBSCRIPTIONS, Envelope, bearer=key, headers=headers, timeout=SIDE_SECONDS)
    first = envelope.data[0] if isinstance(envelope.data, list) and envelope.data else None
    return to_text(first.get("productName")) if isinstance(first, dict) else None


PROVIDER = Provider(
    id="zai",
    name="z.ai / GLM",
    connect="Create an API key at z.ai (or bigmodel.cn with region bigmodel-cn) and set Z_AI_API_KEY.",
    summary="The 5-hour, weekly and tool-call limits of the GLM Coding Plan, with its token history.",
    aliases=("z.ai",),
    dashboard="https://z.ai/manage-apikey/coding-plan/personal/my-plan",
    key_url="https://z.ai/manage-apikey/apikey",
    settings=("apiKey", "apiKeyEnv", "region", "tokenAccounts"),
    regions=(GLOBAL, CHINA),
    accounts="token",
    min_interval=60,
    deadline=30,
    binding=binding,
    longer_caps=True,
    strategies=(Strategy("api", from_api, RegionalKey(), label="api"),),
)
