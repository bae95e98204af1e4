"""What MiniMax sends about a plan, and its refusals.

The same names stand at the root of an answer, under `data`, or (in `camelCase`) in a page's own data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated

from pydantic import AliasChoices, Field

from quotaline_providers import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    Integer,
    Number,
    Payload,
    ReadError,
    Refusal,
    Refusals,
    Text,
    TimedOut,
    Unavailable,
    When,
    exact,
    lenient_items,
    sentence,
    to_number,
    to_text,
)
from quotaline_providers.parsing.json_search import Object
from quotaline_providers.parsing.payload import to_integer

_TITLES = ("current_subscribe_title", "plan_name", "combo_title", "current_plan_title")
PLAN_HINT = "Look at the plan at platform.minimax.io, user center."
_NO_PLAN = re.compile(r"\b(no|not|without|inactive|expired)\b.*\b(plan|subscri)")
_POINTS = ("points_balance", "point_balance", "credits_balance", "credit_balance", "balance")

# --- refusals --------------------------------------------------------------------------------------


class VendorFailure(BadResponse):
    """MiniMax understood the request and answered with a failure of another kind than the credential."""


class NotFound(BadResponse):
    """HTTP 404 or 405: this host does not know the call."""


class ServiceFailed(Unavailable):
    """The service answered, with a failure of its own (5xx)."""


def refusals_of(credential: str) -> Refusals:
    """What a refusal means for a credential of this name; 429 is left to the usual meaning."""
    refused = Refusal(ExpiredCredential, f"MiniMax refused the {credential} (HTTP {{status}}).")
    missing = Refusal(NotFound, "MiniMax shows no plan here (HTTP {status}).")
    odd = Refusal(VendorFailure, "MiniMax did not accept the request (HTTP {status}).")
    failed = Refusal(ServiceFailed, "MiniMax has a problem of its own (HTTP {status}).")
    return {
        **{status: odd for status in range(300, 500) if status != 429},
        **dict.fromkeys(range(500, 600), failed),
        **dict.fromkeys((401, 403), refused),
        **dict.fromkeys((404, 405), missing),
    }


KEY_REFUSALS = refusals_of("API key")
SESSION_REFUSALS = refusals_of("session")


def another_address_may_help(error: ReadError) -> bool:
    """Whether another address of the same region may do better: not found, unreachable, or not understood."""
    if isinstance(error, VendorFailure | ServiceFailed):
        return False
    return isinstance(error, BadResponse | Unavailable | TimedOut)


# --- one model's amounts ---------------------------------------------------------------------------


class Remains(Payload):
    """What is left of one model. `*_usage_count` is what REMAINS, despite its name; percentages are 0-100. Some answers
    have `*_remaining_count` or `*_used_count` instead, which mean what they say."""

    model_config = Payload.model_config | {"protected_namespaces": ()}

    name: Text = Field(default=None, alias="model_name")
    total: Number = Field(default=None, alias="current_interval_total_count")
    left: Number = Field(default=None, alias="current_interval_usage_count")
    rest: Number = Field(default=None, alias="current_interval_remaining_count")
    used: Number = Field(default=None, alias="current_interval_used_count")
    left_percent: Number = Field(default=None, alias="current_interval_remaining_percent")
    status: Integer = Field(default=None, alias="current_interval_status")
    starts: When = Field(default=None, alias="start_time")
    ends: When = Field(default=None, alias="end_time")
    seconds: Number = Field(default=None, alias="remains_time")
    boost: Number = Field(
        default=None, validation_alias=AliasChoices("interval_boost_permill", "interval_boost_permille", "boost")
    )
    week_total: Number = Field(default=None, alias="current_weekly_total_count")
    week_left: Number = Field(default=None, alias="current_weekly_usage_count")
    week_rest: Number = Field(default=None, alias="current_weekly_remaining_count")
    week_used: Number = Field(default=None, alias="current_weekly_used_count")
    week_left_percent: Number = Field(default=None, alias="current_weekly_remaining_percent")
    week_status: Integer = Field(default=None, alias="current_weekly_status")
    week_starts: When = Field(default=None, alias="weekly_start_time")
    week_ends: When = Field(default=None, alias="weekly_end_time")
    week_seconds: Number = Field(default=None, alias="weekly_remains_time")
    week_boost: Number = Field(
        default=None, validation_alias=AliasChoices("weekly_boost_permill", "weekly_boost_permille", "week_boost")
    )

    @property
    def is_text(self) -> bool:
        name = (self.name or "").lower()
        return name == "general" or "minimax-m" in name or name.startswith("m2.")

    @property
    def remaining(self) -> float | None:
        """The count that is left, whichever member tells it; None when none does."""
        if self.rest is not None:
            return self.rest
        if self.used is not None and self.total is not None:
            return self.total - self.used
        return self.left

    def week(self) -> Remains:
        """The weekly part in the interval's place."""
        return self.model_copy(
            update={
                "total": self.week_total,
                "left": self.week_left,
                "rest": self.week_rest,
                "used": self.week_used,
                "left_percent": self.week_left_percent,
                "status": self.week_status,
                "starts": self.week_starts,
                "ends": self.week_ends,
                "seconds": self.week_seconds,
                "boost": self.week_boost,
            }
        )


class Listed(Payload):
    """An answer's list of models."""

    models: Annotated[tuple[Remains, ...], lenient_items(Remains)] = Field(default=(), alias="model_remains")


# --- reading an answer -----------------------------------------------------------------------------


def snake(value: object, depth: int = 0) -> object:
    """The value with `camelCase` keys as `snake_case`, as the page's own data has them."""
    if depth > 60:
        return None
    if isinstance(value, dict):
        return {
            re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", str(key)).lower(): snake(item, depth + 1)
            for key, item in value.items()
        }
    return [snake(item, depth + 1) for item in value] if isinstance(value, list) else value


def places_in(answer: Object) -> tuple[Object, ...]:
    """The objects that may hold a value, the first to be asked first."""
    data = answer.get("data")
    return (data, answer) if isinstance(data, dict) else (answer,)


def check_status(answer: Object, by_key: bool = False) -> None:
    """Raises ExpiredCredential, Forbidden (no plan) or VendorFailure when the answer's own status is a failure."""
    states = [base for place in places_in(answer) if isinstance(base := place.get("base_resp"), dict)]
    for base in states[:1]:
        status, message = to_integer(base.get("status_code")), (to_text(base.get("status_msg")) or "").lower()
        if status in (None, 0):
            return
        refused = status == 1004 or any(word in message for word in ("cookie", "log in", "login"))
        if refused or (by_key and message == "invalid api key"):
            raise ExpiredCredential(f"MiniMax refused the {'API key' if by_key else 'cookie'}.")
        words = sentence(to_text(base.get("status_msg")))
        if words and _NO_PLAN.search(message):
            raise Forbidden(f"MiniMax has no plan for this account: {words}", PLAN_HINT, definite=True)
        if words:
            raise VendorFailure(f"MiniMax could not report the quota (status {status}): {words}", PLAN_HINT)
        raise VendorFailure(f"MiniMax could not report the quota (status {status}).")


def title_in(places: Iterable[Object]) -> str | None:
    """The plan's name."""
    for place in places:
        card = place.get("current_combo_card")
        texts = [place.get(name) for name in _TITLES] + [card.get("title") if isinstance(card, dict) else None]
        for text in texts:
            if isinstance(text, str) and text.strip():
                return text.strip()
    return None


def points_in(places: Iterable[Object]) -> Decimal | None:
    """The balance of points."""
    for place in places:
        for name in _POINTS:
            number = to_number(place.get(name))
            if number is not None and number >= 0:
                return exact(number)
    return None
