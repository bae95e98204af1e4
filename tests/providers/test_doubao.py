"""Doubao: which credentials count, signed questions, the probe of a key, and the vendor's program."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers import registry
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    Misconfigured,
    MissingCredential,
    MissingProgram,
    RateLimited,
    ReadError,
    TimedOut,
    Unavailable,
)
from quotaline_providers.model import Usage
from quotaline_providers.secret import Secret
from quotaline_providers.testing import NOW, Read, Reader, Request, Route, Vendor
from quotaline_providers.vendors.doubao import cli
from quotaline_providers.vendors.doubao.credentials import AccessKey
from quotaline_providers.vendors.doubao.mapping import moment, plans_usage, report_usage
from quotaline_providers.vendors.doubao.payloads import AgentAnswer, CodingAnswer, Report
from quotaline_providers.vendors.doubao.probe import MODELS, reset_at
from quotaline_providers.vendors.doubao.signature import canonical_query, signed_headers

PAIR = {"VOLCENGINE_ACCESS_KEY_ID": "AKLTdemo", "VOLCENGINE_SECRET_ACCESS_KEY": "demo-secret"}
HOST = "open.volcengineapi.com"
SIGNED = "SignedHeaders=content-type;host;x-content-sha256;x-date"
SESSION = {"Level": "session", "Percent": 7.5, "ResetTimestamp": 1893600000}
AGENT = {"Result": {"AFPFiveHour": {"Quota": 200, "Used": 50, "ResetTime": -1}, "AFPDaily": {"Quota": 1, "Used": 1}}}


@pytest.fixture
def question(vendor: Callable[[str], Vendor]) -> Callable[[str], Route]:
    """`question(action)`: the signed question with this name."""
    host = vendor(HOST)
    return lambda action: host.post("/", query={"Action": action, "Version": "2024-01-01"})


@pytest.fixture
def coding(question: Callable[[str], Route]) -> Route:
    return question("GetCodingPlanUsage")


@pytest.fixture
def agent(question: Callable[[str], Route]) -> Route:
    return question("GetAFPUsage")


@pytest.fixture
def chat(vendor: Callable[[str], Vendor]) -> Route:
    return vendor("ark.cn-beijing.volces.com").post("/api/coding/v3/chat/completions", bearer="k")


def limits(limit: object = None, remaining: object = None, reset: str | None = None) -> dict[str, str]:
    named = {"limit": limit, "remaining": remaining, "reset": reset}
    return {f"X-RateLimit-{name}-Requests": str(value) for name, value in named.items() if value is not None}


# --- the signature ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "query", "signature"),
    [
        (
            "cn-beijing",
            {"Action": "GetCodingPlanUsage", "Version": "2024-01-01"},
            "46081808a62d681f52fac94a0ea2eac206b7695ecb661e6925422dfd3938e1d8",
        ),
        (
            "cn-demo-2",
            {"b c": "x/y~*", "Action": "A"},
            "b99d02d2c7a32e7e57b8c07309f2ca40b055ae1b301272c506ad0db898156c51",
        ),
    ],
)
def test_the_signature_is_that_of_the_vendors_own_library(region: str, query: dict[str, str], signature: str) -> None:
    pair = AccessKey(Secret("AKLTdemo"), Secret("demo-secret"))
    sent = signed_headers(HOST, query, pair, region, NOW)
    credential = f"Credential=AKLTdemo/20300102/{region}/ark/request"
    assert sent["Authorization"] == f"HMAC-SHA256 {credential}, {SIGNED}, Signature={signature}"
    assert sent["X-Date"] == "20300102T120000Z"


def test_the_query_is_sorted_and_encoded() -> None:
    assert canonical_query({"b c": "x/y~*", "a": "-_.é"}) == "a=-_.%C3%A9&b%20c=x%2Fy~%2A"


def test_a_signed_question_as_it_is_sent(coding: Route, agent: Route, read: Read) -> None:
    coding.answers(Result={})
    agent.answers(Result={})
    read("doubao", VOLCENGINE_REGION="cn-demo", **PAIR)
    (sent,) = coding.requests
    assert sent.body == b""
    assert sent.headers["content-type"] == "application/x-www-form-urlencoded; charset=utf-8"
    assert sent.headers["host"] == HOST
    assert "AKLTdemo/20300102/cn-demo/ark/request" in sent.headers["authorization"]


# --- the plans -------------------------------------------------------------------------------------


def test_both_plans_together(coding: Route, agent: Route, read: Read) -> None:
    quotas = [SESSION, {"Level": "WEEK", "Percent": 0.1, "ResetTimestamp": -1}, {"Level": "monthly", "Percent": 130}]
    coding.answers(Result={"Status": "Running", "UpdateTimestamp": 1893580000, "QuotaUsage": quotas})
    agent.answers_json(AGENT)
    found = read("doubao", **PAIR)
    assert [(w.id, w.label, w.lane, w.minutes, w.used_percent) for w in found.windows] == [
        ("session", "5-hour", "primary", 300, 7.5),
        ("weekly", "Weekly", "secondary", 10080, 0.1),
        ("monthly", "Monthly", "tertiary", 43200, 100),
        ("doubao-agent-session", "5-hour", None, 300, 25),
    ]
    assert [window.blocks for window in found.windows] == [True, True, True, False]
    assert found.window("session").resets_at == datetime.fromtimestamp(1893600000, UTC)
    assert found.window("weekly").resets_at is None
    assert found.identity.login_method == "Running"
    assert found.updated_at == datetime.fromtimestamp(1893580000, UTC)


@pytest.mark.parametrize("name", ["session", "5-hour", "FIVE_HOUR", "5h"])
def test_levels_have_several_names(name: str) -> None:
    answer = CodingAnswer.model_validate({"Result": {"QuotaUsage": [{"Level": name, "Percent": 1}, {"Percent": 2}]}})
    assert [window.id for window in plans_usage(answer, None, NOW).windows] == ["session"]


def test_a_reclaimed_coding_plan_leaves_the_agent_plan_alone(coding: Route, agent: Route, read: Read) -> None:
    coding.answers(Result={"Status": "Reclaimed", "UpdateTimestamp": 1893580000})
    agent.answers_json(AGENT)
    found = read("doubao", **PAIR)
    assert [window.id for window in found.windows] == ["doubao-agent-session"]
    assert found.lane("primary") is None
    assert found.windows[0].blocks
    assert (found.identity.login_method, found.updated_at) == (None, NOW)


def test_agent_percentages() -> None:
    result = {
        "AFPFiveHour": {"Quota": 0, "Used": 5},
        "AFPWeekly": {"Quota": 10, "Used": 40, "ResetTime": 1893600000000},
        "AFPMonthly": "?",
    }
    answer = AgentAnswer.model_validate({"Result": result})
    (window,) = plans_usage(CodingAnswer.model_validate({"Result": {}}), answer, NOW).windows
    assert (window.id, window.used_percent) == ("doubao-agent-weekly", 100)
    assert window.resets_at == datetime.fromtimestamp(1893600000, UTC)


@pytest.mark.parametrize("status", [403, 404])
def test_no_agent_plan(coding: Route, agent: Route, read: Read, status: int) -> None:
    coding.answers(Result={"Status": "Running"})
    agent.fails(status)
    assert read("doubao", **PAIR).windows == ()


def test_another_failure_of_the_agent_plan_counts_only_without_coding_quotas(
    coding: Route, agent: Route, read: Read
) -> None:
    coding.answers(Result={"QuotaUsage": [SESSION]}).answers(Result={})
    agent.fails(500)
    assert len(read("doubao", **PAIR).windows) == 1
    with pytest.raises(Unavailable):
        read("doubao", **PAIR)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, BadResponse), (401, ExpiredCredential), (403, Forbidden), (429, RateLimited), (500, Unavailable)],
)
def test_a_refused_question(coding: Route, read: Read, status: int, kind: type[ReadError]) -> None:
    error = {"ResponseMetadata": {"Error": {"Code": "DemoRefusal", "Message": "do not show me"}}}
    coding.fails(status, json=error)
    with pytest.raises(kind) as caught:
        read("doubao", **PAIR)
    assert "do not show me" not in caught.value.message
    assert ("DemoRefusal" in caught.value.message) == (status < 404)


def test_an_answer_without_result(coding: Route, read: Read) -> None:
    coding.answers(Wrong=1)
    with pytest.raises(BadResponse):
        read("doubao", **PAIR)


@pytest.mark.parametrize(("status", "code"), [(400, "InvalidTimestamp"), (401, "SignatureDoesNotMatch")])
def test_a_question_signed_at_a_wrong_time_is_the_clocks(coding: Route, read: Read, status: int, code: str) -> None:
    date = {"Date": format_datetime(NOW + timedelta(minutes=30), usegmt=True)}
    coding.fails(status, date, json={"ResponseMetadata": {"Error": {"Code": code}}})
    with pytest.raises(Unavailable, match="this computer's clock is 30 minutes behind"):
        read("doubao", **PAIR)


def test_any_failure_of_the_signed_question_leads_to_the_probe(coding: Route, chat: Route, read: Read) -> None:
    coding.fails(403)
    chat.answers_json({}, headers=limits(40, 30))
    assert read("doubao", ARK_API_KEY="k", **PAIR).window("requests").used_percent == 25


# --- the probe -------------------------------------------------------------------------------------


def test_the_limit_in_the_headers(chat: Route, read: Read) -> None:
    chat.answers_json({"usage": {"total_tokens": 9}}, headers=limits(80, 60, "1m30s"))
    found = read("doubao", DOUBAO_API_KEY="k")
    window = found.window("requests")
    assert (window.label, window.lane, window.minutes) == ("Requests", "primary", None)
    assert (window.used_percent, window.description, window.blocks) == (25, "20/80 requests", True)
    assert window.resets_at == NOW + timedelta(seconds=90)
    assert chat.requests[0].json == {
        "model": MODELS[0],
        "max_tokens": 1,
        "messages": [{"role": "user", "content": "hi"}],
    }


def test_the_next_model_is_asked_only_where_the_first_is_closed(chat: Route, read: Read) -> None:
    chat.fails(404).fails(403).answers_json({}, headers=limits(10, 5))
    assert read("doubao", ARK_API_KEY="k").window("requests").used_percent == 50
    assert [request.json["model"] for request in chat.requests] == list(MODELS)


@pytest.mark.parametrize(("last", "kind"), [(403, Forbidden), (404, BadResponse)])
def test_no_model_may_be_asked(chat: Route, read: Read, last: int, kind: type[ReadError]) -> None:
    chat.fails(404).fails(404).fails(last)
    with pytest.raises(kind):
        read("doubao", ARK_API_KEY="k")


@pytest.mark.parametrize(("status", "kind"), [(401, ExpiredCredential), (400, BadResponse), (500, Unavailable)])
def test_another_refusal_ends_it(chat: Route, read: Read, status: int, kind: type[ReadError]) -> None:
    chat.fails(status)
    with pytest.raises(kind):
        read("doubao", ARK_API_KEY="k")
    assert chat.count == 1


@pytest.mark.parametrize(
    "error",
    [
        {"code": "InvalidSubscription", "message": "The account has no valid CodingPlan subscription."},
        {"code": "coding plan subscription missing"},
        {"message": "A subscription to the Coding Plan is required"},
    ],
)
def test_a_key_without_a_coding_plan_is_told_as_such(chat: Route, read: Read, error: dict[str, str]) -> None:
    chat.fails(400, json={"error": error})
    with pytest.raises(Forbidden, match="no Coding Plan") as raised:
        read("doubao", ARK_API_KEY="k")
    assert "arkcli" in raised.value.hint
    assert chat.count == 1


@pytest.mark.parametrize("headers", [{}, limits(30), limits(0, 0), limits("?", 3), limits(None, 5)])
def test_without_a_reliable_limit_the_key_is_only_active(chat: Route, read: Read, headers: dict[str, str]) -> None:
    chat.answers_json({}, headers=headers)
    found = read("doubao", ARK_API_KEY="k")
    assert found.windows == ()
    assert "active" in found.notes[0]


def test_a_bare_429_means_a_valid_key(chat: Route, read: Read) -> None:
    chat.fails(429)
    assert read("doubao", ARK_API_KEY="k").windows == ()


def test_a_429_with_only_a_limit_is_exhausted(chat: Route, read: Read) -> None:
    chat.fails(429, headers=limits(30))
    assert read("doubao", ARK_API_KEY="k").window("requests").used_percent == 100


def test_more_left_than_allowed_is_nothing_used(chat: Route, read: Read) -> None:
    chat.answers_json({}, headers=limits(30, 50))
    assert read("doubao", ARK_API_KEY="k").window("requests").used == 0


class TestNothingLeftInASuccess:
    def test_is_asked_again_of_the_same_model(self, chat: Route, read: Read) -> None:
        chat.fails(403).answers_json({}, headers=limits(30, 0)).answers_json({}, headers=limits(30, 0))
        assert read("doubao", ARK_API_KEY="k").windows == ()
        assert [request.json["model"] for request in chat.requests] == [MODELS[0], MODELS[1], MODELS[1]]

    @pytest.mark.parametrize(("headers", "limit"), [(limits(60, 0), 60), ({}, 30)])
    def test_is_true_when_the_second_is_refused(
        self, chat: Route, read: Read, headers: dict[str, str], limit: int
    ) -> None:
        chat.answers_json({}, headers=limits(30, 0)).fails(429, headers=headers)
        window = read("doubao", ARK_API_KEY="k").window("requests")
        assert (window.used_percent, window.limit) == (100, limit)

    def test_gives_way_to_another_answer(self, chat: Route, read: Read) -> None:
        chat.answers_json({}, headers=limits(30, 0)).answers_json({}, headers=limits(30, 15))
        assert read("doubao", ARK_API_KEY="k").window("requests").used_percent == 50

    def test_stays_when_the_second_fails(self, chat: Route, read: Read) -> None:
        chat.answers_json({}, headers=limits(30, 0)).fails(500)
        assert read("doubao", ARK_API_KEY="k").window("requests").used_percent == 100


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1d2h3m4s", 93784), ("45", 45), ("2.5s", 2.5), ("2h", 7200), ("2030-01-02T12:01:00Z", 60)],
)
def test_resets(text: str, seconds: float) -> None:
    assert reset_at(text, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("text", [None, "", "soon", "0", "-5", "0s", "9" * 30])
def test_resets_that_are_none(text: str | None) -> None:
    assert reset_at(text, NOW) is None


# --- credentials -----------------------------------------------------------------------------------


def key_id(request: Request) -> str:
    return request.headers["authorization"].partition("Credential=")[2].partition("/")[0]


def test_a_typed_key_keeps_the_access_keys_out(chat: Route, read: Read) -> None:
    chat.answers_json({}, headers=limits(30, 15))
    read("doubao", config={"apiKey": "k", "secretKey": "demo-secret"}, ARK_API_KEY="other", **PAIR)


@pytest.mark.parametrize(
    ("config", "environment"),
    [
        ({"apiKey": "AKLTtyped", "secretKey": "demo-secret"}, {}),
        ({"apiKey": "AKLTtyped"}, {"VOLC_SECRETKEY": "demo-secret", "VOLC_ACCESSKEY": "AKLTother"}),
        ({"secretKey": "demo-secret"}, {"VOLC_ACCESSKEY": "AKLTtyped"}),
        ({}, {"DOUBAO_ACCESS_KEY_ID": "' AKLTtyped '", "DOUBAO_SECRET_ACCESS_KEY": "demo-secret"}),
    ],
)
def test_pairs(
    coding: Route, agent: Route, reader: Reader, config: dict[str, str], environment: dict[str, Any]
) -> None:
    coding.answers(Result={"QuotaUsage": [SESSION]})
    agent.fails(404)
    reader.read("doubao", config=config, **environment)
    assert key_id(coding.requests[0]) == "AKLTtyped"
    ctx = reader.context("doubao", config, **environment)
    assert registry.get("doubao").strategies[0].lookup.probe(ctx)


@pytest.mark.parametrize(
    ("config", "environment"),
    [({"apiKey": "AKLTtyped"}, {}), ({"secretKey": "s"}, {}), ({}, {"VOLC_ACCESSKEY": "AKLTtyped"})],
)
def test_half_a_pair_is_none(reader: Reader, config: dict[str, str], environment: dict[str, Any]) -> None:
    with pytest.raises(MissingCredential):
        reader.read("doubao", config=config, source="api", **environment)
    ctx = reader.context("doubao", config, **environment)
    assert registry.get("doubao").strategies[0].lookup.probe(ctx) is None


def test_half_a_pair_is_named(read: Read) -> None:
    with pytest.raises(MissingCredential) as raised:
        read("doubao", VOLC_ACCESSKEY="AKLTdemo", ARK_API_KEY="")
    assert "VOLC_ACCESSKEY is set, but not the secret that belongs to it." in raised.value.message
    assert "ARK_API_KEY is set but empty." in raised.value.message


def test_half_a_pair_leaves_the_key_of_the_environment(chat: Route, read: Read) -> None:
    chat.answers_json({}, headers=limits(30, 15))
    read("doubao", config={"apiKey": "AKLTtyped"}, VOLCENGINE_API_KEY="k")


def test_a_key_in_the_keyring_counts_as_typed(
    chat: Route, read: Read, keyring_entries: dict[tuple[str, str], str]
) -> None:
    keyring_entries["quotaline", "doubao"] = "k"
    chat.answers_json({}, headers=limits(30, 15))
    read("doubao", **PAIR)


@pytest.mark.parametrize(("config", "name"), [({"region": "cn beijing"}, "region"), ({}, "VOLC_REGION")])
def test_a_region_that_is_none_is_refused_by_name(read: Read, config: dict[str, str], name: str) -> None:
    with pytest.raises(Misconfigured, match=name):
        read("doubao", config=config, ARK_API_KEY="k", VOLC_REGION="a/b", **PAIR)


# --- the program -----------------------------------------------------------------------------------


def report(*items: object, method: str = "sso") -> dict[str, object]:
    return {"viewer": {"auth_method": method}, "items": list(items)}


def usage(*items: object) -> Usage:
    return report_usage(Report.model_validate(report(*items)), NOW)


def item(product: str, *periods: object, **fields: object) -> dict[str, object]:
    return {"product": product, "periods": list(periods), **fields}


HOUR = {"label": "5h", "percent": 0.1, "reset_at": "2030-01-02T22:00:00+08:00"}


def test_the_program_tells_the_plans(program: Callable[[str, str], Path], read: Read) -> None:
    told = json.dumps(report(item("coding-plan", HOUR, subscribed=True, updated_at=1893580000)))
    program("arkcli", f"import sys; assert sys.argv[1:] == 'usage plan --format json'.split(); print({told!r})")
    found = read("doubao")
    assert (found.source, found.identity.login_method) == ("cli", "sso")
    window = found.window("session")
    assert (window.used_percent, window.lane) == (0.1, "primary")
    assert window.resets_at == datetime(2030, 1, 2, 14, tzinfo=UTC)
    assert found.updated_at == datetime.fromtimestamp(1893580000, UTC)


def test_a_limit_that_only_a_newer_program_prints_is_told(program: Callable[[str, str], Path], read: Read) -> None:
    told = report(item("coding-plan", {**HOUR, "bonus_quota_left": 3}))
    program("arkcli", f"print({json.dumps(told)!r})")
    found = read("doubao")
    assert found.unread_limits == ("bonus_quota_left",)
    assert found.window("session").used_percent == 0.1


def test_an_ambient_login_does_not_stand_in_for_a_key(
    program: Callable[[str, str], Path], chat: Route, read: Read
) -> None:
    program("arkcli", "raise SystemExit('must not run')")
    chat.fails(500)
    with pytest.raises(Unavailable):
        read("doubao", ARK_API_KEY="k")


def test_four_plans_in_their_order() -> None:
    week = {"label": "week", "percent": 200}
    products = ("AGENT-plan-team", "coding-plan-team", "agent-plan", "Coding-Plan")
    found = usage(*(item(product, week) for product in products))
    assert [(window.id, window.lane) for window in found.windows] == [
        ("weekly", "secondary"),
        ("doubao-agent-weekly", None),
        ("doubao-coding-team-weekly", None),
        ("doubao-agent-team-weekly", None),
    ]
    assert found.windows[0].used_percent == 100


def test_unsubscribed_and_unknown_products_are_skipped() -> None:
    found = usage(
        item("coding-plan", HOUR),
        item("agent-plan", HOUR, subscribed=False, updated_at=1893580000),
        item("demo-plan", error="demo"),
    )
    assert [window.id for window in found.windows] == ["session"]
    assert found.updated_at == NOW


def test_a_plan_without_periods_fails_the_whole() -> None:
    with pytest.raises(BadResponse, match=r"agent-plan\."):
        usage(item("coding-plan", HOUR), {"product": "agent-plan", "error": ""})


def test_the_programs_own_error_line_is_told() -> None:
    error = "no seat bound\x1b to caller.\nAuthorization: Bearer sk-abcdefgh12345678ijkl"
    with pytest.raises(BadResponse, match="of agent-plan-team: no seat bound to caller") as raised:
        usage({"product": "agent-plan-team", "subscribed": True, "error": error})
    assert "abcdefgh" not in raised.value.message
    odd = item("coding-plan", {"label": "?", "percent": 3}, error="not ready")
    with pytest.raises(BadResponse, match="usage: not ready"):
        usage(item("demo-plan", error="other"), odd)


@pytest.mark.parametrize("items", [(), (item("demo-plan"),), (item("coding-plan", {"label": "?", "percent": 3}),)])
def test_no_plan_at_all(items: tuple[object, ...]) -> None:
    with pytest.raises(BadResponse, match="no plan"):
        usage(*items)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1893580000, datetime.fromtimestamp(1893580000, UTC)),
        (1893580000000, datetime.fromtimestamp(1893580000, UTC)),
        (99_999_999_999, datetime.fromtimestamp(99_999_999_999, UTC)),
        (-1, None),
        (0, None),
        (None, None),
        ("soon", None),
    ],
)
def test_times(value: object, expected: datetime | None) -> None:
    assert moment(value) == expected


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("import sys; sys.exit('Error: Not logged in')", MissingCredential),
        ("import sys; sys.exit('please log in first')", MissingCredential),
        ('print(\'{"viewer": {"auth_method": "none"}}\')', MissingCredential),
        ("import sys; sys.exit('it broke')", BadResponse),
        ("print('hello')", BadResponse),
        ("print('{\"items\": 3}')", BadResponse),
        ("print('x' * 300000)", BadResponse),
    ],
)
def test_a_program_that_fails(
    program: Callable[[str, str], Path], outcome: Any, script: str, kind: type[ReadError]
) -> None:
    program("arkcli", script)
    error = outcome("doubao").error
    assert isinstance(error, kind)
    assert error.hint
    assert "it broke" not in error.message


def test_a_program_that_hangs(program: Callable[[str, str], Path], read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "SECONDS", 0.3)
    program("arkcli", "import time; time.sleep(60)")
    with pytest.raises(TimedOut):
        read("doubao")


def test_no_program(read: Read) -> None:
    with pytest.raises(MissingProgram, match="arkcli"):
        read("doubao", source="cli")


def test_the_program_may_be_named(program: Callable[[str, str], Path], read: Read) -> None:
    told = json.dumps(report(item("coding-plan", HOUR)))
    path = program("elsewhere", f"print({told!r})")
    assert read("doubao", ARKCLI_PATH=str(path)).source == "cli"
