"""How GitHub's answers become a usage: the lanes of a seat, budgets, and an organisation's spend. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from quotaline_providers import (
    MONTH_MINUTES,
    BadResponse,
    Forbidden,
    Identity,
    Lane,
    Row,
    Section,
    Spend,
    Usage,
    Window,
    clamped,
    exact,
    grouped,
    paid_on,
)
from quotaline_providers.vendors.copilot.payloads import Bucket, Budget, Counts, Summary, UserAnswer


class NoCopilot(Forbidden):
    """The account is known and has no Copilot."""


def lanes(answer: UserAnswer) -> tuple[Bucket | None, Bucket | None]:
    """The buckets of the premium and the chat lane, whatever names they came under."""
    named = answer.quota_snapshots
    premium, chat = _known(named.get("premium_interactions")), _known(named.get("chat"))
    others = {
        name.lower(): bucket
        for name, bucket in named.items()
        if name not in ("premium_interactions", "chat") and bucket.usable
    }
    chat_name = next((name for name in others if "chat" in name), None)
    if chat is None and chat_name:
        chat = others[chat_name]
    if premium is None:
        premium = next(
            (
                bucket
                for name, bucket in others.items()
                if "chat" not in name and any(word in name for word in ("premium", "completion", "code"))
            ),
            None,
        )
    if premium is None and chat is None:
        chat = next(iter(others.values()), None)
    monthly, left = answer.monthly_quotas or Counts(), answer.limited_user_quotas or Counts()
    return (
        _merged(premium, _derived(monthly.completions, left.completions)),
        _merged(chat, _derived(monthly.chat, left.chat)),
    )


def _known(bucket: Bucket | None) -> Bucket | None:
    """A placeholder counts only for the credits it names."""
    return bucket if bucket is not None and (bucket.usable or bucket.credits_used is not None) else None


def _derived(monthly: float | None, left: float | None) -> Bucket | None:
    if monthly is None or left is None or monthly <= 0:
        return None
    return Bucket(entitlement=monthly, remaining=left, percent_remaining=clamped(left / monthly * 100))


def _merged(bucket: Bucket | None, derived: Bucket | None) -> Bucket | None:
    if derived is None or (bucket is not None and bucket.usable and not bucket.endless):
        return bucket
    return derived if bucket is None else derived.model_copy(update={"credits_used": bucket.credits_used})


def to_usage(answer: UserAnswer, now: datetime) -> Usage:
    """The usage without side calls. Raises NoCopilot for an account without it, and BadResponse when nothing in the
    answer is a quota or says there is none."""
    premium, chat = lanes(answer)
    if answer.no_access and premium is None and chat is None:
        free = "take the free plan there, or " if answer.can_signup_for_limited else ""
        hint = f"See https://github.com/settings/copilot: {free}ask your organisation for a seat."
        raise NoCopilot("This GitHub account has no Copilot.", hint, definite=True)
    unit = "credits" if answer.token_based_billing else "requests"
    windows = [
        *_window("premium", "Premium", premium, "primary", unit, answer.resets_at, blocks=True),
        # Without messages everything else still works, where there is anything else.
        *_window("chat", "Chat", chat, "secondary", "messages", answer.resets_at, blocks=premium is None),
    ]
    endless = any(bucket is not None and bucket.endless for bucket in (premium, chat))
    if not windows and not answer.token_based_billing and not endless:
        raise BadResponse("GitHub's answer holds no Copilot quota.")
    completions = answer.quota_snapshots.get("completions")
    if completions is not None and completions is not premium:
        windows += _window(
            "completions", "Completions", completions, None, "completions", answer.resets_at, blocks=False
        )
    plan = answer.copilot_plan or "unknown"
    rows = (*_credits(premium, chat, answer.resets_at), *_extra_usage(premium))
    return Usage(
        updated_at=now,
        windows=tuple(windows),
        identity=Identity(account_id=answer.login, plan=plan[:1].upper() + plan[1:]),
        details=(Section(title="Copilot", rows=rows),) if rows else (),
    )


def _window(
    id: str,
    label: str,
    bucket: Bucket | None,
    lane: Lane | None,
    unit: str,
    resets_at: datetime | None,
    *,
    blocks: bool,
) -> list[Window]:
    if bucket is None or (used := bucket.window_percent) is None:
        return []
    limit, remaining = bucket.entitlement, bucket.remaining
    counted = limit is not None and limit > 0 and remaining is not None
    window = Window(
        id=id,
        label=label,
        used_percent=used,
        used=max(0.0, limit - remaining) if counted and limit is not None and remaining is not None else None,
        limit=limit if counted else None,
        unit=unit if counted else None,
        minutes=MONTH_MINUTES if resets_at else None,
        resets_at=resets_at,
        description=f"{used:.0f}% used" if used > 100 else None,
        lane=lane,
        blocks=blocks,
    )
    return [paid_on(window, by_others=bool(bucket.overage_permitted))]


def _credits(premium: Bucket | None, chat: Bucket | None, resets_at: datetime | None) -> tuple[Row, ...]:
    used = next((bucket.credits_used for bucket in (premium, chat) if bucket and bucket.credits_used is not None), None)
    if used is None:
        return ()
    reset = f"Resets {resets_at:%Y-%m-%d}" if resets_at else None
    return (Row(label="Credits used", value=grouped(used), secondary=reset),)


def _extra_usage(premium: Bucket | None) -> tuple[Row, ...]:
    if premium is None or premium.window_percent is None or not premium.overage_permitted:
        return ()
    if premium.overage_count is None:
        return ()
    return (Row(label="Extra usage", value=grouped(premium.overage_count)),)


_PREMIUM, _AGENT, _SPARK = "copilot_premium_request", "copilot_agent_premium_request", "spark_premium_request"
_OURS = frozenset({"copilot", _PREMIUM, _AGENT, _SPARK})


def selector(text: str) -> str:
    """What a SKU, type, entity or name of a budget selects, in one spelling."""
    slug = _slug(text, "_")
    if slug == "copilot":
        return slug
    if slug in ("premium_request", "premium_requests"):
        return _PREMIUM
    if slug in ("coding_agent_premium_request", "coding_agent_premium_requests"):
        return _AGENT
    if "premium" not in slug or "request" not in slug:
        return slug
    if "spark" in slug:
        return _SPARK
    if "agent" in slug and ("cloud" in slug or "coding" in slug):
        return _AGENT
    if "bundled" in slug:
        return _PREMIUM
    if "copilot" in slug:
        return _AGENT if "agent" in slug else _PREMIUM
    return slug


def _slug(text: str, joint: str) -> str:
    return re.sub(r"[^a-z0-9]+", joint, text.lower()).strip(joint)


def _ours(budget: Budget) -> frozenset[str]:
    texts = (*budget.skus, budget.type, budget.entity, budget.name)
    return frozenset(selector(text) for text in texts if text) & _OURS


def _title(budget: Budget, ours: frozenset[str]) -> str:
    if ours == {"copilot"}:
        return "Copilot"
    premium = ours - {"copilot"}
    if premium == {_AGENT}:
        return "Copilot Agent Premium Requests"
    if premium == {_SPARK}:
        return "Spark Premium Requests"
    if len(premium) > 1 or any("bundled" in _slug(sku, "_") for sku in budget.skus):
        return "All Premium Request SKUs"
    return budget.name or "Copilot Premium Requests"


def budget_windows(budgets: tuple[Budget, ...], now: datetime) -> tuple[Window, ...]:
    """The Copilot budgets as extra windows, percent of the limit spent (0-999)."""
    windows: list[Window] = []
    taken: set[str] = set()
    for budget in budgets:
        ours = _ours(budget)
        if not ours or budget.limit is None or budget.limit <= 0:
            continue
        title = _title(budget, ours)
        base = f"copilot-budget-{_slug(budget.id or ' '.join(budget.skus) or title, '-')}"
        id, number = base, 2
        while id in taken:
            id, number = f"{base}-{number}", number + 1
        taken.add(id)
        percent = None if budget.used is None else min(999.0, max(0.0, budget.used / budget.limit * 100))
        windows.append(
            Window(
                id=id,
                label=f"Budget - {title}",
                used_percent=percent,
                used=budget.used,
                limit=budget.limit,
                unit="USD",
                resets_at=_next_month(now),
                blocks=False,
            )
        )
    return tuple(windows)


def _next_month(now: datetime) -> datetime:
    local = now.astimezone()
    year, month = (local.year + 1, 1) if local.month == 12 else (local.year, local.month + 1)
    return datetime(year, month, 1).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Billing:
    """What one organisation used of Copilot this month: credits, and US dollars after discounts."""

    organization: str
    credits: Decimal
    dollars: Decimal


def billing(summary: Summary, organization: str) -> Billing | None:
    """The Copilot credits of a summary; None when it has none. Negative amounts count as 0."""
    items = [
        item
        for item in summary.items
        if (item.product or "").lower() == "copilot" and (item.unit_type or "").lower() in ("ai-units", "ai-credits")
    ]
    if not items:
        return None
    credits = sum((exact(max(0.0, item.gross or 0)) for item in items), Decimal(0))
    dollars = sum((exact(max(0.0, item.net or 0)) for item in items), Decimal(0))
    return Billing(organization, credits, dollars)


def spend(found: Billing) -> Spend:
    """What the organisation pays beyond its seats."""
    return Spend(id="organization", label="Organisation spend", used=found.dollars, unit="USD", period="month")


def section(found: Billing) -> Section:
    """The organisation's credits, which are no share of anything."""
    row = Row(label="Organisation credits used", value=grouped(found.credits), secondary=found.organization)
    return Section(title="Organisation", rows=(row,))
