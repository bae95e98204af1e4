"""The JSON of `usage --format json`: CodexBar's keys, so that scripts written for it keep working, and a few more.

Missing values are left out; only the three lanes are null. Times are UTC in whole seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from quotaline.forecast.pace import Pace, rounded
from quotaline.render import text, times
from quotaline.render.metrics_json import metrics_of
from quotaline.render.shown import Shown, all_shown
from quotaline.render.view import View
from quotaline.render.wire import Json
from quotaline.state import Snapshot, VendorStatus
from quotaline_providers.errors import Kind
from quotaline_providers.model import (
    Balance,
    Blocked,
    Confidence,
    Lane,
    ResetCredit,
    ResetCredits,
    Section,
    Spend,
    Usage,
    Window,
)

Object = dict[str, Json]

CREDITS, CREDIT_LIMIT = "credits", "monthly-credit-limit"
_LANES: tuple[Lane, ...] = ("primary", "secondary", "tertiary")


def usage_json(snapshot: Snapshot, view: View, *, pretty: bool = False) -> str:
    """The array as text: one line, or indented with sorted keys."""
    return written(entries(snapshot, view), pretty=pretty)


def written(value: Json, *, pretty: bool = False) -> str:
    """JSON text as this program prints it."""
    if pretty:
        return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def entries(snapshot: Snapshot, view: View) -> list[Json]:
    """One object per provider or account that has been read or has failed."""
    items = all_shown(snapshot, view)
    return [entry(item) for item in items if item.state.usage is not None or item.state.failure is not None]


def entry(item: Shown) -> Object:
    """One element of the array. With last good usage beside a failure both `usage` and `error` are there."""
    state, usage = item.state, item.state.usage
    status = state.status
    return _present(
        {
            "provider": state.provider,
            "account": _said(item, state.account) if not item.hides else None,
            "version": _said(item, usage.version) if usage is not None else None,
            "source": (item.source if usage is not None else None) or state.requested_source,
            "status": _status(item, status) if status is not None else None,
            "usage": _usage(item, usage) if usage is not None else None,
            "credits": _credits(item, usage) if usage is not None else None,
            "pace": _paces(item, usage) if usage is not None else None,
            "windows": [_own_window(item, window) for window in usage.windows] if usage is not None else None,
            "balances": [_own_balance(item, balance) for balance in usage.balances] if usage is not None else None,
            "spends": [_own_spend(item, spend) for spend in usage.spends] if usage is not None else None,
            "blocked": _blocked(item, usage.blocked) if usage is not None and usage.blocked is not None else None,
            "stale": True if usage is not None and state.stale else None,
            "error": _error(item),
            **(metrics_of(item, usage) if usage is not None else {}),
        }
    )


def _blocked(item: Shown, blocked: Blocked) -> Object:
    return _present({"reason": item.said(blocked.reason), "until": _time(blocked.until)})


def _usage(item: Shown, usage: Usage) -> Object:
    identity = usage.identity
    email = None if item.hides else _said(item, identity.email)
    organization = None if item.hides else _said(item, identity.organization)
    plan = _said(item, identity.login_method)
    who = _present(
        {
            "accountEmail": email,
            "accountOrganization": organization,
            "loginMethod": plan,
            "accountID": None if item.hides else _said(item, identity.account_id),
        }
    )
    lanes: Object = {lane: _lane(item, usage.lane(lane)) for lane in _LANES}
    cost = next(iter(usage.spends), None)
    known = usage.confidence is not Confidence.UNKNOWN
    return lanes | _present(
        {
            "extraRateWindows": [_extra(item, window) for window in usage.windows if _is_extra(window)],
            "providerCost": _cost(item, cost, usage.updated_at) if cost is not None else None,
            "details": [_section(item, section) for section in usage.details],
            "codexResetCredits": _reset_credits(item, usage) if usage.reset_credits is not None else None,
            "subscriptionExpiresAt": _time(usage.subscription_expires_at),
            "subscriptionRenewsAt": _time(usage.subscription_renews_at),
            "updatedAt": _time(usage.updated_at),
            "identity": {"providerID": item.state.provider, **who} if who else None,
            "dataConfidence": usage.confidence.value if known else None,
            "accountEmail": email,
            "accountOrganization": organization,
            "loginMethod": plan,
        }
    )


def _is_extra(window: Window) -> bool:
    """A window whose percentage is unknown fits no lane: a lane always has one. The credits' limit stands with them."""
    return window.id != CREDIT_LIMIT and (window.lane is None or window.used_percent is None)


def _lane(item: Shown, window: Window | None) -> Json:
    return _window(item, window) if window is not None and window.used_percent is not None else None


def _window(item: Shown, window: Window) -> Object:
    return _present(
        {
            "usedPercent": _number(window.used_percent),
            "windowMinutes": window.minutes,
            "resetsAt": _time(window.resets_at),
            "resetDescription": _said(item, window.description),
            "nextRegenPercent": _number(window.next_regen_percent),
            "isSyntheticPlaceholder": True if window.placeholder else None,
        }
    )


def _extra(item: Shown, window: Window) -> Object:
    known = window.used_percent is not None
    content = _window(item, window)
    if not known:
        content = {"usedPercent": 0, **content}  # the key is required there; `usageKnown` says that it means nothing
    named: Object = {"id": window.id, "title": item.said(window.label), "window": content}
    return named if known else {**named, "usageKnown": False}


def _cost(item: Shown, spend: Spend, updated_at: datetime) -> Object:
    is_money = len(spend.unit) == 3 and spend.unit.isalpha() and spend.unit.isupper()
    return _present(
        {
            "used": text.number(spend.used),
            "limit": text.number(spend.limit) if spend.limit is not None else 0,
            "currencyCode": spend.unit if is_money else "Quota",
            "period": _said(item, spend.period),
            "resetsAt": _time(spend.resets_at),
            "nextRegenAmount": _number(spend.next_regen),
            "balance": _number(spend.balance),
            "updatedAt": _time(updated_at),
        }
    )


def _section(item: Shown, section: Section) -> Object:
    rows: list[Json] = [
        _present(
            {
                "label": item.said(row.label),
                "value": item.said(row.value),
                "secondaryValue": _said(item, row.secondary),
            }
        )
        for row in section.rows
    ]
    chart: Object | None = None
    if section.chart is not None:
        points: list[Json] = [
            {"label": item.said(point.label), "value": text.number(point.value)} for point in section.chart.points
        ]
        chart = _present(
            {
                "kind": section.chart.kind,
                "title": _said(item, section.chart.title),
                "unit": _said(item, section.chart.unit),
            }
        ) | {"points": points}
    return _present({"title": _said(item, section.title), "chart": chart}) | {"rows": rows}


def _reset_credits(item: Shown, usage: Usage) -> Object:
    credits = usage.reset_credits or ResetCredits(available=0)
    return {
        "credits": [_reset_credit(item, credit) for credit in credits.credits],
        "availableCount": credits.available,
        "updatedAt": _time(usage.updated_at),
    }


def _reset_credit(item: Shown, credit: ResetCredit) -> Object:
    return _present(
        {
            "id": credit.id,
            "reset_type": _said(item, credit.reset_type),
            "status": item.said(credit.status),
            "granted_at": _time(credit.granted_at),
            "expires_at": _time(credit.expires_at),
            "redeem_started_at": _time(credit.redeem_started_at),
            "redeemed_at": _time(credit.redeemed_at),
            "title": _said(item, credit.title),
            "description": _said(item, credit.description),
        }
    )


def _credits(item: Shown, usage: Usage) -> Object | None:
    balance = next((balance for balance in usage.balances if balance.id == CREDITS), None)
    limit = next((window for window in usage.windows if window.id == CREDIT_LIMIT), None)
    if balance is None and limit is None:
        return None
    return _present(
        {
            "remaining": text.number(balance.amount) if balance is not None else None,
            "updatedAt": _time(usage.updated_at),
            "codexCreditLimit": _credit_limit(item, limit, usage.updated_at) if limit is not None else None,
        }
    ) | {"events": []}


def _credit_limit(item: Shown, window: Window, updated_at: datetime) -> Object:
    left = None if window.limit is None or window.used is None else max(window.limit - window.used, 0)
    percent = window.shown_percent
    return _present(
        {
            "title": item.said(window.label),
            "used": _number(window.used),
            "limit": _number(window.limit),
            "remaining": _number(left),
            "remainingPercent": None if percent is None else _number(100 - percent),
            "resetsAt": _time(window.resets_at),
            "updatedAt": _time(updated_at),
        }
    )


def _paces(item: Shown, usage: Usage) -> Object | None:
    found = item.paces
    lanes = {lane: window for lane in _LANES if (window := usage.lane(lane)) is not None}
    return {lane: _pace(found[window.id]) for lane, window in lanes.items() if window.id in found} or None


def _pace(pace: Pace) -> Object:
    return _present(
        {
            "stage": pace.stage,
            "deltaPercent": rounded(pace.delta),
            "expectedUsedPercent": rounded(pace.expected),
            "willLastToReset": pace.lasts,
            "etaSeconds": rounded(pace.eta.total_seconds()) if pace.eta is not None else None,
            "summary": pace.summary,
        }
    )


def _status(item: Shown, status: VendorStatus) -> Object:
    return _present(
        {
            "indicator": status.indicator,
            "description": _said(item, status.description),
            "updatedAt": _time(status.updated_at),
            "url": status.url,
        }
    )


def _error(item: Shown) -> Object | None:
    failure = item.state.failure
    if failure is None or item.error is None:
        return None
    message, hint = item.error
    return _present(
        {
            "code": exit_code(failure.kind),
            "message": message,
            "kind": "config" if failure.kind is Kind.MISCONFIGURED else "provider",
            "reason": failure.kind.value,
            "hint": hint or None,
        }
    )


def argument_error(message: str, *, kind: str = "args", code: int = 1) -> list[Json]:
    """The array for an error before any provider was chosen: `kind` is args, config or runtime."""
    return [{"provider": "cli", "source": "cli", "error": {"code": code, "message": message, "kind": kind}}]


def exit_code(kind: Kind) -> int:
    """The exit code scripts rely on: 2 program not found, 3 answer not understood, 4 timed out, else 1."""
    return {Kind.MISSING_PROGRAM: 2, Kind.BAD_RESPONSE: 3, Kind.TIMEOUT: 4}.get(kind, 1)


def _own_window(item: Shown, window: Window) -> Object:
    return _present(
        {
            "id": window.id,
            "label": item.said(window.label),
            "lane": window.lane,
            "usedPercent": _number(window.used_percent),
            "used": _number(window.used),
            "limit": _number(window.limit),
            "unit": _said(item, window.unit),
            "windowMinutes": window.minutes,
            "resetsAt": _time(window.resets_at),
            "description": _said(item, window.description),
            "placeholder": True if window.placeholder else None,
            "blocks": window.blocks_account,
            "unlimited": True if window.unlimited else None,
        }
    )


def _own_balance(item: Shown, balance: Balance) -> Object:
    return {
        "id": balance.id,
        "label": item.said(balance.label),
        "amount": text.number(balance.amount),
        "unit": item.said(balance.unit),
    }


def _own_spend(item: Shown, spend: Spend) -> Object:
    return _present(
        {
            "id": spend.id,
            "label": item.said(spend.label),
            "used": text.number(spend.used),
            "limit": _number(spend.limit),
            "unit": item.said(spend.unit),
            "period": _said(item, spend.period),
            "resetsAt": _time(spend.resets_at),
        }
    )


def _said(item: Shown, words: str | None) -> str | None:
    return (item.said(words) or None) if words else None


def _number(value: Decimal | float | None) -> int | float | None:
    return text.number(value) if value is not None else None


def _time(moment: datetime | None) -> str | None:
    return times.rfc3339(moment) if moment is not None else None


def _present(values: Mapping[str, Json]) -> Object:
    """The values that are there: neither null nor an empty list."""
    return {key: value for key, value in values.items() if value is not None and value != []}
