"""What Volcengine's plans mean: their windows, from whichever way they were read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from quotaline_providers import (
    MONTH_MINUTES,
    SESSION_MINUTES,
    WEEK_MINUTES,
    BadResponse,
    Confidence,
    Identity,
    Lane,
    MissingCredential,
    Usage,
    Window,
    at_epoch,
    clamped,
    to_number,
    to_text,
    to_time,
)
from quotaline_providers.secret import redact
from quotaline_providers.vendors.doubao.credentials import SIGN_IN
from quotaline_providers.vendors.doubao.payloads import AgentAnswer, AgentQuota, CodingAnswer, Item, Report

SEE = "Run `arkcli usage plan` to see what it prints."
_LONGEST_LINE = 120

Level = Literal["session", "weekly", "monthly"]
Plan = Literal["coding-plan", "agent-plan", "coding-plan-team", "agent-plan-team"]

PLANS: Mapping[Plan, str] = {
    "coding-plan": "",
    "agent-plan": "doubao-agent-",
    "coding-plan-team": "doubao-coding-team-",
    "agent-plan-team": "doubao-agent-team-",
}
"""The plans in display order, and what their windows' ids begin with."""
_LEVELS: Mapping[Level, tuple[str, int, Lane]] = {
    "session": ("5-hour", SESSION_MINUTES, "primary"),
    "weekly": ("Weekly", WEEK_MINUTES, "secondary"),
    "monthly": ("Monthly", MONTH_MINUTES, "tertiary"),
}
_NAMES: Mapping[str, Level] = {
    **dict.fromkeys(("session", "5-hour", "five_hour", "5h"), "session"),
    **dict.fromkeys(("weekly", "week"), "weekly"),
    **dict.fromkeys(("monthly", "month"), "monthly"),
}


@dataclass(frozen=True)
class Quota:
    """How much of one plan's allowance is used (0-100), and when it resets."""

    plan: Plan
    level: Level
    percent: float
    resets_at: datetime | None = None


def level_named(name: str | None) -> Level | None:
    """The level of this name, in any of the vendor's spellings."""
    return _NAMES.get((name or "").strip().lower())


def windows(quotas: Iterable[Quota]) -> tuple[Window, ...]:
    """Plan after plan, shortest first; of a repeated level the first counts. Only the Coding Plan has lanes.

    The first plan is the account's; a second one is an allowance of its own and stops nothing.
    """
    known: dict[tuple[Plan, Level], Quota] = {}
    for quota in quotas:
        known.setdefault((quota.plan, quota.level), quota)
    found = [known[plan, level] for plan in PLANS for level in _LEVELS if (plan, level) in known]
    return tuple(_window(quota, blocks=quota.plan == found[0].plan) for quota in found)


def _window(quota: Quota, blocks: bool) -> Window:
    label, minutes, lane = _LEVELS[quota.level]
    return Window(
        id=PLANS[quota.plan] + quota.level,
        label=label,
        used_percent=clamped(quota.percent),
        minutes=minutes,
        resets_at=quota.resets_at,
        lane=lane if quota.plan == "coding-plan" else None,
        blocks=blocks,
    )


# --- the OpenAPI -----------------------------------------------------------------------------------


def coding_quotas(answer: CodingAnswer) -> tuple[Quota, ...]:
    """The windows of the Coding Plan; levels that are not known are left out."""
    return tuple(
        Quota("coding-plan", level, item.Percent, at_epoch(item.ResetTimestamp or 0))
        for item in answer.Result.QuotaUsage or ()
        if (level := level_named(item.Level))
    )


def agent_quotas(answer: AgentAnswer) -> tuple[Quota, ...]:
    """The windows of the Agent Plan."""
    result = answer.Result
    levels: tuple[tuple[Level, AgentQuota | None], ...] = (
        ("session", result.AFPFiveHour),
        ("weekly", result.AFPWeekly),
        ("monthly", result.AFPMonthly),
    )
    return tuple(
        Quota("agent-plan", level, item.Used / item.Quota * 100, item.ResetTime)
        for level, item in levels
        if item and item.Used is not None and item.Quota is not None and item.Quota > 0
    )


def plans_usage(coding: CodingAnswer, agent: AgentAnswer | None, now: datetime) -> Usage:
    """Both plans together; an Agent Plan without Coding Plan stands alone, without that one's state."""
    from_coding = coding_quotas(coding)
    from_agent = agent_quotas(agent) if agent else ()
    alone = bool(from_agent) and not from_coding
    updated = None if alone else at_epoch(coding.Result.UpdateTimestamp or 0)
    return Usage(
        updated_at=updated or now,
        windows=windows((*from_coding, *from_agent)),
        identity=Identity(login=None if alone else coding.Result.Status),
        confidence=Confidence.EXACT,
    )


# --- arkcli ----------------------------------------------------------------------------------------


def moment(value: object) -> datetime | None:
    """ISO 8601, or a positive number: milliseconds from 1e11 on (`to_time` has another limit), else seconds."""
    number = to_number(value)
    if number is None:
        return to_time(value)
    return at_epoch(number / 1000 if number >= 1e11 else number)


def plan_of(item: Item) -> Plan | None:
    """The plan of an item; None for one that is unknown or not subscribed to."""
    name = (item.product or "").lower()
    return None if item.subscribed is False else next((plan for plan in PLANS if plan == name), None)


def own_words(error: object) -> str | None:
    """The program's own error line, short and without what looks like a secret."""
    line = " ".join((to_text(error) or "")[:1000].split())
    return redact("".join(char for char in line if char.isprintable()))[:_LONGEST_LINE].rstrip(". ") or None


def report_usage(report: Report, now: datetime) -> Usage:
    """All plans subscribed to. Raises MissingCredential (signed out) and BadResponse (a plan without its periods)."""
    method = report.viewer.auth_method if report.viewer else None
    if (method or "").lower() == "none":
        raise signed_out()
    items = [(plan, item) for item in report.items or () if (plan := plan_of(item))]
    for plan, item in items:
        if not item.periods:
            why = f": {reason}." if (reason := own_words(item.error)) else "."
            raise BadResponse(f"arkcli could not report the usage of {plan}{why}", SEE)
    quotas = [
        Quota(plan, level, period.percent, moment(period.reset_at))
        for plan, item in items
        for period in item.periods or ()
        if period.percent is not None and (level := level_named(period.label))
    ]
    if not quotas:
        reason = next((words for _, item in items if (words := own_words(item.error))), None)
        raise BadResponse("arkcli reported no plan's usage" + (f": {reason}." if reason else "."), SEE)
    updated = [time for _, item in items if (time := moment(item.updated_at))]
    return Usage(
        updated_at=max(updated, default=now),
        windows=windows(quotas),
        identity=Identity(login=method),
        confidence=Confidence.EXACT,
    )


def signed_out() -> MissingCredential:
    """The error of a program without a login."""
    return MissingCredential("The program `arkcli` is not signed in.", SIGN_IN)
