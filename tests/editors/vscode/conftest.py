"""The nouns of the VS Code tests: vendors, a user's machine, code-server on it, windows in Chromium.

All of them last for one module: an editor takes seconds to start, and one user does many things in one window.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright", reason="the package playwright drives the browser")

from playwright.sync_api import Browser, sync_playwright

from quotaline_providers.testing import Simulator
from tests import systems
from tests.editors.vscode.code_server import CodeServer, until, whats_lacking
from tests.editors.vscode.window import CHROMIUM, FLAGS, Window

Open = Callable[[], Window]


@pytest.fixture(scope="module")
def parts() -> None:
    """What is built before the tests."""
    lacking = whats_lacking()
    if lacking is not None:
        (pytest.fail if systems.COMPLETE else pytest.skip)(f"run {lacking} first")


@pytest.fixture(scope="module")
def vendors(parts: None) -> Iterator[Simulator]:
    """The vendors of this module. An unexpected request fails its last test."""
    with Simulator() as simulator:
        yield simulator
        simulator.check()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the `home` and the `bin` (all of the PATH beside the system's) of one user."""
    folder = tmp_path_factory.mktemp("vscode")
    (folder / "home").mkdir()
    (folder / "bin").mkdir()
    return folder


@pytest.fixture(scope="module")
def environ(machine: Path, vendors: Simulator) -> dict[str, str]:
    """This user's environment."""
    return {
        "HOME": str(machine / "home"),
        "PATH": f"{machine / 'bin'}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        **vendors.environ(),
    }


@pytest.fixture(scope="module")
def browser(parts: None) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def user(machine: Path) -> None:
    """What the user has on the machine before VS Code starts: nothing. Modules say otherwise."""


@pytest.fixture(scope="module")
def code_server(machine: Path, environ: dict[str, str], user: None) -> Iterator[CodeServer]:
    with CodeServer(machine, environ) as server:
        yield server


@pytest.fixture
def open_window(browser: Browser, code_server: CodeServer) -> Iterator[Open]:
    """`open_window()`: one more window of the same user, for one test."""
    windows: list[Window] = []

    def start() -> Window:
        windows.append(Window(browser, code_server))
        return windows[-1]

    before = len(code_server.servers())
    yield start
    for window in windows:
        window.close()
    until(lambda: len(code_server.servers()) <= before, "the end of the closed windows' servers")


@pytest.fixture(scope="module")
def window(browser: Browser, code_server: CodeServer) -> Iterator[Window]:
    """The module's window."""
    window = Window(browser, code_server)
    yield window
    window.close()


def write_config(home: Path, *providers: dict[str, Any]) -> Path:
    """This user's config file."""
    path = home / ".config/quotaline/config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": 1, "providers": list(providers)}, indent=2) + "\n", encoding="utf-8")
    path.chmod(0o600)
    return path
