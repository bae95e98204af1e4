"""JSON with comments, as some programs keep their settings."""

from __future__ import annotations

import json
import re

_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\r\n]*|/\*.*?\*/', re.DOTALL)


def from_jsonc(text: str) -> object:
    """The value of JSON in which `//` and `/* */` comments may stand. Raises ValueError when it is not JSON."""
    try:
        return json.loads(_TOKEN.sub(lambda match: match.group(1) or " ", text))
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None  # without the cause, which holds the text
