"""The nouns of the server's tests: the program itself, and the desk of a user with one provider."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from quotaline import cli
from quotaline.cli import console
from quotaline_providers import diagnostics
from quotaline_providers.testing import Clock, Route, Vendor
from tests.server.command import Command
from tests.server.house import House
from tests.server.lsp_client import Desk

KEY = "demo-key-of-a-test"
"""The OpenRouter key of `desk`."""

Lay = Callable[..., Route]


@pytest.fixture
def quotaline(environ: dict[str, str], home: Path, programs: Path) -> Command:
    """The `quotaline` program of this test's user."""
    return Command(environ, home, programs)


@pytest.fixture
def command_line(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], int]:
    """The command line in this process, for tests that fake what the system says: `command_line(["config", "path"])`.
    It leaves nothing behind: no umask, signals and log."""
    for name in ("write_privately", "end_on_signals"):
        monkeypatch.setattr(console, name, lambda: None)
    monkeypatch.setattr(console, "log_to_stderr", lambda level: None)
    for name in ("sink", "on_upgrade"):
        monkeypatch.setattr(diagnostics, name, getattr(diagnostics, name))
    monkeypatch.setattr(Path, "home", lambda: home)
    return cli.main


@pytest.fixture
def desk(environ: dict[str, str], home: Path) -> Iterator[Desk]:
    """The machine of a user who has an OpenRouter key."""
    with Desk({**environ, "OPENROUTER_API_KEY": KEY}, home) as desk:
        yield desk


@pytest.fixture
def bare_desk(environ: dict[str, str], home: Path) -> Iterator[Desk]:
    """The machine of a user who has nothing."""
    with Desk(environ, home) as desk:
        yield desk


@pytest.fixture
def openrouter(vendor: Callable[[str], Vendor]) -> Lay:
    """`openrouter(used=62)`: OpenRouter answers that so many of 100 dollars are used. Returns the credits' route."""

    def lay(used: float = 62, key: str = KEY) -> Route:
        site = vendor("openrouter.ai")
        site.get("/api/v1/key", bearer=key).answers(data={"usage": used})
        return site.get("/api/v1/credits", bearer=key).answers(data={"total_credits": 100, "total_usage": used})

    return lay


@pytest.fixture
def credits(vendor: Callable[[str], Vendor]) -> Route:
    """OpenRouter's credits, whatever the key. It tells nothing of the key."""
    host = vendor("openrouter.ai")
    host.get("/api/v1/key").fails(500)
    return host.get("/api/v1/credits")


@pytest_asyncio.fixture
async def house(environ: dict[str, str], home: Path, clock: Clock, tmp_path: Path) -> AsyncIterator[House]:
    """The folders of this test's user, for services in this process."""
    house = House(environ, home, clock, tmp_path / "cache")
    yield house
    for service in house.services:
        await service.close()
