"""The report as one self-contained HTML document: no scripts, nothing loaded, every foreign text escaped."""

from __future__ import annotations

from collections.abc import Iterator

from quotaline.render import text, times
from quotaline.render.hover import SETUP_HINT
from quotaline.render.shown import Shown, all_shown
from quotaline.render.text import escaped, escaped_prose
from quotaline.render.view import View
from quotaline.state import Snapshot
from quotaline_providers import wording
from quotaline_providers.model import Chart, Section, Spend, Window

_STYLE = """
:root { color-scheme: light dark; --fg: #1f2328; --bg: #ffffff; --quiet: #59636e; --line: #d1d9e0; --track: #e6eaef;
  --ok: #1a7f37; --warning: #9a6700; --critical: #cf222e; --link: #0969da; }
@media (prefers-color-scheme: dark) { :root { --fg: #e6edf3; --bg: #0d1117; --quiet: #9198a1; --line: #3d444d;
  --track: #2a313c; --ok: #3fb950; --warning: #d29922; --critical: #f85149; --link: #4493f8; } }
.quotaline { color: var(--vscode-foreground, var(--fg)); background: var(--vscode-editor-background, var(--bg));
  font: var(--vscode-font-size, 14px)/1.5 var(--vscode-font-family, system-ui, sans-serif); margin: 0 auto;
  max-width: 60rem; padding: 1rem; overflow-wrap: anywhere; }
.quotaline h1 { font-size: 1.4em; } .quotaline h2 { font-size: 1.15em; margin: 0 0 .25rem; }
.quotaline h3 { font-size: 1em; margin: .75rem 0 .25rem; }
.quotaline section { border: 1px solid var(--vscode-panel-border, var(--line)); border-radius: 6px;
  padding: .75rem 1rem; margin: 0 0 1rem; }
.quotaline p { margin: .25rem 0; }
.quotaline .quiet { color: var(--vscode-descriptionForeground, var(--quiet)); }
.quotaline .meter { background: var(--vscode-editorWidget-border, var(--track)); border-radius: 4px; height: .5rem;
  overflow: hidden; }
.quotaline .meter span { display: block; height: 100%; background: var(--vscode-charts-green, var(--ok)); }
.quotaline .meter.warning span { background: var(--vscode-charts-yellow, var(--warning)); }
.quotaline .meter.critical span { background: var(--vscode-charts-red, var(--critical)); }
.quotaline .error { color: var(--vscode-errorForeground, var(--critical)); }
.quotaline a { color: var(--vscode-textLink-foreground, var(--link)); }
.quotaline dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .25rem 0; }
.quotaline dd { margin: 0; }
.quotaline svg { width: 100%; max-width: 36rem; height: 5rem; }
.quotaline svg rect { fill: var(--vscode-charts-blue, var(--link)); }
.quotaline svg polyline { fill: none; stroke: var(--vscode-charts-blue, var(--link)); stroke-width: 2; }
"""

_CHART_WIDTH, _CHART_HEIGHT = 480.0, 80.0


def html_report(snapshot: Snapshot, view: View) -> str:
    """The whole document."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Quotaline</title>'
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
    if not items:
        yield f"<p>No providers are shown. {escaped(SETUP_HINT)}</p>"


def _provider(item: Shown) -> Iterator[str]:
    usage = item.state.usage
    yield f'<section class="{item.severity}"><h2>{escaped(item.title)}</h2>'
    who = " · ".join(escaped(part) for part in (item.plan, item.account) if part)
    if who:
        yield f'<p class="quiet">{who}</p>'
    if item.error is not None:
        message, hint = item.error
        yield f'<p class="error" role="alert">{escaped_prose(message)}</p>'
        if hint:
            yield f"<p>{escaped_prose(hint)}</p>"
    if usage is not None:
        for window in item.windows:
            yield from _window(item, window)
        if usage.limits_unavailable and not item.windows:
            yield "<p>Limits: not available</p>"
        yield from _pairs(_amounts(item))
        for section in usage.details:
            yield from _section(item, section)
        for note in usage.notes:
            yield f"<p>{escaped(item.said(note))}</p>"
    elif item.state.failure is None:
        yield "<p>Reading for the first time…</p>"
    yield from _foot(item)
    yield "</section>"


def _window(item: Shown, window: Window) -> Iterator[str]:
    view, used = item.view, window.shown_percent
    settings = view.settings.status_line
    reset = times.reset_line(item.state.provider, window, view.now, view.settings.reset_times, view.zone)
    words = [f"<strong>{escaped(item.said(window.label))}</strong>"]
    if used is not None:
        shown, word = (100 - used, "left") if settings.percent == "left" else (used, "used")
        words.append(f"{escaped(wording.percent(shown))} {word}")
    if window.used is not None and window.limit is not None:
        amounts = [escaped(item.said(text.amount(value, window.unit))) for value in (window.used, window.limit)]
        words.append(" of ".join(amounts))
    if reset:
        words.append(escaped(item.said(reset)))
    yield f"<p>{' · '.join(words)}</p>"
    if used is not None:
        level = "critical" if used >= settings.critical_at else "warning" if used >= settings.warning_at else "ok"
        fill = 100 - used if settings.percent == "left" else used
        yield (
            f'<div class="meter {level}" role="meter" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{fill:.0f}" '
            f'aria-label="{escaped(item.said(window.label))}"><span style="width:{fill:.1f}%"></span></div>'
        )
    pace = item.paces.get(window.id)
    if pace is not None:
        yield f'<p class="quiet">Pace: {escaped(pace.summary)}</p>'
    detail = times.detail_line(item.state.provider, window)
    if detail:
        yield f'<p class="quiet">{escaped(item.said(detail))}</p>'


def _amounts(item: Shown) -> Iterator[tuple[str, str]]:
    usage = item.state.usage
    if usage is None:
        return
    for balance in usage.balances:
        yield item.said(balance.label), item.said(text.amount(balance.amount, balance.unit))
    for spend in usage.spends:
        yield item.said(spend.label), item.said(_spend(item, spend))
    if usage.reset_credits is not None:
        yield "Limit reset credits", f"{usage.reset_credits.available} available"


def _spend(item: Shown, spend: Spend) -> str:
    view, words = item.view, text.amount(spend.used, spend.unit)
    if spend.limit is not None and spend.limit > 0:
        words += f" of {text.amount(spend.limit, spend.unit)}"
    if spend.period:
        words += f" · {spend.period}"
    if spend.resets_at is not None:
        words += f" · {times.resets(spend.resets_at, view.now, view.settings.reset_times, view.zone)}"
    return words


def _section(item: Shown, section: Section) -> Iterator[str]:
    if section.title:
        yield f"<h3>{escaped(item.said(section.title))}</h3>"
    yield from _pairs(
        (item.said(row.label), item.said(row.value) + (f" · {item.said(row.secondary)}" if row.secondary else ""))
        for row in section.rows
    )
    if section.chart is not None and section.chart.points:
        yield _chart(item, section.chart)


def _pairs(pairs: Iterator[tuple[str, str]]) -> Iterator[str]:
    rows = [f"<dt>{escaped(label)}</dt><dd>{escaped(value)}</dd>" for label, value in pairs]
    if rows:
        yield f"<dl>{''.join(rows)}</dl>"


def _chart(item: Shown, chart: Chart) -> str:
    values = [max(0.0, point.value) for point in chart.points]
    top = max(values) or 1.0
    heights = [value / top * (_CHART_HEIGHT - 2) for value in values]
    step = _CHART_WIDTH / len(values)
    unit = f" {item.said(chart.unit)}" if chart.unit else ""
    name = item.said(chart.title) if chart.title else "Series"
    first, last = item.said(chart.points[0].label), item.said(chart.points[-1].label)
    summary = f"{name}: {first} to {last}, at most {text.amount(top if max(values) else 0, None)}{unit}"
    if chart.kind == "line":
        spots = " ".join(
            f"{(index + 0.5) * step:.1f},{_CHART_HEIGHT - 1 - height:.1f}" for index, height in enumerate(heights)
        )
        drawing = f'<polyline points="{spots}"/>'
    else:
        drawing = "".join(
            f'<rect x="{index * step + step * 0.1:.1f}" y="{_CHART_HEIGHT - height:.1f}" width="{step * 0.8:.1f}" '
            f'height="{height:.1f}"><title>{escaped(item.said(point.label))}: '
            f"{escaped(text.amount(point.value, None) + unit)}</title></rect>"
            for index, (point, height) in enumerate(zip(chart.points, heights, strict=True))
        )
    return (
        f'<figure><svg role="img" viewBox="0 0 {_CHART_WIDTH:.0f} {_CHART_HEIGHT:.0f}" preserveAspectRatio="none" '
        f'aria-label="{escaped(summary)}">{drawing}</svg>'
        f'<figcaption class="quiet">{escaped(summary)}</figcaption></figure>'
    )


def _foot(item: Shown) -> Iterator[str]:
    view, usage, parts = item.view, item.state.usage, list[str]()
    if usage is not None:
        parts.append(escaped(times.updated(usage.updated_at, view.now, view.zone)))
        if item.source:
            parts.append(escaped(item.source))
        if item.state.stale:
            parts.append("out of date")
    if item.state.refreshing:
        parts.append("refreshing…")
    status = view.statuses.get(item.state.provider)
    if status is not None and status.indicator != "none":
        parts.append(_link(status.label, status.url))
    if item.state.dashboard:
        parts.append(_link("Dashboard", item.state.dashboard))
    if parts:
        yield f'<p class="quiet">{" · ".join(part for part in parts if part)}</p>'


def _link(label: str, address: str) -> str:
    safe = text.web_address(address)
    return f'<a href="{escaped(safe)}" rel="noreferrer">{escaped(label)}</a>' if safe else escaped(label)
