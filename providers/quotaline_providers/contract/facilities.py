"""Host facilities as strategies see them: the only ways to the world outside."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TypedDict, TypeVar, TypeVarTuple, Unpack

from pydantic import BaseModel

from quotaline_providers.errors import RateLimited, ReadError
from quotaline_providers.secret import Secret

T = TypeVar("T")
P = TypeVar("P", bound=BaseModel)
Ts = TypeVarTuple("Ts")


_CHALLENGES = ("cf-mitigated", "x-vercel-mitigated")
_FIREWALL = re.compile(rb"\s*error code: 1\d{3}\s*\Z")


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer, whatever its status. `headers` keys are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    set_cookies: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_page(self) -> bool:
        """Whether the body is a web page."""
        return self.body.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")

    @property
    def is_barred(self) -> bool:
        """Whether something on the way refused the request, so that the answer says nothing of the credential: a web
        page with 401 or 403 (a filter), a bot check, a proxy that asks for a password, a network that asks to sign in.
        """
        page = self.status in (401, 403) and self.is_page
        return page or self.is_challenge or self.status in (407, 511)

    @property
    def is_challenge(self) -> bool:
        """Whether a bot check answered in the vendor's place. Cloudflare's firewall does so in plain text, too."""
        if self.ok:
            return False
        return any(name in self.headers for name in _CHALLENGES) or _FIREWALL.match(self.body) is not None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What one refusal of a vendor means: the error to raise and its texts. `{status}` in the message is filled in."""

    error: type[ReadError]
    message: str
    hint: str = ""

    def raised(self, status: int, until: datetime | None = None) -> ReadError:
        """The error. `until` is when a rate limit ends."""
        message = self.message.format(status=status)
        if issubclass(self.error, RateLimited):
            return self.error(message, self.hint, until=until)
        return self.error(message, self.hint)


HTML = 0
"""In `Refusals`: a web page in place of data, whatever its status."""
Refusals = Mapping[int, Refusal]
"""What a vendor's refusals mean, by HTTP status. `fetching.refusals` has the usual ones."""


class RequestOptions(TypedDict, total=False):
    """How a request is sent. The body is one of `json`, `form` and `content`.

    A request asks for JSON unless `headers` hold another `Accept`.
    """

    headers: Mapping[str, str] | None
    bearer: Secret | None
    """Sent as `Authorization: Bearer ...`."""
    cookie: Secret | None
    """Sent as the `Cookie` header."""
    params: Mapping[str, str] | Sequence[tuple[str, str]] | None
    """The query."""
    json: object
    form: Mapping[str, str | Secret] | None
    content: bytes | None
    """Raw bytes; give their `Content-Type` in `headers`."""
    self_signed: bool
    """Accept any certificate, and only from `127.0.0.1` and `localhost`."""
    timeout: float
    """Seconds for the whole exchange (30)."""


class Http(Protocol):
    """The only way to the network. Every call has a deadline for the whole exchange.

    Raises Unavailable (DNS, TLS, refused, cut), TimedOut, BadResponse (too large), Misconfigured (unsafe address).
    Redirects are followed only inside the same HTTPS origin; any other 3xx is the response.
    """

    async def send(self, method: str, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Send one request and return the response whatever its status."""
        ...

    async def get(
        self, url: str, model: type[P], *, refusals: Refusals | None = None, **options: Unpack[RequestOptions]
    ) -> P:
        """GET, check and parse. Raises as `check` and `parse` do, too."""
        return self.parse(self.check(await self.send("GET", url, **options), refusals), model)

    async def post(
        self, url: str, model: type[P], *, refusals: Refusals | None = None, **options: Unpack[RequestOptions]
    ) -> P:
        """POST, check and parse. Raises as `check` and `parse` do, too."""
        return self.parse(self.check(await self.send("POST", url, **options), refusals), model)

    def check(self, response: Response, refusals: Refusals | None = None) -> Response:
        """The response if 2xx; else raises Unavailable for one that `is_barred`, then what `refusals` say of its
        status, and without a word there ExpiredCredential (401), Forbidden (403), RateLimited (429, with the time its
        `Retry-After` gives), Unavailable (5xx) or BadResponse (anything else)."""
        ...

    def parse(self, response: Response, model: type[P]) -> P:
        """The body as this model. Raises BadResponse, with its own sentence for an HTML page."""
        ...

    def retry_after(self, response: Response) -> datetime | None:
        """When the response's `Retry-After` (seconds or date) allows the next request; None when absent or past."""
        ...


@dataclass(frozen=True, slots=True)
class Finished:
    """How a child program ended. `exit_code` is None when it was killed at its deadline or idle limit."""

    exit_code: int | None
    stdout: str
    stderr: str
    idled: bool = False


class Conversation(Protocol):
    """A running child program that is talked to. Leaving its `async with` ends its whole process group."""

    async def write(self, data: str) -> None:
        """Send text to the program. Raises Unavailable when it is gone."""
        ...

    async def read(self, timeout: float) -> str | None:
        """Whatever it printed next, waiting at most `timeout` seconds. None at its end. Raises TimedOut."""
        ...

    async def read_line(self, timeout: float) -> str | None:
        """The next line without its end (pipes only). None at its end. Raises TimedOut, BadResponse (line too long)."""
        ...

    @property
    def stderr(self) -> str:
        """What it wrote to its standard error so far (bounded)."""
        ...


class Processes(Protocol):
    """Child programs: no shell, own process group, a deadline, capped output, no other provider's secrets around.

    A program gets the user's variables that any program needs (folders, locale, proxies, certificates, display). `env`
    adds others (`Context.variables` has the user's own); a None value removes one. Raises MissingProgram when the
    program cannot be started, TimedOut at the deadline (after the whole group is gone).
    """

    def find(self, name: str, *, env: str | None = None, places: Sequence[Path] = ()) -> Path | None:
        """The program: the executable an environment variable names, else on PATH, else in one of the places."""
        ...

    async def run(
        self,
        argv: Sequence[str | Path],
        *,
        timeout: float,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        input: str | None = None,
        idle: float | None = None,
        pty: tuple[int, int] | None = None,
        grace: float = 1.0,
        on_output: Callable[[], None] | None = None,
    ) -> Finished:
        """Run to the end. `idle` ends it (normally) after that many seconds without output once some came;
        `pty` (rows, columns) runs it in a pseudo-terminal (its output is all in `stdout`); `on_output` is called as
        soon as it has printed anything."""
        ...

    def talk(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        pty: tuple[int, int] | None = None,
        grace: float = 1.0,
    ) -> AbstractAsyncContextManager[Conversation]:
        """Start it and talk to it over pipes, or in a pseudo-terminal of (rows, columns)."""
        ...

    @property
    def has_pty(self) -> bool:
        """Whether this system has pseudo-terminals."""
        ...


class Files(Protocol):
    """Reading files off the event loop. Raises FileNotFoundError, OSError; ValueError above the size limit."""

    async def read(self, path: Path, limit: int = 8 << 20) -> str:
        """The file's text (UTF-8, wrong bytes replaced)."""
        ...

    async def read_json(self, path: Path, limit: int = 8 << 20) -> Any:
        """The file's JSON. Raises ValueError when it is not JSON."""
        ...

    async def replace(self, path: Path, text: str) -> None:
        """Replace a file in one step, readable by the user alone."""
        ...

    async def change(self, path: Path, change: Callable[[str], str | None]) -> bool:
        """Replace another program's text with what `change` makes of it (None leaves it), unless that program writes
        the file meanwhile. Whether it was replaced. `change` runs in a thread."""
        ...

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run a function that waits for the disk off the event loop (one that computes holds it up all the same)."""
        ...

    async def in_worker(self, function: Callable[[*Ts], T], *arguments: *Ts, timeout: float) -> T:
        """Run a function that computes (parsing many or large files) in a process of its own.

        The function is one of a module; arguments, result and errors can be pickled and are small. A worker keeps what
        its modules hold for the next call, but not for long. Raises what the function raises, TimedOut after `timeout`
        seconds of work, and Unavailable when the process is lost.
        """
        ...


class Databases(Protocol):
    """Other programs' SQLite files, opened read-only with their write-ahead log visible."""

    async def rows(self, path: Path, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows, at most 10,000. Raises FileNotFoundError; sqlite3.Error when it is not a database, stays locked for
        250 ms, or does not answer within 10 seconds."""
        ...


class KeyringState(StrEnum):
    """How the keyring answered last."""

    READY = "ready"
    NONE = "none"
    """No keyring works here."""
    LOCKED = "locked"
    """It would have to ask for a password or a permission, or was not given it."""
    SILENT = "silent"
    """It did not answer in time."""
    FAILED = "failed"


class Keyring(Protocol):
    """The OS keyring. Quotaline's own entries live under service `quotaline`."""

    @property
    def state(self) -> KeyringState:
        """How it answered last: why an entry was not given."""
        ...

    async def get(self, service: str, account: str) -> Secret | None:
        """Another program's (or our own) entry, by the names that the program uses on every system; None when absent or
        when no keyring works. It may ask the user, but only in a read that they asked for; never used in detection."""
        ...

    def labels(self, provider: str) -> tuple[str, ...]:
        """Labels of the credentials the user gave for this provider (`""` is the unlabelled one). Asks no keyring."""
        ...

    async def own(self, provider: str, label: str = "") -> Secret | None:
        """A credential the user gave us."""
        ...


class Browsers(Protocol):
    """What browsers, and programs built on one (Electron), keep on this machine. Only read, never written."""

    def decryptor(self, password: Secret) -> Callable[[bytes], bytes]:
        """Decrypts values that such a program encrypted with a key derived from this password (on macOS the Keychain's
        item `<Name> Safe Storage`). Calling it raises ValueError for a value encrypted in another way or with another
        key, and MissingProgram when the extra `browser` is not installed."""
        ...


class Memory(Protocol):
    """Small notes a provider keeps across restarts, shared by all sidecars. Never a secret; keys may be digests."""

    async def get(self, key: str) -> str | None: ...

    async def set(self, key: str, value: str, until: datetime | None = None) -> None:
        """Keep a note, for ever or until a time."""
        ...

    async def forget(self, key: str) -> None: ...
