"""The one window a status bar shows of a provider, and how serious that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from quotaline.forecast.traits import Traits
from quotaline.settings import StatusLineSettings
from quotaline.state import ProviderState
from quotaline_providers.diagnostics import note_defect
from quotaline_providers.model import WEEK_MINUTES, Balance, Blocked, Lane, Spend, Usage, Window

Severity = Literal["ok", "warning", "critical", "stale", "error", "empty"]
WORST_FIRST: tuple[Severity, ...] = ("critical", "warning", "error", "stale", "ok", "empty")
"""A limit that is nearly reached concerns the user more than a provider that cannot be read."""

_LANES: tuple[Lane, ...] = ("primary", "secondary", "tertiary")


@dataclass(frozen=True, slots=True)
class Binding:
    """What limits the user now: a window, or a spend limit, or a balance, or an unlimited spend.

    `percent` is used, 0-100, None when unknown. `capped_by` is the exhausted longer window that makes it 100.
    """

    label: str
    percent: float | None = None
    resets_at: datetime | None = None
    window: Window | None = None
    balance: Balance | None = None
    spend: Spend | None = None
    capped_by: Window | None = None

    @property
    def exhausted(self) -> bool:
        if self.balance is not None:
            return self.balance.amount <= 0
        return self.percent is not None and self.percent >= 100


def binding(usage: Usage, traits: Traits, now: datetime) -> Binding | None:
    """The one thing to show: the provider's own choice, else the general rule. None when there is nothing to show."""
    candidates = tuple(window for window in usage.windows if not window.placeholder)
    current = tuple(window for window in candidates if not _is_over(window, now))
    chosen = _own_choice(usage, traits)
    if isinstance(chosen, Balance):
        return _of_balance(chosen)
    if chosen is None or chosen not in current:
        chosen = _general_choice(current) or _general_choice(candidates)
    if chosen is not None:
        return _of_window(chosen, _caps(chosen, current) if traits.longer_caps else ())
    limited = next((spend for spend in usage.spends if spend.limit is not None and spend.limit > 0), None)
    if limited is not None:
        return _of_spend(limited)
    if usage.balances:
        return _of_balance(usage.balances[0])
    return _of_spend(usage.spends[0]) if usage.spends else None


def severity(state: ProviderState, bound: Binding | None, settings: StatusLineSettings, now: datetime) -> Severity:
    """How serious a provider is.

    Old numbers say little, except that a limit once reached stays reached until its reset.
    """
    if state.usage is None:
        return "error" if state.failure and not state.quiet else "empty"
    level, over = _level(bound, settings), _has_reset(bound, now)
    if in_force(state.usage, now) is not None:
        return "critical"
    if (state.stale or over) and (level != "critical" or over):
        return "stale"
    return level


def standing(state: ProviderState, bound: Binding | None, settings: StatusLineSettings, now: datetime) -> Severity:
    """How serious a provider is as far as is known: old numbers count as much as fresh ones, until their reset."""
    if state.usage is None or _has_reset(bound, now):
        return severity(state, bound, settings, now)
    return "critical" if in_force(state.usage, now) is not None else _level(bound, settings)


def in_force(usage: Usage, now: datetime) -> Blocked | None:
    """The vendor's word that the account cannot be used, unless its end has passed."""
    blocked = usage.blocked
    return blocked if blocked is not None and (blocked.until is None or blocked.until > now) else None


def worst(severities: tuple[Severity, ...]) -> Severity:
    """The worst of several; `empty` for none."""
    return min(severities, key=WORST_FIRST.index, default="empty")


def _has_reset(bound: Binding | None, now: datetime) -> bool:
    return bound is not None and bound.resets_at is not None and bound.resets_at <= now


def _level(bound: Binding | None, settings: StatusLineSettings) -> Severity:
    if bound is None:
        return "ok"
    if bound.exhausted or (bound.percent is not None and bound.percent >= settings.critical_at):
        return "critical"
    if bound.percent is not None and bound.percent >= settings.warning_at:
        return "warning"
    return "ok"


def _is_over(window: Window, now: datetime) -> bool:
    """Exhausted, but its reset has passed: what it says is no longer true."""
    return window.exhausted and window.resets_at is not None and window.resets_at <= now


def _own_choice(usage: Usage, traits: Traits) -> Window | Balance | None:
    if traits.binding is None:
        return None
    try:
        id = traits.binding(usage)
    except Exception as error:  # a third-party provider must not take the status line down
        note_defect("choosing the window to show", error)
        return None
    if id is None:
        return None
    window = next((window for window in usage.windows if window.id == id), None)
    return window or next((balance for balance in usage.balances if balance.id == id), None)


def _general_choice(windows: tuple[Window, ...]) -> Window | None:
    lanes = [window for lane in _LANES for window in windows if window.lane == lane]
    for window in lanes:
        if window.exhausted:
            return window
    ordered = [*lanes, *(window for window in windows if window.lane is None)]
    known = [window for window in ordered if window.used_percent is not None]
    return next(iter(known or ordered), None)


def _caps(session: Window, windows: tuple[Window, ...]) -> tuple[Window, ...]:
    """The exhausted windows that outlast this one and therefore block it too.

    A third lane counts only when it is longer than a week: Claude's is a weekly limit of one model.
    """
    return tuple(
        window
        for window in windows
        if window.exhausted
        and window.id != session.id
        and (window.lane == "secondary" or (window.lane == "tertiary" and (window.minutes or 0) > WEEK_MINUTES))
        and (session.lane == "primary" if None in (window.minutes, session.minutes) else _longer(window, session))
    )


def _longer(window: Window, session: Window) -> bool:
    return (window.minutes or 0) > (session.minutes or 0)


def _of_window(window: Window, caps: tuple[Window, ...]) -> Binding:
    if not caps:
        return Binding(window.label, window.shown_percent, window.resets_at, window=window)
    resets = [cap.resets_at for cap in (*caps, window) if cap.resets_at is not None]
    last = max(caps, key=lambda cap: (cap.resets_at is not None, cap.resets_at and cap.resets_at.timestamp()))
    return Binding(window.label, 100.0, max(resets, default=None), window=window, capped_by=last)


def _of_balance(balance: Balance) -> Binding:
    return Binding(balance.label, balance=balance)


def _of_spend(spend: Spend) -> Binding:
    percent = None
    if spend.limit is not None and spend.limit > 0:
        percent = min(100.0, max(0.0, float(spend.used / spend.limit * 100)))
    return Binding(spend.label, percent, spend.resets_at, spend=spend)
