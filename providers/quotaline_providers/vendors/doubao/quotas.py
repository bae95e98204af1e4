"""The windows of Volcengine's plans, from whichever way they were read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from quotaline_providers.model import MONTH_MINUTES, SESSION_MINUTES, WEEK_MINUTES, Lane, Window

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
    """How much of one plan's allowance is used (0-100), and when it starts anew."""

    plan: Plan
    level: Level
    percent: float
    resets_at: datetime | None = None


def level_named(name: str | None) -> Level | None:
    """The level of this name, in any of the vendor's spellings."""
    return _NAMES.get((name or "").strip().lower())


def windows(quotas: Iterable[Quota]) -> tuple[Window, ...]:
    """Plan after plan, shortest first; of a level told twice the first counts. Only the Coding Plan has lanes."""
    known: dict[tuple[Plan, Level], Quota] = {}
    for quota in quotas:
        known.setdefault((quota.plan, quota.level), quota)
    return tuple(_window(known[plan, level]) for plan in PLANS for level in _LEVELS if (plan, level) in known)


def _window(quota: Quota) -> Window:
    label, minutes, lane = _LEVELS[quota.level]
    return Window(
        id=PLANS[quota.plan] + quota.level,
        label=label,
        used_percent=min(100.0, max(0.0, quota.percent)),
        minutes=minutes,
        resets_at=quota.resets_at,
        lane=lane if quota.plan == "coding-plan" else None,
    )
