"""The nouns of the server's tests: the program itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.command import Command


@pytest.fixture
def quotaline(environ: dict[str, str], home: Path, programs: Path) -> Command:
    """The `quotaline` program of this test's user."""
    return Command(environ, home, programs)
