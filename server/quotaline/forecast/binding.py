"""The headline: the one number that stands for a provider, and when it changes hands.

Of the windows that block the account the most serious one is shown (exhausted, critical, warning, ok); of several that
are exhausted the one that resets last, else the one that runs out soonest before its reset, else the most used.

So that the line does not jump between two windows that are close, the headline changes hands only when another window
leads at two readings running. Who holds it is kept with the reading (`hold`), so that all windows of an editor and all
commands show the same. Three things do not wait, as the old headline would tell a lie: the window that holds it is gone
or was reset; another becomes exhausted; another becomes critical while the holder is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from quotaline.forecast.pace import window_pace
from quotaline.forecast.severity import LEVELS, Level, Thresholds, at_most, worse
from quotaline.forecast.traits import Traits
from quotaline.state import AUTOMATIC, NOBODY, Held, Metric
from quotaline_providers.diagnostics import note_defect
from quotaline_providers.model import Balance, Lane, Spend, Usage, Window

_LANES: tuple[Lane, ...] = ("primary", "secondary", "tertiary")

_USUAL = Thresholds()


@dataclass(frozen=True, slots=True)
class Binding:
    """What limits the user now: a window, or a spend, or a balance.

    `percent` is used, 0-100, None when unknown. `level` says how serious it is, with what raises it: a window of one
    model or feature that is nearly used up, or a low balance beside the windows. `peers` are the windows that it was
    chosen from, in display order. `over` says that its reset has passed: the number is no longer true.
    """

    label: str
    level: Level = "ok"
    percent: float | None = None
    resets_at: datetime | None = None
    window: Window | None = None
    balance: Balance | None = None
    spend: Spend | None = None
    raised_by: Window | Balance | None = None
    peers: tuple[Window, ...] = ()
    over: bool = False

    @property
    def id(self) -> str:
        """The id of the window, balance or spend."""
        chosen = self.window or self.balance or self.spend
        return chosen.id if chosen is not None else ""

    @property
    def exhausted(self) -> bool:
        if self.balance is not None:
            return self.balance.exhausted
        return self.percent is not None and self.percent >= 100


def binding(
    usage: Usage,
    traits: Traits,
    now: datetime,
    limits: Thresholds = _USUAL,
    metric: Metric = AUTOMATIC,
    held: Held = NOBODY,
) -> Binding | None:
    """The headline of a usage: the user's choice, the provider's own, else by the rule. None when there is nothing."""
    rule = _Rule(usage, traits, now, limits)
    named = _by_metric(usage, metric) or _own_choice(usage, traits, rule)
    chosen = named or rule.headline(held)
    if chosen is None:
        return None
    level, raised_by = rule.level(chosen), rule.raises(chosen, named=named is not None)
    if raised_by is not None and level == "ok":
        level = "warning"
    return Binding(
        label=chosen.label,
        level=level,
        percent=_percent(chosen),
        resets_at=None if isinstance(chosen, Balance) else chosen.resets_at,
        window=chosen if isinstance(chosen, Window) else None,
        balance=chosen if isinstance(chosen, Balance) else None,
        spend=chosen if isinstance(chosen, Spend) else None,
        raised_by=raised_by,
        peers=rule.peers,
        over=not isinstance(chosen, Balance) and is_over(chosen, now),
    )


def hold(usage: Usage, before: Usage | None, traits: Traits, now: datetime, held: Held) -> Held:
    """Who holds the headline after this reading, given the usage and the holder before it.

    This is the same for everyone, so it goes by the usual thresholds, whatever an editor's own are.
    """
    rule = _Rule(usage, traits, now, _USUAL)
    leader, holder = rule.leader, rule.named(held.id)
    if leader is None:
        return NOBODY
    was = next((window for window in before.windows if window.id == held.id), None) if before is not None else None
    if holder is None or leader == holder or (was is not None and _was_reset(was, holder, now)):
        return Held(leader.id)
    if leader.id == held.challenger or rule.takes_over(leader, holder):
        return Held(leader.id)
    return Held(holder.id, leader.id)


class _Rule:
    """The general rule over one usage."""

    def __init__(self, usage: Usage, traits: Traits, now: datetime, limits: Thresholds) -> None:
        self.usage, self.traits, self.now, self.limits = usage, traits, now, limits
        self.windows = tuple(window for window in usage.windows if not window.placeholder)
        self.peers = self._peers()

    def _peers(self) -> tuple[Window, ...]:
        """The windows among which the headline is: those that block the account, else its lanes (and what does not say
        whether it blocks). Those whose reset has passed only when there are no others, and those without a number
        likewise."""
        blocking = tuple(window for window in self.windows if window.blocks_account)
        pool = blocking or tuple(window for window in self.windows if window.lane is not None or window.blocks is None)
        current = tuple(window for window in pool if not is_over(window, self.now)) or pool
        return tuple(window for window in current if _tells(window)) or current

    def level(self, chosen: Window | Balance | Spend) -> Level:
        """How serious the headline is. A window that does not block the account is a warning at most."""
        if isinstance(chosen, Balance):
            return self.limits.balance_level(chosen)
        level = self.limits.level(_percent(chosen))
        return at_most(level, "warning") if isinstance(chosen, Window) and not chosen.blocks_account else level

    def raises(self, chosen: Window | Balance | Spend, *, named: bool) -> Window | Balance | None:
        """What raises the colour beside the headline: the fullest window of one model or feature from its threshold on,
        else a low balance. Where the headline was `named` and not found by the rule, any other window may.

        One without a length does not: used-up voice slots or a spent bonus are no limit that comes nearer.
        """
        others = [
            window
            for window in self.windows
            if window != chosen
            and (named or not window.blocks_account)
            and window.minutes is not None
            and not is_over(window, self.now)
            and self.limits.level(window.shown_percent) != "ok"
        ]
        fullest = max(others, key=lambda window: window.shown_percent or 0, default=None)
        low = (balance for balance in self.usage.balances if balance != chosen and self.limits.is_low(balance))
        return fullest or next(low, None)

    @property
    def leader(self) -> Window | None:
        in_order = [window for lane in _LANES for window in self.peers if window.lane == lane]
        in_order += [window for window in self.peers if window.lane is None]
        return max(in_order, key=self._rank, default=None)

    def _rank(self, window: Window) -> tuple[int, float, float]:
        """More is shown before less; of equals the first."""
        percent = window.shown_percent
        if window.exhausted:
            last = window.resets_at.timestamp() if window.resets_at is not None else float("inf")
            return LEVELS.index("exhausted"), last, 0.0
        level = LEVELS.index(self.limits.level(percent))
        return level, -self._runs_out(window), -1.0 if percent is None else percent

    def _runs_out(self, window: Window) -> float:
        """In how many seconds it is used up at this pace; infinite when it lasts or nothing is known."""
        pace = window_pace(self.traits.pace, window, self.now)
        if pace is None or pace.eta is None or not pace.shown:
            return float("inf")
        return pace.eta.total_seconds()

    def named(self, id: str) -> Window | None:
        return next((window for window in self.peers if window.id == id), None)

    def takes_over(self, leader: Window, holder: Window) -> bool:
        """Whether the leader takes the headline at once."""
        level = self.limits.level(leader.shown_percent)
        return leader.exhausted or (level == "critical" and worse(level, self.limits.level(holder.shown_percent)))

    def headline(self, held: Held) -> Window | Balance | Spend | None:
        leader, holder = self.leader, self.named(held.id)
        if leader is not None:
            return leader if holder is None or self.takes_over(leader, holder) else holder
        spends, balances = self.usage.spends, self.usage.balances
        limited = next((spend for spend in spends if spend.limit is not None and spend.limit > 0), None)
        return limited or next(iter(balances), None) or next(iter(spends), None)


def is_over(one: Window | Spend, now: datetime) -> bool:
    """Whether its reset has passed: what it says is no longer true. What fills up step by step has no reset."""
    step = one.next_regen_percent if isinstance(one, Window) else one.next_regen
    return one.resets_at is not None and one.resets_at <= now and step is None


def _was_reset(before: Window, after: Window, now: datetime) -> bool:
    """Whether a window was reset between two readings."""
    if is_over(before, now):
        return True
    fell = (after.shown_percent or 0) < (before.shown_percent or 0)
    return fell and before.next_regen_percent is None and before.resets_at != after.resets_at


def _tells(window: Window) -> bool:
    return window.used_percent is not None or window.unlimited


def _by_metric(usage: Usage, metric: Metric) -> Window | Balance | Spend | None:
    """What the user has named; None when the usage does not have it."""
    if metric == "spend":
        return next(iter(usage.spends), None)
    if metric == "balance":
        return next(iter(usage.balances), None)
    return next((window for window in usage.windows if window.id == metric and not window.placeholder), None)


def _own_choice(usage: Usage, traits: Traits, rule: _Rule) -> Window | Balance | None:
    """What the provider itself wants to be shown, unless it is no longer true."""
    if traits.binding is None:
        return None
    try:
        id = traits.binding(usage)
    except Exception as error:  # a third-party provider must not take the status line down
        note_defect("choosing the window to show", error)
        return None
    if id is None:
        return None
    window = next((window for window in rule.windows if window.id == id), None)
    if window is not None:
        return None if is_over(window, rule.now) and not all(is_over(one, rule.now) for one in rule.peers) else window
    return next((balance for balance in usage.balances if balance.id == id), None)


def _percent(chosen: Window | Balance | Spend) -> float | None:
    """Percent used, 0-100; None without a limit."""
    if isinstance(chosen, Window):
        return chosen.shown_percent
    if isinstance(chosen, Balance) or chosen.limit is None or chosen.limit <= 0:
        return None
    return min(100.0, max(0.0, float(chosen.used / chosen.limit * 100)))
