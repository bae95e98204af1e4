"""DeepSeek: the prepaid balance, and with a token of the web platform the cost, tokens and requests of the month."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from quotaline_providers.access.lookups import ApiKey, CookieHeader
from quotaline_providers.contract import AccountKind, Context, Credential, Provider, StatusPage, Strategy, unlabelled
from quotaline_providers.errors import BadResponse, ExpiredCredential, ReadError
from quotaline_providers.fetching.optional import beside, in_time, together
from quotaline_providers.fetching.refusals import refused_key
from quotaline_providers.formatting import grouped, money, tokens, yuan
from quotaline_providers.model import Balance, Chart, Point, Row, Section, Usage, Window
from quotaline_providers.parsing.payload import (
    Integer,
    NeededNumber,
    P,
    Payload,
    child,
    exact,
    parse_or_none,
    to_integer,
    to_number,
    to_words,
)
from quotaline_providers.secret import Secret

BALANCE_URL = "https://api.deepseek.com/user/balance"
PLATFORM = "https://platform.deepseek.com/api/v0"
TIMEOUT = 15.0
DETAIL_WAIT = 5.0
"""Seconds the details may still take once the balance is known."""

# --- what the vendor sends -------------------------------------------------------------------------


class BalanceInfo(Payload):
    """One currency's balance in major units."""

    currency: str
    total_balance: NeededNumber
    granted_balance: NeededNumber
    topped_up_balance: NeededNumber


class BalanceAnswer(Payload):
    """`GET /user/balance`."""

    is_available: Annotated[bool, Field(strict=True)]
    balance_infos: tuple[BalanceInfo, ...]


class Envelope(Payload):
    """Around every answer of the platform. Error answers carry any shape in `data`."""

    code: Integer = None
    data: object = None


class Wallet(Payload):
    """The money in one currency."""

    currency: str
    balance: NeededNumber


class Wallets(Payload):
    """What `get_user_summary` holds: paid and granted money."""

    normal_wallets: tuple[Wallet, ...]
    bonus_wallets: tuple[Wallet, ...]


class Entry(Payload):
    """An amount of one type: tokens or requests (`usage/amount`), money (`usage/cost`)."""

    type: str
    amount: object = None

    @property
    def kind(self) -> str:
        return self.type.upper()


class ModelUse(Payload):
    """What was used of one model, by kind."""

    model: str
    usage: tuple[Entry, ...]


class Day(Payload):
    """One day (YYYY-MM-DD) by model."""

    date: str
    data: tuple[ModelUse, ...]


class Month(Payload):
    """One month's amounts or, in a currency, costs."""

    currency: str | None = None
    total: tuple[ModelUse, ...]
    days: tuple[Day, ...]


# --- the balance -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Money:
    """One currency: what is left in all, and its paid and granted parts."""

    currency: str
    total: float
    paid: float
    granted: float


def chosen(amounts: Iterable[Money]) -> Money:
    """Dollars when there are any, else the first currency with money, else dollars, else the first."""
    listed = tuple(amounts)
    dollars = next((item for item in listed if item.currency == "USD"), None)
    if dollars and dollars.total > 0:
        return dollars
    funded = next((item for item in listed if item.total > 0), None)
    return funded or dollars or (listed[0] if listed else Money("USD", 0, 0, 0))


def of_wallets(wallets: Wallets) -> tuple[Money, ...]:
    """The wallets added up per currency, in alphabetical order."""
    paid: dict[str, float] = defaultdict(float)
    granted: dict[str, float] = defaultdict(float)
    for sums, listed in ((paid, wallets.normal_wallets), (granted, wallets.bonus_wallets)):
        for wallet in listed:
            sums[wallet.currency] += wallet.balance
    names = sorted({*paid, *granted})
    return tuple(Money(name, paid[name] + granted[name], paid[name], granted[name]) for name in names)


def shown(value: float, currency: str) -> str:
    """`$` for every currency but the yuan."""
    return yuan(value) if currency == "CNY" else money(value)


def balance_window(amount: Money, available: bool) -> Window:
    """The balance as a window that is empty while money is left."""
    total = shown(max(0.0, amount.total), amount.currency)
    if amount.total <= 0:
        used, text = 100, f"{total} - top up at platform.deepseek.com"
    elif not available:
        used, text = 100, f"{total}, which cannot be used for API calls now"
    else:
        paid, granted = shown(amount.paid, amount.currency), shown(amount.granted, amount.currency)
        used, text = 0, f"{total} (Paid: {paid} / Granted: {granted})"
    return Window(id="balance", label="Balance", used_percent=used, description=text, lane="primary")


def to_usage(amount: Money, available: bool, now: datetime, details: Section | None = None) -> Usage:
    """The usage of one account, in its first currency that counts."""
    left = exact(max(0.0, amount.total))
    return Usage(
        updated_at=now,
        windows=(balance_window(amount, available),),
        balances=(Balance(id="money", label="Balance", amount=left, unit=amount.currency),),
        details=(details,) if details else (),
    )


# --- the month -------------------------------------------------------------------------------------

_TYPES = {
    "PROMPT_CACHE_HIT_TOKEN": "Cache-hit input",
    "PROMPT_CACHE_MISS_TOKEN": "Cache-miss input",
    "RESPONSE_TOKEN": "Output",
}
_TITLE = "Detailed usage"


def unavailable(reason: str) -> Section:
    """The section that says why the month is not shown."""
    return Section(title=_TITLE, rows=(Row(label="Usage", value=reason),))


def _tokens(uses: Iterable[ModelUse], kinds: Iterable[str] = _TYPES) -> int:
    wanted = set(kinds)
    return sum(to_integer(entry.amount) or 0 for use in uses for entry in use.usage if entry.kind in wanted)


def _cost(days: Iterable[Day]) -> float:
    entries = (entry for day in days for use in day.data for entry in use.usage if entry.kind in _TYPES)
    return sum(to_number(entry.amount) or 0.0 for entry in entries)


def _of_month(month: Month, today: date) -> list[tuple[date, Day]]:
    """The days from the first of this month to today."""
    kept = []
    for day in month.days:
        try:
            when = date.fromisoformat(day.date)
        except ValueError:
            continue
        if today.replace(day=1) <= when <= today:
            kept.append((when, day))
    return kept


def month_section(amount: Month, cost: Month | None, today: date) -> Section:
    """Tokens and money of today and this month (UTC); without any day of costs the money is unknown."""
    currency = (cost.currency if cost else None) or "CNY"
    days = _of_month(amount, today)
    paid = _of_month(cost, today) if cost and cost.days else None

    def line(label: str, wanted: Callable[[date], bool]) -> Row:
        count = sum(_tokens(day.data) for when, day in days if wanted(when))
        text = "—" if paid is None else _precise(_cost(day for when, day in paid if wanted(when)), currency)
        return Row(label=label, value=f"{text} · {tokens(count)} tokens")

    requests = sum(_tokens(day.data, ("REQUEST",)) for _, day in days)
    rows = [
        line("Today", lambda when: when == today),
        line("This month", lambda when: True),
        Row(label="Requests", value=grouped(requests)),
    ]
    ranked = sorted((-_tokens([use]), use.model) for use in amount.total)
    if ranked and ranked[0][0] < 0:
        rows.append(Row(label="Top model", value=ranked[0][1], secondary=f"{tokens(-ranked[0][0])} tokens"))
    rows += [Row(label=label, value=tokens(_tokens(amount.total, (kind,)))) for kind, label in _TYPES.items()]
    points = tuple(Point(label=when.isoformat(), value=_tokens(day.data)) for when, day in sorted(days, key=_by_day))
    chart = Chart(kind="bars", title="Daily tokens", unit="tokens", points=points) if points else None
    return Section(title=_TITLE, rows=tuple(rows), chart=chart)


def _by_day(item: tuple[date, Day]) -> date:
    return item[0]


def _precise(value: float, currency: str) -> str:
    return f"{'¥' if currency == 'CNY' else '$'}{max(0.0, value):,.4f}"


# --- how it is fetched -----------------------------------------------------------------------------


async def from_api(ctx: Context, key: Credential) -> Usage:
    """The balance of an API key. Raises ReadError."""
    sent = await ctx.http.send("GET", BALANCE_URL, bearer=key.secret, timeout=TIMEOUT)
    answer = ctx.http.parse(ctx.http.check(sent, refused_key("DeepSeek")), BalanceAnswer)
    amounts = (
        Money(info.currency, info.total_balance, info.topped_up_balance, info.granted_balance)
        for info in answer.balance_infos
    )
    return to_usage(chosen(amounts), answer.is_available, ctx.now)


def _expired() -> ExpiredCredential:
    return ExpiredCredential(
        "The session of the DeepSeek platform is missing or expired.",
        "Sign in at platform.deepseek.com and set DEEPSEEK_PLATFORM_TOKEN to the new userToken.",
    )


async def _platform(ctx: Context, path: str, token: Secret, **params: str) -> object:
    """The `biz_data` of an answer. Its codes are judged before its shape."""
    sent = await ctx.http.send("GET", f"{PLATFORM}/{path}", bearer=token, params=params, timeout=TIMEOUT)
    if sent.status in (401, 403):
        raise _expired()
    envelope = ctx.http.parse(ctx.http.check(sent), Envelope)
    inner = child(envelope.data)
    codes = (envelope.code or 0, (to_integer(inner.get("biz_code")) or 0) if inner else 0)
    if any(code in (40002, 40003) for code in codes):
        raise _expired()
    if any(codes):
        raise BadResponse(f"The DeepSeek platform gave an error (code {codes[0] or codes[1]}).")
    if inner is None or inner.get("biz_data") is None:
        raise BadResponse("The DeepSeek platform gave an answer without data (field biz_data).")
    return inner["biz_data"]


def _shaped(model: type[P], value: object) -> P:
    shaped = parse_or_none(model, value)
    if shaped is None:
        raise BadResponse("The DeepSeek platform gave data of another shape (field biz_data).")
    return shaped


async def _month(ctx: Context, token: Secret) -> Section:
    today = ctx.now.date()
    period = {"month": str(today.month), "year": str(today.year)}
    try:
        amount, cost = await together(
            _platform(ctx, "usage/amount", token, **period), _platform(ctx, "usage/cost", token, **period)
        )
        if not isinstance(cost, list):
            raise BadResponse("The DeepSeek platform gave costs of another shape.")
        return month_section(_shaped(Month, amount), _shaped(Month, cost[0]) if cost else None, today)
    except ExpiredCredential:
        return unavailable("Sign in to the DeepSeek platform")
    except ReadError:
        return unavailable("Unavailable right now")


async def from_web(ctx: Context, token: Credential) -> Usage:
    """Balance and month at once; the month gets a little more time than the balance and may fail."""
    async with beside() as side:
        asking = side.start(_month(ctx, token.secret), 2 * TIMEOUT)
        wallets = _shaped(Wallets, await _platform(ctx, "users/get_user_summary", token.secret))
        details = await in_time(asking, DETAIL_WAIT) or unavailable("Unavailable right now")
        amount = chosen(of_wallets(wallets))
        return to_usage(amount, amount.total > 0, ctx.now, details)


def token_in(text: str) -> str | None:
    """The token in what the site keeps as `userToken`: plain, quoted, or JSON. None when it is not plausible."""
    value: object = text.strip()
    if text.strip().startswith(("{", '"')):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return None
    if isinstance(value, dict):
        names = ("value", "token", "access_token", "accessToken", "userToken")
        return next((found for name in names if (found := _plausible(value.get(name)))), None)
    return _plausible(value)


def _plausible(value: object) -> str | None:
    token = to_words(value)
    return token if token and len(token) >= 20 and not any(character.isspace() for character in token) else None


PLATFORM_TOKEN = CookieHeader(
    env=("DEEPSEEK_PLATFORM_TOKEN", "DEEPSEEK_USER_TOKEN"),
    read=token_in,
    missing="No token of the DeepSeek platform is set.",
)
"""The platform's session token. It is no cookie, but is kept where a cookie would be (config `cookieHeader`)."""


PROVIDER = Provider(
    id="deepseek",
    name="DeepSeek",
    connect="Create an API key at platform.deepseek.com and set DEEPSEEK_API_KEY; the month's usage needs the site's "
    "userToken in DEEPSEEK_PLATFORM_TOKEN.",
    summary="Prepaid balance; with a platform token also cost, tokens and requests of the month.",
    aliases=("deep-seek", "ds"),
    dashboard="https://platform.deepseek.com/usage",
    status=StatusPage("https://status.deepseek.com"),
    keys="https://platform.deepseek.com/api_keys",
    accounts=AccountKind.TOKEN,
    deadline=40,
    binding=lambda usage: "money",
    description_is_detail=True,
    strategies=(
        Strategy.api(from_api, ApiKey(env=("DEEPSEEK_API_KEY", "DEEPSEEK_KEY"))),
        Strategy.web(from_web, PLATFORM_TOKEN, applies=unlabelled),
    ),
)
