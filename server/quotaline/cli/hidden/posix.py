"""A terminal of Linux or macOS."""

from __future__ import annotations

import codecs
import os
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from quotaline.cli.hidden.line import ClosedError, Line

Mode = list[int | list[bytes | int]]
_INPUT, _LOCAL, _KEYS = 0, 3, 6
"""Where a mode says how input is read, how it is edited, and by which keys."""
_BRACKETED, _USUAL = "\x1b[?2004h", "\x1b[?2004l"
"""Whether the terminal tells what is pasted from what is typed."""
_AT_ONCE = 65536


def ask(prompt: str, largest: int) -> str:
    """As `hidden.ask`."""
    with _terminal() as terminal:
        line, decode = Line(largest), codecs.getincrementaldecoder("utf-8")().decode
        begin = f"{_BRACKETED if os.environ.get('TERM', '') not in ('', 'dumb') else ''}{prompt}"
        end = f"{_USUAL if begin != prompt else ''}\n"
        with _hidden(terminal, begin, end):
            while not line.feed(decode(_read(terminal))):
                pass
        return line.text


def _read(terminal: int) -> bytes:
    """What was typed. Raises ClosedError when nobody is there any more."""
    try:
        data = os.read(terminal, _AT_ONCE)
    except OSError:
        raise ClosedError from None
    if not data:
        raise ClosedError
    return data


@contextmanager
def _terminal() -> Iterator[int]:
    """The program's terminal, whatever standard output is; else standard input."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        yield sys.stdin.fileno()
        return
    try:
        yield terminal
    finally:
        os.close(terminal)


@contextmanager
def _hidden(terminal: int, begin: str, end: str) -> Iterator[None]:
    """Neither show nor edit what is typed, also when the program was stopped (Ctrl-Z) and goes on."""
    usual = _mode_of(terminal)

    def hide() -> None:
        _set(terminal, _without_editing(usual))
        _say(terminal, begin)

    def restore() -> None:
        _set(terminal, usual)
        _say(terminal, end)

    try:
        with _when_stopped(restore, hide):
            hide()
            yield
    finally:
        restore()


@contextmanager
def _when_stopped(before: Callable[[], None], after: Callable[[], None]) -> Iterator[None]:
    """Give the terminal back to the shell while the program is stopped."""

    def stop(number: int, frame: FrameType | None) -> None:
        before()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, stop)
        after()

    if signal.getsignal(signal.SIGTSTP) is not signal.SIG_DFL:  # ignored by whoever started the program
        yield
        return
    signal.signal(signal.SIGTSTP, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)


def _mode_of(terminal: int) -> Mode:
    try:
        return termios.tcgetattr(terminal)
    except termios.error:
        raise ClosedError from None


def _without_editing(usual: Mode) -> Mode:
    """The mode in which every character comes at once and unseen. Keys that send signals still do."""
    mode = [value if index != _KEYS else list(value) for index, value in enumerate(usual)]  # type: ignore[arg-type]
    local, keys = mode[_LOCAL], mode[_KEYS]
    assert isinstance(local, int)
    assert isinstance(keys, list)
    mode[_LOCAL] = local & ~(termios.ICANON | termios.ECHO | termios.ECHONL | termios.IEXTEN) | termios.ISIG
    keys[termios.VMIN], keys[termios.VTIME] = 1, 0
    return mode


def _set(terminal: int, mode: Mode) -> None:
    """What has been typed and not read is dropped: it was not meant for whoever reads next. A terminal that is gone
    needs no mode."""
    with suppress(termios.error, OSError):
        termios.tcsetattr(terminal, termios.TCSAFLUSH, mode)


def _say(terminal: int, text: str) -> None:
    with suppress(OSError):
        os.write(terminal, text.encode(errors="replace"))
