"""Invented states and views for the rendering tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from quotaline.forecast.traits import Traits
from quotaline.render.shown import Shown, shown as shown_state
from quotaline.render.view import View
from quotaline.settings import Settings, StatusLineSettings
from quotaline.state import Failure, ProviderState, Snapshot
from quotaline_providers.errors import Kind
from quotaline_providers.model import Balance, Spend, Usage, Window

NOW = datetime(2030, 1, 2, 12, 10, tzinfo=UTC)


def after(**duration: float) -> datetime:
    return NOW + timedelta(**duration)


def window(id: str = "session", percent: float | None = None, **fields: Any) -> Window:
    return Window(**{"id": id, "label": id.title(), "used_percent": percent, **fields})


def session(percent: float | None, **fields: Any) -> Window:
    return window("session", percent, **{"lane": "primary", "minutes": 300, **fields})


def weekly(percent: float | None, **fields: Any) -> Window:
    return window("weekly", percent, **{"lane": "secondary", "minutes": 10080, **fields})


def balance(amount: str, unit: str = "USD", id: str = "balance") -> Balance:
    return Balance(id=id, label="Balance", amount=Decimal(amount), unit=unit)


def spend(used: str, limit: str | None = None, unit: str = "USD", **fields: Any) -> Spend:
    return Spend(
        **{
            "id": "month",
            "label": "This month",
            "used": Decimal(used),
            "limit": Decimal(limit) if limit else None,
            "unit": unit,
            **fields,
        }
    )


def usage(*windows: Window, **fields: Any) -> Usage:
    return Usage(**{"updated_at": NOW - timedelta(minutes=3), "windows": windows, "source": "oauth", **fields})


def failure(kind: Kind = Kind.EXPIRED_CREDENTIAL, message: str = "The sign-in has expired.") -> Failure:
    return Failure(kind=kind, message=message, hint="Run `claude login`.")


def state(provider: str = "claude", *windows: Window, **fields: Any) -> ProviderState:
    if windows:
        fields["usage"] = usage(*windows)
    return ProviderState(**{"provider": provider, "name": provider.title(), **fields})


def snapshot(*states: ProviderState, problem: str | None = None) -> Snapshot:
    return Snapshot(states, problem)


def view(*, traits: Traits | None = None, zone: Any = UTC, **settings: Any) -> View:
    """A view at NOW. Keywords that belong to the status line's settings go there."""
    names = StatusLineSettings.model_fields
    line = {key: value for key, value in settings.items() if key in names}
    rest = {key: value for key, value in settings.items() if key not in names}
    return View(
        NOW,
        Settings(status_line=StatusLineSettings(**line), **rest),
        zone,
        lambda id: traits or Traits(),
    )


def shown(state: ProviderState, **options: Any) -> Shown:
    return shown_state(state, view(**options))
