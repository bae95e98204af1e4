"""`python -m tests.editors.vscode.pictures`: takes the pictures of clients/vscode again, light and dark.

The workbench and the server are real; the vendors and their numbers are made up.
"""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, FloatRect, expect, sync_playwright

from quotaline_providers.testing import Simulator
from tests.editors.installed import install
from tests.editors.vscode.code_server import EXTENSION, CodeServer, whats_lacking
from tests.editors.vscode.conftest import write_config
from tests.editors.vscode.window import CHROMIUM, FLAGS, Window
from tests.providers.codex_login import write_login

IMAGES = EXTENSION / "images"
Theme = Literal["light", "dark"]
SAMPLE = '''\
"""Greets whoever is named."""


def greeting(name: str) -> str:
    return f"Hello, {name}!"


def greet_all(names: list[str]) -> list[str]:
    return [greeting(name) for name in sorted(names)]
'''


def main() -> None:
    """Take all pictures."""
    lacking = whats_lacking()
    if lacking is not None:
        raise SystemExit(f"run {lacking} first")
    with tempfile.TemporaryDirectory() as name, Simulator() as vendors, sync_playwright() as playwright:
        machine = Path(name)
        for folder in ("home", "bin", "work"):
            (machine / folder).mkdir()
        install(machine / "bin")
        furnish(machine / "home", vendors)
        (machine / "work/greetings.py").write_text(SAMPLE, encoding="utf-8")
        environ = {
            "HOME": str(machine / "home"),
            "PATH": f"{machine / 'bin'}:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            **vendors.environ(),
        }
        settings = {
            "window.autoDetectColorScheme": True,
            "workbench.preferredLightColorTheme": "Default Light Modern",
            "workbench.preferredDarkColorTheme": "Default Dark Modern",
            "editor.minimap.enabled": False,
        }
        with CodeServer(machine, environ, settings) as server:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            for theme in ("light", "dark"):
                take(browser, server, theme)
            browser.close()


def furnish(home: Path, vendors: Simulator) -> None:
    """Three logins of a made-up person, and what the vendors say."""
    now = datetime.now(UTC)

    def at(**ahead: float) -> str:
        return (now + timedelta(**ahead)).strftime("%Y-%m-%dT%H:%M:%SZ")

    write_config(home, {"id": "claude"}, {"id": "codex"}, {"id": "openrouter", "enabled": True, "apiKey": "k"})
    login = home / ".claude/.credentials.json"
    login.parent.mkdir()
    expires = int((now + timedelta(days=30)).timestamp() * 1000)
    credential = {"accessToken": "demo-token", "expiresAt": expires, "subscriptionType": "max"}
    login.write_text(json.dumps({"claudeAiOauth": {**credential, "scopes": ["user:inference", "user:profile"]}}))
    (home / ".claude.json").write_text(json.dumps({"oauthAccount": {"emailAddress": "ada@example.test"}}))
    anthropic = vendors.vendor("api.anthropic.com").get("/api/oauth/usage", bearer="demo-token")
    anthropic.answers(
        five_hour={"utilization": 82, "resets_at": at(hours=1, minutes=48)},
        seven_day={"utilization": 46, "resets_at": at(days=3, hours=5)},
    )
    write_login(home)
    openai = vendors.vendor("chatgpt.com")
    openai.get("/backend-api/wham/rate-limit-reset-credits").fails(404)
    openai.get("/backend-api/wham/usage").answers(
        plan_type="plus",
        rate_limit={
            "primary_window": used(18, 18_000, now + timedelta(hours=3, minutes=20)),
            "secondary_window": used(37, 604_800, now + timedelta(days=4)),
        },
    )
    router = vendors.vendor("openrouter.ai")
    router.get("/api/v1/key").fails(500)
    router.get("/api/v1/credits").answers(data={"total_credits": 50, "total_usage": 31.6})


def used(percent: float, seconds: int, reset: datetime) -> dict[str, float]:
    return {"used_percent": percent, "limit_window_seconds": seconds, "reset_at": int(reset.timestamp())}


def take(browser: Browser, server: CodeServer, theme: Theme) -> None:
    width, height = 1100, 860
    window = Window(browser, server, scale=2, scheme=theme, size=(width, height))
    page = window.page
    for vendor in ("Claude 82%", "OpenRouter 63%", "Codex 37%"):
        window.shows(vendor)
    window.open_file("greetings.py")
    expect(page.locator(".tab.active")).to_contain_text("greetings.py")
    tooltip = window.tooltip()
    expect(tooltip).to_contain_text("OpenRouter")
    tooltip.hover()  # off the item, which would be drawn as pressed
    page.screenshot(path=IMAGES / f"status-bar-{theme}.png", clip=rectangle(width - 600, height - 560, 600, 560))
    page.set_viewport_size({"width": width, "height": 1200})  # a list is at most a part of the window's height
    window.open_menu()
    page.mouse.move(width / 2, 800)
    expect(window.row("Restart the server")).to_be_visible()
    page.locator(".quick-input-widget").screenshot(path=IMAGES / f"menu-{theme}.png")
    page.set_viewport_size({"width": width, "height": height})
    page.keyboard.press("Escape")
    window.run("Quotaline: Show Usage Report")
    expect(window.report().locator("main")).to_contain_text("Claude")
    expect(window.report().get_by_role("meter").first).to_be_visible()
    page.keyboard.press("Control+b")
    page.mouse.move(width / 2, height - 60)
    expect(page.locator(".monaco-hover:visible")).to_have_count(0)
    page.screenshot(path=IMAGES / f"report-{theme}.png")
    page.keyboard.press("Control+b")
    window.run("View: Close All Editors")
    window.close()


def rectangle(x: float, y: float, width: float, height: float) -> FloatRect:
    return {"x": x, "y": y, "width": width, "height": height}


if __name__ == "__main__":
    main()
