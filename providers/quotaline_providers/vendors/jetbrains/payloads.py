"""What an IDE writes of its AI quota: a file in its configuration folder, and lines in its log. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from xml.parsers import expat

from pydantic import Field, ValidationError

import quotaline_providers as ql

COMPONENT = "AIAssistantQuotaManager2"

# --- the quota -------------------------------------------------------------------------------------


class Amounts(ql.Payload):
    """One pot of credits; numbers come as text."""

    current: ql.Number = None
    maximum: ql.Number = None
    available: ql.Number = None

    @property
    def known(self) -> bool:
        return any(amount is not None for amount in (self.current, self.maximum, self.available))


class QuotaInfo(Amounts):
    """Option `quotaInfo`. `until` ends the licence, not the month."""

    type: ql.Text = None
    until: ql.When = None
    tariff: Annotated[Amounts, ql.lenient_part(Amounts)] = Field(default=Amounts(), alias="tariffQuota")
    top_up: Annotated[Amounts, ql.lenient_part(Amounts)] = Field(default=Amounts(), alias="topUpQuota")


class Refill(ql.Payload):
    """How much comes back and for how long (`PT720H`, `P30D`, `P4W`)."""

    amount: ql.Number = None
    duration: ql.Text = None


class NextRefill(Refill):
    """Option `nextRefill`; amount and duration may stand under `tariff`."""

    next: ql.When = None
    tariff: Annotated[Refill | None, ql.lenient(Refill)] = None


@dataclass(frozen=True, slots=True)
class Quota:
    """What one quota file says."""

    info: QuotaInfo
    refill: NextRefill


# --- the file --------------------------------------------------------------------------------------


def parse_quota(text: str) -> Quota:
    """The quota of one file's text. Raises BadResponse; a broken `nextRefill` is left out."""
    options = _options(text)
    raw = options.get("quotaInfo", "").strip()
    if not raw:
        raise _no_quota()
    try:
        info = QuotaInfo.model_validate_json(raw)
    except ValidationError:
        raise ql.BadResponse("The quota in the IDE's quota file cannot be understood.") from None
    if not (info.known or info.tariff.known or info.top_up.known):
        raise _no_quota()
    try:
        refill = NextRefill.model_validate_json(options.get("nextRefill", "{}"))
    except ValidationError:
        refill = NextRefill()
    return Quota(info, refill)


def _no_quota() -> ql.BadResponse:
    return ql.BadResponse(
        "The IDE's quota file has no quota information.", "Use AI Assistant once in the IDE, then try again."
    )


def _options(text: str) -> dict[str, str]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ql.BadResponse("The IDE's quota file declares a document type, which is not read.")
    options: dict[str, str] = {}
    above: list[tuple[str, str | None]] = []

    def begin(tag: str, attributes: dict[str, str]) -> None:
        if tag == "option" and above == [("application", None), ("component", COMPONENT)]:
            options[attributes.get("name", "")] = attributes.get("value", "")
        above.append((tag, attributes.get("name") if above else None))

    # The parser under ElementTree: a sidecar holds it for days, and needs no tree. Without a DTD no entity can expand.
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begin, lambda tag: above.pop()
    try:
        parser.Parse(text.lstrip("\ufeff").strip(), True)
    except expat.ExpatError:
        raise ql.BadResponse("The IDE's quota file is not valid XML.") from None
    return options


# --- the log ---------------------------------------------------------------------------------------

_LINE = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) .*QuotaManager2Impl - "
    r"New quota (refill )?state is: (\w+)(.*)"
)
_PART = re.compile(r"\s*(?:(\w+)=(?:\w+(\()|([^,()]*))|(\)))\s*,?")
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Logged:
    """The newest quota in a log, and when it was written; the refill where the log has one."""

    written: datetime
    info: QuotaInfo
    refill: NextRefill | None = None


def parse_log(text: str, *, cut: bool) -> Logged | None:
    """The newest quota line of a log, and the newest refill line. None when the newest quota cannot be read.

    With `cut` the text begins in the middle of a line. A last line without its end is still being written.
    """
    lines = text.split("\n")[1 if cut else 0 : -1]
    newest: dict[bool, re.Match[str]] = {}
    for line in reversed(lines):
        match = _LINE.fullmatch(line.rstrip()) if "QuotaManager2Impl" in line else None
        if match is not None:
            newest.setdefault(bool(match.group(2)), match)
        if len(newest) == 2:
            break
    if (quota := newest.get(False)) is None:
        return None
    written, _, state, rest = quota.groups()
    info = ql.parse_or_none(QuotaInfo, _inside(rest))
    if info is None or not info.known:
        return None
    try:
        moment = datetime.strptime(written, "%Y-%m-%d %H:%M:%S,%f").astimezone()
    except (ValueError, OverflowError):
        return None
    refill = newest.get(True)
    return Logged(
        moment,
        info.model_copy(update={"type": state}),
        ql.parse_or_none(NextRefill, _inside(refill.group(4))) if refill else None,
    )


def _inside(text: str) -> dict[str, object] | None:
    """The fields between the parentheses behind a state's name."""
    return fields(text[1:-1]) if text.startswith("(") and text.endswith(")") else None


def fields(text: str) -> dict[str, object] | None:
    """`current=1, tariffQuota=QuotaDetails(current=1, maximum=2)` as nested values; None for any other text."""
    root: dict[str, object] = {}
    open_ones = [root]
    position = 0
    while position < len(text):
        match = _PART.match(text, position)
        if match is None or match.end() == position:
            return None
        position = match.end()
        name, opens, value, closes = match.groups()
        if closes:
            open_ones.pop()
        elif opens:
            inner: dict[str, object] = {}
            open_ones[-1][name] = inner
            open_ones.append(inner)
        else:
            open_ones[-1][name] = value.strip()
        if not 0 < len(open_ones) <= _DEEPEST:
            return None
    return root if len(open_ones) == 1 else None
