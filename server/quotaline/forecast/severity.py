"""How serious a number is, and a provider: by how much is used, by what the vendor says, by how old the number is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from quotaline.settings import StatusLineSettings
from quotaline.state import ProviderState
from quotaline_providers.model import Balance, Blocked, Usage

Severity = Literal["ok", "warning", "critical", "stale", "error", "empty"]
WORST_FIRST: tuple[Severity, ...] = ("critical", "warning", "error", "stale", "ok", "empty")
"""A limit that is nearly reached concerns the user more than a provider that cannot be read."""

Level = Literal["ok", "warning", "critical", "exhausted"]
"""How serious a number is."""
LEVELS: tuple[Level, ...] = ("ok", "warning", "critical", "exhausted")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which percentages (used, 0-100) a window is a warning and critical, and below which amount money is low, by
    unit (`USD`, `credits`)."""

    warning_at: float = 80
    critical_at: float = 95
    low_balance: Mapping[str, Decimal] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: StatusLineSettings, low_balance: Mapping[str, Decimal]) -> Thresholds:
        return cls(settings.warning_at, settings.critical_at, low_balance)

    def level(self, percent: float | None) -> Level:
        """The level of a percentage; an unknown one is harmless."""
        if percent is None:
            return "ok"
        if percent >= 100:
            return "exhausted"
        if percent >= self.critical_at:
            return "critical"
        return "warning" if percent >= self.warning_at else "ok"

    def balance_level(self, balance: Balance) -> Level:
        """The level of an amount that is left: nothing left, or less than the user wants."""
        if balance.exhausted:
            return "exhausted"
        return "warning" if self.is_low(balance) else "ok"

    def is_low(self, balance: Balance) -> bool:
        """Whether less is left than the user has set for this unit."""
        low = self.low_balance.get(balance.unit.casefold())
        return low is not None and balance.amount < low


def worse(one: Level, other: Level) -> bool:
    """Whether one level is more serious than the other."""
    return LEVELS.index(one) > LEVELS.index(other)


def at_most(level: Level, most: Level) -> Level:
    return most if worse(level, most) else level


def in_force(usage: Usage, now: datetime) -> Blocked | None:
    """The vendor's word that the account cannot be used, unless its end has passed."""
    blocked = usage.blocked
    return blocked if blocked is not None and (blocked.until is None or blocked.until > now) else None


def severity(state: ProviderState, level: Level, *, over: bool, now: datetime) -> Severity:
    """How serious a provider is. `level` is that of its headline, `over` says that the headline's reset has passed.

    Old numbers say little, except that a limit once reached stays reached until its reset.
    """
    if state.usage is None:
        return "error" if state.failure is not None and not state.quiet else "empty"
    if in_force(state.usage, now) is not None:
        return "critical"
    found = of_level(level)
    return "stale" if over or (state.stale and found != "critical") else found


def standing(state: ProviderState, level: Level, *, over: bool, now: datetime) -> Severity:
    """How serious a provider is as far as is known: old numbers count as much as fresh ones, until their reset."""
    if state.usage is None or over or in_force(state.usage, now) is not None:
        return severity(state, level, over=over, now=now)
    return of_level(level)


def of_level(level: Level) -> Severity:
    """How serious a number of this level makes what it is the number of."""
    return "critical" if level == "exhausted" else level


def worst(severities: tuple[Severity, ...]) -> Severity:
    """The worst of several; `empty` for none."""
    return min(severities, key=WORST_FIRST.index, default="empty")
