"""The loopback port for debugging: one client, which knows the token."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from quotaline.lsp.framing import MessageReader
from tests.server.lsp_client import Desk


class Listening:
    """A sidecar that waits on a port, and the token that it has printed."""

    def __init__(self, desk: Desk, port: int) -> None:
        self.port = port
        self.process = subprocess.Popen(
            [sys.executable, "-m", "quotaline", "serve", "--tcp", str(port)],
            env=desk.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=desk.home,
        )
        assert self.process.stderr is not None
        where, how = self.process.stderr.readline().decode(), self.process.stderr.readline().decode()
        assert f"127.0.0.1:{port} " in where
        token = re.search(r"\{.*\}", how)
        assert token is not None
        self.options: dict[str, Any] = json.loads(token[0])

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection.settimeout(20)
        return connection


@pytest.fixture
def server(environ: dict[str, str], home: Path, unused_tcp_port: int) -> Iterator[Listening]:
    with Desk(environ, home) as desk:
        listening = Listening(desk, unused_tcp_port)
        yield listening
        listening.process.kill()
        listening.process.communicate()


def initialize(options: object, method: str = "initialize") -> bytes:
    params = {"processId": None, "capabilities": {}, "initializationOptions": options}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def answer(connection: socket.socket) -> Any:
    """The next message, None where the server hangs up."""
    with connection.makefile("rb") as stream:
        message = MessageReader(stream).message()
    return json.loads(message) if message is not None else None


def test_the_client_with_the_token_is_served_and_its_leaving_is_the_end(server: Listening) -> None:
    with closing(server.connect()) as connection:
        connection.sendall(initialize(server.options))
        assert answer(connection)["result"]["serverInfo"]["name"] == "quotaline"
        with pytest.raises(ConnectionRefusedError):
            server.connect()
    assert server.process.wait(20) == 1


@pytest.mark.parametrize(
    "options", [None, {}, {"token": ""}, {"token": None}, {"token": "\ud800"}, {"token": "x" * 32}]
)
def test_a_client_without_the_token_is_refused_and_another_may_come(server: Listening, options: object) -> None:
    with closing(server.connect()) as connection:
        connection.sendall(initialize(options))
        assert "initializationOptions.token" in answer(connection)["error"]["message"]
        assert answer(connection) is None
    with closing(server.connect()) as connection:
        connection.sendall(initialize(server.options))
        assert "result" in answer(connection)


@pytest.mark.parametrize(
    "data",
    [
        b"POST / HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
        b"Content-Length: 2\r\n\r\n[]",
        b"Content-Length: 3\r\n\r\n{]}",
        b"Content-Length: 999999999\r\n\r\n",
        b"\0" * 100_000,
    ],
)
def test_what_is_no_message_gets_no_answer(server: Listening, data: bytes) -> None:
    with closing(server.connect()) as connection:
        connection.sendall(data)
        with suppress(ConnectionResetError):  # there was more than the server has read
            assert connection.recv(1) == b""
    with closing(server.connect()) as connection:
        connection.sendall(initialize(server.options))
        assert "result" in answer(connection)


def test_another_message_with_the_token_is_not_enough(server: Listening) -> None:
    with closing(server.connect()) as connection:
        connection.sendall(initialize(server.options, "quotaline/usage"))
        assert "error" in answer(connection)


def test_a_port_that_is_taken(server: Listening, environ: dict[str, str], home: Path) -> None:
    with Desk(environ, home) as desk:
        done = desk.run("serve", "--tcp", str(server.port))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Port {server.port} cannot be used: ")
    assert "token" not in done.stderr
