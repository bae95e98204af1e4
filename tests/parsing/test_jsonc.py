"""JSON with comments."""

from __future__ import annotations

import pytest

from quotaline_providers.parsing.jsonc import from_jsonc


def test_comments_are_left_out_and_texts_kept() -> None:
    text = '{"a": "// no comment", /* one\nmore */ "b": "\\"/*" // the end\n}'
    assert from_jsonc(text) == {"a": "// no comment", "b": '"/*'}


@pytest.mark.parametrize("text", ["", "{", '{"a": 1} /* no end', '{"a": "b', '{"a": "b\\'])
def test_what_has_no_end_is_not_json(text: str) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        from_jsonc(text)


@pytest.mark.parametrize("piece", ['"\\', "/*", '"a'])
def test_a_hostile_text_costs_no_more_than_its_length(piece: str) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        from_jsonc(piece * 200_000 + '"')
