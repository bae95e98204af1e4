"""What a worker process runs: one call after another from its standard input, until that ends.

Every message is eight bytes of length and a pickle, from one process to the other of the same program.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, BinaryIO

from quotaline_providers.diagnostics import carry_trace

READY = "ready"
NICENESS = 5


class Unsendable(RuntimeError):
    """A call's result, or the error it ended with, could not be sent back; the text names its type."""


def send(stream: BinaryIO, data: bytes) -> None:
    """Write one message."""
    stream.write(len(data).to_bytes(8, "big") + data)
    stream.flush()


def receive(stream: BinaryIO) -> bytes | None:
    """Read one message; None at the end of the stream, also in the middle of a message."""
    header = stream.read(8)
    size = int.from_bytes(header, "big")
    data = stream.read(size) if len(header) == 8 else b""
    return data if len(header) == 8 and len(data) == size else None


def answer(request: bytes) -> bytes:
    """Do one call (a pickled function and its arguments). Its pickled answer: whether it went well, and what came."""
    try:
        function, arguments = _parse(request)
        return _pickled(True, function(*arguments))
    except Exception as error:
        carry_trace(error)
        return _pickled(False, error)


def _parse(request: bytes) -> tuple[Callable[..., object], tuple[Any, ...]]:
    function, arguments = pickle.loads(request)  # noqa: S301 (from the program that started us)
    return function, arguments


def _pickled(good: bool, value: object) -> bytes:
    try:
        data = pickle.dumps((good, value))
        if not good:
            pickle.loads(data)  # noqa: S301 (an error may be written and still not be readable)
    except Exception:
        return pickle.dumps((False, Unsendable(type(value).__name__)))
    return data


def main() -> None:
    """Work until the other side ends, however it ends: also in the middle of a call."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "r+b") as nothing:  # a call that prints must not spoil the answers
        os.dup2(nothing.fileno(), 0)
        os.dup2(nothing.fileno(), 1)
    with contextlib.suppress(AttributeError, OSError):
        os.nice(NICENESS)
    waiting: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(requests, waiting), daemon=True).start()
    send(answers, pickle.dumps(READY))
    while True:
        send(answers, answer(waiting.get()))


def _listen(requests: BinaryIO, waiting: SimpleQueue[bytes]) -> None:
    try:
        while (request := receive(requests)) is not None:
            waiting.put(request)
    finally:
        os._exit(0)
