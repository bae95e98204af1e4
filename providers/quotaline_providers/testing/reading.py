"""Reading a provider in a test: on a machine whose clock, keyring and home folder are the test's own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from quotaline_providers import registry
from quotaline_providers.contract import Account, Context, KeyringState
from quotaline_providers.hosts.machine import Machine
from quotaline_providers.model import Usage
from quotaline_providers.run import Outcome, run
from quotaline_providers.secret import Secret
from quotaline_providers.settings import ProviderSettings, SourceChoice

T = TypeVar("T")
Read = Callable[..., Usage]
"""`read("poe", config={...}, account=..., source=..., POE_API_KEY="k")`."""
Run = Callable[..., Outcome]
"""As `Read`, but the outcome."""
NOW = datetime(2030, 1, 2, 12, tzinfo=UTC)
"""When a test begins."""


@dataclass
class Clock:
    """A clock that only moves when told."""

    now: datetime = NOW

    def set(self, time: datetime) -> None:
        self.now = time

    def advance(self, by: timedelta) -> None:
        self.now += by

    def __call__(self) -> datetime:
        return self.now


@dataclass
class FakeKeyring:
    """A keyring in memory: entries by service and account. An empty one is listed and not given."""

    entries: dict[tuple[str, str], str] = field(default_factory=dict)
    state: KeyringState = KeyringState.READY

    async def get(self, service: str, account: str) -> Secret | None:
        value = self.entries.get((service, account))
        return Secret(value) if value else None

    def labels(self, provider: str) -> tuple[str, ...]:
        names = (account.partition("/") for service, account in self.entries if service == "quotaline")
        return tuple(label for name, _, label in names if name == provider)

    async def own(self, provider: str, label: str = "") -> Secret | None:
        return await self.get("quotaline", f"{provider}/{label}" if label else provider)


@dataclass(frozen=True)
class Reader:
    """Reads providers on a machine made for one test."""

    machine: Callable[[Mapping[str, str]], Machine]

    def outcome(
        self,
        provider: str,
        config: Mapping[str, object] | None = None,
        account: Account | None = None,
        source: SourceChoice | None = None,
        interactive: bool = False,
        **environment: str,
    ) -> Outcome:
        def reading(ctx: Context) -> Coroutine[Any, Any, Outcome]:
            return run(registry.get(provider), ctx, source)

        return self.result(provider, reading, config, account, interactive, **environment)

    def result(
        self,
        provider: str,
        work: Callable[[Context], Coroutine[Any, Any, T]],
        config: Mapping[str, object] | None = None,
        account: Account | None = None,
        interactive: bool = False,
        **environment: str,
    ) -> T:
        """What the work comes to with the context that a strategy of this provider would be handed."""

        async def working() -> T:
            machine = self.machine(environment)
            try:
                return await work(machine.context(provider, _settings(provider, config), account, interactive))
            finally:
                await machine.close()

        return finished(working())

    def context(
        self,
        provider: str,
        config: Mapping[str, object] | None = None,
        account: Account | None = None,
        **environment: str,
    ) -> Context:
        """That context, for work that opens no connection: nobody closes it."""
        return self.machine(environment).context(provider, _settings(provider, config), account)

    def on(self, platform: str) -> Reader:
        """The same reader on another system (`darwin`, `win32`)."""
        return Reader(lambda environment: replace(self.machine(environment), platform=platform))

    def read(self, provider: str, **arguments: Any) -> Usage:
        outcome = self.outcome(provider, **arguments)
        if outcome.error is not None:
            raise outcome.error
        assert outcome.usage is not None
        return outcome.usage


def _settings(provider: str, config: Mapping[str, object] | None) -> ProviderSettings:
    return ProviderSettings.model_validate({"id": provider, **(config or {})})


def finished(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, also when called where an event loop already runs."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    results: list[T] = []
    errors: list[BaseException] = []

    def target() -> None:
        try:
            results.append(asyncio.run(work))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
