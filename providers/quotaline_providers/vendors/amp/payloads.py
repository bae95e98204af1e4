"""What Amp sends: its balances as it words them for people, the service's envelope, and the settings page. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from quotaline_providers import BadResponse, ExpiredCredential, Flag, Payload, Text, lenient

SIGN_IN = "Run `amp login`, or set an access token from https://ampcode.com/settings."

_BLANKS = re.compile(r"[ \t]+")
_CSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_NUMBER = r"(\d[\d,]{0,17}(?:\.\d{1,9})?|\.\d{1,9})"
_LONGEST_TEXT, _LONGEST_LINE = 1 << 16, 500  # a name ends nowhere in particular: hostile lines must not cost time
_RENEWAL = (
    rf"{_NUMBER}%\s+other usage and\s+{_NUMBER}%\s+orb usage remaining\s+-\s+"
    r"resets upon renewal in\s+(\d{1,6})\s+(days?|months?)(?:\s+-\s+https://\S*)?"
)
_FLAGS = re.IGNORECASE | re.MULTILINE
_SIGNED_IN = re.compile(r"^[ \t]*Signed in as[ \t]+([^\s(]+)[ \t]*(?:\(([^\n]*)\))?[ \t]*$", _FLAGS)
_TIER = re.compile(
    rf"^[ \t]*Amp[ \t]+([^\n:]+?)[ \t]+Tier:[ \t]*agent usage[ \t]+\$?{_NUMBER}[ \t]+of[ \t]+\$?{_NUMBER}"
    rf"[ \t]+remaining(?:[ \t]*\({_NUMBER}%\))?([^\n]*)$",
    _FLAGS,
)
_TIER_ORB = re.compile(
    rf"^[ \t]*,[ \t]*orb usage[ \t]+{_NUMBER}h?[ \t]+of[ \t]+{_NUMBER}h?(?![\w.])[^()\n]*remaining"
    rf"(?:[ \t]*\({_NUMBER}%\))?",
    re.IGNORECASE,
)
_TIER_PERIOD = re.compile(r"\bperiod[ \t]+(\d{4}-\d\d-\d\d)[ \t]+to[ \t]+(\d{4}-\d\d-\d\d)", re.IGNORECASE)
_TIER_RENEWAL = re.compile(r"\bresets upon renewal in[ \t]+(\d{1,6})[ \t]+(days?|months?)\b", re.IGNORECASE)
_BOLD = re.compile(r"\*\*([^*\n]*)\*\*")
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
    """Why the service refused: only the code `auth-required` means something, and the message is for people."""

    code: Text = None
    message: Text = None


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
    """The free allowance: dollars, cents or percent. `rate` is what comes back per hour, `hours` the length.

    `dollars` is what is left of how much, where the vendor told it in dollars."""

    quota: float
    used: float
    rate: float = 0.0
    hours: float | None = None
    daily: bool = False
    dollars: tuple[Decimal, Decimal] | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A plan's two pools, in percent left, and when they renew."""

    plan: str
    other_left: float
    orb_left: float
    count: int
    unit: Literal["day", "month"]


@dataclass(frozen=True, slots=True)
class Pool:
    """What is left of one pool of a tier: dollars or hours. `percent` is that left, as the vendor rounds it."""

    left: float
    limit: float
    percent: float | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """A plan with exact amounts. `period` is its first and its last day, where told; `renews` the count of days or
    months until it renews."""

    plan: str
    agent: Pool
    orb: Pool | None = None
    period: tuple[date, date] | None = None
    renews: tuple[int, Literal["day", "month"]] | None = None


@dataclass(frozen=True, slots=True)
class Balances:
    """Everything a text or page states. Amounts are US dollars."""

    email: str | None = None
    organization: str | None = None
    free: Free | None = None
    tier: Tier | None = None
    subscription: Subscription | None = None
    individual: Decimal | None = None
    workspaces: tuple[tuple[str, Decimal], ...] = ()

    @property
    def plan(self) -> str | None:
        """The plan that is paid for: a tier goes before a subscription."""
        return self.tier.plan if self.tier else self.subscription.plan if self.subscription else None


def parse_display(text: str) -> Balances:
    """The balances in a display text. Raises ExpiredCredential (not signed in), BadResponse (none found)."""
    lines = _CSI.sub("", text[:_LONGEST_TEXT]).splitlines()
    text = "\n".join(_BOLD.sub(r"\1", _BLANKS.sub(" ", line)[:_LONGEST_LINE]) for line in lines)
    owner = _SIGNED_IN.search(text)
    individual = _INDIVIDUAL.search(text)
    found = Balances(
        email=owner.group(1) if owner else None,
        organization=((owner.group(2) or "").strip() or None) if owner else None,
        free=_free(text),
        tier=_tier(text),
        subscription=_subscription(text),
        individual=_decimal(individual.group(1)) if individual else None,
        workspaces=tuple((match.group(1), _decimal(match.group(2))) for match in _WORKSPACE.finditer(text)),
    )
    if owner is None and says_signed_out(text):
        raise ExpiredCredential("Nobody is signed in to Amp.", SIGN_IN)
    if not (found.free or found.tier or found.subscription or individual or found.workspaces):
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
        dollars = _decimal(match.group(1)), _decimal(match.group(2))
        return Free(quota, max(0.0, quota - left), rate, hours, dollars=dollars)
    if match := _FREE_PERCENT.search(text):
        left = min(100.0, _number(match.group(1)))
        return Free(100, 100 - left, 0, 24, daily=match.group(2) is not None)
    return None


def _tier(text: str) -> Tier | None:
    match = _TIER.search(text)
    if match is None:
        return None
    plan, left, limit, percent, rest = match.groups()
    orb, renewal = _TIER_ORB.search(rest), _TIER_RENEWAL.search(rest)
    return Tier(
        plan,
        _pool(left, limit, percent),
        _pool(*orb.groups()) if orb else None,
        _period(rest),
        (int(renewal.group(1)), _unit(renewal.group(2))) if renewal else None,
    )


def _pool(left: str, limit: str, percent: str | None) -> Pool:
    return Pool(_number(left), _number(limit), None if percent is None else _number(percent))


def _period(text: str) -> tuple[date, date] | None:
    """The first and the last day; None where there is none, or it ends before it begins."""
    match = _TIER_PERIOD.search(text)
    try:
        first, last = map(date.fromisoformat, match.groups() if match else ())
    except ValueError:
        return None
    return (first, last) if first < last else None


def _unit(text: str) -> Literal["day", "month"]:
    return "month" if text.lower().startswith("month") else "day"


def _subscription(text: str) -> Subscription | None:
    match = _OLD_PLAN.search(text) or _NEW_PLAN.search(text)
    if match is None:
        return None
    plan, other, orb, count, unit = match.groups()
    return Subscription(plan, _number(other), _number(orb), int(count), _unit(unit))


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
