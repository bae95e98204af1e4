"""Computing outside this process: a named function runs in a Python of its own, so that nothing here waits for it.

A worker starts when it is first needed, is parked between calls, and ends after a while without work, at `close`, and
with this process, however that ends. It has no part in our standard input and output.
"""

# Not `anyio.to_process`, which comes with httpx. Tried with anyio 4.16: a worker that computes outlives an owner that
# was killed, for ever if need be; one without work never ends (others end only when a later call comes by); what
# native code prints to descriptor 1 breaks its answers; it inherits the whole environment, with the user's secrets; it
# runs our main module once more. It takes 20.9 MiB instead of 11.0, and 160 to 270 ms until the first result instead
# of 45 to 100.

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, TypeVarTuple, cast

from quotaline_providers.diagnostics import restart_due
from quotaline_providers.errors import TimedOut, Unavailable
from quotaline_providers.hosts.processes.orphans import OWN
from quotaline_providers.hosts.workers import main
from quotaline_providers.third_party import files

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
log = logging.getLogger(__name__)

MAX_WORKERS = 2
"""Workers at a time; further calls wait for their turn."""
IDLE_SECONDS = 30.0
"""How long a worker is kept without work."""
MAX_IDLE_SECONDS = 900.0
IDLE_FACTOR = 60
"""A worker whose call took long holds a cache that is expensive to fill: it is kept this many times as long as its
longest call took, up to MAX_IDLE_SECONDS."""
EXIT_SECONDS = 2.0
"""Seconds a worker without work may take to end by itself."""

_BOOT = "import sys; sys.path[:] = sys.argv[1:]; from quotaline_providers.hosts.workers.main import main; main()"
_VARIABLES = frozenset(
    {"PATH", "HOME", "USERPROFILE", "TZ", "LANG", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "VIRTUAL_ENV"}
)


class StartFailed(Exception):
    """No worker process can be started here."""


class WorkerLost(Exception):
    """The worker process is gone."""


class Worker:
    """One worker process. `exchange` blocks: it is called in a thread, by one at a time."""

    def __init__(self, executable: str, environ: Mapping[str, str]) -> None:
        self._executable = executable
        self._environ = environ
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False
        self.used = False
        self.longest_call = 0.0
        self.timer: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def exchange(self, request: bytes) -> tuple[bool, Any]:
        """Have one call done. Raises StartFailed, WorkerLost."""
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            main.send(cast("Any", process.stdin), request)
            data = main.receive(cast("Any", process.stdout))
        except (OSError, ValueError):
            data = None
        if data is None:
            raise WorkerLost
        good, value = pickle.loads(data)  # noqa: S301 (from the program that we started)
        return good, value

    def _started(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._ended:
                raise WorkerLost
            if self._process is not None:
                return self._process
            process = self._process = self._start()
        assert process.stdout is not None
        try:
            handshake = main.receive(cast("Any", process.stdout))
            ready = handshake is not None and pickle.loads(handshake) == main.READY  # noqa: S301 (as above)
        except Exception:  # whatever we started, it is not a worker
            ready = False
        if not ready:
            ended = self._ended
            self.kill()
            raise WorkerLost if ended else StartFailed
        return process

    def _start(self) -> subprocess.Popen[bytes]:
        if not self._executable or restart_due() is not None:  # a worker would load what an update has installed
            raise StartFailed
        try:
            return subprocess.Popen(
                [self._executable, "-c", _BOOT, *sys.path],
                env=self._environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=os.name == "posix",
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except (OSError, ValueError) as error:
            raise StartFailed from error

    def kill(self) -> None:
        """End it now, whatever it does. A waiting `exchange` raises WorkerLost."""
        with self._lock:
            self._ended = True
            process = self._process
        if process is not None:
            process.kill()

    def stop(self) -> None:
        """Let it end, and wait for that; kill it when it does not. Blocks."""
        with self._lock:
            self._ended = True
            process = self._process
        if process is None:
            return
        with contextlib.suppress(OSError):
            assert process.stdin is not None
            process.stdin.close()
        try:
            process.wait(EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


class WorkerProcesses:
    """The workers of this process. Where none can be started, calls are done in threads."""

    def __init__(self, environ: Mapping[str, str], executable: str | None = None) -> None:
        allowed = (name for name in environ if name in _VARIABLES or name.startswith(("PYTHON", "LC_", "LD_", "DYLD_")))
        self._environ = {**{name: environ[name] for name in allowed}, OWN: "1"}
        self._executable = sys.executable if executable is None else executable
        self._turns = asyncio.Semaphore(MAX_WORKERS)
        self._parked: list[Worker] = []
        self._busy: set[Worker] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._impossible = False

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of the workers there are now."""
        return tuple(worker.pid for worker in (*self._busy, *self._parked) if worker.pid is not None)

    async def run(self, function: Callable[[*Ts], T], *arguments: *Ts, timeout: float, keep: bool = True) -> T:
        """What this function of a module gives for these arguments, all of which can be pickled.

        Raises what the function raises, TimedOut after `timeout` seconds of work, and Unavailable when the worker is
        lost. Whoever does not wait for the end does not stop the work: what it keeps for the next call is not lost.
        The worker ends at once when there is nothing to `keep` it for.
        """
        request = pickle.dumps(files.portable(function, arguments))
        task = asyncio.create_task(self._work(function, arguments, request, timeout, keep), name="worker call")
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return cast("T", await asyncio.shield(task))

    async def close(self) -> None:
        """End all workers, also those at work."""
        for task in tuple(self._tasks):
            task.cancel()
        workers = (*self._busy, *self._parked)
        for worker in workers:
            worker.kill()
        self._parked.clear()
        await asyncio.gather(*self._tasks, *(self._stop(worker) for worker in workers), return_exceptions=True)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # it may be that nobody waits for it any more

    async def _work(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], request: bytes, timeout: float, keep: bool
    ) -> Any:
        async with self._turns:
            if not self._impossible:
                try:
                    return await self._in_worker(request, timeout, keep)
                except StartFailed:
                    self._impossible = True
                    log.warning("no worker process can be started: using threads instead")
            try:
                return await asyncio.wait_for(asyncio.to_thread(function, *arguments), timeout)
            except TimeoutError:
                raise _timed_out(timeout) from None

    async def _in_worker(self, request: bytes, timeout: float, keep: bool) -> Any:
        worker, began = self._checkout(), time.monotonic()
        try:
            async with asyncio.timeout(timeout):
                good, value = await asyncio.to_thread(worker.exchange, request)
        except BaseException as error:
            worker.kill()
            self._busy.discard(worker)
            self._spawn(self._stop(worker))
            if isinstance(error, TimeoutError):
                raise _timed_out(timeout) from None
            if isinstance(error, WorkerLost):
                if worker.used:  # it may have been killed while it was parked
                    return await self._in_worker(request, timeout, keep)
                raise Unavailable("The process that reads local files ended unexpectedly.") from None
            raise
        self._busy.discard(worker)
        if keep:
            worker.longest_call = max(worker.longest_call, time.monotonic() - began)
            self._park(worker)
        else:
            self._spawn(self._stop(worker))
        if not good:
            raise value
        return value

    def _checkout(self) -> Worker:
        worker = self._parked.pop() if self._parked else Worker(self._executable, self._environ)
        if worker.timer is not None:
            worker.timer.cancel()
        self._busy.add(worker)
        return worker

    def _park(self, worker: Worker) -> None:
        worker.used = True
        seconds = max(IDLE_SECONDS, min(MAX_IDLE_SECONDS, IDLE_FACTOR * worker.longest_call))
        worker.timer = asyncio.get_running_loop().call_later(seconds, self._retire, worker)
        self._parked.append(worker)

    def _retire(self, worker: Worker) -> None:
        self._parked.remove(worker)
        self._spawn(self._stop(worker))

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    @staticmethod
    async def _stop(worker: Worker) -> None:
        if worker.timer is not None:
            worker.timer.cancel()
        await asyncio.to_thread(worker.stop)


def _timed_out(timeout: float) -> TimedOut:
    return TimedOut(f"Reading local files took longer than {timeout:g} seconds.")
