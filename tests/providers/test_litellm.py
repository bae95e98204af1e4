"""LiteLLM: whose budget a key reads, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Misconfigured,
    MissingCredential,
)
from quotaline_providers.model import Usage
from quotaline_providers.testing import NOW, Read, Vendor
from quotaline_providers.vendors.litellm import TEAM_UNKNOWN, KeyInfo, Team, User, to_usage

ENV = {"LITELLM_API_KEY": "k", "LITELLM_BASE_URL": "https://gw.test"}


@pytest.fixture
def proxy(vendor: Callable[[str], Vendor]) -> Vendor:
    return vendor("gw.test")


def usage(user: dict[str, object] | None, team: dict[str, object] | None = None) -> Usage:
    return to_usage(
        KeyInfo(), User.model_validate(user) if user else None, Team.model_validate(team) if team else None, NOW
    )


def test_personal_and_team_budget(proxy: Vendor, read: Read) -> None:
    info = {"user_id": "u 1+@&", "team_id": "t-1", "expires": "2030-06-01T00:00:00.5+00:00"}
    proxy.get("/key/info", bearer="k", query={}).answers(key="redacted", info=info)
    user = {"user_email": "demo@example.test", "max_budget": 40, "spend": 10, "budget_reset_at": "2030-02-01T00:00:00Z"}
    teams = [
        {"team_id": "t-9", "max_budget": 1, "spend": 1},
        {"team_id": "t-1", "team_alias": "lab", "max_budget": "50", "spend": 5, "budget_reset_at": "soon"},
    ]
    proxy.get("/user/info", bearer="k", query={"user_id": "u 1+@&"}).answers(user_info=user, teams=teams)
    found = read("litellm", **ENV)
    personal, shared = found.window("personal"), found.window("team")
    assert (personal.used_percent, personal.description, personal.lane) == (25, "$10.00 / $40.00", "primary")
    assert personal.resets_at == datetime(2030, 2, 1, tzinfo=UTC)
    assert (shared.used_percent, shared.description, shared.lane) == (10, "Team lab: $5.00 / $50.00", "secondary")
    assert shared.resets_at is None
    assert (personal.blocks, shared.blocks) == (False, True), "a team's key is stopped by the team's budget alone"
    assert found.spend("spend").limit == Decimal(40)
    assert found.spend("spend").period == "Personal budget"
    assert (found.identity.email, found.identity.organization) == ("demo@example.test", "lab")
    assert found.subscription_expires_at == datetime(2030, 6, 1, 0, 0, 0, 500_000, UTC)


def test_a_teams_key_never_asks_for_a_user(proxy: Vendor, read: Read) -> None:
    proxy.get("/key/info").answers(info={"user_id": " ", "team_id": "t-1"})
    proxy.get("/team/info", query={"team_id": "t-1"}).answers(team_id=" ", team_info={"max_budget": 8, "spend": 20})
    found = read("litellm", **ENV)
    assert [window.id for window in found.windows] == ["team"]
    assert found.window("team").used_percent == 100
    assert found.window("team").description == "Team: $20.00 / $8.00"
    assert found.spend("spend").period == "Team budget"


@pytest.mark.parametrize("budget", [None, 0, -5])
def test_without_a_budget_the_spend_remains(budget: object) -> None:
    found = usage({"max_budget": budget, "spend": 3})
    assert found.windows == ()
    assert found.spend("spend").used == 3
    assert found.spend("spend").limit is None
    assert found.spend("spend").period == "Personal spend"


def test_the_personal_budget_stops_a_key_without_a_team() -> None:
    assert usage({"max_budget": 40, "spend": 10}).window("personal").blocks


def test_nothing_spent_of_nothing_is_no_spend() -> None:
    assert usage({"max_budget": None}).spends == ()


@pytest.fixture
def member(proxy: Vendor) -> Vendor:
    """A proxy with a key of a user and a team."""
    proxy.get("/key/info").answers(info={"user_id": "u", "team_id": "t-1", "spend": 9.5, "max_budget": None})
    return proxy


@pytest.mark.parametrize("teams", [[{"team_id": "t-9", "max_budget": 1}], [], None, "x"])
def test_a_team_that_the_users_answer_does_not_list_is_asked_for(member: Vendor, read: Read, teams: object) -> None:
    member.get("/user/info").answers(user_info={"user_id": "u", "max_budget": 20, "spend": 1}, teams=teams)
    member.get("/team/info", query={"team_id": "t-1"}).answers(team_id="t-1", team_info={"max_budget": 8, "spend": 2})
    found = read("litellm", **ENV)
    assert [(window.id, window.used_percent, window.blocks) for window in found.windows] == [
        ("personal", 5, False),
        ("team", 25, True),
    ]
    assert found.notes == ()


def test_a_listed_team_is_not_asked_for(member: Vendor, read: Read) -> None:
    member.get("/user/info").answers(user_info={}, teams=[{"team_id": "t-1", "max_budget": 8, "spend": 2}])
    assert read("litellm", **ENV).window("team").used_percent == 25
    assert member.count == 2


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_refused_team_loses_only_its_window_and_says_so(member: Vendor, read: Read, status: int) -> None:
    member.get("/user/info").answers(user_info={"max_budget": 20, "spend": 1})
    member.get("/team/info").fails(status)
    found = read("litellm", **ENV)
    assert [window.id for window in found.windows] == ["personal"]
    assert found.notes == (TEAM_UNKNOWN,)


def test_another_team_loses_only_its_window(member: Vendor, read: Read) -> None:
    member.get("/user/info").answers(user_info={"max_budget": 20, "spend": 1})
    member.get("/team/info").answers(team_id="t-2", team_info={"max_budget": 8})
    assert [window.id for window in read("litellm", **ENV).windows] == ["personal"]


def test_the_keys_own_budget_stands_beside_the_users(proxy: Vendor, read: Read) -> None:
    reset = "2030-01-09T00:00:00.25Z"
    proxy.get("/key/info").answers(info={"user_id": "u", "spend": 9.5, "max_budget": "10", "budget_reset_at": reset})
    proxy.get("/user/info").answers(user_info={"max_budget": 20, "spend": 2.5})
    found = read("litellm", **ENV)
    own = found.window("key-budget")
    assert (own.label, own.used_percent, own.blocks, own.lane) == ("Key budget", 95, True, None)
    assert own.description == "Key: $9.50 / $10.00"
    assert own.resets_at == datetime(2030, 1, 9, 0, 0, 0, 250_000, UTC)
    assert (found.window("personal").used_percent, found.window("personal").blocks) == (12.5, True)
    assert found.spend("spend").period == "Personal budget"


def test_a_budget_that_was_given_by_name(proxy: Vendor, read: Read) -> None:
    table = {"max_budget": 10, "soft_budget": 5, "budget_reset_at": "2030-02-01T00:00:00Z"}
    info = {"user_id": "u", "spend": 9.5, "max_budget": None, "litellm_budget_table": table}
    proxy.get("/key/info").answers(info=info)
    proxy.get("/user/info").answers(user_info={"max_budget": 20, "spend": 1, "litellm_budget_table": {"max_budget": 2}})
    found = read("litellm", **ENV)
    assert (found.window("key-budget").used_percent, found.window("personal").used_percent) == (95, 5)
    assert found.window("key-budget").resets_at == datetime(2030, 2, 1, tzinfo=UTC)
    assert found.unread_limits == ()


@pytest.mark.parametrize("budget", [None, 0, -1, "x"])
def test_a_key_without_a_budget_of_its_own(proxy: Vendor, read: Read, budget: object) -> None:
    proxy.get("/key/info").answers(info={"user_id": "u", "spend": 9.5, "max_budget": budget})
    proxy.get("/user/info").answers(user_info={"max_budget": 20, "spend": 2.5})
    assert [window.id for window in read("litellm", **ENV).windows] == ["personal"]


@pytest.mark.parametrize(
    ("user", "name"),
    [
        ({"user_email": " ", "user_alias": "demo"}, "demo"),
        ({"metadata": {"preferred_username": "demo", "x": {"y": [1]}}}, "demo"),
        ({"metadata": {"preferred_username": {"a": 1}}}, None),
        ({"metadata": "text"}, None),
    ],
)
def test_the_users_name(user: dict[str, object], name: str | None) -> None:
    assert usage(user).identity.email == name


@pytest.mark.parametrize(
    "answer",
    [{"user_info": {"user_id": "other"}}, {"user_id": "other", "user_info": {}}, {"teams": []}, {"user_info": 1}],
)
def test_answers_about_someone_else_are_refused(proxy: Vendor, read: Read, answer: dict[str, object]) -> None:
    proxy.get("/key/info").answers(info={"user_id": "u"})
    proxy.get("/user/info").answers_json(answer)
    with pytest.raises(BadResponse):
        read("litellm", **ENV)


def test_another_team_is_refused(proxy: Vendor, read: Read) -> None:
    proxy.get("/key/info").answers(info={"team_id": "t"})
    proxy.get("/team/info").answers(team_id="x", team_info={})
    with pytest.raises(BadResponse):
        read("litellm", **ENV)


def test_a_key_of_nobody_with_a_budget(proxy: Vendor, read: Read) -> None:
    proxy.get("/key/info").answers(info={"user_id": " ", "spend": 9.5, "max_budget": 10})
    found = read("litellm", **ENV)
    assert [(window.id, window.used_percent) for window in found.windows] == [("key-budget", 95)]
    assert (found.spend("spend").period, found.spend("spend").limit) == ("Key budget", Decimal(10))
    assert found.notes == ()
    assert proxy.count == 1


def test_a_key_of_nobody_without_a_budget(proxy: Vendor, read: Read) -> None:
    proxy.get("/key/info").answers(info={"user_id": "", "team_id": None, "spend": 3})
    with pytest.raises(BadResponse, match="neither user_id nor team_id"):
        read("litellm", **ENV)


@pytest.mark.parametrize(
    ("base", "path"), [("", "/"), ("/v1", "/"), ("/v1/", "/"), ("/ai/v1/", "/ai/"), ("/ai", "/ai/")]
)
def test_the_version_is_no_part_of_the_root(proxy: Vendor, read: Read, base: str, path: str) -> None:
    proxy.get(f"{path}key/info", bearer="k").answers(info={"user_id": "u"})
    proxy.get(f"{path}user/info").answers(user_info={})
    read("litellm", LITELLM_API_KEY='"k"\n', LITELLM_BASE_URL=f"https://gw.test{base}")


@pytest.mark.parametrize(
    "address", ["gw.test", "http://gw.test", "http://10.example.com", "https://u:p@gw.test", "https://gw%2ftest"]
)
def test_refused_addresses(read: Read, address: str) -> None:
    with pytest.raises(Misconfigured, match="LITELLM_BASE_URL"):
        read("litellm", LITELLM_API_KEY="k", LITELLM_BASE_URL=address)
    with pytest.raises(Misconfigured, match="enterpriseHost"):
        read("litellm", config={"enterpriseHost": address}, **ENV)


def test_what_is_missing(read: Read) -> None:
    with pytest.raises(MissingCredential):
        read("litellm", LITELLM_BASE_URL="https://gw.test")
    with pytest.raises(Misconfigured, match="enterpriseHost or LITELLM_BASE_URL"):
        read("litellm", LITELLM_API_KEY="k")


def test_a_failing_first_call_is_the_only_one(proxy: Vendor, read: Read) -> None:
    proxy.get("/key/info").fails(401)
    with pytest.raises(ExpiredCredential):
        read("litellm", **ENV)
    assert proxy.count == 1
