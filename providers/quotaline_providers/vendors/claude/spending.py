"""What Claude costs beside the plan, or instead of one: extra usage, its cap, prepaid money, cloud credits. Pure."""

from __future__ import annotations

from decimal import Decimal

from quotaline_providers import Balance, Row, Section, Spend, Usage, Window, clamped, from_minor, money, share
from quotaline_providers.vendors.claude.payloads import (
    CloudCredits,
    ExtraUsage,
    Minor,
    NewerSpend,
    Prepaid,
    SpendLimit,
    UsageAnswer,
)

CLOUD, CLOUD_ID = "Cloud session credits", "claude-cloud-session-credits"
_LIMIT = "Spend limit"


# --- extra usage -----------------------------------------------------------------------------------


def spend_of(answer: UsageAnswer, *, is_whole: bool, assume_enabled: bool = False) -> Spend | None:
    """What extra usage cost; None when it is off or unknown. Without a cap there is no limit.

    The newer and the older member tell one amount. `is_whole` when nothing else limits the account.
    """
    return _newer(answer.spend, is_whole) or extra_usage(answer.extra_usage, is_whole, assume_enabled=assume_enabled)


def _newer(spend: NewerSpend | None, is_whole: bool) -> Spend | None:
    if spend is None or spend.enabled is False or spend.used is None:
        return None
    unit = _unit(spend.used.currency)
    used, limit, balance = (_amount(part, unit) for part in (spend.used, spend.limit, spend.balance))
    return None if used is None else _spend(used, limit, unit, is_whole).model_copy(update={"balance": balance})


def _amount(part: Minor | None, unit: str) -> Decimal | None:
    """An amount in this currency, which one without a currency is in; None for one in another."""
    if part is None or part.amount is None or _unit(part.currency or unit) != unit:
        return None
    return from_minor(part.amount, unit, part.exponent)


def _unit(currency: str | None) -> str:
    return (currency or "USD").upper()


def extra_usage(extra: ExtraUsage | None, is_whole: bool, *, assume_enabled: bool = False) -> Spend | None:
    """As `spend_of`, from the older member alone."""
    if extra is None or not (extra.is_enabled or (extra.is_enabled is None and assume_enabled)):
        return None
    used, limit = extra.used_credits, extra.monthly_limit
    if used is None and limit is not None and extra.utilization is not None:
        used = limit * clamped(extra.utilization) / 100
    if used is None:
        return None
    unit = _unit(extra.currency)
    amount = from_minor(used, unit, extra.decimal_places)
    cap = None if limit is None else from_minor(limit, unit, extra.decimal_places)
    return None if amount is None else _spend(amount, cap, unit, is_whole)


def _spend(used: Decimal, limit: Decimal | None, unit: str, is_whole: bool) -> Spend:
    is_limit = is_whole and bool(limit)
    return Spend(
        id="extra",
        label=_LIMIT if is_limit else "Extra usage",
        used=used,
        unit=unit,
        limit=limit,
        period=_LIMIT if is_limit else "Monthly cap" if limit else "Monthly",
    )


def spend_limit_note(spend: Spend) -> str:
    """The one line of an account that has only a spend limit: `Spend limit: $3.00 / $20.00`."""
    return f"{_LIMIT}: {money(spend.used, spend.unit)} / {money(spend.limit or 0, spend.unit)}"


# --- what only claude.ai tells ---------------------------------------------------------------------


def overage_spend(answer: SpendLimit, is_whole: bool) -> Spend | None:
    """Extra usage from the web's spend limit; None unless it is on and complete."""
    if answer.is_enabled is not True or not answer.currency:
        return None
    if answer.used_credits is None or answer.monthly_credit_limit is None:
        return None
    extra = ExtraUsage(
        is_enabled=True,
        monthly_limit=answer.monthly_credit_limit,
        used_credits=answer.used_credits,
        currency=answer.currency,
        decimal_places=answer.decimal_places,
    )
    return extra_usage(extra, is_whole)


def prepaid_balance(answer: Prepaid) -> Balance | None:
    """The prepaid credits; None when the answer has no usable amount."""
    if answer.amount is None or answer.amount < 0 or not answer.currency:
        return None
    unit = answer.currency.upper()
    amount = from_minor(answer.amount, unit)
    return None if amount is None else Balance(id="prepaid", label="Extra usage balance", amount=amount, unit=unit)


def with_extras(usage: Usage, spend: Spend | None, balance: Balance | None) -> Usage:
    """The usage with what only the web knows. A balance joins only in the currency of the spend."""
    spends = usage.spends or ((spend,) if spend else ())
    if balance is None or any(one.unit != balance.unit for one in spends):
        return usage.model_copy(update={"spends": spends})
    if spends:
        amount: Decimal = balance.amount
        return usage.model_copy(update={"spends": tuple(one.model_copy(update={"balance": amount}) for one in spends)})
    return usage.model_copy(update={"balances": (*usage.balances, balance)})


# --- credits for sessions in the cloud -------------------------------------------------------------


def cloud_window(part: CloudCredits | None) -> Window | None:
    """The credits for cloud sessions, in dollars; None without a limit above zero. They are no part of a plan."""
    if part is None or part.limit is None or part.limit <= 0:
        return None
    used = part.used
    if used is None and part.remaining is not None:
        used = part.limit - max(0.0, part.remaining)
    percent = part.utilization if part.utilization is not None or used is None else share(used, part.limit)
    if percent is None:
        return None
    return Window(
        id=CLOUD_ID,
        label=CLOUD,
        used_percent=percent,
        used=used,
        limit=part.limit,
        unit="USD",
        resets_at=part.resets_at,
        blocks=False,
    )


def cloud_section(part: CloudCredits | None) -> Section | None:
    """Why the credits for the cloud cannot be used."""
    if part is None or part.locked_reason is None or cloud_window(part) is None:
        return None
    return Section(rows=(Row(label=CLOUD, value="Locked", secondary=" ".join(part.locked_reason.split("_"))),))
