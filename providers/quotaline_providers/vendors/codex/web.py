"""Reading the usage page's own service with the cookies of a browser that is signed in to chatgpt.com."""

from __future__ import annotations

from collections import deque

from quotaline_providers import (
    BadResponse,
    Context,
    Credential,
    ExpiredCredential,
    Forbidden,
    Identity,
    JsonDocument,
    MissingCredential,
    ReadError,
    Refusal,
    Refusals,
    Response,
    Usage,
    Window,
    cookie_values,
    optional,
    together,
)
from quotaline_providers.fetching.browser_page import LANGUAGE
from quotaline_providers.model import ResetCredits
from quotaline_providers.vendors.codex.amounts import monthly_usage
from quotaline_providers.vendors.codex.credentials import native_login
from quotaline_providers.vendors.codex.homes import DEFAULT_BASE
from quotaline_providers.vendors.codex.mapping import Extras, Limits, service_limits, to_usage
from quotaline_providers.vendors.codex.payloads import MonthlyUsageAnswer, Subscription, UsageAnswer
from quotaline_providers.vendors.codex.service import MONTHLY_SECONDS, monthly_url, wants_monthly

SITE = "https://chatgpt.com"
USAGE_SECONDS = 4.0
IDENTITY_SECONDS = 2.0
MOST_NODES = 2000
_HEADERS = {"Accept-Language": LANGUAGE}
_SESSION_NAMES = ("session-token", "authjs", "next-auth")
_PASTE = "Copy a fresh Cookie header from a browser that is signed in to chatgpt.com."
_ENDED = Refusal(ExpiredCredential, "The ChatGPT session has ended.", _PASTE)
REFUSALS: Refusals = {401: _ENDED, 403: _ENDED}


# --- what it means ---------------------------------------------------------------------------------


def shows_session(header: str) -> bool:
    """Whether a cookie header holds a signed-in ChatGPT session."""
    names = cookie_values(header)
    return any(name == "_account" or any(part in name for part in _SESSION_NAMES) for name in names)


def email_in(value: object) -> str | None:
    """The first e-mail address in an answer, nearest the top: a key `email`, else any text with an @."""
    queue: deque[object] = deque([value])
    loose: str | None = None
    for _ in range(MOST_NODES):
        if not queue:
            break
        node = queue.popleft()
        if isinstance(node, dict):
            for key, item in node.items():
                if isinstance(item, str) and key.lower() == "email" and "@" in item:
                    return item.strip()
            queue.extend(node.values())
        elif isinstance(node, list):
            queue.extend(node)
        elif isinstance(node, str) and "@" in node and loose is None:
            loose = node.strip()
    return loose


def is_page(response: Response) -> bool:
    """Whether a web page came instead of data: a sign-in page or a browser check."""
    start = response.body[:4096].lstrip().lower()
    return start.startswith((b"<!doctype", b"<html")) or b"just a moment" in start


# --- how it is asked -------------------------------------------------------------------------------


async def from_cookies(ctx: Context, cookie: Credential) -> Usage:
    """Read with cookies. The numbers count only with a verified e-mail of the same session."""
    if not shows_session(cookie.secret.reveal()):
        raise MissingCredential("The cookie header holds no ChatGPT session.", _PASTE)
    email = await _session_email(ctx, cookie)
    expected = await _expected_email(ctx)
    if expected and expected.lower() != email.lower():
        raise Forbidden(
            "The cookies belong to another ChatGPT account than the Codex login.",
            "Use the cookies of the account that `codex login` uses.",
        )
    answer = _data(ctx, await _get(ctx, cookie, f"{DEFAULT_BASE}/wham/usage", USAGE_SECONDS))
    usage_answer = ctx.http.parse(answer, UsageAnswer)
    limits = service_limits(usage_answer, ctx.now, answer.headers)
    subscription, monthly = await together(
        optional(_subscription(ctx, cookie), IDENTITY_SECONDS),
        optional(_monthly(ctx, cookie, usage_answer, limits), MONTHLY_SECONDS),
    )
    until = subscription.active_until if subscription else None
    renews = subscription.will_renew if subscription else None
    count = usage_answer.rate_limit_reset_credits
    extras = Extras(
        reset_credits=ResetCredits(available=count.available_count) if count else None,
        monthly=monthly,
        renews_at=until if renews is True else None,
        expires_at=until if renews is False else None,
    )
    identity = Identity(account_id=usage_answer.account_id, email=email, plan=usage_answer.plan_type)
    return to_usage(limits, identity, ctx.now, extras)


async def _get(ctx: Context, cookie: Credential, url: str, timeout: float) -> Response:
    return await ctx.http.send("GET", url, cookie=cookie.secret, headers=_HEADERS, timeout=timeout)


def _data(ctx: Context, response: Response) -> Response:
    if is_page(response) and (response.ok or response.status in REFUSALS):
        raise Forbidden(
            "chatgpt.com asked for a browser check or a sign-in.", "Use the source `oauth`: run `codex login`."
        )
    return ctx.http.check(response, REFUSALS)


async def _session_email(ctx: Context, cookie: Credential) -> str:
    failure: ReadError | None = None
    for path in ("/backend-api/me", "/api/auth/session"):
        try:
            answer = _data(ctx, await _get(ctx, cookie, SITE + path, IDENTITY_SECONDS))
            email = email_in(ctx.http.parse(answer, JsonDocument).root)
        except ReadError as error:
            failure = failure or error
            continue
        if email:
            return email
    if failure and not isinstance(failure, BadResponse):
        raise failure
    raise ExpiredCredential("The ChatGPT session could not be verified.", _PASTE)


async def _expected_email(ctx: Context) -> str | None:
    login = await optional(native_login(ctx), IDENTITY_SECONDS)
    return login.email if login else None


async def _subscription(ctx: Context, cookie: Credential) -> Subscription:
    answer = await _get(ctx, cookie, f"{DEFAULT_BASE}/subscriptions", IDENTITY_SECONDS)
    return ctx.http.parse(ctx.http.check(answer), Subscription)


async def _monthly(ctx: Context, cookie: Credential, answer: UsageAnswer, limits: Limits) -> Window | None:
    if answer.account_id is None or not wants_monthly(answer, limits, DEFAULT_BASE):
        return None
    found = await _get(ctx, cookie, monthly_url(DEFAULT_BASE, answer.account_id), MONTHLY_SECONDS)
    return monthly_usage(ctx.http.parse(ctx.http.check(found), MonthlyUsageAnswer))
