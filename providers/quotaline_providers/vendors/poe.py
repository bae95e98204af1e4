"""Poe: the points left, and the points of the last 30 days."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import quotaline_providers as ql

BASE = "https://api.poe.com/usage"
TIMEOUT = 15.0
MAX_PAGES, PAGE_SIZE = 5, 100
HISTORY = timedelta(days=30)
WHOLE, HISTORY_UNTIL = 20.0, 18.0
"""Seconds from the beginning of a read: when it ends, and when the history is taken as far as it got."""


class BalanceAnswer(ql.Payload):
    """`GET /usage/current_balance`, in points; null means unknown."""

    current_point_balance: ql.NeededNumber | None = None


@dataclass(frozen=True)
class Use:
    """One use of a model; `usd` is None when the vendor gave no dollars."""

    time: datetime
    points: float
    usd: float | None
    model: str
    kind: str


def moment(value: object) -> datetime | None:
    """Microseconds above 1e14, milliseconds above 1e12, else seconds; other text is ISO 8601.

    Not `to_time`, which knows no microseconds.
    """
    number = ql.to_number(value)
    if number is None:
        return ql.to_time(value)
    return ql.at_epoch(number / 1e6 if number > 1e14 else number / 1e3 if number > 1e12 else number)


def to_use(row: ql.Object, now: datetime) -> Use | None:
    """The use in a row; None without a time or before the history. Raises ValueError for an unusable amount."""
    points, usd = ql.value_of(row, "cost_points", "points", "point_cost"), ql.value_of(row, "cost_usd", "usd")
    amount = 0.0 if points is None else max(0.0, ql.needed_number(points))
    dollars = None if usd is None else max(0.0, ql.needed_number(usd))
    time = _time(row)
    if time is None or time < now - HISTORY:
        return None
    return Use(time, amount, dollars, _name(row.get("bot_name")), _name(row.get("usage_type")))


def _time(row: ql.Object) -> datetime | None:
    return moment(ql.value_of(row, "creation_time", "timestamp", "created_at"))


def _name(value: object) -> str:
    return (value.strip() if isinstance(value, str) else "") or "unknown"


def rows_of(page: ql.Object) -> list[object]:
    """The rows of a page: the first list there is."""
    return next((value for name in ("data", "items", "results") if isinstance(value := page.get(name), list)), [])


def next_cursor(page: ql.Object, now: datetime) -> str | None:
    """Where the next page starts; None at the end, or when this page already reaches beyond the history."""
    last = (rows_of(page) or [None])[-1]
    row = last if isinstance(last, dict) else {}
    time = _time(row)
    if time is not None and time < now - HISTORY:
        return None
    cursor = page.get("next_cursor")
    if isinstance(cursor, str) and cursor:
        return cursor
    id = row.get("query_id") if page.get("has_more") is True else None
    return id if isinstance(id, str) and id else None


# --- how it becomes a usage ------------------------------------------------------------------------


def points(value: float) -> str:
    """An amount of points for people."""
    return f"{ql.grouped(value, 0 if abs(value) >= 1000 else 1)} points"


def _sum_row(label: str, uses: Iterable[Use]) -> ql.Row:
    listed = list(uses)
    dollars = [use.usd for use in listed if use.usd is not None]
    secondary = f"{len(listed)} requests" + (f" · {ql.money(sum(dollars))}" if dollars else "")
    return ql.Row(label=label, value=points(sum(use.points for use in listed)), secondary=secondary)


def _ranked(uses: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    sums: dict[str, float] = defaultdict(float)
    for name, amount in uses:
        sums[name] += amount
    return sorted(sums.items(), key=lambda item: (-item[1], item[0]))


def history_rows(uses: tuple[Use, ...], now: datetime) -> tuple[ql.Row, ...]:
    """Sums over today, 7 and 30 calendar days (UTC), what used most, and the three newest uses."""
    if not uses:
        return ()
    today = now.date()
    top, amount = _ranked((use.model, use.points) for use in uses)[0]
    mix = _ranked((use.kind, use.points) for use in uses)[:2]
    newest = sorted(uses, key=lambda use: use.time, reverse=True)[:3]
    return (
        _sum_row("Today", (use for use in uses if use.time.date() == today)),
        _sum_row("Last 7 days", (use for use in uses if use.time.date() > today - timedelta(days=7))),
        _sum_row("Last 30 days", uses),
        ql.Row(label="Top model", value=top, secondary=points(amount)),
        ql.Row(label="Usage mix", value=" · ".join(f"{kind}: {points(amount)}" for kind, amount in mix)),
        *(
            ql.Row(label="Recent activity", value=f"{use.time:%m-%d %H:%M} · {use.model}", secondary=points(use.points))
            for use in newest
        ),
    )


def to_usage(balance: float | None, uses: tuple[Use, ...], now: datetime) -> ql.Usage:
    """The usage of one account: the points left, and those of the last 30 days."""
    rows: tuple[ql.Row, ...] = () if balance is None else (ql.Row(label="Current balance", value=points(balance)),)
    rows += history_rows(uses, now)
    days: dict[date, float] = defaultdict(float)
    for use in uses:
        days[use.time.date()] += use.points
    series = tuple(ql.Point(label=day.isoformat(), value=amount) for day, amount in sorted(days.items()))
    chart = ql.Chart(kind="bars", title="Daily points", unit="points", points=series) if series else None
    left = (
        () if balance is None else (ql.Balance(id="points", label="Points", amount=ql.exact(balance), unit="points"),)
    )
    return ql.Usage(
        updated_at=now,
        balances=left,
        identity=ql.Identity(login=None if balance is None else f"Balance: {points(balance)}"),
        details=(ql.Section(title="Points", rows=rows, chart=chart),) if rows else (),
    )


# --- how it is fetched -----------------------------------------------------------------------------


async def _history(ctx: ql.Context, key: ql.Secret, until: float) -> tuple[Use, ...]:
    """The uses read until something fails or the loop's clock says `until`: the history is optional."""
    uses: list[Use] = []
    params = {"limit": str(PAGE_SIZE)}
    try:
        async with asyncio.timeout_at(until):
            for _ in range(MAX_PAGES):
                page = (await _get(ctx, key, "points_history", params, ql.JsonObject)).root
                for row in rows_of(page):
                    if isinstance(row, dict) and (use := to_use(row, ctx.now)):
                        uses.append(use)
                cursor = next_cursor(page, ctx.now)
                if cursor is None:
                    break
                params = {"limit": str(PAGE_SIZE), "starting_after": cursor}
    except (ql.ReadError, ValueError, TimeoutError):
        pass
    return tuple(uses)


async def _get(ctx: ql.Context, key: ql.Secret, path: str, params: dict[str, str], model: type[ql.P]) -> ql.P:
    refusals = ql.refused_key("Poe")
    return await ctx.http.get(f"{BASE}/{path}", model, refusals=refusals, bearer=key, params=params, timeout=TIMEOUT)


async def from_api(ctx: ql.Context, key: ql.Credential) -> ql.Usage:
    """The balance, then as much of the history as there is time for."""
    until = asyncio.get_running_loop().time() + HISTORY_UNTIL
    balance = await _get(ctx, key.secret, "current_balance", {}, BalanceAnswer)
    return to_usage(balance.current_point_balance, await _history(ctx, key.secret, until), ctx.now)


PROVIDER = ql.Provider(
    id="poe",
    name="Poe",
    kind=ql.ProviderKind.CHAT,
    connect="Copy an API key from poe.com/api/keys and set POE_API_KEY, or store it with Quotaline.",
    summary="Points left, and the points of the last 30 days by model and day.",
    dashboard="https://poe.com/api/keys",
    accounts=ql.AccountKind.TOKEN,
    min_interval=120,
    deadline=WHOLE,
    strategies=(ql.Strategy.api(from_api, ql.ApiKey(env=("POE_API_KEY",))),),
)
