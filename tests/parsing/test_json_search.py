"""Looking for values in answers of any shape."""

from __future__ import annotations

import pytest

from quotaline_providers.parsing.json_search import Object, first, first_in, objects, value_of
from quotaline_providers.parsing.payload import to_number, to_words

ANSWER: Object = {"id": 1, "parts": [{"id": 2, "inner": {"id": 3}}, "text", [{"id": 4}]], "last": {"id": 5}}


@pytest.mark.parametrize(("outer_first", "order"), [(False, [1, 2, 3, 4, 5]), (True, [1, 5, 2, 3, 4])])
def test_objects_come_as_they_stand_or_the_outer_ones_first(outer_first: bool, order: list[int]) -> None:
    assert [found["id"] for found in objects(ANSWER, outer_first=outer_first)] == order


@pytest.mark.parametrize("value", [None, 3, "x", [], [[1]]])
def test_there_may_be_no_object(value: object) -> None:
    assert list(objects(value)) == []


def test_a_value_deeper_than_python_may_recurse() -> None:
    value: object = {}
    for _ in range(5000):
        value = [value]
    assert list(objects(value)) == [{}]


def test_the_first_value_that_is_told() -> None:
    assert value_of({"a": None, "b": 0, "c": 1}, "x", "a", "b", "c") == 0
    assert value_of({"a": None}, "a") is None


def test_the_first_value_that_can_be_used() -> None:
    assert first({"a": "soon", "b": "3"}, "x a b", to_number) == 3
    assert first({"a": "soon"}, "a", to_number) is None


def test_the_first_object_that_tells_a_value_that_can_be_used() -> None:
    assert first_in(({"a": "", "b": " 1 "}, {"a": "2"}), "a b", to_words) == "1"
    assert first_in((), "a", to_words) is None
