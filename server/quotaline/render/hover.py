"""The hover: Markdown behind the status line, over all providers or one of them at length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from quotaline.render import text
from quotaline.render.content import Meter, amounts, foot, meters, rows
from quotaline.render.series import Series, series, spark, text_bars
from quotaline.render.shown import Shown, all_shown, shown as shown_state
from quotaline.render.statusline import LOOKING
from quotaline.render.text import markdown
from quotaline.render.view import View
from quotaline.state import ProviderState, Snapshot

_CELLS = 12
_TEXT = 120
SETUP_HINT = "Sign in to a provider's own program, or run the command “Quotaline: Set Credential”."


@dataclass(frozen=True, slots=True)
class Length:
    """How much of a provider is shown."""

    windows: int
    amounts: int
    rows: int
    notes: int
    bars: bool
    """Charts as bars, not as one line."""
    charts: int


SHORT = Length(windows=6, amounts=3, rows=0, notes=0, bars=False, charts=1)
MIDDLE = Length(windows=8, amounts=6, rows=8, notes=2, bars=True, charts=1)
LONG = Length(windows=24, amounts=12, rows=24, notes=6, bars=True, charts=8)
_FEW = 2
"""How many providers are shown with their details."""
_MOST_PROVIDERS, _MOST_ACCOUNTS = 20, 6


def hover(snapshot: Snapshot, view: View) -> str:
    """Markdown over all shown providers."""
    items = all_shown(snapshot, view)
    listed = _listed(items)
    blocks = [_block(item, MIDDLE if len(listed) <= _FEW else SHORT) for item in listed]
    if snapshot.config_problem:
        blocks.insert(0, f"⚠ {markdown(snapshot.config_problem)}")
    blocks += [f"⚠ {markdown(sentence)}" for sentence in snapshot.not_loaded]
    if len(items) > len(listed):
        blocks.append(f"… and {len(items) - len(listed)} more.")
    if not items and not snapshot.detected:
        blocks.append(LOOKING)
    elif not items:
        blocks.append(f"**Quotaline** shows no provider yet.\n\n{SETUP_HINT}")
    return "\n\n---\n\n".join(blocks)


def _listed(items: tuple[Shown, ...]) -> list[Shown]:
    """The first of them, with no more than a few accounts of one provider; the active one is always there."""
    groups: dict[str, list[Shown]] = {}
    for item in items:
        groups.setdefault(item.state.provider, []).append(item)
    kept: set[str] = set()
    for group in groups.values():
        first = sorted(group, key=lambda item: not item.state.active)[:_MOST_ACCOUNTS]
        kept.update(item.state.key for item in first)
    return [item for item in items if item.state.key in kept][:_MOST_PROVIDERS]


def provider_hover(state: ProviderState, view: View, length: Length = LONG) -> str:
    """Markdown over one provider, with its details."""
    return _block(shown_state(state, view), length)


def shown_hover(item: Shown, length: Length = LONG) -> str:
    """The same for a provider that is already seen through a view."""
    return _block(item, length)


def _block(item: Shown, length: Length) -> str:
    heading = f"### {markdown(item.title)}"
    who = " · ".join(markdown(part) for part in (item.plan, item.owner) if part)
    paragraphs = [heading, who, "\n".join(_lines(item, length)), _error(item), _outage(item), _foot(item)]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _lines(item: Shown, length: Length) -> Iterator[str]:
    usage = item.state.usage
    if usage is None:
        if item.state.failure is None:
            yield "- Reading for the first time…"
        return
    if item.blocked is not None:
        yield f"- ⛔ **Blocked**: {_said(item, item.blocked)}"
    windows = meters(item, item.windows_worst_first)
    for window in windows[: length.windows]:
        yield f"- {_window(window)}"
        if window.detail:
            yield f"  - {_cut(window.detail)}"
        if window.pace:
            yield f"  - Pace: {markdown(window.pace)}"
    if len(windows) > length.windows:
        yield f"- … and {len(windows) - length.windows} more"
    if usage.limits_unavailable and not windows:
        yield "- Limits: not available"
    for amount in amounts(item)[: length.amounts]:
        yield f"- **{_cut(amount.label)}**: {_cut(amount.text)}"
    yield from _details(item, length)


def _window(window: Meter) -> str:
    bar = text.code(text.bar(window.fill, _CELLS, "█", "░")) if window.fill is not None else ""
    numbers = f"({markdown(window.amounts)})" if window.amounts and window.figure else markdown(window.amounts)
    head = " ".join(part for part in (f"**{_cut(window.label)}**", bar, markdown(window.figure), numbers) if part)
    return f"{head} · {_cut(window.reset)}" if window.reset else head


def _details(item: Shown, length: Length) -> Iterator[str]:
    usage, rows_left, charts_left = item.state.usage, length.rows, length.charts
    if usage is None:
        return
    for section in usage.details:
        told = rows(item, section)
        if section.title and told and rows_left:
            yield f"- **{_said(item, section.title)}**"
        indent = "  " if section.title else ""
        for row in told[:rows_left]:
            second = f" · {_said(item, row.secondary)}" if row.secondary else ""
            yield f"{indent}- {_said(item, row.label)}: {_said(item, row.value)}{second}"
        rows_left = max(0, rows_left - len(told))
        found = series(item, section)
        if found is not None and charts_left and (length.bars or found.over_time):
            yield from _chart(found, length)
            charts_left -= 1
    for note in usage.notes[: length.notes]:
        yield f"- {_said(item, note)}"


def _chart(found: Series, length: Length) -> Iterator[str]:
    if not length.bars:
        yield f"- {markdown(found.heading)} {text.code(spark(found))}"
        return
    yield f"- **{markdown(found.title)}**" + (f": {markdown(found.summary)}" if found.summary else "")
    lines = tuple(text_bars(found, _CELLS, "█", "░"))
    if lines:
        yield from ("  ```text", *(f"  {line.replace('`', chr(0x2019))}" for line in lines), "  ```")


def _error(item: Shown) -> str:
    if item.error is None:
        return ""
    message, hint = (text.prose(text.cut(part, 4 * _TEXT)) for part in item.error)
    return f"⚠ {message} {hint}".rstrip()


def _outage(item: Shown) -> str:
    status = item.state.status
    if status is None or not status.tells:
        return ""
    words = text.cut(status.label + (f" – {item.said(status.description)}" if status.description else ""), 2 * _TEXT)
    return f"{'⚠ ' if status.grave else ''}{text.link(words, status.url) or markdown(words)}"


def _foot(item: Shown) -> str:
    dashboard = text.link("Dashboard", item.state.dashboard)
    return " · ".join([*map(markdown, foot(item)), *([dashboard] if dashboard else [])])


def _said(item: Shown, words: str) -> str:
    return markdown(text.cut(item.said(words), _TEXT))


def _cut(words: str) -> str:
    return markdown(text.cut(words, _TEXT))
