"""How the balance and the subscription become a usage. Pure."""

from __future__ import annotations

from datetime import datetime

from quotaline_providers import (
    WEEK_MINUTES,
    Balance,
    Blocked,
    Identity,
    Row,
    Section,
    Usage,
    Window,
    exact,
    grouped,
    paid_on,
    plan_name,
    share,
)
from quotaline_providers.vendors.codebuff.payloads import Plan, SubscriptionAnswer, UsageAnswer


def to_usage(answer: UsageAnswer, subscription: SubscriptionAnswer | None, now: datetime) -> Usage:
    """Balance, credits window, and what a subscription adds."""
    plan = (subscription.plan if subscription else None) or Plan()
    remaining = answer.remaining
    pays_on = remaining is not None and remaining > 0  # credits do when the plan's limits are reached
    limits = (paid_on(window, by_others=pays_on) for window in (_weekly(subscription), _block(subscription)) if window)
    credits = _credits(answer)
    found = (credits, *limits) if credits else tuple(limits)
    balance = None if remaining is None else exact(remaining)
    rows = _rows(answer, plan)
    email = (subscription.email or (subscription.user.email if subscription.user else None)) if subscription else None
    return Usage(
        updated_at=now,
        windows=found,
        balances=() if balance is None else (Balance(id="credits", label="Credits", amount=balance, unit="credits"),),
        identity=Identity(email=email, plan=_tier(subscription), login=_login_text(answer, subscription)),
        details=(Section(title="Account", rows=rows),) if rows else (),
        short_text=_used_text(answer),
        blocked=None if pays_on else _blocked(subscription),
        subscription_renews_at=plan.billing_end or plan.current_end,
    )


_REASONS = {"block_exhausted": "the block's credits are used up", "weekly_limit": "weekly limit reached"}


def _blocked(subscription: SubscriptionAnswer | None) -> Blocked | None:
    """Codebuff's own word that the subscription's limit is reached, and until when."""
    rate = subscription.rate if subscription else None
    if rate is None or not rate.limited:
        return None
    reason = (rate.reason or "").strip().lower()
    ends = {"block_exhausted": rate.block_resets_at, "weekly_limit": rate.weekly_resets_at}
    words = _REASONS.get(reason) or reason.replace("_", " ") or "rate limit reached"
    return Blocked(reason=words, until=ends.get(reason))


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
        used_percent=share(used or 0.0, total) if total else 100,
        used=used,
        limit=total or None,
        unit="credits",
        resets_at=answer.next_reset,
        lane="primary",
        placeholder=not total,
        blocks=bool(total) and not answer.tops_up,
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
        used_percent=share(used or 0.0, limit),
        used=None if used is None else max(0.0, used),
        limit=limit,
        unit="credits",
        minutes=WEEK_MINUTES,
        resets_at=rate.weekly_resets_at,
        lane="secondary",
        blocks=True,
    )


def _block(subscription: SubscriptionAnswer | None) -> Window | None:
    rate = subscription.rate if subscription else None
    if subscription is None or rate is None or rate.block_limit is None or rate.block_limit <= 0:
        return None
    hours = subscription.limits.block_hours if subscription.limits else None
    return Window(
        id="block",
        label="Block",
        used_percent=share(rate.block_used or 0.0, rate.block_limit),
        used=None if rate.block_used is None else max(0.0, rate.block_used),
        limit=rate.block_limit,
        unit="credits",
        minutes=round(hours * 60) if hours and hours > 0 else None,
        resets_at=rate.block_resets_at,
        blocks=True,
    )


def _tier(subscription: SubscriptionAnswer | None) -> str | None:
    tier = subscription.label if subscription else None
    return plan_name(tier) or None if tier else None


def _login_text(answer: UsageAnswer, subscription: SubscriptionAnswer | None) -> str | None:
    remaining = answer.remaining
    parts = (
        _tier(subscription) or "",
        "" if remaining is None else f"{grouped(remaining, 0 if abs(remaining) >= 1000 else 1)} remaining",
        "auto top-up" if answer.tops_up else "",
    )
    return " · ".join(part for part in parts if part) or None


def _used_text(answer: UsageAnswer) -> str | None:
    """`30 credits used`, where nothing tells of how many."""
    window = _credits(answer)
    unknown = window is not None and window.limit is None and answer.remaining is None
    return f"{grouped(answer.used)} credits used" if unknown and answer.used is not None else None


def _rows(answer: UsageAnswer, plan: Plan) -> tuple[Row, ...]:
    rows: list[Row] = []
    window = _credits(answer)
    if window and window.limit is None:
        rows.append(Row(label="Quota", value="unknown"))
    if used := _used_text(answer):
        rows.append(Row(label="Credits", value=used))
    if answer.told_top_up is not None:
        rows.append(Row(label="Auto top-up", value="on" if answer.told_top_up else "off"))
    if plan.status:
        rows.append(Row(label="Subscription", value=plan_name(plan.status)))
    if end := plan.billing_end or plan.current_end:
        rows.append(Row(label="Billing period ends", value=f"{end:%Y-%m-%d}"))
    if breakdown := answer.breakdown:
        kinds = (("Free credits", breakdown.free), ("Paid credits", breakdown.paid), ("Ad credits", breakdown.ad))
        rows.extend(Row(label=label, value=grouped(number)) for label, number in kinds if number is not None)
    return tuple(rows)
