"""How Codex limits become a usage. Pure: the same answer at the same time always gives the same usage."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from quotaline_providers.errors import BadResponse
from quotaline_providers.model import (
    DAY_MINUTES,
    MONTH_MINUTES,
    SESSION_MINUTES,
    WEEK_MINUTES,
    Balance,
    Confidence,
    Identity,
    ResetCredit,
    ResetCredits,
    Row,
    Section,
    Spend,
    Usage,
    Window,
)
from quotaline_providers.payload import parse_or_none, to_number, to_text
from quotaline_providers.vendors.codex.payloads import (
    AdditionalLimit,
    Credits,
    IndividualLimit,
    MonthlyUsageAnswer,
    RateLimit,
    ResetCreditPart,
    ResetCreditsAnswer,
    RpcLimits,
    RpcRateLimits,
    UsageAnswer,
    WindowPart,
)
from quotaline_providers.wording import grouped

MONTHLY_TITLE = "Monthly credit limit"
_LABELS = {SESSION_MINUTES: "Session", DAY_MINUTES: "Daily", WEEK_MINUTES: "Weekly", MONTH_MINUTES: "Monthly"}
_IDS = {SESSION_MINUTES: "session", WEEK_MINUTES: "weekly", MONTH_MINUTES: "monthly"}
_NO_LIMIT_MODES = frozenset({"none", "off", "disabled", "no_limit"})
_SPARK_SHORT, _SPARK_LONG = 360, 8640  # minutes

Slot = Literal["primary", "secondary"]


@dataclass(frozen=True)
class Limits:
    """What one answer says, understood. `doubtful` when a part that is present could not be decoded."""

    windows: tuple[Window, ...] = ()
    extras: tuple[Window, ...] = ()
    has_credits_part: bool = False
    balance: float | None = None
    unlimited: bool = False
    monthly: Spend | None = None
    doubtful: bool = False


@dataclass(frozen=True)
class Extras:
    """What the optional calls added."""

    reset_credits: ResetCredits | None = None
    monthly: Spend | None = None
    renews_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass
class _Reader:
    """Decodes windows and remembers whether one that was present could not be understood."""

    now: datetime
    doubtful: bool = field(default=False)

    def window(self, raw: Any, id: str, label: str, fallback: float | None = None) -> Window | None:
        if raw is None:
            return None
        part = parse_or_none(WindowPart, raw)
        used = percent_used(part, fallback) if part else None
        if part is None or used is None:
            self.doubtful = True
            return None
        return Window(id=id, label=label, used_percent=used, minutes=minutes(part), resets_at=resets(part, self.now))

    def rate_limit(self, raw: Any) -> RateLimit | None:
        found = parse_or_none(RateLimit, raw)
        if raw is not None and found is None:
            self.doubtful = True
        return found


# --- windows ---------------------------------------------------------------------------------------


def percent_used(part: WindowPart, fallback: float | None = None) -> float | None:
    if part.used_percent is not None:
        return part.used_percent
    return 100 - part.remaining_percent if part.remaining_percent is not None else fallback


def minutes(part: WindowPart) -> int | None:
    """The length; None when absent or not positive."""
    if part.limit_window_seconds is not None:
        length = part.limit_window_seconds / 60
    else:
        length = part.window_minutes or part.window_duration_mins or 0
    return int(length) if length >= 1 else None


def resets(part: WindowPart, now: datetime) -> datetime | None:
    if part.reset_at or part.resets_at:
        return part.reset_at or part.resets_at
    seconds = part.reset_after_seconds
    return now + timedelta(seconds=seconds) if seconds is not None and 0 < seconds < 1e9 else None


def in_lanes(first: Window | None, second: Window | None) -> tuple[Window, ...]:
    """The main windows in their slots: the weekly one belongs in the second, whichever came first."""
    if first and second:
        if first.minutes == WEEK_MINUTES and second.minutes != WEEK_MINUTES:
            first, second = second, first
    elif only := first or second:
        first, second = (None, only) if only.minutes == WEEK_MINUTES else (only, None)
    placed = [_placed(first, "primary", "session", "Session"), _placed(second, "secondary", "weekly", "Weekly")]
    taken: set[str] = set()
    result = []
    for window in placed:
        if window is not None:
            id = f"{window.id}-2" if window.id in taken else window.id
            taken.add(id)
            result.append(window.model_copy(update={"id": id}))
    return tuple(result)


def _placed(window: Window | None, lane: Slot, id: str, label: str) -> Window | None:
    if window is None:
        return None
    known = window.minutes or 0
    update = {"lane": lane, "id": _IDS.get(known, id), "label": _LABELS.get(known, label)}
    return window.model_copy(update=update)


def extra_windows(reader: _Reader, raw: Any) -> Iterable[Window]:
    """Windows of single models and features."""
    if raw is None:
        return
    if not isinstance(raw, list):
        reader.doubtful = True
        return
    for element in raw:
        entry = parse_or_none(AdditionalLimit, element)
        if entry is None or not (entry.limit_name or entry.metered_feature):
            reader.doubtful = True
            continue
        limit = reader.rate_limit(entry.rate_limit)
        if limit is not None:
            yield from _spark(reader, limit) if _is_spark(entry) else _other(reader, entry, limit)


def _is_spark(entry: AdditionalLimit) -> bool:
    return any("spark" in name.lower() for name in (entry.limit_name, entry.metered_feature) if name)


def _spark(reader: _Reader, limit: RateLimit) -> Iterable[Window]:
    for slot, raw in enumerate(limit.windows):
        window = reader.window(raw, "codex-spark", "Codex Spark 5-hour")
        if window is None:
            continue
        length = window.minutes
        weekly = slot == 1
        if length is not None and length <= _SPARK_SHORT:
            weekly = False
        elif length is not None and length >= _SPARK_LONG:
            weekly = True
        if weekly:
            window = window.model_copy(update={"id": "codex-spark-weekly", "label": "Codex Spark Weekly"})
        yield window


def _other(reader: _Reader, entry: AdditionalLimit, limit: RateLimit) -> Iterable[Window]:
    slug = slugged(entry.metered_feature or entry.limit_name or "")
    if slug in ("", "codex"):
        return
    title = entry.limit_name or entry.metered_feature or "Codex extra limit"
    yield from _one_of(reader, limit, f"codex-{slug}", title)


def _one_of(reader: _Reader, limit: RateLimit, id: str, title: str) -> Iterable[Window]:
    found = [reader.window(raw, id, title) for raw in limit.windows]
    if window := found[0] or found[1]:
        yield window


def slugged(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _first_of_each(windows: Iterable[Window], taken: Iterable[str]) -> tuple[Window, ...]:
    seen = set(taken)
    kept = []
    for window in windows:
        if window.id not in seen:
            seen.add(window.id)
            kept.append(window)
    return tuple(kept)


# --- credits ---------------------------------------------------------------------------------------


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
    return _monthly(used, part.limit, part.resets_at or part.reset_at, title)


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
    return _monthly(used, amount, None, None)


def _monthly(used: float, limit: float, resets_at: datetime | None, title: str | None) -> Spend:
    return Spend(
        id="monthly-credit-limit",
        label=title or MONTHLY_TITLE,
        used=Decimal(str(max(0.0, used))),
        limit=Decimal(str(limit)),
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
    reader = _Reader(now)
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
        extras.extend(_one_of(reader, review, "codex-code-review", "Code review"))
    balance = balance_of(answer.credits, to_number(headers.get("x-codex-credits-balance")))
    return Limits(
        windows=windows,
        extras=_first_of_each(extras, (window.id for window in windows)),
        has_credits_part=answer.credits is not None or balance is not None,
        balance=balance,
        unlimited=bool(answer.credits and answer.credits.unlimited),
        monthly=_first_monthly(
            answer.individual_limit,
            limit.individual_limit if limit else None,
            answer.spend_control.individual_limit if answer.spend_control else None,
        ),
        doubtful=reader.doubtful,
    )


def _first_monthly(*parts: IndividualLimit | None) -> Spend | None:
    return next((spend for part in parts if (spend := monthly_limit(part))), None)


def program_limits(answer: RpcRateLimits, now: datetime) -> Limits:
    """What the Codex program says."""
    reader = _Reader(now)
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
    balance = None if credits is None else credits.balance
    if credits is not None and balance is None and not credits.unlimited:
        balance = 0.0
    return Limits(
        windows=windows,
        extras=_first_of_each(extra_windows(reader, extras), (window.id for window in windows)),
        has_credits_part=credits is not None,
        balance=balance,
        unlimited=bool(credits and credits.unlimited),
        monthly=next((s for i in named if (s := monthly_limit(i.individual_limit, i.limit_name))), None),
        doubtful=reader.doubtful,
    )


def _by_id(raw: Any) -> list[RpcLimits]:
    if not isinstance(raw, dict):
        return []
    found = ((key, parse_or_none(RpcLimits, item)) for key, item in raw.items())
    return [i if i.limit_id else i.model_copy(update={"limit_id": to_text(key)}) for key, i in found if i is not None]


# --- limits to usage -------------------------------------------------------------------------------


def to_usage(
    limits: Limits, identity: Identity, now: datetime, extras: Extras | None = None, *, exact: bool = False
) -> Usage:
    """The usage of one account. `exact` answers are trusted unless a part of them could not be decoded.

    Raises BadResponse when there is nothing to show and the account is not known either.
    """
    extras = extras or Extras()
    monthly = limits.monthly or extras.monthly
    vouchers = extras.reset_credits
    something = limits.windows or limits.has_credits_part or monthly or (vouchers and vouchers.available)
    if not something and (limits.doubtful or not (identity.email or identity.account_id or identity.plan)):
        raise BadResponse("Codex told no limits that can be understood.")
    balance = limits.balance
    return Usage(
        updated_at=now,
        windows=(*limits.windows, *limits.extras) if something else (),
        balances=() if balance is None else (_credits(balance),),
        spends=(monthly,) if monthly else (),
        identity=identity,
        details=_details(limits, extras, now),
        confidence=Confidence.EXACT if exact and not limits.doubtful else Confidence.UNKNOWN,
        reset_credits=vouchers,
        subscription_renews_at=extras.renews_at,
        subscription_expires_at=extras.expires_at,
        limits_unavailable=not something,
    )


def _credits(balance: float) -> Balance:
    return Balance(id="credits", label="Credits", amount=Decimal(str(balance)), unit="credits")


def _details(limits: Limits, extras: Extras, now: datetime) -> tuple[Section, ...]:
    sections = []
    if limits.unlimited:
        sections.append(Section(title="Credits", rows=(Row(label="Credits", value="Unlimited"),)))
    if extras.reset_credits is not None:
        sections.append(_voucher_section(extras.reset_credits))
    if extras.renews_at or extras.expires_at:
        label, day = ("Renews", extras.renews_at) if extras.renews_at else ("Expires", extras.expires_at)
        sections.append(Section(title="Subscription", rows=(Row(label=label, value=f"{day:%Y-%m-%d}"),)))
    return tuple(sections)


def _voucher_section(vouchers: ResetCredits) -> Section:
    usable = [credit for credit in vouchers.credits if credit.status == "available"]
    rows = [Row(label="Limit reset credits", value=f"{grouped(vouchers.available, 0)} available")]
    rows += [
        Row(label=credit.title or "Reset credit", value=f"expires {credit.expires_at:%Y-%m-%d %H:%M} UTC")
        if credit.expires_at
        else Row(label=credit.title or "Reset credit", value="never expires")
        for credit in usable
    ]
    return Section(title="Reset credits", rows=tuple(rows))


def binding(usage: Usage) -> str | None:
    """What a status bar shows: the first live lane, or the weekly one beside a longer lane. Credits that are left take
    over when a lane is exhausted or there is none."""
    lanes = [window for lane in ("primary", "secondary", "tertiary") if (window := usage.lane(lane))]
    live = [window for window in lanes if not (window.exhausted and _over(window, usage.updated_at))]
    credits = next((balance for balance in usage.balances if balance.amount > 0), None)
    if credits and (not live or any(window.exhausted for window in live)):
        return credits.id
    weekly = next((window for window in live if window.minutes == WEEK_MINUTES), None)
    if weekly and any((window.minutes or 0) > WEEK_MINUTES for window in live):
        return weekly.id
    return live[0].id if live else None


def _over(window: Window, now: datetime) -> bool:
    return window.resets_at is not None and window.resets_at <= now
