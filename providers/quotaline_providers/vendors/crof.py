"""Crof: the dollar credits of an account and, on subscription plans, the requests left of the day.

The vendor ended its service in September 2026; whoever names the source is still read, should it come back.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import ROUND_FLOOR, Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import quotaline_providers as ql

URL = "https://crof.ai/usage_api/"
TIMEOUT = 15.0


class UsageAnswer(ql.Payload):
    """`GET /usage_api/`: US dollars left, requests per day, requests left today."""

    credits: ql.StrictNumber
    requests_plan: ql.StrictNumber | None = None
    usable_requests: ql.StrictNumber | None = None


def dollars(credits: float) -> Decimal:
    """The credits cut (never rounded up) to cents; 0 when they are negative."""
    return max(Decimal(0), Decimal(str(credits))).quantize(Decimal("0.01"), ROUND_FLOOR)


def next_midnight(now: datetime) -> datetime | None:
    """The next midnight in Chicago, where the vendor's day ends; None when this system has no time zones."""
    try:
        zone = ZoneInfo("America/Chicago")
    except ZoneInfoNotFoundError:
        return None
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone).astimezone(UTC)


def requests_used(usable: float, plan: float) -> float:
    """Percent of the day's requests used; the percent left is cut to a whole one."""
    if plan <= 0:
        return 100.0
    left = Decimal(str(min(max(usable, 0.0), plan))) / Decimal(str(plan)) * 100
    return float(100 - left.to_integral_value(ROUND_FLOOR))


def requests_left(usable: float) -> str:
    """`120 requests left`."""
    left = float(max(0.0, usable))
    return f"{left:.0f} requests left" if left.is_integer() else f"{left:.2f} requests left"


def to_usage(answer: UsageAnswer, now: datetime) -> ql.Usage:
    """The usage of one account: dollars, and the day's requests on plans."""
    amount = dollars(answer.credits)
    plan, usable = answer.requests_plan, answer.usable_requests
    rows = [ql.Row(label="Credits", value=ql.money(amount))]
    windows: list[ql.Window] = []
    if plan is not None and usable is not None:
        text = requests_left(usable)
        rows.insert(0, ql.Row(label="Requests", value=text))
        windows.append(
            ql.Window(
                id="requests",
                label="Requests",
                used_percent=requests_used(usable, plan),
                used=max(0.0, plan - max(0.0, usable)),
                limit=plan if plan > 0 else None,
                unit="requests",
                minutes=ql.DAY_MINUTES,
                resets_at=next_midnight(now),
                description=text,
                lane="primary",
                blocks=True,
            )
        )
    lane: ql.Lane = "secondary" if windows else "primary"
    windows.append(
        ql.Window(
            id="credits",
            label="Credits",
            used_percent=0 if answer.credits > 0 else 100,
            description=ql.money(amount),
            lane=lane,
            blocks=lane == "primary",  # a plan's requests need no credits
        )
    )
    return ql.Usage(
        updated_at=now,
        windows=tuple(windows),
        balances=(ql.Balance(id="dollars", label="Credits", amount=amount, unit="USD"),),
        identity=ql.Identity(login="API key"),
        details=(ql.Section(title="Usage", rows=tuple(rows)),),
    )


def binding(usage: ql.Usage) -> str:
    """The requests of a plan; else the dollars: there is no whole to measure them against, and the window only says
    whether there are any."""
    return "requests" if any(window.id == "requests" for window in usage.windows) else "dollars"


async def from_api(ctx: ql.Context, key: ql.Credential) -> ql.Usage:
    """One request has everything. Raises ReadError."""
    refusals = ql.refused_key("Crof")
    answer = await ctx.http.get(URL, UsageAnswer, refusals=refusals, bearer=key.secret, timeout=TIMEOUT)
    return to_usage(answer, ctx.now)


PROVIDER = ql.Provider(
    id="crof",
    name="Crof",
    kind=ql.ProviderKind.GATEWAY,
    connect="Copy an API key from crof.ai/dashboard and set CROF_API_KEY, or store it with Quotaline.",
    summary="Dollar credits and, on plans, the requests left today.",
    aliases=("crofai",),
    dashboard="https://crof.ai/dashboard",
    ended="CrofAI has ended its service.",
    accounts=ql.AccountKind.TOKEN,
    deadline=20,
    binding=binding,
    description_is_detail=True,
    strategies=(
        ql.Strategy.api(from_api, ql.ApiKey(env=("CROF_API_KEY", "CROFAI_API_KEY", "CROF_AI_API_KEY"), env_first=True)),
    ),
)
