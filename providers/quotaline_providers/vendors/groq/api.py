"""The Prometheus API: an Enterprise organisation's present rates, with an API key."""

from __future__ import annotations

from quotaline_providers import BadResponse, Context, Credential, Refusal, Secret, Usage, base_address, together
from quotaline_providers.vendors.groq.mapping import rates_usage
from quotaline_providers.vendors.groq.payloads import Metric

OFFICIAL, OVERRIDE = "https://api.groq.com/v1", "GROQ_API_URL"
QUERIES = (
    "sum(model_project_id_status_code:requests:rate5m)",
    "sum(model_project_id:tokens_in:rate5m)",
    "sum(model_project_id:tokens_out:rate5m)",
    "sum(model_project_id:prompt_cache_hits:rate5m)",
)
REFUSALS = {
    404: Refusal(
        BadResponse,
        "GroqCloud has no metrics for this key (HTTP 404).",
        "Metrics by API key are for Enterprise organisations.",
    )
}


def api_base(ctx: Context) -> str:
    """The service's address without a trailing slash. Raises Misconfigured."""
    return base_address(ctx.env(OVERRIDE), OVERRIDE, OFFICIAL)


async def from_metrics(ctx: Context, key: Credential) -> Usage:
    """Four queries at once, which must all be answered. Raises ReadError."""
    url = f"{api_base(ctx)}/metrics/prometheus/api/v1/query"
    requests, read, written, cached = await together(*(_rate(ctx, url, query, key.secret) for query in QUERIES))
    return rates_usage(requests, read, written, cached, ctx.now)


async def _rate(ctx: Context, url: str, query: str, key: Secret) -> float:
    metric = await ctx.http.get(url, Metric, refusals=REFUSALS, bearer=key, params={"query": query})
    if metric.status != "success":
        raise BadResponse("GroqCloud answered with an error instead of the rates.")
    return metric.rate
