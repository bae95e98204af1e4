"""Venice: which of DIEM and dollars is the balance."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from quotaline_providers.contract import Account
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
)
from quotaline_providers.secret import Secret
from quotaline_providers.testing import NOW, Read
from quotaline_providers.vendors.venice import BalanceAnswer, binding, state, to_usage


@pytest.fixture
def route(vendor: Any) -> Any:
    return vendor("api.venice.ai").get("/api/v1/billing/balance", bearer="k")


def told(
    diem: object = None, usd: object = None, currency: object = None, allocation: object = None, can: object = True
) -> tuple[float, str]:
    found = state(of(diem, usd, currency, allocation, can))
    return found.used_percent, found.text


def of(
    diem: object = None, usd: object = None, currency: object = None, allocation: object = None, can: object = True
) -> BalanceAnswer:
    balances = {"diem": diem, "usd": usd}
    fields = {"consumptionCurrency": currency, "diemEpochAllocation": allocation, "canConsume": can}
    return BalanceAnswer.model_validate({"balances": balances, **fields})


def test_diem_of_an_epoch(route: Any, read: Read) -> None:
    balances = {"diem": "10.00", "usd": ""}
    route.answers(canConsume=True, consumptionCurrency="DIEM", balances=balances, diemEpochAllocation="40")
    usage = read("venice", VENICE_API_KEY=" ", VENICE_KEY="'k'")
    (window,) = usage.windows
    assert (window.lane, window.used_percent, window.description) == (
        "primary",
        75,
        "DIEM 10.00 / 40.00 epoch allocation",
    )
    assert (window.minutes, window.resets_at, usage.identity.plan) == (None, None, None)
    assert window.blocks
    assert [(balance.id, balance.amount) for balance in usage.balances] == [("diem", Decimal("10.0"))]


def test_the_rules_in_their_order() -> None:
    assert told(can=False, usd=5000)[0] == 100
    assert told(9, 4, "usd", 20) == (0, "$4.00 USD remaining")
    assert told(5, 4, "BUNDLED_CREDITS", 20) == (75, "DIEM 5.00 / 20.00 epoch allocation")
    assert told(5, 4, None, 20) == (75, "DIEM 5.00 / 20.00 epoch allocation")
    assert told(30, None, "VCU", 20) == (0, "DIEM 30.00 / 20.00 epoch allocation")
    assert told(0, 4, "DIEM", 20)[0] == 100
    assert told(9, 0, "USD", 20) == (0, "DIEM 9.00 remaining")
    assert told(1234.5, None, "DIEM") == (0, "DIEM 1234.50 remaining")
    assert told(None, "2", "DIEM", "") == (0, "$2.00 USD remaining")
    assert told()[0] == 100


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (of(9, 4, "USD"), "usd"),
        (of(9, 4, "DIEM"), "diem"),
        (of(9, 4, "DIEM", 20), "balance"),
        (of(None, 4), "usd"),
        (of(0, 0), "balance"),
        (of(9, 4, can=False), "balance"),
    ],
)
def test_a_status_bar_shows_an_amount_unless_a_percentage_means_something(answer: BalanceAnswer, shown: str) -> None:
    assert binding(to_usage(answer, NOW)) == shown


def test_account_then_config(route: Any, read: Read) -> None:
    route.answers(canConsume=True, balances={})
    read("venice", config={"apiKey": "other"}, account=Account("Work", Secret("k")))
    read("venice", config={"apiKey": "k"}, VENICE_API_KEY="other")
    assert route.count == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_told_to_be_an_admin_key(route: Any, read: Read, status: int) -> None:
    route.fails(status)
    with pytest.raises(ExpiredCredential) as raised:
        read("venice", VENICE_API_KEY="k")
    assert "ADMIN" in raised.value.hint


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("[]", "another shape"),
        ("{", "cannot be read"),
        ('{"canConsume": "yes", "balances": {}}', "canConsume"),
        ('{"canConsume": true, "balances": []}', "balances"),
        ('{"canConsume": true}', "balances"),
        ('{"canConsume": true, "balances": {"usd": "n/a"}}', "balances"),
        ('{"canConsume": true, "balances": {}, "consumptionCurrency": 3}', "consumptionCurrency"),
        ('{"canConsume": true, "balances": {}, "diemEpochAllocation": "x"}', "diemEpochAllocation"),
    ],
)
def test_answers_that_cannot_be_understood_name_the_field(route: Any, read: Read, body: str, field: str) -> None:
    route.answers_text(body)
    with pytest.raises(BadResponse, match=field):
        read("venice", VENICE_API_KEY="k")
