"""Venice: the DIEM of an epoch or the dollars left for the API; on request the month of a subscription."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field

import quotaline_providers as ql

URL = "https://api.venice.ai/api/v1/billing/balance"
SESSION_URL = "https://outerface.venice.ai/api/user/session"
TIMEOUT = 15.0

# --- what the vendor sends -------------------------------------------------------------------------


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


class SessionAnswer(ql.Payload):
    """`GET /api/user/session` of the website: a JSON web token, of which only the claims are read."""

    token: ql.Text = None


class Credits(ql.Payload):
    """A subscription's credits of this month."""

    used: ql.Number = Field(default=None, alias="usedThisCycle")
    refill: ql.Number = Field(default=None, alias="monthlyRefillCredits")
    available: ql.Number = Field(default=None, alias="availableCredits")
    refills_at: ql.When = Field(default=None, alias="nextRefillAt")


class Claims(ql.Payload):
    """What the token says. An anonymous `userType` is nobody's session; `veniceCredits` were bought."""

    expires_at: ql.When = Field(default=None, alias="exp")
    user_type: ql.Text = Field(default=None, alias="userType")
    month: Annotated[Credits | None, ql.lenient(Credits)] = Field(default=None, alias="bundledCreditsUsage")
    bundled: ql.Number = Field(default=None, alias="bundledCredits")
    bought: ql.Number = Field(default=None, alias="veniceCredits")


# --- what it means ---------------------------------------------------------------------------------


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
    blocked = None if answer.can_consume else ql.Blocked(reason="API calls cannot be paid from this balance")
    return ql.Usage(updated_at=now, windows=(window,), balances=tuple(balances), blocked=blocked)


def month_usage(claims: Claims, now: datetime) -> ql.Usage:
    """The month of a subscription. Raises BadResponse where there is none."""
    month = claims.month
    if month is None:
        raise ql.BadResponse(
            "Venice tells no monthly credits for this account: it may have no subscription.",
            "Look at the subscription on venice.ai, or read the API balance with an ADMIN key (source api).",
        )
    windows: tuple[ql.Window, ...] = ()
    if month.used is not None and month.refill is not None and month.refill > 0:
        window = ql.Window(
            id="monthly",
            label="Monthly credits",
            used_percent=ql.share(month.used, month.refill),
            used=month.used,
            limit=month.refill,
            unit="credits",
            resets_at=month.refills_at,
            lane="primary",
            blocks=not (claims.bought and claims.bought > 0),  # what was bought is used next
        )
        windows = (window,)
    left = claims.bundled if month.available is None else month.available
    amounts = (("Credits available", left), ("Credits bought", claims.bought))
    rows = tuple(ql.Row(label=label, value=ql.grouped(value)) for label, value in amounts if value is not None)
    sections = (ql.Section(title="Credits", rows=rows),) if rows else ()
    notes = () if windows else ("Venice tells no monthly refill for this account.",)
    return ql.Usage(updated_at=now, windows=windows, details=sections, notes=notes, limits_unavailable=not windows)


def binding(usage: ql.Usage) -> str | None:
    """The percentage where there is an allocation to measure against; else the balance that is paid from, as the window
    then only says whether there is any."""
    window = next((window for window in usage.windows if window.id == "balance"), None)
    if window is None:
        return None
    return window.id if window.limit or window.exhausted else usage.balances[0].id


# --- how it is fetched -----------------------------------------------------------------------------


async def from_api(ctx: ql.Context, key: ql.Credential) -> ql.Usage:
    """One request has everything. Raises ReadError."""
    refusals = ql.refused_key("Venice", "Only an ADMIN key may read the balance. Create one at venice.ai/settings/api.")
    answer = await ctx.http.get(URL, BalanceAnswer, refusals=refusals, bearer=key.secret, timeout=TIMEOUT)
    return to_usage(answer, ctx.now)


SIGN_IN = "Sign in at venice.ai and paste its Cookie header again."
SIGNED_OUT = ql.Refusal(ql.ExpiredCredential, "The session of venice.ai has ended.", SIGN_IN)
_COOKIE = "__venice-auth.session-token"
_OLDER = "__session"


def session_in(text: str) -> str | None:
    """The session in a pasted Cookie header and nothing else of it: the cookie, whole or in chunks without a hole, or
    the token of the older sign-in. None when it holds neither."""
    cookies = {name: value for name, value in ql.cookie_values(ql.normalize_cookie(text) or "").items() if value}
    names = [_COOKIE] if _COOKIE in cookies else sorted(_chunks(cookies), key=lambda name: int(name.rpartition(".")[2]))
    if names and (names == [_COOKIE] or names == [f"{_COOKIE}.{number}" for number in range(len(names))]):
        return "; ".join(f"{name}={cookies[name]}" for name in names)
    older = _OLDER if _OLDER in cookies else next((name for name in cookies if name.startswith(f"{_OLDER}_")), None)
    return f"{_OLDER}={cookies[older]}" if older else None


def _chunks(cookies: dict[str, str]) -> list[str]:
    return [name for name in cookies if re.fullmatch(rf"{re.escape(_COOKIE)}\.[0-9]{{1,3}}", name)]


async def from_web(ctx: ql.Context, session: ql.Credential) -> ql.Usage:
    """The month of a subscription, by the website's session. Raises ReadError."""
    name, _, token = session.secret.reveal().partition("=")
    bearer, cookie = (ql.Secret(token), None) if name == _OLDER else (None, session.secret)
    refused = {401: SIGNED_OUT, 403: SIGNED_OUT}
    answer = await ctx.http.get(
        SESSION_URL, SessionAnswer, refusals=refused, bearer=bearer, cookie=cookie, timeout=TIMEOUT
    )
    if answer.token is None:
        raise SIGNED_OUT.raised(200)
    claims = claims_in(answer.token)
    over = claims.expires_at is not None and claims.expires_at <= ctx.now
    if over or "anon" in (claims.user_type or "").lower():
        raise SIGNED_OUT.raised(200)
    return month_usage(claims, ctx.now)


def claims_in(token: str) -> Claims:
    """What a token says; it may lack the signature, which is not read. Raises BadResponse."""
    claims = ql.jwt_claims(token if token.count(".") > 1 else f"{token}.")
    if not claims:
        raise ql.BadResponse("Venice answered with a session that cannot be read (field token).")
    return Claims.model_validate(claims)


SESSION = ql.CookieHeader(read=session_in, missing="No session of venice.ai is set.")

PROVIDER = ql.Provider(
    id="venice",
    name="Venice",
    connect="Create an ADMIN key at venice.ai/settings/api and set VENICE_API_KEY, or store it with Quotaline.",
    summary="DIEM left of the epoch's allocation, or the dollar balance; on request a subscription's month.",
    aliases=("ven",),
    dashboard="https://venice.ai/settings/api",
    accounts=ql.AccountKind.TOKEN,
    deadline=20,
    binding=binding,
    strategies=(
        ql.Strategy.api(from_api, ql.ApiKey(env=("VENICE_API_KEY", "VENICE_KEY"))),
        ql.Strategy.web(from_web, SESSION, in_auto=False, applies=ql.unlabelled),
    ),
)
