"""The real `quotaline` program, started as a user would: its own home, folders and PATH, the vendors simulated."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests import systems

PROGRAM = Path(sys.executable).with_name("quotaline")
DEADLINE = 30.0


def inherit_signals(ignored: Iterable[signal.Signals] = ()) -> None:
    """In a new process before it becomes the program: signals as a terminal leaves them, except for those ignored.
    What the tests themselves were started with (`nohup`, a background job) is not handed on."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)


@dataclass(frozen=True)
class Ended:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def plain(self) -> Ended:
        """Itself, after making sure that no traceback and no warning of Python got out."""
        for text in (self.out, self.err):
            assert "Traceback" not in text, text
            assert "Exception ignored" not in text, text
        return self


@dataclass(frozen=True)
class Command:
    """`quotaline`, ready to be started with arguments. `environ` is all of its environment."""

    environ: Mapping[str, str]
    home: Path
    programs: Path = field(default_factory=Path)

    def with_variables(self, **variables: str | None) -> Command:
        """The same with more variables, or fewer (None)."""
        merged = {**self.environ, **variables}
        return replace(self, environ={name: value for name, value in merged.items() if value is not None})

    def __call__(self, *arguments: str, given: str | bytes = "", **variables: str | None) -> Ended:
        """Run to its end without a terminal; `given` is its standard input."""
        data = given.encode() if isinstance(given, str) else given
        done = subprocess.run(
            [str(PROGRAM), *arguments],
            input=data,
            capture_output=True,
            env=dict(self.with_variables(**variables).environ),
            timeout=DEADLINE,
            check=False,
        )
        return Ended(
            done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        ).plain

    def start(
        self, *arguments: str, given: str = "", ignoring: Iterable[signal.Signals] = (), **variables: str | None
    ) -> subprocess.Popen[bytes]:
        """Start without waiting, in a session of its own, with these signals ignored and no others. `given` is its
        standard input."""
        process = subprocess.Popen(
            [str(PROGRAM), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(self.with_variables(**variables).environ),
            start_new_session=True,
            preexec_fn=partial(inherit_signals, frozenset(ignoring)) if os.name == "posix" else None,
        )
        assert process.stdin is not None
        process.stdin.write(given.encode())
        process.stdin.close()
        process.stdin = None
        return process

    def in_terminal(
        self,
        *arguments: str,
        types: Mapping[str, str] | None = None,
        columns: int = 80,
        until: Callable[[str], bool] | None = None,
        **variables: str | None,
    ) -> Ended:
        """Run in a terminal of its own. `types` answers a text that appears with keys (`\\x03` is Ctrl-C); `until`
        presses Ctrl-C once it holds for what was printed so far."""
        if not systems.NEEDS["terminals"].met:
            pytest.skip(systems.NEEDS["terminals"].reason)
        import pty

        environ = dict(self.with_variables(**{"TERM": "xterm", **variables}).environ)
        pid, terminal = pty.fork()
        if pid == 0:
            inherit_signals()
            os.execve(str(PROGRAM), [str(PROGRAM), *arguments], environ)
        import fcntl
        import struct
        import termios

        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        answers, seen, end = dict(types or {}), b"", time.monotonic() + DEADLINE
        try:
            while time.monotonic() < end:
                text = seen.decode("utf-8", "replace")
                if until is not None and until(text):
                    until = None
                    os.write(terminal, b"\x03")
                if not select.select([terminal], [], [], 0.05)[0]:
                    continue
                try:
                    chunk = os.read(terminal, 65536)
                except OSError:
                    break
                if not chunk:
                    break
                seen += chunk
                text = seen.decode("utf-8", "replace")
                for wanted in [wanted for wanted in answers if wanted in text]:
                    os.write(terminal, answers.pop(wanted).encode())
            else:
                os.kill(pid, signal.SIGKILL)
        finally:
            os.close(terminal)
        _, status = os.waitpid(pid, 0)
        return Ended(os.waitstatus_to_exitcode(status), seen.decode("utf-8", "replace").replace("\r\n", "\n")).plain
