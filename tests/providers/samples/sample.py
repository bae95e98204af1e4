"""What a sample is: a strategy, its credential (always made of `KEY`), and what its vendor answers on each path."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from quotaline_providers.errors import BadResponse, ExpiredCredential, Forbidden, RateLimited, ReadError, Unavailable
from quotaline_providers.model import Usage

Refusals = Mapping[int, type[ReadError] | None]
"""The error a read raises when every request is answered with this HTTP status; None when there is a usage anyway."""
UNREADABLE = 200
"""In `Refusals`: a good status with a body that is no answer (nothing, a web page, half of a JSON text)."""
USUAL: Refusals = {
    401: ExpiredCredential,
    403: Forbidden,
    404: BadResponse,
    429: RateLimited,
    500: Unavailable,
    UNREADABLE: BadResponse,
}
"""What refusals mean unless a sample says otherwise."""
REFUSED_KEY: Refusals = {403: ExpiredCredential}
"""Where a 403 means the credential itself."""
SIGN_IN_FIRST: Refusals = dict.fromkeys((401, 403, 404, UNREADABLE), ExpiredCredential)
"""Where a page must show that the user is signed in, which only an outage leaves open."""

KEY = "planted-credential-4f1c9b"
"""The secret that every sample's credential is made of."""
ID_TOKEN = "e30.eyJlbWFpbCI6ICJhZGFAbGFiLnRlc3QifQ.x"
"""A vendor's identity token: ada@lab.test."""


@dataclass(frozen=True)
class Exchange:
    """What a vendor answers. `path` may have a query that the request's begins with, else that does not matter; one
    that ends in `*` stands for all that begin like it."""

    method: str
    host: str
    path: str
    body: object

    def fits(self, method: str, host: str, path: str, query: str = "") -> bool:
        if (method, host) != (self.method, self.host):
            return False
        if "?" in self.path:
            return f"{path}?{query}".startswith(self.path)
        return path.startswith(self.path[:-1]) if self.path.endswith("*") else path == self.path

    @property
    def bytes(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Sample:
    """One strategy, by provider and label. `files` are below the home folder; a text as it is, else JSON.

    `refusals` says what this vendor's refusals mean where that differs from `USUAL`, `barred` what besides
    `Unavailable` may come of a web page in place of every answer.
    """

    provider: str
    strategy: str
    exchanges: tuple[Exchange, ...]
    environ: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, object] = field(default_factory=dict)
    files: Mapping[str, object] = field(default_factory=dict)
    refusals: Refusals = field(default_factory=dict)
    barred: tuple[type[ReadError | Usage], ...] = ()

    @property
    def id(self) -> str:
        return f"{self.provider}-{self.strategy}".replace(" ", "-")


def get(address: str, body: object) -> Exchange:
    host, _, path = address.partition("/")
    return Exchange("GET", host, f"/{path}", body)


def post(address: str, body: object) -> Exchange:
    host, _, path = address.partition("/")
    return Exchange("POST", host, f"/{path}", body)


def keyed(
    provider: str,
    variable: str,
    *exchanges: Exchange,
    strategy: str = "api",
    refusals: Refusals | None = None,
    **environ: str,
) -> Sample:
    """A strategy with its key in an environment variable."""
    return Sample(provider, strategy, exchanges, environ={variable: KEY, **environ}, refusals=refusals or {})
