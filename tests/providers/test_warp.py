"""Warp: monthly and add-on credits, the keys, and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    MissingCredential,
    ReadError,
)
from quotaline_providers.model import Usage
from quotaline_providers.testing import NOW, Read, Route, Vendor
from quotaline_providers.vendors.warp import Reply, to_usage

LATER = "2030-02-01T00:00:00.123456Z"


def body(info: object = None, **user: object) -> dict[str, object]:
    limits = info or {"isUnlimited": False, "requestLimit": 400, "requestsUsedSinceLastRefresh": 100}
    return {"data": {"user": {"__typename": "UserOutput", "user": {"requestLimitInfo": limits, **user}}}}


def usage(info: object = None, **user: object) -> Usage:
    return to_usage(Reply.model_validate(body(info, **user)), NOW)


def grant(granted: object, left: object, expires: str | None = LATER) -> dict[str, object]:
    return {"requestCreditsGranted": granted, "requestCreditsRemaining": left, "expiration": expires}


@pytest.fixture
def service(vendor: Callable[[str], Vendor]) -> Route:
    headers: dict[str, str | None] = {"User-Agent": "Warp/1.0", "x-warp-client-id": "warp-app"}
    return vendor("app.warp.dev").post("/graphql/v2", bearer="k", query={"op": "GetRequestLimitInfo"}, headers=headers)


@pytest.mark.parametrize("flag", [None, False, 0, "no", "0", "FALSE"])
def test_monthly_credits(flag: object) -> None:
    info = {"isUnlimited": flag, "requestLimit": "400", "requestsUsedSinceLastRefresh": 100.9, "nextRefreshTime": LATER}
    window = usage(info).window("credits")
    assert (window.used_percent, window.used, window.limit, window.lane) == (25, 100, 400, "primary")
    assert window.resets_at == datetime(2030, 2, 1, 0, 0, 0, 123456, UTC)
    assert window.description == "100/400 credits"
    assert window.blocks


@pytest.mark.parametrize("flag", [True, 1, "true", "1", "YES"])
def test_unlimited_credits_never_reset(flag: object) -> None:
    window = usage({"isUnlimited": flag, "requestLimit": 0, "nextRefreshTime": LATER}).window("credits")
    assert (window.used_percent, window.unlimited, window.resets_at, window.description) == (0, True, None, "Unlimited")


@pytest.mark.parametrize(("limit", "used", "percent"), [(0, 5, 0), (-1, 5, 0), (10, 50, 100), ({}, [], 0)])
def test_percent_used(limit: object, used: object, percent: float) -> None:
    info = {"requestLimit": limit, "requestsUsedSinceLastRefresh": used, "nextRefreshTime": "soon"}
    assert usage(info).window("credits").used_percent == percent
    assert usage(info).window("credits").resets_at is None


def test_add_on_credits_of_user_and_workspaces() -> None:
    shared = [{"bonusGrantsInfo": {"grants": [grant("60", "15"), grant(0, 0), grant(1, 5, None)]}}, None]
    same_second = "2030-02-01T00:00:00Z"
    found = usage(bonusGrants=[grant(39, 5, same_second), grant(0, 9, "2031-01-01T00:00:00Z")], workspaces=shared)
    window = found.window("add-on")
    assert (window.used_percent, window.resets_at, window.lane) == (66, None, "secondary")
    assert window.description is not None
    assert window.description.startswith("20 credits expires on ")


@pytest.mark.parametrize("never", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "later", None])
def test_credits_that_never_expire(never: str | None) -> None:
    assert usage(bonusGrants=[grant(10, 5, never)]).window("add-on").description is None
    found = usage(bonusGrants=[grant(10, 5, never), grant(10, 2), grant(10, 0, "2029-01-01T00:00:00Z")])
    assert (found.window("add-on").description or "").startswith("2 credits expires on 2030-0")


@pytest.mark.parametrize("user", [{}, {"bonusGrants": None, "workspaces": None}, {"bonusGrants": [grant(0, 0)]}])
def test_no_add_on_credits(user: dict[str, object]) -> None:
    assert usage(**user).lane("secondary") is None


@pytest.mark.parametrize(("granted", "left", "percent"), [(10, 0, 100), (10, 25, 0), (0, 5, 0)])
def test_percent_of_add_on_credits(granted: int, left: int, percent: float) -> None:
    window = usage(bonusGrants=[grant(granted, left, None)]).window("add-on")
    assert window.blocks is False
    assert (window.used_percent, window.description) == (percent, None)


def test_used_up_credits_of_the_month_do_not_stop_the_account_while_add_on_credits_are_left() -> None:
    full = {"isUnlimited": False, "requestLimit": 400, "requestsUsedSinceLastRefresh": 400}
    assert usage(full, bonusGrants=[grant(10, 2)]).window("credits").blocks is False
    assert usage(full, bonusGrants=[grant(10, 0)]).window("credits").blocks is True


def test_used_up_add_on_credits_never_stand_for_the_whole() -> None:
    assert [window.id for window in usage(bonusGrants=[grant(10, 0)]).windows if window.blocks] == ["credits"]


def test_asks_as_the_app_does(service: Route, read: Read) -> None:
    service.answers_json(body())
    assert read("warp", WARP_API_KEY=" '' ", WARP_TOKEN="Bearer k").window("credits").used_percent == 25
    sent = service.requests[0]
    assert sent.json["operationName"] == "GetRequestLimitInfo"
    system = sent.json["variables"]["requestContext"]["osContext"]
    assert system["name"] == sent.headers["x-warp-os-name"]
    assert system["version"] == sent.headers["x-warp-os-version"]


def test_the_config_key_wins(service: Route, read: Read) -> None:
    service.answers_json(body())
    read("warp", config={"apiKey": "k"}, WARP_API_KEY="other", WARP_TOKEN="other")


def test_no_key(read: Read) -> None:
    with pytest.raises(MissingCredential):
        read("warp")


def test_another_good_status_is_not_an_answer(service: Route, read: Read) -> None:
    service.answers_json(body(), status=202)
    with pytest.raises(BadResponse, match="202"):
        read("warp", WARP_API_KEY="k")


@pytest.mark.parametrize(
    ("errors", "error"),
    [
        ([{"message": "Unauthorized"}], ExpiredCredential),
        (["Unauthenticated"], ExpiredCredential),
        ([{"message": "broken"}, "again", None], BadResponse),
    ],
)
def test_errors_in_a_good_answer(errors: list[object], error: type[ReadError]) -> None:
    with pytest.raises(error):
        to_usage(Reply.model_validate(body() | {"errors": errors}), NOW)


@pytest.mark.parametrize(
    "answer",
    [{}, {"data": None}, {"data": {"user": None}}, {"data": {"user": {"__typename": "UserOutput", "user": {}}}}],
)
def test_answers_without_credits(answer: dict[str, object]) -> None:
    with pytest.raises(BadResponse):
        to_usage(Reply.model_validate(answer), NOW)


def test_another_type_is_named() -> None:
    with pytest.raises(BadResponse, match="UserFacingError"):
        to_usage(Reply.model_validate({"data": {"user": {"__typename": "UserFacingError"}}}), NOW)


def test_a_list_is_no_answer(service: Route, read: Read) -> None:
    service.answers_json([])
    with pytest.raises(BadResponse):
        read("warp", WARP_API_KEY="k")
