"""Pseudo-terminals: the controlling side, read and written on the event loop without ever blocking it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable

from quotaline_providers.errors import MissingProgram

HAS_PTY = sys.platform != "win32"
"""Whether this system has pseudo-terminals that Python can open."""

if sys.platform != "win32":
    import fcntl
    import termios

_CHUNK = 1 << 16


class Terminal:
    """A pseudo-terminal of `size` (rows, columns).

    `program_side` is the descriptor the program gets as its input and outputs; `release` closes our copy of it once
    the program runs. Raises MissingProgram where there are no pseudo-terminals.
    """

    program_side: int
    _side: int
    _pending: bytes
    _open: bool
    _loop: asyncio.AbstractEventLoop

    def __init__(self, size: tuple[int, int]) -> None:
        if sys.platform == "win32":
            raise MissingProgram("This system has no pseudo-terminals, and the program needs one.")
        try:
            self._side, self.program_side = os.openpty()
        except OSError:
            raise MissingProgram("The pseudo-terminal that the program needs could not be opened.") from None
        set_size(self.program_side, size)
        os.set_blocking(self._side, False)
        self._loop = asyncio.get_running_loop()
        self._pending = b""
        self._open = True
        self._received: Callable[[bytes], None] = lambda data: None
        self._ended: Callable[[], None] = lambda: None

    def release(self) -> None:
        """Close the program's side here: from now on its end is seen."""
        if self.program_side >= 0:
            os.close(self.program_side)
            self.program_side = -1

    def connect(self, received: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        """Start reading: `received` gets what comes, `ended` is called once, when nothing more will come."""
        self._received, self._ended = received, ended
        self._loop.add_reader(self._side, self._read)

    def pause_reading(self) -> None:
        if self._open:
            self._loop.remove_reader(self._side)

    def resume_reading(self) -> None:
        if self._open:
            self._loop.add_reader(self._side, self._read)

    def is_closing(self) -> bool:
        return not self._open

    def write(self, data: bytes) -> None:
        """Type this. What the terminal cannot take yet is typed as soon as it can."""
        if self._open:
            self._pending += data
            self._write()

    def close(self) -> None:
        """Hang up. The program, if it still runs, sees its terminal vanish."""
        self.release()
        if self._open:
            self._open = False
            self._loop.remove_reader(self._side)
            self._loop.remove_writer(self._side)
            os.close(self._side)

    def _read(self) -> None:
        try:
            data = os.read(self._side, _CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:  # Linux says EIO when the last program has closed its side
            data = b""
        if data:
            self._received(data)
        else:
            self.close()
            self._ended()

    def _write(self) -> None:
        try:
            self._pending = self._pending[os.write(self._side, self._pending) :]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self._pending = b""
        if self._pending:
            self._loop.add_writer(self._side, self._write)
        else:
            self._loop.remove_writer(self._side)


def set_size(terminal: int, size: tuple[int, int]) -> None:
    """Tell a terminal how many rows and columns it has."""
    if sys.platform != "win32":
        termios.tcsetwinsize(terminal, size)


def take_terminal() -> None:
    """Make the standard input the controlling terminal. Runs in the new process, between fork and exec: so that
    `/dev/tty` works, Ctrl-C interrupts and hanging up is noticed, whatever this process ignores."""
    if sys.platform != "win32":
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        with contextlib.suppress(OSError):
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
