"""How the limits of a plan, its token history and the account's money become a usage."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from quotaline_providers import (
    SESSION_MINUTES,
    WEEK_MINUTES,
    BadResponse,
    Balance,
    Chart,
    Confidence,
    ExpiredCredential,
    Forbidden,
    Identity,
    Lane,
    Point,
    RateLimited,
    ReadError,
    Row,
    Section,
    Unavailable,
    Usage,
    Window,
    believable_reset,
    exact,
    grouped,
    parse_or_none,
    sentence,
    to_text,
    tokens,
    yuan,
)
from quotaline_providers.formatting import duration
from quotaline_providers.vendors.zai.payloads import UNITS, AccountReport, Envelope, History, Limit

_TOP = 20
_MOST_KINDS = 6
_KIND = re.compile(r"[A-Z][A-Z_]{2,31}")
UNKNOWN_KINDS = "z.ai also sent limits of kinds that are not known ({}); one of them may be nearer."
KEY_HINT = "Check the key, and that it belongs to the region in use."
TEAM_HINT = "A team account needs its organizationId and workspaceID exactly as the vendor shows."

# --- limits and windows ----------------------------------------------------------------------------


_GOOD_CODES = (None, 0, 200)
_REFUSED_CODES = (401, 1000, 1001, 1002, 1003, 1004)
_LIMITED_CODES = (429, 1302, 1303, 1305)
_REFUSED_WORDS = ("unauthorized", "authentication", "token expired", "invalid api key")


def data_of(envelope: Envelope) -> object:
    """The content of a successful answer. Raises what a refusal means, which may come with HTTP 200, too: Forbidden (no
    plan), ExpiredCredential, RateLimited, BadResponse."""
    code, message = envelope.code, (envelope.msg or "").lower()
    if envelope.success is True and code in _GOOD_CODES:
        return envelope.data
    if no_package(envelope):
        raise no_plan()
    said = f" (code {code})" if code is not None else ""
    if code in _REFUSED_CODES or any(words in message for words in _REFUSED_WORDS):
        raise ExpiredCredential(f"z.ai refused the API key{said}.", KEY_HINT)
    if code in _LIMITED_CODES:
        raise RateLimited(f"z.ai has had too many requests{said}.")
    words = sentence(envelope.msg)
    told = f"{said}: {words}" if words else f"{said}."
    raise BadResponse(f"z.ai refused the request{told}", "Check the API key, its region and the team ids.")


def no_package(envelope: Envelope) -> bool:
    """Whether this failure says that the account has no coding plan."""
    message = (envelope.msg or "").lower()
    telling = ("insufficient balance", "no resource package", "no active coding package")
    failed = envelope.success is False and "coding plan" in message
    return envelope.code == 1113 or failed or any(words in message for words in telling)


def no_plan() -> Forbidden:
    """The error of an account without a plan: what was known of it before is no longer true."""
    return Forbidden("This account has no active coding plan.", "Subscribe to a GLM Coding Plan.", definite=True)


def limits_of(envelope: Envelope, *, team: bool) -> tuple[tuple[Limit, ...], tuple[str, ...]]:
    """The limits of a known kind, none where none were sent, and the names of the kinds that are not known.

    Raises BadResponse when none is understood, or one does not say how much of it is used; Forbidden for a person's key
    whose answer holds nothing at all: there is no plan."""
    data = data_of(envelope)
    if data is None and envelope.has_data and not team:
        raise no_plan()
    items = data.get("limits") if isinstance(data, dict) else ""
    if items is None:
        return (), ()
    if not isinstance(items, list):
        raise BadResponse("z.ai answered without limits (field data).", TEAM_HINT if team else "")
    parsed = [limit for item in items if (limit := parse_or_none(Limit, item)) is not None]
    known = tuple(limit for limit in parsed if limit.kind)
    if any(limit.percent is None for limit in known):
        raise BadResponse("z.ai answered with a limit that does not say how much of it is used.")
    if items and not known:
        raise BadResponse("Usage unavailable: z.ai sent only limits of kinds that are not understood.")
    others = (limit.type or limit.name or "" for limit in parsed if not limit.kind and limit.percent)
    return known, tuple(dict.fromkeys(name if _KIND.fullmatch(name) else "?" for name in others))[:_MOST_KINDS]


def nothing_sent(*, team: bool, partial: Usage) -> ReadError:
    """The error of an answer without limits. It says nothing against the key; of a team it is about wrong ids. An
    amount that is known stands beside it."""
    known = partial if partial.balances else None
    message = "Usage unavailable: z.ai sent no limits for this {}."
    if team:
        return BadResponse(message.format("team"), TEAM_HINT, partial=known)
    hint = "Look at the plan on the dashboard, or try again later."
    return Unavailable(message.format("account"), hint, partial=known)


def plan_of(data: object) -> str | None:
    """The plan's name in an answer."""
    if not isinstance(data, dict):
        return None
    names = ("planName", "plan", "plan_type", "packageName", "level")
    return next((text for name in names if isinstance(data.get(name), str) and (text := to_text(data[name]))), None)


def reset_text(limit: Limit) -> str | None:
    """How long a limit's window is, in words."""
    minutes = limit.minutes
    if limit.kind == "TIME_LIMIT":
        return "MCP"
    if minutes == SESSION_MINUTES:
        return "5-hour"
    if minutes is None or not limit.number:
        return None
    return f"{limit.number} {UNITS[limit.unit or 0][1]}{'' if limit.number == 1 else 's'} window"


def window_of(limit: Limit, id: str, label: str, lane: Lane | None, now: datetime) -> Window:
    """The window of a limit in its slot."""
    resets_at = believable_reset(limit.minutes, limit.nextResetTime, now)
    return Window(
        id=id,
        label=label,
        used_percent=limit.percent,
        used=limit.used,
        limit=limit.usage if limit.usage and limit.usage > 0 else None,
        minutes=limit.minutes,
        resets_at=resets_at,
        reset_refused=resets_at is None and limit.nextResetTime is not None,
        description=reset_text(limit),
        lane=lane,
        blocks=limit.kind != "TIME_LIMIT",
    )


def by_length(limits: Iterable[Limit]) -> list[Limit]:
    """Token and credit limits, shortest first; one of unknown length is the longest."""
    return sorted(
        (limit for limit in limits if limit.kind != "TIME_LIMIT"),
        key=lambda limit: float("inf") if limit.minutes is None else limit.minutes,
    )


def main_limits(quotas: list[Limit]) -> list[Limit]:
    """Those that the shortest and the longest window are chosen from: one of unknown length is the longest only where
    no two lengths are known."""
    known = [limit for limit in quotas if limit.minutes is not None]
    return known if len(known) > 1 else quotas


def windows(limits: tuple[Limit, ...], now: datetime) -> tuple[Window, ...]:
    """Shortest first, longest second, then any other; the tool calls last, second where only one other limit is told,
    or first when alone."""
    quotas, calls = by_length(limits), tool_calls(limits)
    main = main_limits(quotas)
    found = []
    if main:
        found.append(window_of(main[0], "session", _label(main[0]), "primary", now))
    if len(main) > 1:
        found.append(window_of(main[-1], "weekly", _label(main[-1]), "secondary", now))
    for number, limit in enumerate(main[1:-1], 1):
        found.append(window_of(limit, f"limit-{number}", _label(limit), None, now))
    for number, limit in enumerate(quotas[len(main) :], 1):
        found.append(window_of(limit, "quota" if number == 1 else f"quota-{number}", _label(limit), None, now))
    if calls:
        window = window_of(calls, "zai-mcp", "MCP", None if quotas else "primary", now)
        found.append(window.model_copy(update={"also": "secondary"}) if len(quotas) == 1 else window)
    return tuple(found)


def _label(limit: Limit) -> str:
    known = {SESSION_MINUTES: "5-hour", WEEK_MINUTES: "Weekly"}
    return "Quota" if limit.minutes is None else known.get(limit.minutes) or reset_text(limit) or "Quota"


def tool_calls(limits: Iterable[Limit]) -> Limit | None:
    """The limit of calls to the vendor's tools: of several the last."""
    return next((limit for limit in reversed(tuple(limits)) if limit.kind == "TIME_LIMIT"), None)


# --- rows and charts -------------------------------------------------------------------------------


def quota_section(limits: tuple[Limit, ...], report: AccountReport | None, now: datetime) -> Section:
    """The limits' amounts, and what else is known about them."""
    quotas, calls = by_length(limits), tool_calls(limits)
    main = main_limits(quotas)
    rows = [_quota_row(_noun(main[-1]).capitalize(), main[-1])] if main else []
    if len(main) > 1:
        rows.append(_quota_row(f"Session {_noun(main[0])}", main[0]))
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
    granted = report.giveAmount if report.giveAmount and report.giveAmount > 0 else None
    parts = (("recharged", report.rechargeAmount), ("granted", granted), ("spent", report.totalSpendAmount))
    shown = [f"{word} {yuan(value)}" for word, value in parts if value is not None]
    return Row(label="Account balance", value=yuan(amount), secondary=" · ".join(shown) or None)


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


# --- all of it -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Extras:
    """What the optional calls gave; None where they gave nothing."""

    report: AccountReport | None = None
    hourly: History | None = None
    daily: History | None = None
    product: str | None = None


def to_usage(envelope: Envelope, extras: Extras, now: datetime, *, team: bool = False) -> Usage:
    """The usage of one key. Raises as `limits_of` does; Unavailable, with what else is known, without any limit."""
    limits, unknown = limits_of(envelope, team=team)
    report = extras.report
    sections = (
        quota_section(limits, report, now),
        history_section(extras.hourly, "Hourly tokens"),
        history_section(extras.daily, "Daily tokens"),
    )
    balances: tuple[Balance, ...] = ()
    if report and report.amount is not None:
        balances = (Balance(id="account", label="Account balance", amount=exact(report.amount), unit="CNY"),)
    usage = Usage(
        updated_at=now,
        windows=windows(limits, now),
        balances=balances,
        identity=Identity(plan=extras.product or plan_of(envelope.data)),
        details=tuple(section for section in sections if section and section.rows),
        notes=(UNKNOWN_KINDS.format(", ".join(unknown)),) if unknown else (),
        confidence=Confidence.EXACT if limits and not unknown else Confidence.UNKNOWN,
        unread_limits=unknown,
        limits_unavailable=not limits,
    )
    if not limits:
        raise nothing_sent(team=team, partial=usage)
    return usage
