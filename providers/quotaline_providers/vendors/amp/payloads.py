"""What Amp sends: its balances as it words them for people, the service's envelope, and the settings page. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal

from quotaline_providers import BadResponse, ExpiredCredential, Flag, Payload, Text, lenient

SIGN_IN = "Run `amp login`, or set an access token from https://ampcode.com/settings."

_CSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_NUMBER = r"(\d[\d,]{0,17}(?:\.\d{1,9})?|\.\d{1,9})"
_LONGEST_LINE = 500  # a name ends nowhere in particular: hostile lines must not cost time
_RENEWAL = (
    rf"{_NUMBER}%\s+other usage and\s+{_NUMBER}%\s+orb usage remaining\s+-\s+"
    r"resets upon renewal in\s+(\d{1,6})\s+(days?|months?)(?:\s+-\s+https://\S*)?"
)
_FLAGS = re.IGNORECASE | re.MULTILINE
_SIGNED_IN = re.compile(r"^[ \t]*Signed in as[ \t]+([^\s(]+)[ \t]*(?:\(([^\n]*)\))?[ \t]*$", _FLAGS)
_FREE_DOLLARS = re.compile(
    rf"^[ \t]*Amp Free:[ \t]*\$?{_NUMBER}[ \t]*/[ \t]*\$?{_NUMBER}[ \t]+remaining"
    rf"(?:[ \t]*\(replenishes[ \t]+\+?[ \t]*\$?{_NUMBER}[ \t]*/[ \t]*hour\))?",
    _FLAGS,
)
_FREE_PERCENT = re.compile(
    rf"^[ \t]*Amp Free:[ \t]*{_NUMBER}%[ \t]+remaining(?:[ \t]+today)?(?:[ \t]*(\(resets daily\)))?", _FLAGS
)
_OLD_PLAN = re.compile(rf"^[ \t]*Subscription[ \t]+([^\n:]+?)[ \t]*:[ \t]*{_RENEWAL}[ \t]*$", _FLAGS)
_NEW_PLAN = re.compile(rf"^[ \t]*Amp[ \t]+([^\n:]+?)[ \t]+Subscription:[ \t]*{_RENEWAL}[ \t]*$", _FLAGS)
_INDIVIDUAL = re.compile(rf"^[ \t]*Individual credits:[ \t]*\$?{_NUMBER}[ \t]+remaining", _FLAGS)
_WORKSPACE = re.compile(
    rf"^[ \t]*Workspace[ \t]+([^\n:]+(?::[^\n:]+)*?)[ \t]*:[ \t]*\$?{_NUMBER}[ \t]+remaining", _FLAGS
)
_LONGEST_LITERAL = 100_000
_LOGIN_WORDS = ("sign in", "log in", "login")

# --- the service -----------------------------------------------------------------------------------


class Failure(Payload):
    """Why the service refused; only `auth-required` means something."""

    code: Text = None


class Result(Payload):
    """The balances, worded for people."""

    displayText: Text = None  # noqa: N815 - the vendor's spelling


class Reply(Payload):
    """An answer of the RPC; failures come with HTTP 200, too."""

    ok: Flag = None
    result: Annotated[Result | None, lenient(Result)] = None
    error: Annotated[Failure | None, lenient(Failure)] = None


# --- the display text ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Free:
    """The free allowance: dollars, cents or percent. `rate` is what comes back per hour, `hours` the length."""

    quota: float
    used: float
    rate: float = 0.0
    hours: float | None = None
    daily: bool = False


@dataclass(frozen=True, slots=True)
class Subscription:
    """A plan's two pools, in percent left, and when they renew."""

    plan: str
    other_left: float
    orb_left: float
    count: int
    unit: Literal["day", "month"]


@dataclass(frozen=True, slots=True)
class Balances:
    """Everything a text or page states. Amounts are US dollars."""

    email: str | None = None
    organization: str | None = None
    free: Free | None = None
    subscription: Subscription | None = None
    individual: Decimal | None = None
    workspaces: tuple[tuple[str, Decimal], ...] = ()


def parse_display(text: str) -> Balances:
    """The balances in a display text. Raises ExpiredCredential (not signed in), BadResponse (none found)."""
    text = "\n".join(line[:_LONGEST_LINE] for line in _CSI.sub("", text).splitlines())
    owner = _SIGNED_IN.search(text)
    individual = _INDIVIDUAL.search(text)
    found = Balances(
        email=owner.group(1) if owner else None,
        organization=((owner.group(2) or "").strip() or None) if owner else None,
        free=_free(text),
        subscription=_subscription(text),
        individual=_decimal(individual.group(1)) if individual else None,
        workspaces=tuple((match.group(1), _decimal(match.group(2))) for match in _WORKSPACE.finditer(text)),
    )
    if owner is None and says_signed_out(text):
        raise ExpiredCredential("Nobody is signed in to Amp.", SIGN_IN)
    if not (found.free or found.subscription or individual or found.workspaces):
        raise BadResponse("Amp reported no balance.")
    return found


def says_signed_out(text: str) -> bool:
    """Whether a text for people asks to sign in."""
    lowered = text.lower()
    return any(words in lowered for words in _LOGIN_WORDS)


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def _decimal(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def _free(text: str) -> Free | None:
    if match := _FREE_DOLLARS.search(text):
        left, quota, rate = (_number(group or "0") for group in match.groups())
        hours = float(max(1, round(quota / rate))) if rate > 0 else None
        return Free(quota, max(0.0, quota - left), rate, hours)
    if match := _FREE_PERCENT.search(text):
        left = min(100.0, _number(match.group(1)))
        return Free(100, 100 - left, 0, 24, daily=match.group(2) is not None)
    return None


def _subscription(text: str) -> Subscription | None:
    match = _OLD_PLAN.search(text) or _NEW_PLAN.search(text)
    if match is None:
        return None
    plan, other, orb, count, unit = match.groups()
    return Subscription(
        plan, _number(other), _number(orb), int(count), "month" if unit.lower().startswith("month") else "day"
    )


# --- the settings page -----------------------------------------------------------------------------


def parse_page(html: str) -> Balances:
    """The free allowance in a settings page. Raises ExpiredCredential (not signed in), BadResponse (none found)."""
    for name in ("freeTierUsage", "getFreeTierUsage"):
        start = html.find(name)
        literal = _object(html, start) if start >= 0 else None
        free = _page_free(literal) if literal else None
        if free:
            return Balances(free=free)
    if says_signed_out(html):
        raise ExpiredCredential("Nobody is signed in to Amp with this cookie.", SIGN_IN)
    raise BadResponse("The settings page of Amp shows no usage.")


def _object(text: str, start: int) -> str | None:
    """The first balanced `{...}` from here on; braces in double-quoted strings do not count."""
    start = text.find("{", start)
    depth, quoted, escaped = 0, False, False
    for position in range(start, min(len(text), start + _LONGEST_LITERAL)) if start >= 0 else ():
        character = text[position]
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            quoted = True
        elif character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                return text[start : position + 1]
    return None


def _page_free(literal: str) -> Free | None:
    def value(name: str) -> float | None:
        match = re.search(rf"(?<![\w$]){name}(?![\w$])[\"']?\s*:\s*(\d{{1,18}}(?:\.\d+)?|\.\d+)", literal)
        return float(match.group(1)) if match else None

    quota, used, rate = value("quota"), value("used"), value("hourlyReplenishment")
    if quota is None or used is None or rate is None:
        return None
    return Free(quota, used, rate, value("windowHours"))
