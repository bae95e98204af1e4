"""What `quotaline/didChangeUsage` carries: plain JSON values, times in RFC 3339 UTC, absent is null."""

from __future__ import annotations

from typing import TypeAlias

from quotaline.render import text, times
from quotaline.render.hover import hover, shown_hover
from quotaline.render.shown import Shown, all_shown
from quotaline.render.statusline import item_text, status_line
from quotaline.render.view import View
from quotaline.state import Snapshot
from quotaline_providers import formatting
from quotaline_providers.model import Balance, Window

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
VERSION = 1


def usage_params(snapshot: Snapshot, view: View) -> dict[str, Json]:
    """The parameters of `quotaline/didChangeUsage` and the answer of `quotaline/usage`."""
    line = status_line(snapshot, view)
    return {
        "version": VERSION,
        "statusLine": {"text": line.text, "severity": line.severity, "hover": _markup(hover(snapshot, view))},
        "providers": [provider_state(item) for item in all_shown(snapshot, view)],
    }


def provider_state(item: Shown) -> dict[str, Json]:
    """One `ProviderState` of the protocol. `usedPercent` is 0-100."""
    state, usage = item.state, item.state.usage
    failure = state.failure
    error: Json = None
    if failure is not None and item.error is not None:
        message, hint = item.error
        error = {"kind": failure.kind.value, "message": message, "hint": hint}
    return {
        "id": state.provider,
        "name": item.name,
        "text": item_text(item),
        "severity": item.severity,
        "hover": _markup(shown_hover(item)),
        "account": item.account,
        "plan": item.plan,
        "source": item.source,
        "updatedAt": times.rfc3339(usage.updated_at) if usage is not None else None,
        "stale": state.stale,
        "refreshing": state.refreshing,
        "windows": [_window(item, window) for window in item.windows],
        "balances": [_balance(item, balance) for balance in usage.balances] if usage is not None else [],
        "error": error,
        "status": _status(item),
        "dashboardUrl": text.web_address(state.dashboard),
    }


def _status(item: Shown) -> Json:
    status = item.state.status
    if status is None:
        return None
    return {
        "indicator": status.indicator,
        "label": status.label,
        "description": item.said(status.description) or None,
        "updatedAt": times.rfc3339(status.updated_at) if status.updated_at is not None else None,
        "url": text.web_address(status.url),
    }


def _window(item: Shown, window: Window) -> dict[str, Json]:
    return {
        "id": window.id,
        "label": item.said(window.label),
        "text": _window_text(item, window),
        "usedPercent": window.shown_percent,
        "used": window.used,
        "limit": window.limit,
        "unit": window.unit,
        "resetsAt": times.rfc3339(window.resets_at) if window.resets_at is not None else None,
        "windowMinutes": window.minutes,
    }


def _window_text(item: Shown, window: Window) -> str:
    """`62% used, resets in 2h`, as the user wants percent and times."""
    view, used, parts = item.view, window.shown_percent, list[str]()
    if used is not None:
        left = view.settings.status_line.percent == "left"
        parts.append(f"{formatting.percent(100 - used)} left" if left else f"{formatting.percent(used)} used")
    elif window.used is not None and window.limit is not None:
        parts.append(item.said(text.portion(window.used, window.limit, window.unit)))
    reset = item.reset_line(window)
    if reset:
        parts.append(item.said(f"r{reset[1:]}" if parts and reset.startswith(("Resets ", "Regenerates ")) else reset))
    return text.isolated(", ".join(parts))


def _balance(item: Shown, balance: Balance) -> dict[str, Json]:
    return {
        "id": balance.id,
        "label": item.said(balance.label),
        "amount": text.number(balance.amount),
        "unit": balance.unit,
        "text": text.amount(balance.amount, balance.unit),
    }


def _markup(value: str) -> dict[str, Json]:
    return {"kind": "markdown", "value": value}
