"""Kimi Code: counts and their aliases, windows and extras, the three ways in and what falls through between them."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Misconfigured,
    MissingCredential,
)
from quotaline_providers.model import Usage, Window
from quotaline_providers.testing import NOW, Read, Reader, Run
from quotaline_providers.vendors.kimi import web
from quotaline_providers.vendors.kimi.credentials import web_token
from quotaline_providers.vendors.kimi.mapping import coding, label_of, to_usage
from quotaline_providers.vendors.kimi.payloads import CodeAnswer, Statistics, WebAnswer
from quotaline_providers.vendors.kimi.web import printable
from tests.providers.web_tokens import jwt

WEEK: dict[str, object] = {"limit": "2000", "used": "500", "remaining": "1500", "resetTime": "2030-01-07T00:00:00Z"}
FIVE_HOURS = {"duration": 300, "timeUnit": "TIME_UNIT_MINUTE"}
RATE = {"window": FIVE_HOURS, "detail": {"limit": 200, "remaining": 150, "reset_at": "2030-01-02T15:00:00Z"}}
USAGES = "/apiv2/kimi.gateway.billing.v1.BillingService/GetUsages"
STATISTICS = "/apiv2/kimi.gateway.membership.v2.MembershipService/GetSubscriptionStats"
STATED = {"subscriptionBalance": {"feature": "FEATURE_OMNI", "type": "SUBSCRIPTION", "amountUsedRatio": 0.6}}


def usage_of(usage: object = None, limits: object = None, statistics: object = None) -> Usage:
    answer = CodeAnswer.model_validate({"usage": usage, "limits": limits})
    stated = None if statistics is None else Statistics.model_validate(statistics)
    return to_usage(answer, stated, NOW)


def week_of(**detail: object) -> Window:
    return usage_of(detail).window("weekly")


@pytest.fixture
def api(vendor: Any) -> Any:
    return vendor("api.kimi.com")


@pytest.fixture
def site(vendor: Any) -> Any:
    return vendor("www.kimi.com")


def sign_in(home: Path, **login: object) -> Path:
    path = home / ".kimi-code" / "credentials" / "kimi-code.json"
    path.parent.mkdir(parents=True)
    content: dict[str, object] = {"access_token": "cli-k", "expires_at": NOW.timestamp() + 600}
    path.write_text(json.dumps(content | login))
    return path


# --- meaning ---------------------------------------------------------------------------------------


def test_the_week_and_the_rate() -> None:
    usage = usage_of(WEEK | {"resetTime": "2030-01-07T00:00:00.123456789Z"}, [RATE, {"detail": {"limit": 1}}])
    week, rate = usage.windows
    assert (week.used_percent, week.used, week.limit, week.minutes, week.lane) == (25, 500, 2000, 10080, "primary")
    assert (week.description, week.label) == ("500/2,000 requests", "7-day usage")
    assert week.resets_at == datetime(2030, 1, 7, 0, 0, 0, 123456, tzinfo=UTC)
    assert (rate.used_percent, rate.minutes, rate.lane, rate.label) == (25, 300, "secondary", "5-hour usage")
    assert rate.description == "Rate: 50/200 per 5 hours"
    assert rate.resets_at == datetime(2030, 1, 2, 15, tzinfo=UTC)


@pytest.mark.parametrize("used", [None, "many", -3])
def test_without_a_usable_use_the_rest_counts(used: object) -> None:
    assert week_of(limit=40, used=used, remaining="30").used_percent == 25


@pytest.mark.parametrize("remaining", [None, 41, -1, "few", 1.5])
def test_without_a_usable_rest_it_is_zero_and_of_no_length(remaining: object) -> None:
    window = week_of(limit=40, remaining=remaining)
    assert (window.used_percent, window.minutes, window.used) == (0, None, None)


def test_use_above_the_limit_is_shown_and_wins_over_a_contradicting_rest() -> None:
    window = week_of(limit=50, used=60, remaining=20)
    assert (window.used_percent, window.description) == (100, "60/50 requests")


def test_floats_are_whole_numbers() -> None:
    assert week_of(limit=40.0, used="10.0").description == "10/40 requests"


@pytest.mark.parametrize("limit", ["0", 0, -5, "none", None])
def test_a_useless_limit_leaves_the_other_window(limit: object) -> None:
    usage = usage_of({"limit": limit, "used": 1}, [RATE])
    assert [window.id for window in usage.windows] == ["session"]
    assert not usage.limits_unavailable
    assert usage_of({"limit": limit}).limits_unavailable


@pytest.mark.parametrize("name", ["resetTime", "resetAt", "reset_time", "reset_at"])
def test_the_reset_has_four_names(name: str) -> None:
    assert week_of(limit=4, used=1, **{name: "2030-01-05T00:00:00Z"}).resets_at == datetime(2030, 1, 5, tzinfo=UTC)
    assert week_of(limit=4, used=1).resets_at is None


@pytest.mark.parametrize("limits", [None, [], {}, ["x"], [{"detail": None}]])
def test_there_may_be_no_rate(limits: object) -> None:
    assert [window.id for window in usage_of(WEEK, limits).windows] == ["weekly"]


@pytest.mark.parametrize(
    ("window", "minutes", "text"),
    [
        ({"duration": 2, "timeUnit": "TIME_UNIT_HOUR"}, 120, "Rate: 1/4 per 2 hours"),
        ({"duration": 1, "timeUnit": "TIME_UNIT_HOUR"}, 60, "Rate: 1/4 per 1 hour"),
        ({"duration": 1, "timeUnit": "TIME_UNIT_DAY"}, 1440, "Rate: 1/4 per 24 hours"),
        ({"duration": 90, "timeUnit": "TIME_UNIT_MINUTE"}, 90, "Rate: 1/4 per 90 minutes"),
        ({"duration": 0, "timeUnit": "TIME_UNIT_MINUTE"}, None, "Rate: 1/4"),
        ({"duration": 10**18, "timeUnit": "TIME_UNIT_DAY"}, None, "Rate: 1/4"),
        ({"duration": 3, "timeUnit": "TIME_UNIT_MOON"}, None, "Rate: 1/4"),
        ("x", None, "Rate: 1/4"),
        (None, 300, "Rate: 1/4 per 5 hours"),
    ],
)
def test_the_length_of_the_rate(window: object, minutes: int | None, text: str) -> None:
    rate = usage_of(WEEK, [{"window": window, "detail": {"limit": 4, "used": 1}}]).window("session")
    assert (rate.minutes, rate.description) == (minutes, text)


def test_the_membership_gives_extra_windows() -> None:
    stated: dict[str, object] = {
        "subscriptionBalance": {"amountUsedRatio": 1.4, "kimiCodeUsedRatio": 0.1, "expireTime": "2030-02-01T00:00:00Z"},
        "ratelimitCode7d": {"ratio": 0.3, "enabled": True, "resetTime": "2030-01-09T00:00:00Z"},
    }
    usage = usage_of(WEEK, None, stated)
    month, code = usage.window("kimi-monthly"), usage.window("kimi-code-7d")
    assert (month.label, month.used_percent, month.minutes, month.lane) == ("Total usage", 100, 43200, None)
    assert month.resets_at == datetime(2030, 2, 1, tzinfo=UTC)
    assert (code.label, code.used_percent, code.minutes) == ("Code 7-day", 30, 10080)
    assert [window.blocks for window in usage.windows] == [True, True, True]


@pytest.mark.parametrize(
    "balance", [{"feature": "FEATURE_CODING"}, {"type": "GIFT"}, {"amountUsedRatio": "NaN"}, {"amountUsedRatio": None}]
)
def test_other_balances_are_no_window(balance: dict[str, object]) -> None:
    assert len(usage_of(WEEK, None, {"subscriptionBalance": {"amountUsedRatio": 0.5} | balance}).windows) == 1


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        ({"ratio": 0.255, "resetTime": "2030-01-07T00:04:00Z"}, False),
        ({"ratio": 0.255, "resetTime": "2030-01-07T00:06:00Z"}, True),
        ({"ratio": 0.27, "resetTime": "2030-01-07T00:04:00Z"}, True),
        ({"ratio": 0.25}, True),
        ({"ratio": 0.5, "enabled": False}, False),
        ({"ratio": None}, False),
    ],
)
def test_the_week_of_code_is_hidden_when_it_repeats_the_main_one(rate: dict[str, object], shown: bool) -> None:
    ids = [window.id for window in usage_of(WEEK, None, {"ratelimitCode7d": rate}).windows]
    assert ("kimi-code-7d" in ids) is shown


def test_the_week_of_code_is_shown_beside_an_unreliable_week() -> None:
    stated = {"ratelimitCode7d": {"ratio": 0, "resetTime": "2030-01-07T00:00:00Z"}}
    usage = usage_of({"limit": 10, "resetTime": "2030-01-07T00:00:00Z"}, None, stated)
    assert [window.id for window in usage.windows] == ["weekly", "kimi-code-7d"]


def test_only_the_coding_scope_counts() -> None:
    answer = WebAnswer.model_validate(
        {"usages": [{"scope": "FEATURE_CHAT"}, {"scope": "FEATURE_CODING", "detail": WEEK}]}
    )
    assert coding(answer).usage is not None
    with pytest.raises(BadResponse):
        coding(WebAnswer(usages=()))


@pytest.mark.parametrize(
    ("minutes", "label"),
    [
        (300, "5-hour usage"),
        (1440, "1-day usage"),
        (10080, "7-day usage"),
        (90, "90-minute usage"),
        (None, "Rate limit"),
    ],
)
def test_a_rate_is_named_by_its_length(minutes: int | None, label: str) -> None:
    assert label_of(minutes) == label


# --- the newer form --------------------------------------------------------------------------------


def pooled(**fields: Any) -> Usage:
    return to_usage(CodeAnswer.model_validate(fields), None, NOW)


def pool(ratio: object, reset: str = "2030-01-05T00:00:00Z") -> dict[str, object]:
    return {"used_ratio": ratio, "reset_time": reset}


def test_fractions_alone_are_all_windows() -> None:
    usage = pooled(
        usages={
            "limit_5h": pool(0.25, "2030-01-02T15:00:00Z"),
            "limit_7d": pool("0.125"),
            "limit_month_total": pool(0.994, "2030-02-01T00:00:00Z"),
            "limit_month_code": pool(0.5),
        },
        user={"membership": {"level": "LEVEL_INTERMEDIATE"}},
        version="2",
    )
    assert [(window.id, window.used_percent, window.minutes, window.lane) for window in usage.windows] == [
        ("weekly", 12.5, 10080, "primary"),
        ("session", 25, 300, "secondary"),
        ("kimi-monthly", 99.4, 43200, None),
        ("kimi-monthly-code", 50, 43200, None),
    ]
    assert usage.window("kimi-monthly").resets_at == datetime(2030, 2, 1, tzinfo=UTC)
    assert all(window.blocks for window in usage.windows)
    assert (usage.identity.plan, usage.notes) == ("Allegretto", ())


def test_without_the_week_there_is_no_primary_window() -> None:
    usage = pooled(usages={"limit_5h": pool(0.5), "limit_month_total": pool(0.5), "limit_month_code": pool(0.5)})
    assert usage.lane("primary") is None
    assert [window.id for window in usage.windows] == ["session", "kimi-monthly"], "the month of code repeats the month"


@pytest.mark.parametrize(
    ("used", "ratio", "percent", "requests"), [(40, 0, 80, 40), (5, 0.9, 90, None), (None, 0, 0, None), (5, 0.1, 10, 5)]
)
def test_of_two_readings_of_a_window_the_more_exhausted_counts(
    used: int | None, ratio: float, percent: float, requests: int | None
) -> None:
    week = pooled(usage={"limit": 50, "used": used}, usages={"limit_7d": pool(ratio)}).window("weekly")
    assert (week.used_percent, week.used, week.minutes) == (percent, requests, 10080)
    assert week.resets_at == datetime(2030, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(("ratio", "percent"), [(1.7, 100), (1, 100), ("0.5", 50)])
def test_a_fraction_may_be_too_large_or_a_text(ratio: object, percent: float) -> None:
    assert pooled(usages={"limit_7d": pool(ratio)}).window("weekly").used_percent == percent


@pytest.mark.parametrize("ratio", [None, "many", -0.1, [], True])
def test_without_a_fraction_nothing_is_told(ratio: object) -> None:
    with pytest.raises(BadResponse):
        pooled(usages={"limit_7d": pool(ratio), "limit_5h": None})
    assert [window.id for window in pooled(usage=WEEK, usages={"limit_month_total": pool(ratio)}).windows] == ["weekly"]


def test_an_exhausted_month_blocks_the_shorter_windows_and_says_so() -> None:
    usage = pooled(usages={"limit_7d": pool(0.1), "limit_month_total": pool(1)})
    assert usage.window("kimi-monthly").exhausted
    assert usage.window("kimi-monthly").blocks
    assert "shorter windows cannot be used" in usage.notes[0]


def test_the_month_of_the_statistics_is_the_same_window() -> None:
    answer = CodeAnswer.model_validate({"usages": {"limit_month_total": pool(0.2)}})
    usage = to_usage(answer, Statistics.model_validate(STATED), NOW)
    assert [(window.id, window.used_percent) for window in usage.windows] == [("kimi-monthly", 60)]


@pytest.mark.parametrize(
    ("fields", "plan"),
    [
        ({"user": {"membership": {"level": "LEVEL_FREE"}}}, "Adagio"),
        ({"user": {"membership": {"level": "LEVEL_TRIAL"}}}, "Andante"),
        ({"user": {"membership": {"level": "LEVEL_BASIC"}}}, "Moderato"),
        ({"user": {"membership": {"level": "LEVEL_ADVANCED"}}}, "Allegro"),
        ({"user": {"membership": {"level": "LEVEL_NEW"}}}, "LEVEL_NEW"),
        ({"user": {"membership": None}}, None),
        ({"usage": {"limit": "1024", "used": 1}}, "Andante"),
        ({"usage": {"limit": 2048, "used": 1}}, "Moderato"),
        ({"usage": {"limit": 7168, "used": 1}}, "Allegretto"),
        ({"usage": {"limit": 2048}, "user": {"membership": {"level": "LEVEL_ADVANCED"}}}, "Allegro"),
        ({"usage": {"limit": 500}}, None),
    ],
)
def test_the_plan_is_told_by_the_level_or_else_by_the_weekly_limit(fields: dict[str, Any], plan: str | None) -> None:
    assert pooled(**{"usages": {"limit_7d": pool(0.1)}, **fields}).identity.plan == plan


# --- regions ---------------------------------------------------------------------------------------


@pytest.fixture
def international(vendor: Any) -> Any:
    return vendor("api.kimi.ai").get("/coding/v1/usages", bearer="cli-k").answers(usage=WEEK)


def test_an_international_login_is_sent_to_its_own_region_alone(international: Any, read: Read, home: Path) -> None:
    sign_in(home)
    (home / ".kimi-code/region").write_text(" global\n")
    assert read("kimi").windows
    assert international.count == 1


@pytest.mark.parametrize("noted", ["mainland-cn", "moon", "", None])
def test_a_login_of_no_other_region_is_of_china(api: Any, read: Read, home: Path, noted: str | None) -> None:
    api.get("/coding/v1/usages", bearer="cli-k").answers(usage=WEEK)
    sign_in(home)
    if noted is not None:
        (home / ".kimi-code/region").write_text(noted)
    assert read("kimi").windows


def test_the_config_tells_the_region_where_the_cli_does_not(international: Any, read: Read, home: Path) -> None:
    sign_in(home)
    assert read("kimi", config={"region": "global"}).windows


def test_a_login_of_another_region_than_the_configured_one_is_not_used(simulator: Any, read: Read, home: Path) -> None:
    sign_in(home)
    (home / ".kimi-code/region").write_text("mainland-cn")
    with pytest.raises(MissingCredential, match="signed in to the region mainland-cn"):
        read("kimi", config={"region": "global"})


def test_a_key_goes_to_the_configured_region(vendor: Any, read: Read) -> None:
    vendor("api.kimi.ai").get("/coding/v1/usages", bearer="k").answers(usage=WEEK)
    assert read("kimi", config={"region": "global", "apiKey": "k"}).windows
    with pytest.raises(Misconfigured, match="region"):
        read("kimi", config={"region": "moon", "apiKey": "k"})


def test_a_web_token_goes_to_the_region_it_is_of(vendor: Any, read: Read) -> None:
    abroad = vendor("www.kimi.ai")
    abroad.post(STATISTICS).fails(500)
    headers = {"origin": "https://www.kimi.ai", "referer": "https://www.kimi.ai/code/console"}
    route = abroad.post(USAGES, bearer="tok", headers=headers)
    route.answers(usages=[{"scope": "FEATURE_CODING", "detail": WEEK}])
    read("kimi", config={"region": "global"}, KIMI_AUTH_TOKEN="kimi-auth=tok")
    pasted = "curl 'https://www.kimi.ai/code/console' -H 'Cookie: kimi-auth=tok'"
    read("kimi", config={"cookieHeader": pasted})
    assert route.count == 2
    with pytest.raises(MissingCredential, match=r"is of kimi\.ai"):
        read("kimi", source="web", config={"cookieHeader": pasted, "region": "mainland-cn"})


def test_the_statistics_of_one_region_are_not_asked_beside_the_other(
    international: Any, read: Read, home: Path
) -> None:
    sign_in(home)
    (home / ".kimi-code/region").write_text("global")
    assert read("kimi", KIMI_AUTH_TOKEN=jwt()).windows


# --- with a key ------------------------------------------------------------------------------------


def test_a_key_reads_the_code_usage(api: Any, read: Read) -> None:
    api.get("/coding/v1/usages", bearer="k", headers={"accept": "application/json"}).answers(usage=WEEK, limits=[RATE])
    usage = read("kimi", KIMI_CODE_API_KEY=" 'k' ")
    assert (len(usage.windows), usage.source, usage.identity.plan) == (2, "Kimi Code API key", None)


def test_the_config_key_wins_and_other_variables_do_not_count(api: Any, read: Read) -> None:
    api.get("/coding/v1/usages", bearer="mine").answers(usage=WEEK)
    assert read("kimi", config={"apiKey": "mine"}, KIMI_CODE_API_KEY="other").windows
    with pytest.raises(MissingCredential):
        read("kimi", KIMI_API_KEY="k")


@pytest.mark.parametrize(
    ("base", "path"),
    [
        ("https://proxy.kimi.test", "/coding/v1/usages"),
        ("https://proxy.kimi.test/", "/coding/v1/usages"),
        ("https://proxy.kimi.test/x/coding/", "/x/coding/v1/usages"),
        ("https://proxy.kimi.test/coding/v1", "/coding/v1/usages"),
    ],
)
def test_another_base_address(vendor: Any, read: Read, base: str, path: str) -> None:
    route = vendor("proxy.kimi.test").get(path, bearer="k").answers(usage=WEEK)
    read("kimi", KIMI_CODE_API_KEY="k", KIMI_CODE_BASE_URL=base)
    read("kimi", config={"enterpriseHost": base}, KIMI_CODE_API_KEY="k", KIMI_CODE_BASE_URL="https://unused.test")
    assert route.count == 2


@pytest.mark.parametrize(
    "base", ["proxy.kimi.test", "http://proxy.kimi.test", "https://me@proxy.kimi.test", "https://"]
)
def test_an_unusable_base_address_is_named_and_nothing_is_sent(
    simulator: Any, outcome: Run, home: Path, base: str
) -> None:
    sign_in(home)
    seen = outcome("kimi", KIMI_CODE_API_KEY="k", KIMI_CODE_BASE_URL=base, KIMI_AUTH_TOKEN=jwt())
    assert isinstance(seen.error, Misconfigured)
    assert "KIMI_CODE_BASE_URL" in seen.error.message
    assert len(seen.attempts) == 1
    error = outcome("kimi", config={"enterpriseHost": base}, KIMI_CODE_API_KEY="k").error
    assert isinstance(error, Misconfigured)
    assert "enterpriseHost" in error.message


@pytest.mark.parametrize("answer", [{}, {"usage": "x"}, {"limits": []}, []])
def test_an_answer_without_usage(api: Any, read: Read, answer: object) -> None:
    api.get("/coding/v1/usages").answers_json(answer)
    with pytest.raises(BadResponse):
        read("kimi", source="api", KIMI_CODE_API_KEY="k")


def test_a_key_is_joined_by_the_webs_statistics(api: Any, site: Any, read: Read) -> None:
    api.get("/coding/v1/usages", bearer="k").answers(usage=WEEK)
    route = site.post(STATISTICS, json={}).answers(**STATED)
    assert read("kimi", KIMI_CODE_API_KEY="k", KIMI_AUTH_TOKEN=jwt()).window("kimi-monthly").used_percent == 60
    read("kimi", config={"cookieSource": "off"}, KIMI_CODE_API_KEY="k", KIMI_AUTH_TOKEN=jwt())
    assert route.count == 1


# --- with Kimi Code's login ------------------------------------------------------------------------


def test_the_cli_login_is_used_as_the_cli_does(api: Any, read: Read, home: Path) -> None:
    route = api.get("/coding/v1/usages", bearer="cli-k").answers(usage=WEEK)
    before = sign_in(home, refresh_token="r").read_text()
    assert read("kimi").source == "Kimi Code CLI"
    read("kimi")
    first, second = (request.headers for request in route.requests)
    assert first["x-msh-platform"] == "kimi_code_cli"
    assert first["x-msh-device-id"] == second["x-msh-device-id"] == (home / ".kimi-code/device_id").read_text()
    assert {"x-msh-version", "x-msh-device-name", "x-msh-device-model", "x-msh-os-version"} <= set(first)
    assert (home / ".kimi-code/credentials/kimi-code.json").read_text() == before


def test_the_computer_is_named_on_windows_too(api: Any, reader: Reader, home: Path) -> None:
    route = api.get("/coding/v1/usages", bearer="cli-k").answers(usage=WEEK)
    sign_in(home, refresh_token="r")
    reader.on("win32").read("kimi", COMPUTERNAME="DESK", PROCESSOR_ARCHITECTURE="AMD64")
    headers = route.requests[0].headers
    assert headers["x-msh-device-name"] == "DESK"
    assert headers["x-msh-device-model"].startswith("Windows ")
    assert headers["x-msh-device-model"].endswith(" AMD64")


def test_a_known_device_id_is_kept(api: Any, read: Read, home: Path) -> None:
    sign_in(home)
    (home / ".kimi-code/device_id").write_text(" known \n")
    api.get("/coding/v1/usages", headers={"x-msh-device-id": "known"}).answers(usage=WEEK)
    read("kimi")
    assert (home / ".kimi-code/device_id").read_text() == " known \n"


def test_the_cli_home_can_be_elsewhere(api: Any, read: Read, home: Path) -> None:
    api.get("/coding/v1/usages", bearer="cli-k").answers(usage=WEEK)
    sign_in(home)
    (home / ".kimi-code").rename(home / "elsewhere")
    assert read("kimi", KIMI_CODE_HOME="~/elsewhere").windows


@pytest.mark.parametrize(
    "login",
    [
        {"expires_at": NOW.timestamp() + 60},
        {"expires_at": "soon"},
        {"expires_at": None},
        {"access_token": "", "refresh_token": "r"},
    ],
)
def test_an_expired_cli_login_says_so(simulator: Any, outcome: Run, home: Path, login: dict[str, object]) -> None:
    sign_in(home, **login)
    error = outcome("kimi").error
    assert isinstance(error, ExpiredCredential)
    assert "CLI" in error.message


def test_numeric_text_is_an_expiry(api: Any, read: Read, home: Path) -> None:
    api.get("/coding/v1/usages").answers(usage=WEEK)
    sign_in(home, expires_at=str(NOW.timestamp() + 61))
    assert read("kimi").windows


@pytest.mark.parametrize("name", ["KIMI_CODE_BASE_URL", "KIMI_CODE_OAUTH_HOST", "KIMI_OAUTH_HOST"])
def test_the_cli_token_never_goes_to_another_host(simulator: Any, read: Read, home: Path, name: str) -> None:
    sign_in(home)
    with pytest.raises(MissingCredential):
        read("kimi", **{name: "https://proxy.kimi.test"})
    with pytest.raises(MissingCredential):
        read("kimi", config={"enterpriseHost": "https://proxy.kimi.test"})


def test_a_broken_login_file_is_no_login(simulator: Any, read: Read, home: Path) -> None:
    sign_in(home).write_text("{")
    with pytest.raises(MissingCredential):
        read("kimi")


# --- with the web's token --------------------------------------------------------------------------


def test_the_web_token_reads_usage_and_statistics(site: Any, read: Read) -> None:
    value = jwt(device_id=7, ssid="s1", sub="u1")
    headers = {"x-msh-device-id": "7", "x-msh-session-id": "s1", "x-traffic-id": "u1", "origin": "https://www.kimi.com"}
    scope = {"scope": ["FEATURE_CODING"]}
    answer = {"scope": "FEATURE_CODING", "detail": WEEK, "limits": None}
    site.post(USAGES, bearer=value, cookie=f"kimi-auth={value}", headers=headers, json=scope).answers(usages=[answer])
    site.post(STATISTICS, bearer=value, json={}).answers(**STATED)
    usage = read("kimi", config={"cookieHeader": f"other=1; kimi-auth={value}; more=2"})
    assert (usage.source, [window.id for window in usage.windows]) == ("Kimi web cookie", ["weekly", "kimi-monthly"])


def test_slow_statistics_are_left_out_in_time(site: Any, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "STATISTICS_SECONDS", 0.3)
    site.post(USAGES).answers(usages=[{"scope": "FEATURE_CODING", "detail": WEEK}])
    site.post(STATISTICS).delays(3).answers(**STATED)
    assert [window.id for window in read("kimi", KIMI_AUTH_TOKEN=jwt()).windows] == ["weekly"]


def test_broken_statistics_do_not_fail_the_read(site: Any, read: Read) -> None:
    site.post(USAGES).answers(usages=[{"scope": "FEATURE_CODING", "detail": WEEK}])
    site.post(STATISTICS).misbehaves("garbage")
    assert len(read("kimi", KIMI_AUTH_TOKEN=jwt()).windows) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("kimi-auth=abc.D_-+/=", "abc.D_-+/="),
        ("Cookie: a=b; Kimi-Auth=tok; c=d", "tok"),
        ("kimi-auth: tok", "tok"),
        ("curl 'https://x.test' -H 'Cookie: kimi-auth=tok; a=b'", "tok"),
        (' "eyJa.b.c" ', "eyJa.b.c"),
        ("eyJa.b", None),
        ("abc.d.e", None),
        ("not-kimi-auth=x", None),
        ("a=b", None),
        ("", None),
    ],
)
def test_what_is_a_web_token(text: str, found: str | None) -> None:
    assert web_token(text) == found


def test_the_order_of_the_places(site: Any, read: Read, keyring_entries: dict[tuple[str, str], str]) -> None:
    site.post(STATISTICS).fails(500)
    answer = {"scope": "FEATURE_CODING", "detail": WEEK}
    routes = {name: site.post(USAGES, bearer=name).answers(usages=[answer]) for name in ("one", "two", "three", "raw")}
    variables = {"KIMI_MANUAL_COOKIE": "kimi-auth=two", "KIMI_AUTH_TOKEN": "kimi-auth=three"}
    read("kimi", config={"cookieHeader": "kimi-auth=one"}, **variables)
    read("kimi", **variables)
    read("kimi", **variables | {"KIMI_MANUAL_COOKIE": "x"})
    read("kimi", KIMI_AUTH_TOKEN="raw")
    read("kimi", kimi_auth_token="raw")
    read("kimi", config={"cookieSource": "off"}, kimi_auth_token="raw")
    keyring_entries["quotaline", "kimi/cookie"] = "kimi-auth=one"
    read("kimi", **variables)
    assert {name: route.count for name, route in routes.items()} == {"one": 2, "two": 1, "three": 1, "raw": 3}


@pytest.mark.parametrize("config", [{"cookieSource": "manual"}, {"cookieHeader": "a=b"}])
def test_an_unusable_manual_token_stops(simulator: Any, read: Read, config: dict[str, str]) -> None:
    with pytest.raises(MissingCredential):
        read("kimi", config=config, KIMI_AUTH_TOKEN=jwt())


# --- Kimi Desktop ----------------------------------------------------------------------------------


@pytest.fixture
def desktop(home: Path) -> sqlite3.Connection:
    """Kimi Desktop's open cookie database, whose rows are still in the write-ahead log."""
    path = home / ".config" / "kimi-desktop" / "Cookies"
    path.parent.mkdir(parents=True)
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE cookies (host_key TEXT, name TEXT, value TEXT, last_access_utc INTEGER)")
    database.commit()
    return database


def cookie(database: sqlite3.Connection, host: str, value: str, access: int, name: str = "kimi-auth") -> None:
    database.execute("INSERT INTO cookies VALUES (?, ?, ?, ?)", (host, name, value, access))
    database.commit()


def test_kimi_desktops_cookie_stays_in_its_region(vendor: Any, read: Read, desktop: sqlite3.Connection) -> None:
    cookie(desktop, "kimi.com", "china", 1)
    cookie(desktop, ".kimi.ai", "abroad", 2)
    answer = {"scope": "FEATURE_CODING", "detail": WEEK}
    for host, token in (("www.kimi.ai", "abroad"), ("www.kimi.com", "china")):
        vendor(host).post(STATISTICS).fails(500)
        vendor(host).post(USAGES, bearer=token).answers(usages=[answer])
    assert read("kimi").windows
    assert read("kimi", config={"region": "mainland-cn"}).windows
    desktop.close()


def test_a_refused_cookie_of_kimi_desktop_does_not_hide_the_next(
    site: Any, read: Read, desktop: sqlite3.Connection, home: Path
) -> None:
    cookie(desktop, "kimi.com", "old", 1)
    network = home / ".config/kimi-desktop/Network/Cookies"
    network.parent.mkdir()
    with sqlite3.connect(network) as other:
        other.execute("CREATE TABLE cookies (host_key TEXT, name TEXT, value TEXT, last_access_utc INTEGER)")
        cookie(other, "kimi.com", "new", 1)
    site.post(STATISTICS).fails(500)
    site.post(USAGES, bearer="old").fails(401)
    site.post(USAGES, bearer="new").answers(usages=[{"scope": "FEATURE_CODING", "detail": WEEK}])
    assert read("kimi").windows
    other.close()
    desktop.close()


def test_kimi_desktops_newest_cookie_is_used(site: Any, read: Read, desktop: sqlite3.Connection) -> None:
    cookie(desktop, ".kimi.com", "old", 1)
    cookie(desktop, "www.kimi.com", "new", 2)
    cookie(desktop, "kimi.com.evil.test", "foreign", 3)
    cookie(desktop, "kimi.com", "", 4)
    cookie(desktop, "kimi.com", "x" * 20_000, 5)
    cookie(desktop, "kimi.com", "other", 6, name="session")
    site.post(STATISTICS).fails(500)
    site.post(USAGES, bearer="new").answers(usages=[{"scope": "FEATURE_CODING", "detail": WEEK}])
    assert read("kimi").windows
    with pytest.raises(MissingCredential):
        read("kimi", config={"cookieSource": "off"})
    desktop.close()


def test_a_database_without_the_cookie_is_no_login(simulator: Any, read: Read, desktop: sqlite3.Connection) -> None:
    with pytest.raises(MissingCredential):
        read("kimi")
    desktop.execute("DROP TABLE cookies")
    desktop.commit()
    with pytest.raises(MissingCredential):
        read("kimi")
    desktop.close()


# --- from one way to the next ----------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_refused_key_goes_on_to_the_login_and_then_the_web(
    api: Any, site: Any, outcome: Run, home: Path, status: int
) -> None:
    sign_in(home)
    api.get("/coding/v1/usages").fails(status)
    site.post(STATISTICS).fails(500)
    site.post(USAGES).answers(usages=[{"scope": "FEATURE_CODING", "detail": WEEK}])
    seen = outcome("kimi", KIMI_CODE_API_KEY="k", KIMI_AUTH_TOKEN=jwt())
    assert [attempt.source for attempt in seen.attempts] == ["api", "cli", "web"]
    assert seen.usage is not None


def test_an_invalid_request_stops(api: Any, outcome: Run) -> None:
    api.get("/coding/v1/usages").fails(400)
    seen = outcome("kimi", KIMI_CODE_API_KEY="k", KIMI_AUTH_TOKEN=jwt())
    assert isinstance(seen.error, BadResponse)
    assert len(seen.attempts) == 1


def test_header_values_are_printable() -> None:
    assert printable(" café\n12 ") == "caf12"
    assert printable("é") == "unknown"


def test_the_reset_is_in_the_future_of_the_clock() -> None:
    assert usage_of(WEEK).window("weekly").resets_at == NOW + timedelta(days=4, hours=12)
