"""What a user sees who has no server, a wrong one, one that ends, or one that says odd things: short, honest, quiet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.editors import stand_in
from tests.editors.installed import install
from tests.editors.vscode.code_server import CodeServer, until
from tests.editors.vscode.window import Window

pytestmark = pytest.mark.editors


@pytest.fixture(autouse=True)
def tidy(window: Window, code_server: CodeServer) -> Iterator[None]:
    """Each test begins without a server and leaves none."""
    window.shows("Quotaline: not installed")
    yield
    window.page.keyboard.press("Escape")
    code_server.set(serverPath=None, statusBar_layout=None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where this test's server program is."""
    return tmp_path


def program(folder: Path, script: str) -> str:
    path = folder / "quotaline"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def says(code_server: CodeServer, folder: Path, *pushes: dict[str, Any], restart_due: str = "") -> None:
    """A server that says this is now the one in the settings."""
    stand_in.install(folder, *pushes, restart_due=restart_due)
    code_server.set(serverPath=str(folder / "quotaline"))


def test_a_missing_server_is_asked_about_once_and_never_again(window: Window) -> None:
    expect(window.notifications).to_contain_text("Install it into this extension's own folder?")
    window.notifications.get_by_role("button", name="Not Now").click()
    expect(window.notifications).to_have_count(0)
    window.load()
    window.shows("Quotaline: not installed")
    expect(window.tooltip().get_by_role("link", name="Install")).to_be_visible()
    window.open_menu()
    expect(window.row("Install the server…")).to_be_visible()
    expect(window.notifications).to_have_count(0)


def test_a_command_without_a_server_says_why(window: Window) -> None:
    window.run("Quotaline: Refresh Usage")
    expect(window.notifications).to_contain_text("Quotaline's server is not installed.")
    window.run("Notifications: Clear All Notifications")
    window.run("Quotaline: Show Usage Report")
    expect(window.report().locator("main")).to_contain_text("Quotaline's server is not installed.")
    window.run("View: Close Editor")


def test_a_wrong_path_in_the_settings(window: Window, code_server: CodeServer) -> None:
    code_server.set(serverPath="/not/there")
    window.shows("Quotaline: server not found")
    expect(window.tooltip()).to_contain_text("/not/there")
    expect(window.notifications).to_have_count(0)


def test_a_server_that_exits_at_once(window: Window, code_server: CodeServer, folder: Path) -> None:
    starts = folder / "starts"
    code_server.set(serverPath=program(folder, f'echo start >> "{starts}"; exit 7'))
    window.shows("Quotaline: restarting")
    window.shows("Quotaline: stopped")
    expect(window.tooltip()).to_contain_text("exit code 7")
    assert len(starts.read_text().splitlines()) <= 4  # with pauses that grow
    expect(window.notifications).to_have_count(0)
    window.open_menu()
    before = len(starts.read_text().splitlines())
    window.row("Restart the server").first.click()
    until(lambda: len(starts.read_text().splitlines()) > before, "a start at once")


def test_a_program_that_is_no_server(window: Window, code_server: CodeServer, folder: Path) -> None:
    code_server.set(serverPath=program(folder, "echo 'Hello, what can I do for you?'; exec cat > /dev/null"))
    window.shows(re.compile("Quotaline: (restarting|stopped)"))
    expect(window.notifications).to_have_count(0)


def test_a_protocol_version_that_nobody_knows(window: Window, code_server: CodeServer, folder: Path) -> None:
    says(code_server, folder, stand_in.usage("Acme 5%", version=2))
    window.shows("Quotaline: update needed")
    expect(window.tooltip()).to_contain_text("version 2")
    expect(window.notifications).to_have_count(0)


def test_a_restart_that_is_due_is_told_and_offered(window: Window, code_server: CodeServer, folder: Path) -> None:
    says(code_server, folder, stand_in.usage("Acme 5%"), restart_due="Acme was updated.")
    window.shows("Acme 5%")
    expect(window.notifications).to_contain_text("Quotaline: Acme was updated.")
    stand_in.install(folder, stand_in.usage("Acme 6%"))
    window.notifications.get_by_role("button", name="Restart").click()
    window.shows("Acme 6%")
    expect(window.notifications).to_have_count(0)


def test_a_notification_draws_no_link_of_a_vendor(window: Window, code_server: CodeServer, folder: Path) -> None:
    reason = "Acme [was](command:workbench.action.closeWindow) $(bug) up\u200bdated\u202e."
    says(code_server, folder, stand_in.usage("Acme 5%"), restart_due=reason)
    expect(window.notifications).to_contain_text("Acme [was] (command:workbench.action.closeWindow) $ (bug) updated.")
    expect(window.notifications.get_by_role("link")).to_have_count(0)
    expect(window.notifications.locator(".codicon-bug")).to_have_count(0)
    window.run("Notifications: Clear All Notifications")


def test_unknown_fields_and_kinds(window: Window, code_server: CodeServer, folder: Path) -> None:
    odd = stand_in.provider("acme", "Acme 5%", severity="ultraviolet", windows=[{"aura": 3}, 7], mood={"a": []})
    says(code_server, folder, stand_in.usage("Acme 5%", odd, severity="ultraviolet", weather="sunny"))
    window.shows("Acme 5%")
    window.open_menu()
    expect(window.row("Acme")).to_be_visible()


def test_no_providers(window: Window, code_server: CodeServer, folder: Path) -> None:
    says(code_server, folder, stand_in.usage("Quotaline: no providers", severity="empty"))
    window.shows("Quotaline: no providers")
    window.open_menu()
    expect(window.rows.first).to_contain_text("Sign in…")
    expect(window.rows.first).to_contain_text("No provider is connected yet")


def test_very_long_names_and_right_to_left_accounts(window: Window, code_server: CodeServer, folder: Path) -> None:
    long = "Stupendous " * 40
    name = "\u2068מיכאל בן דוד\u2069"
    ann = stand_in.provider("a", f"{long} 5%", name=long)
    bet = stand_in.provider("b", f"Bet {name} 61%", name="Bet", account=name, windows=[{"id": "w", "text": "61% used"}])
    says(code_server, folder, stand_in.usage(f"{long} 5% · Bet {name} 61%", ann, bet))
    window.shows("Stupendous")
    box = window.item.bounding_box()
    assert box is not None
    assert box["width"] < 1000
    window.open_menu()
    expect(window.row(name)).to_contain_text("61% used")
    window.page.keyboard.press("Escape")
    code_server.set(statusBar_layout="perProvider")
    expect(window.items).to_have_count(2)
    expect(window.items.filter(has_text=name)).to_contain_text(f"Bet {name} 61%")


def test_hostile_texts_are_only_text(window: Window, code_server: CodeServer, folder: Path) -> None:
    bad = "$(bug) <img src=x onerror=alert(1)>"
    says(code_server, folder, stand_in.usage(bad, stand_in.provider("a", bad, name=bad, dashboardUrl="command:evil")))
    window.shows("$(bug) <img src=x")
    window.tooltip()
    expect(window.page.locator(".monaco-hover img")).to_have_count(0)
    window.open_menu()
    window.row("$(bug)").first.click()
    expect(window.row("Open dashboard")).to_have_count(0)


def test_without_a_network_the_failure_is_told_in_its_place(
    window: Window, code_server: CodeServer, folder: Path, machine: Path
) -> None:
    error = {"kind": "unavailable", "message": "Acme could not be reached.", "hint": "Check the network."}
    says(
        code_server,
        folder,
        stand_in.usage("Acme !", stand_in.provider("acme", "Acme !", error=error), severity="error"),
    )
    window.shows("Acme !")
    expect(window.notifications).to_have_count(0)
    window.open_menu()
    expect(window.row("Acme").first).to_contain_text("Acme could not be reached. Check the network.")


def test_a_server_that_appears_is_started(window: Window, code_server: CodeServer, machine: Path) -> None:
    installed = install(machine / "bin")
    try:
        window.run("Quotaline: Restart Server")
        window.shows("Quotaline: no providers")
    finally:
        installed.unlink()
    window.run("Quotaline: Restart Server")
