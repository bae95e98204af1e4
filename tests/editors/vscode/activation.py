"""`python -m tests.editors.vscode.activation`: what the start of the extension costs, as VS Code itself says."""

from __future__ import annotations

import re
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.editors.installed import install
from tests.editors.vscode.code_server import CodeServer
from tests.editors.vscode.window import CHROMIUM, FLAGS, Window

BUDGET = 50
STARTS = 5
PEER = "Merge Conflict"
"""A small extension of VS Code's own, started at the same moment: how busy the machine is."""


def main() -> None:
    """Start a window a few times and print the milliseconds of loading and activating, each time and in the middle."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        machine = Path(name)
        for folder in ("home", "bin"):
            (machine / folder).mkdir()
        install(machine / "bin")
        environ = {"HOME": str(machine / "home"), "PATH": f"{machine / 'bin'}:/usr/bin:/bin"}
        with CodeServer(machine, environ) as server:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            window = Window(browser, server)
            times: dict[str, list[int]] = {"Quotaline": [], PEER: []}
            for _ in range(STARTS):
                window.load()
                window.run("Developer: Show Running Extensions")
                for extension, found in times.items():
                    found.append(activation(window, extension))
            browser.close()
    for extension, found in times.items():
        print(f"{extension}: {', '.join(map(str, found))} ms; median {statistics.median(found):.0f} ms")
    print(f"budget: {BUDGET} ms")


def activation(window: Window, extension: str) -> int:
    """What the list of running extensions says."""
    row = window.page.locator(".runtime-extensions-editor .monaco-list-row", has_text=extension).first
    row.wait_for()
    found = re.search(r"(\d+)ms", row.inner_text())
    assert found is not None, row.inner_text()
    return int(found[1])


if __name__ == "__main__":
    main()
