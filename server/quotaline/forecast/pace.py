"""Pace: is a window used up faster or slower than its time passes, and will it last."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Literal

from quotaline_providers.contract import Paced
from quotaline_providers.diagnostics import note_defect
from quotaline_providers.lengths import usual_length
from quotaline_providers.model import MONTH_MINUTES, SESSION_MINUTES, WEEK_MINUTES, Usage, Window

Stage = Literal[
    "onTrack", "slightlyAhead", "slightlyBehind", "ahead", "behind", "farAhead", "farBehind"
]  # ahead: used faster than the clock

_LEAST_EXPECTED = 3.0
_LEAST_OF_A_WEEK = 1.0


@dataclass(frozen=True, slots=True)
class WorkWeek:
    """The user's working days: so many from Monday on, each a whole day in their zone."""

    days: int
    zone: tzinfo

    def spans(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The parts of a time in which there is work, in order."""
        midnight = datetime.combine(start.astimezone(self.zone).date(), time(), self.zone)
        while midnight.astimezone(UTC) < end:
            following = datetime.combine(midnight.date() + timedelta(days=1), time(), self.zone)
            if midnight.weekday() < self.days:
                yield max(start, midnight.astimezone(UTC)), min(end, following.astimezone(UTC))
            midnight = following

    def worked(self, start: datetime, end: datetime) -> timedelta:
        """How much of a time is work."""
        return sum((until - since for since, until in self.spans(start, end)), timedelta())

    def after(self, start: datetime, work: timedelta, end: datetime) -> timedelta | None:
        """How long from `start` until so much work is done; None when that is not before `end`."""
        for since, until in self.spans(start, end):
            if work < until - since:
                return since + work - start
            work -= until - since
        return None


@dataclass(frozen=True, slots=True)
class Pace:
    """A window's pace. Percents are 0-100, `delta` is actual minus expected, `eta` None when it lasts to the reset.

    `elapsed` and `left` are work time where only that counts.
    """

    window: str
    stage: Stage
    actual: float
    expected: float
    eta: timedelta | None
    elapsed: timedelta
    left: timedelta
    session: bool = False
    weekly: bool = False
    headroom: bool = False

    @property
    def delta(self) -> float:
        return self.actual - self.expected

    @property
    def lasts(self) -> bool:
        return self.eta is None

    @property
    def shown(self) -> bool:
        """Worth a line: something is left and enough time has passed to say anything."""
        return self.actual < 100 and self.expected >= _LEAST_EXPECTED

    @property
    def shown_in_bar(self) -> bool:
        """Worth its token in a status bar, where a week's pace is told from its second hour on."""
        return self.actual < 100 and self.expected >= (_LEAST_OF_A_WEEK if self.weekly else _LEAST_EXPECTED)

    @property
    def token(self) -> str:
        """For a status bar: `+11%`, `-8%`, `0%`."""
        delta = rounded(self.delta)
        return f"{delta:+d}%" if delta else "0%"

    @property
    def summary(self) -> str:
        """`6% in reserve | Expected 43% used | Lasts until reset`, the words of CodexBar's JSON."""
        return " | ".join(part for part in (self._lead(), self._expectation(), self._end(), self._headroom()) if part)

    def _lead(self) -> str:
        if self.stage == "onTrack":
            return "On pace"
        return f"{rounded(abs(self.delta))}% in {'deficit' if self.delta > 0 else 'reserve'}"

    def _expectation(self) -> str:
        return f"Expected {rounded(self.expected)}% used"

    def _end(self) -> str:
        if self.eta is None:
            return "Lasts until reset"
        when = "now" if self.eta.total_seconds() < 1 else f"in {_rounded_up(self.eta)}"
        return f"Projected empty {when}" if self.session else f"Runs out {when}"

    def _headroom(self) -> str | None:
        return f"{self.spare_ratio:.1f}× headroom" if self.spare_ratio is not None else None

    @property
    def spare_ratio(self) -> float | None:
        """How many times what will be used at this pace would fit into what is left, cut to a tenth; None when that is
        not worth telling."""
        if not self.headroom or self.delta >= -15 or self.actual <= 0:
            return None
        projected = self.actual / self.elapsed.total_seconds() * self.left.total_seconds()
        ratio = (100 - self.actual) / projected
        return int(ratio * 10) / 10 if ratio >= 1.5 else None


def _rounded_up(left: timedelta) -> str:
    """A duration as CodexBar's JSON has it: minutes rounded up, and `2d 4m` where there are no hours."""
    minutes = max(1, -int(-left.total_seconds() // 60))
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    units = ((days, "d"), (hours, "h"), (minutes, "m"))
    return " ".join([f"{count}{unit}" for count, unit in units if count][:2])


def rounded(value: float) -> int:
    """A whole number, half away from zero."""
    return int(abs(value) + 0.5) * (1 if value >= 0 else -1)


def pace(
    window: Window,
    now: datetime,
    default_minutes: int | None = None,
    *,
    headroom: bool = False,
    work: WorkWeek | None = None,
) -> Pace | None:
    """The pace of one window, None when nothing can be said. `default_minutes` is its length when it tells none; with
    `work` only working days count in a window of a week."""
    minutes = window.minutes if window.minutes is not None else default_minutes
    if window.resets_at is None or window.placeholder or window.shown_percent is None or not minutes or minutes < 0:
        return None
    try:
        length = _month_before(window.resets_at) if minutes == MONTH_MINUTES else timedelta(minutes=minutes)
    except OverflowError:
        return None
    left = window.resets_at - now
    if left <= timedelta(0) or left > length:
        return None
    week = work if usual_length(minutes) == WEEK_MINUTES else None
    elapsed, actual = length - left, window.shown_percent
    if week is not None:
        elapsed, left = week.worked(window.resets_at - length, now), week.worked(now, window.resets_at)
    if not elapsed and actual > 0:
        return None
    expected = elapsed / (elapsed + left) * 100
    eta = _eta(actual, elapsed, left)
    if week is not None and eta:
        eta = week.after(now, eta, window.resets_at)
    return Pace(
        window=window.id,
        stage=_stage(actual - expected),
        actual=actual,
        expected=expected,
        eta=eta,
        elapsed=elapsed,
        left=left,
        session=minutes <= SESSION_MINUTES,
        weekly=usual_length(minutes) == WEEK_MINUTES,
        headroom=headroom,
    )


PaceRule = Callable[[Window], Paced | None]
"""Which windows of a provider have a pace: see `Provider.pace`."""


def paces(rule: PaceRule, usage: Usage, now: datetime, work: WorkWeek | None = None) -> Mapping[str, Pace]:
    """The paces of the windows that have one by this rule and are worth showing, by window id."""
    paces = (window_pace(rule, window, now, work) for window in usage.windows)
    return {this.window: this for this in paces if this is not None and this.shown}


def window_pace(rule: PaceRule, window: Window, now: datetime, work: WorkWeek | None = None) -> Pace | None:
    """The pace of a window; None when it has none by this rule or nothing can be said."""
    try:
        paced = rule(window)
    except Exception as error:  # a third-party provider must not keep the others from being shown
        note_defect("choosing the calendar of a window's pace", error)
        return None
    return pace(window, now, paced.minutes, headroom=paced.headroom, work=work) if paced is not None else None


def _stage(delta: float) -> Stage:
    ahead = delta > 0
    if abs(delta) <= 2:
        return "onTrack"
    if abs(delta) <= 6:
        return "slightlyAhead" if ahead else "slightlyBehind"
    if abs(delta) <= 12:
        return "ahead" if ahead else "behind"
    return "farAhead" if ahead else "farBehind"


def _eta(actual: float, elapsed: timedelta, left: timedelta) -> timedelta | None:
    if actual >= 100:
        return timedelta(0)
    if actual <= 0:
        return None
    try:
        eta = elapsed * ((100 - actual) / actual)
    except OverflowError:
        return None
    return None if eta >= left else eta


def _month_before(reset: datetime) -> timedelta:
    """The length of the calendar month that ends at `reset` (UTC)."""
    end = reset.astimezone(UTC)
    year, month = (end.year, end.month - 1) if end.month > 1 else (end.year - 1, 12)
    if year < 1:
        raise OverflowError
    return end - end.replace(year=year, month=month, day=min(end.day, monthrange(year, month)[1]))
