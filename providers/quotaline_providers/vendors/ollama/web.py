"""The session's and the week's usage, from the settings page, read with a browser's cookie."""

from __future__ import annotations

from urllib.parse import urlsplit

from quotaline_providers import Context, Credential, ExpiredCredential, Refusal, Refusals, Response, Usage
from quotaline_providers.fetching.browser_page import browser_headers, page, redirect_of
from quotaline_providers.vendors.ollama.mapping import SIGN_IN, page_usage

SITE = "https://ollama.com"
DOMAIN = "ollama.com"
SETTINGS = f"{SITE}/settings"
SECONDS = 20.0

SIGNED_OUT = Refusal(ExpiredCredential, "The Ollama session of this cookie has ended.", SIGN_IN)
REFUSALS: Refusals = {401: SIGNED_OUT, 403: SIGNED_OUT}


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
    if is_sign_in(redirect_of(response) or response.url):
        raise SIGNED_OUT.raised(response.status)
    return ctx.http.check(response, REFUSALS)


async def from_web(ctx: Context, cookie: Credential) -> Usage:
    """The usage on the settings page. Raises ReadError."""
    headers = browser_headers(SITE, SETTINGS)
    response = await page(ctx, SETTINGS, cookie.secret, DOMAIN, headers, stop=is_sign_in, timeout=SECONDS)
    return page_usage(_signed_in(ctx, response).text, ctx.now)
