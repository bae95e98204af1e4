"""What MiniMax tells about a coding or token plan, and what it means: a lane per model family and period."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import AliasChoices, Field

from quotaline_providers.errors import BadResponse, ExpiredCredential
from quotaline_providers.formatting import grouped
from quotaline_providers.model import (
    DAY_MINUTES,
    SESSION_MINUTES,
    WEEK_MINUTES,
)
from quotaline_providers.parsing.json_search import Object
from quotaline_providers.parsing.payload import (
    Integer,
    Number,
    Payload,
    Text,
    When,
    exact,
    lenient_items,
    to_integer,
    to_number,
    to_text,
)
from quotaline_providers.vendors.minimax.lanes import WEEKLY, Limit, Plan, reset_text
from quotaline_providers.vendors.minimax.services import services_of

NOT_IN_PLAN = 3
TODAY = "Today"
_LONGEST = timedelta(days=3660)
_TITLES = ("current_subscribe_title", "plan_name", "combo_title", "current_plan_title")
_POINTS = ("points_balance", "point_balance", "credits_balance", "credit_balance", "balance")


class VendorFailure(BadResponse):
    """MiniMax understood the request and answered with a failure of another kind than the credential."""


# --- what the vendor sends -------------------------------------------------------------------------


class Remains(Payload):
    """What is left of one model. `*_usage_count` is what REMAINS, despite its name; percentages are 0-100."""

    model_config = Payload.model_config | {"protected_namespaces": ()}

    name: Text = Field(default=None, alias="model_name")
    total: Number = Field(default=None, alias="current_interval_total_count")
    left: Number = Field(default=None, alias="current_interval_usage_count")
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

    def week(self) -> Remains:
        """The weekly part in the interval's place."""
        return self.model_copy(
            update={
                "total": self.week_total,
                "left": self.week_left,
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


# --- lanes -----------------------------------------------------------------------------------------


def service_name(model: str) -> str:
    """The service that a model belongs to, as it is shown."""
    name = model.lower()
    if name in ("general", "video"):
        return name
    if "minimax-m" in name or name.startswith("m2."):
        return "Text Generation"
    if "speech" in name:
        return "Text to Speech"
    if "hailuo" in name:
        return "Image to Video" if "fast" in name else "Text to Video"
    if name.startswith("image-"):
        return "Image Generation"
    return "Music Generation" if "music" in name else model


def period_of(starts: datetime | None, ends: datetime | None) -> tuple[str, int | None]:
    """What an interval is called and its minutes; an empty name where it is none of the usual ones."""
    hours = (ends - starts).total_seconds() / 3600 if starts and ends else 0.0
    if 23 <= hours <= 25:
        return TODAY, DAY_MINUTES
    if 4 <= hours <= 6:
        return "5 hours", SESSION_MINUTES
    if 1 <= hours < 23:
        count = round(hours)
        return f"{count} hour{'' if count == 1 else 's'}", count * 60
    return "", None


def reset_of(part: Remains, now: datetime) -> datetime | None:
    """The end, or (when that is past or unknown) what remains from now on: seconds, milliseconds above 1,000,000."""
    if part.ends is not None and part.ends > now:
        return part.ends
    if part.seconds is None or part.seconds <= 0:
        return None
    try:
        left = timedelta(seconds=part.seconds / 1000 if part.seconds > 1_000_000 else part.seconds)
    except OverflowError:
        return None
    return now + left if left < _LONGEST else None


def counted(part: Remains) -> tuple[float, float, float] | None:
    """Percent used, used and limit; None when neither a percentage nor a total tells them."""
    if part.left_percent is not None:
        percent = min(100.0, max(0.0, 100 - part.left_percent))
        limit = part.boost / 10 if part.boost and part.boost > 0 else 100.0
        return percent, percent * limit / 100, limit
    if part.total is None or part.total <= 0 or part.left is None:
        return None
    used = max(0.0, part.total - part.left)
    return min(100.0, used / part.total * 100), used, part.total


def not_in_plan(part: Remains) -> bool:
    """Whether a model is only listed: full, without amounts, and said not to be in the plan."""
    return part.status == NOT_IN_PLAN and not part.total and not part.left and part.left_percent == 100


def _limit(part: Remains, now: datetime, period: str, minutes: int | None) -> Limit | None:
    counts = counted(part)
    if counts is None:
        return None
    reset = reset_of(part, now)
    return Limit(
        service=service_name(part.name or ""),
        period=period,
        percent=counts[0],
        used=counts[1],
        limit=counts[2],
        minutes=minutes,
        resets_at=reset,
        text=reset_text(reset, now),
        slug=part.name or "",
        is_text=part.is_text,
    )


def limits_of(model: Remains, now: datetime) -> Iterator[Limit]:
    """The interval's lane and, for text models, the week's."""
    interval = None if not_in_plan(model) else _limit(model, now, *period_of(model.starts, model.ends))
    if interval:
        yield interval
    if not model.is_text:
        return
    week = model.week()
    if not_in_plan(week):
        name = service_name(model.name or "")
        yield Limit(
            name,
            WEEKLY,
            0.0,
            minutes=WEEK_MINUTES,
            text="Unlimited",
            slug=week.name or "",
            is_text=True,
            unlimited=True,
        )
    elif found := _limit(week, now, WEEKLY, WEEK_MINUTES):
        yield found


def _nameless(model: Remains, now: datetime) -> Limit | None:
    """A lane for all prompts, where the models are not named."""
    length = round((model.ends - model.starts).total_seconds() / 60) if model.starts and model.ends else 0
    period, _ = period_of(model.starts, model.ends)
    found = _limit(model, now, period, length if 0 < length < _LONGEST.total_seconds() / 60 else None)
    if found is None:
        return None
    shown = period or (f"{length} minutes" if found.minutes else "")
    text = f"{grouped(model.total)} prompts" + (f" / {shown}" if shown else "") if model.total else found.text
    return replace(found, service="Prompts", text=text, slug="prompts", is_text=True)


# --- a whole answer --------------------------------------------------------------------------------


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


def _inside(answer: Object) -> tuple[Object, ...]:
    data = answer.get("data")
    return (data, answer) if isinstance(data, dict) else (answer,)


def check_status(answer: Object, by_key: bool = False) -> None:
    """Raises ExpiredCredential or VendorFailure when the answer's own status is a failure."""
    states = [base for place in _inside(answer) if isinstance(base := place.get("base_resp"), dict)]
    for base in states[:1]:
        status, message = to_integer(base.get("status_code")), (to_text(base.get("status_msg")) or "").lower()
        if status in (None, 0):
            return
        refused = status == 1004 or any(word in message for word in ("cookie", "log in", "login"))
        if refused or (by_key and message == "invalid api key"):
            raise ExpiredCredential(f"MiniMax refused the {'API key' if by_key else 'cookie'}.")
        raise VendorFailure(f"MiniMax could not tell the quota (status {status}).")


def to_plan(answer: Object, now: datetime, by_key: bool = False) -> Plan:
    """What an answer tells. Raises ExpiredCredential, VendorFailure, BadResponse (no models)."""
    check_status(answer, by_key)
    places = _inside(answer)
    for place in places:
        services = tuple(services_of(place.get("services"), now))
        if services:
            types = (type_ for _, type_ in services)
            plan = _title(places) or next((t for t in types if "pro" in t.lower() or "max" in t.lower()), None)
            return Plan(tuple(limit for limit, _ in services), plan, _points(places))
    told = next((place["model_remains"] for place in places if isinstance(place.get("model_remains"), list)), None)
    models = Listed.model_validate({"model_remains": told or []}).models
    if not models:
        raise BadResponse("MiniMax told no models.")
    named = [model for model in models if model.name]
    if not named:
        only = _nameless(models[0], now)
        return Plan((only,) if only else (), _title(places), _points(places), listed=False)
    limits = tuple(limit for model in named for limit in limits_of(model, now))
    return Plan(limits, _title(places) or _plus(named), _points(places))


def _plus(models: Iterable[Remains]) -> str | None:
    listed = list(models)
    no_video = any((model.name or "").lower() == "video" and not_in_plan(model) for model in listed)
    return "Plus" if no_video and any(model.is_text for model in listed) else None


def _title(places: Iterable[Object]) -> str | None:
    for place in places:
        card = place.get("current_combo_card")
        told = [place.get(name) for name in _TITLES] + [card.get("title") if isinstance(card, dict) else None]
        for text in told:
            if isinstance(text, str) and text.strip():
                return text.strip()
    return None


def _points(places: Iterable[Object]) -> Decimal | None:
    for place in places:
        for name in _POINTS:
            number = to_number(place.get(name))
            if number is not None and number >= 0:
                return exact(number)
    return None
