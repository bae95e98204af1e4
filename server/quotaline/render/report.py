"""The report: every provider at length, as Markdown, text or HTML."""

from __future__ import annotations

from typing import Literal

from quotaline.render import times
from quotaline.render.hover import SETUP_HINT, shown_hover
from quotaline.render.report_html import html_report
from quotaline.render.shown import all_shown
from quotaline.render.statusline import LOOKING
from quotaline.render.terminal import terminal
from quotaline.render.text import markdown
from quotaline.render.view import View
from quotaline.state import Snapshot

Format = Literal["markdown", "text", "html"]


def report(snapshot: Snapshot, view: View, format: Format = "markdown") -> str:
    """All providers in the format asked for."""
    match format:
        case "html":
            return html_report(snapshot, view)
        case "text":
            return terminal(snapshot, view) + "\n"
        case _:
            return markdown_report(snapshot, view)


def markdown_report(snapshot: Snapshot, view: View) -> str:
    """All providers as one Markdown document."""
    blocks = ["# Quotaline", f"As of {times.clock_time(view.now, view.now, view.zone)}."]
    if snapshot.config_problem:
        blocks.append(f"⚠ {markdown(snapshot.config_problem)}")
    items = all_shown(snapshot, view)
    blocks += [shown_hover(item).replace("### ", "## ", 1) for item in items]
    blocks += [f"⚠ {markdown(sentence)}" for sentence in snapshot.not_loaded]
    if not items:
        blocks.append(f"No providers are shown. {SETUP_HINT}" if snapshot.detected else LOOKING)
    return "\n\n".join(blocks) + "\n"
