"""What a simulated vendor expects and what it answers: requests, routes, vendors."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from quotaline_providers.testing.simulator.certificates import Certificate

Misbehaviour = Literal["cut", "drip", "huge", "garbage", "refuse"]


@dataclass(frozen=True)
class Request:
    """One request as the vendor saw it. `headers` keys are lower-case; `query` keeps the last of a repeated name."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(self.query_pairs)

    @property
    def query_pairs(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body as JSON; None when it is something else."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.text, keep_blank_values=True))


@dataclass(frozen=True)
class Reply:
    """One answer of a route, after `delay` seconds, well-behaved or not."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b"{}"
    delay: float = 0
    misbehaviour: Misbehaviour | None = None
    made: Callable[[Request], object] | None = None

    def head(self, *framing: tuple[str, str]) -> bytes:
        """The status line and headers, ending in the empty line."""
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = "Unknown"
        lines = [f"HTTP/1.1 {self.status} {phrase}", *(f"{name}: {value}" for name, value in (*self.headers, *framing))]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@dataclass(frozen=True)
class Expectation:
    """What a request must look like. None leaves a part open. Query, JSON and form must be equal; of the headers
    only those named are looked at (None as a value: must be absent)."""

    bearer: str | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    query: Mapping[str, str] | None = None
    json: object = None
    form: Mapping[str, str] | None = None
    cookie: str | None = None
    body: bytes | None = None

    def differences(self, request: Request) -> Iterator[str]:
        """A line for each part that does not fit."""
        wanted = {name.lower(): value for name, value in self.headers.items()}
        if self.bearer is not None:
            wanted["authorization"] = f"Bearer {self.bearer}"
        if self.cookie is not None:
            wanted["cookie"] = self.cookie
        pairs: list[tuple[str, object, object]] = [
            (f"header {name}", value, request.headers.get(name)) for name, value in wanted.items()
        ]
        if self.query is not None:
            pairs.append(("query", dict(self.query), request.query))
        if self.json is not None:
            pairs.append(("json", self.json, request.json))
        if self.form is not None:
            pairs.append(("form", dict(self.form), request.form))
        if self.body is not None:
            pairs.append(("body", self.body, request.body))
        return (f"{part}: expected {wish!r}, got {got!r}" for part, wish, got in pairs if wish != got)


class Route:
    """One method and path of a vendor. Answers queue up; the last one is repeated."""

    def __init__(self, vendor: Vendor, method: str, path: str, expectation: Expectation) -> None:
        self.vendor = vendor
        self.method = method
        self.path = path
        self.expectation = expectation
        self.requests: list[Request] = []
        self._replies: deque[Reply] = deque()
        self._delay = 0.0

    @property
    def count(self) -> int:
        """How many requests fitted this route."""
        return len(self.requests)

    def answers(self, **fields: object) -> Route:
        """A JSON object with these fields."""
        return self.answers_json(fields)

    def answers_json(self, value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Route:
        """Any JSON value."""
        return self.answers_bytes(json.dumps(value).encode(), status, {"Content-Type": "application/json"}, headers)

    def answers_text(self, text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Route:
        """A text; one that begins with `<` is sent as HTML."""
        kind = "text/html" if text.lstrip().startswith("<") else "text/plain"
        return self.answers_bytes(text.encode(), status, {"Content-Type": f"{kind}; charset=utf-8"}, headers)

    def answers_bytes(
        self,
        body: bytes,
        status: int = 200,
        default_headers: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Route:
        """Any bytes. `headers` replace the defaults of the same name."""
        merged = {name.lower(): (name, value) for name, value in (default_headers or {}).items()}
        merged |= {name.lower(): (name, value) for name, value in (headers or {}).items()}
        return self._add(Reply(status, tuple(merged.values()), body))

    def answers_with(self, make: Callable[[Request], object]) -> Route:
        """A JSON value made from the request."""
        return self._add(Reply(headers=(("Content-Type", "application/json"),), made=make))

    def fails(self, status: int, headers: Mapping[str, str] | None = None, json: object = None) -> Route:
        """An error with a JSON body."""
        return self.answers_json({"error": "simulated failure"} if json is None else json, status, headers)

    def bars(self, status: int = 403, headers: Mapping[str, str] | None = None) -> Route:
        """The page of a filter or a bot check in place of an answer."""
        return self.answers_text("<!DOCTYPE html><title>Access denied</title>", status, headers)

    def redirects(self, to: str, status: int = 302) -> Route:
        """A redirect."""
        return self.answers_bytes(b"", status, {"Location": to})

    def delays(self, seconds: float) -> Route:
        """The next answer that is added comes only after this time."""
        self._delay = seconds
        return self

    def misbehaves(self, how: Misbehaviour) -> Route:
        """`cut` (ends before its length), `drip` (a byte a second), `huge` (above 8 MiB), `garbage` (no JSON),
        `refuse` (no connection to the whole host)."""
        if how == "refuse":
            self.vendor.refuses()
            return self
        return self._add(Reply(headers=(("Content-Type", "application/json"),), misbehaviour=how))

    def take(self, request: Request) -> Reply:
        """The answer to a request, which is recorded."""
        self.requests.append(request)
        if not self._replies:
            return Reply(headers=(("Content-Type", "application/json"),))
        return self._replies.popleft() if len(self._replies) > 1 else self._replies[0]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def _add(self, reply: Reply) -> Route:
        self._replies.append(replace(reply, delay=self._delay))
        self._delay = 0.0
        return self


class Vendor:
    """A simulated host. `url` is its address; for loopback hosts the one with the simulator's port."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url
        self.routes: list[Route] = []
        self.requests: list[Request] = []
        self.connections = 0
        self.certificate = Certificate.GOOD
        self.refusing = False

    def get(self, path: str, **expectations: Any) -> Route:
        return self.on("GET", path, **expectations)

    def post(self, path: str, **expectations: Any) -> Route:
        return self.on("POST", path, **expectations)

    def on(self, method: str, path: str, **expectations: Any) -> Route:
        """A route for any method. A query in `path` is an expectation, too."""
        parts = urlsplit(path)
        if parts.query:
            expectations.setdefault("query", dict(parse_qsl(parts.query, keep_blank_values=True)))
        route = Route(self, method.upper(), parts.path, Expectation(**expectations))
        self.routes.append(route)
        return route

    def untrusted(self) -> Vendor:
        """Its certificate is from an authority nobody trusts."""
        return self.shows(Certificate.UNTRUSTED)

    def shows(self, kind: Certificate) -> Vendor:
        """Its certificate is of this kind."""
        self.certificate = kind
        return self

    def refuses(self) -> Vendor:
        """No connection to it can be made."""
        self.refusing = True
        return self

    @property
    def count(self) -> int:
        """How many requests reached it, expected or not."""
        return len(self.requests)

    def answer(self, request: Request) -> tuple[Reply, str | None]:
        """The reply, and what was wrong with the request when no route fits it."""
        self.requests.append(request)
        near: list[str] = []
        for route in self.routes:
            if (route.method, route.path) == (request.method, request.path):
                differences = tuple(route.expectation.differences(request))
                if not differences:
                    return route.take(request), None
                near += [f"  does not fit {route}:", *(f"    {line}" for line in differences)]
        if not near:
            known = ", ".join(map(str, self.routes)) or "none"
            near = [f"  no such route; the routes are: {known}"]
        problem = "\n".join((f"{request.method} {self.name}{request.target}", *near))
        body = json.dumps({"simulator": "no route fits this request", "problem": problem}).encode()
        return Reply(418, (("Content-Type", "application/json"),), body), problem
