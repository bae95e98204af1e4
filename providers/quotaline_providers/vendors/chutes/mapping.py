"""The allowances in an answer, the answer as a whole, and how it becomes a usage."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from quotaline_providers import (
    MONTH_MINUTES,
    BadResponse,
    Identity,
    Lane,
    Row,
    Section,
    Usage,
    Window,
    clamped,
    grouped,
    money,
    percent,
    share,
    to_number,
    to_text,
    to_time,
)
from quotaline_providers.vendors.chutes.payloads import (
    ACTIVE,
    CONTAINERS,
    LABEL,
    LENGTH_TEXTS,
    LENGTHS,
    LIMIT,
    MONTHLY,
    NUMBERS,
    PERCENT_LEFT,
    PERCENT_USED,
    PLAN,
    REMAINING,
    RESET,
    ROLLING,
    STATE,
    SUBSCRIPTIONS,
    UNIT,
    USED,
    Node,
    amount,
    first,
    node,
    values,
)

FOUR_HOURS = 240
_LONGEST = 10 * 366 * 1440
_LENGTH_TEXT = re.compile(
    r"(\d+(?:\.\d+)?)[\s_-]*(mo|mos|months?|w|wks?|weeks?|d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?)\b"
)
_LENGTH_UNITS = {"mo": MONTH_MINUTES, "w": 10080, "d": 1440, "h": 60, "m": 1, "s": 1 / 60}

Kind = Literal["rolling", "monthly", "other"]


@dataclass(frozen=True)
class Quota:
    """One allowance: percent used (0-100), the amounts it comes from, its length in minutes."""

    key: str
    percent: float
    used: float | None
    limit: float | None
    unit: str
    label: str | None
    minutes: int | None
    resets_at: datetime | None
    kind: Kind = "other"
    of_one_chute: bool = False

    @property
    def description(self) -> str | None:
        if self.used is None or not self.limit:
            return None
        if self.unit == "USD":
            return f"{money(self.used)}/{money(self.limit)}"
        return f"{grouped(self.used)}/{grouped(self.limit)} {self.unit}"


def _share(value: float) -> float:
    """A percentage that may have come as a fraction; exactly 1 is one percent."""
    return clamped(value * 100 if abs(value) < 1 else value)


def length(where: Node) -> int | None:
    """A window's length in minutes; None when it is not stated."""
    for name, factor in LENGTHS.items():
        if minutes := _minutes(first(where, (name,), amount), factor):
            return minutes
    for value in values(where, LENGTH_TEXTS):
        if isinstance(value, str) and (match := _LENGTH_TEXT.match(value.strip().lower())):
            unit = match[2]
            if minutes := _minutes(float(match[1]), _LENGTH_UNITS["mo" if unit.startswith("mo") else unit[0]]):
                return minutes
    return None


def _minutes(stated: float | None, factor: float) -> int | None:
    return (round(stated * factor) or None) if stated is not None and 0 < stated * factor <= _LONGEST else None


def quota_of(where: Node, kind: Kind | None = None) -> Quota | None:
    """The allowance in this object; None when it has no percentage. `kind` is given where its place says it."""
    limit, used, remaining = (first(where, names, amount) for names in (LIMIT, USED, REMAINING))
    if limit is None and used is not None and remaining is not None:
        limit = used + remaining
    if used is None and limit is not None and remaining is not None:
        used = limit - remaining
    stated_used, stated_left = first(where, PERCENT_USED, amount), first(where, PERCENT_LEFT, amount)
    if stated_used is not None:
        percentage = _share(stated_used)
    elif stated_left is not None:
        percentage = 100 - _share(stated_left)
    elif used is not None and limit is not None and limit > 0:
        percentage = share(used, limit)
    else:
        return None
    # The windows of a subscription are in dollars, which the answer does not say.
    in_dollars = kind is not None and amount(where.get("cap")) is not None
    minutes, label, unit = length(where), first(where, LABEL, to_text), first(where, UNIT, to_text)
    return Quota(
        key=json.dumps(where, sort_keys=True, default=str),
        percent=percentage,
        used=used,
        limit=limit if limit is not None and limit > 0 else None,
        unit=unit or ("USD" if in_dollars else "credits"),
        label="All chutes" if label == "*" else label,
        minutes=minutes,
        resets_at=first(where, RESET, to_time),
        kind=kind or classified(f"{label or ''} {unit or 'credits'}", minutes),
        of_one_chute=first(where, ("chute_id",), to_text) not in (None, "*"),
    )


def classified(words: str, minutes: int | None) -> Kind:
    """Which of the two windows of a subscription a quota is, by its words and its length in minutes."""
    words = words.lower()
    if minutes == FOUR_HOURS or any(
        word in words for word in ("rolling", "4h", "4 h", "4-hour", "four hour", "four-hour")
    ):
        return "rolling"
    if any(word in words for word in ("month", "billing", "subscription")) or (minutes or 0) >= 40320:
        return "monthly"
    return "other"


def objects(value: object) -> Iterator[Node]:
    """All objects in a value that hold a usable number of a quota, in the order of the document."""
    if isinstance(value, dict):
        here = node(value)
        if first(here, NUMBERS, amount) is not None:
            yield here
        for item in here.values():
            yield from objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from objects(item)


# --- a whole answer --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """What one answer holds. `active` is None when it does not mention a subscription."""

    rolling: Quota | None = None
    monthly: Quota | None = None
    others: tuple[Quota, ...] = ()
    active: bool | None = None
    plan: str | None = None
    renews_at: datetime | None = None

    @property
    def empty(self) -> bool:
        return not (self.rolling or self.monthly or self.others)

    def completed(self, more: Reading) -> Reading:
        """With the windows that are missing here; what is known of the subscription stays."""
        return replace(
            self,
            rolling=self.rolling or more.rolling,
            monthly=self.monthly or more.monthly,
            others=self.others or more.others,
        )


def reading(document: object) -> Reading:
    """What an answer holds. Raises BadResponse when it is neither an object nor a list."""
    root, data = roots(document)
    quotas: dict[str, Quota] = {}
    inside = (value for name in CONTAINERS for place in (root, data) for value in values(place, (name,)))
    for found in (*(item for value in inside for item in objects(value)), *objects(root)):
        if quota := quota_of(found):
            quotas.setdefault(quota.key, quota)
    rolling = _explicit((root, data), ROLLING, "rolling") or _first(quotas.values(), "rolling")
    monthly = _explicit((root, data), MONTHLY, "monthly") or _first(quotas.values(), "monthly")
    taken = {quota.key for quota in (rolling, monthly) if quota}
    places = (root, data, *(node(v) for at in (root, data) for v in values(at, SUBSCRIPTIONS) if isinstance(v, dict)))
    return Reading(
        rolling=rolling,
        monthly=monthly,
        others=tuple(quota for quota in quotas.values() if quota.key not in taken and quota.kind == "other"),
        active=is_active(places),
        plan=next((plan for place in places if (plan := first(place, PLAN, to_text))), None),
        renews_at=next((reset for place in places if (reset := first(place, RESET, to_time))), None),
    )


def roots(document: object) -> tuple[Node, Node]:
    """The document as an object, and the object its content is in."""
    if isinstance(document, list):
        document = {"quotas": document}
    if not isinstance(document, dict):
        raise BadResponse("Chutes answered with data of another shape.")
    root = node(document)
    inner = next((value for value in values(root, ("data", "result")) if isinstance(value, dict)), None)
    return root, root if inner is None else node(inner)


def _explicit(places: Iterable[Node], names: Sequence[str], kind: Kind) -> Quota | None:
    found = (node(v) for place in places for v in values(place, names) if isinstance(v, dict))
    return next((quota for item in found if (quota := quota_of(item, kind))), None)


def _first(quotas: Iterable[Quota], kind: Kind) -> Quota | None:
    return next((quota for quota in quotas if quota.kind == kind), None)


def is_active(places: Sequence[Node]) -> bool | None:
    """Whether there is an active subscription; None when that is not stated."""
    for place in places:
        if (active := first(place, ACTIVE, _yes_or_no)) is not None:
            return active
        if isinstance(value := place.get("subscription"), bool):
            return value
    for place in places:
        for state in (word.lower() for value in values(place, STATE) if (word := to_text(value))):
            if "active" in state and "inactive" not in state:
                return True
            if any(word in state for word in ("free", "inactive", "cancel", "none", "expired")):
                return False
    return None


def _yes_or_no(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.strip().lower()
        if word in ("true", "1", "yes", "active"):
            return True
        return False if word in ("false", "0", "no", "inactive", "none") else None
    number = to_number(value)
    return None if number is None else number != 0


# --- quotas one by one -----------------------------------------------------------------------------


def definitions(document: object) -> tuple[Node, ...]:
    """The quotas an account has, as `GET /users/me/quotas` lists them."""
    found = document
    if isinstance(document, dict):
        root = node(document)
        inner = root.get("data")
        nested = node(inner).get("quotas") if isinstance(inner, dict) else None
        found = next((value for value in (root.get("quotas"), inner, nested) if isinstance(value, list)), None)
    return tuple(node(item) for item in found if isinstance(item, dict)) if isinstance(found, list) else ()


def merged(definition: Node, usage: object) -> Node:
    """A quota with what was used of it."""
    return definition | roots(usage)[1] if isinstance(usage, dict) else definition


# --- how it becomes a usage ------------------------------------------------------------------------


def to_usage(found: Reading, now: datetime) -> Usage:
    """The usage of one account: the windows of a subscription, else the fullest quotas."""
    windows, rest = _windows(found)
    if found.plan:
        login: str | None = found.plan
    elif found.active is False:
        login = "No active subscription"
    else:
        login = "No usage data" if found.active is None and not windows else None
    rows = tuple(Row(label=quota.label or "Quota", value=quota.description or percent(quota.percent)) for quota in rest)
    return Usage(
        updated_at=now,
        windows=windows,
        identity=Identity(plan=found.plan, login=login),
        details=(Section(title="Other quotas", rows=rows),) if rows else (),
        notes=(f"{login}.",) if login and not found.plan else (),
        subscription_renews_at=found.renews_at or (found.monthly.resets_at if found.monthly else None),
    )


def _windows(found: Reading) -> tuple[tuple[Window, ...], tuple[Quota, ...]]:
    """The windows of the two lanes, and the quotas without one."""
    windows: list[Window] = []
    rest = list(found.others)
    if found.rolling:
        windows.append(_window(found.rolling, "rolling", "primary", "4-hour quota", FOUR_HOURS))
    elif not found.monthly and rest:
        windows.append(_window(rest.pop(0), "quota", "primary"))
    if found.monthly:
        windows.append(_window(found.monthly, "monthly", "secondary", "Monthly quota", MONTH_MINUTES))
    elif rest:
        windows.append(_window(rest.pop(0), "quota-2", "secondary"))
    return tuple(windows), tuple(rest)


def _window(quota: Quota, id: str, lane: Lane, label: str = "", minutes: int | None = None) -> Window:
    return Window(
        id=id,
        label=label or quota.label or "Quota",
        used_percent=quota.percent,
        used=quota.used,
        limit=quota.limit,
        unit=quota.unit if quota.description else None,
        minutes=quota.minutes or minutes,
        resets_at=quota.resets_at,
        description=quota.description,
        lane=lane,
        blocks=not quota.of_one_chute,
    )
