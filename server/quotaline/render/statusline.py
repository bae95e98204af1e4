"""The status line: the providers that matter now, worst first, in a few characters each."""

from __future__ import annotations

import re
from dataclasses import dataclass

from quotaline.forecast.pace import Pace
from quotaline.forecast.severity import Severity, in_force, standing, worst
from quotaline.render import text, times
from quotaline.render.shown import Shown, all_shown, shown as shown_state
from quotaline.render.view import View
from quotaline.state import ProviderState, Snapshot
from quotaline_providers import formatting
from quotaline_providers.lengths import usual_length
from quotaline_providers.model import DAY_MINUTES, MONTH_MINUTES, SESSION_MINUTES, WEEK_MINUTES, Window

_OF_HEADLINE = ("used", "left", "window", "tag", "resetsIn", "resetsAt", "runsOutIn", "pace")
FIELDS = ("name", *_OF_HEADLINE, "second", "balance", "plan", "account", "status")
NO_PROVIDERS = "Quotaline: no providers"
LOOKING = "Quotaline is looking for your providers…"
LOADING = f"Quotaline {text.ELLIPSIS}"
CONFIG_PROBLEM = "Quotaline !"
OUTAGE = "⚠"
OLD = "(old)"

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")
_PAST_HALF = 50
_MOST_CHARACTERS = 80
_FIELD_LENGTH = 32
_REASON_LENGTH = 40
_TAG_LENGTH = 12
_LENGTHS = {SESSION_MINUTES: "5h", DAY_MINUTES: "day", WEEK_MINUTES: "wk", MONTH_MINUTES: "mo"}


@dataclass(frozen=True, slots=True)
class StatusLine:
    """The text, how serious it is, and a sentence for each setting that could not be used as it is."""

    text: str
    severity: Severity
    problems: tuple[str, ...] = ()


def status_line(snapshot: Snapshot, view: View) -> StatusLine:
    """The whole status line."""
    settings = view.settings.status_line
    items = all_shown(snapshot, view)
    chosen = _chosen(items, view)
    parts, problems = _parsed(settings.format)
    numbers = [item for item in chosen if item.state.usage is not None]
    wanted = chosen if settings.providers else tuple(item for item in items if item.state.active)
    needing = list({item.state.provider: item for item in reversed(wanted) if item.needs_user}.values())[::-1]
    if not numbers and not needing:
        return _nothing(snapshot, chosen, problems)
    if not settings.providers:
        numbers.sort(key=_urgency)
    told = [_item(item, parts) for item in numbers[: settings.max_items]]
    if not numbers:
        told.append(default_item(needing[0]) if len(needing) == 1 else f"Quotaline {_mark(needing)}")
    elif needing:
        told.append(_mark(needing))
    telling = tuple(item.severity for item in chosen if item.severity != "empty")
    return StatusLine(_without_breaks(settings.separator).join(told), worst(telling), problems)


def _mark(needing: list[Shown]) -> str:
    """One mark for all providers that need the user, so that no error takes a number's place."""
    return f"{len(needing)} !"


def _nothing(snapshot: Snapshot, chosen: tuple[Shown, ...], problems: tuple[str, ...]) -> StatusLine:
    """The line while there is nothing to tell of any provider."""
    if snapshot.config_problem and not any(state.active for state in snapshot.states):
        return StatusLine(CONFIG_PROBLEM, "error", problems)
    loading = not snapshot.detected or any(not item.state.quiet for item in chosen)
    return StatusLine(LOADING if loading else NO_PROVIDERS, "empty", problems)


def item_text(item: Shown) -> str:
    """One provider in the user's format."""
    return _item(item, _parsed(item.view.settings.status_line.format)[0])


def state_text(state: ProviderState, view: View) -> str:
    """One state by itself in the user's format."""
    return item_text(shown_state(state, view))


def default_item(item: Shown) -> str:
    """`Claude 62% 2h`, `Claude 97% wk 4d`, `OpenRouter $17.50`, `Claude !`; `Codex 18% (old)` when it could not be
    read for a while, `Codex 18% ⚠` during an outage.
    """
    status = item.state.status
    marks = (OLD if item.outdated else "", OUTAGE if status is not None and status.grave else "")
    return " ".join(part for part in (_numbers(item), *marks) if part)


def _numbers(item: Shown) -> str:
    if item.state.usage is None:
        return f"{item.title} {'!' if item.state.failure else text.ELLIPSIS}"
    bound, verdict = item.bound, _verdict(item)
    if verdict:
        return f"{item.title} {verdict}"
    if bound is None:
        short = item.state.usage.short_text
        return f"{item.title} {text.label(item.said(short), _FIELD_LENGTH) if short else '–'}"
    reset = _brief_reset(item)
    if bound.percent is not None:
        percent = _left(item) + " left" if item.view.settings.status_line.percent == "left" else _used(item)
        reset = reset if bound.percent > _PAST_HALF else ""
        return " ".join(part for part in (item.title, percent, tag(item), reset) if part)
    if bound.window is not None and bound.window.unlimited:
        return f"{item.title} {text.UNLIMITED}"
    if bound.window is not None:
        return f"{item.title} ↻ {reset}" if reset else f"{item.title} –"
    return f"{item.title} {_balance(item) or '–'}"


def _verdict(item: Shown) -> str:
    """The vendor's reason why nothing can be used, where the numbers do not say so themselves."""
    usage = item.state.usage
    blocked = in_force(usage, item.view.now) if usage is not None else None
    if blocked is None or (item.bound is not None and item.bound.exhausted):
        return ""
    return text.label(item.said(blocked.reason), _REASON_LENGTH)


def tag(item: Shown) -> str:
    """Which window the headline is, where that is not the shortest or the first of several: `wk`, `mo`, `Team`."""
    bound = item.bound
    if bound is None or bound.window is None:
        return ""
    window, others = bound.window, [one for one in bound.peers if one != bound.window]
    lengths = [one.minutes for one in others if one.minutes is not None]
    if window.minutes is not None and lengths and window.minutes not in lengths:
        return "" if window.minutes < min(lengths) else _short_name(item, window)
    if not others or bound.peers[0] == window:
        return ""
    return text.label(item.said(window.label), _TAG_LENGTH)


def _short_name(item: Shown, window: Window) -> str:
    """A window by its length, else by its label."""
    if window.minutes is None:
        return text.label(item.said(window.label), _TAG_LENGTH)
    usual = usual_length(window.minutes)
    if usual in _LENGTHS:
        return _LENGTHS[usual]
    hours = round(window.minutes / 60)
    return f"{window.minutes}m" if hours < 1 else f"{hours}h" if hours < 48 else f"{round(hours / 24)}d"


def _chosen(items: tuple[Shown, ...], view: View) -> tuple[Shown, ...]:
    """What may stand in the line: of each provider one account, or those the user's settings name by their keys."""
    by_key = {item.state.key: item for item in items if item.state.account}
    by_provider = {item.state.provider: item for item in reversed(_one_each(items))}
    wanted = view.settings.status_line.providers
    if not wanted:
        return tuple(reversed(by_provider.values()))
    found = [by_key.get(name) or by_provider.get(name) for name in dict.fromkeys(wanted)]
    return tuple({item.state.key: item for item in found if item is not None}.values())


def _one_each(items: tuple[Shown, ...]) -> list[Shown]:
    """The active account of each provider; where several are, the one that binds: the most used that can be read."""
    groups: dict[str, list[Shown]] = {}
    for item in items:
        if item.state.active:
            groups.setdefault(item.state.provider, []).append(item)
    return [min(group, key=lambda item: (item.state.usage is None, *_urgency(item))) for group in groups.values()]


def _urgency(item: Shown) -> tuple[int, float]:
    """Worst first. Old numbers stand where fresh ones would."""
    bound = item.bound
    level, over = (bound.level, bound.over) if bound is not None else ("ok", False)
    rank = {"critical": 0, "warning": 1, "error": 2}.get(standing(item.state, level, over=over, now=item.view.now), 3)
    percent = bound.percent if bound is not None else None
    return rank, -(percent if percent is not None else -1.0)


def _item(item: Shown, parts: tuple[str, ...]) -> str:
    if not parts or item.state.usage is None:
        return default_item(item)
    filled = "".join(_field(item, part[1:-1]) if part[1:-1] in FIELDS else _literal(part) for part in parts)
    words = text.cut(" ".join(filled.split()), _MOST_CHARACTERS)
    if not words:
        return default_item(item)
    return " ".join(part for part in (words, _verdict(item), OLD if item.outdated else "") if part)


def _parsed(format: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The format's parts (none for the default), and its problems."""
    format = _without_breaks(format)
    if not format.strip():
        return (), ()
    parts = tuple(match.group(0) for match in _PART.finditer(format))
    if any(part in "{}" for part in parts):
        return (), ("quotaline.statusLine.format: a brace is not closed or not opened; the default format is used.",)
    unknown = dict.fromkeys(
        part for part in parts if part[0] == "{" and part not in ("{{", "}}") and part[1:-1] not in FIELDS
    )
    return parts, tuple(f"quotaline.statusLine.format: there is no field {part}." for part in unknown)


def _literal(part: str) -> str:
    return {"{{": "{", "}}": "}"}.get(part, part)


def _without_breaks(words: str) -> str:
    """The user's own text with its spaces, but without line breaks and control characters."""
    return "".join(" " if char.isspace() else char for char in words if char.isprintable() or char.isspace())


def _field(item: Shown, name: str) -> str:
    bound, view = item.bound, item.view
    reset = bound.resets_at if bound is not None else None
    match name:
        case "name":
            return item.title
        case "used":
            return _used(item)
        case "left":
            return _left(item)
        case "window":
            return text.label(item.said(bound.label), _FIELD_LENGTH) if bound is not None else ""
        case "resetsIn":
            return formatting.duration(reset - view.now) if reset is not None and reset > view.now else ""
        case "resetsAt":
            return times.clock_time(reset, view.now, view.zone) if reset is not None else ""
        case "tag":
            return tag(item)
        case "second":
            return _second(item)
        case "balance":
            return _balance(item)
        case "plan":
            return text.cut(item.plan or "", _FIELD_LENGTH)
        case "account":
            return text.cut(item.account or "", _FIELD_LENGTH)
        case "status":
            status = item.state.status
            return status.label if status is not None and status.tells else ""
        case "runsOutIn":
            pace = _pace(item)
            ends = pace is not None and pace.shown and pace.eta is not None
            return formatting.duration(pace.eta) if ends and pace is not None and pace.eta is not None else ""
        case _:
            pace = _pace(item)
            return pace.token if pace is not None and pace.shown_in_bar else ""


def _pace(item: Shown) -> Pace | None:
    window = item.bound.window if item.bound is not None else None
    return item.pace(window) if window is not None else None


def _second(item: Shown) -> str:
    """The first other window of those that the headline was chosen from: `5h 9%`."""
    bound = item.bound
    others = (one for one in bound.peers if one != bound.window) if bound is not None else ()
    second = next((one for one in others if one.shown_percent is not None), None)
    if second is None or second.shown_percent is None:
        return ""
    left = item.view.settings.status_line.percent == "left"
    return f"{_short_name(item, second)} {item.figure(second.shown_percent, left=left)}"


def _used(item: Shown) -> str:
    percent = item.bound.percent if item.bound is not None else None
    return item.figure(percent) if percent is not None else ""


def _left(item: Shown) -> str:
    percent = item.bound.percent if item.bound is not None else None
    return item.figure(percent, left=True) if percent is not None else ""


def _balance(item: Shown) -> str:
    """The balance or the spend that is the headline, else the first balance, else what was spent."""
    usage = item.state.usage
    if usage is None:
        return ""
    bound, spend = item.bound.balance if item.bound else None, item.bound.spend if item.bound else None
    balance = bound or next(iter(usage.balances), None)
    if balance is not None and spend is None:
        return text.cut(text.amount(balance.amount, balance.unit), _FIELD_LENGTH)
    spend = spend or next(iter(usage.spends), None)
    return text.cut(f"{text.amount(spend.used, spend.unit)} used", _FIELD_LENGTH) if spend is not None else ""


def _brief_reset(item: Shown) -> str:
    reset = item.bound.resets_at if item.bound is not None else None
    return formatting.duration(reset - item.view.now) if reset is not None and reset > item.view.now else ""
