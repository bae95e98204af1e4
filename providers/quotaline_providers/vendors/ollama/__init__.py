"""Ollama Cloud: session and weekly usage from the signed-in settings page; an API key only proves access."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from quotaline_providers.access.lookups import ApiKey, Chosen, CookieHeader
from quotaline_providers.contract import (
    AccountKind,
    Context,
    Credential,
    Provider,
    ProviderKind,
    Response,
    Strategy,
    after_any_error,
    unlabelled,
)
from quotaline_providers.errors import ExpiredCredential
from quotaline_providers.fetching.browser_page import browser_headers, page, redirect_of
from quotaline_providers.fetching.optional import beside
from quotaline_providers.fetching.refusals import refused_key
from quotaline_providers.model import Usage
from quotaline_providers.parsing.payload import JsonObject, Payload
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.ollama import account, blocks
from quotaline_providers.vendors.ollama.blocks import SIGN_IN
from quotaline_providers.vendors.ollama.cookies import account_session, pasted_session

SITE = "https://ollama.com"
DOMAIN = "ollama.com"
SETTINGS = f"{SITE}/settings"
SECONDS, ACCOUNT_SECONDS = 20.0, 5.0


class Catalogue(Payload):
    """`GET /api/tags`. It is public: it proves nothing about a key."""

    models: Annotated[tuple[object, ...], Field(strict=False)]


# --- with a cookie ---------------------------------------------------------------------------------


def is_sign_in(url: str) -> bool:
    """Whether an address is that of a page that asks to sign in."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    host, path = (parts.hostname or "").lower(), parts.path.rstrip("/")
    if parts.scheme != "https":
        return False
    if host in (DOMAIN, f"www.{DOMAIN}"):
        return path == "/signin"
    return host == f"signin.{DOMAIN}" or (
        host.endswith(".workos.com") and path.startswith("/user_management/authorize")
    )


def _signed_in(ctx: Context, response: Response) -> Response:
    if response.status in (401, 403) or is_sign_in(redirect_of(response) or response.url):
        raise ExpiredCredential("The Ollama session of this cookie has ended.", SIGN_IN)
    return ctx.http.check(response)


async def from_web(ctx: Context, cookie: Credential) -> Usage:
    """The session's and the week's usage, from the settings page. Raises ReadError."""
    headers = browser_headers(SITE, SETTINGS)
    response = await page(ctx, SETTINGS, cookie.secret, DOMAIN, headers, stop=is_sign_in, timeout=SECONDS)
    return blocks.to_usage(_signed_in(ctx, response).text, ctx.now)


# --- with a key ------------------------------------------------------------------------------------


async def from_api(ctx: Context, key: Credential) -> Usage:
    """Prove the key with a search that is not run, then the catalogue; what is told of the account is optional."""
    async with beside() as side:
        me = side.start(_account(ctx, key.secret), ACCOUNT_SECONDS)
        await _prove(ctx, key.secret)
        await ctx.http.get(f"{SITE}/api/tags", Catalogue, bearer=key.secret, timeout=SECONDS)
        told = await me
    return account.to_usage(told.root if told else None, ctx.now)


async def _prove(ctx: Context, key: Secret) -> None:
    response = await ctx.http.send("POST", f"{SITE}/api/web_search", bearer=key, json={"query": ""}, timeout=SECONDS)
    if response.status != 400:  # the empty search is refused, and only after the key was accepted
        ctx.http.check(response, refused_key("Ollama"))


async def _account(ctx: Context, key: Secret) -> JsonObject:
    return await ctx.http.post(f"{SITE}/api/me", JsonObject, bearer=key, timeout=ACCOUNT_SECONDS)


def _session(ctx: Context) -> CookieHeader:
    own = ctx.account is not None and ctx.account.token is not None
    return CookieHeader(env=("OLLAMA_SESSION_COOKIE",), read=account_session if own else pasted_session)


PROVIDER = Provider(
    id="ollama",
    name="Ollama",
    kind=ProviderKind.CHAT,
    connect="Sign in at https://ollama.com/signin and paste the Cookie header of https://ollama.com/settings.",
    summary="Session and weekly usage of Ollama Cloud; an API key only proves access.",
    dashboard=SETTINGS,
    keys=f"{SITE}/settings/keys",
    fields=("cookieHeader", "cookieSource"),
    accounts=AccountKind.COOKIE,
    min_interval=300,
    deadline=70,
    strategies=(
        Strategy.web(from_web, Chosen(_session), falls_through=after_any_error),
        Strategy.api(from_api, ApiKey(env=("OLLAMA_API_KEY", "OLLAMA_KEY")), applies=unlabelled),
    ),
)
