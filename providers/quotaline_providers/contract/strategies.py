"""Strategies: one way to read a provider each, and how it finds its credential."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypedDict, TypeVar, Unpack

from quotaline_providers.contract.context import Context
from quotaline_providers.contract.credentials import Origin
from quotaline_providers.errors import FALL_THROUGH, ExpiredCredential, MissingCredential, ReadError
from quotaline_providers.model import Usage
from quotaline_providers.settings import Source

T = TypeVar("T")
U = TypeVar("U")
T_co = TypeVar("T_co", covariant=True)


class Lookup(Protocol[T_co]):
    """How a strategy finds its credential, login file or program.

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

    async def each(self, ctx: Context) -> AsyncIterator[T_co]:
        """All that was found, in order, for a lookup with several places of the same kind: where one is refused the
        next is tried. At least one, or raises as `find` does; a credential that the user gave is the only one."""
        yield await self.find(ctx)


def missing_only(error: ReadError) -> bool:
    """The next strategy is tried only where a credential or program is missing."""
    return isinstance(error, FALL_THROUGH)


def after_any_error(error: ReadError) -> bool:
    """The next strategy is tried whatever happened."""
    return True


def refused(error: ReadError) -> bool:
    """The next credential is tried where one is refused, or was not there after all."""
    return isinstance(error, ExpiredCredential | MissingCredential)


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
    next_place: Callable[[ReadError], bool]
    in_auto: bool
    applies: Callable[[Context], bool]


Fetch = Callable[["Context", T], Awaitable[Usage]]


@dataclass(frozen=True)
class Strategy(Generic[T]):
    """One way to read a provider.

    `label` is the source label shown (`codex-cli`); the source itself when empty. `falls_through` says after which
    errors of this strategy the next one is tried (missing credentials and programs always are), `next_place` after
    which the next credential of this one is (`Lookup.each`). A strategy that is not `in_auto` runs only when its source
    is chosen; `applies` may take it out of a run (settings, account form).
    """

    source: Source
    fetch: Callable[[Context, T], Awaitable[Usage]]
    lookup: Lookup[T]
    label: str = ""
    falls_through: Callable[[ReadError], bool] = missing_only
    next_place: Callable[[ReadError], bool] = refused
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
