"""Poe: a balance that is never lost, and a history that ends silently."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from quotaline_providers.errors import (
    BadResponse,
)
from quotaline_providers.testing import NOW, Read
from quotaline_providers.vendors import poe as poe_module
from quotaline_providers.vendors.poe import moment, points, to_use


def row(days: float = 0, **fields: object) -> dict[str, object]:
    time = int((NOW - timedelta(days=days)).timestamp() * 1e6)
    standard: dict[str, object] = {
        "query_id": "q/1+",
        "creation_time": time,
        "bot_name": "Demo",
        "usage_type": "API",
        "cost_points": 40,
    }
    return standard | fields


@pytest.fixture
def poe(vendor: Any) -> Any:
    return vendor("api.poe.com")


@pytest.fixture
def balance(poe: Any) -> Any:
    return poe.get("/usage/current_balance", bearer="k")


def test_balance_and_history(poe: Any, balance: Any, read: Read) -> None:
    balance.answers(current_point_balance="7300")
    rows = [row(), row(1, usage_type="Chat", cost_points="12", cost_usd="0.035"), row(10, bot_name=" Other "), "x"]
    poe.get("/usage/points_history", bearer="k", query={"limit": "100"}).answers(data=rows, has_more=False)
    usage = read("poe", POE_API_KEY=" 'k' ")
    assert usage.windows == ()
    assert (usage.balance("points").amount, usage.balance("points").unit) == (Decimal(7300), "points")
    assert usage.identity.login_method == "Balance: 7,300 points"
    shown = [(r.label, r.value, r.secondary) for r in usage.details[0].rows]
    assert shown == [
        ("Current balance", "7,300 points", None),
        ("Today", "40 points", "1 requests"),
        ("Last 7 days", "52 points", "2 requests · $0.04"),
        ("Last 30 days", "92 points", "3 requests · $0.04"),
        ("Top model", "Demo", "52 points"),
        ("Usage mix", "API: 80 points · Chat: 12 points", None),
        ("Recent activity", "01-02 12:00 · Demo", "40 points"),
        ("Recent activity", "01-01 12:00 · Demo", "12 points"),
        ("Recent activity", "12-23 12:00 · Other", "40 points"),
    ]
    chart = usage.details[0].chart
    assert chart is not None
    assert [point.value for point in chart.points] == [40, 12, 40]


@pytest.mark.parametrize("body", [{}, {"current_point_balance": None}])
def test_an_unknown_balance_is_no_error(poe: Any, balance: Any, read: Read, body: dict[str, object]) -> None:
    balance.answers_json(body)
    poe.get("/usage/points_history").answers(data=[])
    usage = read("poe", POE_API_KEY="k")
    assert (usage.balances, usage.details, usage.identity.login_method) == ((), (), None)


def test_a_broken_history_leaves_the_balance(poe: Any, balance: Any, read: Read) -> None:
    balance.answers(current_point_balance=0)
    poe.get("/usage/points_history").fails(500).answers(data=[row(), row(cost_points="many"), row()])
    usage = read("poe", config={"apiKey": "k"}, POE_API_KEY="other")
    assert [r.label for r in usage.details[0].rows] == ["Current balance"]
    assert usage.row("Current balance").value == "0 points"
    assert read("poe", POE_API_KEY="k").row("Last 30 days").secondary == "1 requests"


def test_a_slow_history_is_taken_as_far_as_it_got(
    poe: Any, balance: Any, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert poe_module.HISTORY_UNTIL < poe_module.PROVIDER.deadline == 20
    monkeypatch.setattr(poe_module, "HISTORY_UNTIL", 1.0)
    balance.answers(current_point_balance=1)
    poe.get("/usage/points_history").answers(data=[row()], has_more=True).delays(3).answers(data=[row()])
    assert read("poe", POE_API_KEY="k").row("Last 30 days").secondary == "1 requests"


def test_at_most_five_pages_are_read(poe: Any, balance: Any, read: Read) -> None:
    balance.answers(current_point_balance=1)
    pages = poe.get("/usage/points_history").answers(data=[row()], has_more=True)
    read("poe", POE_API_KEY="k")
    assert pages.count == 5
    assert pages.requests[1].query == {"limit": "100", "starting_after": "q/1+"}
    assert "q/1+" not in pages.requests[1].target


@pytest.mark.parametrize(
    ("page", "count"),
    [
        ({"data": [row()], "has_more": False}, 1),
        ({"data": [row()]}, 1),
        ({"items": [row(31)], "has_more": True, "next_cursor": "c"}, 1),
        ({"results": [], "next_cursor": "c"}, 5),
    ],
)
def test_when_there_is_a_next_page(poe: Any, balance: Any, read: Read, page: dict[str, object], count: int) -> None:
    balance.answers(current_point_balance=1)
    pages = poe.get("/usage/points_history").answers(**page)
    read("poe", POE_API_KEY="k")
    assert pages.count == count


@pytest.mark.parametrize("value", [1893585600000000, "1893585600000", 1893585600, "2030-01-02T12:00:00Z"])
def test_times_of_every_size(value: object) -> None:
    assert moment(value) == NOW


def test_rows_that_count() -> None:
    assert to_use(row(-2), NOW) is not None
    assert to_use(row(31), NOW) is None
    assert to_use({"points": 4}, NOW) is None
    use = to_use({"timestamp": NOW.timestamp(), "points": -4, "usd": -1, "bot_name": " "}, NOW)
    assert use is not None
    assert (use.points, use.usd, use.model, use.kind) == (0, 0, "unknown", "unknown")
    nothing = to_use(row(cost_usd=None), NOW)
    assert nothing is not None
    assert nothing.usd is None


def test_points_have_a_decimal_only_below_a_thousand() -> None:
    assert [points(999.44), points(1000.4), points(8)] == ["999.4 points", "1,000 points", "8 points"]


@pytest.mark.parametrize("body", ["{", "[]", '{"current_point_balance": "lots"}'])
def test_balances_that_cannot_be_understood(balance: Any, read: Read, body: str) -> None:
    balance.answers_text(body)
    with pytest.raises(BadResponse):
        read("poe", POE_API_KEY="k")
