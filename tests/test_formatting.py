"""How amounts are worded for people."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from quotaline_providers.formatting import amount, countdown, duration, grouped, money, percent, plan_name, tokens, yuan
from quotaline_providers.testing import NOW


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-5, "0%"),
        (0, "0%"),
        (0.01, "<1%"),
        (0.999, "<1%"),
        (1, "1%"),
        (2.5, "2%"),
        (3.5, "4%"),
        (99.6, "100%"),
        (140, "100%"),
    ],
)
def test_percentages_are_clamped_and_rounded_half_to_even(value: float, text: str) -> None:
    assert percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (7, "7"),
        (1.5, "1.5"),
        (1234567.891, "1,234,567.89"),
        (0.005, "0.01"),
        (-0.001, "0"),
        (-1200.5, "-1,200.5"),
        (Decimal("100"), "100"),
        (Decimal("1e3"), "1,000"),
    ],
)
def test_amounts_are_grouped_with_at_most_two_decimals(value: Decimal | float, text: str) -> None:
    assert grouped(value) == text


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        (Decimal("1234.5"), "USD", "$1,234.50"),
        (Decimal("-3"), "USD", "-$3.00"),
        (Decimal("-0.001"), "USD", "$0.00"),
        (2, "eur", "€2.00"),
        (2, "CNY", "CN¥2.00"),
        (2, "CHF", "CHF 2.00"),
        (-2, "CHF", "-CHF 2.00"),
        (0.125, "USD", "$0.13"),
    ],
)
def test_money_has_its_symbol_and_two_decimals(value: Decimal | float, currency: str, text: str) -> None:
    assert money(value, currency) == text


@pytest.mark.parametrize(("unit", "text"), [("USD", "$5.00"), ("credits", "5 credits"), (None, "5"), ("usd", "5 usd")])
def test_amounts_have_their_unit(unit: str | None, text: str) -> None:
    assert amount(5, unit) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_can_be_worded(value: float) -> None:
    assert grouped(value)
    assert money(value)
    assert tokens(value)
    assert percent(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (950, "950"),
        (999.6, "1K"),
        (1000, "1K"),
        (1234, "1.2K"),
        (9960, "10K"),
        (34_100, "34K"),
        (999_400, "999K"),
        (999_950, "1M"),
        (5_100_000, "5.1M"),
        (2_000_000_000, "2B"),
        (-1500, "-1.5K"),
    ],
)
def test_tokens_are_counted_in_thousands_millions_and_billions(value: float, text: str) -> None:
    assert tokens(value) == text


@given(st.integers(min_value=0, max_value=10**15))
def test_a_token_count_is_never_a_thousand_of_a_smaller_unit(value: int) -> None:
    assert re.search(r"\d{4}[KM]", tokens(value)) is None


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (timedelta(hours=-1), "<1m"),
        (timedelta(seconds=59), "<1m"),
        (timedelta(seconds=119), "1m"),
        (timedelta(minutes=10), "10m"),
        (timedelta(hours=1, minutes=29, seconds=59), "1h 29m"),
        (timedelta(hours=3), "3h"),
        (timedelta(hours=23, minutes=59, seconds=59), "23h 59m"),
        (timedelta(hours=28), "1d 4h"),
        (timedelta(days=2, hours=3, minutes=50), "2d 3h"),
        (timedelta(days=4, minutes=59), "4d"),
    ],
)
def test_time_left_has_two_units_and_is_never_rounded_up(left: timedelta, text: str) -> None:
    assert duration(left) == text


@given(st.timedeltas(timedelta(), timedelta(days=400)))
def test_no_more_time_is_told_than_is_left(left: timedelta) -> None:
    units = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
    told = sum((int(part[:-1]) * units[part[-1]] for part in duration(left).replace("<1m", "0m").split()), timedelta())
    assert told <= left


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (timedelta(hours=-1), "now"),
        (timedelta(seconds=0.9), "now"),
        (timedelta(seconds=1), "in <1m"),
        (timedelta(days=1, hours=2), "in 1d 2h"),
    ],
)
def test_countdown(left: timedelta, text: str) -> None:
    assert countdown(NOW + left, NOW) == text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("pro_plus", "Pro Plus"),
        ("max", "Max"),
        ("team-annual", "Team Annual"),
        ("Individual_pro", "Individual Pro"),
        ("SuperGrok", "SuperGrok"),
        ("KIRO FREE", "KIRO FREE"),
        ("team plan", "Team Plan"),
        ("Pay as you go", "Pay as you go"),
        ("proj_Ab-c_1", "proj_Ab-c_1"),
        ("Balance: -$0.35", "Balance: -$0.35"),
        ("pro · past_due", "pro · past_due"),
        ("", ""),
    ],
)
def test_only_a_single_code_of_a_plan_is_reshaped(text: str, name: str) -> None:
    assert plan_name(text) == name


def test_yuan_as_its_vendors_write_it() -> None:
    assert [yuan(1234.5), yuan(-3)] == ["¥1,234.50", "-¥3.00"]
