"""Ollama's settings page, read as text: plan, address, and the session and weekly blocks. Pure text, no effects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html import unescape

from quotaline_providers.errors import BadResponse, ExpiredCredential
from quotaline_providers.model import SESSION_MINUTES, WEEK_MINUTES, Confidence, Identity, Lane, Usage, Window
from quotaline_providers.parsing.payload import to_time

SIGN_IN = "Sign in at https://ollama.com/signin and paste the Cookie header of the settings page."
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


def _windows(html: str) -> Iterator[Window]:
    session = block(html, SESSION) or block(html, HOURLY)
    if session:
        yield _window(session, "session", "Session", "primary", SESSION_MINUTES if session.label == SESSION else None)
    if weekly := block(html, WEEKLY):
        yield _window(weekly, "weekly", "Weekly", "secondary", WEEK_MINUTES)


def _window(found: Block, id: str, label: str, lane: Lane, minutes: int | None) -> Window:
    percent = min(100.0, max(0.0, found.percent))
    return Window(id=id, label=label, used_percent=percent, minutes=minutes, resets_at=found.resets_at, lane=lane)


def _group(pattern: re.Pattern[str], html: str) -> str | None:
    match = pattern.search(html)
    return (unescape(match.group(1)).strip() or None) if match else None


def to_usage(html: str, now: datetime) -> Usage:
    """What a page tells. Raises ExpiredCredential (not signed in), BadResponse (no usage on it)."""
    windows = tuple(_windows(html))
    if not windows:
        if signed_out(html):
            raise ExpiredCredential("Ollama shows its sign-in page: nobody is signed in with this cookie.", SIGN_IN)
        raise BadResponse("The settings page of Ollama shows no usage.")
    email = _group(_EMAIL, html)
    return Usage(
        updated_at=now,
        windows=windows,
        identity=Identity(plan=_group(_PLAN, html), email=email if email and "@" in email else None),
        confidence=Confidence.PERCENT_ONLY,
    )
