"""`python -m tests.editors.neovim.picture`: draws the pictures of clients/neovim again, by real Neovim, the real server
and simulated vendors."""

from __future__ import annotations

import argparse
import queue
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pynvim  # type: ignore[import-untyped]

from quotaline_providers.testing import Simulator
from tests.editors.installed import install
from tests.editors.neovim.editor import CLIENT, Editor, until
from tests.editors.neovim.screen import Screen, svg
from tests.providers.codex_login import write_login
from tests.server.lsp_client import Desk

IMAGES = CLIENT / "images"
COLUMNS, ROWS = 96, 32
QUIET_SECONDS = 0.4

SETUP = """
vim.o.background = "{background}"
vim.o.termguicolors = true
vim.o.number = true
vim.o.laststatus = 2
vim.o.ruler = false
vim.o.showcmd = false
vim.o.shortmess = vim.o.shortmess .. "I"
vim.o.statusline = " %t%=%{{%v:lua.require'quotaline'.statusline()%}}   %y  %l:%c "
require("quotaline").setup()
"""

PROGRAM = '''"""Counts the words of the files that are named."""

from collections import Counter
from pathlib import Path
import sys


def words(path: Path) -> Counter[str]:
    text = path.read_text(encoding="utf-8")
    return Counter(word.strip(".,;:!?").lower() for word in text.split())


def main() -> None:
    total: Counter[str] = Counter()
    for name in sys.argv[1:]:
        total += words(Path(name))
    for word, count in total.most_common(20):
        print(f"{count:6}  {word}")


if __name__ == "__main__":
    main()
'''


def in_(**time: float) -> datetime:
    return (datetime.now(UTC) + timedelta(**time, seconds=40)).replace(microsecond=0)


def lay_scene(simulator: Simulator, desk: Desk) -> None:
    """A user of three providers: one nearly used up, one at ease, one prepaid. All invented."""
    login = {"accessToken": "demo-token", "expiresAt": int(in_(days=9).timestamp() * 1000)}
    desk.write(".claude/.credentials.json", {"claudeAiOauth": {**login, "subscriptionType": "max"}})
    simulator.vendor("api.anthropic.com").get("/api/oauth/usage").answers(
        five_hour={"utilization": 84, "resets_at": in_(hours=1, minutes=12).isoformat()},
        seven_day={"utilization": 41, "resets_at": in_(days=3, hours=4).isoformat()},
    )
    write_login(desk.home)
    simulator.vendor("chatgpt.com").get("/backend-api/wham/usage").answers(
        plan_type="plus",
        rate_limit={
            "primary_window": window(18, 18000, in_(hours=3, minutes=40)),
            "secondary_window": window(27, 604800, in_(days=5, hours=2)),
        },
    )
    router = simulator.vendor("openrouter.ai")
    router.get("/api/v1/key").fails(500)
    router.get("/api/v1/credits").answers(data={"total_credits": 25, "total_usage": 6.6})
    desk.write_config(
        {"id": "claude", "source": "oauth"}, {"id": "codex", "source": "oauth"}, {"id": "openrouter", "apiKey": "k"}
    )
    desk.write("count_words.py", PROGRAM)


def window(percent: float, seconds: int, resets: datetime) -> dict[str, object]:
    return {"used_percent": percent, "limit_window_seconds": seconds, "reset_at": int(resets.timestamp())}


def photographed(editor: Editor, then: Callable[[], object], ready: Callable[[str], bool]) -> Screen:
    """The screen once it is ready and no more is drawn."""
    batches: queue.Queue[list[Any]] = queue.Queue()
    eye = pynvim.attach("socket", path=editor.nvim.vvars["servername"])

    def watch() -> None:
        eye.ui_attach(COLUMNS, ROWS, rgb=True, ext_linegrid=True)
        eye.run_loop(lambda name, arguments: None, lambda name, arguments: batches.put(arguments))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    screen = Screen(COLUMNS, ROWS)
    screen.take(batches.get(timeout=20))
    then()
    quiet_since = time.monotonic()
    end = quiet_since + 30
    while time.monotonic() < end:
        try:
            screen.take(batches.get(timeout=0.1))
            quiet_since = time.monotonic()
        except queue.Empty:
            if time.monotonic() - quiet_since > QUIET_SECONDS and ready(screen.text()):
                break
    else:
        raise AssertionError(f"the screen is not ready:\n{screen.text()}")
    eye.async_call(eye.stop_loop)
    thread.join(5)
    return screen


def draw(release: str, background: str, environ: dict[str, str], home: Path, images: Path) -> None:
    """The pictures on one background."""
    with Editor(release, environ, home, SETUP.format(background=background)) as editor:
        until(lambda: "84%" in (line := editor.statusline()["str"]) and "Codex" in line, "the numbers", 30)
        editor.command("edit count_words.py")
        editor.command("normal! 11G")
        for name, then, part, title in (
            (
                "float",
                lambda: editor.command("Quotaline"),
                "AI quota",
                "The details in a window: each provider with a bar, the percent used and the time until the reset",
            ),
            (
                "statusline",
                lambda: editor.types("q"),
                "Claude",
                "Neovim's status line ends with the percent used and the time until the reset",
            ),
            ("report", lambda: editor.command("Quotaline report"), "As of", "The report of all providers in a buffer"),
        ):
            screen = photographed(editor, then, lambda text, part=part: part in text and "refreshing" not in text)  # type: ignore[misc]
            (images / f"{name}-{background}.svg").write_text(svg(screen, title), encoding="utf-8")
            print(images / f"{name}-{background}.svg")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", default="newest", help="which Neovim (newest)")
    parser.add_argument("--folder", type=Path, default=IMAGES, help="where the pictures go (clients/neovim/images)")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for background in ("dark", "light"):
        with Simulator() as simulator, tempfile.TemporaryDirectory(prefix="quotaline-") as folder:
            home = Path(folder, "home")
            home.mkdir()
            programs = Path(folder, "bin")
            programs.mkdir()
            install(programs)
            environ = {"HOME": str(home), "PATH": f"{programs}:/usr/bin:/bin", "LANG": "C.UTF-8", **simulator.environ()}
            desk = Desk(environ, home)
            lay_scene(simulator, desk)
            draw(options.release, background, desk.variables, home, options.folder)


if __name__ == "__main__":
    main()
