"""What a vendor says of a failure in words for people, kept only where it is no more than that."""

from __future__ import annotations

import re

LONGEST = 160
"""Characters of a sentence that is kept."""

_WORD = re.compile(r"[^\W\d_]{1,24}(?:['’-][^\W\d_]{1,24}){0,3}")
_AMOUNT = re.compile(r"[$€£¥]?\d[\d.,:/-]{0,11}%?")
_AROUND = "\"'“”‘’()[].,:;!?…*`"


def sentence(text: str | None) -> str | None:
    """A vendor's words as one line: letters in words, and short numbers. None for anything else, such as an address,
    an id, markup or what could be a credential: these are neither shown nor kept."""
    words = (text or "").split()
    line = " ".join(words)
    if len(words) < 2 or len(line) > LONGEST or not line.isprintable():
        return None
    bare = [word.strip(_AROUND) for word in words]
    if any(word and not _WORD.fullmatch(word) and not _AMOUNT.fullmatch(word) and word not in "-–—&/" for word in bare):
        return None
    line = line.strip("*`")
    return line if line[-1:] in ".!?…。！？" else f"{line}."
