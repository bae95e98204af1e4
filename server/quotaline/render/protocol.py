"""A snapshot as the protocol tells it: times in RFC 3339 UTC, absent is None."""

from __future__ import annotations

from typing import cast

from quotaline.render import text, times, wire
from quotaline.render.content import balance_text, meter
from quotaline.render.hover import hover, shown_hover
from quotaline.render.repeats import own_windows
from quotaline.render.shown import Shown, all_shown
from quotaline.render.statusline import item_text, status_line
from quotaline.render.view import View
from quotaline.state import Snapshot
from quotaline_providers.model import Balance, Window


def usage_params(snapshot: Snapshot, view: View) -> wire.UsageParams:
    """The parameters of `quotaline/didChangeUsage` and the answer of `quotaline/usage`."""
    line = status_line(snapshot, view)
    return wire.UsageParams(
        version=wire.VERSION,
        status_line=wire.StatusLine(line.text, line.severity, _markup(hover(snapshot, view))),
        providers=tuple(map(_provider_state, all_shown(snapshot, view))),
        restart_due=snapshot.restart_due,
    )


def _provider_state(item: Shown) -> wire.ProviderState:
    state, usage = item.state, item.state.usage
    return wire.ProviderState(
        id=state.provider,
        name=item.name,
        text=item_text(item),
        severity=item.severity,
        hover=_markup(shown_hover(item)),
        account=item.account,
        plan=item.plan,
        source=item.source,
        updated_at=times.rfc3339(usage.updated_at) if usage is not None else None,
        stale=state.stale,
        refreshing=state.refreshing,
        windows=tuple(_window(item, window) for window in own_windows(usage, item.windows))
        if usage is not None
        else (),
        balances=tuple(_balance(item, balance) for balance in usage.balances) if usage is not None else (),
        headline=item.bound.id if item.bound is not None else None,
        blocked=item.blocked,
        error=_error(item),
        status=_status(item),
        dashboard_url=text.web_address(state.dashboard),
    )


def _error(item: Shown) -> wire.ProviderError | None:
    failure = item.state.failure
    if failure is None or item.error is None:
        return None
    message, hint = item.error
    return wire.ProviderError(failure.kind, message, hint)


def _status(item: Shown) -> wire.VendorStatus | None:
    status = item.state.status
    if status is None:
        return None
    return wire.VendorStatus(
        indicator=cast("wire.Indicator", status.indicator),
        label=status.label,
        description=item.said(status.description) or None,
        updated_at=times.rfc3339(status.updated_at) if status.updated_at is not None else None,
        url=text.web_address(status.url),
    )


def _window(item: Shown, window: Window) -> wire.Window:
    return wire.Window(
        id=window.id,
        label=item.said(window.label),
        text=_window_text(item, window),
        used_percent=window.shown_percent,
        used=window.used,
        limit=window.limit,
        unit=window.unit,
        resets_at=times.rfc3339(window.resets_at) if window.resets_at is not None else None,
        window_minutes=window.minutes,
        blocks=window.blocks_account,
        unlimited=window.unlimited,
    )


def _window_text(item: Shown, window: Window) -> str:
    """`62% used, resets in 2h`, as the user wants percent and times."""
    shown = meter(item, window)
    lead, reset = shown.figure or shown.amounts, shown.reset
    if lead and reset.startswith(("Resets ", "Regenerates ")):
        reset = f"r{reset[1:]}"
    return text.isolated(", ".join(part for part in (lead, reset) if part))


def _balance(item: Shown, balance: Balance) -> wire.Balance:
    return wire.Balance(
        id=balance.id,
        label=item.said(balance.label),
        amount=text.number(balance.amount),
        unit=balance.unit,
        text=balance_text(item, balance),
    )


def _markup(value: str) -> wire.MarkupContent:
    return wire.MarkupContent("markdown", value)
