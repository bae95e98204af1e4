"""What Ollama tells about the account of an API key. It is not promised, so every part may be missing or odd."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from quotaline_providers.model import SESSION_MINUTES, WEEK_MINUTES, Identity, Lane, Row, Section, Usage, Window
from quotaline_providers.parsing.json_search import value_of
from quotaline_providers.parsing.payload import to_number, to_text, to_time

NOTE = "API key verified. Cloud quotas need browser cookies."
LOGIN = "API key"

_SESSION = ("sessionusage", "usage5h", "usagefivehour", "fivehourusage")
_WEEKLY = ("weeklyusage", "usage1d", "usageoneday", "onedayusage", "dailyusage")
_PLACES = ("usage", "cloudusage", "quota")

Plain = Mapping[str, object]


def plain(value: object) -> Plain:
    """An object with its keys in lower case and without separators; empty for anything else."""
    if not isinstance(value, dict):
        return {}
    return {"".join(c for c in str(key).lower() if c not in "_-."): item for key, item in value.items()}


def _told(value: object, field: str) -> object:
    """The content of a Go null object; anything else as it is."""
    if not isinstance(value, dict):
        return value
    inner = plain(value)
    return inner.get(field) if inner.get("valid") is not False else None


def _percent(value: object) -> float | None:
    number = to_number(value.strip().removesuffix("%")) if isinstance(value, str) else to_number(value)
    return None if number is None else min(100.0, max(0.0, number))


def used_percent(value: object) -> float | None:
    """Percent used from a number, a text, or an object of several forms; None when it tells none."""
    if not isinstance(value, dict):
        return _percent(value)
    told = plain(value)
    percent = _percent(value_of(told, "percent", "pct", "usedpercent", "usagepercent"))
    if percent is not None:
        return percent
    used = to_number(value_of(told, "used", "usage", "value"))
    limit = to_number(value_of(told, "limit", "max"))
    left = to_number(value_of(told, "remaining", "left"))
    if limit is None or limit <= 0:
        return None
    if used is None:
        used = None if left is None else limit - left
    return None if used is None else min(100.0, max(0.0, used / limit * 100))


def reset_of(value: object, now: datetime) -> datetime | None:
    """When a window resets: a time, or seconds from now."""
    told = plain(value)
    at = to_time(value_of(told, "resetat", "resetsat", "resettime", "reset"))
    if at is not None:
        return at
    seconds = to_number(value_of(told, "resetin", "resetinseconds", "resetsin", "secondstoreset"))
    if seconds is None or not 0 < seconds < 10 * 366 * 86400:
        return None
    return now + timedelta(seconds=seconds)


def _window(me: Plain, names: tuple[str, ...], id: str, label: str, lane: Lane, now: datetime) -> Window | None:
    for place in (me, *(plain(me.get(name)) for name in _PLACES)):
        for name in names:
            percent = used_percent(place.get(name))
            if percent is not None:
                minutes = SESSION_MINUTES if lane == "primary" else WEEK_MINUTES if name == "weeklyusage" else None
                return Window(
                    id=id,
                    label=label,
                    used_percent=percent,
                    minutes=minutes,
                    resets_at=reset_of(place.get(name), now),
                    lane=lane,
                )
    return None


def to_usage(me: object, now: datetime) -> Usage:
    """The usage of an accepted key: without windows, unless the account tells some."""
    told = plain(me)
    found = (
        _window(told, _SESSION, "session", "Session", "primary", now),
        _window(told, _WEEKLY, "weekly", "Weekly", "secondary", now),
    )
    windows = tuple(window for window in found if window)
    email = to_text(_told(told.get("email"), "string"))
    ends = to_time(_told(told.get("subscriptionperiodend"), "time"))
    rows = (Row(label="Billing period ends", value=f"{ends:%Y-%m-%d}"),) if ends else ()
    return Usage(
        updated_at=now,
        windows=windows,
        identity=Identity(
            plan=to_text(_told(told.get("plan"), "string")) or LOGIN,
            email=email if email and "@" in email else None,
            account_id=to_text(_told(told.get("id"), "string")),
        ),
        details=(Section(title="Account", rows=rows),) if rows else (),
        notes=() if windows else (NOTE,),
        limits_unavailable=not windows,
    )
