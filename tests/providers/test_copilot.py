"""Copilot's quota: what GitHub sends, what becomes of it, and how a read can fail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from quotaline_providers.contract import Account
from quotaline_providers.errors import (
    BadResponse,
    Misconfigured,
    MissingCredential,
    RateLimited,
)
from quotaline_providers.model import Usage
from quotaline_providers.secret import Secret
from quotaline_providers.testing import NOW
from quotaline_providers.vendors.copilot.github import github_host
from quotaline_providers.vendors.copilot.mapping import to_usage
from quotaline_providers.vendors.copilot.payloads import UserAnswer

SEAT = {"entitlement": 0, "remaining": 0, "percent_remaining": 100}


def usage(**fields: Any) -> Usage:
    return to_usage(UserAnswer.model_validate(fields), NOW)


def buckets(**named: Any) -> Usage:
    return usage(quota_snapshots=named, token_based_billing=True)


def metered(left: float) -> dict[str, float]:
    return {"entitlement": 200, "remaining": 2 * left, "percent_remaining": left}


# --- what becomes of an answer ---------------------------------------------------------------------


def test_premium_and_chat_fill_the_two_lanes() -> None:
    seen = usage(
        copilot_plan="individual",
        quota_reset_date="2030-02-01",
        quota_snapshots={"premium_interactions": metered(30), "chat": metered(80)},
    )
    premium, chat = seen.lane("primary"), seen.lane("secondary")
    assert premium is not None
    assert chat is not None
    assert (premium.label, premium.used_percent, premium.used, premium.limit) == ("Premium", 70, 140, 200)
    assert (chat.label, chat.used_percent) == ("Chat", 20)
    assert premium.resets_at == datetime(2030, 2, 1, tzinfo=UTC)
    assert seen.identity.plan == "Individual"
    assert seen.identity.email is None


def test_a_missing_plan_is_unknown() -> None:
    assert buckets(chat=metered(10)).identity.plan == "Unknown"


def test_a_business_seat_with_zero_of_zero_has_a_plan_and_no_window() -> None:
    seen = usage(
        copilot_plan="business",
        token_based_billing=True,
        quota_snapshots={"premium_interactions": SEAT, "chat": SEAT, "completions": SEAT},
    )
    assert seen.windows == ()
    assert seen.identity.plan == "Business"


def test_a_business_seat_that_is_not_token_based_is_not_understood() -> None:
    with pytest.raises(BadResponse):
        usage(quota_snapshots={"premium_interactions": SEAT, "chat": SEAT})


def test_a_business_seat_shows_the_credits_it_used() -> None:
    seen = buckets(premium_interactions={**SEAT, "credits_used": "12.5"})
    assert seen.windows == ()
    assert seen.row("Credits used").value == "12.5"


def test_no_credits_used_is_shown_as_zero() -> None:
    seen = usage(
        token_based_billing=True,
        quota_reset_date="2030-02-01",
        quota_snapshots={"premium_interactions": {**SEAT, "credits_used": 0}},
    )
    assert (seen.row("Credits used").value, seen.row("Credits used").secondary) == ("0", "Resets 2030-02-01")


def test_credits_of_chat_are_shown_when_premium_has_none() -> None:
    assert buckets(chat={**SEAT, "credits_used": 3}).row("Credits used").value == "3"


def test_an_unlimited_business_seat_has_a_plan_and_no_window() -> None:
    seen = usage(quota_snapshots={"premium_interactions": {**SEAT, "unlimited": True}})
    assert seen.windows == ()


def test_counts_beside_a_business_seat_fill_the_lanes() -> None:
    seen = usage(
        quota_snapshots={"premium_interactions": {**SEAT, "credits_used": 4}, "chat": SEAT},
        monthly_quotas={"chat": 50, "completions": "2000"},
        limited_user_quotas={"chat": 40, "completions": "500"},
        limited_user_reset_date="2030-01-20",
    )
    assert seen.window("premium").used_percent == 75
    assert seen.window("chat").used_percent == pytest.approx(20)
    assert seen.window("chat").resets_at == datetime(2030, 1, 20, tzinfo=UTC)
    assert seen.row("Credits used").value == "4"


def test_unlimited_with_zero_percent_is_no_window() -> None:
    seen = usage(quota_snapshots={"chat": {"unlimited": True, "percent_remaining": 0}})
    assert seen.windows == ()


def test_counts_win_over_an_unlimited_bucket_and_keep_its_credits() -> None:
    seen = usage(
        quota_snapshots={"chat": {"unlimited": True, "credits_used": 7}},
        monthly_quotas={"chat": 10},
        limited_user_quotas={"chat": 5},
    )
    assert seen.window("chat").used_percent == 50
    assert seen.row("Credits used").value == "7"


def test_a_metered_bucket_wins_over_counts() -> None:
    seen = usage(quota_snapshots={"chat": metered(90)}, monthly_quotas={"chat": 10}, limited_user_quotas={"chat": 5})
    assert seen.window("chat").used_percent == 10


@pytest.mark.parametrize("name", ["chat", "chat_messages", "something_new"])
def test_one_bucket_alone_fills_the_chat_lane(name: str) -> None:
    seen = usage(quota_snapshots={name: metered(35)})
    assert seen.lane("primary") is None
    assert seen.window("chat").lane == "secondary"
    assert seen.window("chat").used_percent == 65


@pytest.mark.parametrize("name", ["premium_models", "completions", "code_review"])
def test_a_bucket_named_like_premium_fills_the_premium_lane(name: str) -> None:
    seen = usage(quota_snapshots={name: metered(35), "chat": metered(50)})
    assert seen.window("premium").used_percent == 65


def test_completions_beside_both_lanes_are_an_extra_window() -> None:
    seen = usage(quota_snapshots={"premium_interactions": metered(1), "chat": metered(2), "completions": metered(3)})
    assert seen.window("completions").lane is None
    assert seen.window("completions").used_percent == 97


def test_chat_blocks_the_account_only_where_it_is_all_there_is() -> None:
    seen = buckets(premium_interactions=metered(50), chat=metered(50), completions=metered(50))
    assert [(window.id, window.blocks) for window in seen.windows] == [
        ("premium", True),
        ("chat", False),
        ("completions", False),
    ]
    assert buckets(chat=metered(50)).window("chat").blocks is True


def test_an_empty_bucket_is_no_window() -> None:
    assert [
        window.id for window in usage(quota_snapshots={"premium_interactions": {}, "chat": metered(5)}).windows
    ] == ["chat"]


def test_over_quota_is_shown_as_more_than_all() -> None:
    seen = usage(quota_snapshots={"premium_interactions": {"entitlement": 100, "percent_remaining": -15}})
    assert seen.window("premium").used_percent == 115
    assert seen.window("premium").description == "115% used"


def test_percent_left_never_makes_use_negative() -> None:
    assert usage(quota_snapshots={"chat": {"percent_remaining": 130}}).window("chat").used_percent == 0


@pytest.mark.parametrize("bucket", [{"entitlement": 50}, {"remaining": 50}, {"entitlement": 0, "remaining": 3}])
def test_half_a_bucket_is_no_window(bucket: dict[str, int]) -> None:
    assert buckets(premium_interactions=bucket).windows == ()


def test_half_a_bucket_leaves_its_lane_to_another() -> None:
    assert buckets(premium_interactions={"entitlement": 50}, premium_models=metered(20)).window("premium").used == 160


@pytest.mark.parametrize(
    "bucket",
    [{"entitlement": -1}, {"remaining": -1}, {"entitlement": 0, "remaining": -1}, {"entitlement": -1, "remaining": -1}],
)
def test_minus_one_means_unlimited(bucket: dict[str, int]) -> None:
    assert usage(quota_snapshots={"premium_interactions": {"percent_remaining": 50, **bucket}}).windows == ()


@pytest.mark.parametrize("more", [{"percent_remaining": -0.333, "unlimited": False}, {}])
def test_one_left_less_than_none_of_a_limit_is_one_over_it(more: dict[str, float]) -> None:
    window = buckets(premium_interactions={"entitlement": 300, "remaining": -1, **more}).window("premium")
    assert window.used_percent == pytest.approx(100.333, abs=0.001)
    assert (window.used, window.limit, window.exhausted) == (301, 300, True)


def test_a_month_of_nothing_gives_no_lane() -> None:
    with pytest.raises(BadResponse):
        usage(monthly_quotas={"chat": 0}, limited_user_quotas={"chat": 0})


def test_counts_are_held_between_none_and_all() -> None:
    seen = usage(monthly_quotas={"chat": 10, "completions": 10}, limited_user_quotas={"chat": 14, "completions": -2})
    assert (seen.window("chat").used_percent, seen.window("premium").used_percent) == (0, 100)


def test_numbers_may_come_as_text() -> None:
    assert usage(quota_snapshots={"chat": {"entitlement": "80", "remaining": "20"}}).window("chat").used_percent == 75


@pytest.mark.parametrize("date", ["", None, "soon"])
def test_an_empty_reset_date_is_none(date: str | None) -> None:
    assert usage(quota_reset_date=date, quota_snapshots={"chat": metered(1)}).window("chat").resets_at is None


def test_a_reset_date_may_have_a_fraction() -> None:
    seen = usage(quota_reset_date="2030-02-01T00:00:00.250Z", quota_snapshots={"chat": metered(1)})
    assert seen.window("chat").resets_at == datetime(2030, 2, 1, 0, 0, 0, 250000, tzinfo=UTC)


@pytest.mark.parametrize("broken", ["text", 5, None, [1], {"entitlement": {"a": 1}, "remaining": []}])
def test_a_malformed_bucket_does_not_break_its_siblings(broken: object) -> None:
    assert (
        usage(quota_snapshots={"premium_interactions": broken, "chat": metered(40)}).window("chat").used_percent == 60
    )


def test_overage_is_shown_when_it_is_permitted() -> None:
    extra = {"overage_count": 8, "overage_permitted": True}
    assert buckets(premium_interactions={**metered(0), **extra}).row("Extra usage").value == "8"
    with pytest.raises(KeyError):
        buckets(premium_interactions={**metered(0), **extra, "overage_permitted": False}).row("Extra usage")


def test_used_up_requests_do_not_stop_the_account_where_more_may_be_paid_for() -> None:
    over = {**metered(0), "overage_permitted": True}
    assert buckets(premium_interactions=over).window("premium").blocks is False
    assert buckets(premium_interactions={**over, "overage_permitted": False}).window("premium").blocks is True
    assert buckets(premium_interactions={**over, **metered(1)}).window("premium").blocks is True


def test_messages_block_the_account_only_where_there_is_nothing_else() -> None:
    both = usage(quota_snapshots={"premium_interactions": metered(60), "chat": metered(20)})
    assert [window.id for window in both.windows if window.blocks] == ["premium"]
    assert [window.id for window in usage(quota_snapshots={"chat": metered(20)}).windows if window.blocks] == ["chat"]


# --- the installation ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "api"),
    [
        (None, "api.github.com"),
        ("  ", "api.github.com"),
        ("GitHub.com.", "api.github.com"),
        ("https://octo.example/login?x=1", "api.octo.example"),
        ("octo.example:8443/path", "api.octo.example:8443"),
        ("https://me@octo.example", "api.octo.example"),
        ("api.octo.example", "api.octo.example"),
        (".octo.example.", "api.octo.example"),
    ],
)
def test_an_enterprise_host_is_brought_to_one_spelling(setting: str | None, api: str) -> None:
    assert github_host(setting).api == api


@pytest.mark.parametrize("setting", ["octo example", "octo.example\\@evil.example", "octo.example:port", "-", "a%2fb"])
def test_a_host_that_is_none_is_refused(setting: str) -> None:
    with pytest.raises(Misconfigured):
        github_host(setting)


# --- reads -----------------------------------------------------------------------------------------

USER = "/copilot_internal/user"


def test_a_read_shows_itself_as_an_editor(vendor: Any, read: Any) -> None:
    route = vendor("api.github.com").get(USER, headers={"Authorization": "token k", "Editor-Version": "vscode/1.96.2"})
    route.answers(quota_snapshots={"chat": metered(25)})
    seen = read("copilot", COPILOT_API_TOKEN=' "k" ')
    assert seen.window("chat").used_percent == 75
    assert seen.source == "api"
    assert route.requests[0].headers["x-github-api-version"] == "2025-04-01"


def test_the_labelled_account_wins_over_config_and_environment(vendor: Any, read: Any) -> None:
    vendor("api.github.com").get(USER, headers={"Authorization": "token mine"}).answers(
        quota_snapshots={"chat": metered(25)}
    )
    account = Account("Work", Secret("mine"), external_identifier="github:user:999")
    assert read("copilot", account=account, config={"apiKey": "other"}, COPILOT_API_TOKEN="third").windows


def test_config_wins_over_the_environment(vendor: Any, read: Any) -> None:
    vendor("api.github.com").get(USER, headers={"Authorization": "token mine"}).answers(
        quota_snapshots={"chat": metered(25)}
    )
    assert read("copilot", config={"apiKey": "mine"}, COPILOT_API_TOKEN="third").windows


def test_an_enterprise_token_goes_to_the_enterprise(vendor: Any, read: Any) -> None:
    vendor("api.octo.example").get(USER).answers(quota_snapshots={"chat": metered(25)})
    assert read("copilot", config={"enterpriseHost": "https://octo.example/x"}, COPILOT_API_TOKEN="k").windows


def test_a_host_with_blanks_is_an_error_and_no_request(simulator: Any, read: Any) -> None:
    with pytest.raises(Misconfigured):
        read("copilot", config={"enterpriseHost": "octo example"}, COPILOT_API_TOKEN="k")


def test_no_token_is_a_missing_credential(read: Any) -> None:
    with pytest.raises(MissingCredential) as raised:
        read("copilot")
    assert "sign-in" in raised.value.hint


def test_a_used_up_request_quota_is_a_rate_limit(vendor: Any, read: Any, clock: Any) -> None:
    end = clock.now + timedelta(minutes=20)
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(end.timestamp()))}
    vendor("api.github.com").get(USER).fails(403, headers)
    with pytest.raises(RateLimited) as raised:
        read("copilot", COPILOT_API_TOKEN="k")
    assert raised.value.until == end


@pytest.mark.parametrize("body", ["[]", "not json", "{}"])
def test_an_answer_that_is_no_quota_is_not_understood(vendor: Any, read: Any, body: str) -> None:
    vendor("api.github.com").get(USER).answers_text(body)
    with pytest.raises(BadResponse):
        read("copilot", COPILOT_API_TOKEN="k")


# --- the organisation ------------------------------------------------------------------------------

SUMMARY = "/orgs/{}/settings/billing/usage/summary"
ITEMS = [
    {"product": "Copilot", "unitType": "AI-Credits", "grossQuantity": 30, "netAmount": 1.25},
    {"product": "copilot", "unitType": "ai-units", "grossQuantity": 12, "netAmount": -4},
    {"product": "actions", "unitType": "minutes", "grossQuantity": 900, "netAmount": 9},
]


def seat(vendor: Any) -> Any:
    host = vendor("api.github.com")
    host.get(USER).answers(token_based_billing=True, copilot_plan="business")
    return host


def test_a_seat_without_window_shows_its_organisation(vendor: Any, read: Any) -> None:
    host = seat(vendor)
    orgs = host.get("/user/orgs", query={"per_page": "100"}).answers_json([{"login": "first"}, {"login": "second"}])
    host.get(SUMMARY.format("first")).fails(403)
    host.get(SUMMARY.format("second"), headers={"X-GitHub-Api-Version": "2022-11-28"}).answers(usageItems=ITEMS)
    seen = read("copilot", COPILOT_API_TOKEN="k")
    assert seen.spend("organization").used == Decimal("1.25")
    assert seen.row("Organisation credits used").value == "42"
    assert read("copilot", COPILOT_API_TOKEN="k").spends
    assert orgs.count == 1


def test_a_busy_billing_service_keeps_the_remembered_organisation(vendor: Any, read: Any) -> None:
    host = seat(vendor)
    orgs = host.get("/user/orgs").answers_json([{"login": "first"}])
    host.get(SUMMARY.format("first")).answers(usageItems=ITEMS).fails(503).answers(usageItems=ITEMS)
    assert [bool(read("copilot", COPILOT_API_TOKEN="k").spends) for _ in range(3)] == [True, False, True]
    assert orgs.count == 1


def test_no_organisation_to_see_is_normal_and_asked_again_only_later(vendor: Any, read: Any, clock: Any) -> None:
    host = seat(vendor)
    orgs = host.get("/user/orgs").answers_json([{"login": "first"}])
    host.get(SUMMARY.format("first")).fails(404)
    assert read("copilot", COPILOT_API_TOKEN="k").spends == ()
    assert read("copilot", COPILOT_API_TOKEN="k").spends == ()
    assert orgs.count == 1
    clock.advance(timedelta(hours=2))
    read("copilot", COPILOT_API_TOKEN="k")
    assert orgs.count == 2
