"""A loopback port in place of standard input and output, for debugging: one client, which knows the printed token.

Every user and every web page of a machine can connect to its ports. So nothing of the server is at the other end of a
connection before its first message has shown the token, and nobody can connect any more afterwards.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from quotaline.lsp.framing import MessageReader, NotAMessage

HANDSHAKE_SECONDS = 10.0
"""How long a client may take for its first message."""
LARGEST_FIRST_MESSAGE = 1 << 20
"""In bytes."""
_REFUSAL = (
    "This server has one client, whose `initialize` holds the token that the server printed when it was started, as "
    "`initializationOptions.token`."
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The one client's connection. Its first message, `initialize`, has been taken from `input`."""

    input: BinaryIO
    output: BinaryIO
    first: bytes


def accept_client(port: int, tell: Callable[[str], object]) -> Accepted:
    """Wait for the client that shows the token. `tell` is given what the user needs to know.

    Raises OSError where the port cannot be listened on.
    """
    token = secrets.token_urlsafe(24)
    with _listener(port) as listener:
        tell(f"Quotaline waits on 127.0.0.1:{listener.getsockname()[1]} for one client.")
        tell(f'Its `initialize` must have these `initializationOptions`: {{"token": "{token}"}}')
        while True:
            connection, _ = listener.accept()
            with connection:  # the streams keep it open
                input = connection.makefile("rb")
                first = _first_message(connection, input, token)
                if first is not None:
                    return Accepted(input, connection.makefile("wb"), first)
                input.close()


def _listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # On Windows the usual option would let another program listen on the same port.
        exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None) if sys.platform == "win32" else None
        listener.setsockopt(socket.SOL_SOCKET, exclusive or socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def _first_message(connection: socket.socket, input: BinaryIO, token: str) -> bytes | None:
    """The first message where it is an `initialize` with the token. Another one is refused in the protocol's way, and
    what is no message gets no answer."""
    deadline = threading.Timer(HANDSHAKE_SECONDS, _hang_up, (connection,))
    deadline.daemon = True
    deadline.start()
    try:
        message = MessageReader(input).message(LARGEST_FIRST_MESSAGE)
        if message is None:
            return None
        request = json.loads(message)
        if isinstance(request, dict):
            if _has_token(request, token):
                return message
            connection.sendall(_refusal(request.get("id")))
    except (OSError, NotAMessage, ValueError, RecursionError):
        pass
    finally:
        deadline.cancel()
    return None


def _has_token(request: dict[str, object], token: str) -> bool:
    params = request.get("params")
    options = params.get("initializationOptions") if isinstance(params, dict) else None
    shown = options.get("token") if isinstance(options, dict) else None
    return (
        request.get("method") == "initialize"
        and isinstance(shown, str)
        and hmac.compare_digest(shown.encode(errors="replace"), token.encode())
    )


def _refusal(id: object) -> bytes:
    error = {"code": -32600, "message": _REFUSAL}
    body = json.dumps({"jsonrpc": "2.0", "id": id if isinstance(id, int | str) else None, "error": error}).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
