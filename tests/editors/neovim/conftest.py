"""The nouns of the Neovim tests: a desk of one user, its `quotaline` program, Neovims on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from quotaline_providers.testing import Route, Vendor
from tests import systems
from tests.editors.installed import install
from tests.editors.neovim.editor import RELEASES, Editor, program
from tests.server.lsp_client import Desk


class Open(Protocol):
    """Start one more Neovim on the desk; it is closed at the end of the test."""

    def __call__(self, setup: str = ..., **environ: str) -> Editor: ...


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    """Each supported Neovim in turn."""
    name = str(request.param)
    if program(name) is None:
        if systems.COMPLETE:
            pytest.fail("run tests/editors/get-neovim first")
        pytest.skip("run tests/editors/get-neovim to have this Neovim")
    return name


@pytest.fixture
def desk(environ: dict[str, str], home: Path, programs: Path) -> Iterator[Desk]:
    """A user who has one provider with a key, and the system's programs beside their own."""
    with Desk(
        {**environ, "PATH": os.pathsep.join((str(programs), os.defpath)), "LANG": "C.UTF-8", "TERM": "xterm-256color"},
        home,
    ) as desk:
        desk.write_config({"id": "openrouter", "enabled": True, "apiKey": "k"})
        yield desk


@pytest.fixture
def installed(programs: Path) -> Path:
    """`quotaline` on the user's PATH."""
    return install(programs)


@pytest.fixture
def credits(vendor: Callable[[str], Vendor]) -> Route:
    """Where the one provider's numbers come from."""
    host = vendor("openrouter.ai")
    host.get("/api/v1/key").fails(500)
    return host.get("/api/v1/credits")


@pytest.fixture
def open_editor(release: str, desk: Desk) -> Iterator[Open]:
    """Neovims of this release on the desk."""
    with ExitStack() as stack:

        def start(setup: str = 'require("quotaline").setup()', **environ: str) -> Editor:
            return stack.enter_context(Editor(release, {**desk.variables, **environ}, desk.home, setup))

        yield start


@pytest.fixture
def editor(open_editor: Open, installed: Path, credits: Route) -> Editor:
    """A Neovim whose one provider has 40 of 100 credits used."""
    credits.answers(data={"total_credits": 100, "total_usage": 40})
    return open_editor()
