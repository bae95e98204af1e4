"""The credit balance, which older user keys can read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from quotaline_providers.formatting import money
from quotaline_providers.model import Balance, Confidence, Identity, Spend, Usage, Window
from quotaline_providers.parsing.payload import NeededNumber, Payload, When, exact, lenient, lenient_items, share


class Grant(Payload):
    """A grant of credits."""

    expires_at: When = None


class GrantList(Payload):
    """All grants."""

    data: Annotated[tuple[Grant, ...], lenient_items(Grant)] = ()


class Grants(Payload):
    """Prepaid credit, US dollars."""

    total_granted: NeededNumber
    total_used: NeededNumber
    total_available: NeededNumber
    grants: Annotated[GrantList | None, lenient(GrantList)] = None


def balance_usage(grants: Grants, now: datetime) -> Usage:
    """Prepaid credit as one window; it resets when the next grant expires."""
    granted, used = max(0.0, grants.total_granted), max(0.0, grants.total_used)
    available = max(0.0, grants.total_available)
    expiries = [grant.expires_at for grant in (grants.grants.data if grants.grants else ()) if grant.expires_at]
    reset = min((moment for moment in expiries if moment > now), default=None)
    percent = 100.0 if granted == 0 == available else share(used, granted)
    text = money(available)
    return Usage(
        updated_at=now,
        windows=(
            Window(
                id="credits",
                label="Spend",
                used_percent=percent,
                used=used,
                limit=granted if granted > 0 else None,
                unit="USD",
                resets_at=reset,
                description=f"{text} available",
                lane="primary",
            ),
        ),
        balances=(Balance(id="credits", label="API credits", amount=exact(available), unit="USD"),),
        spends=(
            Spend(
                id="credits",
                label="API credits",
                used=exact(used),
                limit=exact(granted) if granted > 0 else None,
                unit="USD",
                period="API credits",
                resets_at=reset,
            ),
        ),
        identity=Identity(plan=f"API balance: {text}"),
        confidence=Confidence.EXACT,
        source="billing-api",
    )
