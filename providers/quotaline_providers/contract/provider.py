"""What a provider is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from quotaline_providers.contract.context import Context, Profiles
from quotaline_providers.contract.sign_in import SignIn
from quotaline_providers.contract.strategies import Strategy
from quotaline_providers.model import Lane, Usage, Window
from quotaline_providers.settings import ProviderSettings, Source, SourceChoice


class OptionType(StrEnum):
    """The JSON type of a provider's own setting."""

    STRING = "string"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    ARRAY = "array"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that may be set, and what it is called; an empty value is the default."""

    value: str
    label: str


@dataclass(frozen=True)
class Option:
    """A setting that only this provider has: its key in the config entry and what it does. `also` are other spellings
    of the key that are read without a word. `choices` gives the values that this machine offers, for editors and lists:
    it may look into folders, but not prompt, start a program or use the network."""

    name: str
    description: str
    type: OptionType = OptionType.STRING
    also: tuple[str, ...] = ()
    choices: Callable[[Context], tuple[Choice, ...]] | None = None


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
    """The id of the window or balance that the status line shows instead of the one by the general rule; None leaves it
    to that. Only for a vendor of which the rule would show a number that means nothing: the module says why."""
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
    homes: tuple[str, ...] = ()
    """Environment variables that name the folder of the vendor's program: told where one names none."""
    ended: str = ""
    """The sentence that its service has ended. It is then shown, offered and asked only where a source is named."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources it can be read from, in order, without repeats."""
        return tuple(dict.fromkeys(strategy.source for strategy in self.strategies))

    def read_from(self, choice: SourceChoice) -> tuple[Strategy[Any], ...]:
        """The strategies of a source, or else those with this label, whatever its case. There are none for `auto`."""
        of_source = tuple(strategy for strategy in self.strategies if strategy.source == choice)
        label = choice.lower()
        return of_source or tuple(strategy for strategy in self.strategies if strategy.label.lower() == label)

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
