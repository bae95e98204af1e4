"""Whether another process is still there, as Linux tells it and as the other systems do."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from quotaline.store import process
from tests import systems

WAITS = [sys.executable, "-IS", "-c", "import sys; sys.stdin.read()"]


@pytest.fixture(params=[pytest.param("/proc", marks=systems.proc), "psutil"], autouse=True)
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the answers come from."""
    if request.param == "/proc":
        return
    monkeypatch.setattr(process, "_HAS_PROC", False)
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    monkeypatch.setattr(process, "POLL_SECONDS", 0.01)


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """Another process, until its standard input is closed."""
    with subprocess.Popen(WAITS, stdin=subprocess.PIPE) as started:
        yield started
        started.kill()


def test_a_process_is_alive_until_it_ends(other: subprocess.Popen[bytes]) -> None:
    assert process.alive(other.pid)
    other.kill()
    other.wait()
    assert not process.alive(other.pid)


@systems.zombies
def test_a_zombie_is_not_alive(other: subprocess.Popen[bytes]) -> None:
    other.kill()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    assert not process.alive(other.pid)


def test_ids_that_no_process_has() -> None:
    assert [process.alive(pid) for pid in (0, -1, 2**22 + 1)] == [False] * 3
    assert process.birth(2**22 + 1) == ""


def test_a_birth_stays_the_same_and_tells_processes_apart(other: subprocess.Popen[bytes]) -> None:
    born = process.birth(other.pid)
    assert born
    assert born == process.birth(other.pid)
    assert born != process.birth(os.getpid())


async def test_the_end_of_a_process_is_noticed(other: subprocess.Popen[bytes]) -> None:
    waiting = asyncio.create_task(process.ended(other.pid))
    await asyncio.sleep(0)
    assert not waiting.done()
    other.kill()
    other.wait()
    await asyncio.wait_for(waiting, 10)


async def test_a_process_that_has_ended_before_is_not_waited_for(other: subprocess.Popen[bytes]) -> None:
    other.kill()
    other.wait()
    await asyncio.wait_for(process.ended(other.pid), 10)
