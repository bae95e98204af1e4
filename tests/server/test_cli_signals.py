"""How signals end a command: with the programs it started, whatever its parent had it ignore."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests import systems
from tests.server.command import DEADLINE, Command

pytestmark = systems.signals

SIGHUP = getattr(signal, "SIGHUP", signal.SIGTERM)  # Windows has none

KIRO = """
import os, subprocess, sys, time
stays = "import time; time.sleep(60)"
grandchild = subprocess.Popen([sys.executable, "-c", stays], start_new_session=True)
with open({note!r} + ".new", "w") as note:
    note.write(f"{{os.getpid()}} {{grandchild.pid}}")
os.rename({note!r} + ".new", {note!r})
while not os.path.exists({done!r}):
    time.sleep(0.05)
"""


class Reading:
    """A `quotaline usage` that waits for a vendor's program, which has started a program in a session of its own."""

    def __init__(self, command: subprocess.Popen[bytes], note: Path, done: Path) -> None:
        self.command, self._done = command, done
        end = time.monotonic() + DEADLINE
        while not note.exists():
            assert command.poll() is None
            assert time.monotonic() < end
            time.sleep(0.02)
        self.programs = [psutil.Process(int(pid)) for pid in note.read_text().split()]

    def let_it_finish(self) -> None:
        self._done.touch()

    def ended(self) -> tuple[int, bytes]:
        """The exit code and everything it printed, once it has ended."""
        out, err = self.command.communicate(timeout=DEADLINE)
        return self.command.returncode, out + err

    @property
    def left(self) -> list[psutil.Process]:
        """The programs that still run."""
        return [one for one in self.programs if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def reading(quotaline: Command, program: Callable[[str, str], Path]) -> Callable[..., Reading]:
    """`reading(signals...)`: the command while it waits, started with these signals ignored."""

    def start(*ignoring: signal.Signals) -> Reading:
        note, done = quotaline.home / "pids", quotaline.home / "done"
        program("kiro-cli", KIRO.format(note=str(note), done=str(done)))
        return Reading(quotaline.start("usage", "--provider", "kiro", ignoring=ignoring), note, done)

    return start


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, SIGHUP])
def test_no_program_outlives_an_interrupted_command(reading: Callable[..., Reading], number: signal.Signals) -> None:
    running = reading()
    running.command.send_signal(number)
    assert running.ended() == (130, b"")
    assert running.left == []


@pytest.mark.parametrize("number", [signal.SIGTERM, SIGHUP])
def test_a_background_job_without_interrupts_ends_with_its_programs(
    reading: Callable[..., Reading], number: signal.Signals
) -> None:
    running = reading(signal.SIGINT)
    running.command.send_signal(number)
    assert running.ended() == (130, b"")
    assert running.left == []


@pytest.mark.parametrize("number", [signal.SIGINT, SIGHUP])
def test_what_the_parent_had_ignored_stays_ignored(reading: Callable[..., Reading], number: signal.Signals) -> None:
    running = reading(signal.SIGINT, SIGHUP)
    running.command.send_signal(number)
    running.let_it_finish()
    code, printed = running.ended()
    assert code == 1
    assert b"Kiro" in printed
