"""A vendor's web page, fetched as the browser does that the cookie was copied from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urljoin, urlsplit

from quotaline_providers.contract import Context, Response
from quotaline_providers.errors import BadResponse
from quotaline_providers.secret import Secret

CHROME = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/143.0.0.0 Safari/537.36"
)
HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
LANGUAGE = "en-US,en;q=0.9"
MAX_HOPS = 5


def browser_headers(origin: str, referer: str, accept: str = HTML) -> dict[str, str]:
    """What a browser on the page `referer` sends with a request to its own site."""
    return {
        "Accept": accept,
        "Accept-Language": LANGUAGE,
        "Origin": origin,
        "Referer": referer,
        "User-Agent": CHROME,
    }


def belongs_to(url: str, domain: str) -> bool:
    """Whether this is an HTTPS address of the domain or of a host below it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    host = (parts.hostname or "").lower()
    return parts.scheme == "https" and (host == domain or host.endswith(f".{domain}"))


async def page(
    ctx: Context,
    url: str,
    cookie: Secret,
    domain: str,
    headers: Mapping[str, str],
    stop: Callable[[str], bool] = lambda target: False,
    timeout: float = 20,
) -> Response:
    """GET a page, following redirects also to other hosts; only HTTPS hosts of the domain ever get the cookie.

    A redirect to an address that is not HTTPS, or where `stop` says so, is the answer; `Response.url` tells where it
    came from. Raises as `Http.send`; BadResponse for too many redirects.
    """
    lines = dict(headers)
    for _ in range(MAX_HOPS + 1):
        allowed = cookie if belongs_to(url, domain) else None
        response = await ctx.http.send("GET", url, headers=lines, cookie=allowed, timeout=timeout)
        target = redirect_of(response)
        if target is None or not target.startswith("https://") or stop(target):
            return response
        lines["referer"], url = response.url, target
    raise BadResponse("The vendor's page redirected too many times.")


def redirect_of(response: Response) -> str | None:
    """The address an answer redirects to; None when it does not."""
    location = response.headers.get("location", "").strip()
    if response.status not in (301, 302, 303, 307, 308) or not location:
        return None
    try:
        return urljoin(response.url, location)
    except ValueError:
        return None
