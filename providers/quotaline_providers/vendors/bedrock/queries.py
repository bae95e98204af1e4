"""What is asked of Cost Explorer and CloudWatch, and where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from quotaline_providers import Context, Misconfigured, clean, endpoint
from quotaline_providers.access.endpoints import without_query
from quotaline_providers.vendors.bedrock.credentials import valid_region

COST_URL, COST_REGION = "https://ce.us-east-1.amazonaws.com", "us-east-1"
COST_URL_ENV, METRIC_URL_ENV = "CODEXBAR_BEDROCK_API_URL", "CODEXBAR_BEDROCK_CLOUDWATCH_API_URL"
HISTORY_DAYS = 30
ACTIVITY = timedelta(days=14)
METRICS = {"inputTokens": "InputTokenCount", "outputTokens": "OutputTokenCount", "requests": "Invocations"}
_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "eu-isoe-": "cloud.adc-e.uk",
    "us-isof-": "csp.hci.ic.gov",
}

# --- where -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where requests go; `metrics` is None for the region's own host. Without `activity` CloudWatch is left alone."""

    costs: str
    metrics: str | None
    activity: bool


def addresses(ctx: Context) -> Addresses:
    """Raises Misconfigured for an override that is not safe."""
    costs, metrics = _override(ctx, COST_URL_ENV), _override(ctx, METRIC_URL_ENV)
    return Addresses(costs or f"{COST_URL}/", metrics, costs is None or metrics is not None)


def _override(ctx: Context, name: str) -> str | None:
    value = ctx.environ.get(name)
    if value is None:
        return None
    text = clean(value) or ""
    if "://" not in text:
        raise Misconfigured(f"The setting {name} must be a whole address.", f"Correct {name} or remove it.")
    address = without_query(endpoint(text, name, http="loopback"), name)
    return address if address.count("/") > 2 else f"{address}/"


def metric_host(region: str) -> str:
    """CloudWatch's address in this region. Raises Misconfigured for anything that is not a region."""
    if not valid_region(region):
        raise Misconfigured("The AWS region is not valid.", "Correct AWS_REGION or the region of the profile.")
    suffix = next((suffix for start, suffix in _SUFFIXES.items() if region.startswith(start)), "amazonaws.com")
    return f"https://monitoring.{region}.{suffix}/"


@dataclass(frozen=True, slots=True)
class Call:
    """An operation of an AWS service."""

    url: str
    service: str
    region: str
    target: str
    json_version: str


def costs_call(where: Addresses) -> Call:
    """Cost Explorer's operation that returns costs."""
    return Call(where.costs, "ce", COST_REGION, "AWSInsightsIndexService.GetCostAndUsage", "1.1")


def metrics_call(where: Addresses, region: str) -> Call:
    """CloudWatch's operation that returns the metrics of a region. Raises Misconfigured."""
    url = where.metrics or metric_host(region)
    return Call(url, "monitoring", region, "GraniteServiceVersion20100801.GetMetricData", "1.0")


# --- what ------------------------------------------------------------------------------------------


def cost_query(start: date, end: date, granularity: str, token: str | None) -> dict[str, object]:
    """The body of GetCostAndUsage; `end` is exclusive."""
    return {
        "TimePeriod": {"Start": start.isoformat(), "End": end.isoformat()},
        "Granularity": granularity,
        "Metrics": ["UnblendedCost"],
        "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "DIMENSION", "Key": "RECORD_TYPE"}],
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
