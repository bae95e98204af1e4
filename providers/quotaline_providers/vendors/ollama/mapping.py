"""How the balance of an API key, its account, or Ollama's settings page becomes a usage. Pure.

The account's data is not promised, so every part of it may be missing or odd.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from quotaline_providers import (
    SESSION_MINUTES,
    WEEK_MINUTES,
    BadResponse,
    Balance,
    Confidence,
    ExpiredCredential,
    Identity,
    Lane,
    Row,
    Section,
    Usage,
    Window,
    clamped,
    exact,
    money,
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
    BalanceAnswer,
    Block,
    Included,
    Left,
    Plain,
    block,
    content,
    email_in,
    plain,
    plan_in,
    signed_out,
)

SIGN_IN = "Sign in at https://ollama.com/signin and paste the Cookie header of the settings page."
USE_A_KEY = "Create an API key at https://ollama.com/settings/keys and set OLLAMA_API_KEY: it shows the usage."
NOTE = "The API key is valid, but Ollama tells no usage for it. The Cookie header of ollama.com/settings may show it."
NO_PLAN = "Ollama tells no limit for this account. Its plan is shown at https://ollama.com/settings."
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
        raise BadResponse("The settings page of Ollama shows no usage.", USE_A_KEY)
    email = email_in(html)
    return Usage(
        updated_at=now,
        windows=windows,
        identity=Identity(plan=plan_in(html), email=email if email and "@" in email else None),
        confidence=Confidence.PERCENT_ONLY,
    )


# --- the balance of a key --------------------------------------------------------------------------


def balance_windows(included: Included) -> Iterator[Window]:
    """The month of a credit plan, or the session and the week of an older one. What is not told is left out."""
    month = _month(included)
    if month:
        yield month
    lanes: tuple[Lane, Lane] = ("secondary", "tertiary") if month else ("primary", "secondary")
    if window := _left(included.session, "session", "Session", lanes[0], SESSION_MINUTES):
        yield window
    if window := _left(included.weekly, "weekly", "Weekly", lanes[1], WEEK_MINUTES):
        yield window


def _month(included: Included) -> Window | None:
    allowance, left = included.allowance_usd, included.balance_usd
    if allowance is None or allowance <= 0 or left is None:
        return None
    used, period = max(0.0, allowance - left), included.period
    return Window(
        id="monthly",
        label="Monthly",
        used_percent=share(used, allowance),
        used=used,
        limit=allowance,
        unit="USD",
        minutes=period.minutes if period else None,
        resets_at=period.until if period else None,
        description=f"{money(used)} / {money(allowance)}",
        lane="primary",
        blocks=True,
    )


def _left(limit: Left | None, id: str, label: str, lane: Lane, minutes: int) -> Window | None:
    if limit is None or limit.remaining_percent is None:
        return None
    used = clamped(100 - limit.remaining_percent)
    return Window(
        id=id, label=label, used_percent=used, minutes=minutes, resets_at=limit.resets_at, lane=lane, blocks=True
    )


def balance_usage(answer: BalanceAnswer, me: object, now: datetime) -> Usage:
    """The usage of a key whose balance is told. `me` adds whose account it is. Raises BadResponse."""
    if answer.included is None and answer.purchased is None:
        raise BadResponse("Ollama answered without a balance (fields included and purchased).")
    account = account_usage(me, now)
    windows = tuple(balance_windows(answer.included)) if answer.included else ()
    bought = answer.purchased.balance_usd if answer.purchased else None
    plan = None if account.identity.plan == LOGIN else account.identity.plan
    balance = Balance(id="purchased", label="Purchased credits", amount=exact(bought or 0), unit="USD")
    return account.model_copy(
        update={
            "windows": windows or account.windows,
            "identity": account.identity.model_copy(update={"plan": plan}),
            "balances": () if bought is None else (balance,),
            "notes": () if windows or account.windows else (NO_PLAN,),
            "limits_unavailable": not (windows or account.windows),
            "confidence": Confidence.EXACT if windows else Confidence.UNKNOWN,
        }
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
    email, plan = (to_text(content(fields.get(name), "string")) for name in ("email", "plan"))
    ends = to_time(content(fields.get("subscriptionperiodend"), "time"))
    rows = (Row(label="Billing period ends", value=f"{ends:%Y-%m-%d}"),) if ends else ()
    return Usage(
        updated_at=now,
        windows=windows,
        identity=Identity(
            plan=plan,
            login=plan or LOGIN,
            email=email if email and "@" in email else None,
            account_id=to_text(content(fields.get("id"), "string")),
        ),
        details=(Section(title="Account", rows=rows),) if rows else (),
        notes=() if windows else (NOTE,),
        limits_unavailable=not windows,
    )
