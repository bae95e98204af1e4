"""The pages and side answers of MiniMax's platform: the coding plan page, the subscription, the billing history."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from html import unescape
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from quotaline_providers.errors import BadResponse, ExpiredCredential
from quotaline_providers.formatting import grouped, tokens
from quotaline_providers.model import Chart, Point, Row, Section
from quotaline_providers.parsing.json_search import Object, objects
from quotaline_providers.parsing.payload import to_number, to_text, to_time
from quotaline_providers.vendors.minimax.lanes import Limit, Plan, reset_text
from quotaline_providers.vendors.minimax.plans import snake, to_plan
from quotaline_providers.vendors.minimax.services import CHINA_TIME

HISTORY_DAYS = 30

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


# --- searching -------------------------------------------------------------------------------------


def texts(value: object) -> Iterator[str]:
    """All texts in a value."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, str):
            if current.strip():
                yield current.strip()
        elif isinstance(current, dict):
            waiting.extend(reversed(list(current.values())))
        elif isinstance(current, list):
            waiting.extend(reversed(current))


# --- the coding plan page --------------------------------------------------------------------------


def visible(html: str) -> str:
    """The words of a page, without scripts, styles, comments and tags."""
    return " ".join(unescape(_TAG.sub(" ", _HIDDEN.sub(" ", html))).split())


def from_page(html: str, now: datetime) -> Plan:
    """What the page tells. Raises ExpiredCredential (it asks to sign in), BadResponse, VendorFailure."""
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


def from_text(html: str, text: str, now: datetime) -> Plan:
    """One lane from the words of a page. Raises BadResponse."""
    available, used = _AVAILABLE.search(text), _USED.search(text)
    plan = _NAMED.search(html) or _BEHIND.search(text)
    if available is None and used is None:
        raise BadResponse("The coding plan page of MiniMax shows no usage.")
    prompts = to_number(available.group(1).replace(",", "")) if available else None
    count = float(available.group(2) or 1) if available else 0.0
    unit = available.group(3).lower() if available else ""
    minutes = round(count * _MINUTES.get(unit, 1)) or None
    percent = min(100.0, float(used.group(1) or used.group(2))) if used else None
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
        return Plan((lane,), plan.group(1).strip() if plan else None, listed=False)
    return Plan(limits, plan.group(1).strip() if plan else None, listed=False)


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


# --- the subscription ------------------------------------------------------------------------------

_CURRENT = ("current_subscribe", "current_subscription", "current_plan")
_RANKS = ("tokenplanplus", "tokenplanmax", "tokenplanultra")


def plan_text(candidates: Iterable[str]) -> str | None:
    """The best name of a token plan among these; None when none is one."""
    listed = list(candidates)
    ranked = [(rank, len(text), text) for text in listed if (rank := _rank(text)) is not None]
    if ranked:
        return min(ranked, key=lambda item: item[:2])[2]
    return next((text for text in listed if text.lower() in ("plus", "max", "ultra")), None)


def _rank(text: str) -> int | None:
    name = text.lower()
    for rank, wanted in enumerate(_RANKS):
        if wanted in name:
            return rank
    named = "token plan" in name and any(word in name for word in ("plus", "max", "ultra"))
    return len(_RANKS) if named else None


def combo_day(value: object) -> datetime | None:
    """A time of the subscription: epoch, or a day in China."""
    match = re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", value.strip()) if isinstance(value, str) else None
    if match is None:
        return to_time(value)
    try:
        day = datetime(int(match.group(3)), int(match.group(1)), int(match.group(2)), tzinfo=CHINA_TIME)
        return day.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class Combo:
    """The subscription: its plan, end and renewal."""

    plan: str | None = None
    expires_at: datetime | None = None
    renews_at: datetime | None = None


def to_combo(answer: Object) -> Combo:
    """The subscription in an answer, wherever it stands."""
    current = [
        text
        for found in objects(answer)
        for key, value in found.items()
        if any(name in str(key) for name in _CURRENT)
        for text in texts(value)
    ]
    return Combo(
        plan=plan_text(current) or plan_text(texts(answer)),
        expires_at=_day(answer, "current_subscribe_end_time_ts", "current_subscribe_end_time"),
        renews_at=_day(answer, "renewal_trigger_time_ts", "renewal_date"),
    )


def _day(answer: Object, *names: str) -> datetime | None:
    for name in names:
        for found in objects(answer):
            if (time := combo_day(found.get(name))) is not None:
                return time
    return None


# --- the billing history ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Charge:
    """One successful use: a local day, tokens, and cash in the account's currency."""

    day: date
    tokens: float
    cash: float
    method: str | None
    model: str | None


def charge_day(record: Object) -> date | None:
    """The local day of a record."""
    created = to_time(record.get("created_at"))
    if created is not None:
        return created.astimezone().date()
    ymd = re.fullmatch(r"(\d{4})[-/]?(\d\d)[-/]?(\d\d)", to_text(record.get("ymd")) or "")
    if ymd:
        try:
            return date(int(ymd.group(1)), int(ymd.group(2)), int(ymd.group(3)))
        except ValueError:
            return None
    told = record.get("consume_time")
    time = to_time(told.replace("/", "-")) if isinstance(told, str) else None
    return time.astimezone().date() if time else None


def to_charge(record: Object) -> Charge | None:
    """The charge in a record; None when it failed or tells no day."""
    told = record.get("result")
    outcome = to_text(record.get("status") if told is None else told)
    day = charge_day(record)
    if day is None or (outcome is not None and outcome.upper() != "SUCCESS"):
        return None
    used = to_number(record.get("consume_token"))
    if used is None:
        parts = (to_number(record.get(name)) for name in ("consume_input_token", "consume_output_token"))
        used = sum(part or 0.0 for part in parts)
    cash = to_number(record.get("consume_cash_after_voucher"))
    cash = to_number(record.get("consume_cash")) if cash is None else cash
    return Charge(day, used, cash or 0.0, to_text(record.get("method")), to_text(record.get("model")))


def history_section(charges: Iterable[Charge], today: date) -> Section | None:
    """Tokens and cash of today and 30 days, what used most, and a bar for each day; None without charges."""
    first = today - timedelta(days=HISTORY_DAYS - 1)
    kept = [charge for charge in charges if first <= charge.day <= today]
    if not kept:
        return None
    rows = [_sum_row("Today", [charge for charge in kept if charge.day == today]), _sum_row("Last 30 days", kept)]
    rows += _top_row("Top model", ((charge.model, charge.tokens) for charge in kept))
    rows += _top_row("Top method", ((charge.method, charge.tokens) for charge in kept))
    days: dict[date, float] = defaultdict(float)
    for charge in kept:
        days[charge.day] += charge.tokens
    points = tuple(Point(label=day.isoformat(), value=amount) for day, amount in sorted(days.items()))
    chart = Chart(kind="bars", title="Daily tokens", unit="tokens", points=points)
    return Section(title="Billing history", rows=tuple(rows), chart=chart)


def _top_row(label: str, used: Iterable[tuple[str | None, float]]) -> list[Row]:
    sums: dict[str, float] = defaultdict(float)
    for name, amount in used:
        if name:
            sums[name] += amount
    if not sums:
        return []
    name, amount = min(sums.items(), key=lambda item: (-item[1], item[0]))
    return [Row(label=label, value=name, secondary=f"{tokens(amount)} tokens")]


def _sum_row(label: str, charges: list[Charge]) -> Row:
    cash = sum(charge.cash for charge in charges)
    used = f"{tokens(sum(charge.tokens for charge in charges))} tokens"
    return Row(label=label, value=used, secondary=f"{grouped(cash, 4)} cash" if cash else None)
