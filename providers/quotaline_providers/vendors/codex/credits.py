"""How Codex credits, monthly limits and reset credits become a usage's parts."""

from __future__ import annotations

import hashlib
from datetime import datetime

from quotaline_providers.model import ResetCredit, ResetCredits, Spend
from quotaline_providers.parsing.payload import exact, to_number
from quotaline_providers.vendors.codex.payloads import (
    Credits,
    IndividualLimit,
    MonthlyUsageAnswer,
    ResetCreditPart,
    ResetCreditsAnswer,
)

MONTHLY_TITLE = "Monthly credit limit"
_NO_LIMIT_MODES = frozenset({"none", "off", "disabled", "no_limit"})


def balance_of(part: Credits | None, fallback: float | None = None) -> float | None:
    """Credits left. No purchase and no number means zero; a purchase without a number stays unknown."""
    balance = part.balance if part and part.balance is not None else fallback
    if balance is None and part and part.has_credits is False and not part.unlimited:
        return 0.0
    return balance


def monthly_limit(part: IndividualLimit | None, title: str | None = None) -> Spend | None:
    """The monthly allowance in credits; None without a limit above zero."""
    if part is None or part.limit is None or part.limit <= 0:
        return None
    used = part.used
    if used is None:
        remaining = 100.0 if part.remaining_percent is None else min(100.0, max(0.0, part.remaining_percent))
        used = part.limit * (100 - remaining) / 100
    return monthly_spend(used, part.limit, part.resets_at or part.reset_at, title)


def monthly_usage(answer: MonthlyUsageAnswer) -> Spend | None:
    """The monthly allowance of a workspace member; None when there is no limit or it cannot be understood."""
    limit = answer.effective_monthly_limit
    if limit is None:
        return None
    if any(mode and mode.lower() in _NO_LIMIT_MODES for mode in (limit.enforcement_mode, limit.limit_mode)):
        return None
    amount, used = to_number(limit.limit), to_number(answer.current_month_usage)
    if amount is None or amount <= 0 or used is None:
        return None
    return monthly_spend(used, amount, None, None)


def monthly_spend(used: float, limit: float, resets_at: datetime | None, title: str | None) -> Spend:
    """Credits used of a monthly limit."""
    return Spend(
        id="monthly-credit-limit",
        label=title or MONTHLY_TITLE,
        used=exact(max(0.0, used)),
        limit=exact(limit),
        unit="credits",
        period="Monthly",
        resets_at=resets_at,
    )


def reset_credits(answer: ResetCreditsAnswer, now: datetime) -> ResetCredits:
    """The vouchers, those that run out soonest first, and how many can still be used."""
    credits = sorted((_reset_credit(part, now) for part in answer.credits), key=_by_expiry)
    usable = sum(credit.status == "available" for credit in credits)
    return ResetCredits(available=usable if credits else answer.available_count, credits=tuple(credits))


def _reset_credit(part: ResetCreditPart, now: datetime) -> ResetCredit:
    status = (part.status or "available").lower()
    if status == "available" and part.expires_at and part.expires_at <= now:
        status = "expired"
    return ResetCredit(
        id="codex-reset-credit-v1-" + hashlib.sha256(part.id.encode()).hexdigest(),
        status=status,
        **part.model_dump(exclude={"id", "status"}),
    )


def _by_expiry(credit: ResetCredit) -> float:
    return credit.expires_at.timestamp() if credit.expires_at else float("inf")
