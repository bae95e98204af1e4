"""How Ollama's settings page, or the account of an API key, becomes a usage. Pure.

The account's data is not promised, so every part of it may be missing or odd.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from quotaline_providers import (
    SESSION_MINUTES,
    WEEK_MINUTES,
    BadResponse,
    Confidence,
    ExpiredCredential,
    Identity,
    Lane,
    Row,
    Section,
    Usage,
    Window,
    clamped,
    share,
    to_number,
    to_text,
    to_time,
)
from quotaline_providers.parsing.json_search import value_of
from quotaline_providers.vendors.ollama.payloads import (
    HOURLY,
    SESSION,
    WEEKLY,
    Block,
    Plain,
    block,
    content,
    email_in,
    plain,
    plan_in,
    signed_out,
)

SIGN_IN = "Sign in at https://ollama.com/signin and paste the Cookie header of the settings page."
NOTE = "API key verified. Cloud quotas need browser cookies."
LOGIN = "API key"

_SESSION = ("sessionusage", "usage5h", "usagefivehour", "fivehourusage")
_WEEKLY = ("weeklyusage", "usage1d", "usageoneday", "onedayusage", "dailyusage")
_PLACES = ("usage", "cloudusage", "quota")

# --- the settings page -----------------------------------------------------------------------------


def _page_windows(html: str) -> Iterator[Window]:
    session = block(html, SESSION) or block(html, HOURLY)
    if session:
        minutes = SESSION_MINUTES if session.label == SESSION else None
        yield _page_window(session, "session", "Session", "primary", minutes)
    if weekly := block(html, WEEKLY):
        yield _page_window(weekly, "weekly", "Weekly", "secondary", WEEK_MINUTES)


def _page_window(found: Block, id: str, label: str, lane: Lane, minutes: int | None) -> Window:
    return Window(
        id=id,
        label=label,
        used_percent=clamped(found.percent),
        minutes=minutes,
        resets_at=found.resets_at,
        lane=lane,
        blocks=True,
    )


def page_usage(html: str, now: datetime) -> Usage:
    """The usage on a page. Raises ExpiredCredential (not signed in), BadResponse (no usage on it)."""
    windows = tuple(_page_windows(html))
    if not windows:
        if signed_out(html):
            raise ExpiredCredential("Ollama shows its sign-in page: nobody is signed in with this cookie.", SIGN_IN)
        raise BadResponse("The settings page of Ollama shows no usage.")
    email = email_in(html)
    return Usage(
        updated_at=now,
        windows=windows,
        identity=Identity(plan=plan_in(html), email=email if email and "@" in email else None),
        confidence=Confidence.PERCENT_ONLY,
    )


# --- the account of a key --------------------------------------------------------------------------


def _percent(value: object) -> float | None:
    number = to_number(value.strip().removesuffix("%")) if isinstance(value, str) else to_number(value)
    return None if number is None else clamped(number)


def used_percent(value: object) -> float | None:
    """Percent used from a number, a text, or an object of several forms; None when it holds none."""
    if not isinstance(value, dict):
        return _percent(value)
    fields = plain(value)
    percent = _percent(value_of(fields, "percent", "pct", "usedpercent", "usagepercent"))
    if percent is not None:
        return percent
    used = to_number(value_of(fields, "used", "usage", "value"))
    limit = to_number(value_of(fields, "limit", "max"))
    left = to_number(value_of(fields, "remaining", "left"))
    if limit is None or limit <= 0:
        return None
    if used is None:
        used = None if left is None else limit - left
    return None if used is None else share(used, limit)


def reset_of(value: object, now: datetime) -> datetime | None:
    """When a window resets: a time, or seconds from now."""
    fields = plain(value)
    at = to_time(value_of(fields, "resetat", "resetsat", "resettime", "reset"))
    if at is not None:
        return at
    seconds = to_number(value_of(fields, "resetin", "resetinseconds", "resetsin", "secondstoreset"))
    if seconds is None or not 0 < seconds < 10 * 366 * 86400:
        return None
    return now + timedelta(seconds=seconds)


def _account_window(me: Plain, names: tuple[str, ...], id: str, label: str, lane: Lane, now: datetime) -> Window | None:
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
                    blocks=True,
                )
    return None


def account_usage(me: object, now: datetime) -> Usage:
    """The usage of an accepted key: without windows, unless its account shows some."""
    fields = plain(me)
    found = (
        _account_window(fields, _SESSION, "session", "Session", "primary", now),
        _account_window(fields, _WEEKLY, "weekly", "Weekly", "secondary", now),
    )
    windows = tuple(window for window in found if window)
    email = to_text(content(fields.get("email"), "string"))
    ends = to_time(content(fields.get("subscriptionperiodend"), "time"))
    rows = (Row(label="Billing period ends", value=f"{ends:%Y-%m-%d}"),) if ends else ()
    return Usage(
        updated_at=now,
        windows=windows,
        identity=Identity(
            plan=to_text(content(fields.get("plan"), "string")) or LOGIN,
            email=email if email and "@" in email else None,
            account_id=to_text(content(fields.get("id"), "string")),
        ),
        details=(Section(title="Account", rows=rows),) if rows else (),
        notes=() if windows else (NOTE,),
        limits_unavailable=not windows,
    )
