"""One VS Code window in Chromium, spoken of as its user would."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import quote

from playwright.sync_api import Browser, Error as PlaywrightError, FrameLocator, Locator, Page, expect

from tests.editors.vscode.code_server import CodeServer, until

LOAD_SECONDS = 60.0
WAIT_SECONDS = 20.0
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
SIZE = (1200, 750)
Scheme = Literal["light", "dark"]

expect.set_options(timeout=WAIT_SECONDS * 1000)

# Everything that the items ever showed, for states that last only a moment.
_RECORDING = """() => {
  const bar = document.querySelector('.part.statusbar');
  const note = () => {
    for (const item of bar.querySelectorAll('.statusbar-item[id^="quotaline."]')) window.shown.add(item.innerHTML);
  };
  window.shown = new Set();
  new MutationObserver(note).observe(bar, {subtree: true, childList: true, attributes: true, characterData: true});
  note();
}"""


class Window:
    """A page that shows the workbench. It is ready once our status bar item is there."""

    def __init__(
        self,
        browser: Browser,
        server: CodeServer,
        *,
        scale: float = 1,
        scheme: Scheme = "light",
        size: tuple[int, int] = SIZE,
    ) -> None:
        width, height = size
        self.server = server
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=scale,
            color_scheme=scheme,
            permissions=["clipboard-read", "clipboard-write"],
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(WAIT_SECONDS * 1000)
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.load()

    def load(self) -> None:
        """Load or reload the window; one retry is allowed, an editor's start is not what is tested."""
        for attempt in (1, 2):
            try:
                self.page.goto(f"{self.server.url}/?folder={quote(str(self.server.workspace))}")
                self.items.first.wait_for(timeout=LOAD_SECONDS * 1000)
                break
            except PlaywrightError:
                if attempt == 2:
                    raise
        self.page.evaluate(_RECORDING)

    def close(self) -> None:
        """Leave the page as a user does, so that VS Code knows that nobody will come back to it."""
        self.page.goto("about:blank")
        self.context.close()

    # --- the status bar ---

    @property
    def items(self) -> Locator:
        """Our status bar items, from left to right."""
        return self.page.locator('.statusbar-item[id^="quotaline."]')

    @property
    def item(self) -> Locator:
        return self.items.first

    def shows(self, text: str | re.Pattern[str]) -> None:
        """Wait until the status bar shows this."""
        expect(self.item).to_contain_text(text)

    def has_shown(self, html: str) -> bool:
        """Whether an item showed this at any time since the window was loaded."""
        return bool(self.page.evaluate("html => [...window.shown].some(shown => shown.includes(html))", html))

    def tooltip(self) -> Locator:
        """The tooltip, after moving the mouse to the item."""
        self.page.mouse.move(5, 300)
        self.item.hover()
        link = self.page.locator('a[data-href^="command:quotaline"]')
        hover = self.page.locator(".monaco-hover:visible .hover-contents").filter(has=link)
        hover.wait_for()
        return hover

    # --- palette and lists ---

    def run(self, title: str) -> None:
        """Run a command of the palette by its whole title."""
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("F1")
        box = self.page.locator(".quick-input-widget:visible input").first
        box.fill(f">{title}")
        self.row(re.compile(f"^{re.escape(title)}")).first.click()

    def open_menu(self) -> None:
        """Click the status bar item."""
        self.item.locator("a").click()
        expect(self.page.locator(".quick-input-title")).to_contain_text("AI Usage")

    @property
    def rows(self) -> Locator:
        """The rows of the open list."""
        return self.page.locator(".quick-input-widget:visible .quick-input-list .monaco-list-row")

    def row(self, text: str | re.Pattern[str]) -> Locator:
        return self.rows.filter(has_text=text)

    def type(self, text: str) -> None:
        """Type into the open input box and accept."""
        box = self.page.locator(".quick-input-widget:visible input").first
        box.fill(text)
        box.press("Enter")

    @property
    def input(self) -> Locator:
        return self.page.locator(".quick-input-widget:visible input").first

    # --- the rest of the window ---

    @property
    def notifications(self) -> Locator:
        return self.page.locator(".notification-toast-container")

    @property
    def dialog(self) -> Locator:
        return self.page.locator(".monaco-dialog-box")

    def report(self) -> FrameLocator:
        """The page inside the report's tab."""
        return self.page.frame_locator("iframe.webview.ready").frame_locator("iframe#active-frame")

    def clipboard(self) -> str:
        return str(self.page.evaluate("() => navigator.clipboard.readText()"))

    def open_file(self, name: str) -> None:
        """Open a file of the workspace in an editor."""
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+p")
        self.input.fill(name)
        self.row(name).first.click()

    def go_to(self, line: int, column: int) -> None:
        """Put the cursor of the open editor there."""
        self.page.keyboard.press("Control+g")
        self.type(f":{line}:{column}")
        self.settled()

    def settled(self) -> None:
        """Wait until no list and no input is open."""
        until(lambda: self.page.locator(".quick-input-widget:visible").count() == 0, "a closed list", WAIT_SECONDS)
