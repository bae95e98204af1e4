"""DeepSeek: which currency counts, and a month that never spoils the balance."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from quotaline_providers.contract import Account
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    MissingCredential,
    RateLimited,
    ReadError,
    Unavailable,
)
from quotaline_providers.secret import Secret
from quotaline_providers.testing import Read
from quotaline_providers.vendors import deepseek
from quotaline_providers.vendors.deepseek import Money, Month, chosen, month_section, to_usage, token_in

TOKEN = "demo-platform-token-0"


def info(currency: str, total: object, granted: object = "0", paid: object = "0") -> dict[str, object]:
    names = {"total_balance": total, "granted_balance": granted, "topped_up_balance": paid}
    return {"currency": currency, **names}


@pytest.fixture
def balance(vendor: Any) -> Any:
    return vendor("api.deepseek.com").get("/user/balance", bearer="k")


@pytest.fixture
def platform(vendor: Any) -> Any:
    return vendor("platform.deepseek.com")


def good(data: object) -> dict[str, object]:
    return {"code": 0, "data": {"biz_code": 0, "biz_data": data}}


def summary(platform: Any, paid: object = (), granted: object = ()) -> Any:
    wallets = {"normal_wallets": paid, "bonus_wallets": granted}
    return platform.get("/api/v0/users/get_user_summary", bearer=TOKEN).answers_json(good(wallets))


def use(model: str = "demo", **amounts: object) -> dict[str, object]:
    return {"model": model, "usage": [{"type": kind, "amount": amount} for kind, amount in amounts.items()]}


def month(platform: Any, name: str, body: object) -> Any:
    query = {"month": "1", "year": "2030"}
    return platform.get(f"/api/v0/usage/{name}", bearer=TOKEN, query=query).answers_json(body)


def paid(amount: object, currency: str = "USD") -> dict[str, object]:
    return {"currency": currency, "balance": amount}


# --- with an API key -------------------------------------------------------------------------------


def test_a_balance_with_its_parts(balance: Any, read: Read) -> None:
    balance.answers(is_available=True, balance_infos=[info("USD", "6.50", "0.50", 6)])
    usage = read("deepseek", DEEPSEEK_API_KEY=" ", DEEPSEEK_KEY="'k'")
    window = usage.window("balance")
    assert (window.lane, window.used_percent, window.minutes, window.resets_at) == ("primary", 0, None, None)
    assert window.description == "$6.50 (Paid: $6.00 / Granted: $0.50)"
    assert usage.balance("money").amount == Decimal("6.5")
    assert usage.identity.plan is None


def test_an_empty_balance_is_exhausted(balance: Any, read: Read) -> None:
    balance.answers(is_available=False, balance_infos=[])
    usage = read("deepseek", DEEPSEEK_API_KEY='"k"')
    assert usage.window("balance").used_percent == 100
    assert usage.window("balance").blocks
    assert (usage.window("balance").description or "").startswith("$0.00")
    assert usage.balance("money").unit == "USD"


def test_a_funded_currency_comes_before_empty_dollars(balance: Any, read: Read) -> None:
    balance.answers(is_available=True, balance_infos=[info("USD", "0.00"), info("CNY", "12.30", "2.30", "10")])
    usage = read("deepseek", config={"apiKey": "k"}, DEEPSEEK_API_KEY="other")
    assert usage.window("balance").description == "¥12.30 (Paid: ¥10.00 / Granted: ¥2.30)"


def test_the_choice_of_a_currency() -> None:
    dollars, yuan, none = Money("USD", 1, 1, 0), Money("CNY", 5, 5, 0), Money("USD", 0, 0, 0)
    assert chosen([yuan, dollars]) is dollars
    assert chosen([Money("CNY", 0, 0, 0), none]) is none
    assert chosen([Money("EUR", 0, 0, 0)]).currency == "EUR"


@pytest.mark.parametrize("order", [1, -1])
def test_a_cent_hides_no_other_currency(balance: Any, read: Read, order: int) -> None:
    infos = [info("USD", "0.01"), info("CNY", "710.46"), info("EUR", "0")]
    balance.answers(is_available=True, balance_infos=infos[::order])
    usage = read("deepseek", DEEPSEEK_API_KEY="k")
    assert [(one.id, one.amount, one.unit) for one in usage.balances] == [
        ("money", Decimal("0.01"), "USD"),
        ("money-cny", Decimal("710.46"), "CNY"),
    ]


def test_a_purse_is_shown_in_its_own_currency(balance: Any, read: Read) -> None:
    balance.answers(is_available=True, balance_infos=[info("EUR", "20.50", "0", "20.50")])
    window = read("deepseek", DEEPSEEK_API_KEY="k").window("balance")
    assert window.description == "€20.50 (Paid: €20.50 / Granted: €0.00)"


def test_the_vendors_own_word_blocks_the_account(balance: Any, read: Read) -> None:
    balance.answers(is_available=False, balance_infos=[info("USD", "5.50")])
    usage = read("deepseek", DEEPSEEK_API_KEY="k")
    assert usage.blocked is not None
    assert "not usable" in usage.blocked.reason
    assert usage.balance("money").amount == Decimal("5.5")


def test_money_that_can_be_used_blocks_nothing(balance: Any, read: Read) -> None:
    balance.answers(is_available=True, balance_infos=[info("USD", "5.50")])
    assert read("deepseek", DEEPSEEK_API_KEY="k").blocked is None


def test_money_that_cannot_be_used_now(clock: Any) -> None:
    window = to_usage(Money("USD", 3, 3, 0), False, clock.now).window("balance")
    assert window.used_percent == 100
    assert "cannot be used" in (window.description or "")


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"is_available": True},
        {"is_available": "yes", "balance_infos": []},
        {"is_available": True, "balance_infos": [info("USD", "abc")]},
        {"is_available": True, "balance_infos": [{"currency": "USD"}]},
    ],
)
def test_balances_that_cannot_be_understood(balance: Any, read: Read, body: object) -> None:
    balance.answers_json(body)
    with pytest.raises(BadResponse):
        read("deepseek", DEEPSEEK_API_KEY="k")


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, ExpiredCredential), (403, ExpiredCredential), (402, BadResponse), (429, RateLimited), (503, Unavailable)],
)
def test_refused_keys_do_not_fall_to_the_platform(
    balance: Any, read: Read, status: int, error: type[ReadError]
) -> None:
    balance.fails(status)
    with pytest.raises(error):
        read("deepseek", DEEPSEEK_API_KEY="k", DEEPSEEK_PLATFORM_TOKEN=TOKEN)


def test_an_account_never_uses_the_ambient_platform_token(balance: Any, read: Read) -> None:
    balance.answers(is_available=True, balance_infos=[info("USD", 1)])
    account = Account("Work", Secret("k"))
    assert read("deepseek", account=account, DEEPSEEK_PLATFORM_TOKEN=TOKEN).details == ()


def test_a_missing_platform_token_is_called_so(read: Read) -> None:
    with pytest.raises(MissingCredential, match="DeepSeek platform") as raised:
        read("deepseek", source="web")
    assert "DEEPSEEK_PLATFORM_TOKEN" in raised.value.hint
    with pytest.raises(MissingCredential):
        read("deepseek", source="web", DEEPSEEK_PLATFORM_TOKEN="too short")


# --- with a platform token -------------------------------------------------------------------------


def test_wallets_and_the_month(platform: Any, read: Read) -> None:
    summary(platform, [paid("4.5"), paid("9", "CNY")], [paid(0.5)])
    tokens = {"prompt_cache_hit_token": "100", "RESPONSE_TOKEN": "40", "REQUEST": "3", "ODD": "9"}
    other = {"PROMPT_CACHE_MISS_TOKEN": "20", "REQUEST": "x"}
    days = [
        {"date": "2030-01-02", "data": [use(**tokens)]},
        {"date": "2030-01-01", "data": [use("other", **other)]},
        {"date": "2029-12-31", "data": [use(RESPONSE_TOKEN="7")]},
        {"date": "2030-01-03", "data": [use(RESPONSE_TOKEN="7")]},
    ]
    month(platform, "amount", good({"total": [use("other", **other), use(**tokens)], "days": days}))
    costs = [
        {"date": "2030-01-02", "data": [use(RESPONSE_TOKEN="0.0125", REQUEST="7")]},
        {"date": "2030-01-01", "data": [use(RESPONSE_TOKEN="0.01")]},
    ]
    month(platform, "cost", good([{"currency": "USD", "total": [], "days": costs}]))
    usage = read("deepseek", DEEPSEEK_PLATFORM_TOKEN=TOKEN)
    assert usage.source == "web"
    assert usage.window("balance").description == "$5.00 (Paid: $4.50 / Granted: $0.50)"
    assert usage.row("Today").value == "$0.0125 · 140 tokens"
    assert usage.row("This month").value == "$0.0225 · 160 tokens"
    assert usage.row("Requests").value == "3"
    assert usage.row("Top model").value == "demo"
    assert [usage.row(name).value for name in ("Cache-hit input", "Cache-miss input", "Output")] == ["100", "20", "40"]
    chart = usage.details[0].chart
    assert chart is not None
    assert [(point.label, point.value) for point in chart.points] == [("2030-01-01", 20), ("2030-01-02", 140)]


def parsed(**fields: object) -> Month:
    return Month.model_validate({"total": [], "days": [], **fields})


def test_a_month_without_costs_has_tokens_alone() -> None:
    amount = parsed(days=[{"date": "2030-01-02", "data": [use(RESPONSE_TOKEN="5")]}])
    assert month_section(amount, None, date(2030, 1, 2)).rows[0].value == "— · 5 tokens"
    assert month_section(parsed(), parsed(currency="USD"), date(2030, 1, 2)).rows[0].value == "— · 0 tokens"


def test_a_day_known_only_by_its_cost_counts() -> None:
    cost = parsed(currency="USD", days=[{"date": "2030-01-02", "data": [use(RESPONSE_TOKEN="0.5")]}])
    assert month_section(parsed(), cost, date(2030, 1, 2)).rows[0].value == "$0.5000 · 0 tokens"


def test_negative_costs_and_other_months_are_zero() -> None:
    cost = parsed(days=[{"date": "2030-01-02", "data": [use(RESPONSE_TOKEN="-1")]}])
    assert month_section(parsed(), cost, date(2030, 1, 2)).rows[0].value == "¥0.0000 · 0 tokens"
    assert month_section(parsed(), cost, date(2030, 3, 2)).rows[1].value == "¥0.0000 · 0 tokens"


def test_models_with_equal_tokens_are_ranked_by_name() -> None:
    amount = parsed(total=[use("b", RESPONSE_TOKEN="5"), use("a", RESPONSE_TOKEN="5")])
    rows = {row.label: row.value for row in month_section(amount, None, date(2030, 1, 2)).rows}
    assert rows["Top model"] == "a"


@pytest.mark.parametrize(
    ("amount", "cost", "shown"),
    [
        (good({"total": [], "days": [{"date": "2030-01-02", "data": None}]}), good([]), "Unavailable right now"),
        (good({"total": [], "days": []}), good({}), "Unavailable right now"),
        ({"code": 40003, "data": "x"}, good([]), "Sign in to the DeepSeek platform"),
    ],
)
def test_a_broken_month_leaves_the_balance(platform: Any, read: Read, amount: object, cost: object, shown: str) -> None:
    summary(platform, [paid(1)])
    month(platform, "amount", amount)
    month(platform, "cost", cost)
    usage = read("deepseek", DEEPSEEK_USER_TOKEN=TOKEN)
    assert usage.row("Usage").value == shown
    assert usage.balance("money").amount == 1


def test_a_late_month_is_not_waited_for(platform: Any, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    assert deepseek.DETAIL_WAIT == 5
    monkeypatch.setattr(deepseek, "DETAIL_WAIT", 0.1)
    summary(platform)
    for name in ("amount", "cost"):
        platform.get(f"/api/v0/usage/{name}").delays(2).answers()
    usage = read("deepseek", config={"cookieHeader": TOKEN})
    assert usage.row("Usage").value == "Unavailable right now"
    assert usage.window("balance").used_percent == 100
    assert usage.balance("money").amount == 0


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"code": 40003, "data": "x"}, ExpiredCredential),
        ({"code": 0, "data": {"biz_code": 40002, "biz_data": "x"}}, ExpiredCredential),
        ({"code": 7, "data": []}, BadResponse),
        ({"code": 0, "data": {"biz_code": 0}}, BadResponse),
        (good({"normal_wallets": []}), BadResponse),
    ],
)
def test_a_summary_without_wallets(platform: Any, read: Read, body: object, error: type[ReadError]) -> None:
    platform.get("/api/v0/users/get_user_summary").answers_json(body)
    month(platform, "amount", good({}))
    month(platform, "cost", good([]))
    with pytest.raises(error):
        read("deepseek", source="web", DEEPSEEK_PLATFORM_TOKEN=TOKEN)


@pytest.mark.parametrize(
    "body", [{"code": 7, "msg": "Account frozen"}, {"code": 0, "data": {"biz_code": 7, "biz_msg": "Account frozen"}}]
)
def test_the_words_of_the_platform_are_told(platform: Any, read: Read, body: object) -> None:
    for path in ("users/get_user_summary", "usage/amount", "usage/cost"):
        platform.get(f"/api/v0/{path}").answers_json(body)
    with pytest.raises(BadResponse, match=r"\(code 7\): Account frozen\."):
        read("deepseek", DEEPSEEK_PLATFORM_TOKEN=TOKEN)


def test_counters_of_the_platform_are_no_limits(platform: Any, read: Read) -> None:
    wallets = {"normal_wallets": [paid(5)], "bonus_wallets": [], "monthly_usage": "7", "monthly_token_usage": "9"}
    platform.get("/api/v0/users/get_user_summary").answers_json(good(wallets))
    month(platform, "amount", good({}))
    month(platform, "cost", good([]))
    assert read("deepseek", DEEPSEEK_PLATFORM_TOKEN=TOKEN).unread_limits == ()


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_platform_token(platform: Any, read: Read, status: int) -> None:
    platform.get("/api/v0/users/get_user_summary").fails(status)
    month(platform, "amount", good({}))
    month(platform, "cost", good([]))
    with pytest.raises(ExpiredCredential, match="session"):
        read("deepseek", DEEPSEEK_PLATFORM_TOKEN=TOKEN)


def test_the_amount_stands_in_a_status_bar(platform: Any, read: Read) -> None:
    summary(platform, [paid(1)])
    month(platform, "amount", good({"total": [], "days": []}))
    month(platform, "cost", good([]))
    usage = read("deepseek", DEEPSEEK_USER_TOKEN=TOKEN)
    assert deepseek.PROVIDER.binding is not None
    assert usage.balance(deepseek.PROVIDER.binding(usage) or "").amount == 1


def test_a_kept_platform_token(platform: Any, read: Read, keyring_entries: dict[tuple[str, str], str]) -> None:
    keyring_entries["quotaline", "deepseek/cookie"] = f'{{"value": "{TOKEN}"}}'
    summary(platform, [paid(1)])
    month(platform, "amount", good({"total": [], "days": []}))
    month(platform, "cost", good([]))
    assert read("deepseek").balance("money").amount == 1


def test_the_config_comes_before_the_environment(platform: Any, read: Read) -> None:
    summary(platform, [paid(1)])
    month(platform, "amount", good({"total": [], "days": []}))
    month(platform, "cost", good([]))
    other = "demo-platform-token-other"
    read("deepseek", config={"cookieHeader": TOKEN}, DEEPSEEK_PLATFORM_TOKEN=other, DEEPSEEK_USER_TOKEN=other)
    read("deepseek", DEEPSEEK_PLATFORM_TOKEN=TOKEN, DEEPSEEK_USER_TOKEN=other)


def test_forms_of_the_platform_token() -> None:
    assert token_in(f" {TOKEN} ") == TOKEN
    assert token_in(f'"{TOKEN}"') == TOKEN
    assert token_in(f'{{"value": "short", "token": "{TOKEN}"}}') == TOKEN
    assert token_in('{"other": 1}') is None
    assert token_in("{") is None
    assert token_in("has white space in its middle") is None
