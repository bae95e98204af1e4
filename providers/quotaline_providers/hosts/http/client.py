"""All access to the network: HTTPS with the system's certificates and proxies, a deadline, a cap, no cookies kept."""

from __future__ import annotations

import asyncio
import contextlib
import json as json_text
import ssl
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.cookiejar import CookieJar
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, Unpack
from urllib.parse import quote, urldefrag, urlencode, urljoin, urlsplit

from pydantic import BaseModel

from quotaline_providers.access.endpoints import check_address, needs_resolving, same_origin
from quotaline_providers.contract import Http, Refusals, RequestOptions, Response
from quotaline_providers.errors import BadResponse, Misconfigured, TimedOut
from quotaline_providers.hosts.http import responses
from quotaline_providers.hosts.http.body import ACCEPTED, collected
from quotaline_providers.hosts.http.failures import failure
from quotaline_providers.hosts.http.private_names import Resolve, looked_up, pinned
from quotaline_providers.hosts.http.proxies import Proxies, Proxy
from quotaline_providers.hosts.http.tls import trust_hint, trusting_anything, trusting_system
from quotaline_providers.secret import Secret

if TYPE_CHECKING:
    import httpx

P = TypeVar("P", bound=BaseModel)
Params = Mapping[str, str] | Sequence[tuple[str, str]]

MAX_REDIRECTS = 5
MAX_PER_HOST = 4
KEEP_SECONDS = 5.0
"""How long connections are kept after the last response."""


@dataclass(frozen=True)
class Outgoing:
    """One request as it goes out. `headers` keys are lower-case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    self_signed: bool = False
    pin: bool = False
    """Whether its host is a name that must lead into the private network."""

    @property
    def host(self) -> str:
        return responses.host_of(self.url)

    def redirected(self, response: Response) -> Outgoing | None:
        """The request that follows a redirect inside the same HTTPS origin; None when there is nothing to follow."""
        location = response.headers.get("location", "").strip()
        if response.status not in (301, 302, 303, 307, 308) or not location:
            return None
        try:
            target = urldefrag(urljoin(self.url, location)).url
            if not same_origin(self.url, target):
                return None
            check_address(target)
        except (ValueError, Misconfigured):
            return None
        becomes_get = (response.status == 303 and self.method != "HEAD") or (
            response.status in (301, 302) and self.method == "POST"
        )
        if not becomes_get:
            return replace(self, url=target)
        kept = {name: value for name, value in self.headers.items() if not name.startswith("content-")}
        return replace(self, method="GET", url=target, headers=kept, body=None)


class HttpClient(Http):
    """Implements `contract.Http`. Made cheaply; the HTTP library is imported, in a thread, at the first request."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        version: str = "0",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        resolve: Resolve = looked_up,
    ) -> None:
        self._environ = environ
        self._resolve = resolve
        self._user_agent = f"quotaline/{version}"
        self._clock = clock
        self._proxies: Proxies | None = None
        self._trust: ssl.SSLContext | None = None
        self._opening = asyncio.Lock()
        self._clients: dict[tuple[Proxy | None, bool], httpx.AsyncClient] = {}
        self._exchanges = 0
        self._idle_timer: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(MAX_PER_HOST))

    async def send(self, method: str, url: str, **options: Unpack[RequestOptions]) -> Response:
        return await self.reach(method, url, options)

    async def reach(self, method: str, url: str, options: RequestOptions, *, private_names: bool = False) -> Response:
        """As `send`, also over plain HTTP to a name whose every address is private."""
        check_address(url, private_names)
        self_signed, timeout = options.get("self_signed", False), options.get("timeout", 30)
        if self_signed and urlsplit(url).hostname not in ("127.0.0.1", "localhost"):
            raise Misconfigured("A self-signed certificate is accepted only from a server on this machine.")
        lines, body = _body(options.get("json"), options.get("form"), options.get("content"))
        lines.update(_headers(options.get("headers"), options.get("bearer"), options.get("cookie")))
        lines.setdefault("accept", "application/json")
        lines["accept-encoding"] = ACCEPTED
        lines.setdefault("user-agent", self._user_agent)
        request = Outgoing(method.upper(), _with_query(url, options.get("params")), lines, body, self_signed)
        request = replace(request, pin=needs_resolving(url))
        await self._open()
        self._begin_exchange()
        try:
            async with asyncio.timeout(timeout), self._turns[request.host]:
                return await self._follow(request)
        except TimeoutError:
            pass
        finally:
            self._end_exchange()
        raise TimedOut(f"{request.host} did not answer within {timeout:g} seconds.")

    def check(self, response: Response, refusals: Refusals | None = None) -> Response:
        error = responses.error_of(response, self._clock(), refusals or {})
        if error is not None:
            raise error
        return response

    def parse(self, response: Response, model: type[P]) -> P:
        return responses.parse(response, model)

    def retry_after(self, response: Response) -> datetime | None:
        return responses.retry_after(response, self._clock())

    async def close(self) -> None:
        """Close all connections."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)
        await self._close_connections()

    # --- idle connections -------------------------------------------------------------------------

    def _begin_exchange(self) -> None:
        self._exchanges += 1
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _end_exchange(self) -> None:
        """The next read is minutes away: connections (and the memory of their encryption) are not kept until then."""
        self._exchanges -= 1
        if self._exchanges == 0:
            self._idle_timer = asyncio.get_running_loop().call_later(KEEP_SECONDS, self._close_idle)

    def _close_idle(self) -> None:
        self._idle_timer = None
        task = asyncio.ensure_future(self._close_connections())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close_connections(self) -> None:
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()

    # --- one exchange ------------------------------------------------------------------------------

    async def _follow(self, request: Outgoing) -> Response:
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._exchange(request)
            following = request.redirected(answer)
            if following is None:
                return answer
            request = following
        raise BadResponse(f"{request.host} redirected the request too many times.")

    async def _exchange(self, request: Outgoing) -> Response:
        import httpx

        proxy = self._proxies.choose(request.url) if self._proxies else None
        try:
            client = self._client(proxy, request.self_signed)
            url, headers = request.url, dict(request.headers)
            if request.pin:
                url, headers["host"] = await pinned(url, self._resolve)
            outgoing = client.build_request(request.method, url, headers=list(headers.items()), content=request.body)
            response = await client.send(outgoing, stream=True, follow_redirects=False)
            try:
                return await _collect(request, response)
            finally:
                await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            failed = failure(error, request.host, proxy, self._clock(), trust_hint(self._environ))
        # Raised out here so that the library's own error, which holds the request, is not kept with it.
        raise failed

    def _client(self, proxy: Proxy | None, self_signed: bool) -> httpx.AsyncClient:
        import httpx

        key = (proxy, self_signed)
        if key not in self._clients:
            self._clients[key] = httpx.AsyncClient(
                verify=trusting_anything() if self_signed else self._trust or True,
                proxy=httpx.Proxy(proxy.address, auth=proxy.login) if proxy else None,
                trust_env=False,
                cookies=_no_cookies(),
                follow_redirects=False,
                timeout=None,  # noqa: S113  (the deadline of `send` is for the whole exchange)
                limits=httpx.Limits(max_connections=100, max_keepalive_connections=10, keepalive_expiry=1),
            )
        return self._clients[key]

    async def _open(self) -> None:
        if self._trust is None:
            async with self._opening:
                if self._trust is None:
                    self._trust, self._proxies = await asyncio.to_thread(self._prepare)

    def _prepare(self) -> tuple[ssl.SSLContext, Proxies]:
        # All of it in this thread: each of these would be imported by the next one's first use, in the event loop.
        for library in ("httpx", "httpcore", "anyio._backends._asyncio"):
            with contextlib.suppress(ImportError):
                import_module(library)
        return trusting_system(self._environ), Proxies.of(self._environ)


# --- what goes out ---------------------------------------------------------------------------------


def _headers(headers: Mapping[str, str] | None, bearer: Secret | None, cookie: Secret | None) -> dict[str, str]:
    lines = {name.lower(): value for name, value in (headers or {}).items()}
    if bearer is not None:
        lines["authorization"] = f"Bearer {bearer.reveal()}"
    if cookie is not None:
        lines["cookie"] = cookie.reveal()
    for name, value in lines.items():
        # The library would name the value in its own error.
        if not value.isascii() or any(ord(character) < 32 or ord(character) == 127 for character in value):
            raise Misconfigured(
                f"The value of the header {name} contains characters that cannot be sent.",
                "Enter the credential again; extra characters may have been copied with it.",
            )
        lines[name] = value.strip()
    return lines


def _body(
    json: object, form: Mapping[str, str | Secret] | None, content: bytes | None
) -> tuple[dict[str, str], bytes | None]:
    if content is not None:
        return {}, content
    try:
        if json is not None:
            text = json_text.dumps(json, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            return {"content-type": "application/json"}, text.encode()
        if form is not None:
            fields = {name: value.reveal() if isinstance(value, Secret) else value for name, value in form.items()}
            return {"content-type": "application/x-www-form-urlencoded"}, urlencode(fields, quote_via=quote).encode()
        return {}, None
    except ValueError:  # an environment variable may hold bytes that are no text
        raise Misconfigured("A value in the request contains characters that cannot be sent.") from None


def _with_query(url: str, params: Params | None) -> str:
    if not params:
        return url
    pairs = params.items() if isinstance(params, Mapping) else params
    return f"{url}{'&' if '?' in url else '?'}{urlencode(list(pairs), quote_via=quote)}"


def _no_cookies() -> CookieJar:
    class NoCookies(CookieJar):
        """Keeps nothing, so that no provider's session meets another's."""

        def extract_cookies(self, response: Any, request: Any) -> None:
            pass

    return NoCookies()


# --- what comes back -------------------------------------------------------------------------------


async def _collect(request: Outgoing, response: httpx.Response) -> Response:
    body = await collected(request.host, response.headers.get("content-encoding", ""), response.aiter_raw())
    return Response(
        status=response.status_code,
        headers={name.lower(): value for name, value in response.headers.items()},
        body=body,
        url=request.url,
        set_cookies=tuple(response.headers.get_list("set-cookie")),
    )
