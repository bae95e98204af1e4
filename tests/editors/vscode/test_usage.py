"""A user with one provider works in a window: what the status bar, its tooltip, its menu and the report show."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from quotaline_providers.testing import Route, Simulator
from tests.editors.installed import install
from tests.editors.vscode.code_server import CodeServer, until
from tests.editors.vscode.conftest import Open, write_config
from tests.editors.vscode.window import Window

pytestmark = pytest.mark.editors

SECRET = "sk-demo-7f3a-not-a-key"


@pytest.fixture(scope="module")
def config(machine: Path) -> Path:
    return write_config(machine / "home", {"id": "openrouter", "enabled": True, "apiKey": "k"})


@dataclass
class Credits:
    """What the vendor answers now (percent used), and how often it was asked."""

    route: Route
    used: float = 40

    @property
    def count(self) -> int:
        return self.route.count


@pytest.fixture(scope="module")
def credits(vendors: Simulator) -> Credits:
    host = vendors.vendor("openrouter.ai")
    host.get("/api/v1/key").fails(500)
    credits = Credits(host.get("/api/v1/credits"))
    credits.route.answers_with(lambda request: {"data": {"total_credits": 100, "total_usage": credits.used}})
    return credits


@pytest.fixture(scope="module")
def user(machine: Path, config: Path, credits: Credits) -> None:
    """A program on the PATH, a config file, a vendor that answers."""
    install(machine / "bin")


@pytest.fixture(autouse=True)
def tidy(window: Window) -> Iterator[None]:
    yield
    window.page.keyboard.press("Escape")


def refresh(window: Window, credits: Credits, used: float) -> None:
    """The vendor has a new number, and the user refreshes: right after a read a refresh is answered with that read."""
    before, credits.used = credits.count, used

    def asked() -> bool:
        window.run("Quotaline: Refresh Usage")
        window.settled()
        with contextlib.suppress(AssertionError):
            until(lambda: credits.count > before, "a request of the vendor", seconds=2)
        return credits.count > before

    until(asked, "a request of the vendor")


def test_the_status_bar_shows_the_vendors_number(window: Window) -> None:
    window.shows("OpenRouter 40%")
    assert window.items.count() == 1
    expect(window.notifications).to_have_count(0)


def test_the_tooltip_tells_more_and_has_links(window: Window) -> None:
    tooltip = window.tooltip()
    expect(tooltip).to_contain_text("40% used")
    expect(tooltip).to_contain_text("█")
    expect(tooltip.get_by_role("link", name="Refresh")).to_be_visible()
    tooltip.get_by_role("link", name="All actions").click()
    expect(window.row("Refresh all")).to_be_visible()


def test_a_refresh_changes_the_number_and_its_colour(window: Window, credits: Credits) -> None:
    refresh(window, credits, 85)
    window.shows("OpenRouter 85%")
    expect(window.item).to_have_class(re.compile("warning-kind"))
    refresh(window, credits, 97)
    window.shows("OpenRouter 97%")
    expect(window.item).to_have_class(re.compile("error-kind"))
    refresh(window, credits, 40)
    window.shows("OpenRouter 40%")
    expect(window.item).not_to_have_class(re.compile("(warning|error)-kind"))


def test_two_windows_make_one_request(window: Window, open_window: Open, credits: Credits) -> None:
    before = credits.count
    second = open_window()
    second.shows("OpenRouter 40%")
    assert credits.count == before
    refresh(second, credits, 41)
    for one in (window, second):
        one.shows("OpenRouter 41%")
    assert credits.count == before + 1


def test_the_menu_shows_every_provider_and_what_can_be_done(window: Window) -> None:
    window.open_menu()
    expect(window.row("OpenRouter")).to_contain_text(re.compile(r"\d+% used"))
    for action in ("Refresh all", "Show report", "Copy", "Sign in…", "Set credential…", "Show a provider…",
                   "Open configuration", "Open settings", "Show log", "Restart the server"):  # fmt: skip
        expect(window.row(action).first).to_be_visible()


def test_a_provider_of_the_menu_has_its_own_actions(window: Window) -> None:
    window.open_menu()
    window.row("OpenRouter").click()
    expect(window.page.locator(".quick-input-title")).to_contain_text("AI Usage: OpenRouter")
    window.row("Copy").click()
    until(lambda: re.search(r"OpenRouter · .*\d+% used", window.clipboard()), "the usage in the clipboard")
    window.open_menu()
    window.row("OpenRouter").click()
    window.row("Open dashboard").click()
    expect(window.dialog).to_contain_text("openrouter.ai")
    window.page.keyboard.press("Escape")


def test_the_report_is_live_and_loads_nothing(window: Window, credits: Credits) -> None:
    window.complaints.clear()
    window.run("Quotaline: Show Usage Report")
    page = window.report()
    expect(page.locator("main")).to_contain_text("OpenRouter")
    expect(page.get_by_role("meter").first).to_be_visible()
    page.locator("h1").evaluate("heading => { heading.ownerDocument.body.dataset.kept = 'yes' }")
    refresh(window, credits, 58)
    expect(page.locator("main")).to_contain_text("58% used")
    expect(page.locator("body")).to_have_attribute("data-kept", "yes")  # in its place, not loaded again
    policy = page.locator('meta[http-equiv="Content-Security-Policy"]').get_attribute("content") or ""
    assert policy.startswith("default-src 'none'; style-src 'nonce-")
    assert not [text for text in window.complaints if "Content Security Policy" in text and "nonce" in text]


def test_settings_are_taken_at_once(window: Window, code_server: CodeServer) -> None:
    code_server.set(statusLine_percent="left", statusBar_layout="perProvider", statusBar_alignment="left")
    window.shows("% left")
    expect(window.page.locator('.left-items [id^="quotaline."]')).to_have_count(1)
    assert window.item.get_attribute("id") == "quotaline.quotaline.quotaline.openrouter"
    code_server.set(statusLine_percent=None, statusBar_layout=None, statusBar_alignment=None)
    expect(window.page.locator('.right-items [id="quotaline.quotaline.quotaline.all"]')).to_have_count(1)
    expect(window.item).not_to_contain_text("left")


def test_the_config_file_says_how_things_are_shown_until_a_setting_does(
    window: Window, code_server: CodeServer, config: Path
) -> None:
    good = config.read_text(encoding="utf-8")
    try:
        config.write_text(json.dumps({**json.loads(good), "display": {"percent": "left"}}), encoding="utf-8")
        window.shows("% left")
        code_server.set(statusLine_percent="used")
        expect(window.item).not_to_contain_text("left")
        code_server.set(statusLine_percent=None)
        window.shows("% left")
    finally:
        config.write_text(good, encoding="utf-8")
    expect(window.item).not_to_contain_text("left")


def test_the_configuration_has_completion_and_diagnostics(window: Window, config: Path) -> None:
    good = config.read_text(encoding="utf-8")
    try:
        window.run("Quotaline: Open Configuration")
        expect(window.page.locator(".tab.active")).to_contain_text("config.json")
        editor = window.page.locator(".editor-instance .monaco-editor").first
        expect(editor.locator(".codelens-decoration").first).to_contain_text("Refresh")
        broken = {"version": 1, "providers": [{"id": "openrouter", "enabled": "perhaps"}]}
        config.write_text(json.dumps(broken, indent=2), encoding="utf-8")
        expect(editor.locator(".squiggly-error, .squiggly-warning").first).to_be_visible()
        window.go_to(line=5, column=28)  # behind the id
        window.page.keyboard.type(' "sou', delay=20)
        expect(window.page.locator(".suggest-widget .monaco-list-row", has_text="source").first).to_be_visible()
        window.page.keyboard.press("Escape")
    finally:
        config.write_text(good, encoding="utf-8")
    window.run("File: Revert File")  # after the file is whole again: a revert under way can miss a change of the file
    expect(window.page.locator(".squiggly-error, .squiggly-warning")).to_have_count(0)


def test_a_credential_goes_to_the_server_and_nowhere_else(
    window: Window, code_server: CodeServer, config: Path, vendors: Simulator
) -> None:
    route = vendors.vendor("api.venice.ai").get("/api/v1/billing/balance", bearer=SECRET)
    route.answers(canConsume=True, balances={"usd": 7.5}, consumptionCurrency="USD")
    code_server.set(trace_server="verbose")
    window.run("Quotaline: Set Credential...")
    window.input.fill("Venice")
    window.row("Venice").first.click()
    window.row("API key").first.click()
    expect(window.input).to_have_attribute("type", "password")
    window.type(SECRET)
    until(lambda: route.count, "a read with the new key")
    expect(window.item).to_contain_text("Venice")
    assert SECRET in config.read_text(encoding="utf-8")  # this user has no keyring
    assert SECRET not in code_server.logs()
    window.run("Quotaline: Hide Provider...")
    window.row("Venice").first.click()
    expect(window.page.locator(".statusbar")).to_contain_text("Venice is no longer shown.")
    expect(window.item).not_to_contain_text("Venice")


def test_a_killed_server_comes_back_and_says_so(window: Window, code_server: CodeServer) -> None:
    first = code_server.server()
    window.page.evaluate("() => window.shown.clear()")
    first.kill()
    until(lambda: window.has_shown("codicon-sync"), "a word about the restart")
    second = until(lambda: next((one for one in code_server.servers() if one.pid != first.pid), None), "a new server")
    expect(window.item.locator(".codicon-sync")).to_have_count(0)
    window.shows("OpenRouter")
    expect(window.notifications).to_have_count(0)
    window.run("Quotaline: Restart Server")
    until(lambda: code_server.servers() and second.pid not in {one.pid for one in code_server.servers()}, "another")
