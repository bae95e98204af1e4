"""The extension installs its own server, without a network: from the wheel it brings and a folder of packages."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from quotaline_providers.testing import Simulator
from tests.editors.vscode.code_server import WHEELS, CodeServer, until
from tests.editors.vscode.conftest import write_config
from tests.editors.vscode.window import Window

pytestmark = pytest.mark.editors


@pytest.fixture(scope="module")
def environ(machine: Path, vendors: Simulator) -> dict[str, str]:
    """A machine without uv, whose pip takes packages from a folder alone."""
    return {
        "HOME": str(machine / "home"),
        "PATH": f"{machine / 'bin'}:{machine / 'system'}",
        "LANG": "C.UTF-8",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(WHEELS),
        "PIP_NO_COMPILE": "1",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        **vendors.environ(),
    }


@pytest.fixture(scope="module")
def user(machine: Path, vendors: Simulator) -> None:
    """The system's programs, except any Python; one provider with a key."""
    (machine / "system").mkdir()
    for program in (*Path("/usr/bin").iterdir(), *Path("/bin").iterdir()):
        link = machine / "system" / program.name
        if not program.name.startswith(("python", "uv", "quotaline")) and not link.exists():
            link.symlink_to(program)
    write_config(machine / "home", {"id": "openrouter", "enabled": True, "apiKey": "k"})
    host = vendors.vendor("openrouter.ai")
    host.get("/api/v1/key").fails(500)
    host.get("/api/v1/credits").answers(data={"total_credits": 100, "total_usage": 33})


def old_python(folder: Path) -> Path:
    path = folder / "python3"
    path.write_text("#!/bin/sh\necho 'python 3 9'\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_without_python_it_says_so_and_what_to_do(window: Window, machine: Path) -> None:
    window.notifications.get_by_role("button", name="Install").click()
    window.shows("Quotaline: needs Python")
    expect(window.tooltip()).to_contain_text("Quotaline needs Python 3.11 or newer. None was found on this machine.")
    old = old_python(machine / "bin")
    window.run("Quotaline: Install Server...")
    expect(window.tooltip()).to_contain_text("Found only Python 3.9, which is too old.")
    old.unlink()
    for action in ("Install", "Choose the server program", "Open settings"):
        expect(window.tooltip().get_by_role("link", name=action)).to_be_visible()


def test_with_python_it_installs_and_shows_the_usage(window: Window, machine: Path, code_server: CodeServer) -> None:
    (machine / "bin/python3").symlink_to(Path(sys.executable).resolve())
    window.open_menu()
    window.row("Install the server…").click()
    until(lambda: window.has_shown("Quotaline: installing"), "a word about the installation")
    expect(window.item).to_contain_text("OpenRouter 33%", timeout=60_000)
    assert str(code_server.data) in code_server.server().cmdline()[0]
    window.load()
    window.shows("OpenRouter 33%")
    expect(window.notifications).to_have_count(0)


def test_a_newer_extension_brings_its_server_up_to_date_by_itself(window: Window, code_server: CodeServer) -> None:
    pointer = next(code_server.data.rglob("globalStorage/*/server/current.json"))
    old = json.loads(pointer.read_text(encoding="utf-8"))
    pointer.write_text(json.dumps({**old, "version": "0.0.9"}), encoding="utf-8")
    window.run("Quotaline: Restart Server")
    until(lambda: json.loads(pointer.read_text(encoding="utf-8"))["folder"] != old["folder"], "a new installation")
    window.shows("OpenRouter 33%")
    new = json.loads(pointer.read_text(encoding="utf-8"))
    until(lambda: new["folder"] in code_server.server().cmdline()[0], "the new server")
    window.run("Quotaline: Show Usage Report")
    expect(window.report().locator("main")).to_contain_text("OpenRouter")
