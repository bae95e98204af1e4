"""The JSON that scripts written for CodexBar read."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from quotaline.render.codexbar_json import argument_error, usage_json
from quotaline.render.hover import hover
from quotaline.render.terminal import terminal
from quotaline.state import ProviderState, VendorStatus
from quotaline_providers.errors import Kind
from quotaline_providers.model import (
    Chart,
    Confidence,
    Identity,
    Point,
    ResetCredit,
    ResetCredits,
    Row,
    Section,
)

from .render_states import after, balance, failure, session, snapshot, spend, state, usage, view, weekly, window


def entries(*states: ProviderState, **settings: Any) -> Any:
    return json.loads(usage_json(snapshot(*states), view(**settings)))


def only(*states: ProviderState, **settings: Any) -> Any:
    (entry,) = entries(*states, **settings)
    return entry


def test_no_provider_is_an_empty_array() -> None:
    assert usage_json(snapshot(), view()) == "[]"
    assert entries(state(refreshing=True), state(active=False)) == []


def test_lanes_pace_and_identity() -> None:
    reading = usage(
        session(30, resets_at=after(minutes=150)),
        weekly(62.5, resets_at=after(minutes=5040)),
        identity=Identity(email="ann@example.test", plan="max"),
    )
    entry = only(state("claude", usage=reading))
    assert entry["provider"] == "claude"
    assert entry["source"] == "oauth"
    assert entry["usage"] == {
        "primary": {"usedPercent": 30, "windowMinutes": 300, "resetsAt": "2030-01-02T14:40:00Z"},
        "secondary": {"usedPercent": 62.5, "windowMinutes": 10080, "resetsAt": "2030-01-06T00:10:00Z"},
        "tertiary": None,
        "updatedAt": "2030-01-02T12:07:00Z",
        "identity": {"providerID": "claude", "accountEmail": "ann@example.test", "loginMethod": "max"},
        "accountEmail": "ann@example.test",
        "loginMethod": "max",
    }
    assert entry["pace"] == {
        "primary": {
            "stage": "farBehind",
            "deltaPercent": -20,
            "expectedUsedPercent": 50,
            "willLastToReset": True,
            "summary": "20% in reserve | Expected 50% used | Lasts until reset",
        },
        "secondary": {
            "stage": "farAhead",
            "deltaPercent": 13,
            "expectedUsedPercent": 50,
            "willLastToReset": False,
            "etaSeconds": 181440,
            "summary": "13% in deficit | Expected 50% used | Runs out in 2d 2h",
        },
    }
    assert [own["id"] for own in entry["windows"]] == ["session", "weekly"]


def test_what_is_no_plan_is_for_scripts_alone() -> None:
    told = state("poe", usage=usage(session(1), identity=Identity(login="Balance: 88 points")))
    assert only(told)["usage"]["loginMethod"] == "Balance: 88 points"
    assert "Balance: 88" not in terminal(snapshot(told), view()) + hover(snapshot(told), view())


def test_raw_percentages_and_whole_numbers_are_kept() -> None:
    printed = usage_json(snapshot(state("claude", session(120.0), weekly(-3.5))), view())
    assert '"usedPercent":120,' in printed
    assert '"usedPercent":-3.5' in printed
    assert "\n" not in printed


def test_pretty_is_indented_with_sorted_keys() -> None:
    printed = usage_json(snapshot(state("claude", session(1))), view(), pretty=True)
    assert printed.startswith('[\n  {\n    "provider"')
    assert printed.index('"source"') < printed.index('"usage"') < printed.index('"windows"')


def test_a_placeholder_is_marked() -> None:
    assert only(state("claude", session(0, placeholder=True)))["usage"]["primary"]["isSyntheticPlaceholder"] is True


def test_extra_windows_and_unknown_percentages() -> None:
    unknown = window("tools", None, lane="secondary", resets_at=after(hours=1))
    entry = only(state("zai", session(1), unknown, window("zai-mcp", 5, label="Tools")))
    assert entry["usage"]["secondary"] is None
    assert entry["usage"]["extraRateWindows"] == [
        {
            "id": "tools",
            "title": "Tools",
            "window": {"usedPercent": 0, "resetsAt": "2030-01-02T13:10:00Z"},
            "usageKnown": False,
        },
        {"id": "zai-mcp", "title": "Tools", "window": {"usedPercent": 5}},
    ]
    assert "usedPercent" not in entry["windows"][1]


def test_costs_and_credits() -> None:
    limit = window("monthly-credit-limit", 75, used=30, limit=40, unit="credits", label="Monthly credit limit")
    reading = usage(
        limit, balances=(balance("12.5", "credits", id="credits"),), spends=(spend("3", "10", period="month"),)
    )
    entry = only(state("codex", usage=reading))
    assert entry["credits"] == {
        "remaining": 12.5,
        "events": [],
        "updatedAt": "2030-01-02T12:07:00Z",
        "codexCreditLimit": {
            "title": "Monthly credit limit",
            "used": 30,
            "limit": 40,
            "remaining": 10,
            "remainingPercent": 25,
            "updatedAt": "2030-01-02T12:07:00Z",
        },
    }
    assert entry["usage"]["providerCost"] == {
        "used": 3,
        "limit": 10,
        "currencyCode": "USD",
        "period": "month",
        "updatedAt": "2030-01-02T12:07:00Z",
    }
    assert entry["balances"] == [{"id": "credits", "label": "Balance", "amount": 12.5, "unit": "credits"}]
    plain = only(state("kiro", usage=usage(spends=(spend("3", unit="bonus"),))))
    assert (plain["usage"]["providerCost"]["limit"], plain["usage"]["providerCost"]["currencyCode"]) == (0, "Quota")


def test_what_comes_back_step_by_step() -> None:
    amount = spend("3").model_copy(update={"next_regen": Decimal("0.5")})
    reading = usage(session(25, next_regen_percent=5), spends=(amount,))
    content = only(state("synthetic", usage=reading))["usage"]
    assert content["primary"]["nextRegenPercent"] == 5
    assert content["providerCost"]["nextRegenAmount"] == 0.5


def test_details_reset_credits_and_the_rest() -> None:
    chart = Chart(kind="bars", points=(Point(label="2030-01-01", value=2.0),), unit="USD")
    reading = usage(
        details=(Section(title="Days", rows=(Row(label="a", value="1", secondary="2"),), chart=chart),),
        reset_credits=ResetCredits(available=1, credits=(ResetCredit(id="digest", status="available"),)),
        confidence=Confidence.ESTIMATED,
        subscription_renews_at=after(days=1),
        version="1.2.3",
    )
    entry = only(state("codex", usage=reading))
    assert entry["version"] == "1.2.3"
    content = entry["usage"]
    assert content["details"] == [
        {
            "title": "Days",
            "rows": [{"label": "a", "value": "1", "secondaryValue": "2"}],
            "chart": {"kind": "bars", "unit": "USD", "points": [{"label": "2030-01-01", "value": 2}]},
        }
    ]
    assert content["codexResetCredits"]["availableCount"] == 1
    assert content["codexResetCredits"]["credits"] == [{"id": "digest", "status": "available"}]
    assert content["dataConfidence"] == "estimated"
    assert content["subscriptionRenewsAt"] == "2030-01-03T12:10:00Z"


@pytest.mark.parametrize(
    ("kind", "code", "word"),
    [
        (Kind.MISSING_CREDENTIAL, 1, "provider"),
        (Kind.MISCONFIGURED, 1, "config"),
        (Kind.MISSING_PROGRAM, 2, "provider"),
        (Kind.BAD_RESPONSE, 3, "provider"),
        (Kind.TIMEOUT, 4, "provider"),
    ],
)
def test_an_error_has_a_code_a_kind_and_the_requested_source(kind: Kind, code: int, word: str) -> None:
    entry = only(state("zai", failure=failure(kind, "It failed."), requested_source="api"))
    assert entry == {
        "provider": "zai",
        "source": "api",
        "error": {
            "code": code,
            "message": "It failed.",
            "kind": word,
            "reason": kind.value,
            "hint": "Run `claude login`.",
        },
    }


def test_last_good_usage_stays_beside_an_error() -> None:
    entry = only(state("claude", session(5), failure=failure(), stale=True))
    assert entry["usage"]["primary"]["usedPercent"] == 5
    assert entry["error"]["reason"] == "expired_credential"
    assert entry["stale"] is True


def test_an_error_before_any_provider() -> None:
    assert argument_error("No such provider.") == [
        {"provider": "cli", "source": "cli", "error": {"code": 1, "message": "No such provider.", "kind": "args"}}
    ]


def test_accounts_and_status_are_there_and_identity_can_be_hidden() -> None:
    reading = usage(session(1), identity=Identity(email="ann@example.test", account_id="acct-7"))
    operational = VendorStatus("none", "https://status.example.test")
    private = state("claude", usage=reading, account="Work", status=operational)
    entry = only(private)
    assert entry["account"] == "Work"
    assert entry["status"] == {"indicator": "none", "url": "https://status.example.test"}
    hidden = json.dumps(only(private, hide_identity=True))
    assert not any(word in hidden for word in ("Work", "ann@", "acct-7", "account"))
