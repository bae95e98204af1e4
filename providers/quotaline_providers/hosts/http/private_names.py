"""Plain HTTP to a name of the user's own network: looked up, checked, and connected to at the address that was checked.

A second look-up could lead elsewhere than the one that was checked, and would take the credential along.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar, Unpack
from urllib.parse import urlsplit

from pydantic import BaseModel

from quotaline_providers.access.endpoints import private_addresses
from quotaline_providers.contract import Http, Refusals, RequestOptions, Response

P = TypeVar("P", bound=BaseModel)
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host (and port). Raises OSError."""


async def looked_up(host: str, port: int) -> Sequence[str]:
    """The addresses that the system knows."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


async def pinned(url: str, resolve: Resolve) -> tuple[str, str]:
    """The URL with a checked address in place of its host, and the value of the `Host` header. Raises Misconfigured,
    OSError."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    address = private_addresses(host, await resolve(host, parts.port or 80))[0]
    place = f"[{address}]" if ":" in address else address
    return parts._replace(netloc=f"{place}:{parts.port or 80}").geturl(), parts.netloc


class Client(Http, Protocol):
    """A client that can be told to ask names of the own network, too."""

    async def reach(self, method: str, url: str, options: RequestOptions, *, private_names: bool = False) -> Response:
        """As `send`."""
        ...


class PrivateNames(Http):
    """Implements `contract.Http` for an entry with `allowPrivateHosts`: the same client, which also asks such names."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def send(self, method: str, url: str, **options: Unpack[RequestOptions]) -> Response:
        return await self._client.reach(method, url, options, private_names=True)

    def check(self, response: Response, refusals: Refusals | None = None) -> Response:
        return self._client.check(response, refusals)

    def parse(self, response: Response, model: type[P]) -> P:
        return self._client.parse(response, model)

    def retry_after(self, response: Response) -> datetime | None:
        return self._client.retry_after(response)
