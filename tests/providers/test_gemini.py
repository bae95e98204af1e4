"""Gemini's quota: the CLI's login, its renewal, and what Google's answers mean."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    Misconfigured,
    MissingCredential,
    RateLimited,
    ReadError,
    TimedOut,
    Unavailable,
)
from quotaline_providers.model import Usage
from quotaline_providers.testing import NOW
from quotaline_providers.vendors.gemini import api
from quotaline_providers.vendors.gemini.api import AccountMoved
from quotaline_providers.vendors.gemini.mapping import plan, reset_text, to_usage
from quotaline_providers.vendors.gemini.payloads import LoadAnswer, QuotaAnswer
from tests.providers.web_tokens import jwt

RESET = "2030-01-03T07:00:00Z"
CLIENT = {"GEMINI_OAUTH_CLIENT_ID": "demo-client", "GEMINI_OAUTH_CLIENT_SECRET": "demo-half"}
LOAD, QUOTA, PROJECTS = "/v1internal:loadCodeAssist", "/v1internal:retrieveUserQuota", "/v1/projects"


def milliseconds(hours: float) -> int:
    return int((NOW + timedelta(hours=hours)).timestamp() * 1000)


def bucket(model: str | None, fraction: float | None = None, **fields: Any) -> dict[str, Any]:
    return {"modelId": model, "remainingFraction": fraction, "resetTime": RESET, **fields}


def usage(*buckets: dict[str, Any]) -> Usage:
    return to_usage(QuotaAnswer.model_validate({"buckets": list(buckets)}), LoadAnswer(), None, None, NOW)


# --- what becomes of the answers -------------------------------------------------------------------


def test_each_family_is_a_daily_window() -> None:
    seen = usage(bucket("Gemini-8-Pro", 0.25), bucket("gemini-8-flash", 0.5), bucket("gemini-8-flash-lite", 1))
    assert [(w.label, w.used_percent, w.lane, w.minutes) for w in seen.windows] == [
        ("Pro", 75, "primary", 1440),
        ("Flash", 50, "secondary", 1440),
        ("Flash Lite", 0, "tertiary", 1440),
    ]
    assert seen.window("pro").resets_at == datetime(2030, 1, 3, 7, tzinfo=UTC)
    assert seen.window("pro").description == "Resets in 19h 0m"


def test_the_family_with_the_most_left_is_the_one_that_stops_the_account() -> None:
    seen = usage(bucket("gemini-8-pro", 0.03), bucket("gemini-8-flash", 0.9))
    assert [(window.id, window.blocks) for window in seen.windows] == [("pro", False), ("flash", True)]
    both = usage(bucket("gemini-8-pro", 0), bucket("gemini-8-flash", 0))
    assert any(window.exhausted and window.blocks for window in both.windows)


def test_a_flash_only_account_has_no_primary() -> None:
    seen = usage(bucket("gemini-8-flash", 0.5))
    assert seen.lane("primary") is None
    assert [window.id for window in seen.windows] == ["flash"]


def test_the_lowest_of_two_buckets_of_one_model_counts_with_its_reset() -> None:
    seen = usage(bucket("gemini-8-pro", 0.9), bucket("gemini-8-pro", 0.4, resetTime="2030-01-02T13:00:00.5Z"))
    assert seen.window("pro").used_percent == 60
    assert seen.window("pro").resets_at == datetime(2030, 1, 2, 13, 0, 0, 500000, tzinfo=UTC)


def test_the_worst_model_of_a_family_counts() -> None:
    assert usage(bucket("gemini-7-pro", 0.3), bucket("gemini-8-pro", 0.8)).window("pro").used_percent == 70


def test_flash_lite_does_not_leak_into_flash() -> None:
    seen = usage(bucket("gemini-8-flash-lite", 0.1), bucket("gemini-8-flash", 0.9))
    assert seen.window("flash").used_percent == pytest.approx(10)
    assert seen.window("flash-lite").used_percent == 90


def test_other_models_are_only_detail_rows_sorted_by_name() -> None:
    seen = usage(bucket("nano-banana", 0.5), bucket("gemini-8-flash", 0.125))
    assert [window.id for window in seen.windows] == ["flash"]
    assert [(row.label, row.value) for row in seen.details[0].rows] == [
        ("gemini-8-flash", "12% left"),
        ("nano-banana", "50% left"),
    ]
    assert seen.row("nano-banana").secondary == "Resets 2030-01-03 07:00 UTC"


@pytest.mark.parametrize("buckets", [[bucket("gemini-8-pro")], [bucket(None, 0.5)]])
def test_a_bucket_without_fraction_or_model_is_skipped(buckets: list[dict[str, Any]]) -> None:
    assert usage(*buckets).windows == ()
    assert usage(*buckets).details == ()


@pytest.mark.parametrize(("amount", "used"), [("37%", 63), (" 3/10 ", 70), ("3/0", None), ("12", None), ("%", None)])
def test_an_amount_stands_in_for_a_missing_fraction(amount: str, used: float | None) -> None:
    seen = usage(bucket("gemini-8-pro", remainingAmount=amount))
    assert [window.used_percent for window in seen.windows] == ([] if used is None else [pytest.approx(used)])


def test_model_names_lose_their_wrapping() -> None:
    seen = usage(bucket("models/gemini-8-pro_vertex", 0.5), bucket("", 0.5))
    assert [row.label for row in seen.details[0].rows] == ["all_models", "gemini-8-pro"]


@pytest.mark.parametrize(("fraction", "used"), [(1.5, 0), (-0.5, 100)])
def test_fractions_are_held_between_none_and_all(fraction: float, used: float) -> None:
    assert usage(bucket("gemini-8-pro", fraction)).window("pro").used_percent == used


def test_a_bucket_whose_reset_is_past_is_stale_beside_current_ones() -> None:
    past = "2030-01-02T11:59:00Z"
    seen = usage(bucket("gemini-8-pro", 0.1, resetTime=past), bucket("gemini-8-flash", 0.5))
    assert [window.id for window in seen.windows] == ["flash"]
    seen = usage(bucket("gemini-8-pro", 0.1, resetTime=past), bucket("gemini-8-pro", 0.5))
    assert seen.window("pro").used_percent == 50


def test_when_all_resets_are_past_they_are_soon() -> None:
    window = usage(bucket("gemini-8-pro", 0.25, resetTime="2030-01-02T11:59:00Z")).window("pro")
    assert (window.used_percent, window.description) == (75, "Resets soon")
    assert window.resets_at == datetime(2030, 1, 2, 11, 59, tzinfo=UTC)


def test_a_reset_that_is_not_understood_is_soon() -> None:
    window = usage(bucket("gemini-8-pro", 0.1, resetTime="tomorrow")).window("pro")
    assert (window.resets_at, window.description) == (None, "Resets soon")


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (timedelta(hours=3, minutes=5), "Resets in 3h 5m"),
        (timedelta(minutes=5), "Resets in 5m"),
        (timedelta(0), "Resets soon"),
    ],
)
def test_resets_are_worded(left: timedelta, text: str) -> None:
    assert reset_text(NOW + left, NOW) == text


@pytest.mark.parametrize(
    ("answer", "domain", "name"),
    [
        ({"currentTier": {"id": "standard-tier"}, "paidTier": {"name": " Some Plan "}}, None, "Some Plan"),
        ({"currentTier": {"id": "other"}, "paidTier": {"name": "Some Plan"}}, None, "Some Plan"),
        ({"paidTier": {"name": "Some Plan"}}, "x.example", "Some Plan"),
        ({"currentTier": {"id": "standard-tier"}, "paidTier": {"name": "  "}}, None, "Paid"),
        ({"currentTier": {"id": "free-tier"}}, "x.example", "Workspace"),
        ({"currentTier": {"id": "free-tier"}}, None, "Free"),
        ({"currentTier": {"id": "legacy-tier"}}, None, "Legacy"),
        ({"currentTier": {"id": "other"}}, None, None),
        ({"currentTier": "text"}, None, None),
        ({}, None, None),
    ],
)
def test_a_paid_tiers_name_wins_over_every_tier(answer: dict[str, Any], domain: str | None, name: str | None) -> None:
    assert plan(LoadAnswer.model_validate(answer), domain) == name


def test_tiers_are_told_in_detail() -> None:
    load = LoadAnswer.model_validate(
        {
            "currentTier": {"id": "standard-tier", "name": "Standard", "description": "For teams"},
            "ineligibleTiers": ["odd", {"tierId": "free-tier", "tierName": "Free", "reasonMessage": "Not here"}, {}],
            "upgradeSubscriptionUri": "https://upgrade.example/plans",
        }
    )
    seen = to_usage(QuotaAnswer(), load, None, None, NOW)
    assert [(row.label, row.value, row.secondary) for row in seen.details[0].rows] == [
        ("Tier", "Standard", "For teams"),
        ("Free", "Not available", "Not here"),
        ("Upgrade", "https://upgrade.example/plans", None),
    ]


# --- reads -----------------------------------------------------------------------------------------


@pytest.fixture
def signed_in(home: Path) -> Callable[..., Path]:
    """`signed_in(refresh_token="r")`: the CLI's login file; by default a token that still holds."""

    def write(folder: Path | None = None, **fields: Any) -> Path:
        path = (folder or home / ".gemini") / "oauth_creds.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(fields or {"access_token": "k", "expiry_date": milliseconds(1)}), encoding="utf-8")
        return path

    return write


@pytest.fixture
def cloud(vendor: Any) -> Any:
    return vendor("cloudcode-pa.googleapis.com")


@pytest.fixture
def google(vendor: Any) -> Any:
    """The route that renews logins."""
    return vendor("oauth2.googleapis.com").post("/token")


def quota(cloud: Any, **expectations: Any) -> Any:
    route = cloud.post(QUOTA, **expectations)
    return route.answers(buckets=[bucket("gemini-8-pro", 0.25)])


def load(cloud: Any, **fields: Any) -> Any:
    return cloud.post(LOAD).answers(**{"cloudaicompanionProject": "demo", **fields})


def test_a_read_asks_for_plan_and_quota(cloud: Any, signed_in: Any, read: Any) -> None:
    signed_in(access_token="k", id_token=jwt(email="ada@example.org", hd="example.org"))
    cloud.post(LOAD, bearer="k", json={"metadata": {"ideType": "GEMINI_CLI", "pluginType": "GEMINI"}}).answers(
        currentTier={"id": "free-tier"}, cloudaicompanionProject="demo"
    )
    quota(cloud, bearer="k", json={"project": "demo"})
    seen = read("gemini")
    assert seen.window("pro").used_percent == 75
    assert (seen.identity.email, seen.identity.plan) == ("ada@example.org", "Workspace")


@pytest.mark.parametrize("project", ["demo", " demo ", {"id": "demo"}, {"id": " ", "projectId": "demo"}])
def test_a_project_comes_in_three_shapes(cloud: Any, signed_in: Any, read: Any, project: object) -> None:
    signed_in()
    load(cloud, cloudaicompanionProject=project)
    quota(cloud, json={"project": "demo"})
    assert read("gemini").windows


@pytest.mark.parametrize("project", ["  ", None, {}, 5])
def test_without_project_the_body_is_empty(cloud: Any, vendor: Any, signed_in: Any, read: Any, project: object) -> None:
    signed_in()
    load(cloud, cloudaicompanionProject=project)
    vendor("cloudresourcemanager.googleapis.com").get(PROJECTS).fails(403)
    route = quota(cloud)
    read("gemini")
    assert route.requests[0].text == "{}"


@pytest.fixture
def no_project(cloud: Any, vendor: Any, signed_in: Any) -> None:
    """An account of which Google names no project, and that has none."""
    signed_in()
    load(cloud, cloudaicompanionProject=None)
    vendor("cloudresourcemanager.googleapis.com").get(PROJECTS).answers(projects=[])


def test_all_left_without_a_project_is_no_figure(cloud: Any, no_project: None, read: Any) -> None:
    cloud.post(QUOTA, json={}).answers(buckets=[bucket("gemini-8-pro", 1), bucket("gemini-8-flash", 1.0)])
    seen = read("gemini")
    assert (seen.windows, seen.limits_unavailable) == ((), True)
    row = seen.row("Google Cloud project")
    assert "no quota" in row.value
    assert row.secondary == "Set GOOGLE_CLOUD_PROJECT"


def test_other_figures_without_a_project_are_shown_as_not_the_projects(cloud: Any, no_project: None, read: Any) -> None:
    cloud.post(QUOTA, json={}).answers(buckets=[bucket("gemini-8-pro", 0.4), bucket("gemini-8-flash", 1)])
    seen = read("gemini")
    assert seen.window("pro").used_percent == 60
    assert "not a project's" in seen.row("Google Cloud project").value


def test_all_left_of_a_project_is_a_figure(cloud: Any, signed_in: Any, read: Any) -> None:
    signed_in()
    load(cloud)
    cloud.post(QUOTA).answers(buckets=[bucket("gemini-8-pro", 1)])
    seen = read("gemini")
    assert (seen.window("pro").used_percent, seen.limits_unavailable) == (0, False)


@pytest.mark.parametrize("place", [".gemini/.env", ".env"])
@pytest.mark.parametrize(
    "line",
    [
        "GOOGLE_CLOUD_PROJECT=team-proj",
        "export GOOGLE_CLOUD_PROJECT = 'team-proj' # ours",
        'A=1\n\n GOOGLE_CLOUD_PROJECT_ID="team-proj"',
    ],
)
def test_the_clis_own_file_names_the_project(
    cloud: Any, no_project: None, read: Any, home: Path, place: str, line: str
) -> None:
    (home / place).write_text(f"# mine\nGEMINI_API_KEY=never\n{line}\n", encoding="utf-8")
    route = quota(cloud, json={"project": "team-proj"})
    assert read("gemini").windows
    assert "never" not in str(route.requests[0])


def test_the_environment_and_the_nearer_file_come_first(cloud: Any, no_project: None, read: Any, home: Path) -> None:
    (home / ".gemini/.env").write_text("GOOGLE_CLOUD_PROJECT=near\nGOOGLE_CLOUD_PROJECT_ID=other\n")
    (home / ".env").write_text("GOOGLE_CLOUD_PROJECT=far\n")
    for project in ("near", "mine"):
        quota(cloud, json={"project": project})
    assert read("gemini").windows
    assert read("gemini", GOOGLE_CLOUD_PROJECT="mine").windows
    assert [len(route.requests) for route in cloud.routes if route.path == QUOTA] == [1, 1]


@pytest.mark.parametrize(
    ("projects", "found"),
    [
        ([{"projectId": "gone", "lifecycleState": "DELETE_REQUESTED"}, {"projectId": "mine"}], {"project": "mine"}),
        ([{"projectId": "mine", "lifecycleState": "ACTIVE"}, {"projectId": "other"}], {"project": "mine"}),
        ([{"projectId": "gone", "lifecycleState": "DELETE_IN_PROGRESS"}], {}),
    ],
)
def test_an_ordinary_project_will_do_unless_it_is_being_deleted(
    cloud: Any, vendor: Any, signed_in: Any, read: Any, projects: list[dict[str, str]], found: dict[str, str]
) -> None:
    signed_in()
    load(cloud, cloudaicompanionProject=None)
    vendor("cloudresourcemanager.googleapis.com").get(PROJECTS).answers(projects=projects)
    quota(cloud, json=found)
    assert read("gemini").windows


def test_a_project_without_rights_gives_way_to_the_users_own(cloud: Any, signed_in: Any, read: Any) -> None:
    signed_in()
    load(cloud, cloudaicompanionProject="foreign")
    cloud.post(QUOTA, json={"project": "foreign"}).fails(403)
    quota(cloud, json={"project": "mine"})
    assert read("gemini", GOOGLE_CLOUD_PROJECT="mine").windows
    with pytest.raises(Forbidden, match="no rights in the project that Google") as raised:
        read("gemini")
    assert "GOOGLE_CLOUD_PROJECT" in raised.value.hint
    with pytest.raises(Forbidden, match="no rights in the project foreign"):
        read("gemini", GOOGLE_CLOUD_PROJECT="foreign")


@pytest.mark.parametrize(
    "project", [{"projectId": "gen-lang-client-7"}, {"projectId": "x", "labels": {"generative-language": ""}}]
)
def test_a_project_made_for_gemini_is_discovered(
    cloud: Any, vendor: Any, signed_in: Any, read: Any, project: dict[str, Any]
) -> None:
    signed_in()
    load(cloud, cloudaicompanionProject=None)
    vendor("cloudresourcemanager.googleapis.com").get(PROJECTS, bearer="k").answers(
        projects=[{"projectId": "mine", "labels": None}, project]
    )
    quota(cloud, json={"project": project["projectId"]})
    assert read("gemini").windows


def test_a_named_project_saves_the_discovery(cloud: Any, signed_in: Any, read: Any) -> None:
    signed_in()
    load(cloud, cloudaicompanionProject=None)
    quota(cloud, json={"project": "named"})
    assert read("gemini", GOOGLE_CLOUD_PROJECT="named").windows
    assert read("gemini", config={"projectId": "named"}).windows


@pytest.mark.parametrize("kind", ["fails", "garbage", "cut"])
def test_a_plan_that_cannot_be_read_is_left_blank(
    cloud: Any, vendor: Any, signed_in: Any, read: Any, kind: str
) -> None:
    signed_in()
    route = cloud.post(LOAD)
    _ = route.fails(500) if kind == "fails" else route.misbehaves(kind)
    vendor("cloudresourcemanager.googleapis.com").get(PROJECTS).answers()
    quota(cloud, json={})
    assert read("gemini").identity.plan is None


def test_a_request_is_made_once_more_after_a_time_out(
    cloud: Any, signed_in: Any, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "TIMEOUT", 0.4)
    signed_in()
    load(cloud)
    route = cloud.post(QUOTA).delays(3).answers().answers(buckets=[bucket("gemini-8-pro", 0.25)])
    assert read("gemini").windows
    assert route.count == 2


def test_two_time_outs_are_one(cloud: Any, signed_in: Any, read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "TIMEOUT", 0.3)
    signed_in()
    load(cloud)
    cloud.post(QUOTA).delays(2).answers()
    with pytest.raises(TimedOut):
        read("gemini")


@pytest.mark.parametrize(("status", "error"), [(401, ExpiredCredential), (403, Forbidden), (404, BadResponse)])
def test_a_refused_quota_has_a_kind(cloud: Any, signed_in: Any, read: Any, status: int, error: type[ReadError]) -> None:
    signed_in()
    load(cloud)
    cloud.post(QUOTA).fails(status)
    with pytest.raises(error) as raised:
        read("gemini")
    assert not isinstance(raised.value, AccountMoved)


@pytest.mark.parametrize("body", ["{}", '{"buckets": []}', '{"buckets": 3}', "nonsense", "<html>"])
def test_a_quota_without_buckets_is_not_understood(cloud: Any, signed_in: Any, read: Any, body: str) -> None:
    signed_in()
    load(cloud)
    cloud.post(QUOTA).answers_text(body)
    with pytest.raises(BadResponse):
        read("gemini")


def test_buckets_that_are_all_skipped_are_no_error(cloud: Any, signed_in: Any, read: Any) -> None:
    signed_in()
    load(cloud)
    cloud.post(QUOTA).answers(buckets=["odd", bucket("gemini-8-pro")])
    assert read("gemini").windows == ()


# --- accounts that Google moved --------------------------------------------------------------------

MOVED = [
    {"error": "UNSUPPORTED_CLIENT"},
    {"reason": "IneligibleTierError"},
    {"message": "Gemini Code Assist is No Longer Supported for you"},
    {"message": "Please migrate from Gemini to Antigravity"},
]


@pytest.mark.parametrize("body", MOVED)
@pytest.mark.parametrize("status", [403, 401, 400])
def test_a_moved_account_is_told_by_the_quota(
    cloud: Any, signed_in: Any, read: Any, body: dict[str, str], status: int
) -> None:
    signed_in()
    load(cloud)
    cloud.post(QUOTA).fails(status, json=body)
    with pytest.raises(AccountMoved) as raised:
        read("gemini")
    assert raised.value.definite
    assert "Antigravity" in raised.value.message


def test_a_moved_account_is_told_by_the_plan_before_any_quota(cloud: Any, signed_in: Any, read: Any) -> None:
    signed_in()
    cloud.post(LOAD).fails(403, json=MOVED[3])
    with pytest.raises(AccountMoved):
        read("gemini")


@pytest.mark.parametrize("code", ["UNSUPPORTED_CLIENT", "unsupported_client"])
def test_a_moved_account_is_told_by_the_tiers_it_is_refused(cloud: Any, signed_in: Any, read: Any, code: str) -> None:
    signed_in()
    cloud.post(LOAD).answers(ineligibleTiers=[{"reasonCode": "OTHER"}, {"reasonCode": code, "tierId": "free-tier"}])
    with pytest.raises(AccountMoved):
        read("gemini")


def test_a_refused_tier_beside_a_current_one_moves_nobody(cloud: Any, signed_in: Any, read: Any) -> None:
    signed_in()
    load(cloud, currentTier={"id": "standard-tier"}, ineligibleTiers=[{"reasonCode": "UNSUPPORTED_CLIENT"}])
    quota(cloud)
    assert read("gemini").windows


def test_a_moved_account_is_told_by_the_renewal(google: Any, signed_in: Any, read: Any) -> None:
    signed_in(refresh_token="r")
    google.fails(403, json=MOVED[0])
    with pytest.raises(AccountMoved):
        read("gemini", **CLIENT)


@pytest.mark.parametrize("status", [403, 500])
def test_an_ordinary_refusal_of_the_plan_is_not_taken_for_it(
    cloud: Any, signed_in: Any, read: Any, status: int
) -> None:
    signed_in()
    cloud.post(LOAD).fails(status, json={"message": "Gemini is busy"})
    quota(cloud, json={"project": "p"})
    assert read("gemini", GOOGLE_CLOUD_PROJECT_ID="p").windows


def test_the_words_in_a_good_answer_mean_nothing(cloud: Any, signed_in: Any, read: Any) -> None:
    signed_in()
    load(cloud, upgradeText="migrate from gemini to antigravity")
    quota(cloud)
    assert read("gemini").windows


# --- the login -------------------------------------------------------------------------------------


def test_no_file_is_not_signed_in(read: Any) -> None:
    with pytest.raises(MissingCredential) as raised:
        read("gemini")
    assert "`gemini`" in raised.value.hint


@pytest.mark.parametrize("text", ["[]", "{", "3", ""])
def test_a_login_file_that_is_no_object_is_not_understood(home: Path, read: Any, text: str) -> None:
    (home / ".gemini").mkdir()
    (home / ".gemini/oauth_creds.json").write_text(text)
    with pytest.raises(BadResponse):
        read("gemini")


@pytest.mark.parametrize("kind", ["api-key", "gemini-api-key", "vertex-ai"])
def test_a_login_that_is_no_google_login_stops_before_any_request(
    signed_in: Any, read: Any, simulator: Any, kind: str
) -> None:
    path = signed_in()
    (path.parent / "settings.json").write_text(json.dumps({"security": {"auth": {"selectedType": kind}}}))
    with pytest.raises(Misconfigured) as raised:
        read("gemini")
    assert ("Vertex AI" in raised.value.message) == (kind == "vertex-ai")


@pytest.mark.parametrize(
    "settings",
    ['{"security": {"auth": {"selectedType": "oauth-personal"}}}', '{"security": {"auth": 3}}', "{broken", "[]"],
)
def test_other_settings_do_not_stop_a_read(cloud: Any, signed_in: Any, read: Any, settings: str) -> None:
    path = signed_in()
    (path.parent / "settings.json").write_text(settings)
    load(cloud)
    quota(cloud)
    assert read("gemini").windows


def test_the_clis_home_may_be_elsewhere(cloud: Any, signed_in: Any, read: Any, tmp_path: Path) -> None:
    load(cloud)
    quota(cloud)
    signed_in(tmp_path / "other/.gemini")
    assert read("gemini", GEMINI_CLI_HOME=str(tmp_path / "other")).windows
    signed_in(tmp_path / "own")
    assert read("gemini", config={"configDir": str(tmp_path / "own")}).windows


@pytest.mark.parametrize("token", ["", "a.b", "a.***.c", "a.bm8.c", None])
def test_an_id_token_that_cannot_be_read_leaves_the_active_account(
    cloud: Any, signed_in: Any, read: Any, token: str | None
) -> None:
    path = signed_in(access_token="k", id_token=token)
    (path.parent / "google_accounts.json").write_text('{"active": "bob@example.org", "old": []}')
    load(cloud)
    quota(cloud)
    assert read("gemini").identity.email == "bob@example.org"


def test_a_login_in_the_keyring_is_used_when_the_cli_encrypts(
    cloud: Any, read: Any, keyring_entries: dict[tuple[str, str], str]
) -> None:
    token = {"accessToken": "k", "refreshToken": "r", "tokenType": "Bearer", "expiresAt": milliseconds(1)}
    keyring_entries["gemini-cli-oauth", "main-account"] = json.dumps({"serverName": "main", "token": token})
    load(cloud)
    quota(cloud, bearer="k")
    assert read("gemini", GEMINI_FORCE_ENCRYPTED_FILE_STORAGE="true").windows
    with pytest.raises(MissingCredential):
        read("gemini")


# --- the renewal -----------------------------------------------------------------------------------


@pytest.mark.parametrize("expiry", [milliseconds(-1), milliseconds(-1) + 0.5, milliseconds(0.01)])
def test_an_expired_login_is_renewed_and_kept(
    cloud: Any, vendor: Any, signed_in: Any, read: Any, expiry: float
) -> None:
    path = signed_in(
        access_token="old", refresh_token="r/+", expiry_date=expiry, scope="s", id_token=jwt(email="a@b.c")
    )
    vendor("oauth2.googleapis.com").post(
        "/token",
        form={
            "client_id": "demo-client",
            "client_secret": "demo-half",
            "refresh_token": "r/+",
            "grant_type": "refresh_token",
        },
    ).answers(access_token="new", expires_in=3600, id_token=jwt(email="new@example.org"))
    load(cloud)
    quota(cloud, bearer="new")
    assert read("gemini", **CLIENT).identity.email == "new@example.org"
    kept = json.loads(path.read_text())
    assert kept == {
        "access_token": "new",
        "refresh_token": "r/+",
        "expiry_date": milliseconds(1),
        "scope": "s",
        "id_token": jwt(email="new@example.org"),
    }
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("fields", [{"refresh_token": "r"}, {"refresh_token": "r", "access_token": ""}])
def test_a_refresh_token_alone_is_enough(cloud: Any, google: Any, signed_in: Any, read: Any, fields: Any) -> None:
    signed_in(**fields)
    google.answers(access_token="new", expires_in=3600)
    load(cloud)
    quota(cloud, bearer="new")
    assert read("gemini", **CLIENT).windows


@pytest.mark.parametrize("fields", [{"access_token": "k"}, {"access_token": "k", "expiry_date": None}])
def test_a_token_without_expiry_is_used_as_it_is(cloud: Any, signed_in: Any, read: Any, fields: Any) -> None:
    signed_in(**fields)
    load(cloud)
    quota(cloud, bearer="k")
    assert read("gemini").windows


def test_a_renewal_without_id_token_keeps_the_old_one(cloud: Any, google: Any, signed_in: Any, read: Any) -> None:
    path = signed_in(refresh_token="r", id_token=jwt(email="old@example.org"))
    google.answers(access_token="new", expires_in=60)
    load(cloud)
    quota(cloud)
    assert read("gemini", **CLIENT).identity.email == "old@example.org"
    assert json.loads(path.read_text())["id_token"] == jwt(email="old@example.org")


@pytest.mark.parametrize("fields", [{"scope": "s"}, {"access_token": "k", "expiry_date": 1, "refresh_token": " "}])
def test_an_expired_login_without_refresh_token_is_not_signed_in(signed_in: Any, read: Any, fields: Any) -> None:
    signed_in(**fields)
    with pytest.raises(MissingCredential):
        read("gemini", **CLIENT)


@pytest.mark.parametrize(
    ("status", "error"), [(400, ExpiredCredential), (401, ExpiredCredential), (429, RateLimited), (503, Unavailable)]
)
def test_a_refused_renewal_has_a_kind(
    google: Any, signed_in: Any, read: Any, status: int, error: type[ReadError]
) -> None:
    path = signed_in(refresh_token="r")
    google.fails(status)
    with pytest.raises(error):
        read("gemini", **CLIENT)
    assert json.loads(path.read_text()) == {"refresh_token": "r"}


def test_a_renewal_without_token_is_not_understood(google: Any, signed_in: Any, read: Any) -> None:
    signed_in(refresh_token="r")
    google.answers(expires_in=3600)
    with pytest.raises(BadResponse):
        read("gemini", **CLIENT)


@pytest.mark.parametrize(
    "meanwhile",
    [
        None,
        "[]",
        '{"refresh_token": "other person"}',
        '{"refresh_token": "r", "access_token": "by the CLI", "expiry_date": 9}',
    ],
)
def test_what_the_cli_wrote_meanwhile_is_left_alone(
    cloud: Any, google: Any, signed_in: Any, read: Any, meanwhile: str | None
) -> None:
    path = signed_in(refresh_token="r")

    def renew(request: Any) -> object:
        path.unlink() if meanwhile is None else path.write_text(meanwhile)
        return {"access_token": "new", "expires_in": 3600}

    google.answers_with(renew)
    load(cloud)
    quota(cloud, bearer="new")
    assert read("gemini", **CLIENT).windows
    assert (path.read_text() if path.exists() else None) == meanwhile


def test_keys_the_cli_added_meanwhile_are_kept(cloud: Any, google: Any, signed_in: Any, read: Any) -> None:
    path = signed_in(refresh_token="r")

    def renew(request: Any) -> object:
        path.write_text('{"refresh_token": "r", "added": 1}')
        return {"access_token": "new", "expires_in": 3600}

    google.answers_with(renew)
    load(cloud)
    quota(cloud)
    read("gemini", **CLIENT)
    assert json.loads(path.read_text()) == {
        "refresh_token": "r",
        "added": 1,
        "access_token": "new",
        "expiry_date": milliseconds(1),
    }
