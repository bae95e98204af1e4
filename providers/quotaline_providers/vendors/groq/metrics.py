"""An Enterprise organisation's present rates, asked of the Prometheus API with an API key."""

from __future__ import annotations

from datetime import datetime

from quotaline_providers.contract import Context, Credential
from quotaline_providers.errors import BadResponse
from quotaline_providers.fetching.optional import together
from quotaline_providers.model import Identity, Lane, Usage, Window
from quotaline_providers.parsing.payload import Payload, to_number
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.groq.address import api_base

SECONDS = 30.0
RATE_MINUTES = 5
QUERIES = (
    "sum(model_project_id_status_code:requests:rate5m)",
    "sum(model_project_id:tokens_in:rate5m)",
    "sum(model_project_id:tokens_out:rate5m)",
    "sum(model_project_id:prompt_cache_hits:rate5m)",
)

# --- what the vendor sends -------------------------------------------------------------------------


class Series(Payload):
    """A sample: its time and its value."""

    value: tuple[object, ...] = ()


class Vector(Payload):
    """The series of an answer."""

    result: tuple[Series, ...] = ()


class Metric(Payload):
    """An answer of the Prometheus API."""

    status: str
    data: Vector | None = None

    @property
    def rate(self) -> float:
        """All series added up; a sample that is no number counts nothing."""
        series = self.data.result if self.data else ()
        return sum(to_number(one.value[-1]) or 0.0 for one in series if one.value)


# --- how it becomes a usage ------------------------------------------------------------------------


def rates_usage(requests: float, read: float, written: float, cached: float, now: datetime) -> Usage:
    """The rates (a second) as texts by the minute: there is nothing they could be a share of."""
    texts: list[tuple[str, str, Lane, str]] = [
        ("requests", "Requests", "primary", f"{_per_minute(requests)} req/min"),
        ("tokens", "Tokens", "secondary", f"{_per_minute(read + written)} tok/min"),
    ]
    if cached > 0:
        texts.append(("cache", "Cache hits", "tertiary", f"{_per_minute(cached)} cache/min"))
    return Usage(
        updated_at=now,
        windows=tuple(
            Window(id=id, label=label, minutes=RATE_MINUTES, description=text, lane=lane)
            for id, label, lane, text in texts
        ),
        identity=Identity(plan="Prometheus metrics"),
    )


def _per_minute(rate: float) -> str:
    value = rate * 60
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


# --- how it is fetched -----------------------------------------------------------------------------


async def from_metrics(ctx: Context, key: Credential) -> Usage:
    """Four questions at once, which must all be answered."""
    url = f"{api_base(ctx)}/metrics/prometheus/api/v1/query"
    requests, read, written, cached = await together(*(_rate(ctx, url, query, key.secret) for query in QUERIES))
    return rates_usage(requests, read, written, cached, ctx.now)


async def _rate(ctx: Context, url: str, query: str, key: Secret) -> float:
    answer = await ctx.http.send("GET", url, bearer=key, params={"query": query}, timeout=SECONDS)
    if answer.status == 404:
        raise BadResponse(
            "GroqCloud has no metrics for this key (HTTP 404).", "Metrics by API key are for Enterprise organisations."
        )
    metric = ctx.http.parse(ctx.http.check(answer), Metric)
    if metric.status != "success":
        raise BadResponse("GroqCloud could not answer the question about the rates.")
    return metric.rate
