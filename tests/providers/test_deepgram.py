"""Deepgram: sums over rows and projects, and whole numbers that must be whole."""

from __future__ import annotations

from typing import Any

import pytest

from quotaline_providers.errors import (
    BadResponse,
    Forbidden,
    Misconfigured,
    Unavailable,
)
from quotaline_providers.model import Usage
from quotaline_providers.testing import Read
from quotaline_providers.vendors.deepgram import hours


@pytest.fixture
def deepgram(vendor: Any) -> Any:
    return vendor("api.deepgram.com")


def breakdown(deepgram: Any, project: str, *rows: object, **fields: object) -> Any:
    route = deepgram.get(f"/v1/projects/{project}/usage/breakdown", headers={"Authorization": "Token k"})
    return route.answers(results=rows, **fields)


def one(read: Read, **more: str) -> Usage:
    return read("deepgram", config={"workspaceID": "p"}, DEEPGRAM_API_KEY=" 'k' ", **more)


def test_all_projects_are_added_up_over_the_widest_period(deepgram: Any, read: Read) -> None:
    listed = [{"project_id": "a", "name": "Demo"}, {"project_id": "b", "name": None}, {"project_id": "c"}]
    deepgram.get("/v1/projects", headers={"Authorization": "Token k"}).answers(projects=listed)
    full = {"hours": 1.5, "total_hours": 2.26, "agent_hours": 3, "tokens_in": 1000, "tokens_out": 5, "requests": 7}
    breakdown(deepgram, "a", full, {"requests": 4}, start="2030-01-02", end="2030-01-05", resolution=None)
    breakdown(deepgram, "b", {"tts_characters": 12, "requests": None}, start="2030-01-01", end="2030-01-04")
    breakdown(deepgram, "c", end="2030-01-06")
    usage = read("deepgram", config={"apiKey": "k"}, DEEPGRAM_API_KEY="other")
    assert usage.windows == ()
    assert (usage.short_text, usage.spends) == ("11 requests", ())
    assert usage.identity.login_method == "3 projects"
    assert [(row.label, row.value, row.secondary) for row in usage.details[0].rows] == [
        ("Requests", "11", None),
        ("Audio", "1.5 hours", "2.3 billable hours"),
        ("Agent hours", "3", None),
        ("Tokens", "1,005", None),
        ("TTS characters", "12", None),
        ("Period", "2030-01-01 to 2030-01-06", None),
    ]


def test_a_project_id_is_enough_and_is_encoded(deepgram: Any, read: Read) -> None:
    breakdown(deepgram, "p%2Fq%20r")
    usage = read("deepgram", DEEPGRAM_API_KEY="k", DEEPGRAM_PROJECT_ID="p/q r")
    assert [(row.label, row.value) for row in usage.details[0].rows] == [("Requests", "0")]
    assert usage.identity.login_method == "Project: p/q r"


def test_hours_have_a_decimal_unless_they_are_whole() -> None:
    assert [hours(value) for value in (87.04, 12, 12.0, 2.55)] == ["87.0", "12", "12", "2.5"]
    assert [hours(value) for value in (1622.04, 12345)] == ["1,622.0", "12,345"]


def test_a_failing_project_fails_the_whole(deepgram: Any, read: Read) -> None:
    deepgram.get("/v1/projects").answers(projects=[{"project_id": "a"}, {"project_id": "b"}])
    breakdown(deepgram, "a", {"requests": 1})
    deepgram.get("/v1/projects/b/usage/breakdown").fails(503)
    with pytest.raises(Unavailable):
        read("deepgram", DEEPGRAM_API_KEY="k")


def test_the_configured_project_wins_and_the_resolution_means_nothing(deepgram: Any, read: Read) -> None:
    route = breakdown(deepgram, "p", {"requests": 2, "grouping": {"endpoint": "listen"}}, resolution={"units": "day"})
    usage = one(read, DEEPGRAM_PROJECT_ID="other")
    assert (route.count, usage.row("Requests").value) == (1, "2")


def test_no_projects_is_an_error(deepgram: Any, read: Read) -> None:
    deepgram.get("/v1/projects").answers(projects=[])
    with pytest.raises(BadResponse, match="no projects"):
        read("deepgram", DEEPGRAM_API_KEY="k")


def test_the_address_may_be_overridden(vendor: Any, read: Read) -> None:
    vendor("deepgram.test").get("/v1/projects/p/usage/breakdown").answers(results=[])
    one(read, DEEPGRAM_API_URL="deepgram.test/v1/")


@pytest.mark.parametrize("address", ["http://127.0.0.1:8080/v1", "https://u@a.test", "https://a%2fb"])
def test_unsafe_addresses_are_refused_before_anything_is_sent(read: Read, address: str) -> None:
    with pytest.raises(Misconfigured, match="DEEPGRAM_API_URL"):
        one(read, DEEPGRAM_API_URL=address)


def test_the_status_is_judged_before_the_body(deepgram: Any, read: Read) -> None:
    deepgram.get("/v1/projects/p/usage/breakdown").answers_text("<html>", status=400)
    with pytest.raises(BadResponse, match="400"):
        one(read)


def test_a_key_without_the_scope_is_told_which_one(deepgram: Any, read: Read) -> None:
    deepgram.get("/v1/projects/p/usage/breakdown").fails(403)
    with pytest.raises(Forbidden) as raised:
        one(read)
    assert "usage:read" in raised.value.hint


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("<html>", "web page"),
        ("[]", "another shape"),
        ("{}", "results"),
        ('{"results": {}}', "results"),
        ('{"results": [1]}', "results"),
        ('{"results": [{"requests": 1.5}]}', "results"),
        ('{"results": [{"requests": "1"}]}', "results"),
        ('{"results": [{"hours": 1e999}]}', "results"),
        ('{"results": [], "start": 5}', "start"),
    ],
)
def test_answers_that_cannot_be_understood_name_the_field(deepgram: Any, read: Read, body: str, field: str) -> None:
    deepgram.get("/v1/projects/p/usage/breakdown").answers_text(body)
    with pytest.raises(BadResponse, match=field):
        one(read)
