"""Amounts that come in the smallest unit of their currency."""

from __future__ import annotations

from decimal import Decimal

import pytest

from quotaline_providers import from_minor, money


@pytest.mark.parametrize(
    ("amount", "currency", "decimals", "meant"),
    [
        (1234, "USD", None, "12.34"),
        (1234, None, None, "12.34"),
        (1234, "jpy", None, "1234"),
        (1234, "KRW", None, "1234"),
        (1234, "JPY", 2, "12.34"),
        (1234, "USD", 0, "1234"),
        (1234.5, "USD", 2, "12.345"),
        (-5, "EUR", None, "-0.05"),
    ],
)
def test_an_amount_in_the_main_unit(amount: float, currency: str | None, decimals: int | None, meant: str) -> None:
    assert from_minor(amount, currency, decimals) == Decimal(meant)


@pytest.mark.parametrize("decimals", [-1, 7])
def test_decimals_that_cannot_be(decimals: int) -> None:
    assert from_minor(1, "USD", decimals) is None


def test_money_without_a_smaller_unit_has_no_decimals() -> None:
    assert (money(1234, "JPY"), money(9000, "vnd"), money(1234, "USD")) == ("¥1,234", "VND 9,000", "$1,234.00")
