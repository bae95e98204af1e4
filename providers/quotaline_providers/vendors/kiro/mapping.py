"""What Kiro's report and its service say together, as usage. The service's numbers win where they are credible."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

from quotaline_providers import (
    Identity,
    Row,
    Section,
    Spend,
    Usage,
    Window,
    clamped,
    exact,
    money,
    paid_on,
    to_number,
)
from quotaline_providers.vendors.kiro.payloads import DEFAULT_PLAN, ContextReport, LimitsAnswer, Login, Report

_EARLIEST, _LATEST = 1_000_000_000, 4_102_444_800  # what the service may mean: from 2001 to 2099
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Limits:
    """A credible answer, in credits. `used` is the plan's part; `cap` is set only when overage is enabled."""

    limit: float
    used: float
    overage: float
    resets_at: datetime
    state: Literal["enabled", "disabled", "unknown"]
    cap: float | None = None
    charges: Decimal | None = None
    rate: Decimal | None = None
    currency: str = "USD"
    has_bonuses: bool = False
    title: str | None = None


def to_limits(answer: LimitsAnswer) -> Limits | None:
    """The answer's credits; None when there is not exactly one credit row or its numbers contradict each other."""
    rows = [row for row in answer.breakdowns if row.resource == "CREDIT"]
    if len(rows) != 1:
        return None
    row = rows[0]
    reset = next((time for time in map(_seconds, (row.next_reset, answer.next_reset)) if time), None)
    if row.limit is None or row.total is None or row.overage is None or reset is None:
        return None
    if min(row.limit, row.total, row.overage) < 0 or row.overage > row.total:
        return None
    used = row.total - row.overage
    has_bonuses = bool(row.bonuses)
    if used > row.limit + _ROUNDING and not has_bonuses:
        return None
    state, cap = _overage_state((answer.overage.status or "").upper(), row.cap)
    if cap is not None and not (math.isfinite(cap) and cap >= 0):
        return None
    return Limits(
        limit=row.limit,
        used=used,
        overage=row.overage,
        resets_at=reset,
        state=state,
        cap=cap,
        charges=exact(row.charges) if row.charges is not None and row.charges >= 0 else None,
        rate=exact(row.rate) if row.rate is not None and row.rate > 0 else None,
        currency=(row.currency or "USD").upper(),
        has_bonuses=has_bonuses,
        title=answer.subscription.title if answer.subscription else None,
    )


def _overage_state(status: str, cap: object) -> tuple[Literal["enabled", "disabled", "unknown"], float | None]:
    if status == "DISABLED":
        return "disabled", None
    if status != "ENABLED" or cap is None:
        return "unknown", None
    number = to_number(cap)
    return "enabled", math.nan if number is None else number


def _seconds(value: float | None) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if value is not None and _EARLIEST <= value <= _LATEST else None


# --- the usage -------------------------------------------------------------------------------------

UNKNOWN_LOGIN = Login()


def to_usage(
    report: Report,
    now: datetime,
    *,
    login: Login = UNKNOWN_LOGIN,
    context: ContextReport | None = None,
    limits: Limits | None = None,
) -> Usage:
    """The windows Credits, Bonus and Overage, the overage spend and all rows."""
    credits, bonus = _credits(report, limits), _bonus(report, now)
    overage = _overage(limits, begun=credits is not None and credits.exhausted)
    if credits is not None:
        beyond = _overage_is_on(report, limits) and not (overage and overage.exhausted)
        credits = paid_on(credits, by_others=beyond or bool(bonus and not bonus.exhausted))
    found = (credits, bonus, overage)
    spend = _spend(limits)
    rows = (*_credit_rows(report, limits), *_overage_rows(report, limits), *_context_rows(context))
    manage = (Row(label="Manage", value=report.manage_url),) if report.manage_url else ()
    account = (Row(label="Signed in with", value=login.method),) if login.method else ()
    return Usage(
        updated_at=now,
        windows=tuple(window for window in found if window),
        limits_unavailable=not any(found),
        spends=(spend,) if spend else (),
        identity=Identity(email=login.email, plan=plan_of(report, limits)),
        details=(Section(title="Usage", rows=(*rows, *manage, *account)),),
    )


def plan_of(report: Report, limits: Limits | None = None) -> str:
    """The plan's name as it was sent: the report's, else the service's."""
    return limits.title if report.plan == DEFAULT_PLAN and limits and limits.title else report.plan


# --- windows ---------------------------------------------------------------------------------------


def _plan_numbers(report: Report, limits: Limits | None) -> tuple[float | None, float | None, float | None]:
    """Used, total and percent of the plan's credits; no percent where nobody tells."""
    if limits is None or limits.has_bonuses:  # what was spent of bonuses is mixed in
        return report.used, report.total, report.percent
    if limits.limit <= 0:
        return limits.used, limits.limit, report.percent
    return limits.used, limits.limit, limits.used / limits.limit * 100


def is_measured(report: Report, limits: Limits | None) -> bool:
    """Whether the plan's credits are known."""
    return _plan_numbers(report, limits)[2] is not None


def _credits(report: Report, limits: Limits | None) -> Window | None:
    used, total, percent = _plan_numbers(report, limits)
    if percent is None:
        return None
    return Window(
        id="credits",
        label="Credits",
        used_percent=percent,
        used=used,
        limit=total,
        unit="credits",
        resets_at=limits.resets_at if limits else report.resets_at,
        lane="primary",
        blocks=True,
    )


def _bonus(report: Report, now: datetime) -> Window | None:
    bonus = report.bonus
    if bonus is None or bonus.total <= 0:
        return None
    days = bonus.expires_in
    return Window(
        id="bonus",
        label="Bonus",
        used_percent=bonus.used / bonus.total * 100,
        used=bonus.used,
        limit=bonus.total,
        unit="credits",
        resets_at=None if days is None else now + timedelta(days=min(days, 36500)),
        description=None if days is None else f"expires in {days}d",
        lane="secondary",
        blocks=False,
    )


def _overage(limits: Limits | None, *, begun: bool) -> Window | None:
    """It stops the account at its cap, once the plan's credits are used up."""
    if limits is None or not limits.cap:
        return None
    return Window(
        id="kiro-overage",
        label="Overage",
        used_percent=clamped(limits.overage / limits.cap * 100),
        used=limits.overage,
        limit=limits.cap,
        unit="credits",
        resets_at=limits.resets_at,
        blocks=begun,
    )


def _spend(limits: Limits | None) -> Spend | None:
    ceiling = _ceiling(limits)
    if limits is None or limits.charges is None or ceiling is None:
        return None
    return Spend(
        id="overage",
        label="Overage",
        used=limits.charges,
        limit=ceiling,
        unit=limits.currency,
        period="Overage",
        resets_at=limits.resets_at,
    )


def _ceiling(limits: Limits | None) -> Decimal | None:
    """The most that overage can cost."""
    if limits is None or not limits.cap or limits.rate is None:
        return None
    return exact(limits.cap) * limits.rate


# --- rows ------------------------------------------------------------------------------------------


def number(value: float) -> str:
    """Whole when within 0.005 of it, else two decimals."""
    return f"{round(value)}" if abs(value - round(value)) < 0.005 else f"{value:.2f}"


def _credit_rows(report: Report, limits: Limits | None) -> list[Row]:
    used, total, percent = _plan_numbers(report, limits)
    rows = [Row(label="Plan", value=plan_of(report, limits))]
    if percent is None:
        why = "Managed by your organization" if report.managed else "Not told by this version of kiro-cli"
        return [*rows, Row(label="Credits", value=why)]
    if used is not None and total is not None:
        rows.append(Row(label="Credits left", value=number(max(0.0, total - used))))
        rows.append(Row(label="Credits used", value=number(used)))
        rows.append(Row(label="Credits total", value=number(total)))
    if bonus := report.bonus:
        of = f"of {number(bonus.total)}"
        expiry = "" if bonus.expires_in is None else f" · expires in {bonus.expires_in}d"
        left = number(max(0.0, bonus.total - bonus.used))
        rows.append(Row(label="Bonus credits left", value=left, secondary=of + expiry))
    return rows


def _overage_is_on(report: Report, limits: Limits | None) -> bool:
    """By the service's word if it is known, else by the report's."""
    state = limits.state if limits else "unknown"
    return state == "enabled" or (state == "unknown" and (report.overages or "").lower().startswith("enabled"))


def _overage_rows(report: Report, limits: Limits | None) -> list[Row]:
    state = limits.state if limits else "unknown"
    said = report.overages
    text = "Disabled" if state == "disabled" else said or ("Enabled" if state == "enabled" else None)
    rows = [Row(label="Overages", value=text)] if text else []
    if not _overage_is_on(report, limits):
        return rows
    used = limits.overage if limits else report.overage_used
    cap = limits.cap if limits else None
    if used is not None:
        of = None if cap is None else f"of {number(cap)}"
        rows.append(Row(label="Overage usage", value=f"{number(used)} credits", secondary=of))
        if cap is not None:
            rows.append(Row(label="Overage credits left", value=number(max(0.0, cap - used))))
    if cost := _cost(report, limits):
        ceiling = _ceiling(limits)
        of = f"of {money(ceiling, limits.currency)}" if limits and ceiling is not None else None
        rows.append(Row(label="Overage cost", value=cost, secondary=of))
    return rows


def _cost(report: Report, limits: Limits | None) -> str | None:
    """The service's charges, else the report's estimate, which is always in dollars."""
    if limits and limits.charges is not None:
        return money(limits.charges, limits.currency)
    if report.overage_cost is None or (limits and limits.currency != "USD"):
        return None
    return money(report.overage_cost)


def _context_rows(context: ContextReport | None) -> list[Row]:
    if context is None:
        return []
    rows = [Row(label="Context used", value=f"{context.used:.1f}%")]
    return [*rows, *(Row(label=name, value=f"{value:.1f}%") for name, value in context.parts)]
