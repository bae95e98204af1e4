"""MiniMax by a pasted session: the plan page, what remains, the subscription and the billing history."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from quotaline_providers.contract import Account
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Misconfigured,
    MissingCredential,
    ReadError,
    Unavailable,
)
from quotaline_providers.secret import Secret
from quotaline_providers.testing import NOW, Read, Run
from quotaline_providers.vendors.minimax.billing import charge_day, history_section, to_charge
from quotaline_providers.vendors.minimax.credentials import session_in
from quotaline_providers.vendors.minimax.page import NoUsageOnPage, from_page, text_reset
from quotaline_providers.vendors.minimax.subscription import combo_day, plan_text, to_combo

PAGE = "/user-center/payment/coding-plan"
REMAINS = "/v1/api/openplatform/coding_plan/remains"
COMBO = "/v1/api/openplatform/charge/combo/cycle_audio_resource_package"
BILLING = "/account/amount"
MODELS = [{"modelName": "x", "model_name": "general", "current_interval_remaining_percent": 90}]
WORDS = (
    "<p>Coding Plan Max</p><!-- sign in --><b>Available usage: 1,200 prompts / 5 hours</b> "
    "<i>12% used</i> Resets in 9 min"
)


def next_data(**content: object) -> str:
    data = json.dumps({"props": {"text": "please sign in", "pageProps": content}})
    return f'<html><script id="__NEXT_DATA__" type="application/json">{data}</script><p>welcome</p>'


# --- pasted sessions -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cookie", "bearer", "group"),
    [
        ("a=b; c=d", "a=b; c=d", None, None),
        ("Cookie: a=b; minimax_group_id_v2=12345", "a=b; minimax_group_id_v2=12345", None, "12345"),
        (
            "curl 'https://platform.minimax.io/x?GroupId=98765' -H 'Cookie: a=b' -H 'authorization: bearer t.k-_+/='",
            "a=b",
            "t.k-_+/=",
            "98765",
        ),
        ("curl https://x.test --cookie 'a=b' -H 'X-Group-Id: 4321'", "a=b", None, "4321"),
        ("curl https://x.test?group_id=777 -b'a=b'", "a=b", None, None),
        ("Authorization: Bearer tok\nCookie: a=b", "a=b", "tok", None),
        ("nothing", None, None, None),
        ("", None, None, None),
    ],
)
def test_what_is_in_a_pasted_text(text: str, cookie: str | None, bearer: str | None, group: str | None) -> None:
    session = session_in(text)
    assert (session.cookie.reveal() if session else None) == cookie
    if session:
        assert (session.bearer.reveal() if session.bearer else None) == bearer
        assert session.group == group


# --- the page --------------------------------------------------------------------------------------


def test_the_pages_own_data_in_either_spelling() -> None:
    for content in ({"modelRemains": MODELS, "planName": "Demo"}, {"model_remains": MODELS, "plan_name": "Demo"}):
        plan = from_page(next_data(x=[{"deep": content}]), NOW)
        assert (plan.name, plan.limits[0].percent, plan.listed) == ("Demo", 10, True)


def test_a_card_and_points_in_the_pages_data() -> None:
    plan = from_page(next_data(modelRemains=MODELS, currentComboCard={"title": "Card"}, pointsBalance=4), NOW)
    assert (plan.name, str(plan.points)) == ("Card", "4.0")


def test_a_refusal_in_the_pages_data() -> None:
    with pytest.raises(ExpiredCredential):
        from_page(next_data(modelRemains=MODELS, baseResp={"statusCode": 1004}), NOW)


def test_the_words_of_a_page() -> None:
    plan = from_page(WORDS, NOW)
    (lane,) = plan.limits
    assert (plan.name, lane.percent, lane.limit, lane.minutes) == ("Max", 12, 1200, 300)
    assert (lane.text, lane.resets_at, plan.listed) == ("1,200 prompts / 5 hours", NOW + timedelta(minutes=9), False)


@pytest.mark.parametrize("words", ["Used 12%", "Used: 12.0 %", "12 % Used"])
def test_spellings_of_used(words: str) -> None:
    assert from_page(f'<script>"packageName":"Lab"</script>{words}', NOW).limits[0].percent == 12
    assert from_page(f'<script>"packageName":"Lab"</script>{words}', NOW).name == "Lab"


def test_an_allowance_alone_is_no_percentage() -> None:
    assert from_page("Available usage: 40 prompts / 1.5 hours", NOW).limits == ()


@pytest.mark.parametrize("words", ["Sign in", "<b>LOG IN</b> now", "登录", "请登入"])
def test_a_page_that_asks_to_sign_in(words: str) -> None:
    with pytest.raises(ExpiredCredential):
        from_page(f"<p>{words}</p>12% used", NOW)


@pytest.mark.parametrize("hidden", ["<script>sign in</script>", "<style>log in</style>", "<!-- sign in -->"])
def test_hidden_words_do_not_ask(hidden: str) -> None:
    assert from_page(f"{hidden} 12% used", NOW).limits


def test_a_page_without_usage() -> None:
    with pytest.raises(NoUsageOnPage) as raised:
        from_page("<p>Coding Plan Max</p>", NOW)
    assert raised.value.plan == "Max"


@pytest.mark.parametrize(
    ("text", "reset"),
    [
        ("Resets in 2 hours", NOW + timedelta(hours=2)),
        ("Resets in 3 days", NOW + timedelta(days=3)),
        ("Resets at 21:30 (UTC+8)", datetime(2030, 1, 2, 13, 30, tzinfo=UTC)),
        ("Resets at 19:00 (UTC+8)", datetime(2030, 1, 3, 11, tzinfo=UTC)),
        ("Resets at 07:30 (GMT-05:30)", datetime(2030, 1, 2, 13, tzinfo=UTC)),
        ("Resets at 21:30 (Asia/Shanghai)", datetime(2030, 1, 2, 13, 30, tzinfo=UTC)),
        ("Resets at 29:30 (UTC+8)", None),
        ("Resets soon", None),
    ],
)
def test_resets_in_words(text: str, reset: datetime | None) -> None:
    assert text_reset(text, NOW) == reset


def test_a_reset_without_a_zone_is_local() -> None:
    reset = text_reset("Resets at 03:00", NOW)
    assert reset is not None
    assert (reset.astimezone().hour, NOW < reset <= NOW + timedelta(days=1)) == (3, True)


# --- the subscription ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (["max", "TokenPlanUltra", "my TokenPlanPlus yearly", "TokenPlanPlus"], "TokenPlanPlus"),
        (["TokenPlanUltra", "TokenPlanMax"], "TokenPlanMax"),
        (["Ultra", "Token Plan Max (yearly)"], "Token Plan Max (yearly)"),
        (["other", "Ultra", "Max"], "Ultra"),
        (["other", "maximum"], None),
    ],
)
def test_the_best_name_of_a_plan(texts: list[str], name: str | None) -> None:
    assert plan_text(texts) == name


def test_the_current_subscription_comes_first() -> None:
    answer: dict[str, object] = {
        "offers": ["TokenPlanPlus"],
        "data": {
            "current_subscribe": {
                "title": "Max",
                "current_subscribe_end_time": "01/31/2030",
                "renewal_date": "1896000000",
            }
        },
    }
    combo = to_combo(answer)
    assert combo.plan == "Max"
    assert combo.expires_at == datetime(2030, 1, 30, 16, tzinfo=UTC)
    assert combo.renews_at == datetime.fromtimestamp(1_896_000_000, UTC)
    assert to_combo({"offers": ["TokenPlanPlus"], "renewal_trigger_time_ts": 1_896_000_000_000}).plan == "TokenPlanPlus"


@pytest.mark.parametrize("value", ["13/40/2030", "soon", None, -5])
def test_days_that_are_none(value: object) -> None:
    assert combo_day(value) is None


# --- the billing history ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "day"),
    [
        ({"created_at": NOW.timestamp()}, NOW.astimezone().date()),
        ({"created_at": NOW.timestamp() * 1000, "ymd": "2029-01-01"}, NOW.astimezone().date()),
        ({"ymd": "2030-01-01"}, date(2030, 1, 1)),
        ({"ymd": 20300101}, date(2030, 1, 1)),
        ({"ymd": "2030/01/01"}, date(2030, 1, 1)),
        ({"consume_time": "2030-01-02 12:00:00"}, NOW.astimezone().date()),
        ({"consume_time": "2030/01/02 12:00:00"}, NOW.astimezone().date()),
        ({"consume_time": "2030-01-02T20:00:00+08:00"}, NOW.astimezone().date()),
        ({"ymd": "2030-02-31"}, None),
        ({}, None),
    ],
)
def test_the_day_of_a_charge(record: dict[str, object], day: date | None) -> None:
    assert charge_day(record) == day


@pytest.mark.parametrize(
    ("record", "counts"),
    [
        ({}, True),
        ({"result": "success"}, True),
        ({"status": "SUCCESS"}, True),
        ({"result": "FAILED", "status": "SUCCESS"}, False),
        ({"status": 0}, False),
        ({"status": "0"}, False),
    ],
)
def test_only_successful_charges_count(record: dict[str, object], counts: bool) -> None:
    assert (to_charge({"ymd": "2030-01-01", "consume_token": 1, **record}) is not None) is counts


def test_amounts_of_a_charge() -> None:
    charge = to_charge(
        {"ymd": "2030-01-01", "consume_input_token": "5", "consume_output_token": 7, "consume_cash": "0.5"}
    )
    assert charge is not None
    assert (charge.tokens, charge.cash) == (12, 0.5)
    paid = to_charge({"ymd": "2030-01-01", "consume_token": 1, "consume_cash_after_voucher": "0", "consume_cash": "2"})
    assert paid is not None
    assert paid.cash == 0


def test_the_history_of_thirty_days() -> None:
    records = [
        {"ymd": "2030-01-02", "consume_token": 40, "consume_cash": "0.25", "method": "chat", "model": "a"},
        {"ymd": "2030-01-01", "consume_token": 50, "consume_cash": "0.5", "method": "chat", "model": "b"},
        {"ymd": "2029-12-04", "consume_token": 10, "method": "voice", "model": "a"},
        {"ymd": "2029-12-03", "consume_token": 900, "model": "old"},
    ]
    charges = [charge for record in records if (charge := to_charge(record))]
    section = history_section(charges, date(2030, 1, 2))
    assert section is not None
    assert [(row.label, row.value, row.secondary) for row in section.rows] == [
        ("Today", "40 tokens", "0.25 cash"),
        ("Last 30 days", "100 tokens", "0.75 cash"),
        ("Top model", "a", "50 tokens"),
        ("Top method", "chat", "90 tokens"),
    ]
    assert section.chart is not None
    assert [(point.label, point.value) for point in section.chart.points] == [
        ("2029-12-04", 10),
        ("2030-01-01", 50),
        ("2030-01-02", 40),
    ]
    assert history_section([], date(2030, 1, 2)) is None


# --- reading ---------------------------------------------------------------------------------------


@pytest.fixture
def platform(vendor: Any) -> Any:
    return vendor("platform.minimax.io")


@pytest.fixture
def site(vendor: Any) -> Any:
    return vendor("www.minimax.io")


def no_history(platform: Any) -> Any:
    return platform.get(BILLING).fails(404)


def test_the_page_alone_is_enough(platform: Any, read: Read) -> None:
    headers = {
        "origin": "https://platform.minimax.io",
        "referer": f"https://platform.minimax.io{PAGE}",
        "accept-language": "en-US,en;q=0.9",
        "authorization": None,
    }
    platform.get(f"{PAGE}?cycle_type=3", cookie="a=b", headers=headers).answers_text(next_data(modelRemains=MODELS))
    no_history(platform)
    usage = read("minimax", config={"cookieHeader": "a=b"})
    assert (usage.source, usage.windows[0].used_percent) == ("web", 10)


def test_a_page_that_is_json(platform: Any, read: Read) -> None:
    platform.get(PAGE).answers(data={"model_remains": MODELS})
    no_history(platform)
    assert read("minimax", config={"cookieHeader": "a=b"}).windows


@pytest.mark.parametrize("html", ["<p>nothing</p>", "<p>Coding Plan Max, 12% used</p>", "<p>Coding Plan Max</p>"])
def test_what_the_page_does_not_list_remains_elsewhere(platform: Any, site: Any, read: Read, html: str) -> None:
    pasted = "curl 'https://platform.minimax.io/?GroupId=4444' -H 'Cookie: a=b' -H 'Authorization: Bearer t'"
    headers = {"x-requested-with": "XMLHttpRequest", "accept": "application/json, text/plain, */*"}
    platform.get(PAGE, bearer="t", cookie="a=b").answers_text(html)
    platform.get(REMAINS, bearer="t", query={"GroupId": "4444"}, headers=headers).answers(model_remains=MODELS)
    site.get(COMBO).fails(500)
    no_history(platform)
    usage = read("minimax", config={"cookieHeader": pasted})
    assert usage.windows[0].id == "general"
    assert usage.identity.plan == ("Max" if "Max" in html else None)


@pytest.mark.parametrize("how", ["missing", "unreadable", "cut"])
def test_a_second_host_for_what_remains(platform: Any, site: Any, read: Read, how: str) -> None:
    platform.get(PAGE).answers_text("<p>nothing</p>")
    first = platform.get(REMAINS)
    match how:
        case "missing":
            first.fails(404)
        case "unreadable":
            first.answers(data={})
        case _:
            first.misbehaves("cut")
    site.get(REMAINS, cookie="a=b").answers(model_remains=MODELS)
    no_history(platform)
    assert read("minimax", config={"cookieHeader": "a=b"}).windows


def test_a_usable_page_survives_what_fails_behind_it(platform: Any, read: Read) -> None:
    platform.get(PAGE).answers_text(WORDS)
    platform.get(REMAINS).fails(500)
    no_history(platform)
    assert read("minimax", config={"cookieHeader": "a=b"}).windows[0].used_percent == 12


def test_but_not_a_refusal(platform: Any, read: Read) -> None:
    platform.get(PAGE).answers_text(WORDS)
    platform.get(REMAINS).answers(base_resp={"status_code": 1004})
    with pytest.raises(ExpiredCredential):
        read("minimax", config={"cookieHeader": "a=b"})


@pytest.mark.parametrize(
    ("status", "html", "kind"),
    [
        (401, "", ExpiredCredential),
        (403, "", ExpiredCredential),
        (500, "", Unavailable),
        (200, "Sign in", ExpiredCredential),
    ],
)
def test_refusals_of_the_page(platform: Any, read: Read, status: int, html: str, kind: type[ReadError]) -> None:
    platform.get(PAGE).answers_text(html, status)
    with pytest.raises(kind):
        read("minimax", config={"cookieHeader": "a=b"})


def test_neither_the_page_nor_what_remains(platform: Any, site: Any, read: Read) -> None:
    platform.get(PAGE).answers_text("<p>nothing</p>")
    platform.get(REMAINS).fails(404)
    site.get(REMAINS).fails(404)
    with pytest.raises(BadResponse):
        read("minimax", config={"cookieHeader": "a=b"})


def test_a_page_that_only_tells_an_allowance_is_no_success(platform: Any, site: Any, read: Read) -> None:
    platform.get(PAGE).answers_text("Available usage: 40 prompts / 5 hours")
    platform.get(REMAINS).fails(404)
    site.get(REMAINS).fails(404)
    with pytest.raises(BadResponse):
        read("minimax", config={"cookieHeader": "a=b"})


def test_a_group_also_has_a_subscription(platform: Any, site: Any, read: Read) -> None:
    headers = {"x-group-id": "55555", "accept-language": "zh-CN,zh;q=0.9", "referer": "https://platform.minimax.io/"}
    query = {"biz_line": "2", "cycle_type": "3", "resource_package_type": "7"}
    platform.get(PAGE).answers_text(next_data(modelRemains=MODELS, planName="Old"))
    current = {"current_subscribe": {"t": "TokenPlanMax", "current_subscribe_end_time_ts": 1896000000}}
    site.get(COMBO, query=query, headers=headers).answers(base_resp={"status_code": "0"}, data=current)
    no_history(platform)
    usage = read("minimax", config={"cookieHeader": "minimax_group_id_v2=55555"})
    assert usage.identity.plan == "TokenPlanMax"
    assert usage.subscription_expires_at == datetime.fromtimestamp(1_896_000_000, UTC)


def test_a_refused_subscription_is_left_out(platform: Any, site: Any, read: Read) -> None:
    platform.get(PAGE).answers_text(next_data(modelRemains=MODELS, planName="Old"))
    site.get(COMBO).answers(base_resp={"status_code": 1004}, data={"t": "TokenPlanMax"})
    no_history(platform)
    assert read("minimax", config={"cookieHeader": "minimax_group_id_v2=55555"}).identity.plan == "Old"


def test_the_billing_history_page_by_page(platform: Any, read: Read) -> None:
    platform.get(PAGE).answers_text(next_data(modelRemains=MODELS))
    headers = {"referer": "https://platform.minimax.io/account", "x-requested-with": "XMLHttpRequest"}
    record = {"ymd": "2030-01-01", "consume_token": 7}
    for number in (1, 2):
        query = {"page": str(number), "limit": "100", "aggregate": "false"}
        platform.get(BILLING, query=query, headers=headers).answers(charge_records=[record], total_cnt=2)
    usage = read("minimax", config={"cookieHeader": "a=b"})
    assert usage.row("Last 30 days").value == "14 tokens"


@pytest.mark.parametrize("records", [[], [{"ymd": "2029-11-30", "consume_token": 7}]])
def test_the_history_ends_at_an_empty_page_and_at_an_old_charge(platform: Any, read: Read, records: object) -> None:
    platform.get(PAGE).answers_text(next_data(modelRemains=MODELS))
    route = platform.get(BILLING).answers(charge_records=records)
    assert len(read("minimax", config={"cookieHeader": "a=b"}).details) == 1
    assert route.count == 1


def test_the_history_can_be_left_out(platform: Any, read: Read) -> None:
    platform.get(PAGE).answers_text(next_data(modelRemains=MODELS))
    assert read("minimax", config={"cookieHeader": "a=b", "optionalUsage": False}).windows


def test_only_a_refused_bearer_token_fails_the_read(platform: Any, read: Read) -> None:
    platform.get(PAGE).answers_text(next_data(modelRemains=MODELS))
    platform.get(BILLING).fails(401)
    assert read("minimax", config={"cookieHeader": "a=b"}).windows
    with pytest.raises(ExpiredCredential):
        read("minimax", config={"cookieHeader": "Authorization: Bearer t\nCookie: a=b"})


def test_where_a_session_is_found(platform: Any, read: Read) -> None:
    names = ("config", "one", "two", "account")
    routes = {
        name: platform.get(PAGE, cookie=f"a={name}").answers_text(next_data(modelRemains=MODELS)) for name in names
    }
    no_history(platform)
    variables = {"MINIMAX_COOKIE": "a=one", "MINIMAX_COOKIE_HEADER": "a=two"}
    read("minimax", config={"cookieHeader": "a=config"}, **variables)
    read("minimax", **variables)
    read("minimax", MINIMAX_COOKIE_HEADER="a=two")
    read("minimax", account=Account("Work", Secret("a=account")), **variables)
    assert [routes[name].count for name in names] == [1, 1, 1, 1]


@pytest.mark.parametrize("config", [{"cookieSource": "off", "cookieHeader": "a=b"}, {"cookieSource": "manual"}])
def test_without_a_session(simulator: Any, read: Read, config: dict[str, str]) -> None:
    with pytest.raises(MissingCredential):
        read("minimax", config=config, MINIMAX_COOKIE="a=one")


def test_a_refused_key_falls_to_the_session(vendor: Any, platform: Any, outcome: Run) -> None:
    vendor("api.minimaxi.com").get("/v1/token_plan/remains").fails(401)
    vendor("api.minimaxi.com").get(REMAINS).fails(404)
    china = vendor("platform.minimaxi.com")
    china.get(PAGE).answers_text(next_data(modelRemains=MODELS))
    no_history(china)
    seen = outcome("minimax", config={"region": "cn", "apiKey": "k", "cookieHeader": "a=b"})
    assert [attempt.source for attempt in seen.attempts] == ["api", "web"]
    assert seen.usage is not None


# --- overrides -------------------------------------------------------------------------------------


def test_another_host_takes_all_requests(vendor: Any, read: Read) -> None:
    proxy = vendor("proxy.lab.test")
    proxy.get(PAGE).answers_text("<p>nothing</p>")
    proxy.get(REMAINS).answers(model_remains=MODELS)
    proxy.get(COMBO).fails(404)
    no_history(proxy)
    for host in ("proxy.lab.test", "https://proxy.lab.test/ignored"):
        assert read("minimax", config={"cookieHeader": "minimax_group_id_v2=55555"}, MINIMAX_HOST=host).windows


def test_full_addresses_win_over_a_host(vendor: Any, read: Read) -> None:
    lab = vendor("lab.test")
    lab.get("/plan").answers_text("<p>nothing</p>")
    lab.get("/left", query={"x": "1"}).answers(model_remains=MODELS)
    lab.get("/bills").fails(404)
    addresses = {
        "MINIMAX_CODING_PLAN_URL": "https://lab.test/plan",
        "MINIMAX_REMAINS_URL": "https://lab.test/left?x=1",
        "MINIMAX_BILLING_HISTORY_URL": "https://lab.test/bills",
    }
    assert read("minimax", config={"cookieHeader": "a=b"}, MINIMAX_HOST="unused.lab.test", **addresses).windows


@pytest.mark.parametrize(
    "name", ["MINIMAX_HOST", "MINIMAX_CODING_PLAN_URL", "MINIMAX_REMAINS_URL", "MINIMAX_BILLING_HISTORY_URL"]
)
@pytest.mark.parametrize("value", ["http://lab.test", "https://me@lab.test", "lab.test%2fx", "lab test"])
def test_a_refused_override_is_named_and_nothing_is_sent(simulator: Any, read: Read, name: str, value: str) -> None:
    with pytest.raises(Misconfigured, match=name):
        read("minimax", config={"cookieHeader": "a=b"}, **{name: value})


@pytest.mark.parametrize("host", ["lab.test", "minimax.io.lab.test", "notminimax.io"])
def test_only_minimaxs_hosts_on_request(simulator: Any, read: Read, host: str) -> None:
    strict = {"MINIMAX_REQUIRE_PROVIDER_ENDPOINT_OVERRIDES": "on"}
    with pytest.raises(Misconfigured, match="MINIMAX_HOST"):
        read("minimax", config={"cookieHeader": "a=b"}, MINIMAX_HOST=host, **strict)


def test_minimaxs_own_hosts_stay_allowed(vendor: Any, read: Read) -> None:
    host = vendor("eu.minimax.io")
    host.get(PAGE).answers_text(next_data(modelRemains=MODELS))
    no_history(host)
    strict = {"MINIMAX_REQUIRE_PROVIDER_ENDPOINT_OVERRIDES": "1"}
    assert read("minimax", config={"cookieHeader": "a=b"}, MINIMAX_HOST="eu.minimax.io", **strict).windows
