"""What a provider is, and what its strategies are handed: the contract between vendors and everything else.

A provider module ends in one `PROVIDER = Provider(...)` value whose strategies pair a *lookup* (how to find what
lets us in) with a *fetch* (a coroutine from a context and what was found to a `Usage`).
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Generic, Protocol, TypedDict, TypeVar, TypeVarTuple, Unpack

from pydantic import BaseModel

from quotaline_providers.errors import FALL_THROUGH, RateLimited, ReadError
from quotaline_providers.model import Lane, Usage, Window
from quotaline_providers.parsing.payload import clean
from quotaline_providers.secret import Secret
from quotaline_providers.settings import AUTO, ProviderSettings, Source, SourceChoice

T = TypeVar("T")
U = TypeVar("U")
T_co = TypeVar("T_co", covariant=True)
P = TypeVar("P", bound=BaseModel)
Ts = TypeVarTuple("Ts")

# --- host facilities, as strategies see them -------------------------------------------------------


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
        ...

    async def post(
        self, url: str, model: type[P], *, refusals: Refusals | None = None, **options: Unpack[RequestOptions]
    ) -> P:
        """POST, check and parse. Raises as `check` and `parse` do, too."""
        ...

    def check(self, response: Response, refusals: Refusals | None = None) -> Response:
        """The response if 2xx; else raises what `refusals` say of its status, and without a word there
        ExpiredCredential (401), Forbidden (403), RateLimited (429, with the time its `Retry-After` gives),
        Unavailable (5xx) or BadResponse (anything else)."""
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

    `env` adds variables; a None value removes one. Raises MissingProgram when the program cannot be started,
    TimedOut at the deadline (after the whole group is gone).
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
        heard: Callable[[], None] | None = None,
    ) -> Finished:
        """Run to the end. `idle` ends it (normally) after that many seconds without output once some came;
        `pty` (rows, columns) runs it in a pseudo-terminal (its output is all in `stdout`); `heard` is called as soon
        as it has printed anything."""
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
        """The file's JSON. Raises ValueError when it is none."""
        ...

    async def replace(self, path: Path, text: str) -> None:
        """Replace a file in one step, readable by the user alone."""
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
        """All rows. Raises FileNotFoundError; sqlite3.Error when it is no database or stays locked for 250 ms."""
        ...


class Keyring(Protocol):
    """The OS keyring. Quotaline's own entries live under service `quotaline`."""

    async def get(self, service: str, account: str) -> Secret | None:
        """Another program's (or our own) entry; None when absent or when no keyring works. May prompt: never used
        in detection."""
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


# --- what a strategy is handed ---------------------------------------------------------------------


@dataclass(frozen=True)
class Account:
    """The one account that is being read, when there are several. `token` replaces every ambient credential; an account
    of `Provider.profiles` has no token but the folder (`home`) in which a program keeps its login."""

    label: str
    token: Secret | None = None
    id: str | None = None
    external_identifier: str | None = None
    usage_scope: str | None = None
    organization_id: str | None = None
    workspace_id: str | None = None
    home: Path | None = None


@dataclass(frozen=True, slots=True)
class Profiles:
    """Accounts whose logins a program keeps in folders of their own. `usual` says whether the usual one is there too.

    `active` is the label of the one the user chose (`""` is the usual one), None when nobody chose.
    """

    accounts: tuple[Account, ...] = ()
    usual: bool = True
    active: str | None = None


@dataclass(frozen=True)
class Context:
    """Everything a strategy may touch. `interactive` is true when the user asked for a read of this
    moment (a refresh, not a look or a timer): only then may anything prompt. `source` is what this run may use."""

    provider: str
    settings: ProviderSettings
    environ: Mapping[str, str]
    home: Path
    http: Http
    processes: Processes
    files: Files
    databases: Databases
    keyring: Keyring
    browsers: Browsers
    memory: Memory
    account: Account | None = None
    interactive: bool = False
    platform: str = sys.platform
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    version: str = "0"
    source: SourceChoice = AUTO

    @property
    def now(self) -> datetime:
        """The time, in UTC."""
        return self.clock()

    def env(self, *names: str) -> str | None:
        """The first of these environment variables with a usable value (trimmed, unquoted)."""
        return next((value for name in names if (value := clean(self.environ.get(name)))), None)

    def env_path(self, name: str) -> Path | None:
        """An environment variable as a path, `~` expanded."""
        value = self.env(name)
        return self.expand(value) if value else None

    def expand(self, path: str) -> Path:
        """A path with a leading `~` expanded to this user's home."""
        if path == "~" or path.startswith(("~/", "~\\")):
            return self.home / path[2:]
        return Path(path)

    def config_home(self) -> Path:
        """`$XDG_CONFIG_HOME` (when absolute) or `~/.config`; `%APPDATA%` on Windows."""
        return self._base("XDG_CONFIG_HOME", ".config", "APPDATA", "AppData/Roaming")

    def data_home(self) -> Path:
        """`$XDG_DATA_HOME` (when absolute) or `~/.local/share`; `%LOCALAPPDATA%` on Windows."""
        return self._base("XDG_DATA_HOME", ".local/share", "LOCALAPPDATA", "AppData/Local")

    def _base(self, xdg: str, unix: str, variable: str, windows: str) -> Path:
        if self.platform == "win32":
            return Path(self.environ.get(variable) or self.home / windows)
        value = self.environ.get(xdg, "")
        return Path(value) if Path(value).is_absolute() else self.home / unix

    def show(self, path: Path) -> str:
        """A path for people: the home folder becomes `~`."""
        try:
            return "~/" + path.relative_to(self.home).as_posix()
        except ValueError:
            return str(path)

    def origin(self, path: Path) -> Origin:
        """A file in which a credential was found."""
        return Origin.file(self.show(path))


# --- lookups: how to find what lets us in ----------------------------------------------------------


class OriginKind(StrEnum):
    """The kind of place in which a credential was found."""

    ACCOUNT = "account"
    CONFIG = "config"
    KEYRING = "keyring"
    ENVIRONMENT = "environment"
    FILE = "file"
    PROGRAM = "program"
    OTHER = "other"


class Origin(str):
    """Where a credential was found, in words for people (`env X`, `config`, `keyring`, `~/.codex/auth.json`).

    Code decides by `kind` and `name` (of the variable, account or program), never by the words.
    """

    kind: OriginKind
    name: str

    def __new__(cls, text: str, kind: OriginKind = OriginKind.OTHER, name: str = "") -> Origin:
        self = super().__new__(cls, text)
        self.kind, self.name = kind, name
        return self

    @classmethod
    def account(cls, label: str) -> Origin:
        return cls(f"account {label}", OriginKind.ACCOUNT, label)

    @classmethod
    def config(cls, key: str = "") -> Origin:
        return cls(f"config {key}".rstrip(), OriginKind.CONFIG, key)

    @classmethod
    def keyring(cls) -> Origin:
        return cls("keyring", OriginKind.KEYRING)

    @classmethod
    def env(cls, name: str) -> Origin:
        return cls(f"env {name}", OriginKind.ENVIRONMENT, name)

    @classmethod
    def file(cls, shown: str) -> Origin:
        """`shown` is the path for people, see `Context.show`."""
        return cls(shown, OriginKind.FILE)

    @classmethod
    def program(cls, name: str) -> Origin:
        return cls(f"program `{name}`", OriginKind.PROGRAM, name)


class Lookup(Protocol[T_co]):
    """How a strategy finds what lets it in.

    `places` and `probe` must not prompt, start a program, or use the network. A lookup of a provider's own derives from
    this class.
    """

    @property
    def settings(self) -> tuple[str, ...]:
        """The config fields (camelCase) that it reads."""
        return ()

    def places(self, ctx: Context) -> tuple[str, ...]:
        """Where it looks, in order, in words for people (`env OPENROUTER_API_KEY`, `~/.codex/auth.json`)."""
        ...

    def probe(self, ctx: Context) -> Origin | None:
        """The place where something was found, None when nothing."""
        ...

    async def find(self, ctx: Context) -> T_co:
        """What was found. Raises MissingCredential, MissingProgram, Misconfigured."""
        ...


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret, where it came from, and until when it is known to be accepted (UTC; None when nothing tells)."""

    secret: Secret
    origin: Origin
    expires_at: datetime | None = None


# --- strategies and providers ----------------------------------------------------------------------


def missing_only(error: ReadError) -> bool:
    """The next strategy is tried only where a credential or program is missing."""
    return isinstance(error, FALL_THROUGH)


def after_any_error(error: ReadError) -> bool:
    """The next strategy is tried whatever happened."""
    return True


def after(*errors: type[ReadError]) -> Callable[[ReadError], bool]:
    """The next strategy is tried after these errors."""
    return lambda error: isinstance(error, errors)


def unlabelled(ctx: Context) -> bool:
    """Whether no labelled account is read: only then does an ambient login stand for what is asked."""
    return ctx.account is None


class StrategyOptions(TypedDict, total=False):
    """What a strategy may have beside its source, fetch and lookup: see `Strategy`."""

    label: str
    falls_through: Callable[[ReadError], bool]
    in_auto: bool
    applies: Callable[[Context], bool]


Fetch = Callable[["Context", T], Awaitable[Usage]]


@dataclass(frozen=True)
class Strategy(Generic[T]):
    """One way to read a provider.

    `label` is the source label shown (`codex-cli`); the source itself when empty. `falls_through` says after which
    errors of this strategy the next one is tried (missing credentials and programs always are). A strategy that is not
    `in_auto` runs only when its source is chosen; `applies` may take it out of a run (settings, account form).
    """

    source: Source
    fetch: Callable[[Context, T], Awaitable[Usage]]
    lookup: Lookup[T]
    label: str = ""
    falls_through: Callable[[ReadError], bool] = missing_only
    in_auto: bool = True
    applies: Callable[[Context], bool] = lambda ctx: True

    @property
    def name(self) -> str:
        return self.label or self.source

    @staticmethod
    def api(fetch: Fetch[U], lookup: Lookup[U], **options: Unpack[StrategyOptions]) -> Strategy[U]:
        """Asks the vendor's API with a key."""
        return Strategy(Source.API, fetch, lookup, **options)

    @staticmethod
    def oauth(fetch: Fetch[U], lookup: Lookup[U], **options: Unpack[StrategyOptions]) -> Strategy[U]:
        """Uses the login of a vendor's program."""
        return Strategy(Source.OAUTH, fetch, lookup, **options)

    @staticmethod
    def web(fetch: Fetch[U], lookup: Lookup[U], **options: Unpack[StrategyOptions]) -> Strategy[U]:
        """Reads a web site with a browser's cookies."""
        return Strategy(Source.WEB, fetch, lookup, **options)

    @staticmethod
    def cli(fetch: Fetch[U], lookup: Lookup[U], **options: Unpack[StrategyOptions]) -> Strategy[U]:
        """Runs the vendor's program, or uses what belongs to it."""
        return Strategy(Source.CLI, fetch, lookup, **options)

    @staticmethod
    def local(fetch: Fetch[U], lookup: Lookup[U], **options: Unpack[StrategyOptions]) -> Strategy[U]:
        """Reads files of this machine and asks nobody."""
        return Strategy(Source.LOCAL, fetch, lookup, **options)


@dataclass(frozen=True)
class SignInPrompt:
    """What the user must do now to sign in: open `url` and type `code` (already in the address when empty)."""

    message: str
    url: str = ""
    code: str = ""


@dataclass(frozen=True)
class SignedIn:
    """A sign-in's result, to be kept by the caller: `credential` in the keyring under `label`.

    There is no credential when the vendor's own program keeps the login.
    """

    label: str
    credential: Secret | None = None
    external_identifier: str | None = None


SignIn = Callable[[Context], AsyncIterator[SignInPrompt | SignedIn]]
"""An interactive sign-in: yields prompts, and last what came of it. Raises ReadError."""


class OptionType(StrEnum):
    """The JSON type of a provider's own setting."""

    STRING = "string"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    ARRAY = "array"
    OBJECT = "object"


@dataclass(frozen=True)
class Option:
    """A setting that only this provider has: its key in the config entry and what it does."""

    name: str
    description: str
    type: OptionType = OptionType.STRING


class StatusKind(StrEnum):
    """How a status page is read."""

    LINK = "link"
    """It is only shown."""
    STATUSPAGE = "statuspage"
    GOOGLE = "google"


@dataclass(frozen=True)
class StatusPage:
    """Where the vendor tells of outages. `product` is Google's id of the product."""

    url: str
    kind: StatusKind = StatusKind.LINK
    product: str = ""


class AccountKind(StrEnum):
    """What the `token` of a labelled account holds."""

    TOKEN = "token"  # noqa: S105 (a kind of account)
    COOKIE = "cookie"


class ProviderKind(StrEnum):
    """What a provider is used for."""

    CODING = "coding"
    API = "api"
    GATEWAY = "gateway"
    CHAT = "chat"
    IMAGE = "image"
    VOICE = "voice"
    SEARCH = "search"


@dataclass(frozen=True, slots=True)
class Paced:
    """A window that has a pace. `minutes` is its length when it tells none itself; `headroom` adds how many times
    today's use would fit into what is left."""

    minutes: int | None = None
    headroom: bool = False


def paced_by_length(window: Window) -> Paced | None:
    """The rule unless a provider has its own: a window that tells its length and its reset has a pace."""
    return Paced() if window.minutes and window.resets_at is not None else None


def paced(
    lengths: Mapping[Lane, int], otherwise: int | None = None, *, headroom: bool = False
) -> Callable[[Window], Paced | None]:
    """A rule for a vendor that may leave lengths out: the minutes of each lane's window, and of any other."""

    def rule(window: Window) -> Paced | None:
        minutes = window.minutes or (lengths.get(window.lane, otherwise) if window.lane else otherwise)
        return Paced(minutes, headroom) if minutes and window.resets_at is not None else None

    return rule


@dataclass(frozen=True, slots=True)
class EntryProblem:
    """Something wrong with a provider's config entry. `path` leads to the value, from the entry on."""

    code: str
    message: str
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """Numbers that a vendor's own program hands us for nothing, such as the input of its status line.

    `to_usage` reads what the program handed over (text) at a time (UTC). Raises BadResponse.
    """

    name: str
    to_usage: Callable[[str, datetime], Usage]


@dataclass(frozen=True)
class Provider:
    """Something that meters a user. `connect` is one sentence that tells how to connect it.

    `min_interval` (seconds) is the least time between reads the vendor's sheet allows; `deadline` (seconds) bounds a
    whole run. `regions` are the accepted `region` values, `accounts` says what labelled accounts hold (None when it has
    none). `fields` names the config fields (camelCase) it reads beside those that its lookups, regions and accounts
    imply.
    """

    id: str
    name: str
    connect: str
    strategies: tuple[Strategy[Any], ...]
    aliases: tuple[str, ...] = ()
    kind: ProviderKind = ProviderKind.API
    dashboard: str | None = None
    status: StatusPage | None = None
    min_interval: float = 60
    deadline: float = 60
    regions: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    accounts: AccountKind | None = None
    profiles: Callable[[Context], Profiles] | None = None
    """The accounts that its settings name by a folder. It may read small files, but not prompt or start anything."""
    sign_in: SignIn | None = None
    keys: str | None = None
    """Where keys are made; the dashboard when None, nowhere when empty. Read `key_url`."""
    summary: str = ""
    binding: Callable[[Usage], str | None] | None = None
    """The id of the window that a status bar should show; None leaves the general rule to decide."""
    longer_caps: bool = False
    """An exhausted longer window also blocks the session one."""
    pace: Callable[[Window], Paced | None] = paced_by_length
    """Which windows have a pace, and by which length."""
    description_is_detail: bool = False
    """The description of a window is a detail of its own and never says when it resets."""
    https_only: bool = False
    """`enterpriseHost` may not be plain HTTP, not even on the own network."""
    account_replaces_key: bool = False
    """A labelled account that is stored takes the place of the single key."""
    secret_fields: tuple[str, ...] = ()
    """Config fields that hold a secret for this provider alone."""
    check_entry: Callable[[ProviderSettings], Iterable[EntryProblem]] | None = None
    """What is wrong with its config entry beyond types, names and regions."""
    manual_ignores_cooldown: bool = False
    """A refresh that the user starts asks the vendor even while it wants to be left alone; the background waits."""
    feeds: tuple[Feed, ...] = ()
    """What the vendor's own program hands us."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources it can be read from, in order, without repeats."""
        return tuple(dict.fromkeys(strategy.source for strategy in self.strategies))

    @property
    def settings(self) -> tuple[str, ...]:
        """The config fields (camelCase) that it uses beside those that every provider has."""
        found = dict.fromkeys(name for strategy in self.strategies for name in strategy.lookup.settings)
        found |= dict.fromkeys(self.fields)
        if self.regions:
            found["region"] = None
        if self.accounts is not None:
            found["tokenAccounts"] = None
        return tuple(found)

    @property
    def key_url(self) -> str | None:
        """Where a user creates a key; None for a provider that takes none."""
        if self.keys is None:
            return self.dashboard if "apiKey" in self.settings else None
        return self.keys or None
