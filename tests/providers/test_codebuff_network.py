"""Codebuff's network half: balance, weekly limit, where the token comes from, and what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from quotaline_providers.access.endpoints import endpoint
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Misconfigured,
    MissingCredential,
    RateLimited,
    Unavailable,
)
from quotaline_providers.model import Usage
from quotaline_providers.testing import NOW, Read, Route, Vendor
from quotaline_providers.vendors.codebuff import api
from quotaline_providers.vendors.codebuff.credentials import login_token
from quotaline_providers.vendors.codebuff.mapping import to_usage
from quotaline_providers.vendors.codebuff.payloads import SubscriptionAnswer, UsageAnswer

HOST = "www.codebuff.com"


@pytest.fixture
def balance(vendor: Callable[[str], Vendor]) -> Route:
    """The balance endpoint, which accepts the token `k`."""
    return vendor(HOST).post("/api/v1/usage", bearer="k", headers={"Accept": "application/json"})


@pytest.fixture
def subscription(vendor: Callable[[str], Vendor]) -> Route:
    """The subscription endpoint, which accepts the token `k`."""
    return vendor(HOST).get("/api/user/subscription", bearer="k")


@pytest.fixture
def login(home: Path) -> Path:
    """A CLI login with the token `k`."""
    path = home / ".config" / "manicode" / "credentials.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"default": {"authToken": " 'k' ", "email": "demo@example.test"}}))
    return path


def usage(answer: dict[str, object], subscription: dict[str, object] | None = None) -> Usage:
    plan = None if subscription is None else SubscriptionAnswer.model_validate(subscription)
    return to_usage(UsageAnswer.model_validate(answer), plan, NOW)


class TestCredits:
    def test_used_of_the_quota(self) -> None:
        found = usage({"usage": 30, "quota": 120, "remainingBalance": 90, "next_quota_reset": "2030-02-03T00:00:00.5Z"})
        window = found.window("credits")
        assert (window.used_percent, window.used, window.limit, window.unit) == (25, 30, 120, "credits")
        assert (window.lane, window.minutes) == ("primary", None)
        assert window.resets_at == datetime(2030, 2, 3, 0, 0, 0, 500_000, UTC)
        assert found.balance("credits").amount == Decimal(90)

    def test_without_a_quota_used_and_remaining_make_it(self) -> None:
        assert usage({"type": "usage-response", "usage": 30, "remainingBalance": 90}).window("credits").limit == 120

    def test_used_may_follow_from_quota_and_remaining(self) -> None:
        assert usage({"limit": 200, "remaining": 150}).window("credits").used_percent == 25

    def test_older_names_and_numbers_as_text(self) -> None:
        assert usage({"used": " 5 ", "limit": "20", "remaining": "15"}).window("credits").used_percent == 25

    @pytest.mark.parametrize("answer", [{"usage": 7}, {"remainingBalance": 7}, {"quota": 0, "remainingBalance": 7}])
    def test_an_unknown_quota_is_kept_visible_at_100_percent_but_alarms_nobody(self, answer: dict[str, object]) -> None:
        found = usage(answer)
        assert found.window("credits").used_percent == 100
        assert not found.window("credits").exhausted
        assert found.window("credits").blocks is False
        assert found.row("Quota").value == "unknown"

    def test_what_is_used_of_an_unknown_quota_is_the_short_text(self) -> None:
        found = usage({"usage": 30, "remainingBalance": None})
        assert (found.short_text, found.row("Credits").value) == ("30 credits used", "30 credits used")
        assert usage({"usage": 30, "remainingBalance": 4}).short_text is None

    @pytest.mark.parametrize("answer", [{}, {"usage": None}, {"usage": "NaN", "quota": ""}])
    def test_no_credit_field_is_no_window(self, answer: dict[str, object]) -> None:
        assert usage(answer).windows == ()

    def test_use_above_the_quota_is_all_of_it(self) -> None:
        assert usage({"usage": 50, "quota": 40}).window("credits").used_percent == 100

    @pytest.mark.parametrize("moment", [1_900_000_000, "1900000000", 1_900_000_000_000])
    def test_resets_may_be_epochs(self, moment: object) -> None:
        window = usage({"usage": 1, "quota": 2, "next_quota_reset": moment}).window("credits")
        assert window.resets_at == datetime.fromtimestamp(1_900_000_000, UTC)

    def test_the_balance_never_stands_in_for_a_reset(self) -> None:
        window = usage({"usage": 1, "remainingBalance": 2, "next_quota_reset": None}).window("credits")
        assert (window.resets_at, window.description) == (None, None)

    def test_what_the_balance_is_made_of(self) -> None:
        found = usage({"remainingBalance": 170, "balanceBreakdown": {"free": 20, "paid": 150}})
        assert (found.row("Free credits").value, found.row("Paid credits").value) == ("20", "150")

    @pytest.mark.parametrize(("topped_up", "blocks"), [(True, False), (False, True), (None, True)])
    def test_without_credits_nothing_more_can_be_used_unless_more_are_bought_automatically(
        self, topped_up: bool | None, blocks: bool
    ) -> None:
        found = usage({"usage": 4, "quota": 4, "autoTopupEnabled": topped_up})
        rows = {row.label: row.value for section in found.details for row in section.rows}
        assert rows.get("Auto top-up") == {True: "on", False: "off", None: None}[topped_up]
        assert found.window("credits").blocks is blocks


class TestSubscription:
    def test_weekly_limit_plan_and_person(self) -> None:
        found = usage(
            {"usage": 1, "remainingBalance": 1234.6, "auto_topup_enabled": True},
            {
                "displayName": "team plan",
                "user": {"email": "demo@example.test"},
                "subscription": {"status": "active", "tier": 100, "currentPeriodEnd": "2030-02-10T00:00:00Z"},
                "rateLimit": {"used": 90, "limit": 600, "weeklyResetsAt": "2030-01-08T00:00:00Z"},
            },
        )
        weekly = found.window("weekly")
        assert (weekly.used_percent, weekly.minutes, weekly.lane) == (15, 10080, "secondary")
        assert weekly.blocks
        assert weekly.resets_at == datetime(2030, 1, 8, tzinfo=UTC)
        assert found.identity.login_method == "Team Plan · 1,235 remaining · auto top-up"
        assert found.identity.email == "demo@example.test"
        assert found.row("Subscription").value == "Active"
        assert found.row("Billing period ends").value == "2030-02-10"

    def test_small_balances_keep_one_decimal(self) -> None:
        assert usage({"remainingBalance": 12.34}).identity.login_method == "12.3 remaining"

    @pytest.mark.parametrize("limit", [None, 0, -5])
    def test_no_weekly_window_without_a_limit(self, limit: object) -> None:
        assert usage({}, {"rateLimit": {"weeklyUsed": 4, "weeklyLimit": limit}}).windows == ()

    @pytest.mark.parametrize(
        ("reason", "words"),
        [("weekly_limit", "weekly limit reached"), ("new_rule", "new rule"), (None, "rate limit reached")],
    )
    def test_the_vendors_own_word_that_a_limit_is_reached(self, reason: str | None, words: str) -> None:
        resets = "2030-01-08T00:00:00Z"
        seen = usage({}, {"rateLimit": {"limited": True, "reason": reason, "weeklyResetsAt": resets}})
        assert seen.blocked is not None
        assert seen.blocked.reason == words
        assert (seen.blocked.until is not None) == (reason == "weekly_limit")
        assert usage({}, {"rateLimit": {"limited": False, "reason": reason}}).blocked is None

    def test_credits_pay_on_when_the_plans_limits_are_reached(self) -> None:
        reached: dict[str, object] = {
            "rateLimit": {"weeklyUsed": 9, "weeklyLimit": 9, "limited": True, "reason": "weekly_limit"}
        }
        paid = usage({"remainingBalance": 5}, reached)
        assert (paid.window("weekly").blocks, paid.blocked) == (False, None)
        assert usage({"remainingBalance": 0}, reached).window("weekly").blocks is True

    def test_a_short_block_is_an_extra_window(self) -> None:
        window = usage(
            {}, {"rateLimit": {"blockUsed": 5, "blockLimit": 20}, "limits": {"blockDurationHours": 5}}
        ).window("block")
        assert (window.used_percent, window.minutes, window.lane) == (25, 300, None)
        assert window.blocks

    @pytest.mark.parametrize("part", [None, "none", [1]])
    def test_a_malformed_part_does_not_spoil_the_others(self, part: object) -> None:
        found = usage({}, {"subscription": part, "rateLimit": part, "email": "demo@example.test", "tier": "pro"})
        assert (found.identity.email, found.identity.login_method) == ("demo@example.test", "Pro")

    @pytest.mark.parametrize(
        ("answer", "label"),
        [
            ({"displayName": "b", "subscription": {"displayName": "a", "tier": "c"}}, "a"),
            ({"displayName": " ", "tier": "d", "subscription": {"tier": "c"}}, "c"),
            ({"subscription": {"scheduledTier": 200.0}}, "200"),
            ({"tier": 123456789012345678901234}, "123456789012345678901234"),
            ({"hasSubscription": False}, None),
        ],
    )
    def test_the_tier_is_the_first_that_is_named(self, answer: dict[str, object], label: str | None) -> None:
        assert SubscriptionAnswer.model_validate(answer).label == label

    def test_is_asked_only_with_the_clis_own_login(
        self, read: Read, balance: Route, subscription: Route, login: Path
    ) -> None:
        balance.answers(usage=1, remainingBalance=3)
        subscription.answers(displayName="Pro")
        found = read("codebuff")
        assert found.identity.login_method == "Pro · 3 remaining"
        assert balance.requests[0].json["fingerprintId"]

    def test_is_not_asked_with_a_key(self, read: Read, balance: Route, subscription: Route, login: Path) -> None:
        balance.answers(usage=1, remainingBalance=3)
        read("codebuff", CODEBUFF_API_KEY="k")
        assert subscription.count == 0

    def test_refused_is_no_failure(self, read: Read, balance: Route, subscription: Route, login: Path) -> None:
        balance.answers(usage=1, remainingBalance=3)
        subscription.fails(401)
        assert read("codebuff").window("credits").used_percent == 25

    @pytest.mark.parametrize("body", ["no json", "[]"])
    def test_garbled_is_no_failure(
        self, read: Read, balance: Route, subscription: Route, login: Path, body: str
    ) -> None:
        balance.answers(usage=1, remainingBalance=3)
        subscription.answers_text(body)
        assert read("codebuff").window("credits").used_percent == 25

    def test_too_late_is_left_out(
        self, read: Read, balance: Route, subscription: Route, login: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(api, "SUBSCRIPTION_WAIT", 0.05)
        balance.answers(usage=1, remainingBalance=3)
        subscription.delays(5).answers(displayName="Pro")
        assert read("codebuff").identity.login_method == "3 remaining"


class TestToken:
    def test_environment_wins_over_config_and_file(self, read: Read, balance: Route, login: Path) -> None:
        login.write_text('{"authToken": "other"}')
        balance.answers()
        assert read("codebuff", config={"apiKey": "third"}, CODEBUFF_API_KEY=' "k" ').windows == ()

    def test_config_wins_over_the_file(self, read: Read, balance: Route, login: Path) -> None:
        login.write_text('{"authToken": "other"}')
        balance.answers()
        assert read("codebuff", config={"apiKey": "k"}).windows == ()
        assert balance.count == 1

    @pytest.mark.parametrize(
        ("text", "token"),
        [
            ('{"default": {"authToken": "a"}, "authToken": "b"}', "a"),
            ('{"default": {"authToken": "  "}, "authToken": "b"}', "b"),
            ('{"default": null, "authToken": "b"}', "b"),
            ('{"default": {"authToken": 5}}', None),
            ("[]", None),
            ("{", None),
        ],
    )
    def test_of_the_login_file(self, text: str, token: str | None) -> None:
        assert login_token(text) == token

    def test_blank_or_absent_is_missing(self, read: Read) -> None:
        with pytest.raises(MissingCredential) as caught:
            read("codebuff", CODEBUFF_API_KEY="  ")
        assert "codebuff login" in caught.value.hint

    def test_source_api_says_what_is_missing(self, read: Read, home: Path) -> None:
        (home / ".config" / "manicode").mkdir(parents=True)
        with pytest.raises(MissingCredential, match="No API key"):
            read("codebuff", source="api")


class TestFailures:
    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (401, ExpiredCredential),
            (403, ExpiredCredential),
            (404, BadResponse),
            (429, RateLimited),
            (418, BadResponse),
            (204, BadResponse),
            (503, Unavailable),
        ],
    )
    def test_each_status_has_its_kind(self, read: Read, balance: Route, status: int, error: type[Exception]) -> None:
        balance.fails(status)
        with pytest.raises(error):
            read("codebuff", CODEBUFF_API_KEY="k")

    @pytest.mark.parametrize("body", ["[]", "nonsense", "<html></html>"])
    def test_no_json_object_is_a_bad_response(self, read: Read, balance: Route, body: str) -> None:
        balance.answers_text(body)
        with pytest.raises(BadResponse):
            read("codebuff", CODEBUFF_API_KEY="k")

    def test_a_cut_connection_is_unavailable(self, read: Read, balance: Route) -> None:
        balance.misbehaves("cut")
        with pytest.raises(Unavailable):
            read("codebuff", CODEBUFF_API_KEY="k")

    def test_a_redirect_to_another_host_is_not_followed(self, read: Read, balance: Route) -> None:
        balance.redirects("https://elsewhere.test/")
        with pytest.raises(BadResponse):
            read("codebuff", CODEBUFF_API_KEY="k")

    def test_the_codes_are_told(self, read: Read, balance: Route) -> None:
        balance.fails(502)
        with pytest.raises(Unavailable, match="502"):
            read("codebuff", CODEBUFF_API_KEY="k")


class TestOverride:
    @pytest.mark.parametrize(
        ("value", "host", "path"),
        [
            ("credits.test", "credits.test", "/api/v1/usage"),
            ("'https://credits.test/prefix/'", "credits.test", "/prefix/api/v1/usage"),
        ],
    )
    def test_a_host_or_address_is_used(
        self, read: Read, vendor: Callable[[str], Vendor], value: str, host: str, path: str
    ) -> None:
        route = vendor(host).post(path, bearer="k").answers(usage=1, quota=4)
        assert read("codebuff", CODEBUFF_API_KEY="k", CODEBUFF_API_URL=value).window("credits").used_percent == 25
        assert route.count == 1

    def test_a_bare_host_may_have_a_port(self) -> None:
        assert endpoint("host.test:8443", api.OVERRIDE) == "https://host.test:8443"

    @pytest.mark.parametrize(
        "value",
        [
            "http://host.test",
            "http://127.0.0.1",
            "ftp://host.test",
            "https://user@host.test",
            "https://host%2ftest",
            "https://host%40test",
            "https://ho st.test",
            "https://host.test?x=1",
        ],
    )
    def test_an_unsafe_one_is_refused_before_any_request(self, read: Read, balance: Route, value: str) -> None:
        with pytest.raises(Misconfigured, match="CODEBUFF_API_URL"):
            read("codebuff", CODEBUFF_API_KEY="k", CODEBUFF_API_URL=value)
        assert balance.count == 0
