"""The amounts beside Codex's windows: credits, a member's monthly limit, vouchers that reset a limit early. Pure."""

from __future__ import annotations

import hashlib
from datetime import datetime

from quotaline_providers import MONTH_MINUTES, Balance, Row, Section, Window, clamped, exact, share, to_number
from quotaline_providers.model import ResetCredit, ResetCredits
from quotaline_providers.vendors.codex.payloads import (
    Credits,
    IndividualLimit,
    MonthlyUsageAnswer,
    ResetCreditPart,
    ResetCreditsAnswer,
)

MONTHLY_LIMIT = "monthly-credit-limit"
_MONTHLY_TITLE = "Monthly credit limit"
_NO_LIMIT_MODES = frozenset({"none", "off", "disabled", "no_limit"})


# --- credits ---------------------------------------------------------------------------------------


def balance_of(part: Credits | None, fallback: float | None = None) -> float | None:
    """Credits left. No purchase and no number means zero; a purchase without a number stays unknown."""
    balance = part.balance if part and part.balance is not None else fallback
    if balance is None and part and part.has_credits is False and not part.unlimited:
        return 0.0
    return balance


def program_balance(part: Credits | None) -> float | None:
    """As `balance_of`. The program sends a text, and one that is no number means zero."""
    known = part is not None and part.told is not None and not part.unlimited
    return balance_of(part, 0.0 if known else None)


def credits_left(balance: float) -> Balance:
    """The credits as a balance. They are no dollars."""
    return Balance(id="credits", label="Credits", amount=exact(balance), unit="credits")


# --- a member's monthly limit ----------------------------------------------------------------------


def monthly_limit(part: IndividualLimit | None, title: str | None = None) -> Window | None:
    """The monthly allowance in credits; None without a limit above zero."""
    if part is None or part.limit is None or part.limit <= 0:
        return None
    percent = None if part.remaining_percent is None else 100 - clamped(part.remaining_percent)
    used = part.used if part.used is not None else part.limit * (percent or 0) / 100
    return monthly_window(used, part.limit, part.resets_at or part.reset_at, title, percent)


def first_monthly(*parts: IndividualLimit | None) -> Window | None:
    """The first monthly allowance that is one."""
    return next((window for part in parts if (window := monthly_limit(part))), None)


def monthly_usage(answer: MonthlyUsageAnswer) -> Window | None:
    """The monthly allowance of a workspace member; None when there is no limit or it cannot be understood."""
    limit = answer.effective_monthly_limit
    if limit is None:
        return None
    if any(mode and mode.lower() in _NO_LIMIT_MODES for mode in (limit.enforcement_mode, limit.limit_mode)):
        return None
    amount, used = to_number(limit.limit), to_number(answer.current_month_usage)
    if amount is None or amount <= 0 or used is None:
        return None
    return monthly_window(used, amount, None)


def monthly_window(
    used: float, limit: float, resets_at: datetime | None, title: str | None = None, percent: float | None = None
) -> Window:
    """Credits used of a monthly limit. `percent` (0-100) goes before what the amounts say."""
    used = max(0.0, used)
    return Window(
        id=MONTHLY_LIMIT,
        label=title or _MONTHLY_TITLE,
        used_percent=share(used, limit) if percent is None else percent,
        used=used,
        limit=limit,
        unit="credits",
        minutes=MONTH_MINUTES,
        resets_at=resets_at,
        blocks=True,
    )


# --- vouchers --------------------------------------------------------------------------------------


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


def expiries(vouchers: ResetCredits) -> Section | None:
    """When each of several usable vouchers ends. Their number and the next end are told from `Usage.reset_credits`."""
    rows = tuple(
        Row(label=credit.title or "Reset credit", value=f"expires {credit.expires_at:%Y-%m-%d %H:%M} UTC")
        if credit.expires_at
        else Row(label=credit.title or "Reset credit", value="never expires")
        for credit in vouchers.credits
        if credit.status == "available"
    )
    return Section(title="Reset credits", rows=rows) if len(rows) > 1 else None
