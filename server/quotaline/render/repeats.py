"""Telling what was told already: vendors repeat in a row or a line of text the numbers that stand beside it anyway."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from quotaline_providers.model import Balance, Row, Section, Spend, Usage, Window

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_WORD = re.compile(r"[^\W\d_]+")
_PLAIN = frozenset({"used", "left", "of", "remaining", "limit", "usd"})
_LEFT = frozenset({"remaining", "left", "balance", "current balance", "available", "credits"})
_AMOUNTS = _LEFT | {"used", "limit", "budget", "total", "total added"}
"""What vendors call the rows of a section that is named like a window, a balance or a spend."""


@dataclass(frozen=True)
class Told:
    """Something that is shown: its name, and the numbers and words that stand beside it."""

    label: str
    numbers: tuple[float | Decimal | None, ...]
    words: tuple[str | None, ...] = ()

    def repeated_by(self, text: str) -> bool:
        """Whether a text says nothing but this."""
        told = {round(float(number), 2) for number in self.numbers if number is not None}
        names = {word.casefold() for name in (self.label, *self.words) if name for word in _WORD.findall(name)}
        numbers = (round(float(found.replace(",", "")), 2) for found in _NUMBER.findall(text))
        return told.issuperset(numbers) and (names | _PLAIN).issuperset(map(str.casefold, _WORD.findall(text)))


def of_window(window: Window) -> Told:
    left = window.limit - window.used if window.limit is not None and window.used is not None else None
    return Told(window.label, (window.used, window.limit, left), (window.unit,))


def of_balance(balance: Balance) -> Told:
    return Told(balance.label, (balance.amount,), (balance.unit,))


def of_spend(spend: Spend) -> Told:
    left = spend.limit - spend.used if spend.limit is not None else None
    return Told(spend.label, (spend.used, spend.limit, left), (spend.unit, spend.period))


def own_windows(usage: Usage, windows: Iterable[Window]) -> tuple[Window, ...]:
    """The windows but for those that only stand for a balance of the same name, without amount, length or reset."""
    names = {balance.label.casefold() for balance in usage.balances}
    return tuple(window for window in windows if window.label.casefold() not in names or not _stands_for(window))


def stand_in(usage: Usage, balance: Balance) -> Window | None:
    """The window that only stands for this balance."""
    same = (window for window in usage.windows if window.label.casefold() == balance.label.casefold())
    return next(filter(_stands_for, same), None)


def own_spends(usage: Usage) -> tuple[Spend, ...]:
    """The spends but for those that a window tells."""
    told = {
        (window.used, window.limit) for window in usage.windows if window.limit is not None and window.used is not None
    }
    return tuple(
        spend for spend in usage.spends if spend.limit is None or (float(spend.used), float(spend.limit)) not in told
    )


def own_rows(usage: Usage, section: Section, plan: str | None) -> tuple[Row, ...]:
    """The rows of a section but for those that say what a window, a balance, a spend or the plan says."""
    told, title = tuple(_told(usage)), (section.title or "").casefold()
    same = tuple(one for one in told if one.label.casefold() == title)
    return tuple(row for row in section.rows if not (_is_told(row, told, usage, plan) or _is_part(row, same)))


def _stands_for(window: Window) -> bool:
    amounts = (window.used, window.limit, window.minutes, window.resets_at)
    return not window.unlimited and all(amount is None for amount in amounts)


def _told(usage: Usage) -> Iterator[Told]:
    yield from (of_window(window) for window in usage.windows)
    yield from (of_balance(balance) for balance in usage.balances)
    yield from (of_spend(spend) for spend in usage.spends)


def _amounts_left(usage: Usage) -> Iterator[Told]:
    yield from (of_balance(balance) for balance in usage.balances)
    for window in usage.windows:
        if window.limit is not None and window.used is not None:
            yield Told(window.label, (window.limit - window.used,), (window.unit,))


def _is_part(row: Row, same: Iterable[Told]) -> bool:
    """Whether a row is an amount of the window, balance or spend that its section is named after."""
    text = f"{row.value} {row.secondary or ''}"
    return (
        row.label.casefold() in _AMOUNTS and bool(_NUMBER.search(text)) and any(one.repeated_by(text) for one in same)
    )


def _is_told(row: Row, told: Iterable[Told], usage: Usage, plan: str | None) -> bool:
    label, text = row.label.casefold(), f"{row.value} {row.secondary or ''}"
    if any(one.label.casefold() == label and one.repeated_by(text) for one in told):
        return True
    if label in _LEFT and _NUMBER.search(text) and any(one.repeated_by(text) for one in _amounts_left(usage)):
        return True
    periods = [spend.period for spend in usage.spends]
    return (label == "plan" and row.value == plan) or (label == "period" and row.value in periods)
