"""What Bedrock cost and what Claude did there, from the pages of Cost Explorer and CloudWatch. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal

from quotaline_providers import (
    Chart,
    Identity,
    Payload,
    Point,
    Row,
    Section,
    Spend,
    Usage,
    Window,
    clamped,
    grouped,
    money,
    to_time,
)
from quotaline_providers.vendors.bedrock.payloads import CostPage, MetricPage
from quotaline_providers.vendors.bedrock.queries import HISTORY_DAYS, METRICS

LISTED_DAYS = 20


class Day(Payload):
    """What Bedrock cost on one day (UTC), and its services."""

    day: date
    cost: Decimal
    services: tuple[str, ...] = ()


class History(Payload):
    """The cost of each day with any, oldest first."""

    days: tuple[Day, ...] = ()


class Activity(Payload):
    """What Claude did on Bedrock in the last 14 days."""

    input_tokens: int = 0
    output_tokens: int = 0
    requests: int = 0


class Costs(Payload):
    """What Bedrock was used for, and the credits and refunds that take off from it (not above 0)."""

    used: Decimal = Decimal(0)
    given_back: Decimal = Decimal(0)

    @property
    def to_pay(self) -> Decimal:
        return self.used + self.given_back


def spent(pages: Iterable[CostPage]) -> Costs:
    """What Bedrock cost. Cost Explorer's own sum is what remains to pay: 0 for real use that credits pay for."""
    groups = [found for page in pages for result in page.results for found in result.bedrock]
    return Costs(
        used=sum((cost for group, cost in groups if not group.gives_back), Decimal(0)),
        given_back=sum((cost for group, cost in groups if group.gives_back), Decimal(0)),
    )


def daily(pages: Iterable[CostPage]) -> History:
    """The days on which something was paid, in order. A day may come in parts, on several pages."""
    costs: defaultdict[date, dict[str, Decimal]] = defaultdict(dict)
    for result in (result for page in pages for result in page.results):
        day = _day(result.period.start if result.period else None)
        for group, cost in result.bedrock if day else ():
            if day and cost > 0 and not group.gives_back:
                costs[day][group.service] = costs[day].get(group.service, Decimal(0)) + cost
    return History(
        days=tuple(
            Day(day=day, cost=sum(services.values(), Decimal(0)), services=tuple(sorted(services)))
            for day, services in sorted(costs.items())
        )
    )


def _day(text: str | None) -> date | None:
    time = to_time(text) if text and len(text) == 10 else None
    return time.date() if time else None


def activity(pages: Iterable[MetricPage]) -> Activity:
    """The sums. Raises ValueError when any part is missing or not known to be complete."""
    sums = dict.fromkeys(METRICS, 0.0)
    for page in pages:
        if page.messages:
            raise ValueError("the answer is incomplete")
        for result in page.results:
            if result.id not in sums or result.status != "Complete":
                raise ValueError("a metric is unknown or incomplete")
            sums[result.id] += sum(result.values)
    return Activity(
        input_tokens=round(sums["inputTokens"]),
        output_tokens=round(sums["outputTokens"]),
        requests=round(sums["requests"]),
    )


def short(count: int) -> str:
    """A count as AWS users know it: `950`, `1.3K`, `4.2M`."""
    if count >= 999_950:
        return f"{count / 1_000_000:.1f}M"
    return f"{count / 1_000:.1f}K" if count >= 1_000 else str(count)


def next_month(now: datetime) -> datetime:
    """The start of the next month where the user is."""
    local = now.astimezone()
    year, month = (local.year + 1, 1) if local.month == 12 else (local.year, local.month + 1)
    return datetime(year, month, 1).astimezone().astimezone(UTC)


def login_text(spend: Decimal, budget: Decimal | None, claude: Activity | None) -> str:
    """What is shown in place of a plan: `Spend: $4.20 - Budget: $25.00`."""
    parts = [f"Spend: {money(spend)}"]
    if budget is not None:
        parts.append(f"Budget: {money(budget)}")
    if claude is not None:
        parts.append(f"Claude 14d: {short(claude.input_tokens + claude.output_tokens)} tokens")
        parts.append(f"Requests: {short(claude.requests)}")
    return " - ".join(parts)


def budget_window(spend: Decimal, budget: Decimal, resets_at: datetime) -> Window:
    """The month's cost against the user's budget, in US dollars."""
    return Window(
        id="budget",
        label="Budget",
        used_percent=clamped(float(spend / budget * 100)),
        used=float(spend),
        limit=float(budget),
        unit="USD",
        resets_at=resets_at,
        description="Monthly budget",
        lane="primary",
        blocks=False,  # AWS does not know of it
    )


def history_section(history: History) -> Section | None:
    """The days' costs with a chart; None when there are none."""
    if not history.days:
        return None
    latest = history.days[-1]
    rows = [
        Row(label=f"Latest billing day ({latest.day:%b} {latest.day.day})", value=money(latest.cost)),
        Row(label=f"Last {HISTORY_DAYS} days", value=money(sum((day.cost for day in history.days), Decimal(0)))),
        *(
            Row(label=day.day.isoformat(), value=money(day.cost), secondary=", ".join(day.services))
            for day in reversed(history.days[-LISTED_DAYS:])
        ),
    ]
    points = tuple(Point(label=day.day.isoformat(), value=float(day.cost)) for day in history.days)
    return Section(
        title="Cost by day", rows=tuple(rows), chart=Chart(kind="bars", title="Daily cost", unit="USD", points=points)
    )


def activity_section(claude: Activity) -> Section:
    """Tokens and requests of Claude's models."""
    rows = (
        Row(label="Input tokens", value=grouped(claude.input_tokens, 0)),
        Row(label="Output tokens", value=grouped(claude.output_tokens, 0)),
        Row(label="Requests", value=grouped(claude.requests, 0)),
    )
    return Section(title="Claude, last 14 days", rows=rows)


def credits_section(costs: Costs) -> Section | None:
    """What credits and refunds leave to pay; None where there are none."""
    if not costs.given_back:
        return None
    rows = (
        Row(label="Credits and refunds", value=money(costs.given_back)),
        Row(label="To pay", value=money(costs.to_pay)),
    )
    return Section(title="This month", rows=rows)


def to_usage(
    costs: Costs, budget: Decimal | None, history: History | None, claude: Activity | None, now: datetime
) -> Usage:
    """The usage of one AWS account. Money is in US dollars; `history` and `claude` are None when not known."""
    resets_at = next_month(now)
    spend = costs.used
    sections = (
        credits_section(costs),
        history_section(history) if history else None,
        activity_section(claude) if claude else None,
    )
    return Usage(
        updated_at=now,
        windows=() if budget is None else (budget_window(spend, budget, resets_at),),
        spends=(
            Spend(
                id="month", label="Cost", used=spend, limit=budget, unit="USD", period="Monthly", resets_at=resets_at
            ),
        ),
        identity=Identity(login=login_text(spend, budget, claude)),
        details=tuple(section for section in sections if section),
        notes=("AWS Cost Explorer billing can lag.",),
    )
