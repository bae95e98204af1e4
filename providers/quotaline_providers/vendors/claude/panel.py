"""Reading the text of Claude Code's usage panel, torn redraws and all."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from quotaline_providers import SESSION_MINUTES, WEEK_MINUTES, Confidence, Identity, Lane, Usage, Window, clamped
from quotaline_providers.vendors.claude.accounts import PLAN_WORDS
from quotaline_providers.vendors.claude.mapping import in_third_lane, model_window
from quotaline_providers.vendors.claude.resets import reset_time

PERCENT_LINES, RESET_LINES = 12, 14
TORN = 2
_OWN = ("sonnet", "opus")  # models whose weeks have ids of their own

_SEQUENCE = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-Z\\-_]|\x1b[()][A-Z0-9]")
_FORWARD = re.compile(r"\x1b\[\d*C")
_PERCENT = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d+)?)\s*%")
_USED = re.compile(r"used|spent|consumed", re.IGNORECASE)
_LEFT = re.compile(r"left|remaining|available", re.IGNORECASE)
_RESET = re.compile(r"resets?\b:?\s*(.*)$|resets?(?=\d|[A-Z])(.*)$", re.IGNORECASE)
_STATUS_BAR = re.compile(r"opus|sonnet|haiku|default", re.IGNORECASE)
_WEEK = re.compile(r"current\s*week\s*\(([^)]+)\)", re.IGNORECASE)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++")
_PLAN = re.compile(r"\bclaude[ \t]+(" + "|".join(PLAN_WORDS) + r")\b[^\n]*", re.IGNORECASE)


class State(Enum):
    """What a capture shows last."""

    USAGE = "usage"
    LOADING = "loading"
    RATE_LIMITED = "rate limited"
    INVALID = "invalid credential"
    FAILED = "failed"
    NO_LIMITS = "no limits"
    TRUST = "trust"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Reading:
    """One limit in the panel: percent used 0-100, and the text after `Resets`."""

    name: str
    used: float
    reset: str | None


# --- text ------------------------------------------------------------------------------------------


def plain(text: str) -> str:
    """The capture without terminal sequences; every carriage return ends a line."""
    text = _SEQUENCE.sub("", _FORWARD.sub(" ", text))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def squeezed(text: str) -> str:
    """Lower case, without any white space."""
    return "".join(text.split()).lower()


def letters(text: str) -> str:
    """Lower case, only letters and digits."""
    return re.sub(r"[\W_]", "", text.lower())


def distance(one: str, other: str) -> int:
    """How many single-letter edits are between two words."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


def panel(text: str) -> str:
    """The part from the last usage panel's head on; all of it when there is none."""
    for match in reversed(list(re.finditer(r"settings:", text, re.IGNORECASE))):
        part = text[match.start() :]
        if "usage" in squeezed(part) and (_usage_lines(part) or "loadingusage" in squeezed(part)):
            return part
    return text


def _usage_lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if used_percent(line) is not None]


def used_percent(line: str) -> float | None:
    """The percent used in a line of the panel, 0-100; None for other lines and the status bar."""
    number = _PERCENT.search(line)
    if number is None or ("|" in line and _STATUS_BAR.search(line)):
        return None
    used, left = _USED.search(line), _LEFT.search(line)
    if used is None and left is None:
        return None
    value = clamped(float(number.group(1)))
    return value if left is None or (used is not None and used.start() < left.start()) else 100 - value


# --- labels ----------------------------------------------------------------------------------------


def label_of(line: str) -> str | None:
    """Which limit a line introduces: `session`, `all`, a model's name in `week:<name>`, or another section's start."""
    key = letters(line)
    if key.startswith("currentsession"):
        return "session"
    if key.startswith("currentweekallmodels"):
        return "all"
    if week := _WEEK.search(line):
        name = " ".join(week.group(1).split())
        torn = distance(letters(name), "allmodels")
        return "all" if torn == 0 else "all~" if torn <= TORN else f"week:{name}"
    if distance(key, "currentweekallmodels") <= TORN:
        return "all~"
    if distance(key, "currentsession") <= TORN:
        return "session~"
    if key.startswith(("extrausage", "current")):
        return f"other:{key}"
    return None


def readings(text: str) -> dict[str, Reading]:
    """Every limit in the panel by its label; the last complete copy wins, exact labels over torn ones."""
    lines = text.split("\n")
    labels = [label_of(line) for line in lines]
    found: dict[str, Reading] = {}
    for index, label in enumerate(labels):
        if label is None or label.startswith("other:"):
            continue
        block = _block(lines, labels, index)
        used = next((value for line in block[: PERCENT_LINES + 1] if (value := used_percent(line)) is not None), None)
        if used is not None:
            found[label] = Reading(label.removeprefix("week:"), used, reset_text(block))
    for kind in ("session", "all"):
        torn = found.pop(f"{kind}~", None)
        if torn is not None:
            found.setdefault(kind, torn)
    if "session" not in found and (first := _first(lines, labels)) is not None:
        found["session"] = first
    return found


def printed_readings(text: str) -> dict[str, Reading]:
    """Every limit in the print form (lines `<label>: 3% used · resets Oct 1, 1:40pm (Europe/Paris)`) by its label.

    What follows the limits may mention percentages of something else: the first line with a label and a percentage
    counts, and one without a percentage for none.
    """
    found: dict[str, Reading] = {}
    for line in plain(text).split("\n"):
        head, colon, rest = line.partition(":")
        label, used = label_of(head), used_percent(rest)
        if not colon or label is None or label.startswith("other:") or label.endswith("~") or used is None:
            continue
        found.setdefault(label, Reading(label.removeprefix("week:"), used, reset_text((rest,))))
    return found


def _block(lines: Sequence[str], labels: Sequence[str | None], start: int) -> list[str]:
    """The label's line and those after it, up to the next label."""
    own = (labels[start] or "").removesuffix("~")
    end = start + RESET_LINES + 1
    following = itertools.takewhile(
        lambda index: labels[index] is None or (labels[index] or "").removesuffix("~") == own,
        range(start + 1, min(end, len(lines))),
    )
    return [lines[start], *(lines[index] for index in following)]


def _first(lines: Sequence[str], labels: Sequence[str | None]) -> Reading | None:
    """The first percent of a panel whose session label is torn beyond recognition: it stands before all others."""
    weeks = [index for index, label in enumerate(labels) if label is not None]
    shown = squeezed("\n".join(lines))
    if not weeks and "session" not in shown and "week" not in shown:
        return None
    limit = weeks[0] if weeks else len(lines)
    for index, line in enumerate(lines[:limit]):
        if (used := used_percent(line)) is not None:
            return Reading("session", used, reset_text(lines[index : min(limit, index + RESET_LINES)]))
    return None


def reset_text(block: Sequence[str]) -> str | None:
    """What follows `Resets` in these lines, mended where a redraw tore it."""
    for line in block:
        match = _RESET.search(line)
        if match is None:
            continue
        text = (match.group(1) or match.group(2) or "").strip()
        while text.endswith(")") and text.count(")") > text.count("("):
            text = text[:-1].rstrip()
        if text:
            return re.sub(r"(\b[A-Z][a-z]{2} \d{1,2},?) t (?=\d)", r"\1 at ", text)
    return None


# --- the meaning of a capture ----------------------------------------------------------------------


def state_of(capture: str) -> State:
    """What a capture shows last: usage, an error, or that more is to come."""
    text = panel(plain(capture))
    flat = squeezed(text)
    last_usage = max((flat.rfind(squeezed(line)) for line in _usage_lines(text)), default=-1)
    failed = flat.rfind("failedtoloadusagedata")
    if failed > last_usage:
        return _failure(flat[failed:])
    if flat.rfind("loadingusage") > last_usage:
        return State.LOADING
    if last_usage >= 0 and "session" in readings(text):
        return State.USAGE
    if (failure := _failure(flat)) is not State.FAILED:
        return failure
    notice = flat.find("currentlyusingyoursubscription")
    if notice >= 0 and last_usage < 0 and "claudecodeusage" in flat[notice:]:
        return State.NO_LIMITS
    if any(words in flat for words in ("doyoutrustthefilesinthisfolder", "quicksafetycheck:", "yes,itrustthisfolder")):
        return State.TRUST
    return State.NOTHING


def _failure(flat: str) -> State:
    if "rate_limit_error" in flat or "ratelimited" in flat:
        return State.RATE_LIMITED
    words = (
        "authentication_error",
        "permission_error",
        "run/login",
        "apierror:401",
        "apierror:403",
        "doesnothaveaccesstoclaudecode",
    )
    if any(word in flat for word in words) or re.search(r'"error_code":"[^"]*token', flat):
        return State.INVALID
    return State.FAILED


@dataclass(frozen=True, slots=True)
class Capture:
    """What the program printed, and whether its time was over before it showed what was asked for."""

    text: str
    timed_out: bool = False

    @property
    def state(self) -> State:
        return state_of(self.text)


def identity_of(capture: str) -> Identity:
    """Who is signed in, as far as the text says."""
    text = plain(capture)
    labelled = re.search(r"(?:account|e-?mail)\s*:\s*(" + _EMAIL.pattern + ")", text, re.IGNORECASE)
    anywhere = _EMAIL.search(text)
    email = labelled.group(1) if labelled else anywhere.group(0) if anywhere else None
    match = re.search(r"\borg(?:anization)?\s*:\s*([^\n]+)", text, re.IGNORECASE)
    organization = match.group(1).strip() if match else None
    if organization and email and organization.lower().startswith(email.lower()):
        organization = None
    return Identity(email=email, organization=organization or None, plan=_plan(text))


def _plan(text: str) -> str | None:
    method = re.search(r"login\s*method\s*:\s*([^\n]+)", text, re.IGNORECASE)
    if method:
        words = letters_only(method.group(1))
        word = next((word for word in PLAN_WORDS if word in words), None)
        return word.capitalize() if word else method.group(1).strip()
    for match in _PLAN.finditer(text):
        if "code" not in match.group(0).lower():
            return match.group(1).capitalize()
    return None


def letters_only(text: str) -> list[str]:
    """The words of a text in lower case."""
    return re.split(r"[^a-z]+", text.lower())


def to_usage(capture: str, now: datetime) -> Usage:
    """The usage that a capture whose state is `USAGE` shows. Raises KeyError for any other."""
    return usage_of(readings(panel(plain(capture))), identity_of(capture), now)


def usage_of(found: Mapping[str, Reading], identity: Identity, now: datetime) -> Usage:
    """The usage of what was found by label. Raises KeyError without a session."""
    session, week = found["session"], found.get("all")
    windows = [_lane("session", "Session", session, "primary", SESSION_MINUTES, now)]
    if week is not None:
        windows.append(_lane("weekly", "Weekly", week, "secondary", WEEK_MINUTES, now))
    models = [reading for label, reading in found.items() if label.startswith("week:")]
    own = {letters(reading.name).removesuffix("only"): _reset_with(reading, week) for reading in models}
    windows += in_third_lane(
        _lane(name, name.capitalize(), own[name], None, WEEK_MINUTES, now) for name in _OWN if name in own
    )
    extras: dict[str, Window] = {}
    for reading in models:
        if letters(reading.name).removesuffix("only") in _OWN:
            continue
        complete = _reset_with(reading, week)
        resets_at = reset_time(complete.reset, now, WEEK_MINUTES) if complete.reset else None
        window = model_window(reading.name, reading.used, resets_at)
        extras[window.id] = window.model_copy(update={"description": _described(complete)})
    return Usage(
        updated_at=now,
        windows=(*windows, *extras.values()),
        identity=identity,
        confidence=Confidence.PERCENT_ONLY,
    )


def _reset_with(reading: Reading, week: Reading | None) -> Reading:
    return reading if reading.reset or week is None else Reading(reading.name, reading.used, week.reset)


def _described(reading: Reading) -> str | None:
    return f"Resets {reading.reset}" if reading.reset else None


def _lane(id: str, label: str, reading: Reading, lane: Lane | None, minutes: int, now: datetime) -> Window:
    return Window(
        id=id,
        label=label,
        used_percent=reading.used,
        minutes=minutes,
        resets_at=reset_time(reading.reset, now, minutes) if reading.reset else None,
        description=_described(reading),
        lane=lane,
        blocks=lane is not None,  # the others are of one model
    )
