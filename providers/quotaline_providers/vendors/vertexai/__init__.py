"""Vertex AI: the fullest quota of a Google Cloud project, read from Cloud Monitoring with gcloud's default login."""

from __future__ import annotations

from quotaline_providers.contract import Context, Provider, Response, StatusPage, Strategy
from quotaline_providers.errors import BadResponse, ExpiredCredential, Forbidden, Unavailable
from quotaline_providers.model import Usage
from quotaline_providers.vendors.vertexai.login import SIGN_IN, Adc, DefaultCredentials, email_of, project_id
from quotaline_providers.vendors.vertexai.quota import (
    LIMIT,
    USED,
    Key,
    Series,
    SeriesPage,
    matched,
    maxima,
    query,
    to_usage,
)
from quotaline_providers.vendors.vertexai.tokens import TIMEOUT, Token, access_token, forget

MAX_PAGES = 50
_MONITORING = "https://monitoring.googleapis.com/v3/projects"


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
    response = await ctx.http.send("GET", url, bearer=token.secret, params=params, timeout=TIMEOUT)
    if response.status == 403 and not adc.is_service_account and "quota project" in response.text.lower():
        headers = {"x-goog-user-project": adc.text("quota_project_id") or project}
        response = await ctx.http.send("GET", url, bearer=token.secret, headers=headers, params=params, timeout=TIMEOUT)
    return response


def _checked(ctx: Context, adc: Adc, response: Response) -> Response:
    if response.status == 401:
        forget(ctx, adc)
        raise ExpiredCredential("Google does not accept the login any more.", SIGN_IN)
    if response.status == 403:
        raise Forbidden(
            "The login may not read this project's quotas.",
            "Enable the Cloud Monitoring API in the project and give yourself the role Monitoring Viewer.",
        )
    if not response.ok and response.status != 429:
        raise Unavailable(f"Cloud Monitoring answered with HTTP {response.status}.")
    return ctx.http.check(response)


PROVIDER = Provider(
    id="vertexai",
    name="Vertex AI",
    connect=SIGN_IN,
    summary="The fullest Vertex AI quota of a Google Cloud project, and the quotas closest to their limits.",
    dashboard="https://console.cloud.google.com/vertex-ai",
    status=StatusPage("https://status.cloud.google.com"),
    fields=("workspaceID",),
    strategies=(Strategy.oauth(from_oauth, DefaultCredentials()),),
    min_interval=600,
    deadline=150,
)
