"""Vendors' spellings of numbers, times and texts."""

from __future__ import annotations

import base64
import json
import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import pytest
from hypothesis import given, strategies as st

from quotaline_providers.parsing.payload import (
    Flag,
    Number,
    Payload,
    Text,
    When,
    at_epoch,
    clamped,
    clean,
    exact,
    jwt_claims,
    lenient,
    lenient_items,
    parse_or_none,
    share,
    to_flag,
    to_integer,
    to_number,
    to_text,
    to_time,
)

anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, 5.0),
        (-0.5, -0.5),
        ("5", 5.0),
        (" 1.50 ", 1.5),
        ("+2", 2.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        (True, None),
        (False, None),
        (None, None),
        ("", None),
        ("5%", None),
        ("1,000", None),
        ("0x10", None),
        ("1_000", None),
        ("nan", None),
        ("inf", None),
        (math.nan, None),
        (math.inf, None),
        (10**400, None),
        ("9" * 400, None),
        ([1], None),
        ({}, None),
    ],
)
def test_numbers(value: object, number: float | None) -> None:
    assert to_number(value) == number


@pytest.mark.parametrize(("value", "number"), [("7.9", 7), (-7.9, -7), ("x", None), (True, None)])
def test_whole_numbers_are_cut(value: object, number: int | None) -> None:
    assert to_integer(value) == number


MOMENT = datetime(2030, 1, 2, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2030-01-02T12:30:00Z",
        "2030-01-02T12:30:00.000Z",
        "2030-01-02T12:30:00.000000000Z",
        "2030-01-02T14:30:00+02:00",
        "2030-01-02 12:30:00",
        " 2030-01-02T12:30 ",
        MOMENT.timestamp(),
        int(MOMENT.timestamp()),
        str(int(MOMENT.timestamp())),
        MOMENT.timestamp() * 1000,
        str(int(MOMENT.timestamp() * 1000)),
    ],
)
def test_times_in_any_spelling(value: object) -> None:
    assert to_time(value) == MOMENT


def test_a_date_alone_is_midnight_in_utc() -> None:
    assert to_time("2030-01-02") == datetime(2030, 1, 2, tzinfo=UTC)


def test_fractions_of_a_second_are_kept_to_the_microsecond() -> None:
    assert to_time("2030-01-02T12:30:00.123456789Z") == MOMENT + timedelta(microseconds=123456)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -5,
        "0",
        "",
        "soon",
        "12:30",
        "2030-13-01",
        "0000-01-01",
        "9999-12-31T23:59:59-05:00",
        1e30,
        [],
        {},
    ],
)
def test_no_time(value: object) -> None:
    assert to_time(value) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("  a ", "a"),
        ("", None),
        ("  ", None),
        (5, "5"),
        (5.0, "5"),
        (5.5, "5.5"),
        (True, None),
        (math.nan, None),
        ([], None),
    ],
)
def test_texts(value: object, text: str | None) -> None:
    assert to_text(value) == text


@pytest.mark.parametrize(("value", "flag"), [(True, True), (False, False), (1, None), ("true", None), (None, None)])
def test_flags(value: object, flag: bool | None) -> None:
    assert to_flag(value) is flag


@given(anything)
def test_no_value_breaks_a_parser(value: object) -> None:
    number, time, text = to_number(value), to_time(value), to_text(value)
    assert number is None or math.isfinite(number)
    assert time is None or time.tzinfo is UTC
    assert text is None or text == text.strip() != ""
    to_integer(value)
    to_flag(value)


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)))
def test_an_iso_time_comes_back_as_it_was(time: datetime) -> None:
    assert to_time(time.isoformat()) == time


class Child(Payload):
    used: int


class Parent(Payload):
    amount: Number = None
    at: When = None
    name: Text = None
    on: Flag = None
    child: Annotated[Child | None, lenient(Child)] = None
    children: Annotated[tuple[Child, ...], lenient_items(Child)] = ()


def test_wrong_values_do_not_spoil_their_siblings() -> None:
    parent = Parent.model_validate_json(
        json.dumps(
            {
                "amount": [],
                "at": "soon",
                "name": {"x": 1},
                "on": "yes",
                "child": {"used": "many"},
                "children": [{"used": 1}, {"used": "many"}, None, 5, {"used": "2"}],
                "unknown": 1,
            }
        )
    )
    assert parent == Parent(children=(Child(used=1), Child(used=2)))


@pytest.mark.parametrize("value", [None, 5, "text", {"used": 1}, True])
def test_what_is_no_list_has_no_items(value: object) -> None:
    assert Parent.model_validate({"children": value}).children == ()


@given(anything)
def test_any_json_object_is_a_payload_of_optional_fields(value: object) -> None:
    Parent.model_validate(dict.fromkeys(("amount", "at", "name", "on", "child", "children"), value))


def test_none_is_no_payload() -> None:
    assert parse_or_none(Child, None) is None
    assert parse_or_none(Child, {"used": 1}) == Child(used=1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        ("''", None),
        ("' '", None),
        (" 'a b' ", "a b"),
        ('" a "', "a"),
        ("'a\"", "'a\""),
        ("\"'a'\"", "'a'"),
        ("'", "'"),
        ("a", "a"),
    ],
)
def test_a_setting_loses_its_blanks_and_one_pair_of_quotes(value: str | None, text: str | None) -> None:
    assert clean(value) == text


def token(claims: object) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"head.{middle}.sig"


def test_claims_of_a_token() -> None:
    assert jwt_claims(token({"sub": "ü"})) == {"sub": "ü"}


@pytest.mark.parametrize("text", [None, "", "a.b", "a.b.c.d", "a.!.c", "a.ü.c", token([1]), "a.Ww.c"])
def test_no_token_has_no_claims(text: str | None) -> None:
    assert jwt_claims(text) == {}


@given(st.text())
def test_any_text_is_a_token_or_not(text: str) -> None:
    assert isinstance(jwt_claims(text), dict)
    assert isinstance(jwt_claims(f"a.{text}.c"), dict)


@pytest.mark.parametrize(
    ("used", "limit", "percent"), [(1, 4, 25), (9, 4, 100), (-1, 4, 0), (3, 0, 0), (3, -1, 0), (1e20, 1e-100, 100)]
)
def test_a_share_of_a_limit(used: float, limit: float, percent: float) -> None:
    assert share(used, limit) == percent
    assert clamped(percent) == percent


def test_amounts_lose_the_noise_of_binary_fractions() -> None:
    assert exact(0.1 + 0.2) == Decimal("0.3")
    assert exact(1e20) == Decimal(10) ** 20


@pytest.mark.parametrize("seconds", [0, -1, 253_402_300_800, 1e300])
def test_seconds_that_are_no_time(seconds: float) -> None:
    assert at_epoch(seconds) is None


def test_seconds_that_are_a_time() -> None:
    assert at_epoch(1_893_456_000) == datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["1" * 500_000 + "x", "1e" + "1" * 500_000 + "x", "." + "1" * 500_000 + "."])
def test_a_hostile_text_of_digits_is_no_number_and_costs_no_more_than_its_length(text: str) -> None:
    assert to_number(text) is None
