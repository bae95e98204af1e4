"""A provider's chart as it is drawn everywhere: the points, their labels and amounts for people, what they sum to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date

from quotaline.render import text
from quotaline.render.shown import Shown
from quotaline_providers import formatting
from quotaline_providers.model import Chart, Section

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SPARKS = "▁▂▃▄▅▆▇█"
_TITLE, _LABEL, _AMOUNT = 60, 24, 24
_LAST_DAYS, _MOST_ROWS, _MOST_SPARKS = 7, 10, 30


@dataclass(frozen=True, slots=True)
class Mark:
    """One point: `share` is its part of the largest one, 0-1."""

    label: str
    amount: str
    value: float
    share: float


@dataclass(frozen=True, slots=True)
class Series:
    """A chart with at least one mark. `daily` marks are days in order; `summary` says what they come to."""

    title: str
    marks: tuple[Mark, ...]
    daily: bool
    line: bool
    summary: str

    @property
    def heading(self) -> str:
        """`Daily spend: $41.20 in 30 days`."""
        return f"{self.title}: {self.summary}" if self.summary else self.title

    @property
    def over_time(self) -> bool:
        return self.daily or self.line

    @property
    def flat(self) -> bool:
        """Whether there is nothing to draw."""
        return self.highest.share <= 0

    @property
    def highest(self) -> Mark:
        return max(self.marks, key=lambda mark: mark.share)


def series(item: Shown, section: Section) -> Series | None:
    """The section's chart; None without points."""
    chart = section.chart
    if chart is None or not chart.points:
        return None
    top = max(max(point.value for point in chart.points), 0.0)
    daily = all(_DAY.fullmatch(point.label) for point in chart.points)
    marks = tuple(
        Mark(
            label=_day(item, point.label) if daily else text.label(item.said(point.label), _LABEL),
            amount=text.cut(_amount(item, point.value, chart.unit), _AMOUNT),
            value=point.value,
            share=max(0.0, point.value) / top if top > 0 else 0.0,
        )
        for point in chart.points
    )
    title = item.said(chart.title or section.title or "Over time")
    return Series(text.label(title, _TITLE), marks, daily, chart.kind == "line", _summary(item, chart, daily))


def rows(found: Series) -> tuple[Mark, ...]:
    """The marks that fit in a few lines: the last days, or the first of anything else."""
    return found.marks[-_LAST_DAYS:] if found.over_time else found.marks[:_MOST_ROWS]


def text_bars(found: Series, cells: int, full: str, empty: str) -> Iterator[str]:
    """A line for each of `rows`, in columns: label, bar (at least one cell for what is not nothing), amount."""
    shown = rows(found) if not found.flat or not found.summary else ()
    if not shown:
        return
    wide = max(text.columns(mark.label) for mark in shown)
    amounts = max(text.columns(mark.amount) for mark in shown)
    for mark in shown:
        label = mark.label + " " * (wide - text.columns(mark.label))
        amount = " " * (amounts - text.columns(mark.amount)) + mark.amount
        filled = max(mark.share * 100, 100.5 / cells) if mark.share > 0 else 0
        yield f"{label}  {text.bar(filled, cells, full, empty)}  {amount}"
    if len(shown) < len(found.marks) and not found.over_time:
        yield f"… and {len(found.marks) - len(shown)} more"


def spark(found: Series) -> str:
    """The last marks as one character each: `▁▂▅█`."""
    top = len(_SPARKS) - 1
    return "".join(_SPARKS[round(mark.share * top)] for mark in found.marks[-_MOST_SPARKS:])


def _summary(item: Shown, chart: Chart, daily: bool) -> str:
    if chart.kind == "line":
        return f"latest {_amount(item, chart.points[-1].value, chart.unit)}"
    if not daily:  # periods that hold each other, or models of which there may be more: no sum would be true
        return ""
    total = sum(max(0.0, point.value) for point in chart.points)
    days = len(chart.points)
    return f"{_amount(item, total, chart.unit)} in {days} day{'s' if days > 1 else ''}"


def _amount(item: Shown, value: float, unit: str | None) -> str:
    if unit == "tokens":
        return f"{formatting.tokens(value)} tokens"
    return item.said(text.amount(value, unit))


def _day(item: Shown, label: str) -> str:
    """`Dec 27`; `Today` when it is that day here and in UTC."""
    try:
        day = date.fromisoformat(label)
    except ValueError:
        return item.said(label)
    now = item.view.now
    if day == now.astimezone(item.view.zone).date() == now.astimezone(UTC).date():
        return "Today"
    return f"{_MONTHS[day.month - 1]} {day.day}"
