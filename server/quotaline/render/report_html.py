"""The report as one self-contained HTML document: no scripts, nothing loaded, every foreign text escaped."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator

from quotaline.render import text, times
from quotaline.render.content import Meter, amounts, foot, meters, rows
from quotaline.render.hover import SETUP_HINT
from quotaline.render.series import Series, rows as marks_of, series
from quotaline.render.shown import Shown, all_shown
from quotaline.render.statusline import LOOKING
from quotaline.render.text import escaped, escaped_prose
from quotaline.render.view import View
from quotaline.state import Snapshot
from quotaline_providers.model import Section

_STYLE = """
body:has(> .quotaline) { margin: 0; background: var(--vscode-editor-background, var(--bg)); }
:root { color-scheme: light dark; --fg: #1f2328; --bg: #ffffff; --quiet: #59636e; --line: #d1d9e0;
  --ok: #1a7f37; --warning: #9a6700; --critical: #cf222e; --link: #0969da; }
@media (prefers-color-scheme: dark) { :root { --fg: #e6edf3; --bg: #0d1117; --quiet: #9198a1; --line: #3d444d;
  --ok: #3fb950; --warning: #d29922; --critical: #f85149; --link: #4493f8; } }
.quotaline { color: var(--vscode-foreground, var(--fg)); background: var(--vscode-editor-background, var(--bg));
  font: var(--vscode-font-size, 14px)/1.5 var(--vscode-font-family, system-ui, sans-serif); margin: 0 auto;
  max-width: 60rem; padding: 1rem; overflow-wrap: anywhere; }
.quotaline h1 { font-size: 1.4em; } .quotaline h2 { font-size: 1.15em; margin: 0 0 .25rem; }
.quotaline h3 { font-size: 1em; margin: .75rem 0 .25rem; }
.quotaline section { border: 1px solid var(--vscode-panel-border, var(--line)); border-radius: 6px;
  padding: .75rem 1rem; margin: 0 0 1rem; }
.quotaline p { margin: .25rem 0; }
.quotaline .quiet { color: var(--vscode-descriptionForeground, var(--quiet)); }
.quotaline .meter { display: block; width: 100%; height: .5rem; border-radius: 4px; margin: 0 0 .5rem; }
.quotaline .meter rect { fill: var(--vscode-charts-green, var(--ok)); }
.quotaline .meter.warning rect:not(.track) { fill: var(--vscode-charts-yellow, var(--warning)); }
.quotaline .meter.critical rect:not(.track) { fill: var(--vscode-charts-red, var(--critical)); }
.quotaline p.error { color: var(--vscode-errorForeground, var(--critical)); }
.quotaline a { color: var(--vscode-textLink-foreground, var(--link)); }
.quotaline dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .25rem 0; }
.quotaline dd { margin: 0; }
.quotaline figure { margin: .75rem 0; }
.quotaline figcaption { font-weight: 600; margin: 0 0 .25rem; }
.quotaline .chart { display: block; width: 100%; max-width: 36rem; height: auto; color: inherit; }
.quotaline .chart rect, .quotaline .chart circle { fill: var(--vscode-charts-blue, var(--link)); }
.quotaline .chart polyline { fill: none; stroke: var(--vscode-charts-blue, var(--link)); stroke-width: 2; }
.quotaline .chart .axis { stroke: currentColor; stroke-opacity: .3; }
.quotaline .chart text { fill: currentColor; font-size: 12px; }
.quotaline svg rect.track { fill: currentColor; fill-opacity: .12; }
.quotaline details { margin: .25rem 0; }
.quotaline summary { cursor: pointer; }
"""

_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; "
    f"style-src 'sha256-{b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)
"""What this document may do: be drawn with the one style sheet it holds."""
_WIDTH, _TOP, _PLOT, _LEAST, _WIDEST = 480.0, 20.0, 72.0, 1.5, 40.0
_ROW, _BAR_AT, _BAR = 20, 180, 190
_DESCRIBED = 31
"""How many of the last marks are described in text, for readers who cannot see the picture."""


def html_report(snapshot: Snapshot, view: View) -> str:
    """The whole document."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Quotaline</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head>\n<body>{html_fragment(snapshot, view)}</body></html>\n"
    )


def html_fragment(snapshot: Snapshot, view: View) -> str:
    """What stands in the body, for a place that has a document of its own (and then brings its own style)."""
    return "\n".join(['<main class="quotaline">', *_body(snapshot, view), "</main>"])


def style() -> str:
    """The style sheet the fragment needs."""
    return _STYLE


def _body(snapshot: Snapshot, view: View) -> Iterator[str]:
    yield "<h1>Quotaline</h1>"
    yield f'<p class="quiet">As of {escaped(times.clock_time(view.now, view.now, view.zone))}</p>'
    if snapshot.config_problem:
        yield f'<p class="error" role="alert">{escaped(snapshot.config_problem)}</p>'
    items = all_shown(snapshot, view)
    for item in items:
        yield from _provider(item)
    for sentence in snapshot.not_loaded:
        yield f'<p class="error" role="alert">{escaped(sentence)}</p>'
    if not items:
        yield f"<p>{escaped(f'No providers are shown. {SETUP_HINT}' if snapshot.detected else LOOKING)}</p>"


def _provider(item: Shown) -> Iterator[str]:
    usage = item.state.usage
    yield f'<section class="{item.severity}"><h2>{escaped(item.title)}</h2>'
    who = " · ".join(escaped(part) for part in (item.plan, item.owner) if part)
    if who:
        yield f'<p class="quiet">{who}</p>'
    if item.error is not None:
        message, hint = item.error
        yield f'<p class="error" role="alert">{escaped_prose(message)}</p>'
        if hint:
            yield f"<p>{escaped_prose(hint)}</p>"
    if item.blocked is not None:
        yield f'<p class="error" role="alert">Blocked: {escaped(item.blocked)}</p>'
    if usage is not None:
        windows = meters(item)
        for window in windows:
            yield from _window(window)
        if usage.limits_unavailable and not windows:
            yield "<p>Limits: not available</p>"
        yield from _pairs((amount.label, amount.text) for amount in amounts(item))
        for section in usage.details:
            yield from _section(item, section)
        for note in usage.notes:
            yield f"<p>{escaped(item.said(note))}</p>"
    elif item.state.failure is None:
        yield "<p>Reading for the first time…</p>"
    yield from _outage(item)
    yield from _foot(item)
    yield "</section>"


def _window(window: Meter) -> Iterator[str]:
    words = (f"<strong>{escaped(window.label)}</strong>", *map(escaped, (window.figure, window.amounts, window.reset)))
    yield f"<p>{' · '.join(part for part in words if part)}</p>"
    if window.fill is not None:
        yield _meter(window.level, window.fill, window.label)
    if window.pace:
        yield f'<p class="quiet">Pace: {escaped(window.pace)}</p>'
    if window.detail:
        yield f'<p class="quiet">{escaped(window.detail)}</p>'


def _meter(level: str, fill: float, label: str) -> str:
    """A bar of 0-100."""
    return (
        f'<svg class="meter {level}" viewBox="0 0 100 1" preserveAspectRatio="none" role="meter" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{fill:.0f}" aria-label="{escaped(label)}">'
        f'<rect class="track" width="100" height="1"/><rect width="{fill:.1f}" height="1"/></svg>'
    )


def _section(item: Shown, section: Section) -> Iterator[str]:
    found, told = series(item, section), rows(item, section)
    if section.title and (told or found is None or item.said(section.title) != found.title):
        yield f"<h3>{escaped(item.said(section.title))}</h3>"
    yield from _pairs(
        (item.said(row.label), item.said(row.value) + (f" · {item.said(row.secondary)}" if row.secondary else ""))
        for row in told
    )
    if found is not None:
        yield from _chart(found)


def _pairs(pairs: Iterator[tuple[str, str]]) -> Iterator[str]:
    rows = [f"<dt>{escaped(label)}</dt><dd>{escaped(value)}</dd>" for label, value in pairs]
    if rows:
        yield f"<dl>{''.join(rows)}</dl>"


def _chart(found: Series) -> Iterator[str]:
    """A picture with its text: bars beside their labels, or columns (a line) over days with the values in a table."""
    yield "<figure>"
    yield f"<figcaption>{escaped(found.heading)}</figcaption>"
    if found.flat and found.summary:
        pass  # the caption says it all
    elif found.over_time:
        yield _over_time(found)
        yield "<details><summary>All values</summary>"
        yield from _pairs((mark.label, mark.amount) for mark in found.marks)
        yield "</details>"
    else:
        yield _side_by_side(found)
    yield "</figure>"


def _picture(found: Series, height: float, drawing: Iterable[str]) -> str:
    listed = "; ".join(f"{mark.label}: {mark.amount}" for mark in found.marks[-_DESCRIBED:])
    return (
        f'<svg class="chart" role="img" viewBox="0 0 {_WIDTH:.0f} {height:.0f}"><title>{escaped(found.heading)}</title>'
        f"<desc>{escaped(listed)}</desc>{''.join(drawing)}</svg>"
    )


def _over_time(found: Series) -> str:
    step = _WIDTH / len(found.marks)
    foot = _TOP + _PLOT
    spots = [((index + 0.5) * step, foot - mark.share * _PLOT) for index, mark in enumerate(found.marks)]
    drawing = [f'<path class="axis" d="M0 {foot:.0f}H{_WIDTH:.0f}"/>']
    if found.line:
        drawing.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in spots)}"/>')
        drawing += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2"/>' for x, y in spots]
    else:
        width = min(step * 0.8, _WIDEST)
        for mark, (x, y) in zip(found.marks, spots, strict=True):
            if mark.share > 0:
                high = max(foot - y, _LEAST)
                place = f'x="{x - width / 2:.1f}" y="{foot - high:.1f}" width="{width:.1f}" height="{high:.1f}"'
                drawing.append(
                    f'<rect {place} rx="1"><title>{escaped(mark.label)}: {escaped(mark.amount)}</title></rect>'
                )
    highest = found.highest
    drawing.append(_words(0, _TOP - 6, f"Highest: {highest.label}, {highest.amount}", "start"))
    first, last = found.marks[0].label, found.marks[-1].label
    if len(found.marks) > 1:
        drawing.append(_words(0, foot + 14, first, "start"))
    drawing.append(_words(_WIDTH, foot + 14, last, "end"))
    return _picture(found, foot + 18, drawing)


def _side_by_side(found: Series) -> str:
    marks = marks_of(found)
    drawing: list[str] = []
    for index, mark in enumerate(marks):
        top = index * _ROW
        drawing.append(_words(0, top + 13, mark.label, "start"))
        drawing.append(f'<rect class="track" x="{_BAR_AT}" y="{top + 4}" width="{_BAR}" height="10" rx="2"/>')
        if mark.share > 0:
            width = max(mark.share * _BAR, _LEAST)
            drawing.append(f'<rect x="{_BAR_AT}" y="{top + 4}" width="{width:.1f}" height="10" rx="2"/>')
        drawing.append(_words(_WIDTH, top + 13, mark.amount, "end"))
    if len(marks) < len(found.marks):
        drawing.append(_words(0, len(marks) * _ROW + 13, f"… and {len(found.marks) - len(marks)} more", "start"))
    return _picture(found, (len(marks) + (len(marks) < len(found.marks))) * _ROW, drawing)


def _words(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escaped(words)}</text>'


def _outage(item: Shown) -> Iterator[str]:
    status = item.state.status
    if status is not None and status.tells:
        words = status.label + (f" – {item.said(status.description)}" if status.description else "")
        yield f"<p>{_link(words, status.url)}</p>"


def _foot(item: Shown) -> Iterator[str]:
    parts = [escaped(part) for part in foot(item)]
    if item.state.dashboard:
        parts.append(_link("Dashboard", item.state.dashboard))
    if parts:
        yield f'<p class="quiet">{" · ".join(part for part in parts if part)}</p>'


def _link(label: str, address: str) -> str:
    safe = text.web_address(address)
    return f'<a href="{escaped(safe)}" rel="noreferrer">{escaped(label)}</a>' if safe else escaped(label)
