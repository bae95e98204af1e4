"""The coding plan page of MiniMax's platform: its own data, or else its words. Pure."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from html import unescape
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from quotaline_providers import BadResponse, ExpiredCredential, clamped, grouped, to_number
from quotaline_providers.parsing.json_search import Object, objects
from quotaline_providers.vendors.minimax.lanes import Limit, Plan, reset_text
from quotaline_providers.vendors.minimax.mapping import to_plan
from quotaline_providers.vendors.minimax.payloads import snake

_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)\b[^<>]*>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_NEXT = re.compile(r"<script[^<>]*\bid=[\"']__NEXT_DATA__[\"'][^<>]*>", re.IGNORECASE)
_SIGN_IN = ("sign in", "log in", "登录", "登入")
_NAMED = re.compile(r"\"(?:planName|plan|packageName)\"\s*:\s*\"([^\"\\]{1,80})\"")
_WORD = r"(?!Available|Used|Resets|Usage|Current)[A-Z][A-Za-z0-9+]*"
_BEHIND = re.compile(rf"Coding Plan[ :·-]+({_WORD}(?: {_WORD})?)")
_AVAILABLE = re.compile(
    r"Available usage:?\s*([\d,]{1,15})\s*prompts\s*/\s*(\d{1,6}(?:\.\d{1,4})?)?\s*(hour|minute|day)s?", re.IGNORECASE
)
_USED = re.compile(r"(\d{1,4}(?:\.\d{1,6})?)\s*%\s*used|used:?\s*(\d{1,4}(?:\.\d{1,6})?)\s*%", re.IGNORECASE)
_IN = re.compile(r"Resets in\s*(\d{1,6})\s*(min|minute|hour|hr|h|day|d)", re.IGNORECASE)
_AT = re.compile(r"Resets at\s*(\d{1,2}):(\d\d)(?:\s*\(([^()]{1,40})\))?", re.IGNORECASE)
_OFFSET = re.compile(r"(?:UTC|GMT)\s*([+-])(\d{1,2})(?::?(\d\d))?", re.IGNORECASE)
_MINUTES = {"hour": 60, "hr": 60, "h": 60, "day": 1440, "d": 1440}


def visible(html: str) -> str:
    """The words of a page, without scripts, styles, comments and tags."""
    return " ".join(unescape(_TAG.sub(" ", _HIDDEN.sub(" ", html))).split())


def from_page(html: str, now: datetime) -> Plan:
    """The plan on the page. Raises ExpiredCredential (it asks to sign in), BadResponse, VendorFailure."""
    data = _page_data(html)
    if data is not None:
        return to_plan(data, now)
    text = visible(html)
    if any(words in text.lower() for words in _SIGN_IN):
        raise ExpiredCredential("MiniMax asks to sign in.", "Sign in at platform.minimax.io and paste its cookies.")
    return from_text(html, text, now)


def _page_data(html: str) -> Object | None:
    match = _NEXT.search(html)
    if match is None:
        return None
    try:
        content = snake(json.loads(html[match.end() :].partition("</script")[0]))
    except (ValueError, RecursionError):
        return None
    return next((found for found in objects(content) if isinstance(found.get("model_remains"), list)), None)


class NoUsageOnPage(BadResponse):
    """The page shows no usage; `plan` is the plan's name on it."""

    def __init__(self, plan: str | None) -> None:
        super().__init__("The coding plan page of MiniMax shows no usage.")
        self.plan = plan


def from_text(html: str, text: str, now: datetime) -> Plan:
    """One lane from the words of a page. Raises NoUsageOnPage."""
    available, used = _AVAILABLE.search(text), _USED.search(text)
    named = _NAMED.search(html) or _BEHIND.search(text)
    plan = named.group(1).strip() if named else None
    if available is None and used is None:
        raise NoUsageOnPage(plan)
    prompts = to_number(available.group(1).replace(",", "")) if available else None
    count = float(available.group(2) or 1) if available else 0.0
    unit = available.group(3).lower() if available else ""
    minutes = round(count * _MINUTES.get(unit, 1)) or None
    percent = clamped(float(used.group(1) or used.group(2))) if used else None
    reset = text_reset(text, now)
    shown = f"{grouped(prompts)} prompts / {grouped(count)} {unit}{'' if count == 1 else 's'}" if prompts else None
    limits = ()
    if percent is not None:
        lane = Limit(
            service="Prompts",
            period="",
            percent=percent,
            used=None if prompts is None else prompts * percent / 100,
            limit=prompts,
            minutes=minutes,
            resets_at=reset,
            text=shown or reset_text(reset, now),
            slug="prompts",
            is_text=True,
        )
        return Plan((lane,), plan, listed=False)
    return Plan(limits, plan, listed=False)


def text_reset(text: str, now: datetime) -> datetime | None:
    """The reset in a page's words: `Resets in 40 min`, `Resets at 20:00 (UTC+8)`."""
    if match := _IN.search(text):
        return now + timedelta(minutes=int(match.group(1)) * _MINUTES.get(match.group(2).lower(), 1))
    match = _AT.search(text)
    if match is None:
        return None
    zone = zone_of(match.group(3))
    local = now.astimezone(zone)
    try:
        end = local.replace(hour=int(match.group(1)), minute=int(match.group(2)), second=0, microsecond=0)
    except ValueError:
        return None
    return (end if end > local else end + timedelta(days=1)).astimezone(UTC)


def zone_of(name: str | None) -> tzinfo | None:
    """The time zone with this name or offset; None (local time) when there is none."""
    if name is None:
        return None
    if offset := _OFFSET.fullmatch(name.strip()):
        span = timedelta(hours=int(offset.group(2)), minutes=int(offset.group(3) or 0))
        return timezone(span if offset.group(1) == "+" else -span) if span < timedelta(days=1) else None
    try:
        return ZoneInfo(name.strip())
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
