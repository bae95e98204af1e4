"""What a coding plan's data means: whether a plan is active, its windows and their resets. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from quotaline_providers import (
    MONTH_MINUTES,
    SESSION_MINUTES,
    WEEK_MINUTES,
    BadResponse,
    Identity,
    Lane,
    Usage,
    Window,
    at_epoch,
    share,
    to_number,
    to_text,
    to_time,
)
from quotaline_providers.parsing.json_search import Object, objects, value_of
from quotaline_providers.parsing.payload import to_integer
from quotaline_providers.vendors.alibaba.payloads import NoQuota, expanded, first_text, instances_in, quota_in, refusal

_FIVE_HOURS, _SOON = timedelta(hours=5), timedelta(seconds=60)
_LOCAL_TIME = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d)?)?")

_GONE = ("EXPIRED", "INVALID", "INACTIVE", "DISABLED", "TERMINATED", "STOPPED")
_YES, _NO = ("true", "1", "yes", "active", "valid"), ("false", "0", "no", "inactive", "invalid", "expired")
_NAMES = ("planName", "plan_name", "instanceName", "instance_name", "packageName", "package_name")
_PAYLOAD_NAMES = ("planName", "plan_name", "packageName", "package_name")
_ENDS = ("endTime", "periodEndTime", "expireTime", "expirationTime")
_WINDOWS: tuple[tuple[str, str, Lane, int, tuple[str, ...]], ...] = (
    ("session", "5-hour", "primary", SESSION_MINUTES, ("per5Hour", "perFiveHour")),
    ("weekly", "Weekly", "secondary", WEEK_MINUTES, ("perWeek",)),
    ("monthly", "Monthly", "tertiary", MONTH_MINUTES, ("perBillMonth", "perMonth")),
)


def moment(value: object) -> datetime | None:
    """Epoch milliseconds from 1e12 on, else seconds; unlike with `to_time`, text without a zone is local time."""
    number = to_number(value)
    if number is not None:
        return at_epoch(number if number < 1e12 else number / 1000)
    if isinstance(value, str) and _LOCAL_TIME.fullmatch(value.strip()):
        try:
            return datetime.fromisoformat(value.strip()).astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            return None
    return to_time(value)


def score(instance: Object, now: datetime) -> int:
    """How sure it is that an instance is active: 3 yes, 1 not ended, 0 unknown, -1 no."""
    status = (to_text(value_of(instance, "status", "instanceStatus")) or "").upper()
    if status in ("VALID", "ACTIVE"):
        return 3
    if status in _GONE:
        return -1
    active = value_of(instance, "isActive", "active")
    word = (to_text(active) or "").lower()
    if active is True or word in _YES:
        return 3
    if active is False or word in _NO:
        return -1
    ends = moment(value_of(instance, *_ENDS))
    return 1 if ends is not None and ends > now else 0


def _plan_name(payload: Object, instances: list[Object], chosen: Object | None) -> str | None:
    for instance in (*([chosen] if chosen else []), *instances):
        for name in _NAMES:
            if isinstance(text := instance.get(name), str) and text.strip():
                return text.strip()
    return first_text(payload, *_PAYLOAD_NAMES)


def windows(quota: Object, now: datetime) -> Iterator[Window]:
    """A window for each quota of which both the use and a total above zero are known."""
    for id, label, lane, minutes, stems in _WINDOWS:
        used = to_integer(value_of(quota, *(f"{stem}UsedQuota" for stem in stems)))
        total = to_integer(value_of(quota, *(f"{stem}TotalQuota" for stem in stems)))
        if used is None or total is None or total <= 0:
            continue
        reset = moment(value_of(quota, *(f"{stem}QuotaNextRefreshTime" for stem in stems)))
        used = min(total, max(0, used))
        yield Window(
            id=id,
            label=label,
            used_percent=share(used, total),
            used=used,
            limit=total,
            unit="requests",
            minutes=minutes,
            resets_at=repaired(reset, now) if lane == "primary" else reset,
            description=f"{used} / {total} used",
            lane=lane,
            blocks=True,
        )


def repaired(reset: datetime | None, now: datetime) -> datetime | None:
    """The 5-hour reset, which the console updates late: never less than a minute ahead."""
    if reset is None or reset >= now + _SOON:
        return reset
    return reset + _FIVE_HOURS if reset + _FIVE_HOURS >= now + _SOON else now + _FIVE_HOURS


def to_usage(answer: Object, by_key: bool, now: datetime) -> Usage:
    """The usage in an answer. Raises ExpiredCredential, KeyUnusable, NoQuota, BadResponse."""
    payload = expanded(answer)
    if not isinstance(payload, dict):
        raise BadResponse("Alibaba gave an answer that is not an object.")
    if (error := refusal(payload, by_key)) is not None:
        raise error
    instances = instances_in(payload)
    best = max(instances, key=lambda item: score(item, now)) if instances else None
    certain = best is not None and score(best, now) > 0
    chosen = best if certain or not instances else instances[0]
    quota = quota_in(chosen) if chosen else None
    if quota is None and not (certain and instances and len(instances) > 1):
        quota = quota_in(payload)
    found = tuple(windows(quota, now)) if quota else ()
    if not found and not (certain or (instances is None and _payload_active(payload, now))):
        raise NoQuota("Alibaba reported neither a quota nor an active plan.")
    plan = _plan_name(payload, instances or [], chosen)
    return Usage(updated_at=now, windows=found, identity=Identity(plan=plan), limits_unavailable=not found)


def _payload_active(payload: Object, now: datetime) -> bool:
    return any(score(found, now) > 0 for found in objects(payload, outer_first=True))
