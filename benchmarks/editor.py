"""An editor that is only a stopwatch: it speaks the protocol to a server process and notes when answers arrive."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from benchmarks.plain import plain_python

Message = dict[str, Any]

_PYTHON = str(plain_python())
QUOTALINE = (_PYTHON, "-m", "quotaline", "serve")
BARE = (_PYTHON, str(Path(__file__).with_name("bare_server.py")))
BARE_WITH_HOVER = (*BARE, "--hover")
DID_CHANGE_USAGE = "quotaline/didChangeUsage"


class Editor:
    """One server process. Times are seconds of `time.perf_counter`."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.meter = psutil.Process(self.process.pid)
        self._answers: dict[int, queue.Queue[tuple[float, Message]]] = {}
        self._next = 0
        self._told: list[tuple[float, Message]] = []
        self._heard = threading.Condition()
        self._sending = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    # --- talking ---

    def initialize(self) -> float:
        """The handshake up to the answer. Seconds from the spawn."""
        capabilities = {"experimental": {"quotaline": {"usage": True}}}
        params = {"processId": os.getpid(), "rootUri": None, "capabilities": capabilities}
        _, arrived = self.ask("initialize", params)
        return arrived - self.started

    def initialized(self) -> float:
        """Send `initialized`; when it was sent."""
        sent = time.perf_counter()
        self.tell("initialized", {})
        return sent

    def ask(self, method: str, params: object, timeout: float = 60) -> tuple[Any, float]:
        """The result and when it arrived."""
        with self._sending:
            self._next += 1
            number = self._next
            self._answers[number] = queue.Queue()
        self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        arrived, message = self._answers[number].get(timeout=timeout)
        del self._answers[number]
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']}")
        return message["result"], arrived

    def timed(self, method: str, params: object) -> float:
        """How long one request took."""
        sent = time.perf_counter()
        _, arrived = self.ask(method, params)
        return arrived - sent

    def command(self, name: str, *arguments: object) -> float:
        """How long a command took."""
        return self.timed("workspace/executeCommand", {"command": name, "arguments": list(arguments)})

    def start_command(self, name: str, *arguments: object) -> threading.Event:
        """Begin a command; the event is set when it is answered."""
        done = threading.Event()

        def run() -> None:
            try:
                self.command(name, *arguments)
            finally:
                done.set()

        threading.Thread(target=run, daemon=True).start()
        return done

    def tell(self, method: str, params: object) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def usage(self, fits: Callable[[Message], bool], timeout: float = 60) -> float:
        """When the first `didChangeUsage` arrived whose parameters fit."""
        deadline = time.monotonic() + timeout
        seen = 0
        with self._heard:
            while True:
                for arrived, params in self._told[seen:]:
                    if fits(params):
                        return arrived
                seen = len(self._told)
                if not self._heard.wait(deadline - time.monotonic()):
                    raise TimeoutError("no such didChangeUsage")

    def settled(self, count: int, timeout: float = 60) -> float:
        """When this many providers had answered, and none was being asked any more."""

        def fits(params: Message) -> bool:
            states = params["providers"]
            return len(states) >= count and not any(
                s["refreshing"] or (not s["updatedAt"] and not s["error"]) for s in states
            )

        return self.usage(fits, timeout)

    def computed(self) -> float:
        """Seconds of processor time this process has used so far, in all its threads (exact to the nanosecond where
        the system tells, else to the clock tick)."""
        try:
            tasks = list(Path(f"/proc/{self.process.pid}/task").iterdir())
            return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
        except (OSError, ValueError):
            return float(sum(self.meter.cpu_times()[:2]))

    # --- ending ---

    def close(self) -> None:
        if self.process.poll() is None:
            try:
                self.ask("shutdown", None, timeout=10)
                self.tell("exit", None)
                self.process.wait(10)
            except (queue.Empty, OSError, RuntimeError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- the wire ---

    def _send(self, message: Message) -> None:
        body = json.dumps(message).encode()
        assert self.process.stdin is not None
        with self._sending:
            self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            self.process.stdin.flush()

    def _listen(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        try:
            while line := stream.readline():
                length = 0
                while line.strip():
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                    line = stream.readline()
                body = stream.read(length)
                self._take(time.perf_counter(), json.loads(body))
        except (OSError, ValueError):
            return  # closed

    def _take(self, arrived: float, message: Message) -> None:
        if "method" not in message:
            if message["id"] in self._answers:
                self._answers[message["id"]].put((arrived, message))
        elif "id" in message:
            self._send({"jsonrpc": "2.0", "id": message["id"], "result": None})
        elif message["method"] == DID_CHANGE_USAGE:
            with self._heard:
                self._told.append((arrived, message["params"]))
                self._heard.notify_all()
