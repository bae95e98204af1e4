"""The shape of an answer: what stays of it, what does not, and that it stays small."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from quotaline_providers.parsing.shape import LARGEST_BODY, LONGEST, described, shape

KNOWN = frozenset({"data", "limit", "used", "windows", "plan"})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        (True, "boolean"),
        (1, "number"),
        (1.5, "number"),
        ("planted", "string"),
        ({}, {}),
        ([], []),
        ({"limit": 10, "used": "3", "plan": None}, {"limit": "number", "used": "string", "plan": "null"}),
        ({"data": {"windows": [{"used": 1}]}}, {"data": {"windows": [{"used": "number"}]}}),
    ],
)
def test_values_become_their_types(value: object, expected: object) -> None:
    assert shape(value, KNOWN) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"owner": "a"}, {"?": "string"}),
        ({"limit": 1, "owner": "a", "count": 2}, {"limit": "number", "?": "number", "?2": "string"}),
        ({"gpt-1": 1, "gpt-2": 2}, {"*": "number"}),
        ({"gpt-1": {"used": 1}, "gpt-2": {"limit": 2}}, {"*": {"used": "number", "limit": "number"}}),
        ({"a": 1, "b": 2, "c": "x", "d": "y"}, {"*": "number", "*2": "string"}),
    ],
)
def test_names_that_are_not_ours_are_not_shown(value: object, expected: object) -> None:
    assert shape(value, KNOWN) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1, 2, 3], ["number"]),
        ([1, "a", None], ["null|number|string"]),
        ([{"used": 1}, {"used": None, "limit": 2}], [{"used": "null|number", "limit": "number"}]),
        ([{"owner": 1}, {"other": 2}], [{"?": "number"}]),
        ([None, {"used": 1}], [{"|": ["null", {"used": "number"}]}]),
        ([[], [1]], [["number"]]),
        ([{"data": [1]}, {"data": {"used": 1}}], [{"data": {"|": [["number"], {"used": "number"}]}}]),
    ],
)
def test_the_items_of_a_list_have_one_shape_together(value: object, expected: object) -> None:
    assert shape(value, KNOWN) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(sorted(KNOWN)) | st.text(), inner),
    max_leaves=40,
)
WORDS = {"null", "boolean", "number", "string", "array", "object", "..."}


def texts(value: Any) -> set[str]:
    """All texts of a shape: its names and its words."""
    if isinstance(value, dict):
        return set(value) | {text for item in value.values() for text in texts(item)}
    if isinstance(value, list):
        return {text for item in value for text in texts(item)}
    assert isinstance(value, str)
    return set(value.split("|"))


@given(JSON)
def test_nothing_but_types_and_known_names_is_in_a_shape(value: object) -> None:
    marks = {text for text in texts(shape(value, KNOWN)) if text.rstrip("0123456789") in ("?", "*", "|", "")}
    assert texts(shape(value, KNOWN)) <= WORDS | KNOWN | marks
    assert all(mark in ("|", "") or mark[0] in "?*" for mark in marks)


def deep(depth: int) -> object:
    return {"data": deep(depth - 1)} if depth else "planted"


@pytest.mark.parametrize(
    "value",
    [
        deep(100),
        {name: deep(3) for name in map(str, range(5000))},
        {f"known{number}": {f"known{number}": [number]} for number in range(300)},
        [[[[[[{f"known{other}": 1 for other in range(300)}]]]]]],
        [{f"known{number}": number} for number in range(10_000)],
    ],
    ids=["deep", "broad", "all known", "broad below", "long"],
)
def test_a_shape_stays_small(value: object) -> None:
    known = {"data", *(f"known{number}" for number in range(50_000))}
    assert len(described(json.dumps(value).encode(), known)) <= LONGEST
    assert described(json.dumps(value).encode(), known)[0] in "{["


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"<html>planted</html>", "html, under 1 kB"),
        (b"planted", "text, under 1 kB"),
        (b"x" * 2000, "text, 1 to 16 kB"),
        (b"x" * 100_000, "text, 16 to 256 kB"),
        (b"x" * (LARGEST_BODY + 1), "text, 256 kB to 2 MB"),
        (b"\xff\xfe\x00", "binary, under 1 kB"),
        (b"a\0b", "binary, under 1 kB"),
        (b'{"used": 1', "broken json, under 1 kB"),
        (b"[" * 100_000, "broken json, 16 to 256 kB"),
        (b"[" + b"1," * LARGEST_BODY * 4 + b"1]", "json, over 2 MB"),
        (b'\xef\xbb\xbf{"used": 1}', '{"used":"number"}'),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",
)
def test_of_what_is_no_json_only_kind_and_size_stay(body: bytes, expected: str) -> None:
    assert described(body, KNOWN) == expected
