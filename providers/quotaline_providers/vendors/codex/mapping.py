"""How Codex answers become a usage. Pure: the same answer at the same time always gives the same usage."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from quotaline_providers import (
    BadResponse,
    Confidence,
    Identity,
    Row,
    Section,
    Usage,
    Window,
    paid_on,
    parse_or_none,
    to_number,
    to_text,
)
from quotaline_providers.model import ResetCredits
from quotaline_providers.vendors.codex.amounts import (
    balance_of,
    credits_left,
    expiries,
    first_monthly,
    monthly_limit,
    program_balance,
)
from quotaline_providers.vendors.codex.payloads import RateLimit, RpcLimits, RpcRateLimits, UsageAnswer
from quotaline_providers.vendors.codex.verdict import SILENT, Verdict, blocked
from quotaline_providers.vendors.codex.windows import Reader, extra_windows, first_of_each, first_window, in_lanes


@dataclass(frozen=True)
class Limits:
    """What one answer says, understood. `doubtful` when a part that is present could not be decoded.

    `untold` are purchased credits of which the answer tells no number.
    """

    windows: tuple[Window, ...] = ()
    extras: tuple[Window, ...] = ()
    has_credits_part: bool = False
    balance: float | None = None
    unlimited: bool = False
    untold: bool = False
    monthly: Window | None = None
    verdict: Verdict = SILENT
    doubtful: bool = False

    @property
    def tells_something(self) -> bool:
        """Whether there is anything to show, windows of single models aside."""
        return bool(self.windows or self.has_credits_part or self.monthly or self.verdict != SILENT)


@dataclass(frozen=True)
class Extras:
    """What the optional calls added."""

    reset_credits: ResetCredits | None = None
    monthly: Window | None = None
    renews_at: datetime | None = None
    expires_at: datetime | None = None


# --- identity --------------------------------------------------------------------------------------

_PRO_LITE = frozenset({"prolite", "pro_lite", "pro-lite", "pro lite"})
_DROPPED_WORDS = frozenset({"claude", "codex", "account", "plan"})
_UPPER_WORDS = frozenset({"k12", "cbp"})


def plan_title(plan: str | None) -> str | None:
    """The plan's name for people."""
    word = (plan or "").strip().lower()
    if word in _PRO_LITE:
        return "Pro 5x"
    if word == "pro":
        return "Pro 20x"
    words = [part for part in re.split(r"[_\-\s]+", (plan or "").strip()) if part.lower() not in _DROPPED_WORDS]
    named = (part.upper() if part.lower() in _UPPER_WORDS else part[:1].upper() + part[1:] for part in words)
    return " ".join(named) or None


# --- answers to limits -----------------------------------------------------------------------------


def service_limits(answer: UsageAnswer, now: datetime, headers: Mapping[str, str] | None = None) -> Limits:
    """What the usage service says. Its headers stand in for a missing percentage or balance."""
    headers = headers or {}
    reader = Reader(now)
    limit = reader.rate_limit(answer.rate_limit)
    windows: tuple[Window, ...] = ()
    if limit is not None:
        slots = []
        for raw, slot in zip(limit.windows, ("primary", "secondary"), strict=True):
            fallback = to_number(headers.get(f"x-codex-{slot}-used-percent"))
            slots.append(reader.window(raw, slot, slot, fallback))
        windows = in_lanes(*slots)
    extras = [*extra_windows(reader, answer.additional_rate_limits)]
    if (review := reader.rate_limit(answer.code_review_rate_limit)) is not None:
        extras.extend(first_window(reader, review, "codex-code-review", "Code review"))
    balance = balance_of(answer.credits, to_number(headers.get("x-codex-credits-balance")))
    return Limits(
        windows=windows,
        extras=first_of_each(extras, (window.id for window in windows)),
        has_credits_part=answer.credits is not None or balance is not None,
        balance=balance,
        unlimited=bool(answer.credits and answer.credits.unlimited),
        untold=balance is None and bool(answer.credits and answer.credits.has_credits),
        monthly=first_monthly(
            answer.individual_limit,
            limit.individual_limit if limit else None,
            answer.spend_control.individual_limit if answer.spend_control else None,
        ),
        verdict=_verdict(answer, limit, headers),
        doubtful=reader.doubtful,
    )


def _verdict(answer: UsageAnswer, limit: RateLimit | None, headers: Mapping[str, str]) -> Verdict:
    of_limit = limit.rate_limit_reached_type if limit else None
    header = to_text(headers.get("x-codex-rate-limit-reached-type"))
    return Verdict(
        type=answer.rate_limit_reached_type or of_limit or header,
        stopped=limit is not None and (limit.allowed is False or limit.limit_reached is True),
        spend_reached=answer.spend_control is not None and answer.spend_control.reached is True,
    )


def program_limits(answer: RpcRateLimits, now: datetime) -> Limits:
    """What the Codex program says."""
    reader = Reader(now)
    main = answer.rate_limits or RpcLimits()
    first, second = (reader.window(raw, slot, slot) for raw, slot in zip(main.windows, ("a", "b"), strict=True))
    windows = in_lanes(first, second)
    others = _by_id(answer.rate_limits_by_limit_id)
    named = [main, *sorted(others, key=lambda item: item.limit_name or item.limit_id or "")]
    extras = [
        {"limit_name": item.limit_name, "metered_feature": item.limit_id, "rate_limit": item.model_dump()}
        for item in others
        if item.limit_id and item.limit_id != main.limit_id
    ]
    credits = main.credits
    balance = program_balance(credits)
    return Limits(
        windows=windows,
        extras=first_of_each(extra_windows(reader, extras), (window.id for window in windows)),
        has_credits_part=credits is not None,
        balance=balance,
        unlimited=bool(credits and credits.unlimited),
        untold=balance is None and bool(credits and credits.has_credits),
        monthly=next((w for i in named if (w := monthly_limit(i.individual_limit, i.limit_name))), None),
        verdict=Verdict(
            type=main.rate_limit_reached_type,
            stopped=main.allowed is False or main.limit_reached is True,
            spend_reached=True in (main.spend_control_reached, answer.spend_control_reached),
        ),
        doubtful=reader.doubtful,
    )


def _by_id(raw: Any) -> list[RpcLimits]:
    if not isinstance(raw, dict):
        return []
    found = ((key, parse_or_none(RpcLimits, item)) for key, item in raw.items())
    return [i if i.limit_id else i.model_copy(update={"limit_id": to_text(key)}) for key, i in found if i is not None]


# --- limits to usage -------------------------------------------------------------------------------


def to_usage(
    limits: Limits, identity: Identity, now: datetime, extras: Extras | None = None, *, certain: bool = False
) -> Usage:
    """The usage of one account. `certain` answers are trusted unless a part of them could not be decoded. The identity
    has the plan as the vendor calls it.

    Raises BadResponse when there is nothing to show and the account is not known either.
    """
    extras = extras or Extras()
    monthly = limits.monthly or extras.monthly
    vouchers = extras.reset_credits
    something = limits.tells_something or monthly or (vouchers and vouchers.available)
    if not something and (limits.doubtful or not (identity.email or identity.account_id or identity.plan)):
        raise BadResponse("Codex sent no limits that can be understood.")
    main = (*_paid_on(limits.windows, limits), *((monthly,) if monthly else ()))
    balance = limits.balance
    return Usage(
        updated_at=now,
        windows=(*main, *limits.extras) if something else (),
        balances=() if balance is None else (credits_left(balance),),
        identity=identity.model_copy(update={"plan": plan_title(identity.plan), "login": identity.plan}),
        details=_details(limits, extras),
        confidence=Confidence.EXACT if certain and not limits.doubtful else Confidence.UNKNOWN,
        reset_credits=vouchers,
        subscription_renews_at=extras.renews_at,
        subscription_expires_at=extras.expires_at,
        limits_unavailable=not something,
        blocked=blocked(limits.verdict, limits.windows, monthly),
        short_text=None if main else _untold_credits(limits),
    )


def _untold_credits(limits: Limits) -> str | None:
    """What is known of credits that have no number."""
    return "Unlimited credits" if limits.unlimited else "Credits available" if limits.untold else None


def _details(limits: Limits, extras: Extras) -> tuple[Section, ...]:
    sections = []
    if limits.unlimited or limits.untold:
        value = "Unlimited" if limits.unlimited else "Available, amount not told"
        sections.append(Section(title="Credits", rows=(Row(label="Credits", value=value),)))
    if extras.reset_credits is not None and (section := expiries(extras.reset_credits)):
        sections.append(section)
    if extras.renews_at or extras.expires_at:
        label, day = ("Renews", extras.renews_at) if extras.renews_at else ("Expires", extras.expires_at)
        sections.append(Section(title="Subscription", rows=(Row(label=label, value=f"{day:%Y-%m-%d}"),)))
    return tuple(sections)


def _paid_on(windows: tuple[Window, ...], limits: Limits) -> tuple[Window, ...]:
    """The main windows: a used-up one does not stop the account while there are credits that pay on."""
    credits = limits.unlimited or (limits.balance or 0) > 0
    return tuple(paid_on(window, by_others=credits) for window in windows)
