"""What a strategy is handed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from quotaline_providers.contract.credentials import Origin
from quotaline_providers.contract.facilities import Browsers, Databases, Files, Http, Keyring, Memory, Processes
from quotaline_providers.parsing.payload import clean
from quotaline_providers.secret import Secret
from quotaline_providers.settings import AUTO, ProviderSettings, SourceChoice


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

    def variables(self, *names: str) -> dict[str, str | None]:
        """Those of the user's variables that a vendor's program is to get beside what every program gets, for `env` of
        `processes`. A name may end with `*`. Name none that decides which account the program uses, unless it may."""
        exact, families = set(names), tuple(name[:-1] for name in names if name.endswith("*"))
        return {
            name: value
            for name, value in self.environ.items()
            if name in exact or (families and name.startswith(families))
        }

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
