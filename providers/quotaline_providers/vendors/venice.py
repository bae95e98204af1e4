"""Venice: the DIEM left of an epoch's allocation, or the dollar balance, for the API."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from quotaline_providers.contract import Context, Credential, Provider, Strategy
from quotaline_providers.lookups import ApiKey, accepted
from quotaline_providers.model import Balance, Usage, Window
from quotaline_providers.payload import Payload, needed_number

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


def state(answer: BalanceAnswer) -> tuple[float, str]:
    """Percent used and its text: the first rule that fits."""
    diem, usd, allocation = answer.balances.diem, answer.balances.usd, answer.allocation
    in_dollars = (answer.currency or "").strip().upper() == "USD"
    if not answer.can_consume:
        return 100, "API calls cannot be paid from this balance"
    if in_dollars and usd is not None and usd > 0:
        return 0, f"${usd:.2f} USD remaining"
    if not in_dollars and diem is not None and allocation is not None and allocation > 0:
        used = (allocation - diem) / allocation * 100
        return min(100.0, max(0.0, used)), f"DIEM {diem:.2f} / {allocation:.2f} epoch allocation"
    if diem is not None and diem > 0:
        return 0, f"DIEM {diem:.2f} remaining"
    if usd is not None and usd > 0:
        return 0, f"${usd:.2f} USD remaining"
    return 100, "No balance is left"


def to_usage(answer: BalanceAnswer, now: datetime) -> Usage:
    used, text = state(answer)
    known = (("diem", "DIEM", answer.balances.diem, "diem"), ("usd", "US dollars", answer.balances.usd, "USD"))
    return Usage(
        updated_at=now,
        windows=(Window(id="balance", label="Balance", used_percent=used, description=text, lane="primary"),),
        balances=tuple(
            Balance(id=id, label=label, amount=Decimal(str(amount)), unit=unit)
            for id, label, amount, unit in known
            if amount is not None
        ),
    )


async def from_api(ctx: Context, key: Credential) -> Usage:
    answer = await ctx.http.send("GET", URL, bearer=key.secret, headers={"Accept": "application/json"}, timeout=TIMEOUT)
    hint = "The balance needs an ADMIN key; an INFERENCE key is not enough. Create one at venice.ai/settings/api."
    return to_usage(ctx.http.parse(accepted(ctx, answer, "Venice", hint), BalanceAnswer), ctx.now)


PROVIDER = Provider(
    id="venice",
    name="Venice",
    connect="Create an ADMIN key at venice.ai/settings/api and set VENICE_API_KEY, or store it with Quotaline.",
    summary="DIEM left of the epoch's allocation, or the dollar balance.",
    aliases=("ven",),
    dashboard="https://venice.ai/settings/api",
    key_url="https://venice.ai/settings/api",
    settings=("apiKey", "apiKeyEnv", "tokenAccounts"),
    accounts="token",
    min_interval=60,
    deadline=20,
    strategies=(Strategy("api", from_api, ApiKey(env=("VENICE_API_KEY", "VENICE_KEY"))),),
)
