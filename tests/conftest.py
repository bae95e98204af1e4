"""The nouns the tests speak in: vendors, reads, a home folder, a clock, programs, a keyring."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import hypothesis
import pytest

from quotaline_providers import registry
from quotaline_providers.contract import Account, Context, Keyring
from quotaline_providers.hosts.machine import Machine, VolatileMemory
from quotaline_providers.model import Usage
from quotaline_providers.run import Outcome, run
from quotaline_providers.secret import Secret
from quotaline_providers.settings import ProviderSettings, SourceChoice
from tests.simulator import Simulator, Vendor

hypothesis.settings.register_profile(
    "quotaline", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("quotaline")

T = TypeVar("T")
Read = Callable[..., Usage]
"""`read("crof", config={...}, account=..., source=..., CROF_API_KEY="k")`."""
Run = Callable[..., Outcome]
"""As `Read`, but the outcome."""
NOW = datetime(2030, 1, 2, 12, tzinfo=UTC)
"""When a test begins."""


class OutsideReached(RuntimeError):
    """A test tried to leave this machine."""


_REACHED: list[str] = []


def _stay_inside(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        address = arguments[1]
        host = str(address[0]) if isinstance(address, tuple) else ""
    elif event == "socket.getaddrinfo":
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else str(arguments[0] or "")
    else:
        return
    if host and not host.startswith("127.") and host not in ("localhost", "::1", "0.0.0.0", "::"):
        if host.endswith(".invalid"):
            return
        _REACHED.append(host)
        raise OutsideReached(f"{event} {host}")


sys.addaudithook(_stay_inside)


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
    """A keyring in memory: entries by service and account."""

    entries: dict[tuple[str, str], str] = field(default_factory=dict)

    async def get(self, service: str, account: str) -> Secret | None:
        value = self.entries.get((service, account))
        return None if value is None else Secret(value)

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


@pytest.fixture(autouse=True)
def inside() -> Iterator[None]:
    """No test leaves this machine, also not where the product swallows the refusal."""
    _REACHED.clear()
    yield
    assert not _REACHED, f"the test tried to reach {', '.join(sorted(set(_REACHED)))}"


@pytest.fixture(scope="session")
def running_simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(running_simulator: Simulator) -> Iterator[Simulator]:
    """The vendor simulator without routes. An unexpected request fails the test at its end."""
    running_simulator.reset()
    yield running_simulator
    running_simulator.check()


@pytest.fixture
def vendor(simulator: Simulator) -> Callable[[str], Vendor]:
    """`vendor(host)`: a simulated host, where routes are laid."""
    return simulator.vendor


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home folder of the user in this test."""
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def clock() -> Clock:
    """The time in this test: 2030-01-02 12:00 UTC until it is set."""
    return Clock()


@pytest.fixture
def memory(clock: Clock) -> VolatileMemory:
    """The notes providers keep, shared by all reads of this test."""
    return VolatileMemory(clock)


@pytest.fixture
def keyring_entries() -> dict[tuple[str, str], str]:
    """The entries of the keyring, by (service, account)."""
    return {}


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """The folder that is the PATH of this test."""
    path = tmp_path / "bin"
    path.mkdir()
    return path


@pytest.fixture
def program(programs: Path) -> Callable[[str, str], Path]:
    """`program(name, script)`: a Python script as an executable on the PATH."""

    def write(name: str, script: str) -> Path:
        path = programs / name
        if os.name == "nt":
            source = programs / f"{name}.py"
            source.write_text(script, encoding="utf-8")
            path = programs / f"{name}.cmd"
            path.write_text(f'@"{sys.executable}" "{source}" %*\n', encoding="utf-8")
            return path
        path.write_text(f"#!{sys.executable}\n{script}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return write


@pytest.fixture
def environ(simulator: Simulator, home: Path, programs: Path) -> dict[str, str]:
    """The environment variables of this test's user."""
    return {"HOME": str(home), "USERPROFILE": str(home), "PATH": str(programs), **simulator.environ()}


@pytest.fixture
def reader(
    environ: dict[str, str],
    home: Path,
    clock: Clock,
    memory: VolatileMemory,
    keyring_entries: dict[tuple[str, str], str],
    tmp_path: Path,
) -> Reader:
    """The machine of this test's user, on which providers are read."""

    def machine(variables: Mapping[str, str]) -> Machine:
        keyring: Keyring = FakeKeyring(keyring_entries)
        real = Machine.real(
            memory=memory, state_dir=tmp_path / "state", environ={**environ, **variables}, home=home, clock=clock
        )
        return replace(real, keyring=keyring)

    return Reader(machine)


@pytest.fixture
def read(reader: Reader) -> Read:
    """`read("crof", config={...}, account=..., source=..., CROF_API_KEY="k")`: the usage, or raises ReadError."""
    return reader.read


@pytest.fixture
def outcome(reader: Reader) -> Run:
    """As `read`, but the whole outcome with its attempts."""
    return reader.outcome
