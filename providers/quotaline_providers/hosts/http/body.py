"""The body of an answer, inflated piece by piece with a bound: a few bytes can stand for gigabytes.

The library would inflate each received piece whole before anybody sees its size, through as many codings as the answer
names. Here one coding is undone, in pieces, and what comes in and what comes out are both counted.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator

from quotaline_providers.errors import BadResponse, Unavailable

MAX_BODY = 8 << 20
"""Bytes of a body, as received and as inflated."""
ACCEPTED = "gzip, deflate"
"""The codings that are asked for."""
PIECE = 256 << 10
"""Bytes that are inflated at once: other tasks run between two pieces."""

_WINDOWS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}


async def collected(host: str, coding: str, chunks: AsyncIterator[bytes]) -> bytes:
    """The whole body. `coding` is the answer's `Content-Encoding`, `chunks` what came of it.

    Raises BadResponse for a body that is too large, damaged, or coded in another way or more than once, and Unavailable
    for one that is cut off.
    """
    body, received, inflate = bytearray(), 0, _inflater(host, coding)
    async for chunk in chunks:
        received += len(chunk)
        if received > MAX_BODY:
            raise _too_large(host)
        for piece in inflate.pieces(chunk) if inflate else (chunk,):
            body += piece
            if len(body) > MAX_BODY:
                raise _too_large(host)
            if inflate:
                await asyncio.sleep(0)
    if inflate and received and not inflate.complete:
        raise Unavailable(f"The connection to {host} was closed before the response was complete.")
    return bytes(body)


class _Inflater:
    """Undoes one coding. `complete` tells that its end has come."""

    def __init__(self, host: str, coding: str) -> None:
        self._host, self._window = host, _WINDOWS[coding]
        self._zlib = zlib.decompressobj(self._window)
        self._begun = False

    @property
    def complete(self) -> bool:
        return self._zlib.eof

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What the data stands for, in pieces of a bounded size; what follows the end is ignored."""
        piece = b""
        while not self._zlib.eof and (data or len(piece) == PIECE):  # a full piece: more may be held back
            piece = self._inflated(data)
            data = self._zlib.unconsumed_tail
            self._begun = True
            yield piece

    def _inflated(self, data: bytes) -> bytes:
        try:
            return self._zlib.decompress(data, PIECE)
        except zlib.error:
            if not self._begun and self._window == zlib.MAX_WBITS:  # some servers leave out what "deflate" begins with
                self._window = -zlib.MAX_WBITS
                self._zlib = zlib.decompressobj(self._window)
                return self._inflated(data)
            raised = BadResponse(f"{self._host} returned data that cannot be decompressed.")
        raise raised


def _inflater(host: str, coding: str) -> _Inflater | None:
    codings = [name for part in coding.split(",") if (name := part.strip().lower()) not in ("", "identity")]
    if not codings:
        return None
    if len(codings) > 1:
        raise BadResponse(f"{host} returned data that is compressed more than once.")
    if codings[0] not in _WINDOWS:
        raise BadResponse(f"{host} returned data that is compressed in a way that was not asked for.")
    return _Inflater(host, codings[0])


def _too_large(host: str) -> BadResponse:
    return BadResponse(f"{host} returned more than {MAX_BODY >> 20} MiB of data.")
