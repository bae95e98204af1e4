"""What GitHub's internal Copilot endpoint sends and how it becomes a usage."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field

from quotaline_providers.errors import BadResponse
from quotaline_providers.formatting import grouped
from quotaline_providers.model import MONTH_MINUTES, Identity, Lane, Row, Section, Usage, Window
from quotaline_providers.parsing.payload import Flag, Number, Payload, Text, When, lenient, parse_or_none


class Bucket(Payload):
    """One quota. Unknown numbers are None; -1 stands for no limit; `percent_remaining` below 0 is over quota."""

    entitlement: Number = None
    remaining: Number = None
    percent_remaining: Number = None
    credits_used: Number = None
    unlimited: Flag = None
    overage_count: Number = None
    overage_permitted: Flag = None

    @property
    def endless(self) -> bool:
        return bool(self.unlimited) or -1 in (self.entitlement, self.remaining)

    @property
    def percent_left(self) -> float | None:
        """100 when unlimited, below 0 over quota, None when unknown."""
        if self.endless:
            return 100
        if self.percent_remaining is not None:
            return self.percent_remaining
        if self.remaining is not None and self.entitlement is not None and self.entitlement > 0:
            return self.remaining / self.entitlement * 100
        return None

    @property
    def usable(self) -> bool:
        """Whether it is metered here at all, or has no end. Business seats are sent 0 of 0 at 100 %: a placeholder."""
        return self.endless or (self.entitlement != 0 and self.percent_left is not None)

    @property
    def window_percent(self) -> float | None:
        """Percent used, raw above 100; None for what is no window."""
        left = self.percent_left
        return None if self.endless or not self.usable or left is None else max(0.0, 100 - left)


class Counts(Payload):
    """Monthly counts of the free plan."""

    chat: Number = None
    completions: Number = None


def _buckets(value: object) -> dict[str, Bucket]:
    if not isinstance(value, Mapping):
        return {}
    found = {str(name): parse_or_none(Bucket, bucket) for name, bucket in value.items()}
    return {name: bucket for name, bucket in found.items() if bucket is not None}


class UserAnswer(Payload):
    """GET /copilot_internal/user. `limited_user_quotas` is what is left of `monthly_quotas`."""

    copilot_plan: Text = None
    token_based_billing: Flag = None
    quota_reset_date: When = None
    quota_reset_date_utc: When = None
    limited_user_reset_date: When = None
    login: Text = None
    quota_snapshots: Annotated[dict[str, Bucket], BeforeValidator(_buckets)] = Field(default_factory=dict)
    monthly_quotas: Annotated[Counts | None, lenient(Counts)] = None
    limited_user_quotas: Annotated[Counts | None, lenient(Counts)] = None

    @property
    def resets_at(self) -> datetime | None:
        return self.quota_reset_date or self.quota_reset_date_utc or self.limited_user_reset_date


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
    """A placeholder counts only for the credits it tells of."""
    return bucket if bucket is not None and (bucket.usable or bucket.credits_used is not None) else None


def _derived(monthly: float | None, left: float | None) -> Bucket | None:
    if monthly is None or left is None or monthly <= 0:
        return None
    return Bucket(entitlement=monthly, remaining=left, percent_remaining=min(100.0, max(0.0, left / monthly * 100)))


def _merged(bucket: Bucket | None, derived: Bucket | None) -> Bucket | None:
    if derived is None or (bucket is not None and bucket.usable and not bucket.endless):
        return bucket
    return derived if bucket is None else derived.model_copy(update={"credits_used": bucket.credits_used})


def to_usage(answer: UserAnswer, now: datetime) -> Usage:
    """The usage without side calls. Raises BadResponse when nothing in the answer is a quota or says there is none."""
    premium, chat = lanes(answer)
    unit = "credits" if answer.token_based_billing else "requests"
    windows = [
        *_window("premium", "Premium", premium, "primary", unit, answer.resets_at),
        *_window("chat", "Chat", chat, "secondary", "messages", answer.resets_at),
    ]
    endless = any(bucket is not None and bucket.endless for bucket in (premium, chat))
    if not windows and not answer.token_based_billing and not endless:
        raise BadResponse("GitHub's answer holds no Copilot quota.")
    completions = answer.quota_snapshots.get("completions")
    if completions is not None and completions is not premium:
        windows += _window("completions", "Completions", completions, None, "completions", answer.resets_at)
    plan = answer.copilot_plan or "unknown"
    rows = (*_credits(premium, chat, answer.resets_at), *_extra_usage(premium))
    return Usage(
        updated_at=now,
        windows=tuple(windows),
        identity=Identity(account_id=answer.login, plan=plan[:1].upper() + plan[1:]),
        details=(Section(title="Copilot", rows=rows),) if rows else (),
    )


def _window(
    id: str, label: str, bucket: Bucket | None, lane: Lane | None, unit: str, resets_at: datetime | None
) -> list[Window]:
    if bucket is None or (used := bucket.window_percent) is None:
        return []
    limit, remaining = bucket.entitlement, bucket.remaining
    counted = limit is not None and limit > 0 and remaining is not None
    return [
        Window(
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
        )
    ]


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


def binding(usage: Usage) -> str | None:
    """The most used of the two lanes."""
    named = [window for window in usage.windows if window.lane in ("primary", "secondary")]
    return max(named, key=lambda window: window.used_percent or 0).id if named else None
