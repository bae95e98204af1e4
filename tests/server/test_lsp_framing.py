"""Header blocks in every spelling the protocol allows, and what cannot be a message."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from quotaline.lsp.framing import LONGEST_LINE, MessageReader, NotAMessage
from tests.server.lsp_client import Desk

BODY = b'{"jsonrpc": "2.0"}'
LENGTH = len(BODY)


def reader(data: bytes) -> MessageReader:
    return MessageReader(io.BytesIO(data))


def as_the_library_reads(found: MessageReader) -> bytes:
    """One message by header lines and body."""
    length = found.readline()
    assert found.readline() == b"\r\n"
    return found.read(int(length.removeprefix(b"Content-Length: ").removesuffix(b"\r\n")))


@pytest.mark.parametrize(
    "header",
    [
        f"Content-Length: {LENGTH}\r\n\r\n",
        f"content-length: {LENGTH}\r\n\r\n",
        f"CONTENT-LENGTH:{LENGTH}\r\n\r\n",
        f"Content-Length: {LENGTH}\n\n",
        f"Content-Length:\t{LENGTH} \r\n\r\n",
        f"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: {LENGTH}\r\n\r\n",
        f"Content-Length: {LENGTH}\r\ncontent-type: application/vscode-jsonrpc; charset=utf8\r\n\r\n",
        f"Content-Length: {LENGTH}\r\nX-Trace: 5\r\nContent-Length: {LENGTH}\r\n\r\n",
        f"\r\n\r\nContent-Length: {LENGTH}\r\n\r\n",
    ],
)
def test_a_message(header: str) -> None:
    data = header.encode() + BODY
    assert reader(data * 2).message() == BODY
    found = reader(data * 2)
    assert [as_the_library_reads(found), as_the_library_reads(found), found.readline()] == [BODY, BODY, b""]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"POST / HTTP/1.1\r\nHost: 127.0.0.1:9257\r\n\r\n", "does not begin with headers"),
        (b"POST /?a:b HTTP/1.1\r\nContent-Length: 18\r\n\r\n" + BODY, "does not begin with headers"),
        (b"hello\r\n", "does not begin with headers"),
        (b"\x16\x03\x01\x02\x00\x01\n", "does not begin with headers"),
        (BODY + b"\r\n", "does not begin with headers"),
        (b"Content-Length : 18\r\n\r\n" + BODY, "does not begin with headers"),
        (b"X-Trace: 5\r\n\r\n" + BODY, "no length"),
        (b"Content-Length: many\r\n\r\n" + BODY, "not a positive number"),
        (b"Content-Length: -18\r\n\r\n" + BODY, "not a positive number"),
        (b"Content-Length: 0\r\n\r\n", "not a positive number"),
        (b"Content-Length: 18\r\nContent-Length: 19\r\n\r\n" + BODY, "two lengths"),
        (b"Content-Length: 99999999999\r\n\r\n", "longer than"),
        (b"Content-Type: x; charset=utf-16\r\nContent-Length: 18\r\n\r\n" + BODY, "not UTF-8"),
        (b"a" * (2 * LONGEST_LINE), "too long"),
        (b"X-Trace: 5\r\n" * 100, "too long"),
        (b"\n" * 100, "no length"),
    ],
)
def test_no_message(data: bytes, reason: str) -> None:
    with pytest.raises(NotAMessage, match=reason):
        reader(data).message()
    with pytest.raises(NotAMessage, match=reason):
        reader(data).readline()


@pytest.mark.parametrize(
    "data", [b"", b"\r\n", b"Content-Len", b"Content-Length: 18\r\n", b"Content-Length: 18\r\n\r\n{"]
)
def test_a_stream_that_ends(data: bytes) -> None:
    assert reader(data).message() is None


def test_the_end_is_told_once_the_stream_has_ended() -> None:
    told: list[None] = []
    found = MessageReader(io.BytesIO(b"Content-Length: 18\r\n\r\n" + BODY), lambda: told.append(None))
    as_the_library_reads(found)
    assert told == []
    assert found.readline() == b""
    assert told == [None]


def test_a_message_that_was_read_too_early() -> None:
    found = reader(b"content-length: 18\n\n" + BODY)
    message = found.message()
    assert message is not None
    found.unread(message)
    assert [as_the_library_reads(found), found.readline()] == [BODY, b""]


# --- a real sidecar --------------------------------------------------------------------------------


@pytest.fixture
def desk(environ: dict[str, str], home: Path) -> Iterator[Desk]:
    with Desk(environ, home) as desk:
        yield desk


def test_a_client_that_spells_its_headers_in_another_way_is_answered(desk: Desk) -> None:
    client = desk.spawn()
    body = b'{"jsonrpc": "2.0", "id": 77, "method": "initialize", "params": {"processId": null, "capabilities": {}}}'
    client.send_bytes(b"content-type: application/vscode-jsonrpc\ncontent-length: %d\n\n%b" % (len(body), body))
    assert client.answer(77, 20)["serverInfo"]["name"] == "quotaline"


@pytest.mark.parametrize("begun", [False, True])
def test_what_is_no_message_ends_the_sidecar_with_a_sentence(desk: Desk, begun: bool) -> None:
    client = desk.open() if begun else desk.spawn()
    client.send_bytes(b"GET /quota HTTP/1.1\r\nHost: demo-token\r\n\r\n")
    assert client.exit_code(20) == 1
    assert "is not a message of the Language Server Protocol: it does not begin with headers." in client.output
    assert "demo-token" not in client.output
    assert "Traceback" not in client.output
