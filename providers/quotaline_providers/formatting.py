"""How amounts are worded. Every number a person reads is formatted here."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal

from quotaline_providers.parsing.currencies import decimals_of

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CNY": "CN¥", "INR": "₹", "KRW": "₩"}
_PLAN_CODE = re.compile(r"[A-Za-z][a-z0-9]*(?:[_-][a-z0-9]+)*|[a-z0-9]+(?: [a-z0-9]+)*")
_EXACT = Context(prec=400, rounding=ROUND_HALF_UP)  # the largest float has 309 digits


def percent(value: float) -> str:
    """A clamped percentage: `<1%` between 0 and 1, else no decimals (half to even)."""
    value = min(100.0, max(0.0, value))
    return "<1%" if 0 < value < 1 else f"{value:.0f}%"


def _rounded(value: Decimal | float, places: int) -> Decimal:
    """Rounded half away from zero; never a negative zero."""
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    number = number.quantize(Decimal(1).scaleb(-places), context=_EXACT)
    return number if number else abs(number)


def grouped(value: Decimal | float, places: int = 2) -> str:
    """A plain amount: thousands separators, at most `places` decimals, no trailing zeros."""
    text = f"{_rounded(value, places):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(value: Decimal | float, currency: str = "USD") -> str:
    """Money with its currency's symbol and decimals: `$1,234.50`, `-$3.00`, `¥1,234`; an unknown code in front."""
    code = currency.upper()
    places = decimals_of(code)
    number = _rounded(value, places)
    symbol = _SYMBOLS.get(code, f"{code} ")
    sign = "-" if number < 0 else ""
    return f"{sign}{symbol}{abs(number):,.{places}f}"


def yuan(value: Decimal | float) -> str:
    """Yuan as the Chinese vendors themselves write them: `¥1,234.50`."""
    return money(value, "CNY").replace("CN¥", "¥")


def amount(value: Decimal | float, unit: str | None) -> str:
    """An amount in its unit: money for a three-letter currency code, else `1,234.5 credits`."""
    if unit is None:
        return grouped(value)
    if len(unit) == 3 and unit.isalpha() and unit.isupper():
        return money(value, unit)
    return f"{grouped(value)} {unit}"


def tokens(value: float) -> str:
    """A token count: `950`, `1.2K`, `34K`, `5.1M`, `2B`."""
    for factor, suffix in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if abs(value) >= factor * 0.9995:  # from here on the smaller unit would be rounded to 1000
            scaled = value / factor
            text = f"{scaled:.1f}" if abs(scaled) < 10 else f"{scaled:.0f}"
            return text.removesuffix(".0") + suffix
    return f"{value:.0f}"


def duration(left: timedelta) -> str:
    """Time left in two units, a zero left out and the rest cut: `2d 3h`, `4d`, `1h 29m`, `2h`, `<1m`.

    Never more than is left: who waits that long has waited too long already.
    """
    minutes = max(0, int(left.total_seconds() // 60))
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days}d {hours}h" if hours else f"{days}d"
    if hours:
        return f"{hours}h {minutes}m" if minutes else f"{hours}h"
    return f"{minutes}m" if minutes else "<1m"


def countdown(until: datetime, now: datetime) -> str:
    """`now`, or `in 2d 3h`."""
    return "now" if (until - now).total_seconds() < 1 else f"in {duration(until - now)}"


def plan_name(text: str) -> str:
    """A vendor's plan for people: a lower-case code (`pro_plus`, `team plan`) becomes words (`Pro Plus`), anything else
    stays as the vendor writes it."""
    text = text.strip()
    if not _PLAN_CODE.fullmatch(text):
        return text
    return " ".join(word[:1].upper() + word[1:] for word in re.split("[ _-]", text))
