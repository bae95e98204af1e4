"""The nouns of the server's tests: the program itself, and the desk of a user with one provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quotaline_providers.testing import Route, Vendor
from tests.server.command import Command
from tests.server.lsp_client import Desk

KEY = "demo-key-of-a-test"
"""The OpenRouter key of `desk`."""

Lay = Callable[..., Route]


@pytest.fixture
def quotaline(environ: dict[str, str], home: Path, programs: Path) -> Command:
    """The `quotaline` program of this test's user."""
    return Command(environ, home, programs)


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
