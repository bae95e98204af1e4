"""JSON with comments, as some programs keep their settings."""

from __future__ import annotations

import json
import re

# What has no end is kept up to the end of the text, so that none is looked for from every later beginning.
_TOKEN = re.compile(r'//[^\r\n]*|/\*.*?\*/|("(?:[^"\\]|\\.)*+(?:"|\\?\Z)|/\*.*)', re.DOTALL)


def from_jsonc(text: str) -> object:
    """The value of JSON in which `//` and `/* */` comments may stand. Raises ValueError when it is not JSON."""
    try:
        return json.loads(_TOKEN.sub(lambda match: match.group(1) or " ", text))
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None  # without the cause, which holds the text
