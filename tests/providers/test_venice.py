"""Venice: which of DIEM and dollars is the balance."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from quotaline_providers.contract import Account
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    MissingCredential,
)
from quotaline_providers.secret import Secret
from quotaline_providers.testing import NOW, Read, Run
from quotaline_providers.vendors.venice import BalanceAnswer, binding, session_in, state, to_usage
from tests.providers.web_tokens import jwt


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


def test_a_balance_that_may_not_be_used_is_the_vendors_own_word() -> None:
    usage = to_usage(of(9, 4, can=False), NOW)
    assert usage.blocked is not None
    assert "cannot be paid" in usage.blocked.reason
    assert to_usage(of(9, 4), NOW).blocked is None


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


# --- the website's session -------------------------------------------------------------------------

COOKIE = "__venice-auth.session-token"
MONTH = {
    "usedThisCycle": 250,
    "monthlyRefillCredits": 1000,
    "availableCredits": 750,
    "nextRefillAt": round((NOW + timedelta(days=9)).timestamp() * 1000),
}


@pytest.fixture
def site(vendor: Any) -> Any:
    return vendor("outerface.venice.ai")


def session(site: Any, claims: dict[str, object] | None = None, **expectations: Any) -> Any:
    told = {"bundledCreditsUsage": MONTH, "userType": "PRO"} if claims is None else claims
    return site.get("/api/user/session", **expectations).answers(token=jwt(**told))


def by_web(read: Read, header: str = f"{COOKIE}=s", **config: object) -> Any:
    return read("venice", config={"cookieHeader": header, "source": "web", **config}, VENICE_API_KEY="k")


def test_the_month_of_a_subscription(site: Any, read: Read) -> None:
    claims = {"bundledCreditsUsage": MONTH, "veniceCredits": 1250.5, "exp": NOW.timestamp() + 60}
    route = session(site, claims, cookie=f"{COOKIE}=s", headers={"Authorization": None})
    usage = by_web(read, f"a=b; {COOKIE}=s; __client=c; __session=older")
    (month,) = usage.windows
    assert (month.id, month.label, month.lane, month.used_percent) == ("monthly", "Monthly credits", "primary", 25)
    assert (month.used, month.limit, month.unit, month.minutes) == (250, 1000, "credits", None)
    assert month.resets_at == NOW + timedelta(days=9)
    assert not month.blocks, "bought credits are used next"
    assert (usage.row("Credits available").value, usage.row("Credits bought").value) == ("750", "1,250.5")
    assert (usage.source, route.count) == ("web", 1)


def test_without_bought_credits_the_month_blocks(site: Any, read: Read) -> None:
    session(site)
    assert by_web(read).window("monthly").blocks


@pytest.mark.parametrize(
    ("used", "refill", "percents"), [(2000, 1000, [100]), (0, 1000, [0]), (5, 0, []), (5, None, [])]
)
def test_the_share_of_a_month(site: Any, read: Read, used: float, refill: float | None, percents: list[float]) -> None:
    session(site, {"bundledCreditsUsage": MONTH | {"usedThisCycle": used, "monthlyRefillCredits": refill}})
    usage = by_web(read)
    assert [window.used_percent for window in usage.windows] == percents
    assert bool(usage.notes) is not bool(percents)
    assert usage.row("Credits available").value == "750"


def test_the_website_is_asked_only_on_request(route: Any, outcome: Run) -> None:
    route.fails(401)
    seen = outcome("venice", config={"cookieHeader": f"{COOKIE}=s"}, VENICE_API_KEY="k")
    assert [attempt.source for attempt in seen.attempts] == ["api"]


def test_a_key_of_an_account_has_no_website(site: Any, read: Read) -> None:
    with pytest.raises(MissingCredential):
        read("venice", source="web", config={"cookieHeader": f"{COOKIE}=s"}, account=Account("Work", Secret("k")))
    assert site.count == 0


def test_the_older_sign_in_is_a_bearer_token(site: Any, read: Read) -> None:
    route = session(site, bearer="t", headers={"Cookie": None})
    by_web(read, "__client=c; __session=t; __session_ab=u")
    assert route.count == 1


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        (f"a=b; {COOKIE}=x; __session=y", f"{COOKIE}=x"),
        (f"{COOKIE}.1=b; {COOKIE}.0=a; z=1", f"{COOKIE}.0=a; {COOKIE}.1=b"),
        (f"{COOKIE}.0=a; {COOKIE}.2=c; __session=y", "__session=y"),
        (f"{COOKIE}.1=b", None),
        ("__session_ab12=y; a=b", "__session=y"),
        (f"Cookie: {COOKIE}=x", f"{COOKIE}=x"),
        ("__client=c", None),
        (f"{COOKIE}=", None),
        ("nothing", None),
    ],
)
def test_only_the_session_is_kept_of_a_pasted_header(header: str, kept: str | None) -> None:
    assert session_in(header) == kept


@pytest.mark.parametrize("header", ["a=b", "__client=c"])
def test_without_a_session(read: Read, header: str) -> None:
    with pytest.raises(MissingCredential):
        by_web(read, header)


@pytest.mark.parametrize(
    "claims",
    [
        {"bundledCreditsUsage": MONTH, "exp": NOW.timestamp() - 1},
        {"bundledCreditsUsage": MONTH, "userType": "ANONYMOUS"},
    ],
)
def test_a_session_of_nobody_has_ended(site: Any, read: Read, claims: dict[str, object]) -> None:
    session(site, claims)
    with pytest.raises(ExpiredCredential, match="has ended"):
        by_web(read)


@pytest.mark.parametrize("answer", [{}, {"token": None}, {"token": " "}])
def test_no_token_is_no_session(site: Any, read: Read, answer: dict[str, object]) -> None:
    site.get("/api/user/session").answers_json(answer)
    with pytest.raises(ExpiredCredential):
        by_web(read)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_session(site: Any, read: Read, status: int) -> None:
    site.get("/api/user/session").fails(status)
    with pytest.raises(ExpiredCredential):
        by_web(read)


def test_no_subscription_is_told_as_such(site: Any, read: Read) -> None:
    session(site, {"userType": "FREE", "bundledCredits": 5})
    with pytest.raises(BadResponse, match="no subscription"):
        by_web(read)


def test_a_token_needs_no_signature(site: Any, read: Read) -> None:
    token = jwt(bundledCreditsUsage=MONTH).rpartition(".")[0]
    site.get("/api/user/session").answers(token=token)
    assert by_web(read).window("monthly").used_percent == 25


def test_a_token_that_cannot_be_read(site: Any, read: Read) -> None:
    site.get("/api/user/session").answers(token="a.b.c")
    with pytest.raises(BadResponse, match="token"):
        by_web(read)
