"""The fixtures and the guard, loaded by pytest through `pytest_plugins = ["quotaline_providers.testing"]`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.contract import Keyring
from quotaline_providers.hosts.machine import Machine, VolatileMemory
from quotaline_providers.testing.programs import windows_variables, write_program
from quotaline_providers.testing.reading import Clock, FakeKeyring, Read, Reader, Run
from quotaline_providers.testing.simulator import Simulator, Vendor


class OutsideReached(RuntimeError):
    """A test tried to leave this machine."""


_THIS_MACHINE = ("localhost", "::1", "0.0.0.0", "::")  # noqa: S104 (only recognised, nothing is bound)
_REACHED: list[str] = []


def _stay_inside(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        address = arguments[1]
        host = str(address[0]) if isinstance(address, tuple) else ""
    elif event == "socket.getaddrinfo":
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else str(arguments[0] or "")
    else:
        return
    if host and not host.startswith("127.") and host not in _THIS_MACHINE and not host.endswith(".invalid"):
        _REACHED.append(host)
        raise OutsideReached(f"{event} {host}")


sys.addaudithook(_stay_inside)


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

    return partial(write_program, programs)


@pytest.fixture
def environ(simulator: Simulator, home: Path, programs: Path) -> dict[str, str]:
    """The environment variables of this test's user."""
    own = {"HOME": str(home), "USERPROFILE": str(home), "PATH": str(programs), **simulator.environ()}
    return {**windows_variables(home, os.environ), **own} if os.name == "nt" else own


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
    """`read("poe", config={...}, account=..., source=..., POE_API_KEY="k")`: the usage, or raises ReadError."""
    return reader.read


@pytest.fixture
def outcome(reader: Reader) -> Run:
    """As `read`, but the whole outcome with its attempts."""
    return reader.outcome
