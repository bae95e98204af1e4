"""Venice: the DIEM left of an epoch's allocation, or the dollar balance, for the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field

import quotaline_providers as ql

URL = "https://api.venice.ai/api/v1/billing/balance"
TIMEOUT = 15.0


def _known(value: object) -> float | None:
    """A number; null and empty text mean that it is not known. Raises ValueError for anything else."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return ql.needed_number(value)


Known = Annotated[float | None, BeforeValidator(_known)]


class Balances(ql.Payload):
    """DIEM, and US dollars."""

    diem: Known = None
    usd: Known = None


class BalanceAnswer(ql.Payload):
    """`GET /billing/balance` (the vendor calls it beta)."""

    can_consume: Annotated[bool, Field(strict=True)] = Field(alias="canConsume")
    balances: Balances
    currency: str | None = Field(default=None, alias="consumptionCurrency")
    allocation: Known = Field(default=None, alias="diemEpochAllocation")


@dataclass(frozen=True)
class State:
    """What the balance comes to. `counts` is the balance API calls are paid from: `diem`, `usd`, or empty for none.
    `allocation` is that of the epoch where the percentage is measured against one."""

    used_percent: float
    text: str
    counts: str = ""
    used: float | None = None
    allocation: float | None = None


def state(answer: BalanceAnswer) -> State:
    """The first rule that fits."""
    diem, usd, allocation = answer.balances.diem, answer.balances.usd, answer.allocation
    in_dollars = (answer.currency or "").strip().upper() == "USD"
    if not answer.can_consume:
        return State(100, "API calls cannot be paid from this balance")
    if in_dollars and usd is not None and usd > 0:
        return State(0, f"${usd:.2f} USD remaining", "usd")
    if not in_dollars and diem is not None and allocation is not None and allocation > 0:
        used = max(0.0, allocation - diem)
        text = f"DIEM {diem:.2f} / {allocation:.2f} epoch allocation"
        return State(ql.share(used, allocation), text, "diem", used, allocation)
    if diem is not None and diem > 0:
        return State(0, f"DIEM {diem:.2f} remaining", "diem")
    if usd is not None and usd > 0:
        return State(0, f"${usd:.2f} USD remaining", "usd")
    return State(100, "No balance is left")


def to_usage(answer: BalanceAnswer, now: datetime) -> ql.Usage:
    """The usage. The balance that counts stands first."""
    found = state(answer)
    window = ql.Window(
        id="balance",
        label="Balance",
        used_percent=found.used_percent,
        used=found.used,
        limit=found.allocation,
        unit="DIEM" if found.allocation else None,
        description=found.text,
        lane="primary",
        blocks=True,
    )
    known = (("diem", "DIEM", answer.balances.diem, "diem"), ("usd", "US dollars", answer.balances.usd, "USD"))
    balances = [
        ql.Balance(id=id, label=label, amount=ql.exact(amount), unit=unit)
        for id, label, amount, unit in known
        if amount is not None
    ]
    balances.sort(key=lambda balance: balance.id != found.counts)
    return ql.Usage(updated_at=now, windows=(window,), balances=tuple(balances))


def binding(usage: ql.Usage) -> str | None:
    """The percentage where it means something; else the balance that is paid from."""
    window = usage.window("balance")
    return window.id if window.limit or window.exhausted else usage.balances[0].id


async def from_api(ctx: ql.Context, key: ql.Credential) -> ql.Usage:
    """One request has everything. Raises ReadError."""
    refusals = ql.refused_key("Venice", "Only an ADMIN key may read the balance. Create one at venice.ai/settings/api.")
    answer = await ctx.http.get(URL, BalanceAnswer, refusals=refusals, bearer=key.secret, timeout=TIMEOUT)
    return to_usage(answer, ctx.now)


PROVIDER = ql.Provider(
    id="venice",
    name="Venice",
    connect="Create an ADMIN key at venice.ai/settings/api and set VENICE_API_KEY, or store it with Quotaline.",
    summary="DIEM left of the epoch's allocation, or the dollar balance.",
    aliases=("ven",),
    dashboard="https://venice.ai/settings/api",
    accounts=ql.AccountKind.TOKEN,
    deadline=20,
    binding=binding,
    strategies=(ql.Strategy.api(from_api, ql.ApiKey(env=("VENICE_API_KEY", "VENICE_KEY"))),),
)
