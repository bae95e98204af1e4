"""What Cost Explorer and CloudWatch send, and what it says about Bedrock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from quotaline_providers.formatting import grouped, money
from quotaline_providers.model import Chart, Identity, Point, Row, Section, Spend, Usage, Window
from quotaline_providers.parsing.payload import (
    JsonObject,
    Payload,
    Text,
    child,
    lenient,
    lenient_items,
    to_number,
    to_time,
)

HISTORY_DAYS = 30
ACTIVITY = timedelta(days=14)
LISTED_DAYS = 20
METRICS = {"inputTokens": "InputTokenCount", "outputTokens": "OutputTokenCount", "requests": "Invocations"}


def _dollars(value: object) -> Decimal | None:
    """Cost Explorer sends amounts as text; anything else is skipped."""
    return Decimal(value.strip()) if isinstance(value, str) and to_number(value) is not None else None


def _listed(value: object) -> object:
    if not isinstance(value, list):
        raise ValueError("not a list")
    return value


class Amount(Payload):
    """An amount in US dollars, which comes as text."""

    amount: Annotated[Decimal | None, BeforeValidator(_dollars)] = Field(default=None, alias="Amount")


class Metrics(Payload):
    """The one metric that is asked for."""

    unblended: Annotated[Amount | None, lenient(Amount)] = Field(default=None, alias="UnblendedCost")


class Group(Payload):
    """The cost of one service; the first key is its name."""

    keys: tuple[object, ...] = Field(default=(), alias="Keys")
    metrics: Annotated[Metrics | None, lenient(Metrics)] = Field(default=None, alias="Metrics")

    @property
    def service(self) -> str:
        return self.keys[0] if self.keys and isinstance(self.keys[0], str) else ""

    @property
    def cost(self) -> Decimal | None:
        return self.metrics.unblended.amount if self.metrics and self.metrics.unblended else None


class Period(Payload):
    """The first day of a period, YYYY-MM-DD."""

    start: Text = Field(default=None, alias="Start")


class Result(Payload):
    """The costs of one period by service."""

    period: Annotated[Period | None, lenient(Period)] = Field(default=None, alias="TimePeriod")
    groups: Annotated[tuple[Group, ...], lenient_items(Group)] = Field(default=(), alias="Groups")

    @property
    def bedrock(self) -> tuple[tuple[str, Decimal], ...]:
        """Service and cost of what is Bedrock's; third-party models have services of their own."""
        return tuple(
            (group.service, group.cost)
            for group in self.groups
            if "bedrock" in group.service.lower() and group.cost is not None
        )


class CostPage(Payload):
    """One page of GetCostAndUsage."""

    results: Annotated[tuple[Result, ...], lenient_items(Result), BeforeValidator(_listed)] = Field(
        alias="ResultsByTime"
    )
    next_token: Text = Field(default=None, alias="NextPageToken")


class MetricResult(Payload):
    """One metric's values, which may go on in the next page."""

    id: str = Field(alias="Id")
    status: str = Field(default="", alias="StatusCode")
    values: tuple[Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)], ...] = Field(
        default=(), alias="Values"
    )


class MetricPage(Payload):
    """One page of GetMetricData."""

    results: tuple[MetricResult, ...] = Field(default=(), alias="MetricDataResults")
    messages: tuple[object, ...] | None = Field(default=None, alias="Messages")
    next_token: Text = Field(default=None, alias="NextToken")


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


# --- what is asked ---------------------------------------------------------------------------------


def cost_query(start: date, end: date, granularity: str, token: str | None) -> dict[str, object]:
    """The body of GetCostAndUsage; `end` is exclusive."""
    return {
        "TimePeriod": {"Start": start.isoformat(), "End": end.isoformat()},
        "Granularity": granularity,
        "Metrics": ["UnblendedCost"],
        "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}],
        **({"NextPageToken": token} if token else {}),
    }


def month_range(now: datetime) -> tuple[date, date]:
    """This UTC month up to and with today."""
    today = now.astimezone(UTC).date()
    return today.replace(day=1), today + timedelta(days=1)


def history_range(now: datetime) -> tuple[date, date]:
    """From the first day of the history to the day after today, in UTC."""
    today = now.astimezone(UTC).date()
    return today - timedelta(days=HISTORY_DAYS - 1), today + timedelta(days=1)


def metric_query(now: datetime, token: str | None) -> dict[str, object]:
    """The body of GetMetricData."""
    return {
        "StartTime": (now - ACTIVITY).timestamp(),
        "EndTime": now.timestamp(),
        "ScanBy": "TimestampAscending",
        "MetricDataQueries": [
            {
                "Id": id,
                "Expression": f"SUM(SEARCH('{{AWS/Bedrock,ModelId}} MetricName=\"{metric}\" claude', 'Sum', 86400))",
                "ReturnData": True,
            }
            for id, metric in METRICS.items()
        ],
        **({"NextToken": token} if token else {}),
    }


def error_code(body: JsonObject | None) -> str:
    """The error's name in an AWS answer; empty when there is none."""
    fields = body.root if body else {}
    told = (*(fields.get(name) for name in ("__type", "code", "Code")), (child(fields, "Error") or {}).get("Code"))
    return next((text.rsplit("#", 1)[-1].strip() for text in told if isinstance(text, str) and text.strip()), "")


# --- how it becomes a usage ------------------------------------------------------------------------


def spent(pages: Iterable[CostPage]) -> Decimal:
    """What Bedrock cost, refunds taken off."""
    return sum((cost for page in pages for result in page.results for _, cost in result.bedrock), Decimal(0))


def daily(pages: Iterable[CostPage]) -> History:
    """The days on which something was paid, in order. A day may come in parts, on several pages."""
    costs: defaultdict[date, dict[str, Decimal]] = defaultdict(dict)
    for result in (result for page in pages for result in page.results):
        day = _day(result.period.start if result.period else None)
        for service, cost in result.bedrock if day else ():
            if day and cost > 0:
                costs[day][service] = costs[day].get(service, Decimal(0)) + cost
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


def plan(spend: Decimal, budget: Decimal | None, claude: Activity | None) -> str:
    """What stands in the place of a plan: `Spend: $4.20 - Budget: $25.00`."""
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
        used_percent=float(min(Decimal(100), max(Decimal(0), spend / budget * 100))),
        used=float(spend),
        limit=float(budget),
        unit="USD",
        resets_at=resets_at,
        description="Monthly budget",
        lane="primary",
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


def to_usage(
    spend: Decimal, budget: Decimal | None, history: History | None, claude: Activity | None, now: datetime
) -> Usage:
    """The usage of one AWS account. Money is in US dollars; `history` and `claude` are None when not told."""
    resets_at = next_month(now)
    sections = (history_section(history) if history else None, activity_section(claude) if claude else None)
    return Usage(
        updated_at=now,
        windows=() if budget is None else (budget_window(spend, budget, resets_at),),
        spends=(
            Spend(
                id="month", label="Cost", used=spend, limit=budget, unit="USD", period="Monthly", resets_at=resets_at
            ),
        ),
        identity=Identity(plan=plan(spend, budget, claude)),
        details=tuple(section for section in sections if section),
        notes=("AWS Cost Explorer billing can lag.",),
    )
