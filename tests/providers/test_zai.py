"""z.ai and BigModel CN: limits, teams, regions, and the calls that may fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.contract import Account
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    Misconfigured,
    MissingCredential,
    RateLimited,
    ReadError,
    Unavailable,
)
from quotaline_providers.model import Confidence, Usage
from quotaline_providers.parsing.payload import parse_or_none
from quotaline_providers.secret import Secret
from quotaline_providers.testing import NOW, Read, Route, Run, Vendor
from quotaline_providers.vendors.zai.api import QUOTA_PATH, with_parameters
from quotaline_providers.vendors.zai.credentials import key_in_helper, key_in_json
from quotaline_providers.vendors.zai.mapping import Extras, history_section, rate_row, to_usage
from quotaline_providers.vendors.zai.payloads import Envelope, History, Limit

SESSION = {"type": "CREDIT_LIMIT", "unit": 3, "number": 5, "usage": 600, "currentValue": 150, "remaining": 450}
WEEK = {"type": "CREDIT_LIMIT", "unit": 6, "number": 1, "percentage": 8, "nextResetTime": 1893900000000}
CALLS = {"type": "TIME_LIMIT", "unit": 5, "number": 1, "usage": 50, "remaining": 40, "percentage": 20}


def answer(*limits: object, **data: object) -> dict[str, object]:
    return {"code": 200, "success": True, "data": {"limits": list(limits), **data}}


def usage(*limits: object, **data: object) -> Usage:
    return to_usage(Envelope.model_validate(answer(*limits, **data)), Extras(), NOW)


def quiet(host: Vendor, *, china: bool = False) -> Vendor:
    """A host whose optional calls all fail."""
    host.get("/api/monitor/usage/model-usage").fails(500)
    if not china:
        host.get("/api/biz/subscription/list").fails(500)
    return host


@pytest.fixture
def world(vendor: Callable[[str], Vendor]) -> Vendor:
    """api.z.ai, whose optional calls all fail."""
    return quiet(vendor("api.z.ai"))


@pytest.fixture
def china(vendor: Callable[[str], Vendor]) -> Vendor:
    """open.bigmodel.cn, whose optional calls all fail."""
    vendor("www.bigmodel.cn").get("/api/biz/account/query-customer-account-report").fails(500)
    return quiet(vendor("open.bigmodel.cn"), china=True)


class TestLimits:
    def test_session_week_and_tool_calls(self) -> None:
        found = usage(WEEK, CALLS, SESSION, level="max")
        session, week, calls = found.window("session"), found.window("weekly"), found.window("zai-mcp")
        assert (session.used_percent, session.minutes, session.label, session.lane) == (25, 300, "5-hour", "primary")
        assert session.resets_at is None
        assert (week.used_percent, week.minutes, week.label, week.lane) == (8, 10080, "Weekly", "secondary")
        assert week.resets_at == datetime.fromtimestamp(1893900000, UTC)
        assert (calls.used_percent, calls.minutes, calls.label, calls.lane) == (20, 43200, "MCP", None)
        assert found.lane("secondary") == week
        assert (session.blocks, week.blocks, calls.blocks) == (True, True, False)
        assert found.identity.plan == "max"

    def test_tool_calls_alone_come_first(self) -> None:
        assert usage(CALLS).window("zai-mcp").lane == "primary"

    def test_tool_calls_beside_one_limit_are_second_as_well(self) -> None:
        found = usage(SESSION, CALLS)
        assert found.lane("secondary") == found.window("zai-mcp")
        assert found.window("zai-mcp").lane is None, "it stays an extra window"

    def test_the_last_of_several_tool_call_limits_counts(self) -> None:
        assert usage(SESSION, CALLS, CALLS | {"remaining": 5}).window("zai-mcp").used_percent == 90

    def test_a_limit_of_unknown_length_is_the_longest_beside_one_of_known_length(self) -> None:
        found = usage({"type": "TOKENS_LIMIT", "unit": 9, "number": 1, "percentage": 3}, WEEK)
        assert found.window("session").minutes == 10080
        unknown = found.lane("secondary")
        assert unknown is not None
        assert (unknown.used_percent, unknown.minutes, unknown.label) == (3, None, "Quota")

    def test_a_limit_of_unknown_length_takes_no_slot_of_a_known_one(self) -> None:
        unknown = {"type": "TOKENS_LIMIT", "unit": 99, "number": 1, "percentage": 97}
        found = usage(SESSION, unknown, WEEK, unknown | {"percentage": 5})
        assert [(window.id, window.label, window.used_percent, window.lane) for window in found.windows] == [
            ("session", "5-hour", 25, "primary"),
            ("weekly", "Weekly", 8, "secondary"),
            ("quota", "Quota", 97, None),
            ("quota-2", "Quota", 5, None),
        ]
        assert found.window("quota").blocks

    def test_a_limit_of_unknown_length_alone_is_not_called_after_one(self) -> None:
        assert usage({"type": "TOKENS_LIMIT", "percentage": 5}).window("session").label == "Quota"

    @pytest.mark.parametrize(
        ("limit", "away", "shown"),
        [
            (SESSION, timedelta(hours=4), True),
            (SESSION, timedelta(days=3), False),
            (SESSION, timedelta(minutes=-5), False),
            (WEEK, timedelta(days=6), True),
            (CALLS, timedelta(days=30), True),
            (CALLS, timedelta(days=40), False),
        ],
    )
    def test_an_impossible_reset_is_dropped(self, limit: dict[str, object], away: timedelta, shown: bool) -> None:
        reset = NOW + away
        (window,) = usage(limit | {"nextResetTime": round(reset.timestamp() * 1000)}).windows
        assert window.resets_at == (reset if shown else None)
        assert window.reset_refused is not shown

    def test_a_reset_that_was_not_sent_is_not_refused(self) -> None:
        assert not usage(SESSION).window("session").reset_refused

    def test_a_limit_in_the_middle_is_kept(self) -> None:
        day = {"type": "TOKENS_LIMIT", "unit": 1, "number": 2, "percentage": 3}
        middle = usage(SESSION, day, WEEK).window("limit-1")
        assert (middle.label, middle.minutes, middle.lane) == ("2 days window", 2880, None)

    @pytest.mark.parametrize(
        ("fields", "percent"),
        [
            ({"usage": 200, "currentValue": 50}, 25),
            ({"usage": 200, "remaining": 50}, 75),
            ({"usage": 200, "remaining": 150, "currentValue": 80}, 40),
            ({"usage": 200, "remaining": -5}, 100),
            ({"usage": 200, "percentage": 12}, 12),
            ({"usage": 0, "remaining": 0, "percentage": 12}, 12),
            ({"percentage": 130}, 100),
            ({"percentage": -4}, 0),
            ({"usage": None, "currentValue": None}, None),
        ],
    )
    def test_percent_used(self, fields: dict[str, object], percent: float | None) -> None:
        assert Limit.model_validate({"type": "TOKENS_LIMIT", **fields}).percent == percent

    def test_unknown_limits_hide_nothing(self) -> None:
        found = usage({"type": "MOON_LIMIT", "percentage": "x"}, 5, None, SESSION)
        assert [window.id for window in found.windows] == ["session"]

    def test_a_limit_of_an_unknown_kind_is_told_beside_the_others(self) -> None:
        found = usage(SESSION, {"type": "MOON_LIMIT", "percentage": 90}, {"type": "odd words", "percentage": 5})
        assert [window.id for window in found.windows] == ["session"]
        assert found.unread_limits == ("MOON_LIMIT", "?")
        assert "MOON_LIMIT" in found.notes[0]
        assert found.confidence is Confidence.UNKNOWN

    def test_the_kind_may_stand_in_the_name(self) -> None:
        assert usage({"name": "TOKENS_LIMIT", "percentage": 5}).window("session").used_percent == 5

    def test_a_known_limit_without_a_percentage_is_an_error(self) -> None:
        with pytest.raises(BadResponse):
            usage(SESSION, {"type": "TOKENS_LIMIT", "unit": 3, "number": 5})

    @pytest.mark.parametrize("data", [{"limits": []}, {"limits": None}, {}])
    def test_without_limits_the_usage_is_unavailable_with_the_reason(self, data: object) -> None:
        with pytest.raises(Unavailable, match=r"Usage unavailable: .* sent no limits") as raised:
            to_usage(Envelope(code=200, success=True, data=data), Extras(), NOW)
        assert raised.value.partial is None

    def test_limits_of_unknown_kinds_alone_are_not_understood(self) -> None:
        with pytest.raises(BadResponse, match=r"Usage unavailable: .* kinds that are not understood"):
            usage({"type": "MOON_LIMIT", "percentage": 3})

    @pytest.mark.parametrize("data", ["x", {"limits": {}}, []])
    def test_limits_that_are_no_list_are_an_error(self, data: object) -> None:
        with pytest.raises(BadResponse):
            to_usage(Envelope(code=200, success=True, data=data), Extras(), NOW)

    def test_nothing_at_all_is_no_plan_of_a_person(self) -> None:
        nothing = Envelope.model_validate({"code": 200, "success": True, "data": None})
        with pytest.raises(Forbidden, match="no active coding plan"):
            to_usage(nothing, Extras(), NOW)
        with pytest.raises(BadResponse) as raised:
            to_usage(nothing, Extras(), NOW, team=True)
        assert "organizationId" in raised.value.hint

    def test_a_missing_member_is_not_understood(self) -> None:
        with pytest.raises(BadResponse):
            to_usage(Envelope.model_validate({"code": 200, "success": True}), Extras(), NOW)

    @pytest.mark.parametrize(
        ("data", "plan"), [({"plan": " ", "packageName": "Lite"}, "Lite"), ({"planName": "A", "level": "b"}, "A")]
    )
    def test_the_plan_is_the_first_that_is_named(self, data: dict[str, object], plan: str) -> None:
        assert usage(SESSION, **data).identity.plan == plan


class TestDetails:
    def test_quota_rows(self) -> None:
        calls = CALLS | {"usageDetails": [{"modelCode": "web-find", "usage": 7}, {"modelCode": None}]}
        found = usage(WEEK | {"percentage": 7.25}, SESSION, calls)
        assert found.row("Credit quota").value == "7.3% used"
        assert found.row("Session credit quota").secondary == "600 limit · 450 remaining"
        assert found.row("MCP quota").value == "20% used"
        assert found.row("web-find").value == "7"

    @pytest.mark.parametrize(
        ("moment", "rate", "change"),
        [
            (datetime(2030, 1, 2, 7, tzinfo=UTC), "Peak", "off-peak in 3h"),
            (datetime(2030, 1, 2, 10, tzinfo=UTC), "Off-peak", "peak in 20h"),
            (datetime(2030, 1, 4, 12, tzinfo=UTC), "Off-peak", "peak in 2d 18h"),
            (datetime(2030, 1, 5, 7, tzinfo=UTC), "Off-peak", "peak in 1d 23h"),
        ],
    )
    def test_credits_cost_more_at_peak(self, moment: datetime, rate: str, change: str) -> None:
        assert (rate_row(moment).value, rate_row(moment).secondary) == (rate, change)

    def test_tokens_have_no_rate(self) -> None:
        with pytest.raises(KeyError):
            usage(SESSION | {"type": "TOKENS_LIMIT"}).row("Quota rate")

    def test_history_drops_empty_bars_and_ranks_models(self) -> None:
        content = {
            "x_time": ["2030-01-01 08:00", "2030-01-01 09:00", "2030-01-01 10:00"],
            "modelDataList": [
                {"modelName": "demo-a", "tokensUsage": [5, None, -2]},
                {"modelName": "demo-b", "tokensUsage": [10, 0, 1500]},
            ],
        }
        section = history_section(parse_or_none(History, content), "Hourly tokens")
        assert section is not None
        assert section.chart is not None
        assert [(point.label, point.value) for point in section.chart.points] == [
            ("2030-01-01 08:00", 15),
            ("2030-01-01 10:00", 1500),
        ]
        assert [(row.label, row.value) for row in section.rows] == [("demo-b", "1.5K tokens"), ("demo-a", "5 tokens")]

    def test_nothing_used_is_no_chart(self) -> None:
        assert history_section(History(x_time=["2030-01-01"]), "Daily tokens") is None


class TestAnswers:
    def test_optional_calls_add_to_the_quota(self, vendor: Callable[[str], Vendor], read: Read) -> None:
        host = vendor("api.z.ai")
        host.get(QUOTA_PATH, bearer="k").answers_json(answer(SESSION, level="lite"))
        series = {"x_time": ["2030-01-01"], "modelDataList": [{"modelName": "demo", "tokensUsage": [4]}]}
        series["totalUsage"] = {"totalTokensUsage": 4}
        history = host.get("/api/monitor/usage/model-usage", bearer="k").answers(code=200, success=True, data=series)
        host.get("/api/biz/subscription/list").answers(code=200, success=True, data=[{"productName": "GLM Lite"}])
        found = read("zai", Z_AI_API_KEY="k")
        assert found.identity.plan == "GLM Lite"
        assert found.unread_limits == (), "sums of the history are no limit"
        assert [section.title for section in found.details] == ["Quota details", "Hourly tokens", "Daily tokens"]
        asked = [request.query for request in history.requests]
        assert all(query["startTime"].endswith(" 00:00:00") for query in asked)
        assert all(query["endTime"].endswith(":59:59") for query in asked)
        assert all("type" not in query for query in asked)

    def test_a_balance_is_asked_in_china_alone(self, vendor: Callable[[str], Vendor], read: Read) -> None:
        quiet(vendor("open.bigmodel.cn"), china=True).get(QUOTA_PATH, bearer="k").answers_json(answer(SESSION))
        report = vendor("www.bigmodel.cn").get("/api/biz/account/query-customer-account-report", bearer="k")
        report.answers(success=True, data={"balance": 3, "availableBalance": 2.5, "rechargeAmount": 9, "giveAmount": 0})
        found = read("zai", config={"region": "bigmodel-cn"}, GLM_API_KEY="k")
        assert found.row("Account balance").value == "¥2.50"
        assert found.row("Account balance").secondary == "recharged ¥9.00"
        assert found.balance("account").unit == "CNY"

    def test_a_balance_at_an_address_of_its_own_gets_no_team_ids(
        self, vendor: Callable[[str], Vendor], read: Read
    ) -> None:
        quiet(vendor("open.bigmodel.cn"), china=True).get(QUOTA_PATH).answers_json(answer(SESSION))
        ids: dict[str, str | None] = {"Bigmodel-Organization": None, "Bigmodel-Project": None}
        report = vendor("money.test").get("/b", bearer="t", headers=ids)
        report.answers(success=True, data={"balance": 9, "giveAmount": 1, "totalSpendAmount": 12.5})
        found = read(
            "zai", config={"region": "bigmodel-cn"}, account=TestTeams.ACCOUNT, Z_AI_BALANCE_URL="money.test/b"
        )
        assert found.row("Account balance").secondary == "granted ¥1.00 · spent ¥12.50"

    @pytest.mark.parametrize("body", [{}, {"success": True, "data": {}}, {"success": True, "data": {"balance": None}}])
    def test_an_empty_balance_leaves_the_quota(self, vendor: Any, read: Read, body: dict[str, object]) -> None:
        quiet(vendor("open.bigmodel.cn"), china=True).get(QUOTA_PATH).answers_json(answer(SESSION))
        vendor("www.bigmodel.cn").get("/api/biz/account/query-customer-account-report").answers_json(body)
        found = read("zai", config={"region": "bigmodel-cn", "apiKey": "k"})
        assert found.balances == ()
        assert found.window("session").used_percent == 25

    def test_a_failing_balance_leaves_the_quota(self, china: Vendor, read: Read) -> None:
        china.get(QUOTA_PATH).answers_json(answer(SESSION))
        assert read("zai", config={"region": "bigmodel-cn", "apiKey": "k"}).balances == ()

    def test_the_message_may_be_missing(self, world: Vendor, read: Read) -> None:
        world.get(QUOTA_PATH).answers(code=500, success=False)
        with pytest.raises(BadResponse):
            read("zai", Z_AI_API_KEY="k")

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (200, {"code": 500, "success": False, "msg": "No Coding Plan here"}),
            (200, {"code": 1113, "success": False}),
            (200, {"code": 400, "success": False, "msg": "Insufficient Balance"}),
            (429, {"code": 1113, "msg": "No resource package"}),
            (429, {"msg": "no active coding package"}),
        ],
    )
    def test_no_plan_is_no_credential_error(self, world: Vendor, read: Read, status: int, body: object) -> None:
        world.get(QUOTA_PATH).answers_json(body, status=status)
        with pytest.raises(Forbidden, match="no active coding plan") as raised:
            read("zai", Z_AI_API_KEY="k")
        assert raised.value.definite

    @pytest.mark.parametrize(
        ("body", "error"),
        [
            ({"code": 1000, "msg": "Authentication Failed"}, ExpiredCredential),
            ({"code": 401, "msg": "Unauthorized", "success": False}, ExpiredCredential),
            ({"code": 1002, "success": False}, ExpiredCredential),
            ({"code": 500, "success": False, "msg": "token expired or incorrect"}, ExpiredCredential),
            ({"code": 429, "success": False}, RateLimited),
            ({"code": 1302, "msg": "Rate limit reached"}, RateLimited),
            ({"code": 500, "success": False, "msg": "Operation failed"}, BadResponse),
            ({"code": 500, "success": True, "data": {"limits": [SESSION]}}, BadResponse),
        ],
    )
    def test_refusals_within_a_good_status(
        self, world: Vendor, read: Read, body: object, error: type[ReadError]
    ) -> None:
        world.get(QUOTA_PATH).answers_json(body)
        with pytest.raises(error):
            read("zai", Z_AI_API_KEY="k")

    @pytest.mark.parametrize(
        ("message", "told"), [("Operation failed", "code 500): Operation failed."), ("id 7f-key-00aa", "code 500).")]
    )
    def test_a_refusal_is_told_in_its_own_words(self, world: Vendor, read: Read, message: str, told: str) -> None:
        world.get(QUOTA_PATH).answers_json({"code": 500, "success": False, "msg": message})
        with pytest.raises(BadResponse) as raised:
            read("zai", Z_AI_API_KEY="k")
        assert raised.value.message.endswith(told)

    @pytest.mark.parametrize("code", [{}, {"code": 0}, {"code": None}, {"code": "200"}])
    def test_a_success_needs_no_code(self, world: Vendor, read: Read, code: dict[str, object]) -> None:
        world.get(QUOTA_PATH).answers_json({"success": True, "data": {"limits": [SESSION]}} | code)
        assert read("zai", Z_AI_API_KEY="k").window("session").used_percent == 25

    def test_a_balance_stands_beside_missing_limits(self, vendor: Callable[[str], Vendor], outcome: Run) -> None:
        quiet(vendor("open.bigmodel.cn"), china=True).get(QUOTA_PATH).answers_json(answer(level="lite"))
        report = vendor("www.bigmodel.cn").get("/api/biz/account/query-customer-account-report")
        report.answers(success=True, data={"balance": 3})
        seen = outcome("zai", config={"region": "bigmodel-cn"}, GLM_API_KEY="k")
        assert isinstance(seen.error, Unavailable)
        assert seen.usage is not None
        assert seen.usage.windows == ()
        assert seen.usage.balance("account").amount == 3
        assert (seen.usage.limits_unavailable, seen.usage.confidence) == (True, Confidence.UNKNOWN)

    @pytest.mark.parametrize("body", ["", "  "])
    def test_nothing_hints_at_the_region(self, world: Vendor, read: Read, body: str) -> None:
        world.get(QUOTA_PATH).answers_text(body)
        with pytest.raises(BadResponse) as raised:
            read("zai", Z_AI_API_KEY="k")
        assert "region" in raised.value.hint


class TestTeams:
    ACCOUNT = Account("Work", Secret("t"), usage_scope="team", organization_id="org-1", workspace_id="proj-1")

    def test_a_team_asks_with_its_ids(self, vendor: Callable[[str], Vendor], read: Read) -> None:
        host = vendor("api.z.ai")
        ids: dict[str, str | None] = {"Bigmodel-Organization": "org-1", "Bigmodel-Project": "proj-1"}
        quota = host.get(QUOTA_PATH, bearer="t", headers=ids, query={"type": "2"}).answers_json(answer(SESSION))
        history = host.get("/api/monitor/usage/model-usage", headers=ids).fails(500)
        read("zai", account=self.ACCOUNT, Z_AI_API_KEY="k")
        assert quota.count == 1
        assert [request.query["type"] for request in history.requests] == ["3", "3"]

    def test_team_variables_alone_leave_it_personal(self, world: Vendor, read: Read) -> None:
        route: Route = world.get(QUOTA_PATH, query={}, headers={"Bigmodel-Organization": None})
        route.answers_json(answer(SESSION))
        read("zai", Z_AI_API_KEY="k", Z_AI_BIGMODEL_ORGANIZATION="org-1", Z_AI_BIGMODEL_PROJECT="proj-1")

    @pytest.mark.parametrize(
        ("organization", "project", "named"),
        [(None, "p", "organizationId"), ("o", " ", "workspaceID"), ("o\no", "p", "organizationId")],
    )
    def test_unusable_ids_stop_before_any_request(
        self, read: Read, organization: str | None, project: str, named: str
    ) -> None:
        account = Account("Work", Secret("t"), usage_scope="team", organization_id=organization, workspace_id=project)
        with pytest.raises(Misconfigured, match=named):
            read("zai", account=account, Z_AI_BIGMODEL_ORGANIZATION="org-1", Z_AI_BIGMODEL_PROJECT="proj-1")

    def test_a_team_at_an_address_of_its_own_keeps_the_other_parameters(
        self, vendor: Callable[[str], Vendor], read: Read
    ) -> None:
        quota = vendor("quota.test").get("/q", query={"a": "1", "type": "2"}).answers_json(answer(SESSION))
        vendor("api.z.ai").get("/api/monitor/usage/model-usage").fails(500)
        read("zai", account=self.ACCOUNT, Z_AI_QUOTA_URL="https://quota.test/q?a=1&type=5")
        assert quota.count == 1

    def test_an_old_type_is_replaced(self) -> None:
        assert with_parameters("https://a.test/q?a=1&type=5&type=6", type="2") == "https://a.test/q?a=1&type=2"

    def test_doubled_ids_give_an_empty_answer(self, vendor: Callable[[str], Vendor], read: Read) -> None:
        host = vendor("api.z.ai")
        host.get("/api/monitor/usage/model-usage").fails(500)
        host.get(QUOTA_PATH).answers(code=200, success=True, data={})
        with pytest.raises(BadResponse) as raised:
            read("zai", account=self.ACCOUNT)
        assert "organizationId" in raised.value.hint


class TestKeysAndRegions:
    def test_the_config_key_wins(self, world: Vendor, read: Read) -> None:
        world.get(QUOTA_PATH, bearer="k").answers_json(answer(SESSION))
        read("zai", config={"apiKey": " 'k' "}, Z_AI_API_KEY="other")

    def test_a_pasted_bearer_is_taken_off(self, world: Vendor, read: Read) -> None:
        world.get(QUOTA_PATH, bearer="k").answers_json(answer(SESSION))
        read("zai", Z_AI_API_KEY="Bearer k")

    def test_chinese_keys_are_never_used_elsewhere(self, read: Read, home: Path) -> None:
        (home / ".config/zhipu").mkdir(parents=True)
        (home / ".config/zhipu/api_key").write_text("k")
        with pytest.raises(MissingCredential) as raised:
            read("zai", BIGMODEL_API_KEY="k", ZHIPU_API_KEY="k", ZHIPUAI_API_KEY="k", GLM_API_KEY="k")
        assert "BIGMODEL_API_KEY" in raised.value.message
        assert "bigmodel-cn" in raised.value.hint

    def test_a_locked_keyring_is_told(self, outcome: Any, keyring_entries: dict[tuple[str, str], str]) -> None:
        keyring_entries["quotaline", "zai"] = " "
        error = outcome("zai").error
        assert isinstance(error, MissingCredential)
        assert "keyring" in error.message

    def test_an_extra_key_of_the_same_region(self, world: Vendor, read: Read, home: Path) -> None:
        quota = world.get(QUOTA_PATH, bearer="k").answers_json(answer(SESSION))
        read("zai", Z_AI_API_KEY=" ", ZAI_API_KEY="k")
        (home / ".config/zai").mkdir(parents=True)
        (home / ".config/zai/key.json").write_text('{"key": "k"}')
        read("zai")
        assert quota.count == 2

    def test_an_account_replaces_every_other_key(self, world: Vendor, read: Read) -> None:
        quota = world.get(QUOTA_PATH, bearer="t", query={}).answers_json(answer(SESSION))
        read("zai", config={"apiKey": "k"}, account=Account("Home", Secret("t")), Z_AI_API_KEY="k")
        assert quota.count == 1

    def test_chinese_key_files(self, china: Vendor, read: Read, home: Path) -> None:
        for name, text in ((".coding-relay/glm-api-key", "\n \n"), (".config/bigmodel/api_key", "\n k \nrest")):
            (home / name).parent.mkdir(parents=True)
            (home / name).write_text(text)
        china.get(QUOTA_PATH, bearer="k").answers_json(answer(SESSION))
        read("zai", config={"region": "bigmodel-cn"})

    def test_the_vendors_helper_is_the_last_resort(self, china: Vendor, read: Read, home: Path) -> None:
        (home / ".chelper").mkdir()
        (home / ".chelper/config.yaml").write_text('plan: "glm_coding_plan_china"\napi_key: k\n')
        china.get(QUOTA_PATH, bearer="k").answers_json(answer(SESSION))
        read("zai")
        with pytest.raises(MissingCredential):
            read("zai", config={"region": "global"})

    def test_a_refused_key_in_one_file_does_not_hide_the_next(self, world: Vendor, read: Read, home: Path) -> None:
        for name, text in (
            (".config/zai/key.json", '{"key": "old"}'),
            (".chelper/config.yaml", "plan: x\napi_key: k\n"),
        ):
            (home / name).parent.mkdir(parents=True)
            (home / name).write_text(text)
        world.get(QUOTA_PATH, bearer="old").fails(401)
        world.get(QUOTA_PATH, bearer="k").answers_json(answer(SESSION))
        assert read("zai").windows

    def test_key_files_of_other_tools(self) -> None:
        assert key_in_json('{"apiKey": " ", "api_key": "k"}') == "k"
        assert key_in_json("k\n") == "k"
        assert key_in_json('{"broken') is None
        assert key_in_helper("plan: global\n") == (None, "global")

    def test_an_unknown_region_is_refused(self, read: Read) -> None:
        with pytest.raises(Misconfigured, match="region"):
            read("zai", config={"region": "mars"}, Z_AI_API_KEY="k")

    @pytest.mark.parametrize("name", ["Z_AI_QUOTA_URL", "Z_AI_API_HOST"])
    @pytest.mark.parametrize(
        ("region", "host"), [("bigmodel-cn", "https://API.z.ai/x"), ("global", "open.bigmodel.cn")]
    )
    def test_a_host_of_the_other_region_is_refused(self, read: Read, name: str, region: str, host: str) -> None:
        with pytest.raises(Misconfigured, match=name):
            read("zai", config={"region": region}, Z_AI_API_KEY="k", **{name: host})

    @pytest.mark.parametrize("name", ["Z_AI_QUOTA_URL", "Z_AI_API_HOST", "Z_AI_BALANCE_URL"])
    @pytest.mark.parametrize("address", ["http://glm.test", "https://u:p@glm.test", "https://glm%2etest"])
    def test_unsafe_addresses_are_refused(self, read: Read, name: str, address: str) -> None:
        with pytest.raises(Misconfigured, match=name):
            read("zai", Z_AI_API_KEY="k", **{name: address})

    def test_an_unused_bad_host_is_refused_too(self, read: Read) -> None:
        with pytest.raises(Misconfigured, match="Z_AI_API_HOST"):
            read("zai", Z_AI_API_KEY="k", Z_AI_QUOTA_URL="https://glm.test/q", Z_AI_API_HOST="http://glm.test")

    def test_the_chinese_host_alone_switches_the_region(self, china: Vendor, read: Read) -> None:
        china.get(QUOTA_PATH, bearer="k").answers_json(answer(SESSION))
        read("zai", ZHIPU_API_KEY="k", Z_AI_API_HOST="open.bigmodel.cn")

    def test_overridden_addresses(self, vendor: Callable[[str], Vendor], read: Read) -> None:
        quota = vendor("quota.test").get("/q", query={"a": "1"}).answers_json(answer(SESSION))
        vendor("glm.test").get("/api/monitor/usage/model-usage").fails(500)
        read("zai", Z_AI_API_KEY="k", Z_AI_QUOTA_URL="quota.test/q?a=1", Z_AI_API_HOST="glm.test/")
        assert quota.count == 1

    def test_a_path_of_the_host_is_used_as_it_is(self, vendor: Callable[[str], Vendor], read: Read) -> None:
        route = vendor("glm.test").get("/relay").answers_json(answer(SESSION))
        read("zai", Z_AI_API_KEY="k", Z_AI_API_HOST="https://glm.test/relay")
        assert route.count == 3
