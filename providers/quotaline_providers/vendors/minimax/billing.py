"""A session's billing history: its charges, and what they add up to in 30 days. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from quotaline_providers import Chart, Point, Row, Section, grouped, to_number, to_text, to_time, tokens
from quotaline_providers.parsing.json_search import Object

HISTORY_DAYS = 30


@dataclass(frozen=True, slots=True)
class Charge:
    """One successful use: a local day, tokens, and cash in the account's currency."""

    day: date
    tokens: float
    cash: float
    method: str | None
    model: str | None


def charge_day(record: Object) -> date | None:
    """The local day of a record."""
    created = to_time(record.get("created_at"))
    if created is not None:
        return created.astimezone().date()
    ymd = re.fullmatch(r"(\d{4})[-/]?(\d\d)[-/]?(\d\d)", to_text(record.get("ymd")) or "")
    if ymd:
        try:
            return date(int(ymd.group(1)), int(ymd.group(2)), int(ymd.group(3)))
        except ValueError:
            return None
    consumed = record.get("consume_time")
    time = to_time(consumed.replace("/", "-")) if isinstance(consumed, str) else None
    return time.astimezone().date() if time else None


def to_charge(record: Object) -> Charge | None:
    """The charge in a record; None when it failed or has no day."""
    result = record.get("result")
    outcome = to_text(record.get("status") if result is None else result)
    day = charge_day(record)
    if day is None or (outcome is not None and outcome.upper() != "SUCCESS"):
        return None
    used = to_number(record.get("consume_token"))
    if used is None:
        parts = (to_number(record.get(name)) for name in ("consume_input_token", "consume_output_token"))
        used = sum(part or 0.0 for part in parts)
    cash = to_number(record.get("consume_cash_after_voucher"))
    cash = to_number(record.get("consume_cash")) if cash is None else cash
    return Charge(day, used, cash or 0.0, to_text(record.get("method")), to_text(record.get("model")))


def history_section(charges: Iterable[Charge], today: date) -> Section | None:
    """Tokens and cash of today and 30 days, what used most, and a bar for each day; None without charges."""
    first = today - timedelta(days=HISTORY_DAYS - 1)
    kept = [charge for charge in charges if first <= charge.day <= today]
    if not kept:
        return None
    rows = [_sum_row("Today", [charge for charge in kept if charge.day == today]), _sum_row("Last 30 days", kept)]
    rows += _top_row("Top model", ((charge.model, charge.tokens) for charge in kept))
    rows += _top_row("Top method", ((charge.method, charge.tokens) for charge in kept))
    days: dict[date, float] = defaultdict(float)
    for charge in kept:
        days[charge.day] += charge.tokens
    points = tuple(Point(label=day.isoformat(), value=amount) for day, amount in sorted(days.items()))
    chart = Chart(kind="bars", title="Daily tokens", unit="tokens", points=points)
    return Section(title="Billing history", rows=tuple(rows), chart=chart)


def _top_row(label: str, used: Iterable[tuple[str | None, float]]) -> list[Row]:
    sums: dict[str, float] = defaultdict(float)
    for name, amount in used:
        if name:
            sums[name] += amount
    if not sums:
        return []
    name, amount = min(sums.items(), key=lambda item: (-item[1], item[0]))
    return [Row(label=label, value=name, secondary=f"{tokens(amount)} tokens")]


def _sum_row(label: str, charges: list[Charge]) -> Row:
    cash = sum(charge.cash for charge in charges)
    used = f"{tokens(sum(charge.tokens for charge in charges))} tokens"
    return Row(label=label, value=used, secondary=f"{grouped(cash, 4)} cash" if cash else None)
