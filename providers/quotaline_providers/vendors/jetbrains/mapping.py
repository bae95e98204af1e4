"""What an IDE's quota means: the month's credits, and what was bought beside them. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import quotaline_providers as ql
from quotaline_providers.vendors.jetbrains.payloads import Quota, QuotaInfo

CREDIT = 100_000  # current IDEs write amounts in 1/100,000 credit


def minutes_of(duration: str | None) -> int | None:
    """The length of an ISO 8601 duration with one part, in minutes; None for any other text."""
    match = re.fullmatch(r"P(?:T(\d+)H|(\d+)D|(\d+)W)", duration or "", re.IGNORECASE)
    if match is None:
        return None
    hours, days, weeks = (int(part or 0) for part in match.groups())
    return hours * 60 + days * 1440 + weeks * 10080 or None


def _sum(*amounts: float | None) -> float | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def _first(*amounts: float | None) -> float | None:
    return next((amount for amount in amounts if amount is not None), None)


def amounts(info: QuotaInfo) -> tuple[float | None, float | None, float | None]:
    """Used, maximum and left of what refills every month.

    Bought top-ups are no part of it where the tariff is told apart. Older files tell one sum, or two to be added.
    """
    tariff, top_up = info.tariff, info.top_up
    used: float | None
    maximum: float | None
    if tariff.current is not None and tariff.maximum is not None:
        used, maximum, left = tariff.current, tariff.maximum, tariff.available
    else:
        used = _first(info.current, _sum(tariff.current, top_up.current))
        maximum = _first(info.maximum, _sum(tariff.maximum, top_up.maximum))
        left = _first(info.available, _sum(tariff.available, top_up.available))
    if left is None and maximum is not None:
        left = max(0.0, maximum - (used or 0))
    return used, maximum, left


def to_usage(quota: Quota, now: datetime, ide: str | None = None, written: datetime | None = None) -> ql.Usage:
    """The quota as usage. `ide` names the IDE it was found in, `written` is the quota's age."""
    info, refill = quota.info, quota.refill
    used, maximum, remaining = amounts(info)
    amount = _first(refill.amount, refill.tariff.amount if refill.tariff else None)
    duration = refill.duration or (refill.tariff.duration if refill.tariff else None)
    largest = max((value for value in (maximum, used, remaining, amount) if value is not None), default=0)
    scale = CREDIT if largest >= CREDIT else 1

    expired = refill.next is not None and refill.next <= now
    window = ql.Window(
        id="current",
        label="Current",
        used_percent=ql.share(used or 0, maximum or 0),
        used=None if used is None else used / scale,
        limit=None if maximum is None else maximum / scale,
        unit="credits",
        minutes=minutes_of(duration),
        resets_at=None if expired else refill.next,
        description="Expired" if expired else None,
        lane="primary",
        blocks=True,
    )
    counted = used is not None and maximum is not None
    known = (
        ("Used", f"{_credits(used, scale)} / {_credits(maximum, scale)} credits" if counted else ""),
        ("Remaining", f"{_credits(remaining, scale)} credits" if remaining is not None else ""),
        ("Bought", f"{_credits(info.top_up.available, scale)} top-up credits" if info.top_up.available else ""),
        ("Refill was due", f"{refill.next:%Y-%m-%d}" if expired else ""),
        ("Subscription end", f"{info.until:%Y-%m-%d}" if info.until else ""),
        ("Written by the IDE", f"{written.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if written else ""),
    )
    rows = tuple(ql.Row(label=label, value=value) for label, value in known if value)
    return ql.Usage(
        updated_at=now,
        windows=(window,),
        identity=ql.Identity(login=info.type, organization=ide),
        details=(ql.Section(title="AI credits", rows=rows),) if rows else (),
        subscription_expires_at=info.until,
    )


def _credits(value: float | None, scale: float) -> str:
    return ql.grouped((value or 0) / scale)
