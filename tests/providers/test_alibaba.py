"""Alibaba Coding Plan: quotas at any depth, proof of a plan, two regions, cookies first and keys second."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Misconfigured,
    MissingCredential,
    RateLimited,
    ReadError,
    TimedOut,
    Unavailable,
)
from quotaline_providers.model import Usage
from quotaline_providers.testing import NOW, Read, Run
from quotaline_providers.vendors.alibaba import web
from quotaline_providers.vendors.alibaba.mapping import moment, score, to_usage
from quotaline_providers.vendors.alibaba.payloads import KeyUnusable, NoQuota
from quotaline_providers.vendors.alibaba.web import token_in_page

QUOTA: dict[str, object] = {
    "per5HourUsedQuota": 120,
    "per5HourTotalQuota": "1200",
    "per5HourQuotaNextRefreshTime": (NOW + timedelta(hours=2)).timestamp() * 1000,
    "perWeekUsedQuota": "4500",
    "perWeekTotalQuota": 9000,
    "perWeekQuotaNextRefreshTime": "2030-01-07T00:00:00Z",
    "perBillMonthUsedQuota": 20000,
    "perBillMonthTotalQuota": 18000,
    "perBillMonthQuotaNextRefreshTime": (NOW + timedelta(days=20)).timestamp(),
}
ACTIVE: dict[str, object] = {"planName": " Demo Pro ", "status": "VALID"}
GOOD: dict[str, object] = {
    "status_code": 0,
    "data": {"codingPlanInstanceInfos": [ACTIVE], "codingPlanQuotaInfo": QUOTA},
}
LOGIN = {"code": "ConsoleNeedLogin", "message": "please retry"}
COOKIE = "login_aliyunid_ticket=t; cna=anon; login_aliyunid_csrf=c1; csrf=c2"
DASHBOARD = "https://modelstudio.console.alibabacloud.com/ap-southeast-1/?tab=coding-plan#/efm/coding_plan"
WEB_API = "zeldaEasy.broadscope-bailian.codingPlan.queryCodingPlanInstanceInfoV2"


def usage_of(answer: Any, by_key: bool = True) -> Usage:
    return to_usage(answer, by_key, NOW)


def plan_of(*instances: object, **more: object) -> Usage:
    return usage_of({"data": {"codingPlanInstanceInfos": list(instances), **more}})


# --- meaning ---------------------------------------------------------------------------------------


def test_three_windows_and_the_plan() -> None:
    usage = usage_of(GOOD)
    session, weekly, monthly = usage.windows
    assert (session.label, session.used_percent, session.minutes, session.lane) == ("5-hour", 10, 300, "primary")
    assert (session.used, session.limit, session.description) == (120, 1200, "120 / 1200 used")
    assert session.resets_at == NOW + timedelta(hours=2)
    assert (weekly.label, weekly.used_percent, weekly.minutes, weekly.lane) == ("Weekly", 50, 10080, "secondary")
    assert weekly.resets_at == datetime(2030, 1, 7, tzinfo=UTC)
    assert (monthly.label, monthly.used_percent, monthly.minutes, monthly.lane) == ("Monthly", 100, 43200, "tertiary")
    assert monthly.resets_at == NOW + timedelta(days=20)
    assert session.blocks
    assert weekly.blocks
    assert monthly.blocks
    assert (usage.identity.plan, usage.identity.email) == ("Demo Pro", None)


def test_the_answer_may_be_wrapped_in_texts() -> None:
    inner = json.dumps({"data": json.dumps(GOOD["data"])})
    assert len(usage_of({"successResponse": {"body": inner}}).windows) == 3
    assert len(usage_of({"successResponse": False, "body": inner}).windows) == 3


def test_other_names_for_the_same() -> None:
    quota = {"perFiveHourUsedQuota": 1, "perFiveHourTotalQuota": 4, "perMonthUsedQuota": 1, "perMonthTotalQuota": 2}
    quota["perMonthQuotaNextRefreshTime"] = 1_900_000_000
    usage = usage_of(
        {"coding_plan_instance_infos": [{"package_name": "P", "isActive": "yes"}], "coding_plan_quota_info": quota}
    )
    assert [(window.id, window.used_percent) for window in usage.windows] == [("session", 25), ("monthly", 50)]
    assert usage.identity.plan == "P"


def test_the_quota_is_found_without_its_name() -> None:
    assert (
        usage_of({"x": [{"y": {"perWeekUsedQuota": 1, "perWeekTotalQuota": 10}}]}).window("weekly").used_percent == 10
    )


@pytest.mark.parametrize("total", [0, "0", None, "many", -5])
def test_a_useless_total_gives_no_window(total: object) -> None:
    usage = usage_of({"codingPlanQuotaInfo": QUOTA | {"perWeekTotalQuota": total}})
    assert [window.id for window in usage.windows] == ["session", "monthly"]


@pytest.mark.parametrize(
    "answer",
    [
        {"codingPlanInstanceInfos": [ACTIVE]},
        {"codingPlanInstanceInfos": [ACTIVE | {"codingPlanQuotaInfo": {"per5HourUsedQuota": 5}}]},
        {"codingPlanInstanceInfos": [ACTIVE], "planUsage": "37%"},
        {"planName": "Demo Pro", "status": "VALID"},
        {"planName": "Demo Pro", "instance": {"endTime": "2031-01-01T00:00:00Z"}},
    ],
)
def test_an_active_plan_without_quota_is_a_plan_without_windows(answer: object) -> None:
    usage = usage_of(answer)
    assert (usage.identity.plan, usage.windows, usage.limits_unavailable) == ("Demo Pro", (), True)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"planUsage": "37%"},
        {"codingPlanInstanceInfos": []},
        {"codingPlanInstanceInfos": [{"planName": "P"}], "status": "VALID"},
        {"codingPlanInstanceInfos": [{"status": "EXPIRED"}]},
    ],
)
def test_neither_quota_nor_proof(answer: object) -> None:
    with pytest.raises(NoQuota):
        usage_of(answer)


def test_an_expired_plans_quota_is_not_borrowed() -> None:
    usage = plan_of({"status": "EXPIRED", "planName": "Old", "codingPlanQuotaInfo": QUOTA}, ACTIVE)
    assert (usage.identity.plan, usage.windows) == ("Demo Pro", ())


def test_the_active_plans_own_quota_is_used() -> None:
    other = {"status": "EXPIRED", "codingPlanQuotaInfo": {"perWeekUsedQuota": 1, "perWeekTotalQuota": 1}}
    assert plan_of(other, ACTIVE | {"codingPlanQuotaInfo": QUOTA}).window("weekly").used_percent == 50


def test_with_no_active_plan_the_first_counts() -> None:
    usage = plan_of({"status": "EXPIRED", "instanceName": "First"}, {"planName": "Second"}, codingPlanQuotaInfo=QUOTA)
    assert (usage.identity.plan, len(usage.windows)) == ("First", 3)


@pytest.mark.parametrize(
    ("instance", "points"),
    [
        ({"status": "active"}, 3),
        ({"instanceStatus": "STOPPED", "isActive": True}, -1),
        ({"status": "CREATING", "isActive": True}, 3),
        ({"active": "valid"}, 3),
        ({"active": "0"}, -1),
        ({"isActive": False, "endTime": "2031-01-01"}, -1),
        ({"expireTime": "1900000000000"}, 1),
        ({"periodEndTime": 1_800_000_000}, 0),
        ({"isActive": "maybe"}, 0),
        ({}, 0),
    ],
)
def test_how_sure_a_plan_is(instance: dict[str, object], points: int) -> None:
    assert score(instance, NOW) == points


@pytest.mark.parametrize(
    ("told", "reset"),
    [
        (NOW + timedelta(seconds=60), NOW + timedelta(seconds=60)),
        (NOW + timedelta(seconds=59), NOW + timedelta(seconds=59, hours=5)),
        (NOW - timedelta(hours=1), NOW + timedelta(hours=4)),
        (NOW - timedelta(hours=5), NOW + timedelta(hours=5)),
        (None, None),
    ],
)
def test_a_late_five_hour_reset_is_repaired(told: datetime | None, reset: datetime | None) -> None:
    time = told.timestamp() if told else None
    usage = usage_of({"codingPlanQuotaInfo": QUOTA | {"per5HourQuotaNextRefreshTime": time}})
    assert usage.window("session").resets_at == reset


@pytest.mark.parametrize(
    ("value", "time"),
    [
        (1_900_000_000_000, datetime.fromtimestamp(1_900_000_000, UTC)),
        ("1900000000", datetime.fromtimestamp(1_900_000_000, UTC)),
        ("2030-01-05T10:00:00+08:00", datetime(2030, 1, 5, 2, tzinfo=UTC)),
        ("2030-01-05", datetime(2030, 1, 5).astimezone(UTC)),
        ("2030-01-05 10:30", datetime(2030, 1, 5, 10, 30).astimezone(UTC)),
        ("2030-01-05 10:30:15", datetime(2030, 1, 5, 10, 30, 15).astimezone(UTC)),
        ("2030-13-05 10:30", None),
        (0, None),
        (-1, None),
        ("soon", None),
    ],
)
def test_times(value: object, time: datetime | None) -> None:
    assert moment(value) == time


@pytest.mark.parametrize(
    ("answer", "by_key", "kind"),
    [
        ({"statusCode": 401}, True, ExpiredCredential),
        ({"status_code": "403"}, False, ExpiredCredential),
        ({"code": 500, "msg": "Invalid API Key given"}, True, ExpiredCredential),
        ({"code": 500, "message": "Unauthorized"}, True, ExpiredCredential),
        ({"code": 500, "message": "busy"}, True, BadResponse),
        (LOGIN, True, KeyUnusable),
        (LOGIN, False, ExpiredCredential),
        ({"x": {"status": "NEED_LOGIN"}}, False, ExpiredCredential),
        ({"statusMessage": "Please log in"}, True, KeyUnusable),
        ({"message": "no console session"}, True, KeyUnusable),
        ({"status_msg": "API key mode may be unavailable here"}, True, KeyUnusable),
        ({"message": "no console session"}, False, NoQuota),
        ({"code": "200"}, True, NoQuota),
    ],
)
def test_refusals_in_the_answer(answer: object, by_key: bool, kind: type[ReadError]) -> None:
    with pytest.raises(ReadError) as seen:
        usage_of(answer, by_key)
    assert type(seen.value) is kind


# --- by key ----------------------------------------------------------------------------------------


@pytest.fixture
def world(vendor: Any) -> Any:
    return vendor("modelstudio.console.alibabacloud.com")


@pytest.fixture
def console(vendor: Any) -> Any:
    return vendor("bailian-singapore-cs.alibabacloud.com")


@pytest.fixture
def china(vendor: Any) -> Any:
    return vendor("bailian.console.aliyun.com")


def by_key(host: Any, region: str = "ap-southeast-1", site: str = "intl", key: str = "k") -> Any:
    query = {
        "action": WEB_API,
        "product": "broadscope-bailian",
        "api": "queryCodingPlanInstanceInfoV2",
        "currentRegionId": region,
    }
    body = {"queryCodingPlanInstanceInfoRequest": {"commodityCode": f"sfm_codingplan_public_{site}"}}
    headers = {"x-api-key": key, "x-dashscope-api-key": key, "accept": "application/json"}
    return host.post("/data/api.json", bearer=key, query=query, json=body, headers=headers)


def by_key_in_china(host: Any) -> Any:
    return by_key(host, "cn-beijing", "cn")


def test_a_key_reads_the_international_console(world: Any, read: Read) -> None:
    route = by_key(world).answers(**GOOD)
    usage = read("alibaba", ALIBABA_CODING_PLAN_API_KEY=" 'k' ")
    assert (usage.source, len(usage.windows)) == ("alibaba-coding-plan.api", 3)
    assert route.requests[0].headers["referer"] == DASHBOARD
    assert route.requests[0].headers["origin"] == "https://modelstudio.console.alibabacloud.com"


def test_the_keys_order(world: Any, read: Read) -> None:
    route = by_key(world).answers(**GOOD)
    names = ("ALIBABA_CODING_PLAN_API_KEY", "ALIBABA_QWEN_API_KEY", "DASHSCOPE_API_KEY")
    read("alibaba", config={"apiKey": "k"}, **dict.fromkeys(names, "other"))
    for number, name in enumerate(names):
        read("alibaba", **{name: "k", **dict.fromkeys(names[number + 1 :], "other")})
    assert route.count == 4


def test_chinas_console(china: Any, read: Read) -> None:
    by_key_in_china(china).answers(**GOOD)
    assert read("alibaba", config={"apiKey": "k", "region": "cn"}).windows


@pytest.mark.parametrize("region", ["us", "china", "global"])
def test_an_unknown_region_is_named_before_anything_is_sent(simulator: Any, read: Read, region: str) -> None:
    with pytest.raises(Misconfigured, match="region"):
        read("alibaba", config={"apiKey": "k", "region": region})


@pytest.mark.parametrize(
    ("status", "answer"),
    [(401, {}), (403, {}), (404, {}), (200, {"code": 401}), (200, {"planUsage": "1%"})],
)
def test_what_does_not_fit_is_tried_in_china(world: Any, china: Any, read: Read, status: int, answer: object) -> None:
    by_key(world).answers_json(answer, status)
    by_key_in_china(china).answers(**GOOD)
    assert read("alibaba", config={"apiKey": "k"}).windows


@pytest.mark.parametrize(("status", "kind"), [(500, Unavailable), (429, RateLimited), (418, BadResponse)])
def test_other_failures_are_not_tried_in_china(world: Any, read: Read, status: int, kind: type[ReadError]) -> None:
    by_key(world).fails(status)
    with pytest.raises(kind):
        read("alibaba", config={"apiKey": "k"})


def test_a_key_that_is_not_served_is_not_tried_in_china(world: Any, read: Read) -> None:
    by_key(world).answers(**LOGIN)
    with pytest.raises(KeyUnusable) as seen:
        read("alibaba", config={"apiKey": "k"})
    assert "cookies" in seen.value.hint


def test_china_is_tried_once_and_the_first_refusal_is_told(world: Any, china: Any, read: Read) -> None:
    by_key(world).fails(401)
    route = by_key_in_china(china).fails(404)
    with pytest.raises(ExpiredCredential):
        read("alibaba", config={"apiKey": "k"})
    assert route.count == 1


def test_a_chinese_account_behind_the_international_refusal_is_told_to_use_cookies(
    world: Any, china: Any, read: Read
) -> None:
    by_key(world).fails(401)
    by_key_in_china(china).answers(**LOGIN)
    with pytest.raises(KeyUnusable):
        read("alibaba", config={"apiKey": "k"})


@pytest.mark.parametrize("text", ["", "[]", "<html>", "{"])
def test_unreadable_answers(world: Any, read: Read, text: str) -> None:
    by_key(world).answers_text(text)
    with pytest.raises(BadResponse):
        read("alibaba", config={"apiKey": "k"})


# --- overrides -------------------------------------------------------------------------------------


def test_another_host_keeps_path_and_query(vendor: Any, read: Read) -> None:
    route = by_key(vendor("proxy.lab.test")).answers(**GOOD)
    for host in ("proxy.lab.test", "https://proxy.lab.test/ignored"):
        read("alibaba", config={"apiKey": "k"}, ALIBABA_CODING_PLAN_HOST=host)
    assert route.count == 2


def test_a_full_address_wins_over_a_host(vendor: Any, read: Read) -> None:
    vendor("proxy.lab.test").post("/quota", query={"a": "b"}, bearer="k").answers(**GOOD)
    address = {"ALIBABA_CODING_PLAN_QUOTA_URL": "https://proxy.lab.test/quota?a=b"}
    assert read("alibaba", config={"apiKey": "k"}, ALIBABA_CODING_PLAN_HOST="unused.lab.test", **address).windows


@pytest.mark.parametrize("name", ["ALIBABA_CODING_PLAN_QUOTA_URL", "ALIBABA_CODING_PLAN_HOST"])
@pytest.mark.parametrize(
    "value",
    [
        "http://proxy.lab.test",
        "https://me@proxy.lab.test",
        "proxy.lab.test%2fx",
        "proxy.lab.test%252fx",
        "proxy%5clab.test",
        "proxy lab.test",
        "https://proxy.lab.test\x01",
    ],
)
def test_a_refused_override_is_named_and_nothing_is_sent(simulator: Any, outcome: Run, name: str, value: str) -> None:
    for config in ({"apiKey": "k"}, {"cookieHeader": COOKIE, "apiKey": "k"}):
        seen = outcome("alibaba", config=config, **{name: value})
        assert isinstance(seen.error, Misconfigured)
        assert name in seen.error.message
        assert not [attempt for attempt in seen.attempts if not attempt.skipped][1:]


@pytest.mark.parametrize("word", ["1", "true", "YES", "on"])
def test_only_alibabas_hosts_on_request(simulator: Any, read: Read, word: str) -> None:
    strict = {"ALIBABA_CODING_PLAN_REQUIRE_PROVIDER_ENDPOINT_OVERRIDES": word}
    with pytest.raises(Misconfigured, match="ALIBABA_CODING_PLAN_HOST"):
        read("alibaba", config={"apiKey": "k"}, ALIBABA_CODING_PLAN_HOST="x.bailian.console.aliyun.com", **strict)


def test_alibabas_own_hosts_stay_allowed(vendor: Any, read: Read) -> None:
    by_key(vendor("bailian-beijing-cs.aliyuncs.com")).answers(**GOOD)
    strict = {"ALIBABA_CODING_PLAN_REQUIRE_PROVIDER_ENDPOINT_OVERRIDES": "1"}
    host = "bailian-beijing-cs.aliyuncs.com"
    assert read("alibaba", config={"apiKey": "k"}, ALIBABA_CODING_PLAN_HOST=host, **strict).windows


# --- by cookie -------------------------------------------------------------------------------------


def by_cookie(console: Any, cookie: str = COOKIE, action: str = "IntlBroadScopeAspnGateway", **headers: Any) -> Any:
    query = {"action": action, "product": "sfm_bailian", "api": WEB_API, "_v": "undefined"}
    wanted = {"x-requested-with": "XMLHttpRequest", **headers}
    return console.post("/data/api.json", cookie=cookie, query=query, headers=wanted)


def dashboard(world: Any, html: str = '<script>SEC_TOKEN: "sec1"</script>', status: int = 200) -> Any:
    return world.get("/ap-southeast-1/?tab=coding-plan").answers_text(html, status)


def test_the_console_is_asked_as_its_page_does(world: Any, console: Any, read: Read) -> None:
    dashboard(world)
    route = by_cookie(console, **{"x-xsrf-token": "c1", "x-csrf-token": "c1"}).answers(**GOOD)
    usage = read("alibaba", config={"cookieHeader": COOKIE}, ALIBABA_CODING_PLAN_API_KEY="k")
    assert (usage.source, len(usage.windows)) == ("alibaba-coding-plan.web", 3)
    form = route.requests[0].form
    assert (form["region"], form["sec_token"]) == ("ap-southeast-1", "sec1")
    sent = json.loads(form["params"])
    assert (sent["Api"], sent["V"]) == (WEB_API, "1.0")
    assert sent["Data"]["queryCodingPlanInstanceInfoRequest"] == {
        "commodityCode": "sfm_codingplan_public_intl",
        "onlyLatestOne": True,
    }
    cornerstone = sent["Data"]["cornerstoneParam"]
    assert uuid.UUID(cornerstone.pop("feTraceId")).version == 4
    assert cornerstone == {
        "feURL": DASHBOARD,
        "protocol": "V2",
        "console": "ONE_CONSOLE",
        "productCode": "p_efm",
        "domain": "modelstudio.console.alibabacloud.com",
        "consoleSite": "MODELSTUDIO_ALIBABACLOUD",
        "userNickName": "",
        "userPrincipalName": "",
        "xsp_lang": "en-US",
        "X-Anonymous-Id": "anon",
    }


def test_without_a_csrf_cookie_there_is_no_such_header(world: Any, console: Any, read: Read) -> None:
    dashboard(world)
    absent: dict[str, Any] = {"x-csrf-token": None, "x-xsrf-token": None}
    by_cookie(console, "a=b", **absent).answers(**GOOD)
    assert read("alibaba", config={"cookieHeader": "Cookie: a=b"}).windows


@pytest.mark.parametrize(
    ("html", "token"),
    [
        ('SEC_TOKEN: "a"', "a"),
        ("SEC_TOKEN : 'a'", "a"),
        ('secToken:"a"', "a"),
        ('sec_token: "a"', "a"),
        ("sec_token: 'a'", "a"),
        ('"SEC_TOKEN" : "a"', "a"),
        ('"sec_token":"a"', "a"),
        ('sec_token: "late", SEC_TOKEN: "a"', "a"),
        ('SEC_TOKEN: ""', None),
        ("token", None),
    ],
)
def test_the_token_in_the_page(html: str, token: str | None) -> None:
    assert token_in_page(html) == token


def test_the_token_in_the_users_data(world: Any, console: Any, read: Read) -> None:
    dashboard(world, "<html>")
    world.get("/tool/user/info.json", cookie=COOKIE).answers(data={"user": {"secToken": "sec2"}})
    route = by_cookie(console).answers(**GOOD)
    read("alibaba", config={"cookieHeader": COOKIE})
    assert route.requests[0].form["sec_token"] == "sec2"


def test_the_token_in_the_cookie_when_the_users_data_is_late(
    world: Any, console: Any, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "TOKEN_SECONDS", 0.4)
    dashboard(world, "no", 500)
    world.get("/tool/user/info.json").delays(3).answers(secToken="late")
    route = by_cookie(console, "sec_token=sec3").answers(**GOOD)
    read("alibaba", config={"cookieHeader": "sec_token=sec3"})
    assert route.requests[0].form["sec_token"] == "sec3"


def test_without_any_token_the_console_asks_to_sign_in(china: Any, read: Read) -> None:
    china.get("/cn-beijing/?tab=model").fails(302)
    china.get("/tool/user/info.json").answers_text("<html>")
    with pytest.raises(ExpiredCredential):
        read("alibaba", source="web", config={"cookieHeader": "a=b", "region": "cn"})


def test_the_environments_cookie(world: Any, console: Any, read: Read) -> None:
    dashboard(world)
    route = by_cookie(console, "a=1").answers(**GOOD)
    read("alibaba", ALIBABA_CODING_PLAN_COOKIE="Cookie: a=1")
    read("alibaba", config={"cookieHeader": "a=1"}, ALIBABA_CODING_PLAN_COOKIE="b=1")
    assert route.count == 2


@pytest.mark.parametrize("config", [{"cookieSource": "manual"}, {"cookieHeader": "nothing"}])
def test_a_manual_cookie_alone_counts(simulator: Any, read: Read, config: dict[str, str]) -> None:
    with pytest.raises(MissingCredential):
        read("alibaba", config=config, source="web", ALIBABA_CODING_PLAN_COOKIE="a=1")


def test_cookies_can_be_off(world: Any, read: Read) -> None:
    by_key(world).answers(**GOOD)
    config = {"cookieHeader": COOKIE, "cookieSource": "off", "apiKey": "k"}
    assert read("alibaba", config=config).source == "alibaba-coding-plan.api"


def test_a_refused_cookie_is_tried_in_china(world: Any, console: Any, china: Any, vendor: Any, read: Read) -> None:
    dashboard(world)
    by_cookie(console).answers(**LOGIN)
    china.get("/cn-beijing/?tab=model").answers_text('SEC_TOKEN: "sec9"')
    route = by_cookie(vendor("bailian-cs.console.aliyun.com"), action="BroadScopeAspnGateway").answers(**GOOD)
    assert read("alibaba", config={"cookieHeader": COOKIE}).windows
    assert route.requests[0].form["region"] == "cn-beijing"


@pytest.mark.parametrize(
    ("status", "answer", "goes_on"),
    [
        (401, {}, True),
        (403, {}, True),
        (404, {}, True),
        (200, LOGIN, True),
        (200, {"code": 500}, False),
        (200, {"planUsage": "1%"}, False),
        (500, {}, False),
    ],
)
def test_what_falls_from_the_cookie_to_the_key(
    china: Any, vendor: Any, outcome: Run, status: int, answer: object, goes_on: bool
) -> None:
    china.get("/cn-beijing/?tab=model").answers_text('SEC_TOKEN: "sec1"')
    by_cookie(vendor("bailian-cs.console.aliyun.com"), action="BroadScopeAspnGateway").answers_json(answer, status)
    by_key_in_china(china).answers(**GOOD)
    seen = outcome("alibaba", config={"cookieHeader": COOKIE, "apiKey": "k", "region": "cn"})
    assert (seen.usage is not None) is goes_on
    alone = outcome("alibaba", source="web", config={"cookieHeader": COOKIE, "apiKey": "k", "region": "cn"})
    assert [attempt.source for attempt in alone.attempts] == ["web"]
    assert alone.error is not None


def test_an_unreachable_console_falls_to_the_key(
    china: Any, vendor: Any, outcome: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    china.get("/cn-beijing/?tab=model").answers_text('SEC_TOKEN: "sec1"')
    vendor("bailian-cs.console.aliyun.com").refuses()
    by_key_in_china(china).answers(**GOOD)
    seen = outcome("alibaba", config={"cookieHeader": COOKIE, "apiKey": "k", "region": "cn"})
    assert seen.usage is not None
    assert isinstance(seen.attempts[0].error, Unavailable | TimedOut)
