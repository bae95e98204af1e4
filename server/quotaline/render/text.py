"""Foreign text made safe to place: names, accounts, plans and messages come from vendors and users."""

from __future__ import annotations

import re
import unicodedata
from decimal import Context, Decimal, InvalidOperation, localcontext
from math import isfinite

from quotaline.render.visible import visible
from quotaline_providers import formatting

ELLIPSIS = "…"
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
_RIGHT_TO_LEFT = frozenset({"R", "AL", "RLE", "RLO", "RLI"})
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~#&@])|(:)(?=//)|(\$)(?=\()|(?<=www)(\.)", re.IGNORECASE)
_ACTIVE = re.compile(r"\]\(|\$\(")
# From a word's start: a long one without an end must not be looked through from each of its letters.
_EMAIL = re.compile(r"(?<![^\s<>()\[\]\"',;:])[^\s<>()\[\]\"',;:]+@[^\s<>()\[\]\"',;:]+")
HIDDEN = "•••"
UNLIMITED = "Unlimited"


def cleaned(text: str) -> str:
    """One line of what can be seen; white space collapsed."""
    return " ".join(visible(text).split())


def announced(text: str) -> str:
    """Text for a message, a progress or another place for plain words of an editor.

    Some draw a Markdown link (VS Code's notifications, commands too) or an icon (its status bar) even there; nothing is
    escaped in them, so a blank takes what begins one apart. Line breaks and other blanks stay as they are.
    """
    lines = (visible(line) for line in text.splitlines())
    return _ACTIVE.sub(lambda found: f"{found[0][0]} {found[0][1]}", "\n".join(lines))


def tmux(text: str) -> str:
    """Text for tmux's status line, where `#` begins a style."""
    return visible(text).replace("#", "##")


def isolated(text: str) -> str:
    """Right-to-left text wrapped in isolates, so that it does not reorder what stands around it."""
    if any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in text):
        return f"{_FIRST_STRONG_ISOLATE}{text}{_POP_ISOLATE}"
    return text


def cut(text: str, length: int) -> str:
    """At most `length` characters, the last an ellipsis when something was cut; no accent or emoji is torn apart."""
    if len(text) <= length:
        return text
    return _shortened(text, max(0, length - 1))


def label(text: str, length: int) -> str:
    """Foreign text as a short piece of a line: cleaned, cut, isolated."""
    return isolated(cut(cleaned(text), length))


def without_emails(text: str) -> str:
    """The text with every e-mail address replaced."""
    return _EMAIL.sub(HIDDEN, text)


def markdown(text: str) -> str:
    """Text in which no character is taken for Markdown or HTML, and no address becomes a link by itself."""
    return isolated(_MARKDOWN.sub(lambda match: "\\" + match.group(0), cleaned(text)))


def code(text: str) -> str:
    """Text inside a Markdown code span."""
    return f"`{cleaned(text).replace('`', chr(0x2019)) or ' '}`"


def prose(words: str) -> str:
    """A sentence of ours in Markdown: what stands in paired backticks is a command, the rest plain text."""
    return "".join(code(part) if is_code else _outer_blanks(part, markdown(part)) for part, is_code in spans(words))


def spans(words: str) -> tuple[tuple[str, bool], ...]:
    """A sentence in parts, each with whether it stood in backticks; unpaired backticks mean nothing."""
    parts = cleaned(words).split("`")
    if len(parts) % 2 == 0 or any(not part.strip() for part in parts[1::2]):
        return ((cleaned(words), False),)
    return tuple((part, bool(index % 2)) for index, part in enumerate(parts) if part)


def link(label: str, address: str | None) -> str | None:
    """A Markdown link, or None when the address is not a web address."""
    safe = web_address(address)
    if safe is None:
        return None
    return f"[{markdown(label)}]({safe})"


def web_address(address: str | None) -> str | None:
    """The address when it is http(s), with what could end a link or an attribute percent-encoded."""
    if address is None or not address.lower().startswith(("https://", "http://")):
        return None
    return "".join(
        char if char.isascii() and (char.isalnum() or char in "-._~:/?#@!$&+,;=%") else _percent_encoded(char)
        for char in cleaned(address)
    )


def escaped_prose(words: str) -> str:
    """The same as `prose` for HTML."""
    return "".join(
        f"<code>{escaped(part)}</code>" if is_code else _outer_blanks(part, escaped(part))
        for part, is_code in spans(words)
    )


def escaped(text: str) -> str:
    """Text for HTML content and quoted attributes."""
    import html  # with its table of all entities: only who asks for a page pays for it

    return isolated(html.escape(cleaned(text), quote=True))


def columns(text: str) -> int:
    """How many terminal columns the text takes."""
    return sum(_columns(char) for char in text)


def fitted(text: str, width: int) -> str:
    """The text cut to `width` terminal columns; 0 or less means no limit."""
    if width <= 0 or columns(text) <= width:
        return text
    taken = 0
    for index, char in enumerate(text):
        taken += _columns(char)
        if taken > width - 1:
            return _shortened(text, index)
    return text


def amount(value: Decimal | float, unit: str | None) -> str:
    """`formatting.amount` for numbers of any size."""
    with localcontext(Context(prec=400)):
        try:
            return cleaned(formatting.amount(value, unit))
        except InvalidOperation:
            return cleaned(f"{value:g} {unit or ''}")


def portion(used: Decimal | float, limit: Decimal | float, unit: str | None) -> str:
    """`$62.00 of $100.00`, `300 of 400 requests`."""
    whole = amount(limit, unit)
    part = amount(used, unit)
    plain = f" {cleaned(unit)}" if unit else ""
    return f"{part.removesuffix(plain)} of {whole}" if plain and whole.endswith(plain) else f"{part} of {whole}"


def number(value: Decimal | float) -> int | float | None:
    """A number for JSON: whole ones without a fraction, None for one that JSON cannot hold."""
    if value == int(value):
        return int(value)
    return float(value) if isfinite(float(value)) else None


def bar(filled_percent: float, cells: int, full: str, empty: str) -> str:
    """A bar of `cells` characters; the filled ones are rounded down."""
    filled = int(min(100.0, max(0.0, filled_percent)) / 100 * cells)
    return full * filled + empty * (cells - filled)


def _outer_blanks(words: str, trimmed: str) -> str:
    """`trimmed` with the blanks that `words` has at its ends, where a command follows or went before."""
    return " " * words.startswith(" ") + trimmed + " " * (words.endswith(" ") and bool(trimmed))


def _shortened(text: str, end: int) -> str:
    """The first `end` characters and an ellipsis, with any isolate closed."""
    while end and (_joins(text[end]) or text[end - 1] == "\u200d"):
        end -= 1
    kept = text[:end].rstrip() + ELLIPSIS
    return kept + _POP_ISOLATE * (kept.count(_FIRST_STRONG_ISOLATE) - kept.count(_POP_ISOLATE))


def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Cf", "Me", "Mn"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _joins(char: str) -> bool:
    return bool(unicodedata.combining(char)) or char == "\u200d" or "\ufe00" <= char <= "\ufe0f"


def _percent_encoded(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "replace"))
