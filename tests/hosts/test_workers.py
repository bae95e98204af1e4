"""Calls in processes of their own: real ones, that end when they should and disturb nobody."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from quotaline_providers.errors import BadResponse, RateLimited, TimedOut, Unavailable
from quotaline_providers.hosts.workers import pool as facility
from quotaline_providers.hosts.workers.pool import WorkerProcesses
from tests import systems


@pytest_asyncio.fixture
async def workers() -> AsyncIterator[WorkerProcesses]:
    made = WorkerProcesses(os.environ)
    yield made
    await made.close()


async def in_worker(workers: WorkerProcesses, function: Callable[..., object], *arguments: object) -> object:
    return await workers.run(function, *arguments, timeout=20)


async def gone(pid: int) -> bool:
    """Whether the process ends, or has ended, within a few seconds."""
    for _ in range(500):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        await asyncio.sleep(0.02)
    return False


# --- what is called -------------------------------------------------------------------------------


def divide(one: int, two: int) -> float:
    return one / two


def loop_for_ever() -> None:
    while True:
        pass


_calls: list[int] = []


def count() -> int:
    _calls.append(1)
    return len(_calls)


def print_and_read() -> str:
    print("noise", flush=True)
    os.write(1, b"more noise")
    return sys.stdin.read()


def refuse(message: str) -> None:
    raise BadResponse(message, "Try something else.")


def refuse_strangely() -> None:
    class Strange(Exception):
        pass

    raise Strange("demo-token")


def an_open_file() -> object:
    return open(os.devnull)


def die() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(20)


def variables() -> dict[str, str]:
    return dict(os.environ)


def rest(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


# --- what a call gives ----------------------------------------------------------------------------


async def test_a_call_runs_in_another_process(workers: WorkerProcesses) -> None:
    assert await in_worker(workers, divide, 6, 4) == 1.5
    assert await in_worker(workers, os.getpid) == workers.pids[0] != os.getpid()


async def test_a_worker_keeps_what_its_modules_hold(workers: WorkerProcesses) -> None:
    assert [await in_worker(workers, count) for _ in range(3)] == [1, 2, 3]
    assert count() == 1
    _calls.clear()


async def test_an_error_comes_back_as_it_was_raised(workers: WorkerProcesses) -> None:
    with pytest.raises(ZeroDivisionError):
        await in_worker(workers, divide, 1, 0)
    with pytest.raises(BadResponse) as raised:
        await in_worker(workers, refuse, "No.")
    assert (raised.value.message, raised.value.hint) == ("No.", "Try something else.")
    assert await in_worker(workers, divide, 4, 2) == 2


@pytest.mark.parametrize("function", [refuse_strangely, an_open_file])
async def test_what_cannot_be_sent_back_is_named_and_not_shown(
    workers: WorkerProcesses, function: Callable[[], object]
) -> None:
    with pytest.raises(RuntimeError) as raised:
        await in_worker(workers, function)
    assert "demo-token" not in str(raised.value)
    assert len(workers.pids) == 1


async def test_what_a_call_prints_goes_nowhere(workers: WorkerProcesses, capfd: pytest.CaptureFixture[str]) -> None:
    assert await in_worker(workers, print_and_read) == ""
    assert await in_worker(workers, divide, 4, 2) == 2
    assert capfd.readouterr() == ("", "")


async def test_a_worker_sees_no_secret_of_the_environment() -> None:
    workers = WorkerProcesses({**os.environ, "CROF_API_KEY": "k", "DEMO": "x"})
    try:
        seen = await workers.run(variables, timeout=20)
    finally:
        await workers.close()
    assert "CROF_API_KEY" not in seen
    assert "DEMO" not in seen
    assert seen["PATH"] == os.environ["PATH"]


async def test_the_event_loop_goes_on_while_a_worker_computes(workers: WorkerProcesses) -> None:
    await in_worker(workers, divide, 4, 2)
    call = asyncio.create_task(in_worker(workers, sum_up, 3_000_000))
    turns = 0
    while not call.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 100
    assert await call == 4_499_998_500_000


def sum_up(count: int) -> int:
    return sum(number for number in range(count))


# --- how many there are ---------------------------------------------------------------------------


async def test_calls_at_the_same_time_share_a_few_workers(workers: WorkerProcesses) -> None:
    ran = await asyncio.gather(*(in_worker(workers, rest, 0.05) for _ in range(6)))
    assert len(set(ran)) == len(workers.pids) == facility.MAX_WORKERS


async def test_a_worker_without_work_ends(workers: WorkerProcesses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facility, "IDLE_SECONDS", 0.05)
    monkeypatch.setattr(facility, "IDLE_FACTOR", 0)
    pid = await in_worker(workers, os.getpid)
    assert isinstance(pid, int)
    assert await gone(pid)
    assert workers.pids == ()
    assert await in_worker(workers, divide, 4, 2) == 2


async def test_a_worker_that_took_long_to_learn_something_is_kept_longer(
    workers: WorkerProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facility, "IDLE_SECONDS", 0.0)
    pid = await in_worker(workers, rest, 0.5)
    await asyncio.sleep(0.05)
    assert workers.pids == (pid,)
    monkeypatch.setattr(facility, "IDLE_FACTOR", 0)
    await in_worker(workers, rest, 0)
    assert await gone(pid if isinstance(pid, int) else 0)


# --- how they end ---------------------------------------------------------------------------------


async def test_the_deadline_ends_a_call_and_its_process(workers: WorkerProcesses) -> None:
    await in_worker(workers, divide, 4, 2)
    (pid,) = workers.pids
    with pytest.raises(TimedOut):
        await workers.run(loop_for_ever, timeout=0.2)
    assert await gone(pid)
    assert await in_worker(workers, divide, 4, 2) == 2


async def test_whoever_stops_waiting_does_not_stop_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facility, "MAX_WORKERS", 1)
    workers = WorkerProcesses(os.environ)
    await in_worker(workers, divide, 4, 2)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(in_worker(workers, rest_and_count, 0.2), 0.05)
    assert await in_worker(workers, rest_and_count, 0) == 2
    await workers.close()


def rest_and_count(seconds: float) -> int:
    time.sleep(seconds)
    return count()


async def test_a_worker_that_is_not_kept_ends_at_once(workers: WorkerProcesses) -> None:
    pid = await workers.run(os.getpid, timeout=20, keep=False)
    assert await gone(pid)
    assert workers.pids == ()


async def test_closing_ends_workers_at_work(workers: WorkerProcesses) -> None:
    await in_worker(workers, divide, 4, 2)
    (pid,) = workers.pids
    call = asyncio.create_task(workers.run(loop_for_ever, timeout=60))
    await asyncio.sleep(0.05)
    await workers.close()
    assert await gone(pid)
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_a_worker_that_died_at_rest_is_replaced(workers: WorkerProcesses) -> None:
    await in_worker(workers, divide, 4, 2)
    (pid,) = workers.pids
    psutil.Process(pid).kill()
    assert await gone(pid)
    assert await in_worker(workers, divide, 4, 2) == 2
    assert workers.pids != (pid,)


@systems.signals
async def test_a_worker_that_dies_at_work_is_told(workers: WorkerProcesses) -> None:
    with pytest.raises(Unavailable):
        await in_worker(workers, die)
    assert await in_worker(workers, divide, 4, 2) == 2


@pytest.mark.parametrize("executable", ["", "/nonexistent/python", "/bin/true", "/bin/echo"])
async def test_threads_do_the_work_where_no_process_can_be_started(executable: str) -> None:
    workers = WorkerProcesses(os.environ, executable)
    assert await workers.run(os.getpid, timeout=20) == os.getpid()
    assert await workers.run(divide, 4, 2, timeout=20) == 2
    with pytest.raises(TimedOut):
        await workers.run(time.sleep, 0.5, timeout=0.05)
    await workers.close()


OWNER = """
import asyncio, os, sys
from quotaline_providers.hosts.workers.pool import WorkerProcesses
from tests.hosts.test_workers import divide, loop_for_ever

async def main():
    workers = WorkerProcesses(os.environ)
    await workers.run(divide, 4, 2, timeout=20)
    work = asyncio.create_task(workers.run(loop_for_ever, timeout=60)) if sys.argv[1] == "busy" else None
    await asyncio.sleep(0.1)
    print(workers.pids[0], flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@systems.signals
@pytest.mark.parametrize("occupation", ["busy", "parked"])
async def test_no_worker_outlives_its_owner_however_that_ends(occupation: str) -> None:
    folder = Path(__file__).parents[2]
    owner = subprocess.Popen([sys.executable, "-c", OWNER, occupation], cwd=folder, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pid = int(await asyncio.to_thread(owner.stdout.readline))
    assert psutil.pid_exists(pid)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    assert await gone(pid)


def test_an_error_with_more_than_a_message_survives_the_way() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(RateLimited("Wait.", "A while.")))
    assert (error.message, error.hint, error.until) == ("Wait.", "A while.", None)
