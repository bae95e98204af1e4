"""The names that the vendor's answers may use, whatever their spelling, and how a value is found by them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from quotaline_providers import to_number

ROLLING = ("rolling", "rolling_window", "rolling_4h", "four_hour", "four_hour_usage", "window_4h")
MONTHLY = ("monthly", "monthly_usage", "subscription", "subscription_usage", "billing_period")
CONTAINERS = ("quotas", "quota", "quota_usage", "limits", "usage", "entries", "subscription_usage")
LIMIT = (
    *("limit", "cap", "max", "maximum", "quota", "quota_limit", "monthly_cap", "monthly_limit"),
    *("request_limit", "token_limit", "hard_limit", "total"),
)
USED = (
    *("used", "usage", "used_amount", "consumed", "consumed_amount", "current", "current_usage"),
    *("requests", "request_count", "tokens", "token_usage", "monthly_usage"),
)
REMAINING = ("remaining", "available", "balance", "left", "remaining_amount", "available_amount")
PERCENT_USED = ("percent_used", "usage_percent", "used_percent", "utilization", "utilization_percent")
PERCENT_LEFT = ("percent_remaining", "remaining_percent")
NUMBERS = (*LIMIT, *USED, *REMAINING, *PERCENT_USED, *PERCENT_LEFT)
LABEL = ("label", "name", "title", "type", "quota_type", "period", "window", "window_name", "chute_id")
UNIT = ("unit", "units", "currency", "quota_unit")
RESET = (
    *("reset_at", "resets_at", "reset_time", "next_reset_at", "renews_at", "renewal_at", "period_end"),
    *("current_period_end", "expires_at", "window_end", "end_time"),
)
LENGTHS = {
    f"{of}_{unit}": minutes
    for unit, minutes in (("minutes", 1.0), ("hours", 60.0), ("days", 1440.0), ("seconds", 1 / 60))
    for of in ("window", "period", "duration")
}
LENGTH_TEXTS = ("window", "period", "interval", "duration")
SUBSCRIPTIONS = ("subscription", "subscription_usage", "current_subscription", "plan")
ACTIVE = ("active", "is_active", "subscription_active", "has_subscription")
STATE = ("status", "state", "subscription_status")
PLAN = ("plan_name", "plan", "tier", "subscription_plan", "subscription_tier")

T = TypeVar("T")
Node = dict[str, object]
"""A JSON object whose names are spelled in lower-case letters and digits only."""


def spelled(name: str) -> str:
    """A name in the one spelling by which names are compared."""
    return re.sub(r"[\W_]", "", name.lower())


def node(value: Mapping[str, object]) -> Node:
    """The object with its names in the one spelling; of two that fall together the first stays."""
    found: Node = {}
    for name, item in value.items():
        found.setdefault(spelled(name), item)
    return found


def values(where: Node, names: Iterable[str]) -> Iterator[object]:
    """The values under these names, in their order."""
    return (where[key] for name in names if (key := spelled(name)) in where)


def amount(value: object) -> float | None:
    """A number, also as text with a dollar or percent sign and thousands separators."""
    return to_number(re.sub(r"[,$%]", "", value) if isinstance(value, str) else value)


def first(where: Node, names: Iterable[str], parse: Callable[[object], T | None]) -> T | None:
    """The first usable value under these names."""
    return next((found for value in values(where, names) if (found := parse(value)) is not None), None)
