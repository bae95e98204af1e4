"""Draws the README's picture: `quotaline usage` and a status line, by the real renderers on invented usage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from xml.sax.saxutils import escape

from quotaline.render.statusline import status_line
from quotaline.render.terminal import terminal
from quotaline.render.text import columns
from quotaline.render.view import View
from quotaline.state import ProviderState, Snapshot
from quotaline_providers.model import SESSION_MINUTES, WEEK_MINUTES, Balance, Identity, Spend, Usage, Window

NOW = datetime(2030, 1, 2, 12, tzinfo=UTC)

# --- what is known, invented -----------------------------------------------------------------------


def _usage(source: str, plan: str | None, *windows: Window, **more: tuple[Balance | Spend, ...]) -> Usage:
    return Usage.model_validate(
        {
            "updated_at": NOW - timedelta(minutes=1),
            "windows": windows,
            "identity": Identity(plan=plan),
            "source": source,
            **more,
        }
    )


def _session(percent: float, resets_in: timedelta) -> Window:
    return Window(
        id="session",
        label="Session",
        used_percent=percent,
        minutes=SESSION_MINUTES,
        resets_at=NOW + resets_in,
        lane="primary",
    )


def _weekly(percent: float, resets_in: timedelta) -> Window:
    return Window(
        id="weekly",
        label="Weekly",
        used_percent=percent,
        minutes=WEEK_MINUTES,
        resets_at=NOW + resets_in,
        lane="secondary",
    )


def states() -> Snapshot:
    """Three providers: one nearly used up, one at ease, one prepaid."""
    claude = _usage(
        "oauth", "Max", _session(84, timedelta(hours=1, minutes=12)), _weekly(41, timedelta(days=3, hours=4))
    )
    codex = _usage(
        "oauth", "Plus", _session(18, timedelta(hours=3, minutes=50)), _weekly(27, timedelta(days=5, hours=2))
    )
    prepaid = Balance(id="credits", label="Balance", amount=Decimal("18.40"), unit="USD")
    openrouter = _usage("api", None, balances=(prepaid,))
    return Snapshot(
        (
            ProviderState("claude", "Claude", usage=claude),
            ProviderState("codex", "Codex", usage=codex),
            ProviderState("openrouter", "OpenRouter", usage=openrouter),
        )
    )


# --- how it is drawn -------------------------------------------------------------------------------

CELL, LINE, MARGIN, BAR = 8.4, 20, 20, 30
_PAINTED = re.compile(r"\x1b\[(\d+)m(.*?)\x1b\[0m")
_CLASSES = {"31": "red", "33": "yellow", "32": "green", "1": "bold", "2": "dim"}
_STYLE = """\
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328; }
.paper { fill: #ffffff; stroke: #d1d9e0; }
.bar { fill: #e6eaef; }
.bold { font-weight: 700; }
.dim { fill: #59636e; }
.red { fill: #c4232c; }
.yellow { fill: #8a5a00; }
.green { fill: #1a7f37; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.paper { fill: #0d1117; stroke: #3d444d; }
.bar { fill: #212830; }
.dim { fill: #9198a1; }
.red { fill: #ff7b72; }
.yellow { fill: #e3b341; }
.green { fill: #56d364; }
}"""


def usage_svg() -> str:
    """The picture, as SVG text: a terminal, and an editor's status bar below it."""
    snapshot, view = states(), View(NOW)
    lines = ["$ quotaline usage", "", *terminal(snapshot, view, colour=True, width=72).split("\n")]
    status = status_line(snapshot, view)
    plain = [_PAINTED.sub(r"\2", line) for line in lines]
    width = round(max(columns(line) for line in (*plain, f"main.py   {status.text}")) * CELL + 2 * MARGIN)
    width = max(width, 640)
    bar_top = MARGIN + len(lines) * LINE + MARGIN
    height = bar_top + BAR
    drawn = [part for number, line in enumerate(lines) for part in _line(line, MARGIN + (number + 1) * LINE - 6)]
    baseline = bar_top + 20
    severity = {"warning": "yellow", "critical": "red"}.get(status.severity, "")
    end = round(width - MARGIN - columns(status.text) * CELL, 1)
    said = escape(f"quotaline usage in a terminal, and an editor's status line: {status.text}", {'"': "&quot;"})
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
            f' role="img" aria-label="{said}">',
            f"<style>\n{_STYLE}\n</style>",
            f'<rect class="paper" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>',
            *drawn,
            f'<path class="bar" d="M1 {bar_top}H{width - 1}V{height - 8}a7 7 0 0 1-7 7H8a7 7 0 0 1-7-7z"/>',
            _text("main.py", MARGIN, baseline, "dim"),
            _text(status.text, end, baseline, severity),
            "</svg>",
            "",
        )
    )


def _line(line: str, baseline: int) -> Iterator[str]:
    """A terminal line as pieces of one colour, each at its column."""
    column, rest = 0, 0
    for match in _PAINTED.finditer(line):
        before = line[rest : match.start()]
        for piece, style in ((before, ""), (match.group(2), _CLASSES[match.group(1)])):
            if piece.strip():
                yield _text(piece, MARGIN + column * CELL, baseline, style)
            column += columns(piece)
        rest = match.end()
    if line[rest:].strip():
        yield _text(line[rest:], MARGIN + column * CELL, baseline, "")


def _text(text: str, x: float, y: int, style: str) -> str:
    """A text of exactly as many cells as it has columns, whatever font the viewer has."""
    indent = columns(text) - columns(text.lstrip(" "))
    text, x = text.strip(" "), round(x + indent * CELL, 1)
    length = round(columns(text) * CELL, 1)
    named = f' class="{style}"' if style else ""
    return f'<text{named} x="{x}" y="{y}" textLength="{length}" xml:space="preserve">{escape(text)}</text>'
