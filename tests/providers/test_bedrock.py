"""Bedrock's costs: what is asked of Cost Explorer and CloudWatch, and what their answers mean."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    Misconfigured,
    MissingCredential,
    MissingProgram,
    RateLimited,
    ReadError,
    Unavailable,
)
from quotaline_providers.installation import to_add
from quotaline_providers.testing import NOW
from quotaline_providers.testing.simulator.routes import Request
from quotaline_providers.vendors.bedrock import api
from quotaline_providers.vendors.bedrock.api import budget
from quotaline_providers.vendors.bedrock.credentials import AwsLogin
from quotaline_providers.vendors.bedrock.mapping import (
    Activity,
    Costs,
    History,
    activity,
    daily,
    login_text,
    next_month,
    short,
    spent,
    to_usage,
)
from quotaline_providers.vendors.bedrock.payloads import CostPage, MetricPage
from quotaline_providers.vendors.bedrock.queries import (
    addresses,
    cost_query,
    history_range,
    metric_host,
    month_range,
)

KEYS = {"AWS_ACCESS_KEY_ID": "DEMOKEY", "AWS_SECRET_ACCESS_KEY": "demo/half"}
SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<scope>\d{8}/[\w-]+/\w+/aws4_request), "
    r"SignedHeaders=(?P<names>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)


def group(amount: object, service: object = "Amazon Bedrock", *record: object) -> dict[str, Any]:
    return {"Keys": [service, *record], "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": "USD"}}}


def result(*groups: object, start: str | None = "2030-01-01") -> dict[str, Any]:
    return {"Groups": list(groups), **({"TimePeriod": {"Start": start, "End": "2030-01-09"}} if start else {})}


def costs(*results: object, token: str | None = None) -> dict[str, Any]:
    return {"ResultsByTime": list(results), **({"NextPageToken": token} if token else {})}


def page(*results: object) -> CostPage:
    return CostPage.model_validate(costs(*results))


def metric(id: str, *values: object, status: str = "Complete") -> dict[str, Any]:
    return {"Id": id, "StatusCode": status, "Values": list(values)}


def metrics(*results: object, **fields: Any) -> dict[str, Any]:
    return {"MetricDataResults": list(results), **fields}


# --- what becomes of the answers -------------------------------------------------------------------


def test_only_services_that_name_bedrock_count() -> None:
    seen = page(
        result(group("1.25"), group("2.5", "Claude 8 (amazon BEDROCK Edition)"), group("80", "Amazon Simple Storage"))
    )
    assert spent([seen]).used == Decimal("3.75")


def test_an_account_without_bedrock_has_spent_nothing() -> None:
    assert to_usage(spent([page(result(group("80", "Amazon EC2")))]), None, None, None, NOW).spend("month").used == 0


@pytest.mark.parametrize("amount", [3.5, None, "", "much", "NaN", "1e999", ["1"]])
def test_an_amount_that_is_no_decimal_text_is_skipped(amount: object) -> None:
    assert spent([page(result(group(amount), group("1")))]).used == 1


@pytest.mark.parametrize("odd", ["text", 3, None, {"Keys": "Amazon Bedrock"}, {"Keys": []}, {"Keys": [7]}, {}])
def test_a_group_that_is_none_is_skipped(odd: object) -> None:
    assert spent([page(result(odd, group("1")))]).used == 1


@pytest.mark.parametrize("odd", [None, "text", {}, {"UnblendedCost": 5}, {"UnblendedCost": {}}, {"Other": {}}])
def test_a_group_without_cost_is_skipped(odd: object) -> None:
    assert spent([page(result({"Keys": ["Amazon Bedrock"], "Metrics": odd}, group("1")))]).used == 1


@pytest.mark.parametrize("answer", [{}, {"ResultsByTime": None}, {"ResultsByTime": {}}, {"ResultsByTime": "x"}])
def test_results_are_needed(answer: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="ResultsByTime"):
        CostPage.model_validate(answer)


def test_a_group_without_period_counts_for_the_month_but_gives_no_day() -> None:
    seen = page(result(group("2"), start=None))
    assert spent([seen]).used == 2
    assert daily([seen]).days == ()


def test_use_that_credits_pay_for_is_no_nothing() -> None:
    bedrock = "Amazon Bedrock"
    seen = page(
        result(group("7.5", bedrock, "Usage"), group("0.5", bedrock, "Tax"), group("-8", bedrock, "CREDIT")),
        result(group("-1", bedrock, "Refund"), group("2", bedrock), group("-3", "Amazon EC2", "Credit")),
    )
    costs = spent([seen])
    assert [costs.used, costs.given_back, costs.to_pay] == [10, -9, 1]
    usage = to_usage(costs, Decimal(40), None, None, NOW)
    assert usage.spend("month").used == 10
    assert usage.window("budget").used_percent == 25
    assert (usage.row("Credits and refunds").value, usage.row("To pay").value) == ("-$9.00", "$1.00")
    assert [(day.cost, day.services) for day in daily([seen]).days] == [(Decimal(10), (bedrock,))]


def test_credits_above_the_use_are_told_as_such() -> None:
    usage = to_usage(Costs(used=Decimal(2), given_back=Decimal("-7.2")), None, None, None, NOW)
    assert (usage.spend("month").used, usage.row("To pay").value) == (Decimal(2), "-$5.20")


def test_a_sum_without_record_types_stays_as_it_comes() -> None:
    seen = page(result(group("-2")), result(group("5"), start="2030-01-02"))
    assert spent([seen]).used == 3
    assert to_usage(spent([seen]), None, None, None, NOW).details == ()
    assert [(row.day, row.cost) for row in daily([seen]).days] == [(date(2030, 1, 2), Decimal(5))]


def test_a_day_that_comes_on_two_pages_is_one() -> None:
    seen = daily([page(result(group("1"))), page(result(group("2", "Bedrock B"), group("0.5")))])
    assert [(row.cost, row.services) for row in seen.days] == [(Decimal("3.5"), ("Amazon Bedrock", "Bedrock B"))]


@pytest.mark.parametrize("start", ["2030-13-01", "soon", "", "2030-01-02T00:00:00Z"])
def test_an_invalid_date_gives_no_day(start: str) -> None:
    assert [row.day for row in daily([page(result(group("1"), start=start), result(group("2")))]).days] == [
        date(2030, 1, 1)
    ]


def test_the_latest_billing_day_is_that_of_the_data() -> None:
    seen = daily([page(result(group("4"), start="2029-12-31"), result(group("1.5"), start="2029-12-08"))])
    usage = to_usage(Costs(), None, seen, None, NOW)
    assert usage.row("Latest billing day (Dec 31)").value == "$4.00"
    assert usage.row("Last 30 days").value == "$5.50"
    assert usage.row("2029-12-08").secondary == "Amazon Bedrock"
    chart = usage.details[0].chart
    assert chart is not None
    assert [(point.label, point.value) for point in chart.points] == [("2029-12-08", 1.5), ("2029-12-31", 4)]


def test_without_budget_there_is_only_spend() -> None:
    usage = to_usage(Costs(used=Decimal("12.345")), None, History(), None, NOW)
    assert usage.windows == ()
    assert usage.details == ()
    spend = usage.spend("month")
    assert (spend.used, spend.limit, spend.unit, spend.period) == (Decimal("12.345"), None, "USD", "Monthly")
    assert usage.identity.login_method == "Spend: $12.35"
    assert usage.notes == ("AWS Cost Explorer billing can lag.",)


def test_a_budget_makes_a_window() -> None:
    usage = to_usage(Costs(used=Decimal(30)), Decimal(40), None, None, NOW)
    window = usage.window("budget")
    assert (window.label, window.used_percent, window.lane, window.minutes) == ("Budget", 75, "primary", None)
    assert window.blocks is False
    assert (window.used, window.limit, window.description) == (30, 40, "Monthly budget")
    assert window.resets_at == usage.spend("month").resets_at == next_month(NOW)
    assert usage.spend("month").limit == 40
    assert usage.identity.login_method == "Spend: $30.00 - Budget: $40.00"


@pytest.mark.parametrize(("spend", "used"), [("50", 100), ("-3", 0)])
def test_spend_is_held_between_none_and_the_budget(spend: str, used: float) -> None:
    assert to_usage(Costs(used=Decimal(spend)), Decimal(40), None, None, NOW).window("budget").used_percent == used


@pytest.mark.parametrize("month", range(1, 13))
def test_the_month_ends_where_the_user_is(month: int) -> None:
    local = next_month(datetime(2030, month, 15, 12, tzinfo=UTC)).astimezone()
    assert (local.month, local.day, local.hour) == (month % 12 + 1, 1, 0)


@pytest.mark.parametrize(
    ("hours", "asked"),
    [(14, (date(2030, 2, 1), date(2030, 3, 1))), (-14, (date(2030, 3, 1), date(2030, 3, 2)))],
)
def test_the_month_that_is_asked_for_is_that_of_utc(hours: int, asked: tuple[date, date]) -> None:
    there = timezone(timedelta(hours=hours))
    day = 1 if hours > 0 else 28
    assert month_range(datetime(2030, 3 if hours > 0 else 2, day, 12, tzinfo=there)) == asked


def test_the_history_is_thirty_days_with_today() -> None:
    assert history_range(NOW) == (date(2029, 12, 4), date(2030, 1, 3))


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (999, "999"), (1300, "1.3K"), (999_950, "1.0M"), (4_210_000, "4.2M")]
)
def test_counts_are_shortened(count: int, text: str) -> None:
    assert short(count) == text


def test_claude_joins_the_plan() -> None:
    claude = Activity(input_tokens=1_000, output_tokens=300, requests=12)
    assert login_text(Decimal(1), None, claude) == "Spend: $1.00 - Claude 14d: 1.3K tokens - Requests: 12"
    usage = to_usage(Costs(used=Decimal(1)), None, None, claude, NOW)
    assert [usage.row(label).value for label in ("Input tokens", "Output tokens", "Requests")] == ["1,000", "300", "12"]


def test_activity_is_summed_over_pages_and_rounded() -> None:
    first = MetricPage.model_validate(metrics(metric("inputTokens", 120, 30.4), metric("requests", 4)))
    second = MetricPage.model_validate(
        metrics(metric("inputTokens", 0.4), {"Id": "requests", "StatusCode": "Complete"})
    )
    assert activity([first, second]) == Activity(input_tokens=151, output_tokens=0, requests=4)


def test_no_results_are_zeros() -> None:
    assert activity([MetricPage.model_validate({})]) == Activity()


# --- reads -----------------------------------------------------------------------------------------


@pytest.fixture
def explorer(vendor: Any) -> Any:
    return vendor("ce.us-east-1.amazonaws.com")


@pytest.fixture
def watch(vendor: Any) -> Any:
    """CloudWatch in the default region; it refuses until a test says otherwise."""
    return vendor("monitoring.us-east-1.amazonaws.com")


def months(explorer: Any, token: str | None = None) -> Any:
    return explorer.post("/", json=cost_query(*month_range(NOW), "MONTHLY", token))


def days(explorer: Any, token: str | None = None) -> Any:
    return explorer.post("/", json=cost_query(*history_range(NOW), "DAILY", token))


@pytest.fixture
def quiet(explorer: Any, watch: Any) -> Any:
    """Only the month has anything to tell. Gives its route."""
    days(explorer).answers(**costs())
    watch.post("/").fails(403)
    return months(explorer).answers(**costs(result(group("3.14"))))


def signature(request: Request, secret: str) -> str:
    """What the signature of this request must be, by AWS's description of version 4."""
    match = SIGNED.fullmatch(request.headers["authorization"])
    assert match is not None, "the Authorization header has another shape"
    names = match["names"].split(";")
    lines = "".join(f"{name}:{request.headers[name]}\n" for name in names)
    body = hashlib.sha256(request.body).hexdigest()
    canonical = f"{request.method}\n{request.path}\n\n{lines}\n{match['names']}\n{body}"
    told = f"AWS4-HMAC-SHA256\n{request.headers['x-amz-date']}\n{match['scope']}\n" + (
        hashlib.sha256(canonical.encode()).hexdigest()
    )
    key = f"AWS4{secret}".encode()
    for part in match["scope"].split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, told.encode(), "sha256").hex()


def test_every_request_is_signed_with_the_host_it_goes_to(explorer: Any, watch: Any, read: Any) -> None:
    cost, day = months(explorer).answers(**costs()), days(explorer).answers(**costs())
    activity = watch.post("/").answers()
    read("bedrock", **KEYS)
    for route, service, version, target in (
        (cost, "ce", "1.1", "AWSInsightsIndexService.GetCostAndUsage"),
        (day, "ce", "1.1", "AWSInsightsIndexService.GetCostAndUsage"),
        (activity, "monitoring", "1.0", "GraniteServiceVersion20100801.GetMetricData"),
    ):
        request = route.requests[0]
        match = SIGNED.fullmatch(request.headers["authorization"])
        assert match is not None
        assert match["key"] == "DEMOKEY"
        assert match["scope"] == f"{request.headers['x-amz-date'][:8]}/us-east-1/{service}/aws4_request"
        assert match["names"] == "content-type;host;x-amz-content-sha256;x-amz-date;x-amz-target"
        assert match["signature"] == signature(request, "demo/half")
        assert request.headers["content-type"] == f"application/x-amz-json-{version}"
        assert request.headers["x-amz-target"] == target
        assert request.headers["x-amz-content-sha256"] == hashlib.sha256(request.body).hexdigest()
        assert re.fullmatch(r"\d{8}T\d{6}Z", request.headers["x-amz-date"])


def test_a_session_token_is_signed_too(quiet: Any, read: Any) -> None:
    read("bedrock", **KEYS, AWS_SESSION_TOKEN="demo-token")
    request = quiet.requests[0]
    assert request.headers["x-amz-security-token"] == "demo-token"
    match = SIGNED.fullmatch(request.headers["authorization"])
    assert match is not None
    assert "x-amz-security-token" in match["names"]
    assert match["signature"] == signature(request, "demo/half")


def test_the_ambient_session_token_goes_only_with_its_own_key(quiet: Any, read: Any) -> None:
    read("bedrock", config={"apiKey": "OTHERKEY", "secretKey": "other"}, **KEYS, AWS_SESSION_TOKEN="demo-token")
    request = quiet.requests[0]
    assert "x-amz-security-token" not in request.headers
    assert "Credential=OTHERKEY/" in request.headers["authorization"]
    assert signature(request, "other") in request.headers["authorization"]


def test_the_halves_of_a_pair_may_come_from_different_places(quiet: Any, read: Any) -> None:
    read("bedrock", config={"apiKey": " 'OTHERKEY' "}, AWS_SECRET_ACCESS_KEY=' "half" ')
    request = quiet.requests[0]
    assert "Credential=OTHERKEY/" in request.headers["authorization"]
    assert signature(request, "half") in request.headers["authorization"]


def test_a_read_gives_month_days_and_tokens(explorer: Any, watch: Any, read: Any) -> None:
    months(explorer).answers(**costs(result(group("3.1400"))))
    days(explorer).answers(**costs(result(group("2.5"))))
    watch.post("/").answers(**metrics(metric("inputTokens", 120, 30), metric("requests", 4)))
    seen = read("bedrock", **KEYS, CODEXBAR_BEDROCK_BUDGET="10")
    assert seen.window("budget").used_percent == pytest.approx(31.4)
    assert seen.row("Latest billing day (Jan 1)").value == "$2.50"
    assert seen.identity.login_method == "Spend: $3.14 - Budget: $10.00 - Claude 14d: 150 tokens - Requests: 4"
    assert seen.source == "api"


def test_what_cloudwatch_is_asked(explorer: Any, watch: Any, read: Any) -> None:
    months(explorer).answers(**costs())
    days(explorer).answers(**costs())
    route = watch.post("/").answers()
    read("bedrock", **KEYS)
    asked = route.requests[0].json
    assert (asked["EndTime"], asked["StartTime"]) == (NOW.timestamp(), NOW.timestamp() - 14 * 86400)
    assert asked["ScanBy"] == "TimestampAscending"
    assert [query["Id"] for query in asked["MetricDataQueries"]] == ["inputTokens", "outputTokens", "requests"]
    assert [query["ReturnData"] for query in asked["MetricDataQueries"]] == [True] * 3
    assert asked["MetricDataQueries"][2]["Expression"] == (
        "SUM(SEARCH('{AWS/Bedrock,ModelId} MetricName=\"Invocations\" claude', 'Sum', 86400))"
    )


def test_bedrock_on_the_second_page_is_found(explorer: Any, watch: Any, read: Any) -> None:
    months(explorer).answers(**costs(result(group("9", "Amazon EC2")), token="p2"))
    second = months(explorer, "p2").answers(**costs(result(group("1.5"))))
    days(explorer).answers(**costs(), NextPageToken=" ")
    watch.post("/").fails(500)
    assert read("bedrock", **KEYS).spend("month").used == Decimal("1.5")
    assert second.count == 1


def test_a_page_token_seen_twice_is_an_error(explorer: Any, read: Any) -> None:
    first = months(explorer).answers(**costs(token="p2"))
    second = months(explorer, "p2").answers(**costs(token="p2"))
    with pytest.raises(BadResponse):
        read("bedrock", **KEYS)
    assert (first.count, second.count) == (1, 1)


@pytest.mark.parametrize(
    "body",
    [
        {"__type": "com.amazonaws.costexplorer#DataUnavailableException"},
        {"code": "DataUnavailableException"},
        {"Code": "DataUnavailableException"},
        {"Error": {"Code": "aws#DataUnavailableException"}},
    ],
)
def test_data_that_is_not_there_yet_is_no_spend(explorer: Any, watch: Any, read: Any, body: dict[str, Any]) -> None:
    explorer.post("/").fails(400, json=body)
    watch.post("/").answers()
    assert read("bedrock", **KEYS).spend("month").used == 0


@pytest.mark.parametrize("status", [403, 500])
def test_only_a_400_means_that_data_is_not_there(explorer: Any, read: Any, status: int) -> None:
    explorer.post("/").fails(status, json={"__type": "DataUnavailableException"})
    with pytest.raises((Forbidden, Unavailable)):
        read("bedrock", **KEYS)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "ExpiredTokenException", ExpiredCredential),
        (400, "UnrecognizedClientException", ExpiredCredential),
        (403, "InvalidSignatureException", ExpiredCredential),
        (400, "AccessDeniedException", Forbidden),
        (403, "", Forbidden),
        (401, "", ExpiredCredential),
        (400, "ThrottlingException", RateLimited),
        (429, "", RateLimited),
        (503, "", Unavailable),
        (400, "ValidationException", BadResponse),
    ],
)
def test_a_refusal_has_a_kind(explorer: Any, read: Any, status: int, code: str, error: type[ReadError]) -> None:
    route = explorer.post("/").fails(status, json={"__type": f"aws#{code}", "message": "for DEMOKEY"})
    with pytest.raises(error) as raised:
        read("bedrock", **KEYS)
    assert raised.value.hint
    assert "DEMOKEY" not in f"{raised.value.message} {raised.value.hint}"
    assert route.count == 1


EXPIRED = "Signature expired: 20300102T114500Z is now earlier than 20300102T115800Z (20300102T120300Z - 5 min.)"
EARLY = "Signature not yet current: 20300102T140000Z is still later than 20300102T120500Z (20300102T120000Z + 5 min.)"


@pytest.mark.parametrize("status", [400, 403])
@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        ("InvalidSignatureException", EXPIRED, "18 minutes behind"),
        ("SignatureDoesNotMatch", EARLY, "2 hours ahead"),
        ("RequestTimeTooSkewed", "The difference is too large.", "clock is"),
        ("RequestExpired", "", "clock is"),
        ("RequestInTheFuture", "", "clock is"),
    ],
)
def test_a_wrong_clock_is_no_wrong_key(explorer: Any, read: Any, status: int, code: str, text: str, words: str) -> None:
    explorer.post("/").fails(status, json={"__type": code, "message": text})
    with pytest.raises(Unavailable, match=words) as raised:
        read("bedrock", **KEYS)
    assert "date and time" in raised.value.hint
    assert "key" not in f"{raised.value.message} {raised.value.hint}".lower()


@pytest.mark.parametrize("body", ["<html>", "nonsense", "{}", '{"ResultsByTime": 1}'])
def test_costs_that_are_not_understood_are_an_error(explorer: Any, read: Any, body: str) -> None:
    explorer.post("/").answers_text(body)
    with pytest.raises(BadResponse):
        read("bedrock", **KEYS)


@pytest.mark.parametrize(
    "answer",
    [
        metrics(metric("inputTokens", 5, status="PartialData")),
        metrics(metric("other", 5)),
        metrics(metric("inputTokens", -1)),
        metrics(metric("inputTokens", "5")),
        metrics(metric("inputTokens", 5), Messages=[{"Code": "MaxMetricsExceeded"}]),
        metrics("odd"),
        metrics(NextToken="again"),
        [],
    ],
)
def test_activity_that_cannot_be_trusted_is_left_out(explorer: Any, watch: Any, read: Any, answer: object) -> None:
    months(explorer).answers(**costs(result(group("2"))))
    days(explorer).answers(**costs())
    watch.post("/").answers_json(answer)
    assert read("bedrock", **KEYS).identity.login_method == "Spend: $2.00"


def test_activity_is_paged(explorer: Any, watch: Any, read: Any) -> None:
    months(explorer).answers(**costs())
    days(explorer).answers(**costs())
    route = watch.post("/").answers(**metrics(metric("requests", 1), NextToken="n2"))
    route.answers(**metrics(metric("requests", 2)))
    assert read("bedrock", **KEYS).row("Requests").value == "3"
    assert [request.json.get("NextToken") for request in route.requests] == [None, "n2"]


def test_an_endless_activity_ends(explorer: Any, watch: Any, read: Any) -> None:
    months(explorer).answers(**costs())
    days(explorer).answers(**costs())
    tokens = iter(range(1000))
    route = watch.post("/").answers_with(lambda _: metrics(NextToken=f"n{next(tokens)}"))
    assert "Claude" not in (read("bedrock", **KEYS).identity.login_method or "")
    assert route.count == 20


def test_an_activity_too_large_is_left_out(
    explorer: Any, watch: Any, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "MAX_METRIC_BODY", 10)
    months(explorer).answers(**costs())
    days(explorer).answers(**costs())
    watch.post("/").answers(**metrics(metric("requests", 1)))
    assert read("bedrock", **KEYS).identity.login_method == "Spend: $0.00"


def test_days_that_cannot_be_read_are_left_out(explorer: Any, watch: Any, read: Any) -> None:
    months(explorer).answers(**costs(result(group("2"))))
    days(explorer).fails(500)
    watch.post("/").fails(403)
    assert read("bedrock", **KEYS).details == ()


def test_days_are_asked_for_only_every_six_hours(explorer: Any, watch: Any, read: Any, clock: Any) -> None:
    route = explorer.post("/").answers(**costs(result(group("2"))))
    watch.post("/").fails(403)
    first = read("bedrock", **KEYS)
    clock.advance(timedelta(hours=5))
    assert read("bedrock", **KEYS).details == first.details
    assert [request.json["Granularity"] for request in route.requests] == ["MONTHLY", "DAILY", "MONTHLY"]
    clock.advance(timedelta(hours=2))
    read("bedrock", **KEYS)
    assert route.count == 5


def test_another_key_has_days_of_its_own(explorer: Any, watch: Any, read: Any) -> None:
    route = explorer.post("/").answers(**costs(result(group("2"))))
    watch.post("/").fails(403)
    read("bedrock", **KEYS)
    read("bedrock", **{**KEYS, "AWS_ACCESS_KEY_ID": "OTHERKEY"})
    assert route.count == 4


# --- regions and addresses -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "suffix"),
    [
        ("eu-central-1", "amazonaws.com"),
        ("us-gov-west-1", "amazonaws.com"),
        ("cn-north-1", "amazonaws.com.cn"),
        ("eusc-de-east-1", "amazonaws.eu"),
        ("us-iso-east-1", "c2s.ic.gov"),
        ("us-isob-east-1", "sc2s.sgov.gov"),
        ("eu-isoe-west-1", "cloud.adc-e.uk"),
        ("us-isof-south-1", "csp.hci.ic.gov"),
    ],
)
def test_each_partition_has_a_host_of_its_own(region: str, suffix: str) -> None:
    assert metric_host(region) == f"https://monitoring.{region}.{suffix}/"


@pytest.mark.parametrize(
    ("config", "environment", "region"),
    [
        ({"region": "eu-west-3"}, {"AWS_REGION": "eu-west-1"}, "eu-west-3"),
        ({}, {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-1"),
        ({}, {"AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2"),
    ],
)
def test_the_region_leads_to_its_host(
    explorer: Any, vendor: Any, read: Any, config: dict[str, str], environment: dict[str, str], region: str
) -> None:
    months(explorer).answers(**costs())
    days(explorer).answers(**costs())
    route = vendor(f"monitoring.{region}.amazonaws.com").post("/").answers(**metrics(metric("requests", 7)))
    assert read("bedrock", config=config, **KEYS, **environment).row("Requests").value == "7"
    assert f"/{region}/monitoring/" in route.requests[0].headers["authorization"]


@pytest.mark.parametrize("region", ["evil.example/", "eu-central", "eu_central_1", "EU-CENTRAL-1", "-1"])
def test_an_ambient_region_that_is_none_only_costs_the_tokens(explorer: Any, read: Any, region: str) -> None:
    months(explorer).answers(**costs())
    days(explorer).answers(**costs())
    assert read("bedrock", **KEYS, AWS_REGION=region).identity.login_method == "Spend: $0.00"


def test_a_configured_region_that_is_none_is_named_before_anything_is_sent(simulator: Any, read: Any) -> None:
    with pytest.raises(Misconfigured) as raised:
        read("bedrock", config={"region": "frankfurt"}, **KEYS)
    assert "region" in raised.value.message


BAD_ADDRESSES = [
    "",
    " ",
    "ce.example",
    "http://10.0.0.1",
    "http://ce.example",
    "ftp://x.example",
    "https://u@x.example",
]
BAD_ADDRESSES += ["https://x.example%2f.y", "https://x.example/?a=b", "https://"]


@pytest.mark.parametrize("name", ["CODEXBAR_BEDROCK_API_URL", "CODEXBAR_BEDROCK_CLOUDWATCH_API_URL"])
@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_an_unsafe_address_stops_everything(simulator: Any, read: Any, name: str, address: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        read("bedrock", **KEYS, **{name: address})
    assert name in raised.value.message


def test_costs_elsewhere_leave_cloudwatch_alone(vendor: Any, read: Any) -> None:
    server = vendor("http://127.0.0.1")
    route = server.post("/").answers(**costs(result(group("2"))))
    assert read("bedrock", **KEYS, CODEXBAR_BEDROCK_API_URL=server.url).spend("month").used == 2
    for request in route.requests:
        assert request.headers["host"] == server.url.removeprefix("http://")
        assert signature(request, "demo/half") in request.headers["authorization"]
        assert "GetCostAndUsage" in request.headers["x-amz-target"]


def test_both_may_be_elsewhere(vendor: Any, read: Any) -> None:
    cost, watch = vendor("https://ce.example"), vendor("https://watch.example:8443")
    cost.post("/base").answers(**costs())
    route = watch.post("/").answers(**metrics(metric("requests", 3)))
    seen = read(
        "bedrock",
        **KEYS,
        CODEXBAR_BEDROCK_API_URL="https://ce.example/base/",
        CODEXBAR_BEDROCK_CLOUDWATCH_API_URL="https://watch.example:8443",
    )
    assert seen.row("Requests").value == "3"
    assert route.requests[0].headers["host"] == "watch.example:8443"
    assert signature(route.requests[0], "demo/half") in route.requests[0].headers["authorization"]


@pytest.mark.parametrize("address", ["http://[::1]:4566", "http://localhost:4566/", "http://127.9.9.9:1"])
def test_loopback_addresses_are_accepted(reader: Any, address: str) -> None:
    ctx = reader.context("bedrock", CODEXBAR_BEDROCK_API_URL=address)
    assert addresses(ctx).costs == f"{address.rstrip('/')}/"


# --- settings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "environment", "amount"),
    [
        ({}, {"CODEXBAR_BEDROCK_BUDGET": "50.5"}, Decimal("50.5")),
        ({}, {"CODEXBAR_BEDROCK_BUDGET": " 50 "}, Decimal(50)),
        ({"monthlyBudget": 20}, {"CODEXBAR_BEDROCK_BUDGET": "50"}, Decimal(20)),
        ({"monthlyBudget": 0}, {}, None),
        ({}, {"CODEXBAR_BEDROCK_BUDGET": "0"}, None),
        ({}, {"CODEXBAR_BEDROCK_BUDGET": "-5"}, None),
        ({}, {"CODEXBAR_BEDROCK_BUDGET": "much"}, None),
        ({}, {"CODEXBAR_BEDROCK_BUDGET": "inf"}, None),
        ({}, {}, None),
    ],
)
def test_only_a_number_above_nothing_is_a_budget(
    reader: Any, config: dict[str, Any], environment: dict[str, str], amount: Decimal | None
) -> None:
    assert budget(reader.context("bedrock", config, **environment)) == amount


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"AWS_ACCESS_KEY_ID": "DEMOKEY"},
        {"AWS_SECRET_ACCESS_KEY": "half"},
        {"AWS_ACCESS_KEY_ID": "''", "AWS_SECRET_ACCESS_KEY": "half"},
        {**KEYS, "CODEXBAR_BEDROCK_AUTH_MODE": "profile"},
        {"AWS_PROFILE": "work", "CODEXBAR_BEDROCK_AUTH_MODE": "KEYS"},
    ],
)
def test_half_a_login_is_none(simulator: Any, read: Any, environment: dict[str, str]) -> None:
    with pytest.raises(MissingCredential):
        read("bedrock", **environment)


@pytest.mark.parametrize("environment", [{"AWS_ACCESS_KEY_ID": '"'}, {"CODEXBAR_BEDROCK_AUTH_MODE": "'"}])
def test_a_lone_quote_is_a_value_like_any_other(quiet: Any, read: Any, environment: dict[str, str]) -> None:
    assert read("bedrock", **{**KEYS, **environment}).spends


def test_an_unknown_mode_in_the_config_is_named(simulator: Any, read: Any) -> None:
    with pytest.raises(Misconfigured, match="awsAuthMode"):
        read("bedrock", config={"awsAuthMode": "sso"}, **KEYS)


def test_without_the_library_the_user_is_told_how_to_get_it(
    simulator: Any, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("botocore", "botocore.auth", "botocore.session"):
        monkeypatch.setitem(sys.modules, name, None)
    for environment in (KEYS, {"AWS_PROFILE": "work"}):
        with pytest.raises(MissingProgram) as raised:
            read("bedrock", **environment)
        assert raised.value.hint == f"Run {to_add('aws')}."


@pytest.mark.parametrize("environment", [KEYS, {"AWS_PROFILE": "work"}, {**KEYS, "AWS_PROFILE": "work"}])
def test_an_ambient_login_does_not_make_it_appear(reader: Any, environment: dict[str, str]) -> None:
    lookup = AwsLogin()
    assert lookup.probe(reader.context("bedrock", **environment)) is None
    assert lookup.probe(reader.context("bedrock", {"enabled": True}, **environment))


@pytest.mark.parametrize(
    ("config", "environment", "origin"),
    [
        ({"awsProfile": "work"}, {}, "config"),
        ({"apiKey": "K", "secretKey": "s"}, {}, "config"),
        ({"secretKey": "s"}, {"AWS_ACCESS_KEY_ID": "K"}, "env AWS_ACCESS_KEY_ID"),
        ({"enabled": True}, {"AWS_PROFILE": "work"}, "env AWS_PROFILE"),
        ({"enabled": True}, {**KEYS, "AWS_PROFILE": "work"}, "env AWS_ACCESS_KEY_ID"),
        ({"awsAuthMode": "profile"}, {**KEYS, "AWS_PROFILE": "work"}, "env AWS_PROFILE"),
        ({}, {**KEYS, "CODEXBAR_BEDROCK_BUDGET": "5"}, "env AWS_ACCESS_KEY_ID"),
        ({"enabled": True}, {}, None),
        ({"awsAuthMode": "odd"}, {}, None),
    ],
)
def test_detection_names_the_place(
    reader: Any, config: dict[str, Any], environment: dict[str, str], origin: str | None
) -> None:
    ctx = reader.context("bedrock", config, **environment)
    assert AwsLogin().probe(ctx) == origin


def test_the_secrets_stay_out_of_the_outcome(explorer: Any, outcome: Any) -> None:
    explorer.post("/").fails(400, json={"__type": "UnrecognizedClientException", "message": "demo/half"})
    seen = outcome("bedrock", **KEYS, AWS_SESSION_TOKEN="demo-token")
    text = json.dumps([repr(seen), str(seen.error)])
    assert not [secret for secret in ("DEMOKEY", "demo/half", "demo-token") if secret in text]
