"""What the console tells about a coding plan, and what it means. Keys are looked up at any depth."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from quotaline_providers.errors import BadResponse, ExpiredCredential, Forbidden, ReadError
from quotaline_providers.model import MONTH_MINUTES, SESSION_MINUTES, WEEK_MINUTES, Identity, Lane, Usage, Window
from quotaline_providers.parsing.json_search import Object, objects, value_of
from quotaline_providers.parsing.payload import to_integer, to_number, to_text, to_time

SIGN_IN = "Sign in to the Model Studio console and paste its Cookie header again."
_DEEPEST = 40
_FIVE_HOURS, _SOON = timedelta(hours=5), timedelta(seconds=60)
_LOCAL_TIME = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d)?)?")

_INSTANCES = ("codingPlanInstanceInfos", "coding_plan_instance_infos")
_QUOTA = ("codingPlanQuotaInfo", "coding_plan_quota_info")
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
_QUOTA_KEYS = tuple(f"{stem}{kind}Quota" for *_, stems in _WINDOWS for stem in stems for kind in ("Used", "Total"))


class NoQuota(BadResponse):
    """The answer holds neither a quota nor an active plan; the plan may be in the other region."""


class KeyUnusable(Forbidden):
    """The console does not serve this account or region by API key."""


# --- searching -------------------------------------------------------------------------------------


def expanded(value: object, depth: int = 0) -> object:
    """The value with every text that is a JSON object or array itself put in its place."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, str):
        text = value.strip()
        if text[:1] not in ("{", "["):
            return value
        try:
            inner = json.loads(text)
        except (ValueError, RecursionError):
            return value
        return expanded(inner, depth + 1)
    if isinstance(value, dict):
        return {str(key): expanded(item, depth + 1) for key, item in value.items()}
    return [expanded(item, depth + 1) for item in value] if isinstance(value, list) else value


def first_text(value: object, *names: str) -> str | None:
    """The first non-empty text under these names, by name, at any depth."""
    for name in names:
        for found in objects(value, outer_first=True):
            text = found.get(name)
            if isinstance(text, str) and text.strip():
                return text.strip()
    return None


# --- refusals --------------------------------------------------------------------------------------


def refusal(payload: Object, by_key: bool) -> ReadError | None:
    """The error an answer stands for; None when it is none."""
    codes = (
        found.get(name) for found in objects(payload, outer_first=True) for name in ("code", "status", "statusCode")
    )
    message = (first_text(payload, "statusMessage", "status_msg", "message", "msg") or "").lower()
    if any(isinstance(code, str) and "login" in code.lower() for code in codes):
        return login_required(by_key)
    status = _status(payload)
    if status not in (None, 0, 200):
        if status in (401, 403) or "api key" in message or "unauthorized" in message:
            return ExpiredCredential(f"Alibaba refused the {'API key' if by_key else 'cookies'}.")
        if not _asks_to_log_in(message, by_key):
            return BadResponse("Alibaba could not tell the quota.")
    return login_required(by_key) if _asks_to_log_in(message, by_key) else None


def _status(payload: Object) -> int | None:
    for name in ("statusCode", "status_code", "code"):
        for found in objects(payload, outer_first=True):
            number = to_number(found.get(name))
            if number is not None:
                return int(number)
    return None


def _asks_to_log_in(message: str, by_key: bool) -> bool:
    words = ("log in", "login", *(("console session", "api key mode may be unavailable") if by_key else ()))
    return any(word in message for word in words)


def login_required(by_key: bool) -> ReadError:
    """The error for a console that asks to sign in; a key cannot do that."""
    if by_key:
        return KeyUnusable(
            "Alibaba does not serve this account or region by API key.", "Use the console's cookies instead."
        )
    return ExpiredCredential("The Alibaba console asks to sign in.", SIGN_IN)


# --- the plan --------------------------------------------------------------------------------------


def moment(value: object) -> datetime | None:
    """Epoch milliseconds from 1e12 on, else seconds; text without a zone is local time."""
    number = to_number(value)
    if number is not None:
        return to_time(number if number < 1e12 else number / 1000) if number > 0 else None
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
    told = value_of(instance, "isActive", "active")
    word = (to_text(told) or "").lower()
    if told is True or word in _YES:
        return 3
    if told is False or word in _NO:
        return -1
    ends = moment(value_of(instance, *_ENDS))
    return 1 if ends is not None and ends > now else 0


def _instances(payload: Object) -> list[Object] | None:
    """The plans; None when there is no list of them."""
    for found in objects(payload, outer_first=True):
        told = value_of(found, *_INSTANCES)
        if isinstance(told, list):
            return [item for item in told if isinstance(item, dict)]
    return None


def quota_in(value: object) -> Object | None:
    """The object with the quotas."""
    for found in objects(value, outer_first=True):
        told = value_of(found, *_QUOTA)
        if isinstance(told, dict):
            return told
    return next(
        (found for found in objects(value, outer_first=True) if any(name in found for name in _QUOTA_KEYS)), None
    )


def _plan_name(payload: Object, instances: list[Object], chosen: Object | None) -> str | None:
    for instance in (*([chosen] if chosen else []), *instances):
        for name in _NAMES:
            if isinstance(text := instance.get(name), str) and text.strip():
                return text.strip()
    return first_text(payload, *_PAYLOAD_NAMES)


def windows(quota: Object, now: datetime) -> Iterator[Window]:
    """A window for each quota of which both the use and a total above zero are told."""
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
            used_percent=used / total * 100,
            used=used,
            limit=total,
            unit="requests",
            minutes=minutes,
            resets_at=repaired(reset, now) if lane == "primary" else reset,
            description=f"{used} / {total} used",
            lane=lane,
        )


def repaired(reset: datetime | None, now: datetime) -> datetime | None:
    """The 5-hour reset, which the console tells late: never less than a minute ahead."""
    if reset is None or reset >= now + _SOON:
        return reset
    return reset + _FIVE_HOURS if reset + _FIVE_HOURS >= now + _SOON else now + _FIVE_HOURS


def to_usage(answer: Object, by_key: bool, now: datetime) -> Usage:
    """The usage an answer tells. Raises ExpiredCredential, KeyUnusable, NoQuota, BadResponse."""
    payload = expanded(answer)
    if not isinstance(payload, dict):
        raise BadResponse("Alibaba gave an answer that is no object.")
    if (error := refusal(payload, by_key)) is not None:
        raise error
    instances = _instances(payload)
    best = max(instances, key=lambda item: score(item, now)) if instances else None
    certain = best is not None and score(best, now) > 0
    chosen = best if certain or not instances else instances[0]
    quota = quota_in(chosen) if chosen else None
    if quota is None and not (certain and instances and len(instances) > 1):
        quota = quota_in(payload)
    found = tuple(windows(quota, now)) if quota else ()
    if not found and not (certain or (instances is None and _payload_active(payload, now))):
        raise NoQuota("Alibaba told neither a quota nor an active plan.")
    plan = _plan_name(payload, instances or [], chosen)
    return Usage(updated_at=now, windows=found, identity=Identity(plan=plan), limits_unavailable=not found)


def _payload_active(payload: Object, now: datetime) -> bool:
    return any(score(found, now) > 0 for found in objects(payload, outer_first=True))
