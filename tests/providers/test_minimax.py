"""MiniMax by key: lanes per model family, lists of services, three addresses, two regions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from quotaline_providers.contract import Account
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    Misconfigured,
    MissingCredential,
    RateLimited,
    ReadError,
    Unavailable,
)
from quotaline_providers.model import Usage
from quotaline_providers.secret import Secret
from quotaline_providers.testing import NOW, Read, Run
from quotaline_providers.vendors.minimax.credentials import PlanKey
from quotaline_providers.vendors.minimax.lanes import reset_text
from quotaline_providers.vendors.minimax.mapping import NO_LIMITS, service_name, to_plan, to_usage
from quotaline_providers.vendors.minimax.payloads import VendorFailure
from quotaline_providers.vendors.minimax.services import range_end, service_type, window_minutes

NEWER, OLDER = "/v1/token_plan/remains", "/v1/api/openplatform/coding_plan/remains"
OLDEST = "/v1/coding_plan/remains"


def ms(time: datetime) -> int:
    return int(time.timestamp() * 1000)


FIVE_HOURS: dict[str, object] = {"start_time": ms(NOW - timedelta(hours=3)), "end_time": ms(NOW + timedelta(hours=2))}
WEEK: dict[str, object] = {"weekly_end_time": ms(NOW + timedelta(days=4))}
GENERAL: dict[str, object] = {
    "model_name": "general",
    "current_interval_total_count": 0,
    "current_interval_usage_count": 0,
    "current_interval_remaining_percent": 75,
    "current_interval_status": 1,
    "current_weekly_total_count": 0,
    "current_weekly_usage_count": 0,
    "current_weekly_remaining_percent": "60",
    **FIVE_HOURS,
    **WEEK,
}
NO_VIDEO = {
    "model_name": "video",
    "current_interval_total_count": 0,
    "current_interval_usage_count": 0,
    "current_interval_remaining_percent": 100,
    "current_interval_status": 3,
}
GOOD: dict[str, object] = {"base_resp": {"status_code": 0}, "data": {"plan_name": "Demo", "model_remains": [GENERAL]}}


def usage_of(*models: object, **more: object) -> Usage:
    return to_usage(to_plan({"data": {"model_remains": list(models), **more}}, NOW), NOW)


# --- lanes -----------------------------------------------------------------------------------------


def test_the_interval_and_the_week() -> None:
    usage = to_usage(to_plan(GOOD, NOW), NOW)
    interval, week = usage.windows
    assert (interval.id, interval.label, interval.lane) == ("general", "General · 5 hours", "primary")
    assert (interval.used_percent, interval.used, interval.limit, interval.minutes) == (25, 25, 100, 300)
    assert (interval.resets_at, interval.description) == (NOW + timedelta(hours=2), "Resets in 2 hours")
    assert (week.id, week.label, week.lane) == ("general-weekly", "General · Weekly", "secondary")
    assert (week.used_percent, week.minutes, week.resets_at) == (40, 10080, NOW + timedelta(days=4))
    assert usage.identity.plan == "Demo"
    assert [(row.label, row.value) for row in usage.details[0].rows] == [
        ("General · 5 hours", "25 / 100"),
        ("General · Weekly", "40 / 100"),
    ]


def test_counts_are_what_remains_despite_their_name() -> None:
    model = {"model_name": "speech-2", "current_interval_total_count": "400", "current_interval_usage_count": 300}
    window = usage_of(model).windows[0]
    assert (window.label, window.used_percent, window.used, window.limit) == ("Text to Speech", 25, 100, 400)


def test_more_remaining_than_allowed_is_nothing_used() -> None:
    model = {"model_name": "music-1", "current_interval_total_count": 4, "current_interval_usage_count": 9}
    assert usage_of(model).windows[0].used_percent == 0


@pytest.mark.parametrize(
    ("told", "percent"),
    [
        ({"remaining_count": 40}, 60),
        ({"remaining_count": 0}, 100),
        ({"used_count": 75}, 75),
        ({"used_count": 0}, 0),
        ({"remaining_count": 40, "used_count": 1, "usage_count": 99}, 60),
    ],
)
@pytest.mark.parametrize("period", ["interval", "weekly"])
def test_counts_that_mean_what_they_say(told: dict[str, object], percent: float, period: str) -> None:
    model = {f"current_{period}_{name}": count for name, count in {"total_count": 100, **told}.items()}
    (window,) = usage_of({"model_name": "MiniMax-M2", **model}).windows
    assert (window.used_percent, window.used, window.limit) == (percent, percent, 100)


@pytest.mark.parametrize("model", [{}, {"current_interval_total_count": 0}])
def test_without_numbers_there_is_no_lane(model: dict[str, object]) -> None:
    usage = usage_of({"model_name": "music-1"} | model)
    assert usage.windows == ()
    assert usage.limits_unavailable
    assert usage.notes == (NO_LIMITS,)


@pytest.mark.parametrize(
    "model",
    [
        {"model_name": "music-1", "current_interval_total_count": 5},
        {"model_name": "general", "current_weekly_total_count": 5},
        {"current_interval_total_count": 5},
    ],
)
def test_totals_alone_are_no_success(model: dict[str, object]) -> None:
    with pytest.raises(BadResponse, match="Usage unavailable") as raised:
        usage_of(model, plan_name="Demo")
    assert raised.value.partial is None
    with pytest.raises(BadResponse, match="Usage unavailable") as raised:
        usage_of(model, points_balance=7)
    assert raised.value.partial is not None
    assert raised.value.partial.balance("points").amount == 7


def test_models_of_one_pool_are_one_window() -> None:
    pool = {"current_interval_total_count": 1500, "current_interval_usage_count": 1200, **FIVE_HOURS}
    names = ("coding-plan-search", "MiniMax-M2", "MiniMax-M2.1")
    usage = usage_of(*({"model_name": name, **pool} for name in names))
    assert [(window.id, window.used_percent, window.blocks) for window in usage.windows] == [("minimax-m2", 20, True)]
    other = pool | {"current_interval_usage_count": 1100}
    assert len(usage_of({"model_name": "MiniMax-M2", **pool}, {"model_name": "MiniMax-M2.1", **other}).windows) == 2


def test_a_weekly_total_of_zero_without_a_percentage_is_no_lane() -> None:
    week = {"current_weekly_remaining_percent": None}
    assert [window.id for window in usage_of(GENERAL | week).windows] == ["general"]


@pytest.mark.parametrize("name", ["interval_boost_permill", "interval_boost_permille"])
def test_a_boost_raises_the_shown_limit(name: str) -> None:
    window = usage_of(GENERAL | {name: 1500}).windows[0]
    assert (window.used_percent, window.used, window.limit) == (25, 37.5, 150)
    assert usage_of(GENERAL | {"weekly_boost_permille": "2000"}).windows[1].limit == 200


def test_only_text_models_have_a_week() -> None:
    usage = usage_of({**GENERAL, "model_name": "image-01"}, {**GENERAL, "model_name": "MiniMax-M2"})
    assert [window.label for window in usage.windows] == [
        "Text Generation · 5 hours",
        "Text Generation · Weekly",
        "Image Generation · 5 hours",
    ]


def test_text_comes_first_and_three_lanes_are_main_ones() -> None:
    usage = usage_of({**GENERAL, "model_name": "video"}, GENERAL, {**GENERAL, "model_name": "speech-2"})
    assert [(window.id, window.lane) for window in usage.windows] == [
        ("general", "primary"),
        ("general-weekly", "secondary"),
        ("video", "tertiary"),
        ("speech-2", None),
    ]
    assert [window.blocks for window in usage.windows] == [True, True, False, False]


def test_what_is_not_in_the_plan_is_left_out_and_tells_its_name() -> None:
    usage = usage_of(NO_VIDEO, GENERAL)
    assert [window.id for window in usage.windows] == ["general", "general-weekly"]
    assert usage.identity.plan == "Plus"
    assert usage_of(GENERAL).identity.plan is None
    assert usage_of(NO_VIDEO).identity.plan is None


def test_a_week_that_is_not_limited() -> None:
    week = {"current_weekly_status": 3, "current_weekly_remaining_percent": 100}
    usage = usage_of(GENERAL | week)
    window = usage.window("general-weekly")
    assert window.unlimited
    assert (window.used_percent, window.description, window.resets_at, window.minutes) == (0, "Unlimited", None, 10080)
    assert usage.row("General · Weekly").value == "Unlimited"


@pytest.mark.parametrize(
    ("hours", "label", "minutes"),
    [
        (24, "General · Today", 1440),
        (23, "General · Today", 1440),
        (4.5, "General · 5 hours", 300),
        (1, "General · 1 hour", 60),
        (12, "General · 12 hours", 720),
        (48, "General", None),
        (0.5, "General", None),
    ],
)
def test_what_an_interval_is_called(hours: float, label: str, minutes: int | None) -> None:
    span = {"start_time": ms(NOW), "end_time": ms(NOW + timedelta(hours=hours))}
    window = usage_of(GENERAL | span).windows[0]
    assert (window.label, window.minutes) == (label, minutes)


@pytest.mark.parametrize(
    ("told", "reset"),
    [
        ({"end_time": int((NOW + timedelta(hours=1)).timestamp())}, NOW + timedelta(hours=1)),
        ({"end_time": ms(NOW - timedelta(hours=1)), "remains_time": 90}, NOW + timedelta(seconds=90)),
        ({"end_time": None, "remains_time": 7_200_000}, NOW + timedelta(hours=2)),
        ({"end_time": None, "remains_time": 0}, None),
        ({"end_time": ms(NOW - timedelta(hours=1))}, None),
    ],
)
def test_when_an_interval_ends(told: dict[str, object], reset: datetime | None) -> None:
    assert usage_of(GENERAL | told).windows[0].resets_at == reset


def test_an_end_beyond_the_length_is_no_reset() -> None:
    far = {**GENERAL, "weekly_end_time": ms(NOW + timedelta(days=40))}
    assert usage_of(far).window("general-weekly").resets_at is None


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (timedelta(seconds=20), "Resets in 1 minute"),
        (timedelta(minutes=9), "Resets in 9 minutes"),
        (timedelta(hours=1), "Resets in 1 hour"),
        (timedelta(days=3), "Resets in 3 days"),
        (timedelta(0), None),
    ],
)
def test_how_a_reset_is_worded(left: timedelta, text: str | None) -> None:
    assert reset_text(NOW + left, NOW) == text


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("general", "general"),
        ("video", "video"),
        ("MiniMax-M2.5", "Text Generation"),
        ("m2.1-fast", "Text Generation"),
        ("Speech-Lab", "Text to Speech"),
        ("MiniMax-Hailuo-Fast", "Image to Video"),
        ("Hailuo-3", "Text to Video"),
        ("image-02", "Image Generation"),
        ("music-lab", "Music Generation"),
        ("other", "other"),
    ],
)
def test_names_of_services(model: str, name: str) -> None:
    assert service_name(model) == name


def test_models_without_names_are_all_prompts() -> None:
    usage = usage_of({"current_interval_total_count": 1200, "current_interval_usage_count": 900, **FIVE_HOURS}, {})
    (window,) = usage.windows
    assert (window.id, window.used_percent, window.minutes, window.lane) == ("prompts", 25, 300, "primary")
    assert window.description == "1,200 prompts / 5 hours"
    assert usage.details == ()


def test_two_models_of_one_name_have_ids_of_their_own() -> None:
    ids = [window.id for window in usage_of(GENERAL, GENERAL).windows]
    assert len(set(ids)) == len(ids) == 4


# --- plan and points -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told",
    [
        {"current_subscribe_title": " Demo "},
        {"plan_name": "Demo", "combo_title": "Other"},
        {"combo_title": "Demo"},
        {"current_plan_title": "Demo"},
        {"current_combo_card": {"title": "Demo"}},
    ],
)
def test_the_plans_name(told: dict[str, object]) -> None:
    assert usage_of(GENERAL, **told).identity.plan == "Demo"


@pytest.mark.parametrize("name", ["points_balance", "point_balance", "credits_balance", "credit_balance", "balance"])
def test_points(name: str) -> None:
    balance = usage_of(GENERAL, **{name: "12.5"}).balance("points")
    assert (balance.amount, balance.unit, balance.label) == (Decimal("12.5"), "Points", "Points")
    assert usage_of(GENERAL, **{name: -1}).balances == ()


def test_the_models_may_stand_at_the_root() -> None:
    assert len(to_plan({"model_remains": [GENERAL], "base_resp": {"status_code": "0"}}, NOW).limits) == 2


@pytest.mark.parametrize(
    "answer", [{}, {"data": {"model_remains": []}}, {"model_remains": ["x"]}, {"data": {"services": [{}]}}]
)
def test_no_models(answer: dict[str, object]) -> None:
    with pytest.raises(BadResponse, match="models"):
        to_plan(answer, NOW)


@pytest.mark.parametrize(
    ("base", "kind"),
    [
        ({"status_code": 1004}, ExpiredCredential),
        ({"status_code": "1004", "status_msg": "x"}, ExpiredCredential),
        ({"status_code": 7, "status_msg": "Cookie missing"}, ExpiredCredential),
        ({"status_code": 7, "status_msg": "please log in"}, ExpiredCredential),
        ({"status_code": 7, "status_msg": "Invalid API key"}, ExpiredCredential),
        ({"status_code": 7, "status_msg": "invalid api key!"}, VendorFailure),
        ({"status_code": 2013}, VendorFailure),
        ({"status_code": 1001, "status_msg": "no plan"}, Forbidden),
        ({"status_code": 1001, "status_msg": "You have not subscribed to a Coding Plan"}, Forbidden),
    ],
)
def test_refusals_in_the_answer(base: dict[str, object], kind: type[ReadError]) -> None:
    for answer in ({"base_resp": base}, {"data": {"base_resp": base}, "base_resp": {"status_code": 0}}):
        with pytest.raises(kind):
            to_plan({"model_remains": [GENERAL], **answer}, NOW, by_key=True)


@pytest.mark.parametrize("words", ["no plan", "not subscribed", "Service is busy"])
def test_a_refusal_is_told_in_its_own_words(words: str) -> None:
    with pytest.raises(ReadError, match=words) as raised:
        to_plan({"base_resp": {"status_code": 1001, "status_msg": words}}, NOW)
    assert "platform.minimax.io" in raised.value.hint


# --- a list of services ----------------------------------------------------------------------------


def service(**fields: object) -> dict[str, object]:
    usual = {"service_type": "Text Generation", "window_type": "5 hours", "time_range": "20:00-01:00(UTC+8)"}
    return {**usual, "usage": 3, "limit": "30", **fields}


def test_services_win_over_models() -> None:
    speech = service(service_type="Text to Speech Pro", window_type="Today", percent="50")
    speech["time_range"] = "2030/01/02 00:00 - 2030/01/03 00:00"
    answer: dict[str, object] = {"data": {"services": [speech, service()], "model_remains": [GENERAL]}}
    usage = to_usage(to_plan(answer, NOW), NOW)
    text, voice = usage.windows
    assert (text.label, text.used_percent, text.used, text.limit) == ("Text Generation · 5 hours", 10, 3, 30)
    assert (text.minutes, text.resets_at) == (300, datetime(2030, 1, 2, 17, tzinfo=UTC))
    assert (voice.label, voice.used_percent, voice.minutes) == ("Text to Speech · Today", 50, 1440)
    assert voice.resets_at == datetime(2030, 1, 2, 16, tzinfo=UTC)
    assert usage.identity.plan == "Text to Speech Pro"
    assert usage.row("Text Generation · 5 hours").value == "3 / 30"


@pytest.mark.parametrize("name", ["service_type", "window_type", "time_range", "usage", "limit"])
def test_an_incomplete_service_falls_to_the_models(name: str) -> None:
    answer: dict[str, object] = {
        "data": {"services": [service(**{name: None}), service(limit=0)], "model_remains": [GENERAL]}
    }
    assert to_usage(to_plan(answer, NOW), NOW).windows[0].id == "general"


@pytest.mark.parametrize(
    ("told", "minutes"),
    [
        ("3 hours", 180),
        ("1 hour", 60),
        ("30 minutes", 30),
        ("2 days", 2880),
        ("today", 1440),
        ("Weekly", 10080),
        ("x", None),
    ],
)
def test_lengths_of_services(told: str, minutes: int | None) -> None:
    assert window_minutes(told) == minutes


@pytest.mark.parametrize(
    ("told", "end"),
    [
        ("15:00-20:00(UTC+8)", datetime(2030, 1, 3, 12, tzinfo=UTC)),
        ("16:00-20:01(UTC+8)", datetime(2030, 1, 2, 12, 1, tzinfo=UTC)),
        ("19:00-24:00(UTC+8)", datetime(2030, 1, 2, 16, tzinfo=UTC)),
        ("2030/02/30 00:00 - 2030/02/31 00:00", None),
        ("20:00-29:00", None),
        ("soon", None),
    ],
)
def test_ends_of_ranges(told: str, end: datetime | None) -> None:
    assert range_end(told, NOW) == end


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("TEXT_GENERATION", "Text Generation"),
        ("text-to-speech", "Text to Speech"),
        ("Image Lab", "Image"),
        ("Music Lab", "music-lab"),
    ],
)
def test_types_of_services(told: str, name: str) -> None:
    assert service_type(told) == name


# --- by key ----------------------------------------------------------------------------------------


@pytest.fixture
def api(vendor: Any) -> Any:
    return vendor("api.minimax.io")


@pytest.fixture
def china(vendor: Any) -> Any:
    return vendor("api.minimaxi.com")


def test_a_key_reads_the_newer_address(api: Any, read: Read) -> None:
    headers = {"accept": "application/json", "content-type": "application/json", "mm-api-source": "quotaline"}
    api.get(NEWER, bearer="k", headers=headers).answers(**GOOD)
    usage = read("minimax", MINIMAX_API_KEY=" 'k' ")
    assert (usage.source, len(usage.windows)) == ("api", 2)


def test_the_keys_order(api: Any, read: Read) -> None:
    names = ("coding", "config", "other")
    routes = {name: api.get(NEWER, bearer=name).answers(**GOOD) for name in names}
    read("minimax", config={"apiKey": "config"}, MINIMAX_CODING_API_KEY="coding", MINIMAX_API_KEY="other")
    read("minimax", config={"apiKey": "config"}, MINIMAX_API_KEY="other")
    read("minimax", MINIMAX_API_KEY="other")
    assert [routes[name].count for name in names] == [1, 1, 1]


@pytest.mark.parametrize("variables", [{"MINIMAX_API_KEY": "sk-api-demo"}, {"MINIMAX_CODING_API_KEY": "sk-api-demo"}])
def test_a_standard_key_cannot_read_a_plan(simulator: Any, read: Read, variables: dict[str, str]) -> None:
    with pytest.raises(MissingCredential, match="standard key"):
        read("minimax", **variables)


def test_a_standard_key_is_no_trace(reader: Any) -> None:
    for variables, config, trace in (
        ({"MINIMAX_API_KEY": "sk-api-demo"}, {}, None),
        ({}, {"apiKey": "sk-api-demo"}, None),
        ({"MINIMAX_API_KEY": "sk-cp-demo"}, {}, "env MINIMAX_API_KEY"),
        ({"MINIMAX_CODING_API_KEY": "k"}, {"apiKey": "sk-api-demo"}, "env MINIMAX_CODING_API_KEY"),
    ):
        assert PlanKey().probe(reader.context("minimax", config, **variables)) == trace


@pytest.mark.parametrize("first", ["refused", "missing", "unreadable", "cut"])
def test_the_older_address_stands_in(api: Any, read: Read, first: str) -> None:
    newer = api.get(NEWER)
    match first:
        case "refused":
            newer.fails(401)
        case "missing":
            newer.fails(405)
        case "unreadable":
            newer.answers(data={})
        case _:
            newer.misbehaves("cut")
    api.get(OLDER, bearer="k").answers(**GOOD)
    assert read("minimax", MINIMAX_API_KEY="k").windows


def test_the_oldest_address_is_the_last_resort(api: Any, read: Read) -> None:
    api.get(NEWER).fails(404)
    api.get(OLDER).fails(405)
    route = api.get(OLDEST, bearer="k").answers(**GOOD)
    read("minimax", MINIMAX_API_KEY="k")
    assert route.count == 1


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (500, {}, Unavailable),
        (429, {}, RateLimited),
        (418, {}, BadResponse),
        (200, {"base_resp": {"status_code": 5}}, BadResponse),
    ],
)
def test_other_failures_stop(api: Any, outcome: Run, status: int, answer: object, kind: type[ReadError]) -> None:
    route = api.get(NEWER).answers_json(answer, status)
    seen = outcome("minimax", MINIMAX_API_KEY="k", MINIMAX_COOKIE="a=b")
    assert isinstance(seen.error, kind)
    assert (route.count, api.count, len(seen.attempts)) == (1, 1, 1)


def test_a_refused_key_may_be_chinas(api: Any, china: Any, read: Read) -> None:
    api.get(NEWER).fails(401)
    api.get(OLDER).answers(base_resp={"status_code": 1004})
    china.get(NEWER, bearer="k").answers(**GOOD)
    assert read("minimax", MINIMAX_API_KEY="k").windows


def test_the_first_refusal_is_told(api: Any, china: Any, read: Read) -> None:
    api.get(NEWER).answers(base_resp={"status_code": 1004})
    api.get(OLDER).fails(500)
    china.get(NEWER).fails(500)
    with pytest.raises(ExpiredCredential) as seen:
        read("minimax", MINIMAX_API_KEY="k")
    assert "HTTP" not in seen.value.message


def test_china_is_not_retried_elsewhere(china: Any, read: Read) -> None:
    china.get(NEWER).fails(403)
    china.get(OLDER).fails(403)
    with pytest.raises(ExpiredCredential):
        read("minimax", config={"region": "cn", "apiKey": "k"})


@pytest.mark.parametrize("region", ["intl", "china", "us"])
def test_an_unknown_region_is_named_before_anything_is_sent(simulator: Any, read: Read, region: str) -> None:
    for config in ({"apiKey": "k"}, {"cookieHeader": "a=b"}):
        with pytest.raises(Misconfigured, match="region"):
            read("minimax", config={**config, "region": region})


def test_overrides_do_not_concern_the_key(api: Any, read: Read) -> None:
    api.get(NEWER, bearer="k").answers(**GOOD)
    assert read("minimax", MINIMAX_API_KEY="k", MINIMAX_HOST="http://refused.test").windows


def test_an_account_is_a_cookie_and_never_uses_the_key(simulator: Any, outcome: Run) -> None:
    seen = outcome("minimax", account=Account("Work", Secret("nothing")), MINIMAX_API_KEY="k")
    assert [attempt.source for attempt in seen.attempts] == ["web"]
    assert isinstance(seen.error, MissingCredential)
