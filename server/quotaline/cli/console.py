"""The terminal as the commands see it: what it can spell, how wide it is, whether it takes colours, who logs to it."""

from __future__ import annotations

import errno
import io
import logging
import os
import signal
import sys
import textwrap
from types import FrameType
from typing import TextIO

from quotaline_providers.hosts.privacy import write_privately

_LIBRARIES = ("pygls", "httpx", "httpcore", "asyncio", "keyring")
_NARROWEST, _USUAL = 20, 80


def prepare() -> None:
    """Make printing safe: what the terminal's encoding cannot spell becomes `?`, and closed streams swallow all. And
    make writing safe: files are for the user alone."""
    write_privately()
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (lives as long as the program)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def end_on_signals() -> None:
    """A `kill` or a closed terminal ends a command as Ctrl-C does, so that no program it started outlives it.

    What the parent had ignored stays ignored: hanging up below `nohup`, Ctrl-C in a script's background job.
    """
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        raise KeyboardInterrupt  # asyncio cancels the main task at SIGINT, but not where that is ignored
    signal.raise_signal(signal.SIGINT)


def discard_output() -> None:
    """Nobody reads standard output any more, or it is full: nothing more is said there."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def reader_has_left(error: OSError) -> bool:
    """Whether a write failed because nobody reads any more. Windows says "Invalid argument" then, as it does of a bad
    file name, which would be named."""
    if isinstance(error, BrokenPipeError):
        return True
    return sys.platform == "win32" and error.errno == errno.EINVAL and error.filename is None


def width(error: bool = False) -> int:
    """Columns to keep within, 0 for no limit (a file or a pipe, unless COLUMNS says otherwise)."""
    stream = sys.stderr if error else sys.stdout
    wanted = os.environ.get("COLUMNS", "")
    columns = int(wanted) if wanted.isdecimal() and len(wanted) < 6 else 0
    if not columns and stream.isatty():
        try:
            columns = os.get_terminal_size(stream.fileno()).columns or _USUAL
        except (OSError, ValueError):
            columns = _USUAL
    return max(columns, _NARROWEST) if columns else 0


def takes_colour() -> bool:
    """Whether standard output is a terminal that shows colours, and the user has not asked for none."""
    return not os.environ.get("NO_COLOR") and takes_codes(sys.stdout)


def takes_codes(stream: TextIO) -> bool:
    """Whether a stream is a terminal that obeys control codes. A Windows console is asked to, which stays so."""
    if not stream.isatty():
        return False
    if sys.platform == "win32":
        return _console_obeys(stream)
    return os.environ.get("TERM", "") not in ("", "dumb")


def _console_obeys(stream: TextIO) -> bool:
    import ctypes
    import msvcrt

    virtual_terminal = 0x4
    kernel32 = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
    handle = ctypes.c_void_p(msvcrt.get_osfhandle(stream.fileno()))  # type: ignore[attr-defined,unused-ignore]
    mode = ctypes.c_ulong()
    if not kernel32.GetConsoleMode(handle, ctypes.byref(mode)):
        return False
    return bool(kernel32.SetConsoleMode(handle, mode.value | virtual_terminal))


def spells(text: str) -> bool:
    """Whether standard output has all these characters."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def print_json(text: str) -> None:
    """Print JSON so that any reader understands it: as UTF-8, or with `\\u` for whatever else standard output is in."""
    encoding = (sys.stdout.encoding or "ascii").lower().replace("_", "-")
    print(text if encoding in ("utf-8", "utf8") else _ascii(text))


def _ascii(text: str) -> str:
    import json

    return "".join(char if char.isascii() else json.dumps(char)[1:-1] for char in text)


def say(text: str, *, error: bool = False) -> None:
    """Print text for people, without what steers a terminal, wrapped between words where it ends."""
    print(wrapped(shown(text), width(error)), file=sys.stderr if error else sys.stdout)


def shown(text: str) -> str:
    """The text as it may stand in a terminal: line breaks and blanks stay, what cannot be seen does not."""
    from quotaline.render.visible import visible  # `--version` and `--help` do without

    return "\n".join(visible(line) for line in text.split("\n"))


def wrapped(text: str, columns: int) -> str:
    """The text with longer lines broken between words and continued under their own indentation."""
    return "\n".join(part for line in text.split("\n") for part in _broken(line, columns)) if columns else text


def _broken(line: str, columns: int) -> list[str]:
    if len(line) <= columns:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    parts = textwrap.wrap(
        line.strip(),
        columns,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return parts or [line]


def log_to_stderr(level: str) -> None:
    """Log to standard error, which stays short; QUOTALINE_LOG sets another level. The libraries' own logs are off:
    they print messages whole, and a message may hold a credential on its way to the keyring."""
    from quotaline_providers.diagnostics import note_stray_errors

    note_stray_errors()
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    wanted = os.environ.get("QUOTALINE_LOG", level).upper()
    root.setLevel(wanted if wanted in logging.getLevelNamesMapping() else level)


class RedactingFormatter(logging.Formatter):
    """The last net: whatever looks like a secret is taken out of every line."""

    def format(self, record: logging.LogRecord) -> str:
        from quotaline_providers.secret import redact

        return redact(super().format(record))
