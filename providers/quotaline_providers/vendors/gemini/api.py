"""Google's Cloud Code API, asked with the Gemini CLI's login."""

from __future__ import annotations

from quotaline_providers import (
    BadResponse,
    Context,
    ExpiredCredential,
    Forbidden,
    MissingCredential,
    ReadError,
    Refusal,
    Refusals,
    Response,
    Secret,
    TimedOut,
    Usage,
)
from quotaline_providers.vendors.gemini.client import find_client
from quotaline_providers.vendors.gemini.credentials import SIGN_IN, Login, active_email, renewed, write_back
from quotaline_providers.vendors.gemini.mapping import to_usage
from quotaline_providers.vendors.gemini.payloads import LoadAnswer, ProjectsAnswer, QuotaAnswer, RefreshAnswer
from quotaline_providers.vendors.gemini.projects import named_project

TIMEOUT = 10.0
REFUSALS: Refusals = {
    401: Refusal(ExpiredCredential, "Google does not accept the Gemini CLI's login any more.", SIGN_IN)
}
_CODE_ASSIST = "https://cloudcode-pa.googleapis.com/v1internal"


class AccountMoved(Forbidden):
    """Google serves this kind of account through another product now."""

    def __init__(self) -> None:
        super().__init__(
            "Google no longer serves this kind of account through the Gemini CLI; it moved to Antigravity.",
            "Sign in with Antigravity, and remove or disable gemini here.",
            definite=True,
        )


def is_shutdown(response: Response) -> bool:
    """Whether a refusal is the one that consumer accounts get since Google moved them."""
    text = response.text.lower()
    return not response.ok and (
        "unsupported_client" in text
        or "ineligibletiererror" in text
        or ("no longer supported" in text and "gemini code assist" in text)
        or all(word in text for word in ("migrate", "antigravity", "gemini"))
    )


async def from_api(ctx: Context, login: Login) -> Usage:
    """The quota of each model family; the login is renewed when it has expired. Raises ReadError."""
    if login.credentials.needs_refresh(ctx.now):
        login = await _refresh(ctx, login)
    token = login.credentials.access_token
    if token is None:
        raise MissingCredential("The Gemini CLI is not signed in.", SIGN_IN)
    load = await _load(ctx, token)
    named = await named_project(ctx)
    project = load.project or named or await _discovered_project(ctx, token)
    quota = await _quota_of(ctx, token, project, named)
    email, domain = login.credentials.claims
    return to_usage(quota, load, email or await active_email(ctx), domain, ctx.now, has_project=project is not None)


async def _refresh(ctx: Context, login: Login) -> Login:
    if login.credentials.refresh_token is None:
        raise MissingCredential("The Gemini CLI's login has expired.", SIGN_IN)
    client = await find_client(ctx)
    answer = await _send(
        ctx,
        "POST",
        "https://oauth2.googleapis.com/token",
        form={
            "client_id": client.id,
            "client_secret": client.secret,
            "refresh_token": login.credentials.refresh_token,
            "grant_type": "refresh_token",
        },
    )
    if is_shutdown(answer):
        raise AccountMoved
    if not answer.ok:
        # A busy or broken server is no reason to ask for a new login.
        if answer.status == 429 or answer.status >= 500:
            ctx.http.check(answer)
        raise ExpiredCredential("Google did not renew the Gemini CLI's login.", SIGN_IN)
    tokens = ctx.http.parse(answer, RefreshAnswer)
    if tokens.access_token is None:
        raise BadResponse("Google's renewal of the login holds no token.")
    fresh = renewed(login, tokens, ctx.now)
    await write_back(ctx, login.credentials, fresh)
    return fresh


async def _load(ctx: Context, token: Secret) -> LoadAnswer:
    """Plan and project. Every failure but the shutdown means that neither is known."""
    try:
        answer = await _send(
            ctx,
            "POST",
            f"{_CODE_ASSIST}:loadCodeAssist",
            bearer=token,
            json={"metadata": {"ideType": "GEMINI_CLI", "pluginType": "GEMINI"}},
        )
        if is_shutdown(answer):
            raise AccountMoved
        load = ctx.http.parse(ctx.http.check(answer), LoadAnswer)
        if load.is_moved:
            raise AccountMoved
        return load
    except AccountMoved:
        raise
    except ReadError:
        return LoadAnswer()


async def _discovered_project(ctx: Context, token: Secret) -> str | None:
    try:
        answer = await _send(ctx, "GET", "https://cloudresourcemanager.googleapis.com/v1/projects", bearer=token)
        return ctx.http.parse(ctx.http.check(answer), ProjectsAnswer).for_gemini()
    except ReadError:
        return None


async def _quota_of(ctx: Context, token: Secret, project: str | None, named: str | None) -> QuotaAnswer:
    """The quota of a project; of the user's own where the login has no rights in the one that Google bound it to."""
    try:
        return await _quota(ctx, token, project)
    except AccountMoved:
        raise
    except Forbidden:
        if project is None:
            raise
        if named is not None and named != project:
            return await _quota(ctx, token, named)
        which = f"the project {named}" if named is not None else "the project that Google has bound it to"
        raise Forbidden(
            f"The Gemini CLI's login has no rights in {which}.",
            "Name a project of your own in GOOGLE_CLOUD_PROJECT; signing in again does not help.",
        ) from None


async def _quota(ctx: Context, token: Secret, project: str | None) -> QuotaAnswer:
    body = {"project": project} if project else {}
    answer = await _send(ctx, "POST", f"{_CODE_ASSIST}:retrieveUserQuota", bearer=token, json=body)
    if is_shutdown(answer):
        raise AccountMoved
    quota = ctx.http.parse(ctx.http.check(answer, REFUSALS), QuotaAnswer)
    if quota.sent == 0:
        raise BadResponse("Google's answer holds no Gemini quota.")
    return quota


async def _send(
    ctx: Context,
    method: str,
    url: str,
    *,
    bearer: Secret | None = None,
    json: object = None,
    form: dict[str, str | Secret] | None = None,
) -> Response:
    """One request, once more after a timeout: Google's front ends now and then let one hang."""
    try:
        return await ctx.http.send(method, url, bearer=bearer, json=json, form=form, timeout=TIMEOUT)
    except TimedOut:
        return await ctx.http.send(method, url, bearer=bearer, json=json, form=form, timeout=TIMEOUT)
