"""Amp's settings page, read as a signed-in browser does."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from quotaline_providers import Context, Credential, ExpiredCredential, Refusal, Usage
from quotaline_providers.fetching.browser_page import browser_headers, page, redirect_of
from quotaline_providers.vendors.amp.credentials import SITE
from quotaline_providers.vendors.amp.mapping import to_usage
from quotaline_providers.vendors.amp.payloads import SIGN_IN, parse_page

DOMAIN = "ampcode.com"
SETTINGS = f"{SITE}/settings"
SECONDS = 15.0
ENDED = Refusal(ExpiredCredential, "The Amp session of this cookie has ended.", SIGN_IN)
REFUSALS = {401: ENDED, 403: ENDED}
_RETURN = re.compile(r"(?:returnto|redirect|redirectto)=", re.IGNORECASE)


def is_sign_in(url: str) -> bool:
    """Whether an address is one of Amp's sign-in pages."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("https", "http") or not (host == DOMAIN or host.endswith(f".{DOMAIN}")):
        return False
    segments = {segment.lower() for segment in parts.path.split("/")}
    if host == f"auth.{DOMAIN}" or segments & {"login", "signin", "sign-in"}:
        return True
    return "auth" in segments and _RETURN.search(parts.query) is not None


async def from_web(ctx: Context, cookie: Credential) -> Usage:
    """The free allowance. Raises ReadError."""
    headers = browser_headers(SITE, SETTINGS)
    response = await page(ctx, SETTINGS, cookie.secret, DOMAIN, headers, stop=is_sign_in, timeout=SECONDS)
    if is_sign_in(redirect_of(response) or response.url):
        raise ENDED.raised(response.status)
    return to_usage(parse_page(ctx.http.check(response, REFUSALS).text), ctx.now)
