"""The status line: the providers that matter now, worst first, in a few characters each."""

from __future__ import annotations

import re
from dataclasses import dataclass

from quotaline.forecast.binding import Severity, in_force, standing, worst
from quotaline.render import text, times
from quotaline.render.shown import Shown, all_shown, shown as shown_state
from quotaline.render.view import View
from quotaline.state import ProviderState, Snapshot
from quotaline_providers import formatting

FIELDS = ("name", "used", "left", "window", "resetsIn", "resetsAt", "balance", "plan", "account", "pace", "status")
NO_PROVIDERS = "Quotaline: no providers"
LOADING = f"Quotaline {text.ELLIPSIS}"
CONFIG_PROBLEM = "Quotaline !"
OUTAGE = "⚠"

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")
_PAST_HALF = 50
_MOST_CHARACTERS = 80
_FIELD_LENGTH = 32
_REASON_LENGTH = 40


@dataclass(frozen=True, slots=True)
class StatusLine:
    """The text, how serious it is, and a sentence for each setting that could not be used as it is."""

    text: str
    severity: Severity
    problems: tuple[str, ...] = ()


def status_line(snapshot: Snapshot, view: View) -> StatusLine:
    """The whole status line."""
    settings = view.settings.status_line
    chosen = chosen_items(snapshot, view)
    parts, problems = _parsed(settings.format)
    if not chosen:
        if snapshot.config_problem and not any(state.active for state in snapshot.states):
            return StatusLine(CONFIG_PROBLEM, "error", problems)
        return StatusLine(NO_PROVIDERS, "empty", problems)
    telling = [item for item in chosen if item.severity != "empty"]
    if not telling:
        return StatusLine(LOADING, "empty", problems)
    if not settings.providers:
        telling.sort(key=_urgency)
    shown = telling[: settings.max_items]
    separator = _without_breaks(settings.separator)
    return StatusLine(
        separator.join(_item(item, parts) for item in shown), worst(tuple(item.severity for item in telling)), problems
    )


def item_text(item: Shown) -> str:
    """One provider in the user's format."""
    return _item(item, _parsed(item.view.settings.status_line.format)[0])


def state_text(state: ProviderState, view: View) -> str:
    """One state by itself in the user's format."""
    return item_text(shown_state(state, view))


def default_item(item: Shown) -> str:
    """`Claude 62% 2h`, `Codex 18%`, `OpenRouter $17.50`, `Claude !`; `Codex 18% ⚠` during an outage."""
    status = item.state.status
    return f"{_numbers(item)} {OUTAGE}" if status is not None and status.grave else _numbers(item)


def _numbers(item: Shown) -> str:
    if item.state.usage is None:
        return f"{item.title} {'!' if item.state.failure else text.ELLIPSIS}"
    bound = item.bound
    blocked = in_force(item.state.usage, item.view.now)
    if blocked is not None and not (bound is not None and bound.exhausted):
        return f"{item.title} {text.label(item.said(blocked.reason), _REASON_LENGTH)}"
    if bound is None:
        short = item.state.usage.short_text
        return f"{item.title} {text.label(item.said(short), _FIELD_LENGTH) if short else '–'}"
    reset = _brief_reset(item)
    if bound.percent is not None:
        percent = _left(item) + " left" if item.view.settings.status_line.percent == "left" else _used(item)
        return " ".join(part for part in (item.title, percent, reset if bound.percent > _PAST_HALF else "") if part)
    if bound.window is not None and bound.window.unlimited:
        return f"{item.title} {text.UNLIMITED}"
    if bound.window is not None:
        return f"{item.title} ↻ {reset}" if reset else f"{item.title} –"
    return f"{item.title} {_balance(item) or '–'}"


def chosen_items(snapshot: Snapshot, view: View) -> tuple[Shown, ...]:
    """What may stand in the line: of each provider one account, or those the user's settings name by their keys."""
    items = all_shown(snapshot, view)
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
    level = standing(item.state, item.bound, item.view.settings.status_line, item.view.now)
    rank = {"critical": 0, "warning": 1, "error": 2}.get(level, 3)
    percent = item.bound.percent if item.bound is not None else None
    return rank, -(percent if percent is not None else -1.0)


def _item(item: Shown, parts: tuple[str, ...]) -> str:
    if not parts or item.state.usage is None:
        return default_item(item)
    filled = "".join(_field(item, part[1:-1]) if part[1:-1] in FIELDS else _literal(part) for part in parts)
    return text.cut(" ".join(filled.split()), _MOST_CHARACTERS) or default_item(item)


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
        case "balance":
            return _balance(item)
        case "plan":
            return text.cut(item.plan or "", _FIELD_LENGTH)
        case "account":
            return text.cut(item.account or "", _FIELD_LENGTH)
        case "status":
            status = item.state.status
            return status.label if status is not None and status.tells else ""
        case _:
            window = bound.window if bound is not None else None
            pace = item.pace(window) if window is not None else None
            return pace.token if pace is not None and pace.shown_in_bar else ""


def _used(item: Shown) -> str:
    percent = item.bound.percent if item.bound is not None else None
    return item.figure(percent) if percent is not None else ""


def _left(item: Shown) -> str:
    percent = item.bound.percent if item.bound is not None else None
    return item.figure(percent, left=True) if percent is not None else ""


def _balance(item: Shown) -> str:
    """The balance that binds, else the first one, else what was spent."""
    usage = item.state.usage
    if usage is None:
        return ""
    bound = item.bound.balance if item.bound is not None else None
    balance = bound or next(iter(usage.balances), None)
    if balance is not None:
        return text.cut(text.amount(balance.amount, balance.unit), _FIELD_LENGTH)
    spend = next(iter(usage.spends), None)
    return text.cut(f"{text.amount(spend.used, spend.unit)} used", _FIELD_LENGTH) if spend is not None else ""


def _brief_reset(item: Shown) -> str:
    reset = item.bound.resets_at if item.bound is not None else None
    return formatting.duration(reset - item.view.now) if reset is not None and reset > item.view.now else ""
