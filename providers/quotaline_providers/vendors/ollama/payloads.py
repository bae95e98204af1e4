"""What Ollama sends: a settings page, read as text, and what it says of the account of an API key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Annotated

from pydantic import Field

from quotaline_providers import Number, Payload, When, lenient, to_time

SESSION, HOURLY, WEEKLY = "Session usage", "Hourly usage", "Weekly usage"
_LABELS = (SESSION, HOURLY, WEEKLY)
_BLOCK = 4000

_PLAN = re.compile(r"Cloud Usage\s*</span>\s*<span[^<>]*>([^<]*)</span>")
_EMAIL = re.compile(r"<[^<>]*\bid=[\"']header-email[\"'][^<>]*>([^<]*)<")
_USED = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)\s*%\s*used", re.IGNORECASE)
_WIDTH = re.compile(r"width:\s*(\d+(?:\.\d+)?)%", re.IGNORECASE)
_TIME = re.compile(r"data-time=[\"']([^\"']*)[\"']")

_HEADING = re.compile(r"(?:sign|log) in to ollama", re.IGNORECASE)
_FORM = re.compile(r"<form", re.IGNORECASE)
_EMAIL_FIELD = re.compile(r"<input[^<>]*\b(?:type|name)=[\"']email[\"']", re.IGNORECASE)
_PASSWORD_FIELD = re.compile(r"<input[^<>]*\b(?:type|name)=[\"']password[\"']", re.IGNORECASE)
_ROUTE = re.compile(r"/api/auth/signin|/auth/signin|(?:action|href)=[\"']/(?:login|signin)[\"']", re.IGNORECASE)

# --- the settings page -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Block:
    """One limit of the page; percent used as written."""

    label: str
    percent: float
    resets_at: datetime | None


def block(html: str, label: str) -> Block | None:
    """The block after the first of these labels, up to the next label; None without a percentage."""
    start = html.find(label)
    if start < 0:
        return None
    start += len(label)
    ends = (found for other in _LABELS if other != label and (found := html.find(other, start)) >= 0)
    text = html[start : min(*ends, start + _BLOCK, len(html))]
    used = _USED.search(text) or _WIDTH.search(text)
    if used is None:
        return None
    time = _TIME.search(text)
    return Block(label, float(used.group(1)), to_time(time.group(1)) if time else None)


def signed_out(html: str) -> bool:
    """Whether this page asks to sign in; the words alone, in ordinary text, do not count."""
    if _FORM.search(html) is None:
        return False
    route, email, password = _ROUTE.search(html), _EMAIL_FIELD.search(html), _PASSWORD_FIELD.search(html)
    return bool(route or (email and password) or (_HEADING.search(html) and (email or password)))


def plan_in(html: str) -> str | None:
    """The plan's name, as written."""
    return _group(_PLAN, html)


def email_in(html: str) -> str | None:
    """The text in the place of the e-mail address."""
    return _group(_EMAIL, html)


def _group(pattern: re.Pattern[str], html: str) -> str | None:
    match = pattern.search(html)
    return (unescape(match.group(1)).strip() or None) if match else None


# --- with an API key -------------------------------------------------------------------------------


class Period(Payload):
    """The month of a credit plan; `until` is the first moment of the next one."""

    begins: When = Field(default=None, alias="from")
    until: When = None

    @property
    def minutes(self) -> int | None:
        if self.begins is None or self.until is None or self.until <= self.begins:
            return None
        return round((self.until - self.begins).total_seconds() / 60)


class Left(Payload):
    """A limit of an older plan: percent LEFT, 0-100."""

    remaining_percent: Number = None
    resets_at: When = None


class Included(Payload):
    """What the plan includes: US dollars of a month, or (older plans) limits of a session and a week."""

    balance_usd: Number = None
    allowance_usd: Number = None
    period: Annotated[Period | None, lenient(Period)] = None
    session: Annotated[Left | None, lenient(Left)] = None
    weekly: Annotated[Left | None, lenient(Left)] = None


class Purchased(Payload):
    """US dollars of bought credits that have not expired."""

    balance_usd: Number = None


class BalanceAnswer(Payload):
    """`GET /api/balance`. An account without a plan has null or nothing in `included`."""

    included: Annotated[Included | None, lenient(Included)] = None
    purchased: Annotated[Purchased | None, lenient(Purchased)] = None


class Catalogue(Payload):
    """`GET /api/tags`. It is public: it proves nothing about a key."""

    models: Annotated[tuple[object, ...], Field(strict=False)]


Plain = Mapping[str, object]


def plain(value: object) -> Plain:
    """An object with its keys in lower case and without separators; empty for anything else."""
    if not isinstance(value, dict):
        return {}
    return {"".join(c for c in str(key).lower() if c not in "_-."): item for key, item in value.items()}


def content(value: object, field: str) -> object:
    """The content of a Go null object; anything else as it is."""
    if not isinstance(value, dict):
        return value
    inner = plain(value)
    return inner.get(field) if inner.get("valid") is not False else None
