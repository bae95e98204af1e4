"""Claude with an Anthropic Admin API key: what an organisation spent."""

from __future__ import annotations

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
from quotaline_providers.secret import Secret

KEY = "sk-ant-admin-demo"
COSTS, TOKENS = "/v1/organizations/cost_report", "/v1/organizations/usage_report/messages"


def day(number: int, *results: dict[str, Any], month: int = 1) -> dict[str, Any]:
    start, end = f"2030-{month:02}-{number:02}T00:00:00Z", f"2030-{month:02}-{number + 1:02}T00:00:00Z"
    return {"starting_at": start, "ending_at": end, "results": list(results)}


def cost(cents: str, description: str = "Saga output") -> dict[str, Any]:
    return {"amount": cents, "currency": "USD", "description": description}


def test_the_last_thirty_days(vendor: Any, read: Any) -> None:
    api = vendor("api.anthropic.com")
    headers = {"x-api-key": KEY, "anthropic-version": "2023-06-01", "authorization": None}
    costs = api.get(COSTS, headers=headers).answers(
        data=[day(1, cost("1050.5"), cost("49.5", "Myth input")), day(2, cost("200")), day(9, cost("99999"))]
    )
    used = {
        "model": "saga",
        "uncached_input_tokens": 1000,
        "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 300},
        "cache_read_input_tokens": 4000,
        "output_tokens": 500,
    }
    api.get(TOKENS, headers=headers).answers(data=[day(1, used), day(2, {"model": "myth", "output_tokens": 70})])
    seen = read("claude", ANTHROPIC_ADMIN_KEY=f"'{KEY}'")
    assert seen.spend("cost").used == Decimal("13")
    assert seen.windows == ()
    assert (seen.source, seen.identity.login_method) == ("admin-api", "Admin API")
    rows = {row.label: row.value for row in seen.details[0].rows}
    assert rows == {
        "Today spend": "$2.00",
        "7d spend": "$13.00",
        "30d spend": "$13.00",
        "Today tokens": "70",
        "30d tokens": "6.1K",
        "Cache read": "4K",
        "Top model": "saga",
    }
    assert [row.label for row in seen.details[1].rows] == ["Saga output", "Myth input"]
    assert costs.requests[0].query == {
        "starting_at": "2029-12-03T00:00:00Z",
        "ending_at": "2030-01-03T00:00:00Z",
        "bucket_width": "1d",
        "limit": "31",
        "group_by[]": "description",
    }


def test_as_many_days_as_the_user_wants(vendor: Any, read: Any) -> None:
    api = vendor("api.anthropic.com")
    first = {"starting_at": "2029-11-03T00:00:00Z", "results": [cost("300")]}
    costs = api.get(COSTS).answers(data=[first]).answers(data=[day(1, cost("100")), day(2, cost("50"))])
    used = api.get(TOKENS).answers(data=[]).answers(data=[day(2, {"model": "myth", "output_tokens": 70})])
    seen = read("claude", config={"historyDays": 60}, ANTHROPIC_ADMIN_KEY=KEY)
    assert (seen.spend("cost").used, seen.spend("cost").label) == (Decimal("4.5"), "Last 60 days")
    assert [row.value for row in seen.details[0].rows[:3]] == ["$0.50", "$1.50", "$4.50"]
    assert seen.row("60d tokens").value == "70"
    spans = [(request.query["starting_at"][:10], request.query["ending_at"][:10]) for request in costs.requests]
    assert spans == [("2029-11-03", "2029-12-04"), ("2029-12-04", "2030-01-03")]
    assert used.count == 2


def test_one_day_is_today(vendor: Any, read: Any) -> None:
    api = vendor("api.anthropic.com")
    api.get(COSTS).answers(data=[day(1, cost("100")), day(2, cost("50"))])
    api.get(TOKENS).answers(data=[])
    seen = read("claude", config={"historyDays": 1}, ANTHROPIC_ADMIN_KEY=KEY)
    assert (seen.spend("cost").used, seen.spend("cost").label) == (Decimal("0.5"), "Today")
    assert [row.label for row in seen.details[0].rows] == ["Today spend", "Today tokens", "Cache read"]


def test_a_day_without_spend_is_zero_today(vendor: Any, read: Any) -> None:
    api = vendor("api.anthropic.com")
    api.get(COSTS).answers(data=[day(1, cost("100"))])
    api.get(TOKENS).answers(data=[])
    assert read("claude", ANTHROPIC_ADMIN_API_KEY=KEY).row("Today spend").value == "$0.00"


def test_config_comes_before_the_environment(vendor: Any, read: Any) -> None:
    api = vendor("api.anthropic.com")
    api.get(COSTS, headers={"x-api-key": "sk-ant-admin-mine"}).answers(data=[])
    api.get(TOKENS).answers(data=[])
    read("claude", config={"apiKey": "sk-ant-admin-mine"}, ANTHROPIC_ADMIN_KEY=KEY)


def test_an_account_with_bearer(vendor: Any, read: Any) -> None:
    api = vendor("api.anthropic.com")
    api.get(COSTS, headers={"x-api-key": KEY}).answers(data=[])
    api.get(TOKENS).answers(data=[])
    read("claude", account=Account("Work", Secret(f"Bearer {KEY}")), ANTHROPIC_ADMIN_KEY="sk-ant-admin-other")


@pytest.mark.parametrize(
    ("status", "error"), [(401, ExpiredCredential), (403, ExpiredCredential), (500, Unavailable), (404, BadResponse)]
)
def test_failures_name_the_endpoint_and_do_not_fall_through(
    vendor: Any, outcome: Any, status: int, error: type[ReadError]
) -> None:
    vendor("api.anthropic.com").get(COSTS).fails(status, json={"error": "vendor words"})
    seen = outcome("claude", ANTHROPIC_ADMIN_KEY=KEY, QUOTALINE_CLAUDE_OAUTH_TOKEN="sk-ant-oat-demo")
    assert isinstance(seen.error, error)
    assert "vendor words" not in seen.error.message
    assert [attempt.label for attempt in seen.attempts] == ["admin-api"]
    if status not in (401, 403):
        assert "cost_report" in seen.error.message
        assert str(status) in seen.error.message


def test_both_reports_are_needed(vendor: Any, read: Any) -> None:
    api = vendor("api.anthropic.com")
    api.get(COSTS).answers(data=[])
    api.get(TOKENS).fails(503)
    with pytest.raises(Unavailable, match="usage_report/messages failed with status 503"):
        read("claude", ANTHROPIC_ADMIN_KEY=KEY)


def test_an_ordinary_key_is_refused_before_it_is_sent(simulator: Any, read: Any) -> None:
    with pytest.raises(Misconfigured, match="ordinary"):
        read("claude", ANTHROPIC_ADMIN_KEY="sk-ant-api-demo")


def test_no_key(simulator: Any, read: Any) -> None:
    with pytest.raises(MissingCredential, match="Admin API key"):
        read("claude", config={"source": "api"})
