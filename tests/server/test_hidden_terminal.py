"""A secret that is typed into a real terminal: all of it comes, nothing shows, and the terminal is as before."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests import systems
from tests.server.command import PROGRAM, Command

pytestmark = systems.terminals

COOKIE = "sessionKey=" + "".join(chr(33 + number % 90) for number in range(10_000))
DEADLINE = 60.0

ASK = """
import json, sys
from pathlib import Path
from quotaline.cli import hidden
try:
    answer = hidden.ask("Key: ", 1 << 20)
except hidden.ClosedError:
    answer = ["closed"]
except KeyboardInterrupt:
    answer = ["interrupted"]
Path(sys.argv[1]).write_text(json.dumps(answer))
"""

SHELL = """
import json, os, signal, subprocess, sys, termios
from pathlib import Path
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
begin = lambda: (os.setpgid(0, 0), os.tcsetpgrp(0, os.getpid()), signal.signal(signal.SIGTTOU, signal.SIG_DFL))
child = subprocess.Popen(sys.argv[2:], preexec_fn=begin)
_, status = os.waitpid(child.pid, os.WUNTRACED)
os.tcsetpgrp(0, os.getpid())
echoes = bool(termios.tcgetattr(0)[3] & termios.ECHO)
Path(sys.argv[1]).write_text(json.dumps([os.WIFSTOPPED(status), echoes]))
os.tcsetpgrp(0, child.pid)
os.kill(child.pid, signal.SIGCONT)
os.waitpid(child.pid, 0)
"""
"""A shell with job control: the program is stopped, the shell looks at the terminal and lets it go on."""


class Terminal:
    """A pseudo-terminal, and what a program in it has shown."""

    def __init__(self) -> None:
        import pty

        self.master, self.slave = pty.openpty()
        self.shown = ""
        self.usual = self.mode()
        self._arrived = threading.Condition()
        self._closed = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def start(
        self, *command: str, environ: Mapping[str, str] = os.environ, ignoring: tuple[signal.Signals, ...] = ()
    ) -> subprocess.Popen[bytes]:
        import fcntl
        import termios

        def prepare() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN if number in ignoring else signal.SIG_DFL)

        side, variables = self.slave, {**environ, "TERM": "xterm"}
        return subprocess.Popen(
            command, stdin=side, stdout=side, stderr=side, start_new_session=True, preexec_fn=prepare, env=variables
        )

    def mode(self) -> list[Any]:
        import termios

        return termios.tcgetattr(self.slave)

    def wait_for(self, text: str, times: int = 1) -> None:
        with self._arrived:
            assert self._arrived.wait_for(lambda: self.shown.count(text) >= times, DEADLINE), self.shown

    def type(self, text: str) -> None:
        data = text.encode()
        while data:
            data = data[os.write(self.master, data) :]

    def close(self) -> None:
        if not self._closed.is_set():
            self._closed.set()
            self._reader.join()  # before its number is another terminal's
            os.close(self.master)
            os.close(self.slave)

    def _read(self) -> None:
        while not self._closed.is_set():
            if select.select([self.master], [], [], 0.05)[0]:
                data = os.read(self.master, 65536)
                with self._arrived:
                    self.shown += data.decode("utf-8", "replace")
                    self._arrived.notify_all()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    terminal.close()


Answer = Callable[..., Any]


@pytest.fixture
def answer(terminal: Terminal, tmp_path: Path) -> Answer:
    """What a program gets that asks for a key while this is typed."""

    def answer(typed: str) -> Any:
        asking = terminal.start(sys.executable, "-c", ASK, str(tmp_path / "answer"))
        terminal.wait_for("Key: ")
        terminal.type(typed)
        assert asking.wait(DEADLINE) == 0
        return json.loads((tmp_path / "answer").read_text())

    return answer


@pytest.mark.parametrize(
    ("typed", "given"),
    [
        (COOKIE + "\r", COOKIE),
        (f"\x1b[200~{COOKIE}\n\x1b[201~\r", COOKIE + "\n"),
        ("wrong\x15kez\x7fy\r", "key"),
        ("key\x04", "key"),
        ("\x04", ""),
        ("key\x03", ["interrupted"]),
    ],
    ids=["typed", "pasted", "edited", "ctrl-d", "ctrl-d on nothing", "ctrl-c"],
)
def test_all_that_is_typed_comes_and_nothing_of_it_shows(
    terminal: Terminal, answer: Answer, typed: str, given: object
) -> None:
    assert answer(typed) == given
    assert terminal.mode() == terminal.usual
    terminal.wait_for("\x1b[?2004l")
    shown = terminal.shown.replace("\r\n", "\n")
    assert shown == "\x1b[?2004hKey: \x1b[?2004l\n"


def test_a_closed_terminal_gives_nothing(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "answer"
    asking = terminal.start(sys.executable, "-c", ASK, str(file), ignoring=(signal.SIGHUP,))
    terminal.wait_for("Key: ")
    terminal.type("half a k")
    terminal.close()
    assert asking.wait(DEADLINE) == 0
    assert json.loads(file.read_text()) == ["closed"]


def test_a_shell_gets_the_terminal_back_while_the_program_is_stopped(terminal: Terminal, tmp_path: Path) -> None:
    files = [str(tmp_path / "stopped"), str(tmp_path / "answer")]
    shell = terminal.start(sys.executable, "-c", SHELL, files[0], sys.executable, "-c", ASK, files[1])
    terminal.wait_for("Key: ")
    terminal.type("\x1a")
    terminal.wait_for("Key: ", 2)
    terminal.type("key\r")
    assert shell.wait(DEADLINE) == 0
    assert [json.loads(Path(file).read_text()) for file in files] == [[True, True], "key"]
    assert terminal.mode() == terminal.usual


# --- the command -----------------------------------------------------------------------------------


@pytest.fixture
def asking(terminal: Terminal, quotaline: Command) -> subprocess.Popen[bytes]:
    """`quotaline set-credential` that waits for a cookie."""
    program = terminal.start(str(PROGRAM), "set-credential", "claude", "--cookie", environ=quotaline.environ)
    terminal.wait_for("Cookie header: ")
    return program


def test_a_long_cookie_header_is_kept_whole(
    terminal: Terminal, asking: subprocess.Popen[bytes], quotaline: Command
) -> None:
    terminal.type(COOKIE + "\r")
    assert asking.wait(DEADLINE) == 0
    (entry,) = json.loads((quotaline.home / ".config/quotaline/config.json").read_text())["providers"]
    assert entry["cookieHeader"] == COOKIE
    assert "sessionKey" not in terminal.shown
    assert terminal.mode() == terminal.usual


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_however_the_command_is_ended_the_terminal_is_as_before(
    terminal: Terminal, asking: subprocess.Popen[bytes], name: str
) -> None:
    terminal.type("half a k")
    asking.send_signal(signal.Signals[name])
    assert asking.wait(DEADLINE) == 130
    assert terminal.mode() == terminal.usual
