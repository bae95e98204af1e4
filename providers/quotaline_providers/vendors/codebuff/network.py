"""The network half: the credit balance, and for CLI logins the plan and its weekly limit."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field

from quotaline_providers.access.endpoints import base_address
from quotaline_providers.contract import Context, Credential, Response
from quotaline_providers.errors import BadResponse, ExpiredCredential, Unavailable
from quotaline_providers.fetching.optional import beside, in_time
from quotaline_providers.formatting import grouped, plan_name
from quotaline_providers.model import WEEK_MINUTES, Balance, Identity, Row, Section, Usage, Window
from quotaline_providers.parsing.payload import (
    Flag,
    Number,
    Payload,
    Text,
    When,
    clean,
    exact,
    lenient,
    lenient_part,
    to_text,
)
from quotaline_providers.secret import Secret

BASE = "https://www.codebuff.com"
OVERRIDE = "CODEBUFF_API_URL"
TIMEOUT = 15.0
SUBSCRIPTION_WAIT = 2.0
"""Seconds the subscription may still take once the balance is known."""

# --- what the vendor sends -------------------------------------------------------------------------


class Breakdown(Payload):
    """What the balance is made of, in credits."""

    free: Number = None
    paid: Number = None
    ad: Number = None


class UsageAnswer(Payload):
    """POST /api/v1/usage, in credits. The live service sends no quota."""

    usage: Number = None
    used_alias: Number = Field(default=None, alias="used")
    quota: Number = None
    limit: Number = None
    balance: Number = Field(default=None, alias="remainingBalance")
    remaining_alias: Number = Field(default=None, alias="remaining")
    next_reset: When = Field(default=None, alias="next_quota_reset")
    auto_top_up: Flag = Field(default=None, alias="autoTopupEnabled")
    auto_top_up_alias: Flag = Field(default=None, alias="auto_topup_enabled")
    breakdown: Annotated[Breakdown | None, lenient(Breakdown)] = Field(default=None, alias="balanceBreakdown")

    @property
    def used(self) -> float | None:
        return self.used_alias if self.usage is None else self.usage

    @property
    def total(self) -> float | None:
        return self.limit if self.quota is None else self.quota

    @property
    def remaining(self) -> float | None:
        return self.remaining_alias if self.balance is None else self.balance

    @property
    def tops_up(self) -> bool:
        return bool(self.auto_top_up_alias if self.auto_top_up is None else self.auto_top_up)


def _to_label(value: object) -> str | None:
    """A tier: text, or a number (of any size) as its whole number."""
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        return str(int(value))
    return to_text(value)


TierLabel = Annotated[str | None, BeforeValidator(_to_label)]


class Plan(Payload):
    """A subscription and the ends of its periods."""

    display_name: TierLabel = Field(default=None, alias="displayName")
    tier: TierLabel = None
    scheduled_tier: TierLabel = Field(default=None, alias="scheduledTier")
    status: Text = None
    billing_end: When = Field(default=None, alias="billingPeriodEnd")
    current_end: When = Field(default=None, alias="currentPeriodEnd")


class RateLimits(Payload):
    """The week's and the block's credits."""

    weekly_used: Number = Field(default=None, alias="weeklyUsed")
    used: Number = None
    weekly_limit: Number = Field(default=None, alias="weeklyLimit")
    limit: Number = None
    weekly_resets_at: When = Field(default=None, alias="weeklyResetsAt")
    block_used: Number = Field(default=None, alias="blockUsed")
    block_limit: Number = Field(default=None, alias="blockLimit")
    block_resets_at: When = Field(default=None, alias="blockResetsAt")


class PlanLimits(Payload):
    """How many hours a block lasts."""

    block_hours: Number = Field(default=None, alias="blockDurationHours")


class Person(Payload):
    """The account's owner."""

    email: Text = None


class SubscriptionAnswer(Person):
    """GET /api/user/subscription. Without a plan only `hasSubscription` comes."""

    plan: Annotated[Plan, lenient_part(Plan)] = Field(default=Plan(), alias="subscription")
    display_name: TierLabel = Field(default=None, alias="displayName")
    tier: TierLabel = None
    rate: Annotated[RateLimits, lenient_part(RateLimits)] = Field(
        default=RateLimits(), validation_alias=AliasChoices("rateLimit")
    )
    limits: Annotated[PlanLimits | None, lenient(PlanLimits)] = None
    user: Annotated[Person | None, lenient(Person)] = None

    @property
    def label(self) -> str | None:
        plan = self.plan
        return plan.display_name or self.display_name or plan.tier or self.tier or plan.scheduled_tier


# --- how it becomes a usage ------------------------------------------------------------------------


def to_usage(answer: UsageAnswer, subscription: SubscriptionAnswer | None, now: datetime) -> Usage:
    """Balance, credits window, and what a subscription adds."""
    plan = (subscription.plan if subscription else None) or Plan()
    found = (_credits(answer), _weekly(subscription), _block(subscription))
    remaining = answer.remaining
    balance = None if remaining is None else exact(remaining)
    rows = _rows(answer, plan)
    email = (subscription.email or (subscription.user.email if subscription.user else None)) if subscription else None
    return Usage(
        updated_at=now,
        windows=tuple(window for window in found if window),
        balances=() if balance is None else (Balance(id="credits", label="Credits", amount=balance, unit="credits"),),
        identity=Identity(email=email, plan=_login_text(answer, subscription)),
        details=(Section(title="Account", rows=rows),) if rows else (),
        subscription_renews_at=plan.billing_end or plan.current_end,
    )


def _credits(answer: UsageAnswer) -> Window | None:
    used, total, remaining = answer.used, answer.total, answer.remaining
    if used is None and total is None and remaining is None:
        return None
    if total is None and used is not None and remaining is not None:
        total = used + remaining
    total = None if total is None else max(0.0, total)
    if used is None and total is not None and remaining is not None:
        used = total - remaining
    used = None if used is None else max(0.0, used)
    if not total and used is None and remaining is None:
        return None
    return Window(
        id="credits",
        label="Credits",
        used_percent=min(100.0, (used or 0.0) / total * 100) if total else 100,
        used=used,
        limit=total or None,
        unit="credits",
        resets_at=answer.next_reset,
        lane="primary",
        placeholder=not total,
    )


def _weekly(subscription: SubscriptionAnswer | None) -> Window | None:
    rate = subscription.rate if subscription else None
    if rate is None:
        return None
    used = rate.used if rate.weekly_used is None else rate.weekly_used
    limit = rate.limit if rate.weekly_limit is None else rate.weekly_limit
    if limit is None or limit <= 0:
        return None
    return Window(
        id="weekly",
        label="Weekly",
        used_percent=min(100.0, max(0.0, used or 0.0) / limit * 100),
        used=None if used is None else max(0.0, used),
        limit=limit,
        unit="credits",
        minutes=WEEK_MINUTES,
        resets_at=rate.weekly_resets_at,
        lane="secondary",
    )


def _block(subscription: SubscriptionAnswer | None) -> Window | None:
    rate = subscription.rate if subscription else None
    if subscription is None or rate is None or rate.block_limit is None or rate.block_limit <= 0:
        return None
    hours = subscription.limits.block_hours if subscription.limits else None
    return Window(
        id="block",
        label="Block",
        used_percent=min(100.0, max(0.0, rate.block_used or 0.0) / rate.block_limit * 100),
        used=None if rate.block_used is None else max(0.0, rate.block_used),
        limit=rate.block_limit,
        unit="credits",
        minutes=round(hours * 60) if hours and hours > 0 else None,
        resets_at=rate.block_resets_at,
    )


def _login_text(answer: UsageAnswer, subscription: SubscriptionAnswer | None) -> str | None:
    tier = subscription.label if subscription else None
    remaining = answer.remaining
    parts = (
        plan_name(tier) if tier else "",
        "" if remaining is None else f"{grouped(remaining, 0 if abs(remaining) >= 1000 else 1)} remaining",
        "auto top-up" if answer.tops_up else "",
    )
    return " · ".join(part for part in parts if part) or None


def _rows(answer: UsageAnswer, plan: Plan) -> tuple[Row, ...]:
    rows: list[Row] = []
    window = _credits(answer)
    if window and window.limit is None:
        rows.append(Row(label="Quota", value="unknown"))
    if plan.status:
        rows.append(Row(label="Subscription", value=plan_name(plan.status)))
    if end := plan.billing_end or plan.current_end:
        rows.append(Row(label="Billing period ends", value=f"{end:%Y-%m-%d}"))
    if breakdown := answer.breakdown:
        kinds = (("Free credits", breakdown.free), ("Paid credits", breakdown.paid), ("Ad credits", breakdown.ad))
        rows.extend(Row(label=label, value=grouped(number)) for label, number in kinds if number is not None)
    return tuple(rows)


# --- how it is fetched -----------------------------------------------------------------------------


def credentials_file(ctx: Context) -> Path:
    """Where `codebuff login` keeps its token, on every system."""
    return ctx.home / ".config" / "manicode" / "credentials.json"


def login_token(text: str) -> str | None:
    """The token of the CLI's credentials file; None when it holds none."""
    try:
        stored = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(stored, dict):
        return None
    profile = stored.get("default")
    tokens = (profile.get("authToken") if isinstance(profile, dict) else None, stored.get("authToken"))
    return next((value for token in tokens if isinstance(token, str) and (value := clean(token))), None)


async def read_account(ctx: Context, found: Credential) -> Usage:
    """The network half. Only the CLI's own login may ask for the subscription; that may fail or be late unnoticed."""
    base = base_address(ctx.env(OVERRIDE), OVERRIDE, BASE)
    own_login = found.origin == ctx.show(credentials_file(ctx))
    async with beside() as side:
        asking = side.start(_subscription(ctx, base, found.secret), TIMEOUT) if own_login else None
        answer = await _balance(ctx, base, found.secret)
        return to_usage(answer, await in_time(asking, SUBSCRIPTION_WAIT) if asking else None, ctx.now)


async def _balance(ctx: Context, base: str, token: Secret) -> UsageAnswer:
    body = {"fingerprintId": "quotaline-usage"}
    response = await ctx.http.send("POST", f"{base}/api/v1/usage", bearer=token, json=body, timeout=TIMEOUT)
    return ctx.http.parse(_checked(ctx, response), UsageAnswer)


def _checked(ctx: Context, response: Response) -> Response:
    """The answer if HTTP 200; else the error its status stands for."""
    status = response.status
    if status == 200:
        return response
    if status in (401, 403):
        raise ExpiredCredential(
            "Codebuff refused the token.", "Run `codebuff login` again, or replace the key in CODEBUFF_API_KEY."
        )
    if status == 404:
        raise BadResponse("Codebuff's usage endpoint was not found (HTTP 404).", f"Check {OVERRIDE} if it is set.")
    if status >= 500:
        raise Unavailable(f"Codebuff is not available now (HTTP {status}).")
    ctx.http.check(response)
    raise BadResponse(f"Codebuff gave an unexpected answer (HTTP {status}).")


async def _subscription(ctx: Context, base: str, token: Secret) -> SubscriptionAnswer:
    return await ctx.http.get(f"{base}/api/user/subscription", SubscriptionAnswer, bearer=token, timeout=TIMEOUT)
