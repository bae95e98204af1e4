"""A session's subscription: its plan, end and renewal, wherever they stand in the answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from quotaline_providers import to_time
from quotaline_providers.parsing.json_search import Object, objects
from quotaline_providers.vendors.minimax.services import CHINA_TIME

_CURRENT = ("current_subscribe", "current_subscription", "current_plan")
_RANKS = ("tokenplanplus", "tokenplanmax", "tokenplanultra")


def texts(value: object) -> Iterator[str]:
    """All texts in a value."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, str):
            if current.strip():
                yield current.strip()
        elif isinstance(current, dict):
            waiting.extend(reversed(list(current.values())))
        elif isinstance(current, list):
            waiting.extend(reversed(current))


def plan_text(candidates: Iterable[str]) -> str | None:
    """The best name of a token plan among these; None when none is one."""
    listed = list(candidates)
    ranked = [(rank, len(text), text) for text in listed if (rank := _rank(text)) is not None]
    if ranked:
        return min(ranked, key=lambda item: item[:2])[2]
    return next((text for text in listed if text.lower() in ("plus", "max", "ultra")), None)


def _rank(text: str) -> int | None:
    name = text.lower()
    for rank, wanted in enumerate(_RANKS):
        if wanted in name:
            return rank
    named = "token plan" in name and any(word in name for word in ("plus", "max", "ultra"))
    return len(_RANKS) if named else None


def combo_day(value: object) -> datetime | None:
    """A time of the subscription: epoch, or a day in China."""
    match = re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", value.strip()) if isinstance(value, str) else None
    if match is None:
        return to_time(value)
    try:
        day = datetime(int(match.group(3)), int(match.group(1)), int(match.group(2)), tzinfo=CHINA_TIME)
        return day.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class Combo:
    """The subscription: its plan, end and renewal."""

    plan: str | None = None
    expires_at: datetime | None = None
    renews_at: datetime | None = None


def to_combo(answer: Object) -> Combo:
    """The subscription in an answer, wherever it stands."""
    current = [
        text
        for found in objects(answer)
        for key, value in found.items()
        if any(name in str(key) for name in _CURRENT)
        for text in texts(value)
    ]
    return Combo(
        plan=plan_text(current) or plan_text(texts(answer)),
        expires_at=_day(answer, "current_subscribe_end_time_ts", "current_subscribe_end_time"),
        renews_at=_day(answer, "renewal_trigger_time_ts", "renewal_date"),
    )


def _day(answer: Object, *names: str) -> datetime | None:
    for name in names:
        for found in objects(answer):
            if (time := combo_day(found.get(name))) is not None:
                return time
    return None
