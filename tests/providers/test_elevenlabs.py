"""ElevenLabs: characters, voices, and keys that may not read them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from quotaline_providers.contract import Account
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    Misconfigured,
)
from quotaline_providers.model import Usage
from quotaline_providers.secret import Secret
from quotaline_providers.testing import NOW, Read
from quotaline_providers.vendors.elevenlabs import Subscription, plan_text, to_usage

COUNTS: dict[str, object] = {"character_count": 2500, "character_limit": 10000}


def of(**fields: object) -> Usage:
    return to_usage(Subscription.model_validate(COUNTS | fields), NOW)


@pytest.fixture
def route(vendor: Any) -> Any:
    expected = {"xi-api-key": "k", "authorization": None, "accept": "application/json"}
    return vendor("api.elevenlabs.io").get("/v1/user/subscription", headers=expected)


def test_a_whole_subscription(route: Any, read: Read) -> None:
    voices = {"voice_slots_used": 2, "voice_limit": 8, "professional_voice_slots_used": 3}
    more = {"professional_voice_limit": 2, "next_character_count_reset_unix": 1894000000}
    route.answers(**COUNTS, **voices, **more, tier="growing_business", status="past_due")
    usage = read("elevenlabs", ELEVENLABS_API_KEY=" 'k'\n")
    credits = usage.window("credits")
    assert (credits.lane, credits.used_percent, credits.description) == ("primary", 25, "2,500 / 10,000 credits")
    assert credits.resets_at == datetime.fromtimestamp(1894000000, UTC)
    assert (usage.window("voice-slots").used_percent, usage.window("voice-slots").description) == (25, "2 / 8")
    assert usage.window("professional-voices").used_percent == 100
    assert usage.window("voice-slots").lane is None
    assert [window.blocks for window in usage.windows] == [True, False, False]
    assert usage.row("Remaining").value == "7,500 credits"
    assert usage.identity.plan == "Growing Business · past_due"


def test_counts_alone_are_enough() -> None:
    usage = of()
    assert [window.id for window in usage.windows] == ["credits"]
    assert (usage.identity.plan, usage.windows[0].resets_at, usage.windows[0].minutes) == (None, None, None)


@pytest.mark.parametrize(("count", "limit", "percent"), [(12_000, 10_000, 100), (5, 0, 0), (-5, 10, 0)])
def test_percentages_are_clamped(count: int, limit: int, percent: float) -> None:
    window = of(character_count=count, character_limit=limit).window("credits")
    assert window.used_percent == percent
    assert window.description == f"{count:,} / {limit:,} credits"


def test_voices_without_a_limit_are_left_out() -> None:
    assert len(of(professional_voice_slots_used=0, professional_voice_limit=0, voice_limit=3).windows) == 1


@pytest.mark.parametrize("reset", [None, 1, 0, "x"])
def test_a_reset_that_is_over_gives_no_countdown(reset: object) -> None:
    assert of(next_character_count_reset_unix=reset).window("credits").resets_at is None


def test_overage_and_invoice_are_shown() -> None:
    invoice = {"amount_due_cents": 1250, "next_payment_attempt_unix": 1894000000}
    usage = of(current_overage={"amount": "3.5", "currency": "eur"}, next_invoice=invoice, currency="eur")
    assert (usage.row("Overage").value, usage.row("Next invoice").value) == ("€3.50", "€12.50")
    assert usage.row("Next invoice").secondary == "2030-01-07"
    assert usage.spend("overage").unit == "EUR"
    assert of(current_overage={"amount": "0", "currency": "usd"}).spends == ()


def test_a_monthly_period_has_a_length() -> None:
    assert of(character_refresh_period="monthly_period").window("credits").minutes == 43200


def test_plans() -> None:
    assert plan_text("free", "free") == "Free · free"
    assert plan_text("free", "Active") == "Free"
    assert plan_text(None, "trialing") == "trialing"
    assert plan_text(None, None) is None


@pytest.mark.parametrize("override", ["proxy.test", "https://proxy.test/v1/", "https://proxy.test/v1"])
def test_the_address_may_be_overridden(vendor: Any, read: Read, override: str) -> None:
    vendor("proxy.test").get("/v1/user/subscription", headers={"xi-api-key": "k"}).answers(**COUNTS)
    read("elevenlabs", XI_API_KEY="k", ELEVENLABS_API_KEY=" ", ELEVENLABS_API_URL=override)


def test_an_override_keeps_its_path(vendor: Any, read: Read) -> None:
    vendor("proxy.test").get("/eleven/v1/user/subscription").answers(**COUNTS)
    read("elevenlabs", XI_API_KEY="k", ELEVENLABS_API_URL="https://proxy.test/eleven")


@pytest.mark.parametrize("override", ["http://proxy.test", "https://u@proxy.test", "https://a%2fb", "https://a b"])
def test_unsafe_addresses_are_refused_before_anything_is_sent(read: Read, override: str) -> None:
    with pytest.raises(Misconfigured, match="ELEVENLABS_API_URL"):
        read("elevenlabs", XI_API_KEY="k", ELEVENLABS_API_URL=override)


def test_account_config_environment(route: Any, read: Read) -> None:
    route.answers(**COUNTS)
    read("elevenlabs", config={"apiKey": "k"}, ELEVENLABS_API_KEY="other")
    read("elevenlabs", config={"apiKey": "other"}, account=Account("Work", Secret("k")))
    assert route.count == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_restricted_key_is_told_which_permission_it_lacks(route: Any, read: Read, status: int) -> None:
    route.fails(status, json={"detail": {"status": "missing_permissions", "message": "the key k"}})
    with pytest.raises(Forbidden, match="user_read"):
        read("elevenlabs", XI_API_KEY="k")


@pytest.mark.parametrize("detail", ["plain", {"status": "invalid_api_key"}])
def test_an_invalid_key(route: Any, read: Read, detail: object) -> None:
    route.fails(401, json={"detail": detail})
    with pytest.raises(ExpiredCredential):
        read("elevenlabs", XI_API_KEY="k")


@pytest.mark.parametrize("body", ["{", "[]", '{"character_count": 1}', '{"character_count": "x"}'])
def test_answers_that_cannot_be_understood(route: Any, read: Read, body: str) -> None:
    route.answers_text(body)
    with pytest.raises(BadResponse):
        read("elevenlabs", XI_API_KEY="k")
