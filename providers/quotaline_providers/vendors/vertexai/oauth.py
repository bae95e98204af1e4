"""A project's quotas, asked of Cloud Monitoring with the application default credentials."""

from __future__ import annotations

from datetime import datetime, timedelta

from quotaline_providers import (
    BadResponse,
    Context,
    ExpiredCredential,
    Forbidden,
    Refusal,
    Refusals,
    Response,
    Unavailable,
    Usage,
)
from quotaline_providers.vendors.vertexai.credentials import SIGN_IN, Adc, email_of, project_id
from quotaline_providers.vendors.vertexai.mapping import matched, maxima, to_usage
from quotaline_providers.vendors.vertexai.payloads import SERVICE, Key, Series, SeriesPage
from quotaline_providers.vendors.vertexai.tokens import Token, access_token, forget

MAX_PAGES = 50
PERIOD = timedelta(hours=24)
USED, LIMIT = "quota/allocation/usage", "quota/limit"
_MONITORING = "https://monitoring.googleapis.com/v3/projects"

_FAILED = Refusal(Unavailable, "Cloud Monitoring answered with HTTP {status}.")
REFUSALS: Refusals = {
    **{status: _FAILED for status in range(300, 600) if status != 429},
    401: Refusal(ExpiredCredential, "Google does not accept the login any more.", SIGN_IN),
    403: Refusal(
        Forbidden,
        "The login may not read this project's quotas.",
        "Enable the Cloud Monitoring API in the project and give yourself the role Monitoring Viewer.",
    ),
}


def query(kind: str, now: datetime, token: str | None) -> dict[str, str]:
    """What is asked: the highest value of each hour of the last day."""
    return {
        "filter": f'metric.type="serviceruntime.googleapis.com/{kind}" AND resource.type="consumer_quota" '
        f'AND resource.label.service="{SERVICE}"',
        "interval.startTime": f"{now - PERIOD:%Y-%m-%dT%H:%M:%SZ}",
        "interval.endTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "aggregation.alignmentPeriod": "3600s",
        "aggregation.perSeriesAligner": "ALIGN_MAX",
        "view": "FULL",
        **({"pageToken": token} if token else {}),
    }


async def from_oauth(ctx: Context, adc: Adc) -> Usage:
    """The project's use and limits of each quota, matched. Raises ReadError."""
    project = await project_id(ctx, adc)
    token = await access_token(ctx, adc)
    used = await _maxima(ctx, adc, token, project, USED)
    limits = await _maxima(ctx, adc, token, project, LIMIT)
    email = token.email or email_of(adc.secret("id_token"))
    return to_usage(matched(used, limits), project, email, ctx.now)


async def _maxima(ctx: Context, adc: Adc, token: Token, project: str, kind: str) -> dict[Key, float]:
    """The highest values of all pages."""
    now, page_token, seen, series = ctx.now, None, set[str](), list[Series]()
    for _ in range(MAX_PAGES):
        answer = await _ask(ctx, adc, token, project, query(kind, now, page_token))
        page = ctx.http.parse(_checked(ctx, adc, answer), SeriesPage)
        series += page.series
        page_token = page.next_token
        if page_token is None:
            return maxima(series)
        if page_token in seen:
            break
        seen.add(page_token)
    raise BadResponse("Cloud Monitoring's pages have no end.")


async def _ask(ctx: Context, adc: Adc, token: Token, project: str, params: dict[str, str]) -> Response:
    """One page. A user's login may need to name the project that the question is charged to."""
    url = f"{_MONITORING}/{project}/timeSeries"
    response = await ctx.http.send("GET", url, bearer=token.secret, params=params)
    if response.status == 403 and not adc.is_service_account and "quota project" in response.text.lower():
        headers = {"x-goog-user-project": adc.text("quota_project_id") or project}
        response = await ctx.http.send("GET", url, bearer=token.secret, headers=headers, params=params)
    return response


def _checked(ctx: Context, adc: Adc, response: Response) -> Response:
    if response.status == 401:
        forget(ctx, adc)
    return ctx.http.check(response, REFUSALS)
