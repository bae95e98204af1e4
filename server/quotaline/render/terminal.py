"""Text for people at a terminal: one block per provider."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from quotaline.render import text, times
from quotaline.render.series import series, text_bars
from quotaline.render.shown import Shown, all_shown
from quotaline.render.statusline import NO_PROVIDERS
from quotaline.render.view import View
from quotaline.state import Snapshot
from quotaline_providers import formatting
from quotaline_providers.model import Balance, Spend, Window

Colour = Literal["plain", "red", "yellow", "green", "bold", "dim"]

_ANSI: dict[Colour, str] = {"red": "31", "yellow": "33", "green": "32", "bold": "1", "dim": "2"}
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
        blocks.append(NO_PROVIDERS)
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
        for window in item.windows:
            yield from _window(item, window)
        if usage.limits_unavailable and not item.windows:
            yield Line("Limits: not available")
        yield from _amounts(item)
        yield from _details(item)
        yield from _reset_credits(item)
    elif item.state.failure is None:
        yield Line("Not read yet.")
    if item.account:
        yield Line(f"Account: {item.owner or item.account}")
    if item.plan:
        yield Line(f"Plan: {item.plan}")
    for note in usage.notes if usage is not None else ():
        yield Line(f"Note: {item.said(note)}")
    status = item.state.status
    if status is not None:
        yield Line(f"Status: {status.label}" + (f" – {item.said(status.description)}" if status.description else ""))
    if usage is not None and item.state.stale:
        yield Line("", times.updated(usage.updated_at, item.view.now, item.view.zone), "dim")
    if item.error is not None:
        message, hint = item.error
        yield Line("", f"Error: {message}", "red", wraps=True)
        if hint:
            yield Line(f"  {hint}", wraps=True)


def _heading(item: Shown) -> str:
    usage = item.state.usage
    version = _VERSION.search(usage.version or "") if usage is not None else None
    source = item.source or item.state.requested_source
    return f"== {item.title}{f' {version.group(0)}' if version else ''} ({source}) =="


def _window(item: Shown, window: Window) -> Iterator[Line]:
    used = window.shown_percent
    if used is not None:
        left = 100 - used
        colour: Colour = "red" if left < 10 else "yellow" if left < 25 else "green"
        tail = f"{item.figure(used, left=True)} left [{text.bar(left, _CELLS, '=', '-')}]"
        yield Line(f"{item.said(window.label)}: ", tail, colour)
    reset = item.reset_line(window)
    if window.unlimited:
        yield Line(f"{item.said(window.label)}: ", f"{text.UNLIMITED} [{'=' * _CELLS}]", "green")
    elif used is None:
        yield Line(f"{item.said(window.label)}: {item.said(reset or '—')}")
    if window.used is not None and window.limit is not None:
        yield Line(f"  {item.said(text.portion(window.used, window.limit, window.unit))} used")
    pace = item.paces.get(window.id)
    if pace is not None:
        yield Line(f"  Pace: {pace.summary}")
    if reset and (used is not None or window.unlimited):
        yield Line(f"  {item.said(reset)}")
    detail = item.detail_line(window)
    if detail:
        yield Line(f"  {item.said(detail)}")


def _amounts(item: Shown) -> Iterator[Line]:
    usage = item.state.usage
    if usage is None:
        return
    has_primary = any("primary" in (window.lane, window.also) for window in item.windows)
    for index, spend in enumerate(usage.spends):
        yield Line(_spend(item, spend, named=has_primary or index > 0))
        if spend.resets_at is not None:
            view = item.view
            yield Line(f"  {times.resets(spend.resets_at, view.now, view.settings.reset_times, view.zone)}")
    for balance in usage.balances:
        yield Line(_balance(item, balance))


def _spend(item: Shown, spend: Spend, *, named: bool) -> str:
    is_money = len(spend.unit) == 3 and spend.unit.isalpha() and spend.unit.isupper()
    label = item.said(spend.label) if named else "Cost" if is_money else "Quota"
    used = text.amount(spend.used, spend.unit)
    limit = f" / {text.amount(spend.limit, spend.unit)}" if spend.limit is not None and spend.limit > 0 else ""
    return item.said(f"{label}: {used}{limit}" + (f" ({spend.period})" if spend.period else ""))


def _balance(item: Shown, balance: Balance) -> str:
    if balance.id == "credits" and balance.unit == "credits":
        return f"Credits: {text.amount(balance.amount, None)} left"
    return item.said(f"{balance.label}: {text.amount(balance.amount, balance.unit)}")


def _details(item: Shown) -> Iterator[Line]:
    for section in item.state.usage.details if item.state.usage is not None else ():
        if section.title and section.rows:
            yield Line(f"{item.said(section.title)}")
        for row in section.rows:
            second = f" · {item.said(row.secondary)}" if row.secondary else ""
            yield Line(f"{'  ' if section.title else ''}{item.said(row.label)}: {item.said(row.value)}{second}")
        found = series(item, section)
        if found is not None:
            yield Line(f"{'  ' if section.title else ''}{found.heading}")
            for line in text_bars(found, _CELLS, "=", "-"):
                yield Line(f"{'    ' if section.title else '  '}{line}")


def _reset_credits(item: Shown) -> Iterator[Line]:
    credits = item.state.usage.reset_credits if item.state.usage is not None else None
    if credits is None:
        return
    yield Line(f"Limit Reset Credits: {credits.available} available")
    now = item.view.now
    expiries = [credit.expires_at for credit in credits.credits if credit.status == "available"]
    upcoming = min((expiry for expiry in expiries if expiry is not None and expiry > now), default=None)
    if upcoming is not None:
        yield Line(f"Next reset credit expires {formatting.countdown(upcoming, now)}")
