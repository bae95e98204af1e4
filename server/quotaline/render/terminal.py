"""Text for people at a terminal: one block per provider."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from quotaline.forecast.severity import Severity
from quotaline.render import sources, text
from quotaline.render.content import Meter, amounts, foot, meters, rows
from quotaline.render.series import series, text_bars
from quotaline.render.shown import Shown, all_shown
from quotaline.render.statusline import LOOKING, NO_PROVIDERS
from quotaline.render.view import View
from quotaline.state import Snapshot

Colour = Literal["plain", "red", "yellow", "green", "bold", "dim"]

_ANSI: dict[Colour, str] = {"red": "31", "yellow": "33", "green": "32", "bold": "1", "dim": "2"}
_COLOURS: dict[Severity, Colour] = {"ok": "green", "warning": "yellow", "critical": "red"}
_CELLS = 12
_VERSION = re.compile(r"\d+(?:\.\d+)*")
_NARROWEST = 20


@dataclass(frozen=True, slots=True)
class Line:
    """A line in two parts, the second of which is coloured and is never cut in favour of the first. One that `wraps`
    is a sentence, which continues on further lines instead of being cut."""

    lead: str
    tail: str = ""
    colour: Colour = "plain"
    wraps: bool = False


def terminal(snapshot: Snapshot, view: View, *, colour: bool = False, width: int = 0) -> str:
    """All shown providers as text. `width` is in columns, 0 for no limit; ANSI codes only with `colour`."""
    items = all_shown(snapshot, view)
    blocks = [_painted(_block(item), colour, width) for item in items]
    if snapshot.config_problem:
        blocks.insert(0, _painted(iter([Line("", text.cleaned(snapshot.config_problem), "red")]), colour, width))
    if snapshot.not_loaded:
        warnings = (Line("", text.cleaned(sentence), "red", wraps=True) for sentence in snapshot.not_loaded)
        blocks.append(_painted(warnings, colour, width))
    if not items:
        blocks.append(NO_PROVIDERS if snapshot.detected else LOOKING)
    return "\n\n".join(blocks)


def _painted(lines: Iterator[Line], colour: bool, width: int) -> str:
    room = max(width, _NARROWEST) if width > 0 else 0
    return "\n".join(_fitted(part, colour, room) for line in lines for part in _parts(line, room))


def _parts(line: Line, width: int) -> Iterator[Line]:
    words = line.lead or line.tail
    if not line.wraps or not width or text.columns(words) <= width:
        yield line
        return
    indent = words[: len(words) - len(words.lstrip())]
    found = textwrap.wrap(
        words.strip(),
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    for part in found:
        yield Line(part) if line.lead else Line("", part, line.colour)


def _fitted(line: Line, colour: bool, width: int) -> str:
    tail = text.fitted(line.tail, width)
    lead = line.lead
    if width and text.columns(lead) + text.columns(tail) > width:
        room = width - text.columns(tail)
        lead = f"{text.fitted(lead.rstrip(), room - 1)} " if tail and room > 2 else text.fitted(lead, room)
        if room < 1:
            lead = ""
    if colour and tail and line.colour in _ANSI:
        tail = f"\x1b[{_ANSI[line.colour]}m{tail}\x1b[0m"
    return lead + tail


def _block(item: Shown) -> Iterator[Line]:
    usage = item.state.usage
    yield Line("", _heading(item), "bold")
    if item.blocked is not None:
        yield Line("", f"Blocked: {item.blocked}", "red", wraps=True)
    if usage is not None:
        windows = meters(item)
        for window in windows:
            yield from _window(window)
        if usage.limits_unavailable and not windows:
            yield Line("Limits: not available")
        for amount in amounts(item):
            yield Line(f"{amount.label}: {amount.text}")
        yield from _details(item)
    elif item.state.failure is None:
        yield Line("Not read yet.")
    if item.account:
        yield Line(f"Account: {item.owner or item.account}")
    if item.plan:
        yield Line(f"Plan: {item.plan}")
    for note in usage.notes if usage is not None else ():
        yield Line(f"Note: {item.said(note)}", wraps=True)
    status = item.state.status
    if status is not None:
        yield Line(f"Status: {status.label}" + (f" – {item.said(status.description)}" if status.description else ""))
    if item.outdated:
        yield Line("", foot(item)[0], "dim")
    if item.error is not None:
        message, hint = item.error
        yield Line("", f"Error: {message}", "red", wraps=True)
        if hint:
            yield Line(f"  {hint}", wraps=True)


def _heading(item: Shown) -> str:
    usage = item.state.usage
    version = _VERSION.search(usage.version or "") if usage is not None else None
    source = sources.kind(item.state.provider, item.source) if item.source else item.state.requested_source
    return f"== {item.title}{f' {version.group(0)}' if version else ''} ({source}) =="


def _window(window: Meter) -> Iterator[Line]:
    if window.fill is not None:
        bar = text.bar(window.fill, _CELLS, "=", "-")
        yield Line(f"{window.label}: ", f"{window.figure} [{bar}]", _COLOURS[window.level])
    else:
        yield Line(f"{window.label}: {window.reset or window.amounts or '—'}")
    side = window.figure.rpartition(" ")[2]
    if window.amounts and (window.fill is not None or window.reset):
        yield Line(f"  {window.amounts}{f' {side}' if side in ('used', 'left') else ''}")
    if window.pace:
        yield Line(f"  Pace: {window.pace}")
    if window.reset and window.fill is not None:
        yield Line(f"  {window.reset}")
    if window.detail:
        yield Line(f"  {window.detail}")


def _details(item: Shown) -> Iterator[Line]:
    for section in item.state.usage.details if item.state.usage is not None else ():
        told = rows(item, section)
        if section.title and told:
            yield Line(f"{item.said(section.title)}")
        for row in told:
            second = f" · {item.said(row.secondary)}" if row.secondary else ""
            yield Line(f"{'  ' if section.title else ''}{item.said(row.label)}: {item.said(row.value)}{second}")
        found = series(item, section)
        if found is not None:
            yield Line(f"{'  ' if section.title else ''}{found.heading}")
            for line in text_bars(found, _CELLS, "=", "-"):
                yield Line(f"{'    ' if section.title else '  '}{line}")
