"""Venice: the DIEM left of an epoch's allocation, or the dollar balance, for the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field

from quotaline_providers.access.lookups import ApiKey
from quotaline_providers.contract import AccountKind, Context, Credential, Provider, Strategy
from quotaline_providers.fetching.refusals import refused_key
from quotaline_providers.model import Balance, Usage, Window
from quotaline_providers.parsing.payload import Payload, exact, needed_number, share

URL = "https://api.venice.ai/api/v1/billing/balance"
TIMEOUT = 15.0


def _known(value: object) -> float | None:
    """A number; null and empty text mean that it is not known. Raises ValueError for anything else."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return needed_number(value)


Known = Annotated[float | None, BeforeValidator(_known)]


class Balances(Payload):
    """DIEM, and US dollars."""

    diem: Known = None
    usd: Known = None


class BalanceAnswer(Payload):
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
        return State(share(used, allocation), text, "diem", used, allocation)
    if diem is not None and diem > 0:
        return State(0, f"DIEM {diem:.2f} remaining", "diem")
    if usd is not None and usd > 0:
        return State(0, f"${usd:.2f} USD remaining", "usd")
    return State(100, "No balance is left")


def to_usage(answer: BalanceAnswer, now: datetime) -> Usage:
    """The usage. The balance that counts stands first."""
    told = state(answer)
    window = Window(
        id="balance",
        label="Balance",
        used_percent=told.used_percent,
        used=told.used,
        limit=told.allocation,
        unit="DIEM" if told.allocation else None,
        description=told.text,
        lane="primary",
    )
    known = (("diem", "DIEM", answer.balances.diem, "diem"), ("usd", "US dollars", answer.balances.usd, "USD"))
    balances = [
        Balance(id=id, label=label, amount=exact(amount), unit=unit)
        for id, label, amount, unit in known
        if amount is not None
    ]
    balances.sort(key=lambda balance: balance.id != told.counts)
    return Usage(updated_at=now, windows=(window,), balances=tuple(balances))


def binding(usage: Usage) -> str | None:
    """The percentage where it means something; else the balance that is paid from."""
    window = usage.window("balance")
    return window.id if window.limit or window.exhausted else usage.balances[0].id


async def from_api(ctx: Context, key: Credential) -> Usage:
    """One call tells everything. Raises ReadError."""
    answer = await ctx.http.send("GET", URL, bearer=key.secret, timeout=TIMEOUT)
    hint = "The balance needs an ADMIN key; an INFERENCE key is not enough. Create one at venice.ai/settings/api."
    return to_usage(ctx.http.parse(ctx.http.check(answer, refused_key("Venice", hint)), BalanceAnswer), ctx.now)


PROVIDER = Provider(
    id="venice",
    name="Venice",
    connect="Create an ADMIN key at venice.ai/settings/api and set VENICE_API_KEY, or store it with Quotaline.",
    summary="DIEM left of the epoch's allocation, or the dollar balance.",
    aliases=("ven",),
    dashboard="https://venice.ai/settings/api",
    accounts=AccountKind.TOKEN,
    deadline=20,
    binding=binding,
    strategies=(Strategy.api(from_api, ApiKey(env=("VENICE_API_KEY", "VENICE_KEY"))),),
)
