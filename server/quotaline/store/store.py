"""What all sidecars of a user share: the last usage of every account, leases, notes and a little history.

SQLite in WAL mode. Every call here blocks: the service makes them on the store's own thread. When the file cannot be
used (corrupt, newer, locked, read-only, disk full) the store goes on in memory, says so in `trouble`, and tries the
file again later; a corrupt file is set aside, never deleted. What was known of the accounts goes along either way, so
that trouble with a disk never makes anyone ask the vendors more often.
"""

from __future__ import annotations

import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from quotaline.paths import STARTUP_NOTES, STORE_NAME
from quotaline.state import Failure
from quotaline.store.process import alive, birth
from quotaline_providers.model import Usage

T = TypeVar("T")

SCHEMA = 1
FILE_NAME = STORE_NAME
BUSY_SECONDS = 2.0
RETRY_FILE_SECONDS = 30.0
HISTORY_DAYS = 56
HISTORY_MINUTES = 30

_TABLES = """
CREATE TABLE reading (
    key TEXT PRIMARY KEY, provider TEXT NOT NULL, account TEXT NOT NULL,
    usage TEXT, usage_at REAL, fingerprint TEXT NOT NULL DEFAULT '', digest TEXT NOT NULL DEFAULT '',
    source TEXT NOT NULL DEFAULT 'auto',
    failure TEXT, failures INTEGER NOT NULL DEFAULT 0, attempted_at REAL, cool_until REAL
);
CREATE TABLE lease (
    key TEXT PRIMARY KEY, holder TEXT NOT NULL, pid INTEGER NOT NULL, birth TEXT NOT NULL, until REAL NOT NULL
);
CREATE TABLE note (key TEXT PRIMARY KEY, value TEXT NOT NULL, until REAL);
CREATE TABLE history (key TEXT NOT NULL, window TEXT NOT NULL, at REAL NOT NULL, used_percent REAL NOT NULL);
CREATE INDEX history_by_window ON history (key, window, at);
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the store knows of one account, read with a config entry of this `digest` from the `source` asked for."""

    key: str
    provider: str
    account: str
    usage: Usage | None = None
    usage_at: datetime | None = None
    fingerprint: str = ""
    digest: str = ""
    source: str = "auto"
    failure: Failure | None = None
    failures: int = 0
    attempted_at: datetime | None = None
    cool_until: datetime | None = None


class NewerSchema(Exception):
    """The file was written by a newer Quotaline."""


class Store:
    """The shared store of one user. Not thread-safe: use it from one thread."""

    def __init__(self, folder: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.path = folder / FILE_NAME
        self.holder = uuid.uuid4().hex
        self.trouble: str | None = None
        self.restart_due: str | None = None
        self._clock = clock
        self._database: sqlite3.Connection | None = None
        self._on_file = False
        self._retry_at = 0.0
        self._openings = 0
        self._identity: tuple[int, int] | None = None
        self._rows: dict[str, tuple[Any, ...]] = {}
        self._parsed: dict[str, tuple[tuple[Any, ...], Reading | None]] = {}
        self._notes: dict[str, tuple[str, float | None]] = {}
        self._unsaved: set[str] = set()
        self._unsaved_notes: set[str] = set()

    # --- readings ---

    def readings(self) -> dict[str, Reading]:
        """All readings by key; a row that cannot be understood is left out."""
        rows = self._read(lambda db: db.execute(f"SELECT {_COLUMNS} FROM reading").fetchall())  # noqa: S608 (constants)
        self._rows = {row[0]: row for row in rows}
        known, self._parsed = self._parsed, {}
        for row in rows:
            before = known.get(row[0])
            self._parsed[row[0]] = before if before is not None and before[0] == row else (row, _to_reading(row))
        return {key: reading for key, (_, reading) in self._parsed.items() if reading is not None}

    def save(self, reading: Reading) -> None:
        """Keep a reading, and a sample of its windows for the history."""
        self._write(lambda db: self._insert(db, reading))
        self._rows[reading.key] = _to_row(reading)
        self._mark(self._unsaved, reading.key)

    def drop(self, key: str) -> None:
        """Forget an account's reading (its credential or account has changed, or it was removed)."""

        def forget(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM reading WHERE key = ?", (key,))
            db.execute("DELETE FROM note WHERE key GLOB ?", (f"{STARTUP_NOTES}*",))  # it may be in them, too

        self._write(forget)
        self._rows.pop(key, None)
        self._mark(self._unsaved, key)

    def _insert(self, db: sqlite3.Connection, reading: Reading) -> None:
        db.execute(_INSERT, _to_row(reading))
        if reading.usage is not None and reading.usage_at == reading.attempted_at:
            self._sample(db, reading.key, reading.usage)

    def _sample(self, db: sqlite3.Connection, key: str, usage: Usage) -> None:
        now = usage.updated_at.timestamp()
        for window in usage.windows:
            if window.used_percent is None or window.placeholder:
                continue
            last = db.execute(
                "SELECT at, used_percent FROM history WHERE key = ? AND window = ? ORDER BY at DESC LIMIT 1",
                (key, window.id),
            ).fetchone()
            if last and now - last[0] < HISTORY_MINUTES * 60 and abs(window.used_percent - last[1]) < 1:
                continue
            db.execute("INSERT INTO history VALUES (?, ?, ?, ?)", (key, window.id, now, window.used_percent))
        db.execute("DELETE FROM history WHERE at < ?", (now - HISTORY_DAYS * 86400,))

    def history(self, key: str, window: str) -> list[tuple[datetime, float]]:
        """Samples (time, percent used) of one window, oldest first, for at most eight weeks."""
        rows = self._read(
            lambda db: db.execute(
                "SELECT at, used_percent FROM history WHERE key = ? AND window = ? ORDER BY at", (key, window)
            ).fetchall()
        )
        return [(_time(at), percent) for at, percent in rows]

    # --- leases ---

    def lease(
        self, key: str, seconds: float, *, attempted_before: datetime | None = None, digest: str | None = None
    ) -> bool:
        """Take the right to read an account, for a time.

        False when someone alive holds it, or when the account was attempted at or after `attempted_before` (with a
        config entry of this `digest`, when one is given).
        """
        now = self._clock()

        def take(db: sqlite3.Connection) -> bool:
            if attempted_before is not None:
                row = db.execute("SELECT attempted_at, digest FROM reading WHERE key = ?", (key,)).fetchone()
                same = row is not None and (digest is None or row[1] == digest)
                if same and row[0] is not None and row[0] >= attempted_before.timestamp() and row[0] <= now.timestamp():
                    return False
            row = db.execute("SELECT holder, pid, birth, until FROM lease WHERE key = ?", (key,)).fetchone()
            if row and row[0] != self.holder and self._holds(row, now):
                return False
            until = (now + timedelta(seconds=seconds)).timestamp()
            mine = (key, self.holder, os.getpid(), birth(os.getpid()), until)
            db.execute("INSERT OR REPLACE INTO lease VALUES (?, ?, ?, ?, ?)", mine)
            return True

        return self._write(take)

    def leased(self) -> frozenset[str]:
        """Keys that someone (we or another sidecar) is reading right now."""
        now = self._clock()
        rows = self._read(lambda db: db.execute("SELECT holder, pid, birth, until, key FROM lease").fetchall())
        return frozenset(row[4] for row in rows if self._holds(row[:4], now))

    def release(self, key: str) -> None:
        """Give a lease back; someone else's stays."""
        self._write(lambda db: db.execute("DELETE FROM lease WHERE key = ? AND holder = ?", (key, self.holder)))

    @staticmethod
    def _holds(row: tuple[str, int, str, float], now: datetime) -> bool:
        _, pid, born, until = row
        return until > now.timestamp() and alive(pid) and birth(pid) == born

    # --- notes ---

    def note(self, key: str) -> str | None:
        """A note that has not run out."""
        row = self._read(lambda db: db.execute("SELECT value, until FROM note WHERE key = ?", (key,)).fetchone())
        if row is None or (row[1] is not None and row[1] <= self._clock().timestamp()):
            self._notes.pop(key, None)
            return None
        if not key.startswith(STARTUP_NOTES):  # large, and of no use without the file
            self._notes[key] = (row[0], row[1])
        return str(row[0])

    def keep_note(self, key: str, value: str, until: datetime | None = None) -> None:
        """Keep a note, for ever or until a time. Notes that have run out are swept."""
        moment = until.timestamp() if until else None

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM note WHERE until <= ?", (self._clock().timestamp(),))
            db.execute("INSERT OR REPLACE INTO note VALUES (?, ?, ?)", (key, value, moment))

        self._write(write)
        if not key.startswith(STARTUP_NOTES):
            self._notes[key] = (value, moment)
            self._mark(self._unsaved_notes, key)

    def drop_note(self, key: str) -> None:
        self._write(lambda db: db.execute("DELETE FROM note WHERE key = ?", (key,)))
        self._notes.pop(key, None)
        self._mark(self._unsaved_notes, key)

    # --- the file ---

    def version(self) -> int:
        """A number that changes when another process has written, or another file (or memory) is in use."""
        version: int | None = None
        if self._on_file and self._database is not None and not self._was_replaced():
            with suppress(sqlite3.DatabaseError):  # asked all the time, hence without a transaction
                version = self._database.execute("PRAGMA data_version").fetchone()[0]
        if version is None:
            version = self._read(lambda db: int(db.execute("PRAGMA data_version").fetchone()[0]))
        return (self._openings << 32) + version

    def close(self) -> None:
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.execute("DELETE FROM lease WHERE holder = ?", (self.holder,))
            with suppress(sqlite3.Error):
                self._database.close()
            self._database = None

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """As `_write`, without taking the write lock."""
        return self._write(work, begin="BEGIN")

    def _write(self, work: Callable[[sqlite3.Connection], T], begin: str = "BEGIN IMMEDIATE") -> T:
        """Do one piece of work in a transaction, on the file or, when that fails, in memory."""
        for _ in range(3):
            database = self._connect()
            try:
                with _transaction(database, begin):
                    return work(database)
            except sqlite3.DatabaseError as error:
                if not self._on_file:
                    raise
                if not (_is_corrupt(error) and self._set_aside()):
                    self._go_on_in_memory(_explain(error, self.path))
        self._go_on_in_memory(f"{self.path} is damaged again and again; usage is kept in memory.")
        assert self._database is not None
        with _transaction(self._database, begin):
            return work(self._database)

    def _connect(self) -> sqlite3.Connection:
        if self._on_file and self._was_replaced():
            self._forget_file()
        if self._database is not None and (self._on_file or time.monotonic() < self._retry_at):
            return self._database
        try:
            database = self._open_patiently()
        except NewerSchema:
            self._go_on_in_memory(
                f"{self.path} was written by a newer Quotaline; usage is not shared until this one is updated."
            )
        except sqlite3.DatabaseError as error:
            if not (_is_corrupt(error) and self._set_aside()):
                self._go_on_in_memory(_explain(error, self.path))
            else:
                return self._connect()
        except OSError as error:
            self._go_on_in_memory(f"{self.path} cannot be used ({error.strerror or error}); usage is kept in memory.")
        else:
            self._disconnect()
            self._database, self._on_file, self.trouble = database, True, None
            self._identity = self._file_identity()
            self._openings += 1
            self._carry_over(database)
        assert self._database is not None
        return self._database

    def _open_patiently(self) -> sqlite3.Connection:
        """Open the file. Going over to the write-ahead log, another sidecar's lock is refused without any waiting."""
        patience = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return self._open_file()
            except sqlite3.OperationalError as error:
                if not _is_locked(error) or time.monotonic() >= patience:
                    raise
            time.sleep(0.05)

    def _file_identity(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _was_replaced(self) -> bool:
        """Whether another sidecar (or the user) has moved the file away under us."""
        return self._identity is not None and self._file_identity() != self._identity

    def _open_file(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        try:
            found = database.execute("PRAGMA user_version").fetchone()[0]
            if found > SCHEMA:
                raise NewerSchema
            if database.execute("PRAGMA journal_mode=WAL").fetchone()[0] != "wal":
                raise sqlite3.OperationalError("no write-ahead log")
            database.execute("PRAGMA synchronous=NORMAL")
            database.execute("PRAGMA cache_size=-128")
            if found < SCHEMA:
                self._create(database)
        except BaseException:
            database.close()
            raise
        with suppress(OSError):
            self.path.chmod(0o600)
        return database

    @staticmethod
    def _create(database: sqlite3.Connection) -> None:
        """Lay the tables out, under the write lock: another sidecar may be doing the same. Tables of an older
        schema hold only what can be read again and are dropped."""
        with _transaction(database):
            if database.execute("PRAGMA user_version").fetchone()[0] == SCHEMA:
                return
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                if not name.startswith("sqlite_"):
                    quoted = name.replace('"', '""')
                    database.execute(f'DROP TABLE "{quoted}"')
            for statement in _TABLES.strip().split(";\n"):
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {SCHEMA}")

    def _set_aside(self) -> bool:
        """Move a corrupt file (and its log) out of the way, keeping it for whoever wants to look. True when there is
        no corrupt file any more; another sidecar may have been quicker."""
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
                database.execute(f"SELECT {_COLUMNS} FROM reading").fetchone()  # noqa: S608 (constants)
                for table in ("lease", "note", "history"):
                    database.execute(f"SELECT 1 FROM {table}").fetchone()  # noqa: S608 (constants)
                return bool(database.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
        except sqlite3.Error as error:
            return _is_locked(error)

    def _go_on_in_memory(self, trouble: str) -> None:
        if self._database is None or self._on_file:
            self._disconnect()
            self._database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            self._create(self._database)
            self._openings += 1
            with _transaction(self._database):
                for row in self._rows.values():
                    self._database.execute(_INSERT, row)
                for key, (value, until) in self._notes.items():
                    self._database.execute("INSERT INTO note VALUES (?, ?, ?)", (key, value, until))
        self._on_file = False
        self.trouble = trouble
        self._retry_at = time.monotonic() + RETRY_FILE_SECONDS

    def _forget_file(self) -> None:
        """Let go of a file that is no longer (or no longer usable): the next one gets all that was known."""
        self._disconnect()
        self._unsaved |= self._rows.keys()
        self._unsaved_notes |= self._notes.keys()

    def _disconnect(self) -> None:
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.close()
        self._database, self._on_file, self._identity = None, False, None

    def _mark(self, unsaved: set[str], key: str) -> None:
        if self._on_file:
            unsaved.discard(key)
        else:
            unsaved.add(key)

    def _carry_over(self, file: sqlite3.Connection) -> None:
        """Bring what was learnt without the file into it, where it is newer."""
        if not (self._unsaved or self._unsaved_notes):
            return
        newer = "SELECT 1 FROM reading WHERE key = ? AND attempted_at >= ?"
        with suppress(sqlite3.Error):
            with _transaction(file):
                for key in self._unsaved:
                    row = self._rows.get(key)
                    if row is None:
                        file.execute("DELETE FROM reading WHERE key = ?", (key,))
                    elif file.execute(newer, (key, row[10])).fetchone() is None:
                        file.execute(_INSERT, row)
                for key in self._unsaved_notes:
                    file.execute("DELETE FROM note WHERE key = ?", (key,))
                    if key in self._notes:
                        file.execute("INSERT INTO note VALUES (?, ?, ?)", (key, *self._notes[key]))
            self._unsaved.clear()
            self._unsaved_notes.clear()


_COLUMNS = (
    "key, provider, account, usage, usage_at, fingerprint, digest, source, failure, failures, attempted_at, cool_until"
)
_INSERT = f"INSERT OR REPLACE INTO reading ({_COLUMNS}) VALUES ({', '.join('?' * 12)})"  # noqa: S608 (constants)


def _to_row(reading: Reading) -> tuple[Any, ...]:
    return (
        reading.key,
        reading.provider,
        reading.account,
        reading.usage.model_dump_json(exclude_defaults=True) if reading.usage else None,
        _seconds(reading.usage_at),
        reading.fingerprint,
        reading.digest,
        reading.source,
        reading.failure.model_dump_json(exclude_defaults=True) if reading.failure else None,
        reading.failures,
        _seconds(reading.attempted_at),
        _seconds(reading.cool_until),
    )


def _to_reading(row: tuple[Any, ...]) -> Reading | None:
    try:
        return Reading(
            key=row[0],
            provider=row[1],
            account=row[2],
            usage=Usage.model_validate_json(row[3]) if row[3] else None,
            usage_at=_maybe_time(row[4]),
            fingerprint=row[5],
            digest=row[6],
            source=row[7],
            failure=Failure.model_validate_json(row[8]) if row[8] else None,
            failures=row[9],
            attempted_at=_maybe_time(row[10]),
            cool_until=_maybe_time(row[11]),
        )
    except (ValidationError, ValueError, TypeError, OverflowError, OSError):
        return None


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _maybe_time(seconds: float | None) -> datetime | None:
    return None if seconds is None else _time(seconds)


def _seconds(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()


@contextmanager
def _transaction(database: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    database.execute(begin)
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _is_corrupt(error: sqlite3.DatabaseError) -> bool:
    text = str(error)
    return any(sign in text for sign in ("malformed", "not a database", "no such table", "no such column", "corrupt"))


def _is_locked(error: sqlite3.Error) -> bool:
    return "locked" in str(error) or "busy" in str(error)


def _explain(error: sqlite3.DatabaseError, path: Path) -> str:
    text = str(error)
    if _is_locked(error):
        reason = "is locked by another program"
    elif "full" in text:
        reason = "cannot be written: the disk is full"
    elif "readonly" in text or "unable to open" in text:
        reason = "cannot be written"
    else:
        reason = f"cannot be used ({text})"
    return f"{path} {reason}; usage is kept in memory."
