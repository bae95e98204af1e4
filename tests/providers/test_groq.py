"""GroqCloud: the console's days and models, its sessions, and the rates of the metrics."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
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
from quotaline_providers.model import Usage
from quotaline_providers.run import Outcome
from quotaline_providers.secret import Secret
from quotaline_providers.testing import NOW, Read, Route, Vendor
from quotaline_providers.vendors.groq.api import QUERIES
from quotaline_providers.vendors.groq.credentials import PUBLIC_TOKEN, organization_of
from quotaline_providers.vendors.groq.mapping import rates_usage, to_usage
from quotaline_providers.vendors.groq.payloads import ActivityAnswer
from quotaline_providers.vendors.groq.web import span
from tests.providers.web_tokens import jwt

QUERY = "/v1/metrics/prometheus/api/v1/query"
ACTIVITY = "/platform/v1/organizations/org_demo/activity"


JWT = jwt(**{"https://groq.com/organization": {"id": "org_demo"}})


def at(day: date, hour: int = 12, minute: int = 0) -> int:
    """A local time in Unix seconds."""
    return int(datetime(day.year, day.month, day.day, hour, minute).astimezone().timestamp())


TODAY = NOW.astimezone().date()


def row(day: date = TODAY, **fields: object) -> dict[str, object]:
    standard: dict[str, object] = {"model": "demo-a", "num_requests": 3, "n_generated_tokens_total": 100, "cost": 0.5}
    tokens = {"n_context_tokens_total": 1000, "n_non_cached_context_tokens_total": 400}
    return {"timestamp": at(day), **standard, **tokens, **fields}


def usage(*rows: dict[str, object], days: int = 30) -> Usage:
    return to_usage(ActivityAnswer.model_validate({"data": rows}), days, NOW)


@pytest.fixture
def host(vendor: Callable[[str], Vendor]) -> Vendor:
    return vendor("api.groq.com")


@pytest.fixture
def renewal(vendor: Callable[[str], Vendor]) -> Route:
    body = {"session_token": "demo-token", "session_duration_minutes": 30}
    return vendor("api.stytchb2b.groq.com").post("/sdk/v1/b2b/sessions/authenticate", json=body)


@pytest.fixture
def activity(host: Vendor) -> Route:
    return host.get(ACTIVITY, bearer=JWT)


# --- the console's days ----------------------------------------------------------------------------


def test_spend_tokens_and_requests_of_the_window() -> None:
    yesterday = TODAY - timedelta(days=1)
    found = usage(row(yesterday, model="demo-b", cost=0.25, organization_name=" "), row(organization_name="Acme Demo"))
    spend = found.spend("spend")
    assert (spend.used, spend.unit, spend.limit, spend.period) == (Decimal("0.75"), "USD", None, "Last 30 days")
    assert (found.identity.login_method, found.identity.organization) == ("Console", "Acme Demo")
    assert found.windows == ()
    assert (found.row("Spend").value, found.row("Today").value) == ("$0.75", "$0.50")
    assert (found.row("Requests").value, found.row("Tokens").value, found.row("Cached input").value) == (
        "6",
        "2.2K",
        "1.2K",
    )
    chart = found.details[0].chart
    assert chart is not None
    assert [(point.label, point.value) for point in chart.points] == [
        (yesterday.isoformat(), 0.25),
        (TODAY.isoformat(), 0.5),
    ]


def test_models_are_ranked_by_tokens_then_name() -> None:
    rows = (row(model="b"), row(model="a"), row(model="c", n_generated_tokens_total=9000), row(model=None, cost=None))
    models = usage(*rows).details[1].rows
    assert [(item.label, item.value, item.secondary) for item in models] == [
        ("c", "10K tokens", "3 requests"),
        ("a", "1.1K tokens", "3 requests"),
        ("b", "1.1K tokens", "3 requests"),
        ("unknown", "1.1K tokens", "3 requests"),
    ]


def test_at_most_twenty_models_are_listed() -> None:
    assert len(usage(*(row(model=f"m{n}") for n in range(25))).details[1].rows) == 20


def test_models_of_a_day_merge_and_midnight_splits() -> None:
    yesterday = TODAY - timedelta(days=1)
    late, early = row(timestamp=at(yesterday, 23, 59)), row(timestamp=at(TODAY, 0, 1))
    chart = usage(late, early, row(model="demo-b")).details[0].chart
    assert chart is not None
    assert [point.value for point in chart.points] == [0.5, 1.0]


def test_more_uncached_than_read_means_nothing_was_cached() -> None:
    found = usage(row(n_context_tokens_total=10, n_non_cached_context_tokens_total=50))
    with pytest.raises(KeyError):
        found.row("Cached input")


def test_rows_may_lack_everything_but_their_time() -> None:
    found = usage({"timestamp": at(TODAY)})
    assert found.spend("spend").used == 0
    assert found.row("unknown").value == "0 tokens"


def test_no_rows_are_a_valid_answer_without_spend() -> None:
    found = usage()
    assert found.spend("spend").used == 0
    assert [section.title for section in found.details] == ["Usage summary"]


def test_one_day_is_today() -> None:
    assert usage(row(TODAY - timedelta(days=1)), row(), days=1).spend("spend").used == Decimal("0.5")
    assert usage(days=1).spend("spend").period == "Today"


def test_the_span_runs_between_local_midnights() -> None:
    day = timedelta(days=1)
    assert span(NOW, 1) == {"start_date": str(at(TODAY, 0)), "end_date": str(at(TODAY + day, 0))}
    assert span(NOW, 30)["start_date"] == str(at(TODAY - 29 * day, 0))


@pytest.mark.parametrize(("told", "days"), [(0, 1), (1, 1), (7, 7), (1000, 365), ("x", 30)])
def test_the_days_are_clamped(activity: Route, read: Read, told: object, days: int) -> None:
    activity.answers(data=[])
    read("groq", config={"historyDays": told}, GROQ_SESSION_JWT=JWT)
    assert activity.requests[0].query == span(NOW, days)


# --- the console's session -------------------------------------------------------------------------


def test_a_session_is_renewed_and_then_used(renewal: Route, activity: Route, read: Read) -> None:
    renewal.answers(data={"session_jwt": JWT})
    activity.answers(data=[row()])
    assert read("groq", GROQ_SESSION_TOKEN="demo-token").source == "web"
    sent = renewal.requests[0].headers
    assert sent["authorization"] == "Basic " + base64.b64encode(f"{PUBLIC_TOKEN}:demo-token".encode()).decode()
    assert sent["origin"] == sent["x-sdk-parent-host"] == "https://console.groq.com"
    client = json.loads(base64.b64decode(sent["x-sdk-client"]))
    assert client["app"] == {"identifier": "console.groq.com"}
    assert client["sdk"]["version"] == "5.43.0"


def test_another_public_token_and_sign_in_service(vendor: Callable[[str], Vendor], activity: Route, read: Read) -> None:
    route = vendor("sign.example.com").post("/sdk/v1/b2b/sessions/authenticate")
    route.answers(data={"session_jwt": JWT})
    activity.answers(data=[])
    read(
        "groq",
        GROQ_SESSION_TOKEN="demo-token",
        GROQ_STYTCH_PUBLIC_TOKEN="public-demo",
        GROQ_STYTCH_URL="https://sign.example.com/",
    )
    assert base64.b64decode(route.requests[0].headers["authorization"][6:]) == b"public-demo:demo-token"


def test_the_cookie_header_holds_the_session(renewal: Route, activity: Route, read: Read) -> None:
    renewal.answers(data={"session_jwt": JWT})
    activity.answers(data=[])
    header = "Cookie: other=1; stytch_session=demo-token; stytch_session_jwt=x.y.z"
    read("groq", config={"cookieSource": "manual", "cookieHeader": header})


def test_an_environment_session_comes_before_the_cookies(activity: Route, read: Read) -> None:
    activity.answers(data=[])
    read("groq", config={"cookieHeader": "stytch_session=other"}, GROQ_SESSION_JWT=JWT)


def test_a_cookie_header_without_a_session(read: Read) -> None:
    with pytest.raises(MissingCredential, match="cookie header"):
        read("groq", config={"cookieHeader": "other=1; stytch_session="}, source="web")


@pytest.mark.parametrize("status", [401, 500])
def test_a_known_token_helps_when_renewing_fails(renewal: Route, activity: Route, read: Read, status: int) -> None:
    renewal.fails(status)
    activity.answers(data=[row()])
    read("groq", config={"cookieHeader": f"stytch_session=demo-token; stytch_session_jwt={JWT}"})


@pytest.mark.parametrize(("status", "kind"), [(401, ExpiredCredential), (403, ExpiredCredential), (502, Unavailable)])
def test_a_failed_renewal_is_told(renewal: Route, read: Read, status: int, kind: type[ReadError]) -> None:
    renewal.fails(status)
    with pytest.raises(kind):
        read("groq", GROQ_SESSION_TOKEN="demo-token")


@pytest.mark.parametrize("body", [{}, {"data": {}}, {"data": {"session_jwt": ""}}])
def test_a_renewal_without_a_session(renewal: Route, read: Read, body: dict[str, object]) -> None:
    renewal.answers_json(body)
    with pytest.raises(BadResponse):
        read("groq", GROQ_SESSION_TOKEN="demo-token")


@pytest.mark.parametrize("body", [{}, {"data": [{"cost": 1}]}, {"data": [{"timestamp": "soon"}]}, []])
def test_an_activity_that_cannot_be_read(activity: Route, read: Read, body: object) -> None:
    activity.answers_json(body)
    with pytest.raises(BadResponse):
        read("groq", GROQ_SESSION_JWT=JWT)


def test_the_organisation_in_the_claims() -> None:
    slug = jwt(**{"https://stytch.com/organization": {"slug": "demo-slug"}})
    assert organization_of(Secret(JWT)) == "org_demo"
    assert organization_of(Secret(slug)) == "demo-slug"
    assert organization_of(Secret(slug.rsplit(".", 1)[0])) == "demo-slug"


@pytest.mark.parametrize("token", ["onepart", "a.!!!.c", jwt(), jwt(**{"https://groq.com/organization": {"id": ""}})])
def test_a_token_without_organisation_is_an_invalid_session(token: str) -> None:
    with pytest.raises(ExpiredCredential):
        organization_of(Secret(token))


# --- from one way to the other ---------------------------------------------------------------------


def answer_all(host: Vendor, *rates: object) -> None:
    """Answers to the four questions, in their order."""
    for query, rate in zip(QUERIES, rates, strict=True):
        route = host.get(QUERY, bearer="k", query={"query": query})
        route.answers(status="success", data={"result": [{"value": [1893000000, rate]}]})


def test_an_expired_session_falls_back_to_the_key(host: Vendor, activity: Route, outcome: Any) -> None:
    activity.fails(401)
    answer_all(host, 1, 1, 1, 0)
    found: Outcome = outcome("groq", GROQ_SESSION_JWT=JWT, GROQ_API_KEY="k")
    assert found.error is None
    assert [attempt.source for attempt in found.attempts] == ["web", "api"]


def test_without_a_key_the_consoles_error_is_shown(activity: Route, read: Read) -> None:
    activity.fails(403)
    with pytest.raises(ExpiredCredential, match="console"):
        read("groq", GROQ_SESSION_JWT=JWT)


def test_a_broken_console_does_not_fall_back(activity: Route, read: Read) -> None:
    activity.fails(500)
    with pytest.raises(Unavailable):
        read("groq", GROQ_SESSION_JWT=JWT, GROQ_API_KEY="k")


def test_nothing_to_be_let_in_with(read: Read) -> None:
    with pytest.raises(MissingCredential):
        read("groq")


def test_a_labelled_key_looks_at_no_session(host: Vendor, read: Read) -> None:
    answer_all(host, 1, 1, 1, 0)
    read("groq", account=Account("Work", Secret("k")), GROQ_SESSION_JWT=JWT, GROQ_API_KEY="other")


# --- the rates -------------------------------------------------------------------------------------


def test_rates_are_texts_by_the_minute(host: Vendor, read: Read) -> None:
    answer_all(host, "0.5", 2, "1.5", 0.05)
    found = read("groq", GROQ_API_KEY="k")
    assert [(w.lane, w.description, w.used_percent, w.minutes) for w in found.windows] == [
        ("primary", "30.0 req/min", None, 5),
        ("secondary", "210 tok/min", None, 5),
        ("tertiary", "3.00 cache/min", None, 5),
    ]
    assert found.identity.login_method == "Prometheus metrics"


def test_without_cache_hits_there_is_no_third_window() -> None:
    found = rates_usage(1, 1, 1, 0, NOW)
    assert found.lane("tertiary") is None
    assert not any(window.blocks for window in found.windows), "a rate is not an allowance"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"result": [{"value": [1, "1"]}, {"value": [1, 2]}]}, "180 req/min"),
        ({"result": [{"value": [1, "NaN"]}]}, "0.00 req/min"),
        ({"result": [{}]}, "0.00 req/min"),
        ({"result": []}, "0.00 req/min"),
        (None, "0.00 req/min"),
    ],
)
def test_samples(host: Vendor, read: Read, data: object, text: str) -> None:
    host.get(QUERY).answers(status="success", data=data)
    assert read("groq", GROQ_API_KEY="k").window("requests").description == text


@pytest.mark.parametrize("body", [{"status": "error", "error": "demo"}, {}, {"status": "success", "data": 3}])
def test_a_question_that_was_not_answered(host: Vendor, read: Read, body: dict[str, object]) -> None:
    host.get(QUERY).answers_json(body)
    with pytest.raises(BadResponse):
        read("groq", GROQ_API_KEY="k")


def test_one_failed_question_fails_the_reading(host: Vendor, read: Read) -> None:
    host.get(QUERY, query={"query": QUERIES[2]}).fails(503)
    answer_all(host, 1, 1, 1, 0)
    with pytest.raises(Unavailable):
        read("groq", GROQ_API_KEY="k")


# --- addresses -------------------------------------------------------------------------------------


def test_another_address_serves_both_ways(vendor: Callable[[str], Vendor], read: Read) -> None:
    gate = vendor("gateway.example.com")
    gate.get(ACTIVITY).answers(data=[])
    gate.get("/deep/metrics/prometheus/api/v1/query").answers(status="success")
    read("groq", GROQ_SESSION_JWT=JWT, GROQ_API_URL="gateway.example.com/deep")
    read("groq", GROQ_API_KEY="k", GROQ_API_URL="gateway.example.com/deep")


@pytest.mark.parametrize("address", ["http://gateway.example.com", "https://user@host.example.com"])
@pytest.mark.parametrize("credential", ["GROQ_SESSION_TOKEN", "GROQ_API_KEY"])
def test_an_unsafe_address_is_refused_by_name(read: Read, address: str, credential: str) -> None:
    with pytest.raises(Misconfigured, match="GROQ_API_URL"):
        read("groq", **{credential: "k", "GROQ_API_URL": address})


def test_an_unsafe_sign_in_service_is_refused_by_name(read: Read) -> None:
    with pytest.raises(Misconfigured, match="GROQ_STYTCH_URL"):
        read("groq", GROQ_SESSION_TOKEN="k", GROQ_STYTCH_URL="http://sign.example.com")
