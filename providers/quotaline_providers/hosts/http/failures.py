"""What it means when no answer came: the library's errors as sentences that name the cause and what to do."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

from quotaline_providers.access.clock import SET_CLOCK
from quotaline_providers.errors import BadResponse, Misconfigured, ReadError, Unavailable
from quotaline_providers.hosts.http.proxies import Proxy

EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
"""A clock before this is wrong: the program did not exist."""
_ONLINE = "Check the network connection."
# OpenSSL's codes, then those of macOS and Windows, as unsigned numbers.
_NOT_YET_VALID = (9, -67819 & 0xFFFFFFFF)
_EXPIRED = (10, -67818 & 0xFFFFFFFF, 0x800B0101)
_OTHER_HOST = (62, 64, -67602 & 0xFFFFFFFF, 0x800B010F)


def failure(error: Exception, host: str, proxy: Proxy | None, now: datetime, trust_hint: str) -> ReadError:
    """Why a request to `host` had no answer. `trust_hint` says what to do about an authority that is not known."""
    import httpx

    causes = tuple(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate(cause.verify_code, host, proxy, now, trust_hint)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return Unavailable(
            f"A secure connection to {host} could not be established.",
            proxy.hint if proxy else "A filter or firewall may be in the way: try another network.",
        )
    if isinstance(error, httpx.ProxyError):
        return _proxy(str(error), host, proxy)
    target, hint = (proxy.words, proxy.hint) if proxy else (host, "")
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        named = target[0].lower() + target[1:] if proxy else host
        return Unavailable(f"The address of {named} could not be found.", hint or _ONLINE)
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return Unavailable(f"{target} refused the connection.", hint)
    if isinstance(error, httpx.DecodingError):
        return BadResponse(f"{host} returned data that cannot be decompressed.")
    if isinstance(error, httpx.NetworkError | httpx.ProtocolError) and not isinstance(error, httpx.ConnectError):
        return Unavailable(f"The connection to {host} was closed before the response was complete.")
    if isinstance(error, httpx.HTTPError | OSError):
        return Unavailable(f"{target} could not be reached.", hint or _ONLINE)
    return Misconfigured(f"The request to {host} cannot be sent as it is.", "Check the address and the credential.")


def _certificate(code: int, host: str, proxy: Proxy | None, now: datetime, trust_hint: str) -> Unavailable:
    whose = f"{host} (or of {proxy.words[0].lower()}{proxy.words[1:]})" if proxy and proxy.secure else host
    code, date = code & 0xFFFFFFFF, f"{now.astimezone():%d %B %Y}".lstrip("0")
    if code in (*_EXPIRED, *_NOT_YET_VALID) and now < EARLIEST:
        return Unavailable(
            f"The certificate of {whose} cannot be checked: this computer's clock says {date}, which is wrong.",
            SET_CLOCK,
        )
    if code in _EXPIRED:
        return Unavailable(
            f"The certificate of {whose} has expired.",
            f"This computer's date is {date}. If that is right, whoever runs the server must renew the certificate; "
            "else set the date and time.",
        )
    if code in _NOT_YET_VALID:
        return Unavailable(
            f"The certificate of {whose} is not valid yet.",
            f"This computer's date is {date}; its clock is most likely behind. {SET_CLOCK}",
        )
    if code in _OTHER_HOST:
        return Unavailable(
            f"The certificate shown for {whose} belongs to another host.",
            "A filter, a proxy or the sign-in page of the network may answer in its place. "
            + (proxy.hint if proxy else f"Open https://{host} in your browser, or use another network."),
        )
    return Unavailable(f"The certificate of {whose} is not trusted on this computer.", trust_hint)


def _proxy(said: str, host: str, proxy: Proxy | None) -> Unavailable:
    """`said` is the library's text: it begins with the proxy's status, or tells how a SOCKS proxy refused."""
    if proxy is None:
        return Unavailable(f"A proxy did not allow the connection to {host}.")
    status = re.match(r"\d{3}\b", said)
    if (status and status[0] == "407") or "username/password" in said.lower():
        asked = "refused the user name and password" if proxy.login else "asks for a user name and password"
        number = " (HTTP 407)" if status else ""
        return Unavailable(f"{proxy.words} {asked}{number}.", proxy.login_hint)
    number = f" (HTTP {status[0]})" if status else ""
    return Unavailable(f"{proxy.words} did not allow the connection to {host}{number}.", proxy.hint)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that led to it."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [cause for cause in (current.__cause__, current.__context__) if cause is not None]
        if isinstance(current, BaseExceptionGroup):
            waiting += current.exceptions
