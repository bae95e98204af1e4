"""A running child program: what it prints, what it is told, and how it and all its descendants end."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import signal
import sys
import time
from collections.abc import Callable
from typing import cast

from quotaline_providers.errors import BadResponse, TimedOut, Unavailable
from quotaline_providers.hosts.processes.terminal import Terminal
from quotaline_providers.hosts.processes.tree import KILL_SIGNAL, ProcessTree

OUTPUT_LIMIT = 4 << 20
"""Bytes kept of each output stream; a conversation stops reading above as many unread characters."""

DRAIN = 1.0
"""Seconds in which output may still come after the program ended while something keeps its pipe open."""

_LAST_WAIT = 2.0  # seconds for a killed process to be collected


class Capture:
    """The text of one output stream: UTF-8 as it comes, wrong bytes replaced, cut above OUTPUT_LIMIT bytes."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._parts: list[str] = []
        self._room = OUTPUT_LIMIT

    def feed(self, data: bytes) -> None:
        kept = data[: self._room]
        self._room -= len(kept)
        if kept:
            self._parts.append(self._decoder.decode(kept))

    def end(self) -> None:
        self._parts.append(self._decoder.decode(b"", final=True))

    @property
    def text(self) -> str:
        self._parts = ["".join(self._parts)]
        return self._parts[0]


class LiveCapture(Capture):
    """Output that is read while it comes; `unread` is what nobody has read yet."""

    def __init__(self) -> None:
        super().__init__()
        self.unread = ""
        self.over = False
        self.changed = asyncio.Event()

    def feed(self, data: bytes) -> None:
        self.unread += self._decoder.decode(data)
        self.changed.set()

    def end(self) -> None:
        if not self.over:
            self.over = True
            self.unread += self._decoder.decode(b"", final=True)
        self.changed.set()


class Child(asyncio.SubprocessProtocol):
    """One started program, from its first byte until nothing of its process tree is left."""

    def __init__(self, name: str, output: Capture, terminal: Terminal | None) -> None:
        self.name = name
        self.output = output
        self.errors = Capture()
        self.terminal = terminal
        self.exited = asyncio.Event()
        self.over = asyncio.Event()
        self.exit_code: int | None = None
        self._loop = asyncio.get_running_loop()
        self._printed = asyncio.Event()
        self._on_output: Callable[[], None] = lambda: None
        self._last_output = 0.0
        self._open = {1} if terminal else {1, 2}
        self._drain: asyncio.TimerHandle | None = None
        self._throttled = False

    # what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._last_output = self._loop.time()
        if not self._printed.is_set():
            self._printed.set()
            self._on_output()
        (self.output if fd == 1 else self.errors).feed(data)
        if isinstance(self.output, LiveCapture) and len(self.output.unread) > OUTPUT_LIMIT:
            self._throttle(True)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd in self._open:
            self._open.discard(fd)
            (self.output if fd == 1 else self.errors).end()
            self._settle()

    def process_exited(self) -> None:
        self.exit_code = self.transport.get_returncode()
        self.exited.set()
        if self._open:
            self._drain = self._loop.call_later(DRAIN, self._stop_listening)
        self._settle()

    def _stop_listening(self) -> None:
        for fd in tuple(self._open):
            self.pipe_connection_lost(fd, None)

    def _settle(self) -> None:
        if self.exited.is_set() and not self._open:
            self.over.set()

    # what we tell the program

    @property
    def listening(self) -> bool:
        """Whether it can still be written to."""
        pipe = self._input()
        return not self.exited.is_set() and pipe is not None and not pipe.is_closing()

    def write(self, data: str) -> None:
        pipe = self._input()
        if pipe is not None:
            pipe.write(data.encode("utf-8", "replace"))

    def close_input(self) -> None:
        """Tell it that nothing more comes. A terminal stays: closing it would be hanging up."""
        if self.terminal is None and (pipe := self._input()) is not None:
            pipe.close()

    def resume(self) -> None:
        """Go on reading its output, after so much of it was unread that we stopped."""
        if self._throttled:
            self._throttle(False)

    def _throttle(self, on: bool) -> None:
        if on == self._throttled:
            return
        self._throttled = on
        pipe = self.terminal or cast("asyncio.ReadTransport | None", self.transport.get_pipe_transport(1))
        if pipe is not None and not pipe.is_closing():
            if on:
                pipe.pause_reading()
            else:
                pipe.resume_reading()

    def _input(self) -> Terminal | asyncio.WriteTransport | None:
        return self.terminal or cast("asyncio.WriteTransport | None", self.transport.get_pipe_transport(0))

    # its first output, and its end

    def tell_of_output(self, on_output: Callable[[], None]) -> None:
        """Have this called as soon as the program has printed anything, which may be now."""
        if self._printed.is_set():
            on_output()
        else:
            self._on_output = on_output

    async def ends(self, idle: float | None) -> bool:
        """Wait for its end, or (True) until it has printed something and then nothing for `idle` seconds."""
        if idle is None:
            await self.over.wait()
            return False
        over, silence = asyncio.create_task(self.over.wait()), asyncio.create_task(self._turns_silent(idle))
        try:
            await asyncio.wait({over, silence}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
            silence.cancel()
        return not self.exited.is_set()

    async def _turns_silent(self, idle: float) -> None:
        await self._printed.wait()
        left = idle
        while left > 0:
            await asyncio.sleep(left)
            left = self._last_output + idle - self._loop.time()
        if self.exited.is_set():
            await self.over.wait()

    async def stop(self, grace: float) -> None:
        """Ask the whole process tree to end and give it `grace` seconds. Does nothing when the program has ended."""
        if self.exited.is_set():
            return
        self.close_input()
        until = self._loop.time() + grace
        await asyncio.to_thread(self.tree.signal_all, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await self.exited.wait()
            await asyncio.to_thread(self.tree.wait, time.monotonic() + until - self._loop.time())

    def kill(self) -> None:
        """Kill the process group now."""
        if sys.platform != "win32" or not self.exited.is_set():
            self.tree.signal_group(KILL_SIGNAL)

    async def reap(self) -> None:
        """Kill whoever is left anywhere, and return when the program is collected and all descriptors are closed."""
        ending = asyncio.create_task(self._reap())
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            self.tree.signal_all(KILL_SIGNAL)
            raise

    async def _reap(self) -> None:
        try:
            await asyncio.to_thread(self.tree.kill)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WAIT):
                    await self.exited.wait()
        finally:
            if self._drain is not None:
                self._drain.cancel()
            self._stop_listening()
            self.transport.close()
            self.tree.close()
            if self.terminal is not None:
                self.terminal.close()

    @property
    def tree(self) -> ProcessTree:
        return self._tree

    def attach(self, mark: str) -> None:
        """Take note of the process, once it runs."""
        self._tree = ProcessTree(self.transport.get_pid(), mark)
        if self.terminal is not None:
            self.terminal.connect(lambda data: self.pipe_data_received(1, data), self._hung_up)

    def _hung_up(self) -> None:
        self.pipe_connection_lost(1, None)


class ChildConversation:
    """A running program and what it has said: the `Conversation` of the contract."""

    def __init__(self, child: Child, output: LiveCapture) -> None:
        self._child = child
        self._output = output

    async def write(self, data: str) -> None:
        if not self._child.listening:
            raise Unavailable(f"The program `{self._child.name}` has ended.")
        self._child.write(data)

    async def read(self, timeout: float) -> str | None:
        output = self._output
        await self._until(lambda: bool(output.unread), timeout)
        return self._take(len(output.unread)) if output.unread else None

    async def read_line(self, timeout: float) -> str | None:
        output = self._output
        await self._until(lambda: "\n" in output.unread, timeout)
        end = output.unread.find("\n") + 1 or len(output.unread)
        if end > OUTPUT_LIMIT:
            raise self._too_long()
        return self._take(end).removesuffix("\n").removesuffix("\r") if end else None

    @property
    def stderr(self) -> str:
        return self._child.errors.text

    async def _until(self, ready: Callable[[], bool], timeout: float) -> None:
        output = self._output
        try:
            async with asyncio.timeout(timeout):
                while not (ready() or output.over):
                    if len(output.unread) > OUTPUT_LIMIT:
                        raise self._too_long()
                    output.changed.clear()
                    await output.changed.wait()
        except TimeoutError:
            raise TimedOut(f"The program `{self._child.name}` did not answer within {timeout:g} seconds.") from None

    def _too_long(self) -> BadResponse:
        return BadResponse(f"The program `{self._child.name}` printed an endless line.")

    def _take(self, count: int) -> str:
        text, self._output.unread = self._output.unread[:count], self._output.unread[count:]
        if len(self._output.unread) <= OUTPUT_LIMIT:
            self._child.resume()
        return text
