"""A vendor's words: what is kept of them."""

from __future__ import annotations

import pytest

from quotaline_providers.parsing.sentences import LONGEST, sentence


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("no seat bound to caller", "no seat bound to caller."),
        (" Your plan (team)\nends on 2030-01-02: $5.00 left! ", "Your plan (team) ends on 2030-01-02: $5.00 left!"),
        ("余额 不足", "余额 不足."),
        ("It's over-quota at 99.5%.", "It's over-quota at 99.5%."),
    ],
)
def test_plain_words_are_kept(text: str, kept: str) -> None:
    assert sentence(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "busy",
        "see https://evil.test/x now",
        "your key sk-abc123def was refused",
        "key planted-in-the-answer-77 refused",
        "write to ada@lab.test please",
        "[open](command:x) this now",
        "<b>not</b> allowed here",
        "hidden\u200b word here",
        "turned \u202e around words",
        "AKIAIOSFODNN7EXAMPLE is refused",
        "supercalifragilisticexpialidociousword is refused",
        "word " * LONGEST,
    ],
)
def test_anything_else_is_not(text: str | None) -> None:
    assert sentence(text) is None
