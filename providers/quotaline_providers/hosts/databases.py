"""Reading other programs' SQLite files, which may be open and being written, without ever changing them."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

BUSY_SECONDS = 0.25
QUERY_SECONDS = 10.0
"""How long a query may take: a view in a table's place can go on for ever."""
MOST_ROWS = 10_000
LARGEST_VALUE = 64 << 20
"""Bytes of one row."""
_STEPS = 10_000  # of SQLite's machine between two looks at the clock


class SqliteDatabases:
    """Implements `contract.Databases`."""

    async def rows(self, path: Path, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return await asyncio.to_thread(_rows, path, query, tuple(parameters))


def _rows(path: Path, query: str, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
    if not path.is_file():
        raise FileNotFoundError(str(path))
    try:
        return _query(path, query, parameters)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
    # A log needs a -shm file beside it, and a crashed program's journal must be rolled back: neither can be done in a
    # folder that is read-only to us, so both are done in a copy.
    with tempfile.TemporaryDirectory(prefix="quotaline-") as folder:
        copy = Path(folder) / "copy.db"
        for suffix in ("", "-wal", "-journal"):
            source = path.with_name(path.name + suffix)
            if source.is_file():
                target = copy.with_name(copy.name + suffix)
                target.touch(0o600)
                shutil.copyfile(source, target)
        return _query(copy, query, parameters, mode="rw")


def _query(path: Path, query: str, parameters: tuple[object, ...], mode: str = "ro") -> list[tuple[Any, ...]]:
    # Never `immutable=1`: it would leave out what is still in the write-ahead log.
    address = f"file:///{quote(path.absolute().as_posix().removeprefix('/'))}?mode={mode}"
    with closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as connection:
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        end = time.monotonic() + QUERY_SECONDS
        connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_VALUE)
        connection.execute("PRAGMA query_only=1")
        connection.execute("PRAGMA trusted_schema=0")
        return connection.execute(query, parameters).fetchmany(MOST_ROWS)
