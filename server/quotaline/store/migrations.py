"""The schemas of the files that all Quotaline programs of a user share, as numbered migrations.

A schema's number is (major, minor). SQLite's `user_version` holds the major, the table `schema_number` the minor; a
file without that table has minor 0. A change that an older program can live with (a new table, a new column that may
be empty) raises the minor: older programs go on using the file, which is why every statement names its columns and
rows are changed with `ON CONFLICT ... DO UPDATE`. Anything else raises the major: older programs then only read.

A migration never drops readings, promised waits, notes or history. Add one at the end of its tuple; a test in
`tests/server/test_store_migrations.py` opens a file of each earlier schema.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

Number = tuple[int, int]


class NewerSchema(Exception):
    """The file belongs to a newer Quotaline, whose schema has a higher major number."""


class NotOurs(sqlite3.DatabaseError):
    """The file is a database, but of something else."""


@dataclass(frozen=True, slots=True)
class Migration:
    """Brings a file from the schema before to the one with this number. Runs in a transaction."""

    number: Number
    apply: Callable[[sqlite3.Connection], None]


@dataclass(frozen=True, slots=True)
class Schema:
    """All migrations of a file in order, and queries that a whole file can answer."""

    migrations: tuple[Migration, ...]
    queries: tuple[str, ...]

    @property
    def number(self) -> Number:
        """The schema this program writes."""
        return self.migrations[-1].number

    def check(self, database: sqlite3.Connection) -> None:
        """Raises NewerSchema when a program with a higher major number has taken over the file."""
        if major(database) > self.number[0]:
            raise NewerSchema

    def migrate(self, database: sqlite3.Connection) -> None:
        """Create or upgrade the tables. Several processes may try at once: one does it, under the write lock.

        Raises NewerSchema, and NotOurs for a database that Quotaline has not made.
        """
        self.check(database)
        if number(database) >= self.number:
            return
        with transaction(database):
            self.check(database)
            found = number(database)
            if found == (0, 0) and database.execute("SELECT 1 FROM sqlite_master").fetchone():
                raise NotOurs("the file is not Quotaline's")
            for migration in self.migrations:
                if migration.number > found:
                    migration.apply(database)
            if found < self.number:
                _write_number(database, self.number)


def major(database: sqlite3.Connection) -> int:
    """The major number of a file's schema; 0 for a new file."""
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def number(database: sqlite3.Connection) -> Number:
    """The number of a file's schema; (0, 0) for a new file."""
    with suppress(sqlite3.OperationalError):  # no such table
        row = database.execute("SELECT minor FROM schema_number").fetchone()
        return major(database), 0 if row is None else int(row[0])
    return major(database), 0


def _write_number(database: sqlite3.Connection, number: Number) -> None:
    database.execute("CREATE TABLE IF NOT EXISTS schema_number (minor INTEGER NOT NULL)")
    database.execute("DELETE FROM schema_number")
    database.execute("INSERT INTO schema_number (minor) VALUES (?)", (number[1],))
    database.execute(f"PRAGMA user_version = {number[0]}")


@contextmanager
def transaction(database: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """Commit what is done in this block, or nothing of it. `BEGIN` alone takes no write lock."""
    database.execute(begin)
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


# --- the store ---


def _create_store(database: sqlite3.Connection) -> None:
    database.execute(
        """CREATE TABLE reading (
        key TEXT PRIMARY KEY, provider TEXT NOT NULL, account TEXT NOT NULL,
        usage TEXT, usage_at REAL, fingerprint TEXT NOT NULL DEFAULT '', digest TEXT NOT NULL DEFAULT '',
        source TEXT NOT NULL DEFAULT 'auto',
        failure TEXT, failures INTEGER NOT NULL DEFAULT 0, attempted_at REAL, cool_until REAL)"""
    )
    database.execute(
        """CREATE TABLE lease (
        key TEXT PRIMARY KEY, holder TEXT NOT NULL, pid INTEGER NOT NULL, birth TEXT NOT NULL, until REAL NOT NULL)"""
    )
    database.execute("CREATE TABLE note (key TEXT PRIMARY KEY, value TEXT NOT NULL, until REAL)")
    # Programs of schema 1.0 write their history here. Newer ones move it to the history file (see `store`).
    database.execute(
        "CREATE TABLE history (key TEXT NOT NULL, window TEXT NOT NULL, at REAL NOT NULL, used_percent REAL NOT NULL)"
    )
    database.execute("CREATE INDEX history_by_window ON history (key, window, at)")


def _forget_drawings(database: sqlite3.Connection) -> None:
    """What 1.0 kept for the next start of an editor; the startup cache has other keys since."""
    database.execute("DELETE FROM note WHERE key GLOB 'picture:*'")


def _keep_headlines(database: sqlite3.Connection) -> None:
    """Which window holds an account's headline, and which other one led at the last reading."""
    for column in ("headline", "challenger"):
        database.execute(f"ALTER TABLE reading ADD COLUMN {column} TEXT NOT NULL DEFAULT ''")


def _tell_credentials_and_clocks(database: sqlite3.Connection) -> None:
    """With which credentials the vendor was asked last (digests, in order), and when a note was kept."""
    database.execute("ALTER TABLE reading ADD COLUMN tried TEXT NOT NULL DEFAULT ''")
    database.execute("CREATE TABLE note_kept (key TEXT PRIMARY KEY, at REAL)")


STORE = Schema(
    migrations=(
        Migration((1, 0), _create_store),
        Migration((1, 1), _forget_drawings),
        Migration((1, 2), _keep_headlines),
        Migration((1, 3), _tell_credentials_and_clocks),
    ),
    queries=(
        "SELECT key, provider, account, usage, usage_at, fingerprint, digest, source, failure, failures, attempted_at, "
        "cool_until, headline, challenger, tried FROM reading",
        "SELECT key, holder, pid, birth, until FROM lease",
        "SELECT key, value, until FROM note",
        "SELECT key, at FROM note_kept",
        "SELECT key, window, at, used_percent FROM history",
    ),
)


# --- the history ---


def _create_history(database: sqlite3.Connection) -> None:
    database.execute(
        "CREATE TABLE series (id INTEGER PRIMARY KEY, key TEXT NOT NULL, window TEXT NOT NULL, UNIQUE (key, window))"
    )
    database.execute(
        """CREATE TABLE sample (
        series INTEGER NOT NULL, at REAL NOT NULL, used_percent REAL NOT NULL, PRIMARY KEY (series, at)
        ) WITHOUT ROWID"""
    )
    database.execute("CREATE TABLE compaction (at REAL NOT NULL)")


HISTORY = Schema(
    migrations=(Migration((1, 0), _create_history),),
    queries=(
        "SELECT id, key, window FROM series",
        "SELECT series, at, used_percent FROM sample",
        "SELECT at FROM compaction",
    ),
)
