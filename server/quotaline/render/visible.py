"""What of a foreign text can be seen. The rest hides words, turns their direction, or steers a terminal."""

from __future__ import annotations

import re
import unicodedata

_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Unicode's default ignorable code points (so tags and variation selectors, too), and interlinear annotation."""
_JOINERS, _EMOJI_STYLES = "\u200c\u200d", "\ufe0e\ufe0f"
_BLANK = "\u2800"  # a Braille cell without dots


def visible(text: str) -> str:
    """The text without characters that nobody sees; line breaks, tabs and other white space become blanks.

    Kept are a joiner between two letters of a script that needs it or inside an emoji, and a style behind a symbol.
    """
    kept: list[str] = []
    for index, char in enumerate(text):
        category = unicodedata.category(char)
        if category in ("Zl", "Zp", "Zs") or char in "\t\n\r\v\f\x85" or char == _BLANK:
            kept.append(" ")
        elif category == "Cs":
            kept.append("\ufffd")
        elif _IGNORABLE.match(char):
            if _belongs(char, kept[-1] if kept else " ", text[index + 1 : index + 2]):
                kept.append(char)
        elif category != "Cc":
            kept.append(char)
    return "".join(kept)


def _belongs(char: str, before: str, after: str) -> bool:
    """Whether an ignorable character changes how its neighbours look."""
    if char in _EMOJI_STYLES:
        return unicodedata.category(before) in ("So", "Sm") or before in "#*0123456789"
    if char not in _JOINERS or not after:
        return False
    symbols = unicodedata.category(before) in ("So", "Sk") or before in _EMOJI_STYLES
    if symbols:
        return char == "\u200d" and unicodedata.category(after) == "So"
    return unicodedata.category(before) in ("Lo", "Mn", "Mc") and unicodedata.category(after) in ("Lo", "Mn")
