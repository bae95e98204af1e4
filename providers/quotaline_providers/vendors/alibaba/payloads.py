"""What the console sends about a coding plan: objects whose names are looked up at any depth, and its refusals."""

from __future__ import annotations

import json

from quotaline_providers import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    ReadError,
    Refusal,
    Refusals,
    Unavailable,
    to_number,
)
from quotaline_providers.parsing.json_search import Object, objects, value_of

_DEEPEST = 40
_INSTANCES = ("codingPlanInstanceInfos", "coding_plan_instance_infos")
_QUOTA = ("codingPlanQuotaInfo", "coding_plan_quota_info")
_STEMS = ("per5Hour", "perFiveHour", "perWeek", "perBillMonth", "perMonth")
_QUOTA_NAMES = tuple(f"{stem}{kind}Quota" for stem in _STEMS for kind in ("Used", "Total"))


class NoQuota(BadResponse):
    """The answer holds neither a quota nor an active plan; the plan may be in the other region."""


class KeyUnusable(Forbidden):
    """The console does not serve this account or region by API key."""


class NotFound(BadResponse):
    """HTTP 404: the region's console does not know this call or account."""


class ServiceFailed(Unavailable):
    """The service answered, with a failure of its own (5xx); another source would not help."""


SIGNED_OUT = Refusal(
    ExpiredCredential,
    "The Alibaba console asks to sign in.",
    "Sign in to the Model Studio console and paste its Cookie header again.",
)
REFUSALS: Refusals = {
    404: Refusal(NotFound, "Alibaba knows no coding plan here (HTTP {status})."),
    **{
        status: Refusal(ServiceFailed, "Alibaba has a problem of its own (HTTP {status}).")
        for status in range(500, 600)
    },
}


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
    """The error an answer stands for; None when it is a success."""
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
            return BadResponse("Alibaba could not report the quota.")
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
    return SIGNED_OUT.raised(401)


# --- plans and quotas ------------------------------------------------------------------------------


def instances_in(payload: Object) -> list[Object] | None:
    """The plans; None when there is no list of them."""
    for found in objects(payload, outer_first=True):
        items = value_of(found, *_INSTANCES)
        if isinstance(items, list):
            return [item for item in items if isinstance(item, dict)]
    return None


def quota_in(value: object) -> Object | None:
    """The object with the quotas."""
    for found in objects(value, outer_first=True):
        quota = value_of(found, *_QUOTA)
        if isinstance(quota, dict):
            return quota
    return next(
        (found for found in objects(value, outer_first=True) if any(name in found for name in _QUOTA_NAMES)), None
    )
