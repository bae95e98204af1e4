"""What `kiro-cli` prints for people, read back as text; and what its service and its state database hold. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import BeforeValidator, Field

from quotaline_providers import BadResponse, Number, Payload, Text, lenient, lenient_items, lenient_part, to_number

MANAGE_URL = "https://app.kiro.dev/account/usage"
DEFAULT_PLAN = "Kiro"

_OSC = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_CSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[()][0-9A-Z]|[=>78cM])")
_BARE_COLOUR = re.compile(r"\[[0-9;]*m")
_LOGIN_MARKERS = (
    "not logged in",
    "login required",
    "failed to initialize auth portal",
    "kiro-cli login",
    "oauth error",
)
_BREAKDOWNS = re.compile(r"(?<=\S)[ \t]*[|│][ \t]*\d+ usage breakdowns?\b", re.IGNORECASE)
_BOX = "│┃║|╭╮╰╯─━═ \t\r"
_NUMBER = r"(\d[\d,]*(?:\.\d+)?|\.\d+)"

# --- the reports -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Login:
    """Who is logged in, as `whoami` says; both None when it says neither."""

    method: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Bonus:
    """Extra credits that run out after `expires_in` days."""

    used: float
    total: float
    expires_in: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The usage report. `percent` is 0-100 as printed (not clamped), None where the report knows the plan only: either
    because an administrator keeps the numbers (`managed`), or because newer programs print no more than that."""

    plan: str
    percent: float | None
    used: float | None = None
    total: float | None = None
    resets_at: datetime | None = None
    bonus: Bonus | None = None
    overages: str | None = None
    overage_used: float | None = None
    overage_cost: Decimal | None = None
    manage_url: str | None = None
    managed: bool = False


@dataclass(frozen=True, slots=True)
class ContextReport:
    """How full the context window is, and by what; percent 0-100."""

    used: float
    parts: tuple[tuple[str, float], ...] = ()


# --- reading ---------------------------------------------------------------------------------------


def plain(text: str) -> str:
    """The text without terminal control sequences, with plain line ends."""
    return _CSI.sub("", _OSC.sub("", text)).replace("\r\n", "\n").replace("\r", "\n")


def says_logged_out(text: str) -> bool:
    """Whether the program asks for a login."""
    lowered = plain(text).lower()
    return any(marker in lowered for marker in _LOGIN_MARKERS)


def parse_login(text: str) -> Login:
    """The account of a `whoami` report."""
    method = email = None
    for raw in plain(text).splitlines():
        line = _value(raw)
        if match := re.search(r"logged in with\s+(.+)", line, re.IGNORECASE):
            method = method or match.group(1).strip()
        elif match := re.match(r"email:\s*(\S+)", line, re.IGNORECASE):
            email = match.group(1)
        elif email is None and "@" in line and " " not in line:
            email = line
    return Login(method, email)


def parse_report(text: str, now: datetime) -> Report:
    """The usage report. Raises BadResponse for any other text. `now` dates a reset without a year."""
    text = _BARE_COLOUR.sub("", plain(text))
    if not text.strip():
        raise BadResponse("Kiro printed no usage report.")
    if "could not retrieve usage information" in text.lower():
        raise BadResponse("Kiro could not retrieve its usage information.", "Try again in a few minutes.")
    plan, new_format = _plan(text)
    percent = _number(rf"█+[▓▒░▏▎▍▌▋▊▉ \t]*{_NUMBER}[ \t]*%", text)
    credits = re.search(rf"\(\s*{_NUMBER} of {_NUMBER} covered", text)
    used, total = (_float(credits.group(1)), _float(credits.group(2))) if credits else (None, None)
    managed = new_format and re.search(r"managed by (?:your )?(?:admin|organi[sz]ation)", text, re.IGNORECASE)
    unmeasured = percent is None and credits is None
    if unmeasured and not (managed or _BREAKDOWNS.search(text)):
        raise BadResponse("Kiro's usage report has no numbers; its format may have changed.")
    if percent is None and used is not None:
        percent = used / total * 100 if total else 0.0
    return Report(
        plan=plan,
        percent=percent,
        used=used,
        total=total,
        resets_at=None if unmeasured else _reset(text, now),
        bonus=_bonus(text),
        overages=_line(r"Overages:", text),
        overage_used=_number(rf"Credits used:[ \t]*{_NUMBER}", text),
        overage_cost=_decimal(rf"Est\. cost:[ \t]*\${_NUMBER}[ \t]*USD", text),
        manage_url=MANAGE_URL if re.search(re.escape(MANAGE_URL) + r"(?![\w/?#&=%-])", text) else None,
        managed=unmeasured and bool(managed),
    )


def parse_context(text: str) -> ContextReport | None:
    """The context report; None for any other text."""
    text = _BARE_COLOUR.sub("", plain(text))
    used = _number(rf"Context window:[ \t]*{_NUMBER}[ \t]*%[ \t]*used", text)
    if used is None:
        return None
    names = ("Context files", "Tools", "Kiro responses", "Your prompts")
    found = ((name, _number(rf"{name}:?[ \t]+{_NUMBER}[ \t]*%", text)) for name in names)
    return ContextReport(used, tuple((name, value) for name, value in found if value is not None))


# --- the parts -------------------------------------------------------------------------------------


def _value(text: str) -> str:
    return _BARE_COLOUR.sub("", text).strip(_BOX)


def _plan(text: str) -> tuple[str, bool]:
    """The plan's name and whether the report has the newer `Plan:` line."""
    plan = DEFAULT_PLAN
    if match := re.search(r"[|│][ \t]*(KIRO[ \t]+[^\s|│]+)", text):
        plan = match.group(1)
    if match := re.search(r"Estimated Usage[ \t]*[|│][^|│\n]*[|│][ \t]*([A-Z0-9][A-Z0-9+ \t]*)", text):
        plan = match.group(1)
    named = _line(r"Plan:", _BREAKDOWNS.sub("", text))
    return " ".join((named or plan).split()), named is not None


def _line(label: str, text: str) -> str | None:
    match = re.search(rf"{label}[ \t]*([^\n]+)", text)
    return (_value(match.group(1)) or None) if match else None


def _bonus(text: str) -> Bonus | None:
    match = re.search(rf"Bonus credits:?[\s{re.escape(_BOX)}]*{_NUMBER}[ \t]*/[ \t]*{_NUMBER}", text)
    if match is None:
        return None
    days = re.search(r"expires in[ \t]+(\d+)[ \t]+days?\b", text)
    return Bonus(_float(match.group(1)), _float(match.group(2)), int(days.group(1)) if days else None)


def _reset(text: str, now: datetime) -> datetime | None:
    """Midnight of the printed day where the user is: this year's, or next year's when that is past."""
    if match := re.search(r"resets on[ \t]+(\d{4})-(\d{2})-(\d{2})", text):
        year, month, day = map(int, match.groups())
        return _midnight(year, month, day)
    if match := re.search(r"resets on[ \t]+(\d{1,2})/(\d{1,2})", text):
        month, day = map(int, match.groups())
        year = now.astimezone().year
        this = _midnight(year, month, day)
        return this if this and this > now else _midnight(year + 1, month, day)
    return None


def _midnight(year: int, month: int, day: int) -> datetime | None:
    try:
        return datetime(year, month, day).astimezone().astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _number(pattern: str, text: str) -> float | None:
    match = re.search(pattern, text)
    return _float(match.group(1)) if match else None


def _decimal(pattern: str, text: str) -> Decimal | None:
    match = re.search(pattern, text)
    try:
        return Decimal(match.group(1).replace(",", "")) if match else None
    except InvalidOperation:
        return None


def _float(text: str) -> float:
    return float(text.replace(",", ""))


# --- what the service sends ------------------------------------------------------------------------


def _absent_is_zero(value: object) -> float | None:
    return 0.0 if value is None else to_number(value)


class Breakdown(Payload):
    """One resource's allowance. `total` includes `overage`; bonus spend is mixed in while `bonuses` has entries."""

    resource: Text = Field(default=None, alias="resourceType")
    limit: Number = Field(default=None, alias="usageLimitWithPrecision")
    total: Number = Field(default=None, alias="currentUsageWithPrecision")
    overage: Annotated[float | None, BeforeValidator(_absent_is_zero)] = Field(
        default=0.0, alias="currentOveragesWithPrecision"
    )
    cap: object = Field(default=None, alias="overageCapWithPrecision")
    charges: Number = Field(default=None, alias="overageCharges")
    rate: Number = Field(default=None, alias="overageRate")
    currency: Text = None
    next_reset: Number = Field(default=None, alias="nextDateReset")
    bonuses: object = None


class OverageConfiguration(Payload):
    """Whether credits beyond the plan may be used."""

    status: Text = Field(default=None, alias="overageStatus")


class Subscription(Payload):
    """The plan's name."""

    title: Text = Field(default=None, alias="subscriptionTitle")


class LimitsAnswer(Payload):
    """GetUsageLimits. Reset times are epoch seconds."""

    next_reset: Number = Field(default=None, alias="nextDateReset")
    overage: Annotated[OverageConfiguration, lenient_part(OverageConfiguration)] = Field(
        default=OverageConfiguration(), alias="overageConfiguration"
    )
    subscription: Annotated[Subscription | None, lenient(Subscription)] = Field(default=None, alias="subscriptionInfo")
    breakdowns: Annotated[tuple[Breakdown, ...], lenient_items(Breakdown)] = Field(
        default=(), alias="usageBreakdownList"
    )


# --- the login the program keeps -------------------------------------------------------------------


class StoredToken(Payload):
    """A row of `auth_kv`. Social logins carry their profile with them."""

    access_token: Text = Field(default=None, repr=False)
    profile_arn: Text = None


class StoredProfile(Payload):
    """The profile that the program chose at its login."""

    arn: Text = None
