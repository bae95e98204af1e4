"""A real Neovim for tests, with the client of this repository on its runtime path, driven over its RPC socket."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import psutil
import pynvim  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[3]
CLIENT = ROOT / "clients/neovim"
CACHE = ROOT / ".cache/neovim"
RELEASES = ("0.10", "newest")

START_SECONDS = 30.0
WAIT_SECONDS = 30.0
STATUSLINE = "%{%v:lua.require'quotaline'.statusline()%}"
WINBAR = "%{%v:lua.require'quotaline'.winbar()%}"

# Messages are kept instead of shown; changes are counted; a dialog's answer is the first choice.
RECORDING = """
_G.notes, _G.changes, _G.opened = {}, 0, {}
vim.notify = function(text, level) table.insert(_G.notes, { text = text, level = level or 2 }) end
vim.ui.open = function(url) table.insert(_G.opened, url) return nil, nil end
vim.api.nvim_create_autocmd("User", {
  pattern = "QuotalineChanged",
  callback = function() _G.changes = _G.changes + 1 end,
})
"""

T = TypeVar("T")


@functools.cache
def program(release: str) -> Path | None:
    """The starter of a release that `tests/editors/get-neovim` unpacked, or as the newest the one that the variable
    QUOTALINE_NEOVIM names."""
    if release == RELEASES[-1] and (named := os.environ.get("QUOTALINE_NEOVIM")):
        return Path(named)
    path = CACHE / release / "nvim"
    return path if os.access(path, os.X_OK) else None


def until(look: Callable[[], T | None], what: str, seconds: float = WAIT_SECONDS) -> T:
    """The first true value that `look` gives."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come to be; last: {found!r}")
        time.sleep(0.02)  # between two looks; nothing depends on it
    return found


def doing_until(do: Callable[[], object], look: Callable[[], T | None], what: str) -> T:
    """Do it again and again until `look` gives a true value: what is done may come too early to count."""

    def again() -> T | None:
        do()
        return look()

    return until(again, what)


@dataclass(frozen=True)
class Float:
    """An open floating window."""

    window: Any
    lines: list[str]
    config: dict[str, Any]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class Editor:
    """One Neovim. `setup` is Lua run at the end of its init file. Everything it started ends with it."""

    def __init__(
        self,
        release: str,
        environ: Mapping[str, str],
        home: Path,
        setup: str = 'require("quotaline").setup()',
        *,
        client: Path | None = CLIENT,
        arguments: tuple[str, ...] = ("--headless",),
    ) -> None:
        starter = program(release)
        assert starter is not None
        self.folder = Path(tempfile.mkdtemp(prefix="nvim-"))  # a socket's path must be short
        init = self.folder / "init.lua"
        path = f"vim.opt.runtimepath:prepend({str(client)!r})" if client else ""
        init.write_text("\n".join((RECORDING, path, setup)), encoding="utf-8")
        socket = Path(rf"\\.\pipe\{self.folder.name}") if os.name == "nt" else self.folder / "socket"
        self.errors = self.folder / "stderr"
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [str(starter), *arguments, "--listen", str(socket), "-u", str(init), "-i", "NONE", "-n"],
                env=dict(environ),
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        try:
            self.nvim: Any = until(lambda: self._attached(socket), "a listening Neovim", START_SECONDS)
        except AssertionError:
            self.process.kill()
            self.process.wait()
            raise
        self.servers_seen: set[psutil.Process] = set()

    def _attached(self, socket: Path) -> Any:
        """A connection, once Neovim listens: the socket is there a moment before that."""
        assert self.process.poll() is None, self.errors.read_text()
        with contextlib.suppress(OSError):
            return pynvim.attach("socket", path=str(socket))

    # --- asking ---

    def lua(self, code: str, *arguments: object) -> Any:
        """Run Lua, return its value."""
        return self.nvim.exec_lua(code, *arguments)

    def statusline(self) -> dict[str, Any]:
        """The drawn status line: `str`, and `highlights` as Neovim sees them."""
        drawn: dict[str, Any] = self.nvim.api.eval_statusline(STATUSLINE, {"highlights": True})
        return drawn

    def shows(self, text: str, seconds: float = WAIT_SECONDS) -> None:
        """Wait until the status line is this text."""
        end = time.monotonic() + seconds
        while (now := self.statusline()["str"]) != text:
            if time.monotonic() > end:
                story = "\n".join((*self.notes(), *self.lua("return require('quotaline.log').entries()"), *self.log()))
                raise AssertionError(f"the status line is {now!r}, not {text!r}:\n{story}")
            time.sleep(0.02)

    def providers(self) -> list[dict[str, Any]]:
        """What the client knows of each provider."""
        code = "local usage = require('quotaline').state().usage return usage and usage.providers or {}"
        return list(self.lua(code))

    def notes(self) -> list[str]:
        """The texts of all messages so far."""
        return [note["text"] for note in self.lua("return _G.notes")]

    def noted(self, part: str) -> str:
        """Wait for a message that holds this."""
        return until(lambda: next((note for note in self.notes() if part in note), ""), f"a message with {part!r}")

    def opened(self) -> list[str]:
        """The addresses that were opened in a browser."""
        return list(self.lua("return _G.opened"))

    def floating(self) -> Float | None:
        """The floating window, when one is open."""
        for window in self.nvim.windows:
            config = self.nvim.api.win_get_config(window)
            if config["relative"]:
                return Float(window, list(window.buffer[:]), config)
        return None

    def log(self) -> list[str]:
        """The end of Neovim's own log of its servers."""
        path = Path(self.lua("return require('quotaline.lsp').log_file()"))
        return path.read_text("utf-8").splitlines()[-20:] if path.exists() else []

    def float_with(self, part: str) -> Float:
        """Wait for a floating window that holds this."""
        return until(
            lambda: found if (found := self.floating()) and part in found.text else None, f"a window with {part!r}"
        )

    def lines(self) -> list[str]:
        """The current buffer's lines."""
        return list(self.nvim.current.buffer[:])

    def completed(self, line: str) -> list[str]:
        """What `<Tab>` offers after this command line."""
        return list(self.nvim.funcs.getcompletion(line, "cmdline"))

    # --- doing ---

    def command(self, line: str) -> None:
        self.nvim.command(line)

    def be_seen(self) -> None:
        """Attach a user interface, without which Neovim neither asks nor hears of a mouse."""
        self.nvim.ui_attach(80, 24, rgb=True)

    def command_that_asks(self, line: str) -> None:
        """A command that waits for the keyboard."""
        self.nvim.command(line, async_=True)

    def types(self, keys: str) -> None:
        """Press keys, as `nvim_input`."""
        self.nvim.input(keys)

    # --- processes ---

    def servers(self) -> list[psutil.Process]:
        """The servers that this Neovim runs now."""
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.process.pid).children(recursive=True)
            found = [child for child in children if _is_server(child)]
            self.servers_seen.update(found)
            return found
        return []

    def server(self) -> psutil.Process:
        """The one server, once it runs."""
        until(lambda: len(self.servers()) == 1, "one server")
        return self.servers()[0]

    def quit(self) -> None:
        """Leave Neovim as a user does."""
        self.servers()
        with contextlib.suppress(Exception):
            self.nvim.command("qall!", async_=True)
        self.process.wait(WAIT_SECONDS)

    def close(self) -> None:
        """End it, whatever it does."""
        self.servers()
        with contextlib.suppress(Exception):
            self.nvim.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(WAIT_SECONDS)
        gone, left = psutil.wait_procs(list(self.servers_seen), WAIT_SECONDS)
        for process in left:
            process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        assert not left, f"servers outlived Neovim: {left}; {len(gone)} ended"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _is_server(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return "quotaline" in process.cmdline() and "serve" in process.cmdline()
    return False


@contextlib.contextmanager
def together(*editors: Editor) -> Iterator[tuple[Editor, ...]]:
    """Several at once; all are closed, also when one does not close well."""
    with contextlib.ExitStack() as stack:
        for editor in editors:
            stack.enter_context(editor)
        yield editors
