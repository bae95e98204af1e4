"""The sidecar as a process: reading standard input, and leaving when the editor does or a signal says so."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import BinaryIO, cast

from quotaline.lsp.framing import MessageReader, NotAMessage
from quotaline.lsp.protocol import QuotalineServer
from quotaline_providers.diagnostics import note_defect

SWITCH_SECONDS = 0.0005
"""How long a thread that computes (reading logs) may keep the event loop waiting; Python's usual 5 ms are felt."""
LEAVE_SECONDS = 3.0
"""How long what still runs may take once the editor is gone."""


def leave_soon(code: int = 1) -> None:
    """End the process with this code in `LEAVE_SECONDS` at the latest: a thread that reads a disk or waits for a
    keyring cannot be stopped, and must not keep it."""
    timer = threading.Timer(LEAVE_SECONDS, os._exit, (code,))
    timer.daemon = True
    timer.start()


async def leave_with(editor: int, close: Callable[[], Awaitable[None]]) -> None:
    """Leave no orphan: when the process of this id is gone, close what runs and end this process with 0."""
    from quotaline.store.process import ended

    await ended(editor)
    leave_soon(0)
    await _close_and_exit(close, 0)


def leave_on_signals(close: Callable[[], Awaitable[None]]) -> None:
    """At SIGTERM, SIGHUP and SIGINT close what runs, with the vendors' programs, and end this process with 128 and the
    signal's number. What our parent had ignored stays ignored. Windows has no such signals."""
    loop, leaving = asyncio.get_running_loop(), set[asyncio.Task[None]]()

    def leave(number: int) -> None:
        leave_soon(128 + number)
        leaving.add(asyncio.create_task(_close_and_exit(close, 128 + number), name="leaving"))

    for name in ("SIGTERM", "SIGHUP", "SIGINT"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(number, leave, number)


async def _close_and_exit(close: Callable[[], Awaitable[None]], code: int) -> None:
    try:
        await close()
    except Exception as error:
        note_defect("closing the session", error)
    os._exit(code)  # the thread that waits for standard input cannot be stopped in another way


def serve(server: QuotalineServer, tcp_port: int | None = None) -> None:
    """Run until the editor ends us: on standard input and output, or on a loopback port for debugging. Never returns:
    the process ends with 0 after a `shutdown`, else with 1. The end of the input is also the end of the process.

    Raises OSError where the port cannot be listened on.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    if tcp_port is None:
        reader, output = MessageReader(sys.stdin.buffer, leave_soon), sys.stdout.buffer
    else:
        from quotaline.lsp.tcp import accept_client

        client = accept_client(tcp_port, lambda line: print(line, file=sys.stderr, flush=True))
        reader, output = MessageReader(client.input, leave_soon), client.output
        reader.unread(client.first)
    try:
        server.start_io(cast("BinaryIO", reader), output)
    except NotAMessage as error:  # there is nobody to go on for
        print(f"What came is not a message of the Language Server Protocol: {error}.", file=sys.stderr)
    except Exception as error:
        note_defect("the connection to the editor", error)
    os._exit(0 if server.protocol.was_shut_down else 1)
