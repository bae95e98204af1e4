"""OpenAI's API platform: days, pages, projects, and the older balance."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from quotaline_providers.contract import Account
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    MissingCredential,
    RateLimited,
    ReadError,
    Unavailable,
)
from quotaline_providers.model import Usage
from quotaline_providers.secret import Secret
from quotaline_providers.testing import NOW, Read, Vendor
from quotaline_providers.vendors.openai import api
from quotaline_providers.vendors.openai.mapping import balance_usage, days_of, to_usage
from quotaline_providers.vendors.openai.payloads import CostPage, Grants, UsagePage

TODAY = int(datetime(2030, 1, 2, tzinfo=UTC).timestamp())
DAY = 86400
COSTS, COMPLETIONS = "/v1/organization/costs", "/v1/organization/usage/completions"
GRANTS = "/v1/dashboard/billing/credit_grants"


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(api, "MAX_RETRY_SECONDS", 0.0)


@pytest.fixture
def host(vendor: Callable[[str], Vendor]) -> Vendor:
    return vendor("api.openai.com")


def bucket(ago: int, *results: object) -> dict[str, object]:
    start = TODAY - ago * DAY
    return {"start_time": start, "end_time": start + DAY, "results": list(results)}


def page(*buckets: object, more: str | None = None) -> dict[str, object]:
    return {"data": list(buckets), "has_more": more is not None, "next_page": more}


def cost(value: object, item: str | None = None) -> dict[str, object]:
    return {"amount": {"value": value, "currency": "usd"}, "line_item": item}


def used(count: int, model: str | None = None, **fields: int) -> dict[str, object]:
    return {"input_tokens": count, "num_model_requests": 1, "model": model, **fields}


def usage(costs: list[object], usages: list[object], history: int = 30) -> Usage:
    days = days_of(CostPage.model_validate(page(*costs)).data, UsagePage.model_validate(page(*usages)).data, NOW)
    return to_usage(days, history, None, NOW)


class TestDays:
    def test_days_of_both_endpoints_join(self) -> None:
        found = usage(
            [bucket(1, cost("1.25", "Images"), cost(0.5, "Images")), bucket(0, cost(2))],
            [
                bucket(2, used(10, "demo-a", input_cached_tokens=4, output_tokens=5)),
                bucket(
                    0, used(100, "demo-b", input_audio_tokens=20, output_audio_tokens=3), used(7, "demo-b"), used(1)
                ),
            ],
        )
        assert found.windows == ()
        assert (found.spend("spend").used, found.spend("spend").limit) == (Decimal("3.75"), None)
        assert found.spend("spend").period == "Last 30 days"
        assert (found.row("Today").value, found.row("7d").value) == ("$2.00", "$3.75")
        assert found.row("Requests").value == "4"
        assert (found.row("Tokens").value, found.row("Tokens").secondary) == ("146", "138 input · 8 output")
        assert found.row("Cached input").value == "4"
        assert [row.label for row in found.details[1].rows] == ["demo-b", "demo-a", "Responses and Chat Completions"]
        assert (found.row("demo-b").value, found.row("demo-b").secondary) == ("130 tokens", "2 requests")
        assert [(row.label, row.value) for row in found.details[2].rows] == [("API", "$2.00"), ("Images", "$1.75")]
        chart = found.details[0].chart
        assert chart is not None
        assert [(point.label, point.value) for point in chart.points] == [
            ("2029-12-31", 0),
            ("2030-01-01", 1.75),
            ("2030-01-02", 2),
        ]

    def test_a_stale_last_day_is_not_today(self) -> None:
        assert usage([bucket(1, cost(5))], []).row("Today").value == "$0.00"
        assert usage([bucket(1, cost(5))], [], history=1).spend("spend").used == 0

    def test_the_last_days_present_are_summed_not_those_of_the_calendar(self) -> None:
        found = usage([bucket(ago, cost(1)) for ago in (40, 30, 20, 10, 9, 8, 7, 6, 5)], [], history=4)
        assert found.spend("spend").used == 4
        assert (found.row("Today").value, found.row("7d").value) == ("$0.00", "$7.00")

    def test_at_most_24_models_and_line_items_ties_by_name(self) -> None:
        names = [f"demo-{number:02}" for number in range(30)]
        found = usage([bucket(0, *(cost(1, name) for name in names))], [bucket(0, *(used(5, name) for name in names))])
        for section in found.details[1:]:
            assert [row.label for row in section.rows] == names[:24]

    def test_days_that_have_not_begun_are_dropped(self) -> None:
        assert usage([bucket(-1, cost(5)), bucket(0, cost(1))], []).spend("spend").used == 1

    def test_one_day_of_history_is_today(self) -> None:
        found = usage([bucket(1, cost(5)), bucket(0, cost(1))], [], history=1)
        assert found.spend("spend").used == 1
        assert found.spend("spend").period == "Today"

    def test_no_days_cost_nothing(self) -> None:
        assert usage([], []).row("Spend").value == "$0.00"

    @pytest.mark.parametrize("amount", [None, {}, {"value": None}, {"value": " "}])
    def test_a_missing_amount_is_zero(self, amount: object) -> None:
        assert usage([bucket(0, {"amount": amount})], []).spend("spend").used == 0


@pytest.mark.parametrize(("seconds", "wait"), [(None, 1), (4, 4), (30, 10), (-3, 0)])
def test_the_second_try_waits_as_asked_but_not_long(
    monkeypatch: pytest.MonkeyPatch, seconds: float | None, wait: float
) -> None:
    monkeypatch.undo()
    assert api.pause(None if seconds is None else NOW + timedelta(seconds=seconds), NOW) == wait


class TestRequests:
    def test_asks_whole_days_by_line_item_and_model(self, host: Vendor, read: Read) -> None:
        query = {
            "start_time": str(TODAY - 29 * DAY),
            "end_time": str(TODAY + DAY),
            "bucket_width": "1d",
            "limit": "30",
        }
        host.get(COSTS, bearer="k", query=query | {"group_by": "line_item"}).answers_json(page(bucket(0, cost(1))))
        host.get(COMPLETIONS, bearer="k", query=query | {"group_by": "model"}).answers_json(page())
        found = read("openai", OPENAI_ADMIN_KEY="k", OPENAI_API_KEY="other")
        assert (found.source, found.identity.login_method) == ("admin-api", "Admin API")

    def test_a_long_history_is_asked_in_chunks(self, host: Vendor, read: Read) -> None:
        costs = host.get(COSTS).answers_json(page())
        host.get(COMPLETIONS).answers_json(page())
        read("openai", config={"historyDays": 90}, OPENAI_ADMIN_KEY="k")
        asked = [request.query for request in costs.requests]
        assert [query["limit"] for query in asked] == ["31", "31", "28"]
        assert [query["start_time"] for query in asked[1:]] == [query["end_time"] for query in asked[:-1]]
        assert asked[-1]["end_time"] == str(TODAY + DAY)

    @pytest.mark.parametrize(("told", "asked"), [(0, "1"), (9999, "31")])
    def test_history_is_one_day_to_a_year(self, host: Vendor, read: Read, told: int, asked: str) -> None:
        costs = host.get(COSTS).answers_json(page())
        host.get(COMPLETIONS).answers_json(page())
        read("openai", config={"historyDays": told}, OPENAI_ADMIN_KEY="k")
        assert costs.requests[0].query["limit"] == asked

    def test_pages_are_followed(self, host: Vendor, read: Read) -> None:
        costs = host.get(COSTS)
        costs.answers_json(page(bucket(1, cost(1)), more=" next ")).answers_json(page(bucket(0, cost(2))))
        host.get(COMPLETIONS).answers_json(page())
        assert read("openai", OPENAI_ADMIN_KEY="k").spend("spend").used == 3
        assert [request.query.get("page") for request in costs.requests] == [None, "next"]

    @pytest.mark.parametrize(
        "body",
        [
            {"data": [], "has_more": True, "next_page": " "},
            {"data": [], "has_more": True, "next_page": "same"},
            {"data": []},
            {"has_more": False},
            {"data": [{"start_time": TODAY, "end_time": TODAY + DAY}], "has_more": False},
            page(bucket(0, cost("NaN"))),
            page(bucket(0, cost("much"))),
            page({"start_time": -5, "end_time": DAY, "results": []}),
            page({"start_time": 10**18, "end_time": 10**18 + DAY, "results": []}),
            [],
        ],
    )
    def test_pages_that_cannot_be_trusted(self, host: Vendor, read: Read, body: object) -> None:
        host.get(COSTS).answers_json(body)
        with pytest.raises(BadResponse):
            read("openai", config={"workspaceID": "proj_1"}, OPENAI_ADMIN_KEY="k")

    def test_pages_without_end(self, host: Vendor, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(api, "MAX_PAGES", 2)
        costs = host.get(COSTS)
        for number in range(3):
            costs.answers_json(page(more=str(number)))
        with pytest.raises(BadResponse, match="more pages"):
            read("openai", config={"workspaceID": "proj_1"}, OPENAI_ADMIN_KEY="k")

    @pytest.mark.parametrize("status", [408, 429, 500, 503])
    def test_a_failure_in_passing_is_tried_once_more(self, host: Vendor, read: Read, status: int) -> None:
        host.get(COSTS).answers_json(page())
        completions = host.get(COMPLETIONS).fails(status, headers={"Retry-After": "30"}).answers_json(page())
        read("openai", OPENAI_ADMIN_KEY="k")
        assert completions.count == 2

    def test_a_second_failure_is_the_last(self, host: Vendor, read: Read) -> None:
        costs = host.get(COSTS).fails(503)
        with pytest.raises(Unavailable):
            read("openai", OPENAI_ADMIN_KEY="k", OPENAI_PROJECT_ID="proj_1")
        assert costs.count == 2

    @pytest.mark.parametrize("status", [400, 404, 501])
    def test_other_failures_are_not_tried_again(self, host: Vendor, read: Read, status: int) -> None:
        costs = host.get(COSTS).fails(status)
        with pytest.raises(ReadError):
            read("openai", OPENAI_ADMIN_KEY="k", OPENAI_PROJECT_ID="proj_1")
        assert costs.count == 1

    def test_the_balance_is_asked_once(self, host: Vendor, read: Read) -> None:
        host.get(COSTS).fails(403)
        grants = host.get(GRANTS).fails(503)
        with pytest.raises(Unavailable):
            read("openai", OPENAI_ADMIN_KEY="k")
        assert grants.count == 1

    def test_a_cut_connection_is_tried_once_more(self, host: Vendor, read: Read) -> None:
        host.get(COSTS).misbehaves("cut").answers_json(page())
        host.get(COMPLETIONS).answers_json(page())
        assert read("openai", OPENAI_ADMIN_KEY="k").source == "admin-api"


class TestKeysAndProjects:
    def test_no_key(self, read: Read) -> None:
        with pytest.raises(MissingCredential):
            read("openai", OPENAI_ADMIN_KEY=" '' ")

    def test_config_wins_and_bearer_is_taken_off(self, host: Vendor, read: Read) -> None:
        host.get(COSTS, bearer="k").answers_json(page())
        host.get(COMPLETIONS, bearer="k").answers_json(page())
        read("openai", config={"apiKey": "Bearer k"}, OPENAI_ADMIN_KEY="other")

    def test_a_project_is_filtered_for_and_named(self, host: Vendor, read: Read) -> None:
        costs = host.get(COSTS).answers_json(page())
        host.get(COMPLETIONS).answers_json(page())
        found = read("openai", config={"workspaceID": "proj_1"}, OPENAI_ADMIN_KEY="k", OPENAI_PROJECT_ID="proj_2")
        assert costs.requests[0].query["project_ids"] == "proj_1"
        assert (found.identity.login_method, found.identity.organization) == ("Admin API: proj_1", "Project: proj_1")
        assert found.source == "admin-api:project"

    def test_an_account_never_inherits_a_project(self, host: Vendor, read: Read) -> None:
        costs = host.get(COSTS, bearer="t").answers_json(page())
        host.get(COMPLETIONS).answers_json(page())
        account = Account("Work", Secret("t"))
        read("openai", config={"workspaceID": "proj_1"}, account=account, OPENAI_PROJECT_ID="proj_2")
        assert "project_ids" not in costs.requests[0].query

    @pytest.mark.parametrize("status", [403, 503])
    def test_a_project_with_an_admin_key_never_falls_back(self, host: Vendor, read: Read, status: int) -> None:
        host.get(COSTS).fails(status)
        with pytest.raises(ReadError):
            read("openai", OPENAI_ADMIN_KEY="k", OPENAI_PROJECT_ID="proj_1")

    def test_a_project_with_a_plain_key_falls_back(self, host: Vendor, read: Read) -> None:
        host.get(COSTS).fails(403)
        host.get(GRANTS, bearer="k").answers(total_granted=20, total_used=5, total_available=15)
        assert read("openai", OPENAI_API_KEY="k", OPENAI_PROJECT_ID="proj_1").source == "billing-api"


class TestBalance:
    @pytest.mark.parametrize(
        ("granted", "spent", "available", "percent"),
        [(20, 5, 15, 25), (20, 30, -10, 100), (0, 0, 4, 0), (0, 3, 0, 100)],
    )
    def test_percent_used(self, granted: float, spent: float, available: float, percent: float) -> None:
        found = balance_usage(Grants(total_granted=granted, total_used=spent, total_available=available), NOW)
        assert found.window("credits").used_percent == percent
        assert found.window("credits").blocks
        assert found.window("credits").description == f"${max(0, available)}.00 available"
        assert found.identity.login_method == f"API balance: ${max(0, available)}.00"

    def test_nothing_granted_is_no_limit(self) -> None:
        found = balance_usage(Grants(total_granted=0, total_used=2, total_available=0), NOW)
        assert (found.spend("credits").used, found.spend("credits").limit) == (Decimal(2), None)

    def test_the_next_expiry_is_the_reset(self) -> None:
        moments = [NOW + timedelta(days=9), NOW + timedelta(days=3), NOW - timedelta(days=1)]
        grants = {"data": [{"expires_at": int(moment.timestamp())} for moment in moments] + [{}]}
        answer = {"total_granted": 9, "total_used": 1, "total_available": 8, "grants": grants}
        assert balance_usage(Grants.model_validate(answer), NOW).window("credits").resets_at == moments[1]

    @pytest.mark.parametrize("grants", [None, {}, {"data": []}, {"data": [{"expires_at": 1000}]}])
    def test_no_future_expiry_is_no_reset(self, grants: object) -> None:
        answer = {"total_granted": 9, "total_used": 1, "total_available": 8, "grants": grants}
        assert balance_usage(Grants.model_validate(answer), NOW).window("credits").resets_at is None

    @pytest.mark.parametrize(
        ("first", "second", "error"),
        [
            (403, 401, ExpiredCredential),
            (401, 403, Forbidden),
            (403, 500, Unavailable),
            (403, 404, BadResponse),
            (429, 401, RateLimited),
            (503, 403, Unavailable),
            (404, 401, BadResponse),
        ],
    )
    def test_the_error_that_tells_more_is_shown(
        self, host: Vendor, read: Read, first: int, second: int, error: type[ReadError]
    ) -> None:
        host.get(COSTS).fails(first)
        grants = host.get(GRANTS).fails(second)
        with pytest.raises(error):
            read("openai", OPENAI_ADMIN_KEY="k")
        assert grants.count == 1

    @pytest.mark.parametrize(
        ("key", "words"), [("sk-svcacct-demo", "service account"), ("sk-proj-demo", "project"), ("sk-demo", "neither")]
    )
    @pytest.mark.parametrize("status", [401, 403])
    def test_a_key_that_can_never_read_it_is_told_what_it_is(
        self, host: Vendor, read: Read, key: str, words: str, status: int
    ) -> None:
        host.get(COSTS).fails(status)
        host.get(GRANTS).fails(403 if key == "sk-demo" else status)
        with pytest.raises(Forbidden, match=words) as raised:
            read("openai", OPENAI_API_KEY=key)
        assert "sk-admin-" in raised.value.hint
        assert ("billing access" in raised.value.hint) is (key == "sk-demo")

    def test_a_balance_that_cannot_be_read(self, host: Vendor, read: Read) -> None:
        host.get(COSTS).fails(403)
        host.get(GRANTS).answers(total_granted=9, total_used=None, total_available=1)
        with pytest.raises(BadResponse):
            read("openai", OPENAI_ADMIN_KEY="k")
