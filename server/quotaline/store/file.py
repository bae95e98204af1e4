"""A SQLite file that several processes use at once, and memory in its place while it cannot be used.

A file that is locked, read-only or on a full disk is tried again later. A corrupt one is set aside, never deleted. One
that a newer Quotaline has taken over (see `migrations`) is only read from then on.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import quote

from quotaline.store.migrations import NewerSchema, NotOurs, Schema, major, transaction
from quotaline_providers.hosts.privacy import close_to_others, make_own_folder

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

BUSY_SECONDS = 2.0
"""How long a lock of another process is waited for."""
RETRY_FILE_SECONDS = 30.0
"""How long memory is used before the file is tried again."""
ATTEMPTS = 3
LOG_BYTES = 1 << 20
"""The size that the write-ahead log is cut to once its content is in the file."""


class Contents(Protocol):
    """What to do when the file or memory takes over from the other."""

    def fill_memory(self, memory: sqlite3.Connection) -> None:
        """Put what is known into an empty database in memory. Runs in a transaction."""

    def fill_file(self, file: sqlite3.Connection) -> None:
        """The file has been opened: put what was learnt without it into it. Runs outside a transaction. What it
        raises means that the file cannot be used."""

    def file_lost(self) -> None:
        """The file was deleted or is corrupt: the next one needs all that is known."""


class SharedFile:
    """Does pieces of work, each in a transaction, on the file or in memory. Not thread-safe.

    `kept` completes the sentence in `trouble`: "usage is kept in memory". `newer` says that the file belongs to a newer
    Quotaline: reads come from it as far as it has the columns, writes go to memory only.
    """

    def __init__(
        self, path: Path, schema: Schema, contents: Contents, kept: str, clock: Callable[[], datetime]
    ) -> None:
        self.path = path
        self.trouble: str | None = None
        self.newer = False
        self._schema, self._contents, self._kept, self._clock = schema, contents, kept, clock
        self._database: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._on_file = False
        self._retry_at = 0.0
        self._openings = 0
        self._identity: tuple[int, int] | None = None

    @property
    def on_file(self) -> bool:
        """Whether the last piece of work was done on the file, not in memory."""
        return self._on_file

    def open(self) -> None:
        """Open the file, when that has not been tried a moment ago."""
        self._connect()

    def read(self, work: Work[T]) -> T:
        """Do a piece of work that only reads. Blocks."""
        return self._do(work, "BEGIN")

    def write(self, work: Work[T]) -> T:
        """Do a piece of work under the write lock. Blocks."""
        return self._do(work, "BEGIN IMMEDIATE")

    def version(self) -> int:
        """A number that changes when another process has written, or another file (or memory) is in use."""
        version: int | None = None
        if self._on_file and self._database is not None and not self._was_replaced():
            with suppress(sqlite3.DatabaseError):  # asked all the time, hence without a transaction
                version = self._database.execute("PRAGMA data_version").fetchone()[0]
        if version is None:
            version = self.read(lambda db: int(db.execute("PRAGMA data_version").fetchone()[0]))
        return (self._openings << 32) + version

    def flush(self) -> None:
        """Make what was written survive a power cut."""
        if self._on_file and self._database is not None:
            with suppress(sqlite3.Error):
                self._database.execute("PRAGMA wal_checkpoint")

    def close(self, last: Work[object] | None = None) -> None:
        """Let go of the file, after a last piece of work when it is in use."""
        if self._on_file and self._database is not None and last is not None:
            with suppress(sqlite3.Error, NewerSchema), transaction(self._database):
                self._schema.check(self._database)
                last(self._database)
        self._disconnect()

    # --- work ---

    def _do(self, work: Work[T], begin: str) -> T:
        for _ in range(ATTEMPTS):
            database = self._connect()
            if self._reader is not None and begin == "BEGIN":
                with suppress(sqlite3.DatabaseError), transaction(self._reader, begin):
                    return work(self._reader)
            try:
                with transaction(database, begin):
                    if self._on_file:
                        self._schema.check(database)
                    return work(database)
            except NewerSchema:
                self._follow_newer()
            except sqlite3.DatabaseError as error:
                if not self._on_file:
                    raise
                if not (_is_corrupt(error) and self._set_aside()):
                    self._go_on_in_memory(self._explain(error))
        self._go_on_in_memory(f"{self.path} is damaged again and again; {self._kept}.")
        assert self._database is not None
        with transaction(self._database, begin):
            return work(self._database)

    def _connect(self) -> sqlite3.Connection:
        if self._on_file and self._was_replaced():
            self._forget_file()
        if self._database is not None and (self._on_file or time.monotonic() < self._retry_at):
            return self._database
        try:
            database = self._open_filled()
        except NewerSchema:
            self._follow_newer()
        except sqlite3.DatabaseError as error:
            if not (_is_corrupt(error) and self._set_aside()):
                self._go_on_in_memory(self._explain(error))
            else:
                return self._connect()
        except OSError as error:
            self._go_on_in_memory(f"{self.path} cannot be used ({error.strerror or error}); {self._kept}.")
        else:
            self._disconnect()
            self._database, self._on_file, self.trouble = database, True, None
            self._identity = self._file_identity()
            self._openings += 1
        assert self._database is not None
        return self._database

    def _disconnect(self) -> None:
        for database in (self._database, self._reader):
            if database is not None:
                with suppress(sqlite3.Error):
                    database.close()
        self._database = self._reader = self._identity = None
        self._on_file = self.newer = False

    # --- the file ---

    def _open_filled(self) -> sqlite3.Connection:
        """Open the file with all that was learnt without it, before what is in memory is given up."""
        database = self._open_patiently()
        try:
            self._contents.fill_file(database)
        except BaseException:
            database.close()
            raise
        return database

    def _open_patiently(self) -> sqlite3.Connection:
        """Open the file. Going over to the write-ahead log, another process's lock is refused without any waiting."""
        patience = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return self._open()
            except sqlite3.OperationalError as error:
                if not _is_locked(error) or time.monotonic() >= patience:
                    raise
            time.sleep(0.05)

    def _open(self) -> sqlite3.Connection:
        _create_private(self.path)
        database = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        try:
            self._schema.check(database)
            if database.execute("PRAGMA journal_mode=WAL").fetchone()[0] != "wal":
                raise sqlite3.OperationalError("no write-ahead log")
            database.execute(f"PRAGMA journal_size_limit={LOG_BYTES}")
            database.execute("PRAGMA synchronous=NORMAL")
            database.execute("PRAGMA cache_size=-128")
            self._schema.migrate(database)
        except BaseException:
            database.close()
            raise
        return database

    def _file_identity(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _was_replaced(self) -> bool:
        """Whether another process (or the user) has moved the file away under us."""
        return self._identity is not None and self._file_identity() != self._identity

    def _forget_file(self) -> None:
        self._disconnect()
        self._contents.file_lost()

    def _set_aside(self) -> bool:
        """Move a corrupt file (and its log) out of the way, keeping it for whoever wants to look. True when there is
        no corrupt file any more; another process may have been quicker."""
        self._forget_file()
        if self._is_whole():
            return True
        name = f"{self.path.name}.corrupt-{self._clock().strftime('%Y%m%dT%H%M%S')}"
        number = 1
        while self.path.with_name(name).exists():
            number += 1
            name = f"{name.partition('Z')[0]}Z{number}"
        try:
            self.path.replace(self.path.with_name(name))
        except FileNotFoundError:
            return True
        except OSError:
            return False
        for suffix in ("-wal", "-shm"):
            with suppress(OSError):
                self.path.with_name(self.path.name + suffix).replace(self.path.with_name(name + suffix))
        return True

    def _is_whole(self) -> bool:
        try:
            with closing(sqlite3.connect(self.path, timeout=BUSY_SECONDS)) as database:
                if major(database) > self._schema.number[0]:
                    return True
                for query in self._schema.queries:
                    database.execute(query).fetchone()
                return bool(database.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
        except sqlite3.Error as error:
            return _is_locked(error)

    # --- without the file ---

    def _go_on_in_memory(self, trouble: str) -> None:
        if self._database is None or self._on_file:
            self._disconnect()
            self._database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            self._schema.migrate(self._database)
            self._openings += 1
            with transaction(self._database):
                self._contents.fill_memory(self._database)
        self._on_file = False
        self.trouble = trouble
        self._retry_at = time.monotonic() + RETRY_FILE_SECONDS

    def _follow_newer(self) -> None:
        """A newer program has the file: read from it what can be read."""
        self._go_on_in_memory(f"{self.path} belongs to a newer Quotaline; this one only reads it.")
        self.newer = True
        if self._reader is not None:
            self._reader.close()
        address = f"file:///{quote(self.path.as_posix().removeprefix('/'))}?mode=ro"
        self._reader = None
        with suppress(sqlite3.Error):
            self._reader = sqlite3.connect(
                address, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )

    def _explain(self, error: sqlite3.DatabaseError) -> str:
        text = str(error)
        if self.path.exists() and not self.path.is_file():
            reason = "is not a file"
        elif _is_locked(error):
            reason = "is locked by another program"
        elif "full" in text:
            reason = "cannot be written: the disk is full"
        elif "readonly" in text or "unable to open" in text:
            reason = "cannot be written"
        else:
            reason = f"cannot be used ({text})"
        return f"{self.path} {reason}; {self._kept}."


def _create_private(path: Path) -> None:
    """Make sure that the file exists and that only the user may read it. SQLite gives its log the same mode."""
    make_own_folder(path.parent)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    for suffix in ("", "-wal", "-shm"):  # those that something else has put there, or an older version
        file = path.with_name(path.name + suffix)
        if file.is_file():
            close_to_others(file)


def _is_corrupt(error: sqlite3.DatabaseError) -> bool:
    signs = ("malformed", "not a database", "no such table", "no such column", "corrupt")
    return isinstance(error, NotOurs) or any(sign in str(error) for sign in signs)


def _is_locked(error: sqlite3.Error) -> bool:
    return "locked" in str(error) or "busy" in str(error)
