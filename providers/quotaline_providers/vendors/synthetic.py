"""Synthetic: rolling five-hour requests, weekly token credits and hourly searches, from an answer of several shapes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import quotaline_providers as ql
from quotaline_providers.parsing.json_search import first

URL = "https://api.synthetic.new/v2/quotas"
TIMEOUT = 15.0

_USED_PERCENT = "percentUsed usedPercent usagePercent usage_percent used_percent percent_used percent"
_LEFT_PERCENT = "percentRemaining remainingPercent remaining_percent percent_remaining"
_LIMIT = (
    "limit messageLimit message_limit messages maxRequests max_requests requestLimit request_limit quota max total "
    "capacity allowance"
)
_USED = (
    "used usage usedMessages used_messages messagesUsed messages_used requests requestCount request_count consumed "
    "spent"
)
_REMAINING = "remaining left available balance"
_RESET = (
    "resetAt reset_at resetsAt resets_at renewAt renew_at renewsAt renews_at nextTickAt next_tick_at nextRegenAt "
    "next_regen_at periodEnd period_end expiresAt expires_at endAt end_at"
)
_LABEL = "name label type period scope title id"
_PLAN = "plan planName plan_name subscription subscriptionPlan tier package packageName"
_STEP = "tickPercent tick_percent nextTickPercent next_tick_percent"
_WHOLE_STEP = "nextRegenPercent next_regen_percent"
_MINUTES: tuple[tuple[str, float], ...] = (
    ("windowMinutes window_minutes periodMinutes period_minutes", 1),
    ("windowHours window_hours periodHours period_hours", 60),
    ("windowDays window_days periodDays period_days", 1440),
    ("windowSeconds window_seconds periodSeconds period_seconds", 1 / 60),
)
_PERIOD = "window windowLabel window_label period periodLabel period_label"
_UNITS = {"m": 1, "h": 60, "d": 1440}
_SPAN = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(?:(m|min|mins|minute|minutes)|(h|hr|hrs|hour|hours)|(d|day|days))")
_GENERIC = ("quotas", "quota", "limits", "usage", "entries", "subscription", "data")
_LANES: tuple[ql.Lane, ...] = ("primary", "secondary", "tertiary")
_NAMED = (("five-hour", "Five-hour quota"), ("weekly", "Weekly tokens"), ("search", "Search hourly"))
_PLACES = (("rollingFiveHourLimit",), ("weeklyTokenLimit",), ("search", "hourly"))
_PLAN_WEEK = ("planWeeklyLimit",)
"""The newer plans' week. Beside it the `subscription` is a counter that no longer moves."""
_MOST_CREDITS = "maxCredits max_credits"
_MAX_DEPTH = 40


# --- searching the answer --------------------------------------------------------------------------


def moment(value: object) -> datetime | None:
    """ISO 8601, epoch milliseconds above 1e12, epoch seconds above 1e9; None for anything else.

    Not `to_time`: a number up to 1e9 is here a duration or an amount and never a time.
    """
    number = ql.to_number(value)
    if number is None:
        return ql.to_time(value)
    seconds = number / 1000 if number > 1e12 else number
    return ql.at_epoch(seconds) if seconds > 1e9 else None


def dollars(value: object) -> float | None:
    """A number, or a text such as `$1,200.50`."""
    return ql.to_number(value.replace("$", "").replace(",", "") if isinstance(value, str) else value)


def length(source: ql.Object) -> int | None:
    """The stated length of a window in minutes."""
    for names, factor in _MINUTES:
        number = first(source, names, ql.to_number)
        if number is not None and number > 0:
            return round(number * factor) or None
    return first(source, _PERIOD, _span)


def _span(value: object) -> int | None:
    match = _SPAN.fullmatch("".join(value.split()).lower()) if isinstance(value, str) else None
    if match is None:
        return None
    unit = next(group for group in match.groups()[1:] if group)[0]
    return round(float(match.group(1)) * _UNITS[unit]) or None


def is_quota(source: ql.Object) -> bool:
    """Whether any number of a quota stands in this object."""
    names = " ".join((_USED_PERCENT, _LEFT_PERCENT, _LIMIT, _USED, _REMAINING))
    return first(source, names, ql.to_number) is not None


def collect(value: object, depth: int = 0) -> Iterator[ql.Object]:
    """The quotas in a value: elements in their order, objects that are not quotas through their sorted keys."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for element in value:
            yield from collect(element, depth + 1)
    elif isinstance(value, dict):
        if is_quota(value):
            yield value
        else:
            for key in sorted(value):
                yield from collect(value[key], depth + 1)


# --- one quota -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Credits:
    """Dollars of a quota; `regen` comes back at the next tick."""

    limit: float
    used: float
    regen: float | None


@dataclass(frozen=True)
class Quota:
    """One lane: percent used (0-100), length in minutes, what comes back at the next tick in percent.

    `id` is empty for a quota outside the named lanes.
    """

    label: str | None
    used_percent: float
    used: float | None
    limit: float | None
    minutes: int | None
    resets_at: datetime | None
    step: float | None
    credits: Credits | None
    id: str = ""


def _scaled(value: float | None, fraction: bool) -> float | None:
    return value * 100 if value is not None and fraction and value <= 1 else value


def to_quota(source: ql.Object, *, weekly: bool = False) -> Quota | None:
    """The quota in an object; None when its use is not known. The weekly lane's percents are never fractions."""
    limit, used, remaining = (first(source, names, ql.to_number) for names in (_LIMIT, _USED, _REMAINING))
    most, rest = first(source, _MOST_CREDITS, dollars), first(source, _credit("remaining"), dollars)
    spent = first(source, _credit("used"), dollars)
    share = _scaled(first(source, _USED_PERCENT, ql.to_number), not weekly)
    left = _scaled(first(source, _LEFT_PERCENT, ql.to_number), not weekly)
    if limit is None and used is not None and remaining is not None:
        limit = used + remaining
    if used is None and limit is not None and remaining is not None:
        used = limit - remaining
    if weekly and most and most > 0 and rest is not None:
        share = (most - rest) / most * 100
    elif share is None and left is not None:
        share = 100 - left
    elif share is None and used is not None and limit is not None and limit > 0:
        share = used / limit * 100
    if share is None:
        return None
    share = ql.clamped(share)
    credits = None
    if most is not None and most > 0:
        if spent is None:
            spent = max(0.0, most - rest) if rest is not None else most * share / 100
        regen = first(source, "nextRegenCredits next_regen_credits", dollars)
        credits = Credits(most, spent, regen if regen and regen > 0 else None)
    step = first(source, _STEP, ql.to_number)
    step = step * 100 if step is not None and step <= 1 else step
    step = first(source, _WHOLE_STEP, ql.to_number) if step is None else step
    if step is None and credits and credits.regen:
        step = credits.regen / credits.limit * 100
    return Quota(
        label=first(source, _LABEL, ql.to_words),
        used_percent=share,
        used=used,
        limit=limit if limit and limit > 0 else None,
        minutes=length(source),
        resets_at=first(source, _RESET, moment),
        step=step if step and step > 0 else None,
        credits=credits,
    )


def _credit(kind: str) -> str:
    return f"{kind}Credits {kind}_credits"


def _in_lane(number: int, quota: Quota | None) -> Quota | None:
    id, label = _NAMED[number]
    return replace(quota, id=id, label=label) if quota else None


def _named(root: ql.Object, path: tuple[str, ...]) -> ql.Object | None:
    """The named lane that stands here, at the root or under `data`; None unless it holds a number of a quota."""
    lanes = (ql.child(root, *path), ql.child(root, "data", *path))
    return next((lane for lane in lanes if lane and (is_quota(lane) or first(lane, _MOST_CREDITS, dollars))), None)


def _week(plan: ql.Object | None, tokens: ql.Object | None) -> Quota | None:
    """The week of the plan; where that tells none, that of the tokens, which gives the dollars in either case."""
    counted, of_plan = (to_quota(lane, weekly=True) if lane else None for lane in (tokens, plan))
    if of_plan is None or counted is None:
        return of_plan or counted
    return replace(of_plan, credits=of_plan.credits or counted.credits)


def quotas(document: object) -> tuple[Quota | None, Quota | None, Quota | None]:
    """The three lanes, each in its slot; a named lane that is missing is never filled by another. Only quotas that
    have no lane of their own keep their labels."""
    root: ql.Object = {"quotas": document} if isinstance(document, list) else (ql.child(document) or {})
    rolling, weekly, search = (_named(root, path) for path in _PLACES)
    plan_week = _named(root, _PLAN_WEEK)
    if rolling or weekly or search or plan_week:
        return (
            _in_lane(0, to_quota(rolling)) if rolling else None,
            _in_lane(1, _week(plan_week, weekly)),
            _in_lane(2, to_quota(search)) if search else None,
        )
    data = ql.child(root, "data") or {}
    candidates = [root.get(name) for name in _GENERIC] + [data.get(name) for name in _GENERIC[:-1]]
    for candidate in candidates:
        found = [quota for source in collect(candidate) if (quota := to_quota(source))][:3]
        if found:
            one, two, three, *_ = [*found, None, None]
            return one, two, three
    return None, None, None


# --- all of it -------------------------------------------------------------------------------------


def _length_text(minutes: int | None) -> str | None:
    if not minutes:
        return None
    for size, name in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes % size == 0:
            count = minutes // size
            return f"{count} {name}{'' if count == 1 else 's'} window"
    return None


def regen_text(quota: Quota) -> tuple[str, str] | None:
    """What the next tick gives back and how many ticks it takes to be full; None without a step."""
    if quota.step is None:
        return None
    ticks = quota.used_percent / quota.step
    full = "Near full" if ticks <= 0.1 else f"Full in ~{math.ceil(ticks)} regens"
    if 0.1 < ticks < 1.5:
        full = "Full in ~1 regen"
    return f"{ql.percent(min(100.0, 100 - quota.used_percent + quota.step))} after next regen", full


def window_of(quota: Quota, lane: ql.Lane, number: int) -> ql.Window:
    """The window of a quota in its slot."""
    return ql.Window(
        id=quota.id or f"quota-{number + 1}",
        label=quota.label or (ql.length_name(quota.minutes) if quota.minutes else _NAMED[number][1]),
        used_percent=quota.used_percent,
        used=quota.used,
        limit=quota.limit,
        unit="requests" if quota.limit and quota.id != "weekly" else None,
        minutes=quota.minutes,
        resets_at=quota.resets_at,
        description=None if quota.resets_at else _length_text(quota.minutes),
        lane=lane,
        next_regen_percent=quota.step,
        blocks=quota.id != "search",
    )


def to_usage(document: object, now: datetime) -> ql.Usage:
    """The usage. Raises BadResponse when there is no quota."""
    lanes = quotas(document)
    if not any(lanes):
        raise ql.BadResponse("Missing quota data: Synthetic answered without a quota.")
    windows: list[ql.Window] = []
    rows: list[ql.Row] = []
    spends: list[ql.Spend] = []
    for number, (quota, lane) in enumerate(zip(lanes, _LANES, strict=True)):
        if quota is None:
            continue
        window = window_of(quota, lane, number)
        windows.append(window)
        if texts := regen_text(quota):
            rows.append(ql.Row(label=f"{window.label} regenerates", value=texts[0], secondary=texts[1]))
        if quota.credits and not spends:
            spends.append(_spend(quota, quota.credits))
            if quota.credits.regen:
                rows.append(ql.Row(label="Next regeneration", value=ql.money(quota.credits.regen)))
    root = ql.child(document) or {}
    old = None if _named(root, _PLAN_WEEK) else ql.child(root, "subscription")
    if old and (extra := to_quota(old)) and extra.limit and extra.used is not None:
        rows.append(
            ql.Row(label="Subscription requests", value=f"{ql.grouped(extra.used)} / {ql.grouped(extra.limit)}")
        )
    plan = first(root, _PLAN, ql.to_words) or first(ql.child(root, "data") or {}, _PLAN, ql.to_words)
    return ql.Usage(
        updated_at=now,
        windows=tuple(windows),
        spends=tuple(spends),
        identity=ql.Identity(plan=plan),
        details=(ql.Section(title="Quotas", rows=tuple(rows)),) if rows else (),
    )


def _spend(quota: Quota, credits: Credits) -> ql.Spend:
    return ql.Spend(
        id="credits",
        label="Credits",
        used=ql.exact(credits.used),
        limit=ql.exact(credits.limit),
        unit="USD",
        period="Weekly",
        resets_at=quota.resets_at,
        next_regen=ql.exact(credits.regen) if credits.regen else None,
    )


async def from_api(ctx: ql.Context, key: ql.Credential) -> ql.Usage:
    """One request has everything. Raises ReadError."""
    refusals = ql.refused_key("Synthetic")
    answer = await ctx.http.get(URL, ql.JsonDocument, refusals=refusals, bearer=key.secret, timeout=TIMEOUT)
    if not isinstance(answer.root, dict | list):
        raise ql.BadResponse("Synthetic answered with neither an object nor a list.")
    return to_usage(answer.root, ctx.now)


PROVIDER = ql.Provider(
    id="synthetic",
    name="Synthetic",
    kind=ql.ProviderKind.CODING,
    connect="Create an API key at synthetic.new and set SYNTHETIC_API_KEY, or store it with Quotaline.",
    summary="Five-hour requests, weekly token credits and hourly searches.",
    aliases=("synthetic.new",),
    dashboard="https://synthetic.new",
    keys="",
    status=ql.StatusPage("https://status.synthetic.new"),
    accounts=ql.AccountKind.TOKEN,
    deadline=20,
    strategies=(ql.Strategy.api(from_api, ql.ApiKey(env=("SYNTHETIC_API_KEY",))),),
)
