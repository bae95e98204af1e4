"""Vertex AI's quotas: which use meets which limit, what Cloud Monitoring is asked, which project is meant."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    Misconfigured,
    RateLimited,
    ReadError,
    Unavailable,
)
from quotaline_providers.model import Usage
from quotaline_providers.testing import NOW
from quotaline_providers.vendors.vertexai import PROVIDER, oauth
from quotaline_providers.vendors.vertexai.credentials import configured_project, credentials_path
from quotaline_providers.vendors.vertexai.mapping import limit_of, matched, maxima, to_usage
from quotaline_providers.vendors.vertexai.oauth import LIMIT, USED, query
from quotaline_providers.vendors.vertexai.payloads import Key, SeriesPage

METRIC = "aiplatform.googleapis.com/demo_requests"
SERIES = "/v3/projects/demo/timeSeries"


def series(*values: object, **fields: Any) -> dict[str, Any]:
    return {
        "metric": {"labels": {"quota_metric": METRIC, "limit_name": "PerRegion"}},
        "resource": {"labels": {"location": "europe-west4"}},
        "points": [{"value": {"int64Value": value}} for value in values],
        **fields,
    }


def highest(*items: object) -> dict[Key, float]:
    return maxima(SeriesPage.model_validate({"timeSeries": list(items)}).series)


def usage(used: dict[Key, float], limits: dict[Key, float]) -> Usage:
    return to_usage(matched(used, limits), "demo", None, NOW)


REGIONAL = Key(METRIC, "PerRegion", "europe-west4")


# --- what becomes of the answers -------------------------------------------------------------------


def test_the_highest_of_all_points_and_series_counts() -> None:
    assert highest(series("7", "12", "3"), series("9")) == {REGIONAL: 12}


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ({"doubleValue": 7.5}, 7.5),
        ({"int64Value": "7"}, 7),
        ({"doubleValue": 2, "int64Value": "7"}, 2),
        ({"int64Value": "many"}, None),
        ({"stringValue": "7"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_point_is_a_number_or_text(value: object, number: float | None) -> None:
    found = highest(series(points=[{"value": value}]))
    assert found == ({} if number is None else {REGIONAL: number})


@pytest.mark.parametrize("points", [[], None, "odd", [None], [{}]])
def test_a_series_without_points_says_nothing(points: object) -> None:
    assert highest(series(points=points)) == {}


@pytest.mark.parametrize(
    ("labels", "key"),
    [
        ({"metric": {"labels": {"quota_metric": METRIC}}}, Key(METRIC, "", "europe-west4")),
        ({"resource": {"labels": {}}}, Key(METRIC, "PerRegion", "global")),
        ({"resource": None}, Key(METRIC, "PerRegion", "global")),
        ({"metric": None, "resource": {"labels": {"quota_id": "Q", "location": "x"}}}, Key("Q", "", "x")),
        (
            {"metric": {"labels": {"quota_metric": " "}}, "resource": {"labels": {"quota_id": "Q"}}},
            Key("Q", "", "global"),
        ),
        ({"metric": {}}, None),
        ({"metric": {"labels": {"limit_name": "x"}}, "resource": "odd"}, None),
    ],
)
def test_labels_name_the_quota(labels: dict[str, Any], key: Key | None) -> None:
    assert highest(series("5", **labels)) == ({} if key is None else {key: 5})


@pytest.mark.parametrize("answer", [{}, {"timeSeries": None}, {"timeSeries": []}, {"timeSeries": ["odd", 3]}])
def test_an_empty_project_has_no_series(answer: dict[str, Any]) -> None:
    assert maxima(SeriesPage.model_validate(answer).series) == {}


def test_the_limit_of_the_same_name_is_preferred() -> None:
    limits = {REGIONAL: 100.0, Key(METRIC, "Other", "europe-west4"): 5.0}
    assert limit_of(REGIONAL, limits) == 100


def test_a_use_without_a_limit_name_takes_the_limit_in_its_own_place() -> None:
    nameless = Key(METRIC, "", "europe-west4")
    assert limit_of(nameless, {REGIONAL: 40.0, Key(METRIC, "PerProject", "global"): 10.0}) == 40
    assert limit_of(nameless, {Key(METRIC, "PerProject", "global"): 10.0}) is None


def test_two_limits_in_one_place_are_not_guessed_between() -> None:
    nameless = Key(METRIC, "", "europe-west4")
    assert limit_of(nameless, {REGIONAL: 40.0, Key(METRIC, "Other", "europe-west4"): 10.0}) is None
    assert limit_of(nameless, {REGIONAL: 40.0, Key(METRIC, "Other", "europe-west4"): 0.0}) == 40


def test_another_limits_name_is_no_match() -> None:
    assert limit_of(Key(METRIC, "Mine", "europe-west4"), {REGIONAL: 40.0}) is None


@pytest.mark.parametrize("limit", [0.0, -1.0])
def test_a_limit_of_nothing_is_none(limit: float) -> None:
    assert limit_of(REGIONAL, {REGIONAL: limit}) is None


def test_the_fullest_quota_is_the_window() -> None:
    other = Key("aiplatform.googleapis.com/other", "", "global")
    seen = usage({REGIONAL: 7.0, other: 90.0}, {REGIONAL: 20.0, other: 1200.0})
    window = seen.window("requests")
    assert window.used_percent == pytest.approx(35)
    assert window.blocks is False
    assert (window.label, window.lane) == ("Requests", "primary")
    assert (window.description, window.minutes, window.resets_at) == ("Current quota", None, None)
    assert [(row.label, row.value, row.secondary) for row in seen.details[0].rows] == [
        ("demo_requests (europe-west4)", "7 / 20", "35% used"),
        ("other (global)", "90 / 1,200", "8% used"),
    ]


def test_use_above_the_limit_is_clamped_when_shown() -> None:
    window = usage({REGIONAL: 30.0}, {REGIONAL: 20.0}).window("requests")
    assert (window.used_percent, window.shown_percent) == (150, 100)


@pytest.mark.parametrize(("used", "limits"), [({}, {}), ({REGIONAL: 1.0}, {}), ({}, {REGIONAL: 1.0})])
def test_no_match_is_only_an_identity(used: dict[Key, float], limits: dict[Key, float]) -> None:
    seen = usage(used, limits)
    assert (seen.windows, seen.details, seen.limits_unavailable) == ((), (), True)
    assert (seen.identity.organization, seen.identity.login_method) == ("demo", "gcloud")


# --- the project -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "project"),
    [
        ("[core]\nproject = demo\n", "demo"),
        ("[core]\nproject=demo\n", "demo"),
        ("project=demo", "demo"),
        ("[core]\naccount = a@b.c\nproject_number = 7\nproject =  demo  \n", "demo"),
        ("[compute]\nproject = other\n[core]\nproject = demo\n", "demo"),
        ("[core]\nprojects = x\nproject_id = y\n", None),
        ("[core]\nproject =\n", None),
        ("", None),
    ],
)
def test_the_project_is_a_line_of_gclouds_configuration(text: str, project: str | None) -> None:
    assert configured_project(text) == project


@pytest.fixture
def gcloud_folder(home: Path) -> Path:
    path = home / ".config/gcloud"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def signed_in(gcloud_folder: Path) -> Callable[..., Path]:
    """`signed_in(...)`: a user's login in gcloud's folder, by default with a token that still holds."""

    def write(path: Path | None = None, **fields: Any) -> Path:
        path = path or gcloud_folder / "application_default_credentials.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        holding = {"access_token": "k", "token_expiry": "2030-01-02T13:00:00Z", "refresh_token": "r"}
        path.write_text(json.dumps({"type": "authorized_user", **holding, **fields}), encoding="utf-8")
        return path

    return write


@pytest.fixture
def selected(gcloud_folder: Path) -> Callable[..., None]:
    """`selected("demo", name="default")`: a project in one of gcloud's configurations."""

    def write(project: str, name: str = "default", folder: Path | None = None) -> None:
        path = (folder or gcloud_folder) / "configurations" / f"config_{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"[core]\nproject = {project}\n" if project else "[core]\naccount = a\n", encoding="utf-8")

    return write


@pytest.fixture
def monitoring(vendor: Any) -> Any:
    return vendor("monitoring.googleapis.com")


def asked(monitoring: Any, kind: str, token: str | None = None, **expectations: Any) -> Any:
    return monitoring.get(SERIES, query=query(kind, NOW, token), bearer="k", **expectations)


def project_asked(monitoring: Any, project: str) -> Any:
    return monitoring.get(f"/v3/projects/{project}/timeSeries").answers()


def test_a_read_asks_for_use_and_limits(monitoring: Any, signed_in: Any, selected: Any, read: Any) -> None:
    signed_in()
    selected("demo")
    used = asked(monitoring, USED).answers(timeSeries=[series("7")])
    asked(monitoring, LIMIT).answers(timeSeries=[series("20")], nextPageToken="")
    seen = read("vertexai")
    assert seen.window("requests").used_percent == pytest.approx(35)
    assert seen.source == "oauth"
    assert used.requests[0].query == {
        "filter": 'metric.type="serviceruntime.googleapis.com/quota/allocation/usage" AND '
        'resource.type="consumer_quota" AND resource.label.service="aiplatform.googleapis.com"',
        "interval.startTime": "2030-01-01T12:00:00Z",
        "interval.endTime": "2030-01-02T12:00:00Z",
        "aggregation.alignmentPeriod": "3600s",
        "aggregation.perSeriesAligner": "ALIGN_MAX",
        "view": "FULL",
    }


def test_all_pages_are_read(monitoring: Any, signed_in: Any, selected: Any, read: Any) -> None:
    signed_in()
    selected("demo")
    asked(monitoring, USED).answers(timeSeries=[series("7")], nextPageToken="p/2=")
    asked(monitoring, USED, "p/2=").answers(timeSeries=[series("10")])
    asked(monitoring, LIMIT).answers(timeSeries=[series("20")])
    assert read("vertexai").window("requests").used_percent == 50


def test_pages_without_end_are_an_error(monitoring: Any, signed_in: Any, selected: Any, read: Any) -> None:
    signed_in()
    selected("demo")
    route = monitoring.get(SERIES).answers(nextPageToken="again")
    with pytest.raises(BadResponse):
        read("vertexai")
    assert route.count == 2
    numbers = iter(range(1000))
    monitoring.routes.clear()
    route = monitoring.get(SERIES).answers_with(lambda _: {"nextPageToken": f"p{next(numbers)}"})
    with pytest.raises(BadResponse):
        read("vertexai")
    assert route.count == oauth.MAX_PAGES


def test_an_empty_project_is_no_error(monitoring: Any, signed_in: Any, selected: Any, read: Any) -> None:
    signed_in()
    selected("demo")
    monitoring.get(SERIES).answers()
    assert read("vertexai").identity.organization == "demo"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, ExpiredCredential),
        (403, Forbidden),
        (429, RateLimited),
        (400, Unavailable),
        (404, Unavailable),
        (500, Unavailable),
    ],
)
def test_a_refusal_has_a_kind(
    monitoring: Any, signed_in: Any, selected: Any, read: Any, status: int, error: type[ReadError]
) -> None:
    signed_in()
    selected("demo")
    route = monitoring.get(SERIES).fails(status, json={"error": {"message": "told in confidence"}})
    with pytest.raises(error) as raised:
        read("vertexai")
    assert raised.value.hint
    assert "confidence" not in f"{raised.value.message} {raised.value.hint}"
    assert route.count == 1


@pytest.mark.parametrize("body", ["<html>", "nonsense", "[]"])
def test_an_answer_that_is_not_understood_is_an_error(
    monitoring: Any, signed_in: Any, selected: Any, read: Any, body: str
) -> None:
    signed_in()
    selected("demo")
    monitoring.get(SERIES).answers_text(body)
    with pytest.raises(BadResponse):
        read("vertexai")


@pytest.mark.parametrize(("fields", "charged"), [({}, "demo"), ({"quota_project_id": "paying"}, "paying")])
def test_a_login_that_needs_a_quota_project_names_it(
    monitoring: Any, signed_in: Any, selected: Any, read: Any, fields: dict[str, str], charged: str
) -> None:
    signed_in(**fields)
    selected("demo")
    monitoring.get(SERIES, headers={"x-goog-user-project": None}).fails(
        403, json={"error": {"message": "This API requires a Quota Project, which is not set by default."}}
    )
    named = monitoring.get(SERIES, headers={"x-goog-user-project": charged}, bearer="k").answers()
    assert read("vertexai").identity.organization == "demo"
    assert named.count == 2


@pytest.mark.parametrize("variable", ["GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"])
@pytest.mark.parametrize("configured", [True, False])
def test_the_environment_names_the_project_where_gcloud_does_not(
    monitoring: Any, signed_in: Any, selected: Any, read: Any, variable: str, configured: bool
) -> None:
    signed_in()
    if configured:
        selected("")
    project_asked(monitoring, "from-environment")
    assert read("vertexai", **{variable: "from-environment"}).identity.organization == "from-environment"


def test_gclouds_project_beats_the_environment(monitoring: Any, signed_in: Any, selected: Any, read: Any) -> None:
    signed_in()
    selected("demo")
    project_asked(monitoring, "demo")
    assert read("vertexai", GOOGLE_CLOUD_PROJECT="other").identity.organization == "demo"


def test_a_project_in_the_config_beats_all(monitoring: Any, signed_in: Any, selected: Any, read: Any) -> None:
    signed_in()
    selected("other")
    project_asked(monitoring, "mine.example:demo")
    seen = read("vertexai", config={"workspaceID": "mine.example:demo"}, GOOGLE_CLOUD_PROJECT="other")
    assert seen.identity.organization == "mine.example:demo"


def test_the_quota_project_is_the_last_resort(monitoring: Any, signed_in: Any, read: Any) -> None:
    signed_in(quota_project_id="paying")
    project_asked(monitoring, "paying")
    assert read("vertexai").identity.organization == "paying"


@pytest.mark.parametrize("way", ["file", "environment", "odd"])
def test_gclouds_selected_configuration_counts(
    monitoring: Any, signed_in: Any, selected: Any, gcloud_folder: Path, read: Any, way: str
) -> None:
    signed_in()
    selected("first")
    selected("second", "work")
    (gcloud_folder / "active_config").write_text({"file": "work\n", "environment": "default", "odd": "../x"}[way])
    wanted = "first" if way == "odd" else "second"
    project_asked(monitoring, wanted)
    environment = {"CLOUDSDK_ACTIVE_CONFIG_NAME": "work"} if way == "environment" else {}
    assert read("vertexai", **environment).identity.organization == wanted


def test_an_unknown_project_is_a_mistake(simulator: Any, signed_in: Any, read: Any) -> None:
    signed_in()
    with pytest.raises(Misconfigured) as raised:
        read("vertexai")
    assert raised.value.hint == "Run `gcloud config set project ID`."


@pytest.mark.parametrize("project", ["../other", "a/b", "my project", "?x"])
def test_a_project_that_is_none_is_refused_before_anything_is_sent(
    simulator: Any, signed_in: Any, read: Any, project: str
) -> None:
    signed_in()
    with pytest.raises(Misconfigured):
        read("vertexai", config={"workspaceID": project})


def test_gclouds_folder_may_be_elsewhere(
    monitoring: Any, signed_in: Any, selected: Any, read: Any, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    signed_in(there / "application_default_credentials.json", id_token=None)
    selected("demo", folder=there)
    project_asked(monitoring, "demo")
    assert read("vertexai", CLOUDSDK_CONFIG=f" {there} ").identity.organization == "demo"


def test_the_named_file_comes_first(monitoring: Any, signed_in: Any, selected: Any, read: Any, tmp_path: Path) -> None:
    signed_in(access_token="another")
    path = signed_in(tmp_path / "named.json")
    selected("demo")
    asked(monitoring, USED).answers()
    asked(monitoring, LIMIT).answers()
    assert read("vertexai", GOOGLE_APPLICATION_CREDENTIALS=f" {path} ").identity.organization == "demo"


def test_on_windows_gcloud_keeps_its_files_elsewhere(reader: Any, tmp_path: Path) -> None:
    path = credentials_path(reader.on("win32").context("vertexai", APPDATA=str(tmp_path / "roaming")))
    assert path == tmp_path / "roaming/gcloud/application_default_credentials.json"


def test_detection_names_the_file(reader: Any, signed_in: Any) -> None:
    lookup = PROVIDER.strategies[0].lookup
    ctx = reader.context("vertexai")
    assert lookup.probe(ctx) is None
    signed_in()
    assert lookup.probe(ctx) == "~/.config/gcloud/application_default_credentials.json"
