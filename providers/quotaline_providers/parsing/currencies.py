"""Amounts that vendors count in the smallest unit of a currency: cents, or yen, which have none."""

from __future__ import annotations

from decimal import Decimal

_WHOLE = (
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV"),
    *("XAF", "XOF", "XPF"),
)
"""Currencies without a smaller unit."""
_MOST_DECIMALS = 6


def decimals_of(currency: str | None) -> int:
    """How many decimals an amount in this currency (ISO code, any case) has: 2, or 0 where there is no smaller unit."""
    return 0 if (currency or "").upper() in _WHOLE else 2


def from_minor(amount: float, currency: str | None, decimals: int | None = None) -> Decimal | None:
    """The amount in the currency's main unit. `decimals` is what the vendor says of it; None when that cannot be."""
    places = decimals_of(currency) if decimals is None else decimals
    return Decimal(str(round(amount, 6))).scaleb(-places) if 0 <= places <= _MOST_DECIMALS else None
