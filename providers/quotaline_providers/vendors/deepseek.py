"""DeepSeek: the prepaid balance, and with a token of the web platform the cost, tokens and requests of the month."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from pydantic import Field

import quotaline_providers as ql

BALANCE_URL = "https://api.deepseek.com/user/balance"
PLATFORM = "https://platform.deepseek.com/api/v0"
TIMEOUT = 15.0
DETAIL_WAIT = 5.0
"""Seconds the details may still take once the balance is known."""

# --- what the vendor sends -------------------------------------------------------------------------


class BalanceInfo(ql.Payload):
    """One currency's balance in major units."""

    currency: str
    total_balance: ql.NeededNumber
    granted_balance: ql.NeededNumber
    topped_up_balance: ql.NeededNumber


class BalanceAnswer(ql.Payload):
    """`GET /user/balance`."""

    is_available: Annotated[bool, Field(strict=True)]
    balance_infos: tuple[BalanceInfo, ...]


class Envelope(ql.Payload):
    """Around every answer of the platform. Error answers carry any shape in `data`."""

    code: ql.Integer = None
    msg: ql.Text = None
    data: object = None


class Wallet(ql.Payload):
    """The money in one currency."""

    currency: str
    balance: ql.NeededNumber


class Wallets(ql.Payload):
    """What `get_user_summary` holds: paid and granted money."""

    not_read = frozenset({"monthly_usage", "monthly_token_usage", "total_usage"})

    normal_wallets: tuple[Wallet, ...]
    bonus_wallets: tuple[Wallet, ...]


class Entry(ql.Payload):
    """An amount of one type: tokens or requests (`usage/amount`), money (`usage/cost`)."""

    type: str
    amount: object = None

    @property
    def kind(self) -> str:
        return self.type.upper()


class ModelUse(ql.Payload):
    """What was used of one model, by kind."""

    model: str
    usage: tuple[Entry, ...]


class Day(ql.Payload):
    """One day (YYYY-MM-DD) by model."""

    date: str
    data: tuple[ModelUse, ...]


class Month(ql.Payload):
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
    """An amount in its currency."""
    return ql.yuan(value) if currency == "CNY" else ql.money(value, currency)


UNUSABLE = "balance not usable for API calls"


def balance_window(amount: Money, available: bool) -> ql.Window:
    """The balance as a window that is empty while money is left."""
    total = shown(max(0.0, amount.total), amount.currency)
    if amount.total <= 0:
        used, text = 100, f"{total} - top up at platform.deepseek.com"
    elif not available:
        used, text = 100, f"{total}, which cannot be used for API calls now"
    else:
        paid, granted = shown(amount.paid, amount.currency), shown(amount.granted, amount.currency)
        used, text = 0, f"{total} (Paid: {paid} / Granted: {granted})"
    return ql.Window(id="balance", label="Balance", used_percent=used, description=text, lane="primary", blocks=True)


def to_usage(
    amount: Money,
    available: bool,
    now: datetime,
    details: ql.Section | None = None,
    others: Iterable[Money] = (),
) -> ql.Usage:
    """The usage of one account: the currency that counts, and of `others` those with money in them."""
    balances = {"money": _balance(amount, "money", "Balance")}
    for other in others:
        if other.currency != amount.currency and other.total > 0:
            id = f"money-{other.currency.lower()}"
            balances[id] = _balance(other, id, f"Balance ({other.currency})")
    return ql.Usage(
        updated_at=now,
        windows=(balance_window(amount, available),),
        balances=tuple(balances.values()),
        details=(details,) if details else (),
        blocked=ql.Blocked(reason=UNUSABLE) if amount.total > 0 and not available else None,
    )


def _balance(amount: Money, id: str, label: str) -> ql.Balance:
    return ql.Balance(id=id, label=label, amount=ql.exact(max(0.0, amount.total)), unit=amount.currency)


# --- the month -------------------------------------------------------------------------------------

_TYPES = {
    "PROMPT_CACHE_HIT_TOKEN": "Cache-hit input",
    "PROMPT_CACHE_MISS_TOKEN": "Cache-miss input",
    "RESPONSE_TOKEN": "Output",
}
_TITLE = "Detailed usage"


def unavailable(reason: str) -> ql.Section:
    """The section that says why the month is not shown."""
    return ql.Section(title=_TITLE, rows=(ql.Row(label="Usage", value=reason),))


def _tokens(uses: Iterable[ModelUse], kinds: Iterable[str] = _TYPES) -> int:
    wanted = set(kinds)
    return sum(ql.to_integer(entry.amount) or 0 for use in uses for entry in use.usage if entry.kind in wanted)


def _cost(days: Iterable[Day]) -> float:
    entries = (entry for day in days for use in day.data for entry in use.usage if entry.kind in _TYPES)
    return sum(ql.to_number(entry.amount) or 0.0 for entry in entries)


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


def month_section(amount: Month, cost: Month | None, today: date) -> ql.Section:
    """Tokens and money of today and this month (UTC); without any day of costs the money is unknown."""
    currency = (cost.currency if cost else None) or "CNY"
    days = _of_month(amount, today)
    paid = _of_month(cost, today) if cost and cost.days else None

    def line(label: str, wanted: Callable[[date], bool]) -> ql.Row:
        count = sum(_tokens(day.data) for when, day in days if wanted(when))
        text = "—" if paid is None else _precise(_cost(day for when, day in paid if wanted(when)), currency)
        return ql.Row(label=label, value=f"{text} · {ql.tokens(count)} tokens")

    requests = sum(_tokens(day.data, ("REQUEST",)) for _, day in days)
    rows = [
        line("Today", lambda when: when == today),
        line("This month", lambda when: True),
        ql.Row(label="Requests", value=ql.grouped(requests)),
    ]
    ranked = sorted((-_tokens([use]), use.model) for use in amount.total)
    if ranked and ranked[0][0] < 0:
        rows.append(ql.Row(label="Top model", value=ranked[0][1], secondary=f"{ql.tokens(-ranked[0][0])} tokens"))
    rows += [ql.Row(label=label, value=ql.tokens(_tokens(amount.total, (kind,)))) for kind, label in _TYPES.items()]
    points = tuple(ql.Point(label=when.isoformat(), value=_tokens(day.data)) for when, day in sorted(days, key=_by_day))
    chart = ql.Chart(kind="bars", title="Daily tokens", unit="tokens", points=points) if points else None
    return ql.Section(title=_TITLE, rows=tuple(rows), chart=chart)


def _by_day(item: tuple[date, Day]) -> date:
    return item[0]


def _precise(value: float, currency: str) -> str:
    symbol = shown(0, currency).removesuffix("0.00")
    return f"{symbol}{max(0.0, value):,.4f}"


# --- how it is fetched -----------------------------------------------------------------------------


async def from_api(ctx: ql.Context, key: ql.Credential) -> ql.Usage:
    """The balance of an API key. Raises ReadError."""
    refusals = ql.refused_key("DeepSeek")
    answer = await ctx.http.get(BALANCE_URL, BalanceAnswer, refusals=refusals, bearer=key.secret, timeout=TIMEOUT)
    amounts = [
        Money(info.currency, info.total_balance, info.topped_up_balance, info.granted_balance)
        for info in answer.balance_infos
    ]
    return to_usage(chosen(amounts), answer.is_available, ctx.now, others=amounts)


EXPIRED = ql.Refusal(
    ql.ExpiredCredential,
    "The session of the DeepSeek platform is missing or expired.",
    "Sign in at platform.deepseek.com and set DEEPSEEK_PLATFORM_TOKEN to the new userToken.",
)


async def _platform(ctx: ql.Context, path: str, token: ql.Secret, **params: str) -> object:
    """The `biz_data` of an answer. Its codes are judged before its shape."""
    refusals = {401: EXPIRED, 403: EXPIRED}
    url = f"{PLATFORM}/{path}"
    envelope = await ctx.http.get(url, Envelope, refusals=refusals, bearer=token, params=params, timeout=TIMEOUT)
    inner = ql.child(envelope.data)
    codes = (envelope.code or 0, (ql.to_integer(inner.get("biz_code")) or 0) if inner else 0)
    if any(code in (40002, 40003) for code in codes):
        raise EXPIRED.raised(200)
    if any(codes):
        words = ql.sentence(envelope.msg) or ql.sentence(ql.to_text(inner.get("biz_msg")) if inner else None)
        message = f"The DeepSeek platform answered with an error (code {codes[0] or codes[1]})"
        raise ql.BadResponse(
            f"{message}: {words}" if words else f"{message}.", "Sign in to the platform, or try later."
        )
    if inner is None or inner.get("biz_data") is None:
        raise ql.BadResponse("The DeepSeek platform answered without data (field biz_data).")
    return inner["biz_data"]


def _shaped(model: type[ql.P], value: object) -> ql.P:
    shaped = ql.parse_or_none(model, value)
    if shaped is None:
        raise ql.BadResponse("The DeepSeek platform answered with data of another shape (field biz_data).")
    return shaped


async def _month(ctx: ql.Context, token: ql.Secret) -> ql.Section:
    today = ctx.now.date()
    period = {"month": str(today.month), "year": str(today.year)}
    try:
        amount, cost = await ql.together(
            _platform(ctx, "usage/amount", token, **period), _platform(ctx, "usage/cost", token, **period)
        )
        if not isinstance(cost, list):
            raise ql.BadResponse("The DeepSeek platform answered with costs of another shape.")
        return month_section(_shaped(Month, amount), _shaped(Month, cost[0]) if cost else None, today)
    except ql.ExpiredCredential:
        return unavailable("Sign in to the DeepSeek platform")
    except ql.ReadError:
        return unavailable("Unavailable right now")


async def from_web(ctx: ql.Context, token: ql.Credential) -> ql.Usage:
    """Balance and month at once; the month gets a little more time than the balance and may fail."""
    async with ql.beside() as side:
        asking = side.start(_month(ctx, token.secret), 2 * TIMEOUT)
        wallets = _shaped(Wallets, await _platform(ctx, "users/get_user_summary", token.secret))
        details = await ql.in_time(asking, DETAIL_WAIT) or unavailable("Unavailable right now")
        amounts = of_wallets(wallets)
        amount = chosen(amounts)
        return to_usage(amount, amount.total > 0, ctx.now, details, amounts)


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
    token = ql.to_words(value)
    return token if token and len(token) >= 20 and not any(character.isspace() for character in token) else None


PLATFORM_TOKEN = ql.CookieHeader(
    env=("DEEPSEEK_PLATFORM_TOKEN", "DEEPSEEK_USER_TOKEN"),
    read=token_in,
    missing="No token of the DeepSeek platform is set.",
)
"""The platform's session token. It is not a cookie, but is kept where a cookie would be (config `cookieHeader`)."""


PROVIDER = ql.Provider(
    id="deepseek",
    name="DeepSeek",
    connect="Create an API key at platform.deepseek.com and set DEEPSEEK_API_KEY; the month's usage needs the site's "
    "userToken in DEEPSEEK_PLATFORM_TOKEN.",
    summary="Prepaid balance; with a platform token also cost, tokens and requests of the month.",
    aliases=("deep-seek", "ds"),
    dashboard="https://platform.deepseek.com/usage",
    status=ql.StatusPage("https://status.deepseek.com"),
    keys="https://platform.deepseek.com/api_keys",
    accounts=ql.AccountKind.TOKEN,
    deadline=40,
    binding=lambda usage: "money",  # the window's percentage only says whether there is any money
    description_is_detail=True,
    strategies=(
        ql.Strategy.api(from_api, ql.ApiKey(env=("DEEPSEEK_API_KEY", "DEEPSEEK_KEY"))),
        ql.Strategy.web(from_web, PLATFORM_TOKEN, applies=ql.unlabelled),
    ),
)
