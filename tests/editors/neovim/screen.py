"""Neovim's screen as a picture: what Neovim tells a user interface to draw, cell by cell, drawn as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

CELL_WIDTH, CELL_HEIGHT, FONT_SIZE, BASELINE = 8.4, 19.0, 14.0, 13.8
MARGIN = 10.0
NO_BREAK = "\u00a0"
FONT = "'DejaVu Sans Mono', 'Menlo', 'Consolas', 'Liberation Mono', monospace"

Attributes = dict[str, Any]


@dataclass
class Screen:
    """The grid of a user interface with `ext_linegrid`."""

    columns: int
    rows: int
    cells: list[list[tuple[str, int]]] = field(default_factory=list)
    styles: dict[int, Attributes] = field(default_factory=dict)
    foreground: int = 0xFFFFFF
    background: int = 0x000000

    def __post_init__(self) -> None:
        self._clear()

    def take(self, batch: list[Any]) -> bool:
        """Take a batch of `redraw` events. Returns whether the screen is whole now."""
        whole = False
        for name, *calls in batch:
            for call in calls:
                whole = self._take(name, call) or whole
        return whole

    def text(self) -> str:
        """The screen without colours."""
        return "\n".join("".join(character for character, _ in row).rstrip() for row in self.cells)

    def _take(self, name: str, call: list[Any]) -> bool:
        match name:
            case "default_colors_set":
                self.foreground, self.background = call[0], call[1]
            case "hl_attr_define":
                self.styles[call[0]] = call[1]
            case "grid_resize":
                self.columns, self.rows = call[1], call[2]
                self._clear()
            case "grid_clear":
                self._clear()
            case "grid_line":
                self._line(call[1], call[2], call[3])
            case "grid_scroll":
                self._scroll(*call[1:6])
            case "flush":
                return True
        return False

    def _clear(self) -> None:
        self.cells = [[(" ", 0)] * self.columns for _ in range(self.rows)]

    def _line(self, row: int, column: int, cells: list[list[Any]]) -> None:
        style = 0
        for character, *more in cells:
            style = more[0] if more else style
            for _ in range(more[1] if len(more) > 1 else 1):
                self.cells[row][column] = (character, style)
                column += 1

    def _scroll(self, top: int, bottom: int, left: int, right: int, by: int) -> None:
        rows = range(top, bottom - by) if by > 0 else range(bottom - 1, top - by - 1, -1)
        for row in rows:
            self.cells[row][left:right] = self.cells[row + by][left:right]

    def colours(self, style: int) -> tuple[int, int]:
        """Foreground and background of a style."""
        look = self.styles.get(style, {})
        front, back = look.get("foreground", self.foreground), look.get("background", self.background)
        return (back, front) if look.get("reverse") else (front, back)


def svg(screen: Screen, title: str) -> str:
    """The screen as an SVG document."""
    width = screen.columns * CELL_WIDTH + 2 * MARGIN
    height = screen.rows * CELL_HEIGHT + 2 * MARGIN
    body = "\n".join(_rows(screen))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(title, {chr(34): "&quot;"})}">\n'
        f"<title>{escape(title)}</title>\n"
        f'<rect width="100%" height="100%" rx="8" fill="{_hex(screen.background)}"/>\n'
        f'<g transform="translate({MARGIN:g} {MARGIN:g})" font-family="{FONT}" font-size="{FONT_SIZE:g}" '
        f">\n{body}\n</g>\n</svg>\n"
    )


def _rows(screen: Screen) -> Iterator[str]:
    for row, cells in enumerate(screen.cells):
        column = 0
        for back, group in groupby(screen.colours(style)[1] for _, style in cells):
            width = len(list(group))
            if back != screen.background:
                yield (
                    f'<rect x="{column * CELL_WIDTH:.1f}" y="{row * CELL_HEIGHT:g}" width="{width * CELL_WIDTH:.1f}" '
                    f'height="{CELL_HEIGHT:g}" fill="{_hex(back)}" shape-rendering="crispEdges"/>'
                )
            column += width
    for row, cells in enumerate(screen.cells):
        for column, text, width, style in _runs(cells):
            if text.strip():
                yield from _run(screen, row, column, text, width, style)


def _runs(cells: list[tuple[str, int]]) -> Iterator[tuple[int, str, int, int]]:
    """Column, text, cells and style of neighbours drawn alike. Shapes are runs by themselves, and so are words."""
    start, text, style = 0, "", 0
    for column, (character, its) in enumerate([*cells, ("", -1)]):
        if column and (its != style or _is_shape(character) != _is_shape(text[:1]) or (text and text[-2:] == "  ")):
            yield start, text, column - start, style
            start, text = column, ""
        text, style = text + character, its


def _is_shape(character: str) -> bool:
    return character != "" and character in "█▓▒░─│╭╮╰╯"


def _run(screen: Screen, row: int, column: int, text: str, cells: int, style: int) -> Iterator[str]:
    look, (front, _) = screen.styles.get(style, {}), screen.colours(style)
    x, y = column * CELL_WIDTH, row * CELL_HEIGHT
    if _is_shape(text[:1]):
        for number, character in enumerate(text):
            yield _shape(character, x + number * CELL_WIDTH, y, _hex(front))
        return
    kept = text.rstrip()
    used = cells - (len(text) - len(kept))
    marks = ' font-weight="bold"' if look.get("bold") else ""
    marks += ' font-style="italic"' if look.get("italic") else ""
    marks += ' text-decoration="underline"' if look.get("underline") else ""
    yield (
        f'<text x="{x:.1f}" y="{y + BASELINE:g}" textLength="{used * CELL_WIDTH:.1f}" lengthAdjust="spacingAndGlyphs" '
        f'fill="{_hex(front)}"{marks}>{escape(kept).replace(" ", NO_BREAK)}</text>'
    )


_SHADES = {"█": 1.0, "▓": 0.75, "▒": 0.5, "░": 0.25}
_LINES = {
    "─": "M0 {m} H{w}",
    "│": "M{c} 0 V{h}",
    "╭": "M{w} {m} Q{c} {m} {c} {h}",
    "╮": "M0 {m} Q{c} {m} {c} {h}",
    "╰": "M{c} 0 Q{c} {m} {w} {m}",
    "╯": "M{c} 0 Q{c} {m} 0 {m}",
}


def _shape(character: str, x: float, y: float, colour: str) -> str:
    """Blocks and lines fill their cell whatever the font is."""
    if character in _SHADES:
        return (
            f'<rect x="{x:.1f}" y="{y + 3:g}" width="{CELL_WIDTH + 0.1:.1f}" height="{CELL_HEIGHT - 6:g}" '
            f'fill="{colour}" fill-opacity="{_SHADES[character]:g}"/>'
        )
    path = _LINES[character].format(w=CELL_WIDTH, h=CELL_HEIGHT, c=CELL_WIDTH / 2, m=CELL_HEIGHT / 2)
    return f'<path transform="translate({x:.1f} {y:g})" d="{path}" fill="none" stroke="{colour}"/>'


def _hex(colour: int) -> str:
    return f"#{colour:06x}"
