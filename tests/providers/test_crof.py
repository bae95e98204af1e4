"""Crof: dollars, and the requests of a day that ends at midnight in Chicago."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from quotaline_providers.errors import BadResponse, Unavailable
from quotaline_providers.testing import NOW, Read
from quotaline_providers.vendors.crof import (
    UsageAnswer,
    binding,
    dollars,
    next_midnight,
    requests_left,
    requests_used,
    to_usage,
)


@pytest.fixture
def route(vendor: Any) -> Any:
    return vendor("crof.ai").get("/usage_api/", bearer="k", headers={"Accept": "application/json"})


def test_the_service_has_ended_and_is_asked_only_where_the_user_names_the_source(route: Any, read: Read) -> None:
    with pytest.raises(Unavailable, match="CrofAI has ended its service") as raised:
        read("crof", CROF_API_KEY="k")
    assert raised.value.definite
    assert "--source api" in raised.value.hint
    assert route.count == 0
    route.answers(credits=1)
    assert read("crof", config={"source": "api"}, CROF_API_KEY="k").windows


def test_a_plan_shows_the_requests_first(route: Any, read: Read) -> None:
    route.answers(credits=7.1299, requests_plan=400, usable_requests=300, usage={"demo": {"total_tokens": 1}})
    usage = read("crof", source="api", CROF_API_KEY=" 'k' ")
    requests, credits = usage.windows
    assert (requests.id, requests.lane, requests.used_percent, requests.minutes) == ("requests", "primary", 25, 1440)
    assert requests.resets_at == datetime(2030, 1, 3, 6, tzinfo=UTC)
    assert (requests.description, usage.row("Requests").value) == ("300 requests left", "300 requests left")
    assert (credits.lane, credits.used_percent, credits.description) == ("secondary", 0, "$7.12")
    assert (requests.blocks, credits.blocks) == (True, False)
    assert usage.balance("dollars").amount == Decimal("7.12")
    assert usage.identity.login_method == "API key"


@pytest.mark.parametrize("fields", [{}, {"requests_plan": 400}, {"usable_requests": 3}, {"requests_plan": None}])
def test_without_both_request_fields_the_credits_come_first(route: Any, read: Read, fields: dict[str, object]) -> None:
    route.answers(credits=1.5, **fields)
    (window,) = read("crof", source="api", CROF_API_KEY="k").windows
    assert (window.id, window.lane, window.resets_at, window.minutes) == ("credits", "primary", None, None)
    assert window.blocks


@pytest.mark.parametrize(
    ("usable", "plan", "percent"),
    [(400, 400, 0), (399, 400, 1), (397, 400, 1), (500, 400, 0), (-2, 400, 100), (0, 0, 100), (5, -1, 100)],
)
def test_the_percent_left_is_cut_to_a_whole_one(usable: float, plan: float, percent: float) -> None:
    assert requests_used(usable, plan) == percent


def test_requests_left_are_told_as_they_are() -> None:
    assert requests_left(500) == "500 requests left"
    assert requests_left(-2) == "0 requests left"
    assert requests_left(7.5) == "7.50 requests left"


@pytest.mark.parametrize(
    ("credits", "percent", "text"),
    [(7.1299, 0, "$7.12"), (0, 100, "$0.00"), (-1, 100, "$0.00"), (0.004, 0, "$0.00"), (4.35, 0, "$4.35")],
)
def test_dollars_are_cut_to_cents(credits: float, percent: float, text: str) -> None:
    window = to_usage(UsageAnswer(credits=credits), NOW).window("credits")
    assert (window.used_percent, window.description) == (percent, text)
    assert f"${dollars(credits)}" == text


@pytest.mark.parametrize(
    ("now", "midnight"),
    [
        (datetime(2030, 3, 10, 7, tzinfo=UTC), datetime(2030, 3, 11, 5, tzinfo=UTC)),
        (datetime(2030, 11, 3, 6, tzinfo=UTC), datetime(2030, 11, 4, 6, tzinfo=UTC)),
        (datetime(2030, 1, 3, 6, tzinfo=UTC), datetime(2030, 1, 4, 6, tzinfo=UTC)),
    ],
)
def test_the_reset_is_local_midnight_also_when_the_clocks_change(now: datetime, midnight: datetime) -> None:
    assert next_midnight(now) == midnight


def test_a_status_bar_shows_requests_where_there_are_any_else_dollars() -> None:
    assert binding(to_usage(UsageAnswer(credits=5, requests_plan=9, usable_requests=3), NOW)) == "requests"
    assert binding(to_usage(UsageAnswer(credits=5, requests_plan=9), NOW)) == "dollars"


def test_the_environment_wins_over_the_config(route: Any, read: Read) -> None:
    route.answers(credits=1)
    read("crof", source="api", config={"apiKey": "other"}, CROF_API_KEY="k")
    read("crof", source="api", config={"apiKey": "other"}, CROF_API_KEY=" ", CROFAI_API_KEY="k")
    read("crof", source="api", config={"apiKey": "k"}, CROF_API_KEY="''")
    assert route.count == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("[]", "another shape"),
        ("{", "cannot be read"),
        ("{}", "credits"),
        ('{"credits": "3"}', "credits"),
        ('{"credits": 1e999}', "credits"),
        ('{"credits": 1, "requests_plan": "9"}', "requests_plan"),
        ('{"credits": 1, "usable_requests": true}', "usable_requests"),
    ],
)
def test_answers_that_cannot_be_understood_name_the_field(route: Any, read: Read, body: str, field: str) -> None:
    route.answers_text(body)
    with pytest.raises(BadResponse, match=field):
        read("crof", source="api", CROF_API_KEY="k")
