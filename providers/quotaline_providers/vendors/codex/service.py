"""ChatGPT's usage service: how it is asked, whatever the credential."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from quotaline_providers import Context, ExpiredCredential, Response, Secret
from quotaline_providers.vendors.codex.mapping import Limits
from quotaline_providers.vendors.codex.payloads import UsageAnswer

USAGE_SECONDS = 30.0
MONTHLY_SECONDS = 4.0
VERSION_SECONDS, PROGRAM_SECONDS = 5.0, 30.0
ASK_AGAIN = timedelta(hours=6)
_PERSONAL_PLANS = frozenset({"guest", "free", "go", "plus", "pro"})


class Rejected(ExpiredCredential):
    """The login is spent or refused; the next source may still work."""


@dataclass(frozen=True)
class Bearer:
    """How the service is asked: its address, the token and the headers every call carries."""

    base: str
    token: Secret
    headers: Mapping[str, str]

    @property
    def usage_url(self) -> str:
        return self.base + ("/wham/usage" if "/backend-api" in self.base else "/api/codex/usage")

    async def get(self, ctx: Context, url: str, timeout: float, **headers: str) -> Response:
        return await ctx.http.send("GET", url, bearer=self.token, headers={**self.headers, **headers}, timeout=timeout)


def account_headers(account_id: str | None, **more: str) -> dict[str, str]:
    """The headers that choose an account, and more."""
    return {**({"ChatGPT-Account-Id": account_id} if account_id else {}), **more}


def wants_monthly(answer: UsageAnswer, limits: Limits, base: str, plan: str | None = None) -> bool:
    """Whether the member's monthly limit is worth a call of its own. `plan` stands in for one the answer leaves out."""
    personal = (answer.plan_type or plan or "").lower() in _PERSONAL_PLANS
    return "/backend-api" in base and limits.monthly is None and answer.has_spend_control and not personal


def monthly_url(base: str, account_id: str) -> str:
    """Where a member's monthly limit is."""
    return f"{base}/accounts/{quote(account_id, safe='')}/spend-controls/current-user/monthly-usage"
