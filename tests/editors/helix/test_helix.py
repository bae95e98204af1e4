"""The fall-back for editors without a client of ours, in a real Helix: the status line as a progress, commands as code
actions, language features in the config file."""

from __future__ import annotations

import itertools
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import pytest

from quotaline_providers.testing import Route, Vendor
from tests import systems
from tests.editors.installed import install
from tests.server.lsp_client import Desk

PROGRAM = Path(__file__).parents[3] / ".cache/helix/hx"
WAIT_SECONDS = 20.0

EDITOR_CONFIG = """
[editor.lsp]
display-progress-messages = true
display-inlay-hints = true
"""
LANGUAGES = """
[language-server.quotaline]
command = "quotaline"
args = ["serve"]
config = { checkStatus = false, codeActions = "everywhere" }

[[language]]
name = "python"
language-servers = ["quotaline"]

[[language]]
name = "json"
language-servers = ["quotaline"]
"""

pytestmark = pytest.mark.editors


class Helix:
    """A Helix in a terminal of its own (tmux)."""

    def __init__(self, desk: Desk, file: Path) -> None:
        self._socket = desk.home / "tmux"
        self._desk = desk
        command = shlex.join([str(PROGRAM), str(file)])
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "24", "-c", str(desk.home), command)

    def press(self, *keys: str) -> None:
        """Press keys: texts, or names such as `Enter`."""
        self._tmux("send-keys", *keys)

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def until(self, words: str, doing: Callable[[], object] = lambda: None) -> str:
        """The screen once it has these words, while something is done again and again."""
        end = time.monotonic() + WAIT_SECONDS
        for look in itertools.count():
            if words in (screen := self.screen()):
                return screen
            if time.monotonic() > end:
                break
            if look % 20 == 0:
                doing()
            time.sleep(0.05)  # between two looks; nothing depends on it
        raise AssertionError(f"{words!r} did not come on the screen:\n{screen}")

    def run(self, command: str) -> None:
        """A command of Helix's, such as `:q!`."""
        self.press(f":{command}", "Enter")

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self._socket), *words],
            env=self._desk.variables,
            capture_output=True,
            encoding="utf-8",
            timeout=20,
            check=False,
        )
        return done.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tmux("kill-server")


@pytest.fixture
def desk(environ: dict[str, str], home: Path, programs: Path) -> Iterator[Desk]:
    """A user with Helix, `quotaline` on the PATH, and one provider with a key."""
    if not PROGRAM.exists() or shutil.which("tmux") is None:
        if systems.COMPLETE:
            pytest.fail("run tests/editors/get-helix first, and install tmux")
        pytest.skip("run tests/editors/get-helix, and install tmux, to test in Helix")
    install(programs)
    path = f"{programs}:/usr/bin:/bin"
    with Desk({**environ, "PATH": path, "LANG": "C.UTF-8", "TERM": "xterm-256color"}, home) as desk:
        desk.write(".config/helix/config.toml", EDITOR_CONFIG)
        desk.write(".config/helix/languages.toml", LANGUAGES)
        desk.write("main.py", "x = 1\n")
        desk.write_config({"id": "openrouter", "enabled": True, "apiKey": "k"})
        yield desk


@pytest.fixture
def credits(vendor: Callable[[str], Vendor]) -> Route:
    """Where the one provider's numbers come from: at first 62 of 100 are used."""
    host = vendor("openrouter.ai")
    host.get("/api/v1/key").fails(500)
    route = host.get("/api/v1/credits")
    return route.answers(data={"total_credits": 100, "total_usage": 62})


def sidecars(desk: Desk) -> list[psutil.Process]:
    """The sidecars that run in this home."""
    found = []
    for process in psutil.process_iter():
        try:
            if "serve" in process.cmdline() and process.environ().get("HOME") == str(desk.home):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_the_status_line_is_shown(desk: Desk, credits: Route) -> None:
    with Helix(desk, desk.home / "main.py") as helix:
        helix.until("AI quota ⋅ OpenRouter 62%")


def test_commands_are_reached_through_code_actions(desk: Desk, credits: Route) -> None:
    with Helix(desk, desk.home / "main.py") as helix:
        helix.until("OpenRouter 62%")
        helix.press("Space", "a")
        menu = helix.until("Refresh AI usage")
        assert "Show AI usage report" in menu
        helix.press("Down", "Enter")
        helix.until("## OpenRouter")


def test_a_refresh_by_command_shows_the_new_number(desk: Desk, credits: Route) -> None:
    with Helix(desk, desk.home / "main.py") as helix:
        helix.until("OpenRouter 62%")
        credits.answers(data={"total_credits": 100, "total_usage": 91})
        # again and again: a refresh right after another one is answered with its result
        helix.until("OpenRouter 91%", lambda: helix.run("lsp-workspace-command quotaline.refresh"))


def test_the_config_file_explains_itself(desk: Desk, credits: Route) -> None:
    desk.config.write_text('{"version": 1, "providers": [\n  {"id": "openrouter", "enabled": "maybe"}\n]}\n')
    with Helix(desk, desk.config) as helix:
        helix.until("●")  # a diagnostic in the gutter
        helix.press("j", "l", "l", "l", "l", "Space", "k")
        helix.until("OpenRouter")


def test_no_process_stays_behind(desk: Desk, credits: Route) -> None:
    with Helix(desk, desk.home / "main.py") as helix:
        helix.until("OpenRouter 62%")
        running = sidecars(desk)
        assert running
        helix.run("q!")
        gone, left = psutil.wait_procs(running, timeout=WAIT_SECONDS)
        assert left == []
        assert gone
