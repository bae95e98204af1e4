"""OpenRouter: the balance, the key's budget, the history, and how each fails alone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    Misconfigured,
    RateLimited,
    ReadError,
    Unavailable,
)
from quotaline_providers.testing import NOW, Read
from quotaline_providers.vendors.openrouter import api
from quotaline_providers.vendors.openrouter.credentials import key_in_file
from quotaline_providers.vendors.openrouter.history import activity, history_section
from quotaline_providers.vendors.openrouter.mapping import FREE_REQUESTS, key_used, next_reset
from quotaline_providers.vendors.openrouter.payloads import Key

TODAY = date(2030, 1, 2)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "DETAIL_SECONDS", 5.0)


@pytest.fixture
def routes(vendor: Any) -> Any:
    return vendor("openrouter.ai")


def credits(routes: Any, added: object = 40, used: object = 10) -> Any:
    route = routes.get("/api/v1/credits", bearer="k")
    return route.answers(data={"total_credits": added, "total_usage": used})


def key(routes: Any, **fields: object) -> Any:
    return routes.get("/api/v1/key", bearer="k").answers(data=fields)


def row(**fields: object) -> dict[str, object]:
    standard: dict[str, object] = {"date": "2030-01-01", "model": "demo/one", "requests": 2, "usage": 0.5}
    return standard | {"prompt_tokens": 100, "completion_tokens": 20} | fields


# --- balance and budget ----------------------------------------------------------------------------


def test_balance_and_monthly_budget(routes: Any, read: Read) -> None:
    credits(routes)
    key(routes, limit=20, limit_remaining=15, limit_reset="Monthly", usage=99, usage_daily=0, is_free_tier=False)
    usage = read("openrouter", OPENROUTER_API_KEY="k")
    assert usage.balance("credits").amount == Decimal(30)
    assert usage.identity.login_method == "Balance: $30.00"
    budget = usage.window("key")
    assert (budget.used_percent, budget.used, budget.limit, budget.lane) == (25, 5, 20, "primary")
    assert budget.resets_at == datetime(2030, 2, 1, tzinfo=UTC)
    assert usage.window("credits").used_percent == 25
    assert usage.window("credits").lane == "secondary"
    assert all(window.blocks for window in usage.windows)
    assert usage.row("Today").value == "$0.00"
    assert usage.row("Reset window").value == "Monthly"
    assert usage.row("Activity").value == "Management API key not configured"


@pytest.mark.parametrize("fields", [{"limit": None}, {}])
def test_without_a_key_limit_the_credits_are_the_headline(routes: Any, read: Read, fields: dict[str, object]) -> None:
    credits(routes)
    key(routes, usage=3, **fields)
    usage = read("openrouter", OPENROUTER_API_KEY="k")
    assert [window.id for window in usage.windows] == ["credits"]
    assert usage.window("credits").lane == "primary"
    assert usage.row("Budget").value == "No limit configured"


def test_a_limit_without_anything_usable_shows_only_the_budget(routes: Any, read: Read) -> None:
    credits(routes)
    key(routes, limit=12)
    usage = read("openrouter", OPENROUTER_API_KEY="k")
    assert [window.id for window in usage.windows] == ["credits"]
    assert usage.row("Budget").value == "$12.00"


def test_a_wrongly_typed_limit_spoils_the_key_part_only(routes: Any, read: Read) -> None:
    credits(routes)
    key(routes, limit="twelve")
    usage = read("openrouter", OPENROUTER_API_KEY="k")
    assert usage.balance("credits").amount == 30
    assert usage.row("Budget").value == "Unavailable right now"
    assert usage.row("Budget").secondary == "Response was invalid"


def test_lifetime_use_says_nothing_of_a_monthly_limit() -> None:
    assert key_used(Key(limit=10, limit_reset="monthly", usage=900, usage_monthly=4)) == 4
    assert key_used(Key(limit=10, limit_reset="monthly", usage=900)) is None
    assert key_used(Key(limit=10, usage=3)) == 3
    assert key_used(Key(limit=10, usage=-3)) is None
    assert key_used(Key(limit=0, usage=3)) is None


@pytest.mark.parametrize(("remaining", "percent"), [(-4, 100), (25, 0)])
def test_remaining_outside_the_limit_is_clamped(routes: Any, read: Read, remaining: float, percent: float) -> None:
    credits(routes)
    key(routes, limit=20, limit_remaining=remaining)
    assert read("openrouter", OPENROUTER_API_KEY="k").window("key").used_percent == percent


def test_a_balance_is_never_negative(routes: Any, read: Read) -> None:
    credits(routes, 5, 9)
    key(routes)
    usage = read("openrouter", OPENROUTER_API_KEY="k")
    assert usage.balance("credits").amount == 0
    assert usage.window("credits").used_percent == 100


def test_credits_that_are_nearly_gone_stand_beside_an_untouched_key_limit(routes: Any, read: Read) -> None:
    credits(routes, 5, 4.9)
    key(routes, limit=30, limit_remaining=30)
    usage = read("openrouter", OPENROUTER_API_KEY="k")
    assert [(window.id, window.used_percent, window.blocks) for window in usage.windows] == [
        ("key", 0, True),
        ("credits", pytest.approx(98), True),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"usage": 3.25, "is_free_tier": False},
        {"usage": 0, "is_free_tier": False, "is_management_key": False},
        {"usage": 3.25},
        {"usage_monthly": 3.25},
    ],
)
def test_two_zeros_for_an_ordinary_key_are_no_balance(routes: Any, read: Read, fields: dict[str, object]) -> None:
    credits(routes, 0, 0)
    key(routes, limit=5, limit_remaining=1, **fields)
    usage = read("openrouter", OPENROUTER_API_KEY="k")
    assert usage.balances == ()
    assert [window.id for window in usage.windows] == ["key"]
    assert usage.row("Remaining").value == "Needs a management key"
    assert "Balance" not in (usage.identity.login_method or "")
    assert [spend.used for spend in usage.spends] == ([Decimal(str(fields["usage"]))] if "usage" in fields else [])


@pytest.mark.parametrize(
    "fields",
    [{"usage": 3.25, "is_free_tier": True}, {"usage": 3.25, "is_management_key": True}, {"usage": 0}, None],
)
def test_two_zeros_that_nothing_contradicts_are_no_money(
    routes: Any, read: Read, fields: dict[str, object] | None
) -> None:
    credits(routes, 0, 0)
    if fields is None:
        routes.get("/api/v1/key").fails(502)
    else:
        routes.get("/api/v1/activity").answers(data=[])
        key(routes, **fields)
    usage = read("openrouter", OPENROUTER_API_KEY="k")
    assert usage.balance("credits").amount == 0
    assert usage.windows == ()
    assert usage.identity.login_method == "Balance: $0.00"


@pytest.mark.parametrize(("bought", "told"), [(9.99, False), (10, True)])
def test_the_requests_to_free_models_are_told_once_enough_was_bought(
    routes: Any, read: Read, bought: float, told: bool
) -> None:
    credits(routes, bought, 1)
    key(routes)
    assert read("openrouter", OPENROUTER_API_KEY="k").notes == ((FREE_REQUESTS,) if told else ())


def test_other_budgets_of_a_key_stop_it_too(routes: Any, read: Read) -> None:
    credits(routes)
    layers = [
        {"scope": "key_limit", "limit_usd": 20, "spend_usd": 5},
        {
            "scope": "workspace_default_member",
            "limit_usd": 50,
            "remaining_usd": 5,
            "reset_interval": "monthly",
            "resets_at": "2030-02-01T00:00:00Z",
        },
        {"scope": "workspace"},
        "odd",
    ]
    key(routes, limit=20, limit_remaining=15, budgets=layers)
    usage = read("openrouter", OPENROUTER_API_KEY="k")
    assert [window.id for window in usage.windows] == ["key", "credits", "budget-workspace_default_member"]
    budget = usage.window("budget-workspace_default_member")
    assert (budget.label, budget.used_percent, budget.blocks) == ("Workspace Default Member budget", 90, True)
    assert budget.resets_at == datetime(2030, 2, 1, tzinfo=UTC)


def test_a_told_remaining_balance_replaces_the_difference(routes: Any, read: Read) -> None:
    data = {"total_credits": 40, "total_usage": 10, "remaining_balance": 31.25}
    routes.get("/api/v1/credits").answers(data=data)
    key(routes)
    assert read("openrouter", OPENROUTER_API_KEY="k").balance("credits").amount == Decimal("31.25")


def test_a_remaining_balance_that_is_no_number_is_left_out(routes: Any, read: Read) -> None:
    routes.get("/api/v1/credits").answers(data={"total_credits": 40, "total_usage": 10, "remaining_balance": "many"})
    key(routes)
    assert read("openrouter", OPENROUTER_API_KEY="k").balance("credits").amount == 30


@pytest.mark.parametrize(
    ("limit", "shown"),
    [({"requests": 60, "interval": "10s"}, True), ({"requests": -1}, False), (None, False), ("60 / 10s", False)],
)
def test_a_deprecated_rate_limit_is_hidden(routes: Any, read: Read, limit: object, shown: bool) -> None:
    credits(routes)
    key(routes, limit=5, rate_limit=limit)
    rows = [row for section in read("openrouter", OPENROUTER_API_KEY="k").details for row in section.rows]
    assert [row.value for row in rows if row.label == "Rate limit"] == (["60 requests / 10s"] if shown else [])


def test_key_spend_is_charted(routes: Any, read: Read) -> None:
    credits(routes)
    key(routes, usage=9, usage_daily=1, usage_weekly=2, usage_monthly=-3)
    chart = next(s.chart for s in read("openrouter", OPENROUTER_API_KEY="k").details if s.title == "API key")
    assert chart is not None
    assert [(point.label, point.value) for point in chart.points] == [("Today", 1), ("This week", 2), ("This month", 0)]


def test_resets_are_at_the_start_of_the_next_utc_period() -> None:
    assert next_reset("daily", NOW) == datetime(2030, 1, 3, tzinfo=UTC)
    assert next_reset("WEEKLY", NOW) == datetime(2030, 1, 7, tzinfo=UTC)
    assert next_reset("monthly", datetime(2030, 12, 31, 23, tzinfo=UTC)) == datetime(2031, 1, 1, tzinfo=UTC)
    assert next_reset(None, NOW) is None


# --- how calls fail --------------------------------------------------------------------------------


def test_a_slow_key_answer_is_not_waited_for(routes: Any, read: Read) -> None:
    credits(routes)
    routes.get("/api/v1/key").delays(1.5).answers(data={"limit": 5})
    usage = read("openrouter", config={"detailSeconds": 0.6}, OPENROUTER_API_KEY="k")
    assert usage.row("Budget").secondary == "Request timed out"


def test_details_wait_four_seconds_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert api.DETAIL_SECONDS == 4


def test_an_older_deployment_has_the_key_elsewhere(routes: Any, read: Read) -> None:
    credits(routes)
    routes.get("/api/v1/key").fails(404)
    routes.get("/api/v1/auth/key", bearer="k").answers(data={"limit": 10, "limit_remaining": 5})
    assert read("openrouter", OPENROUTER_API_KEY="k").window("key").used_percent == 50


def test_a_failing_key_call_only_degrades(routes: Any, read: Read) -> None:
    credits(routes)
    routes.get("/api/v1/key").fails(502)
    assert read("openrouter", OPENROUTER_API_KEY="k").row("Budget").secondary == "Request returned HTTP 502"


def test_closed_credits_show_the_key_alone(routes: Any, read: Read) -> None:
    routes.get("/api/v1/credits").fails(403)
    key(routes, limit=10, limit_remaining=4, usage=7, is_free_tier=True)
    usage = read("openrouter", OPENROUTER_API_KEY="k")
    assert usage.window("key").used_percent == 60
    assert usage.balances == ()
    assert usage.spend("key").used == 7
    assert usage.identity.login_method == "Free tier"


def test_a_page_in_place_of_the_key_does_not_refuse_it(routes: Any, read: Read) -> None:
    routes.get("/api/v1/credits").fails(403)
    routes.get("/api/v1/key").bars()
    with pytest.raises(Forbidden, match=r"^(?!.*refused the API key)"):
        read("openrouter", OPENROUTER_API_KEY="k")


def test_with_closed_credits_a_slow_key_answer_is_waited_for(routes: Any, read: Read) -> None:
    routes.get("/api/v1/credits").fails(403)
    routes.get("/api/v1/key").delays(0.8).answers(data={}).answers(data={"limit": 10, "limit_remaining": 4})
    usage = read("openrouter", config={"detailSeconds": 0.3}, OPENROUTER_API_KEY="k")
    assert usage.window("key").used_percent == 60


@pytest.mark.parametrize(
    ("credits_status", "key_status", "error"),
    [
        (403, 401, ExpiredCredential),
        (403, 403, ExpiredCredential),
        (403, 500, Forbidden),
        (401, 200, ExpiredCredential),
    ],
)
def test_refused_keys(routes: Any, read: Read, credits_status: int, key_status: int, error: type[ReadError]) -> None:
    routes.get("/api/v1/credits").fails(credits_status)
    routes.get("/api/v1/key").fails(key_status)
    with pytest.raises(error):
        read("openrouter", OPENROUTER_API_KEY="k")


@pytest.mark.parametrize(
    ("status", "error"), [(401, ExpiredCredential), (429, RateLimited), (503, Unavailable), (418, BadResponse)]
)
def test_refusals_of_credits_and_key(routes: Any, read: Read, status: int, error: type[ReadError]) -> None:
    routes.get("/api/v1/credits").fails(status)
    routes.get("/api/v1/key").fails(status)
    with pytest.raises(error) as raised:
        read("openrouter", OPENROUTER_API_KEY="k")
    assert raised.value.partial is None


def test_credits_that_are_down_leave_the_key(routes: Any, read: Read) -> None:
    routes.get("/api/v1/credits").fails(503)
    key(routes, limit=10, limit_remaining=4, usage=7)
    usage = read("openrouter", OPENROUTER_API_KEY="k")
    assert usage.window("key").used_percent == 60
    assert usage.balances == ()
    assert usage.spend("key").used == 7
    assert usage.row("Remaining").value == "Unavailable right now"
    assert any("balance could not be read" in note and "503" in note for note in usage.notes)


def test_spend_without_a_limit_stands_beside_credits_that_are_down(routes: Any, outcome: Any) -> None:
    routes.get("/api/v1/credits").fails(503)
    key(routes, usage=7)
    result = outcome("openrouter", OPENROUTER_API_KEY="k")
    assert isinstance(result.error, Unavailable)
    assert (result.usage.spend("key").used, result.usage.notes) == (7, ())


@pytest.mark.parametrize(("status", "error"), [(403, Forbidden), (503, Unavailable)])
def test_a_key_without_a_number_stands_for_nothing(
    routes: Any, read: Read, status: int, error: type[ReadError]
) -> None:
    routes.get("/api/v1/credits").fails(status)
    key(routes, label="demo")
    with pytest.raises(error) as raised:
        read("openrouter", OPENROUTER_API_KEY="k")
    assert raised.value.partial is None


@pytest.mark.parametrize(("status", "error"), [(401, ExpiredCredential), (429, RateLimited), (418, BadResponse)])
def test_refused_credits_stand_beside_the_key(outcome: Any, routes: Any, status: int, error: type[ReadError]) -> None:
    routes.get("/api/v1/credits").fails(status)
    key(routes, limit=10, limit_remaining=4)
    result = outcome("openrouter", OPENROUTER_API_KEY="k")
    assert isinstance(result.error, error)
    assert result.usage.window("key").used_percent == 60


@pytest.mark.parametrize("body", ['{"data": [1]}', '{"data": {"total_credits": "4", "total_usage": 1}}', "<html>", "{"])
def test_credits_that_cannot_be_understood(routes: Any, read: Read, body: str) -> None:
    routes.get("/api/v1/credits").answers_text(body)
    key(routes)
    with pytest.raises(BadResponse):
        read("openrouter", OPENROUTER_API_KEY="k")


# --- keys and addresses ----------------------------------------------------------------------------


def test_the_client_headers_go_to_the_credits_only(routes: Any, read: Read) -> None:
    asked = credits(routes)
    about_key = key(routes)
    read("openrouter", OPENROUTER_API_KEY=" 'k' ", OPENROUTER_X_TITLE="Mine", OPENROUTER_HTTP_REFERER="https://a.test")
    sent = {name.lower(): value for name, value in dict(asked.requests[0].headers).items()}
    assert (sent["x-title"], sent["http-referer"]) == ("Mine", "https://a.test")
    assert "x-title" not in {name.lower() for name in dict(about_key.requests[0].headers)}


def test_the_config_key_wins(routes: Any, read: Read) -> None:
    credits(routes)
    key(routes)
    read("openrouter", config={"apiKey": "k"}, OPENROUTER_API_KEY="other")


def test_a_key_file_is_the_last_resort(routes: Any, read: Read, home: Any) -> None:
    (home / ".config/openrouter").mkdir(parents=True)
    (home / ".config/openrouter/key.json").write_text('{"api_key": "k"}')
    credits(routes)
    key(routes)
    assert read("openrouter").balance("credits").amount == 30


def test_key_files_hold_json_or_the_bare_key() -> None:
    assert key_in_file('{"apiKey": "", "key": "a"}') == "a"
    assert key_in_file("bare-key\n") == "bare-key\n"
    assert key_in_file('{"broken"') is None
    assert key_in_file("[1]") is None


@pytest.mark.parametrize(
    "address",
    ["http://router.test", "https://u:p@router.test", "https://router%2etest%2f", "https://router.test/v1?a=b"],
)
def test_unsafe_addresses_are_refused_before_anything_is_sent(read: Read, address: str) -> None:
    with pytest.raises(Misconfigured, match="OPENROUTER_API_URL"):
        read("openrouter", OPENROUTER_API_KEY="k", OPENROUTER_API_URL=address)
    with pytest.raises(Misconfigured, match="enterpriseHost"):
        read("openrouter", config={"enterpriseHost": address}, OPENROUTER_API_KEY="k")


def test_an_overridden_base_never_sees_the_management_key(vendor: Any, routes: Any, read: Read) -> None:
    proxy = vendor("router.test")
    proxy.get("/v1/credits", bearer="k").answers(data={"total_credits": 2, "total_usage": 1})
    proxy.get("/v1/key", bearer="k").answers(data={})
    official = routes.get("/api/v1/activity", bearer="m").answers(data=[])
    read(
        "openrouter",
        config={"enterpriseHost": "router.test/v1/"},
        OPENROUTER_API_KEY="k",
        OPENROUTER_MANAGEMENT_API_KEY="m",
    )
    assert official.count == 1


# --- history ---------------------------------------------------------------------------------------


def test_history_counts_equal_rows_once_and_asks_for_no_day(routes: Any, read: Read) -> None:
    credits(routes)
    key(routes)
    rows = routes.get("/api/v1/activity", bearer="m").answers(data=[row(), row()])
    usage = read("openrouter", config={"pluginSecrets": {"OPENROUTER_MANAGEMENT_API_KEY": "m"}}, OPENROUTER_API_KEY="k")
    assert (usage.row("Spend").value, usage.row("Spend").secondary) == ("$0.50", "vendor-metered")
    assert usage.row("Tokens").value == "120"
    assert [request.query for request in rows.requests] == [{}]


def test_a_main_key_that_is_a_management_key_reads_the_history(routes: Any, read: Read) -> None:
    credits(routes)
    key(routes, is_management_key=True)
    routes.get("/api/v1/activity", bearer="k").answers(data=[row()])
    assert read("openrouter", OPENROUTER_API_KEY="k").row("Spend").value == "$0.50"


def test_a_proxy_that_calls_a_key_a_management_key_is_not_believed(vendor: Any, routes: Any, read: Read) -> None:
    proxy = vendor("router.test")
    proxy.get("/v1/credits", bearer="k").answers(data={"total_credits": 2, "total_usage": 1})
    proxy.get("/v1/key", bearer="k").answers(data={"is_management_key": True})
    usage = read("openrouter", config={"enterpriseHost": "router.test/v1"}, OPENROUTER_API_KEY="k")
    assert usage.row("Activity").value == "Management API key not configured"
    assert routes.count == 0


def test_a_refused_management_key_leaves_credits_and_key(routes: Any, read: Read) -> None:
    credits(routes)
    key(routes, limit=10, limit_remaining=5)
    routes.get("/api/v1/activity").fails(403)
    usage = read("openrouter", OPENROUTER_API_KEY="k", OPENROUTER_MANAGEMENT_API_KEY="m")
    assert usage.row("Activity").value == "Management API key required"
    assert usage.window("key").used_percent == 50


def test_a_broken_history_is_dropped_alone(routes: Any, read: Read) -> None:
    credits(routes)
    key(routes)
    routes.get("/api/v1/activity").answers(data=[row(date="2030-02-31")])
    usage = read("openrouter", OPENROUTER_API_KEY="k", OPENROUTER_MANAGEMENT_API_KEY="m")
    assert usage.row("Activity").value == "Unavailable right now"
    assert usage.balance("credits").amount == 30


@pytest.mark.parametrize(
    "rows",
    [
        [row(date="2029-02-31")],
        [row(date="2030-01-03")],
        [row(date=None)],
        [row(usage=float("inf"))],
        [row(usage=-1)],
        [row(usage="1")],
        [row(requests=1.5)],
        [row(prompt_tokens=-1)],
        [row(prompt_tokens=2**63)],
        [row(prompt_tokens=2**63 - 1)],
        [row(date="2030-01-01x")],
        [row(date="20300101")],
        [row(), row(usage=0.6)],
    ],
)
def test_history_that_cannot_be_trusted(rows: list[dict[str, object]]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of them drops the history
        activity(rows, TODAY)


def test_equal_numbers_under_one_identity_count_once_whatever_else_differs() -> None:
    first, again = row(model_permaslug="demo/one-1", model="one"), row(model_permaslug="demo/one-1", model="One")
    assert [item.tokens for item in activity([first, again], TODAY)] == [120]


def test_a_bracketed_address_may_stand_in_for_the_service(reader: Any) -> None:
    context = reader.context("openrouter", {"enterpriseHost": "[2001:db8::1]:8443/v1/"})
    assert api.base_url(context) == "https://[2001:db8::1]:8443/v1"


@pytest.mark.parametrize("day", ["2030-01-01T00:00:00Z", "2030-01-01 00:00:00"])
def test_a_day_may_have_a_time_behind_it(day: str) -> None:
    assert [item.day for item in activity([row(date=day)], TODAY)] == [date(2030, 1, 1)]


def test_rows_before_the_window_do_not_count() -> None:
    days = activity([row(date="2029-12-03", usage="broken"), row(date="2029-12-04")], TODAY)
    assert [item.day for item in days] == [date(2029, 12, 4)]


def test_own_key_spend_is_an_estimate() -> None:
    own = history_section(activity([row(usage=0, byok_usage_inference=0.25)], TODAY))
    both = history_section(activity([row(byok_usage_inference=0.25)], TODAY))
    assert (own.rows[0].value, own.rows[0].secondary) == ("$0.25", "estimate")
    assert (both.rows[0].value, both.rows[0].secondary) == ("$0.75", "mixed")


def test_a_row_without_a_model_counts() -> None:
    section = history_section(activity([row(model=None, reasoning_tokens=21)], TODAY))
    assert [r.label for r in section.rows[3:]] == ["Unknown model"]
    assert section.rows[1].value == "120"


def test_too_many_rows_are_an_error() -> None:
    with pytest.raises(ValueError, match="distinct"):
        activity((row(endpoint_id=str(number)) for number in range(10_001)), TODAY)
    with pytest.raises(ValueError, match="too many rows"):
        activity((row(date="2029-01-01") for _ in range(20_001)), TODAY)
