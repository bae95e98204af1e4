"""Other programs' SQLite files, read while they are in use."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from quotaline_providers.hosts import databases as module
from quotaline_providers.hosts.databases import SqliteDatabases
from tests import systems

QUERY = "SELECT value FROM items ORDER BY value"


@pytest.fixture
def databases() -> SqliteDatabases:
    return SqliteDatabases()


def make(path: Path, *values: object, journal: str = "delete") -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA journal_mode={journal}")
    connection.execute("CREATE TABLE items (value)")
    connection.executemany("INSERT INTO items VALUES (?)", [(value,) for value in values])
    connection.commit()
    return connection


@pytest.fixture
def in_use(tmp_path: Path) -> Iterator[Path]:
    """A database whose rows are still in the write-ahead log of the program that has it open."""
    path = tmp_path / "folder" / "state.vscdb"
    path.parent.mkdir()
    with closing(make(path, "a", "b", journal="wal")):
        assert path.with_name("state.vscdb-wal").stat().st_size > 0
        yield path


async def test_rows_come_with_parameters(databases: SqliteDatabases, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    make(path, 1, 2, 3).close()
    assert await databases.rows(path, "SELECT value FROM items WHERE value > ? ORDER BY value", (1,)) == [(2,), (3,)]


@pytest.mark.parametrize("name", ["a b.db", "100%25.db", "what#now.db", "ünï.db", "a&b=c;d.db"])
async def test_names_may_hold_any_character(databases: SqliteDatabases, tmp_path: Path, name: str) -> None:
    make(tmp_path / name, 1).close()
    assert await databases.rows(tmp_path / name, QUERY) == [(1,)]


@systems.names
async def test_names_may_hold_a_question_mark(databases: SqliteDatabases, tmp_path: Path) -> None:
    make(tmp_path / "what?mode=rw.db", 1).close()
    assert await databases.rows(tmp_path / "what?mode=rw.db", QUERY) == [(1,)]


async def test_a_missing_file_is_told_and_not_made(databases: SqliteDatabases, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await databases.rows(tmp_path / "none.db", QUERY)
    assert list(tmp_path.iterdir()) == []


async def test_what_is_no_database_is_told(databases: SqliteDatabases, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"this is no database, only text " * 100)
    with pytest.raises(sqlite3.DatabaseError):
        await databases.rows(path, QUERY)


async def test_a_missing_table_is_told(databases: SqliteDatabases, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    make(path).close()
    with pytest.raises(sqlite3.OperationalError):
        await databases.rows(path, "SELECT * FROM others")


async def test_the_write_ahead_log_is_seen(databases: SqliteDatabases, in_use: Path) -> None:
    assert await databases.rows(in_use, QUERY) == [("a",), ("b",)]


async def test_a_folder_that_cannot_be_written_does_not_hide_the_log(
    databases: SqliteDatabases, in_use: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A stand-in for the refusal: the superuser, who may run this, can write anywhere.
    real = module._query

    def refused(path: Path, query: str, parameters: tuple[object, ...], mode: str = "ro") -> list[tuple[object, ...]]:
        if path == in_use:
            error = sqlite3.OperationalError("unable to open database file")
            error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
            raise error
        return real(path, query, parameters, mode)

    monkeypatch.setattr(module, "_query", refused)
    assert await databases.rows(in_use, QUERY) == [("a",), ("b",)]


@systems.modes
@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="the superuser can write anywhere")
async def test_a_read_only_folder_is_read(databases: SqliteDatabases, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    make(folder / "a.db", 1, journal="wal").close()
    folder.chmod(0o500)
    try:
        assert await databases.rows(folder / "a.db", QUERY) == [(1,)]
    finally:
        folder.chmod(0o700)


async def test_a_locked_database_is_given_up_soon(databases: SqliteDatabases, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(make(path, 1)) as owner:
        owner.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            await databases.rows(path, QUERY)


async def test_nothing_can_be_written(databases: SqliteDatabases, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    make(path, 1).close()
    before = path.read_bytes()
    with pytest.raises(sqlite3.OperationalError):
        await databases.rows(path, "DELETE FROM items")
    assert path.read_bytes() == before


async def test_wrong_bytes_in_a_text_are_replaced(databases: SqliteDatabases, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(make(path)) as connection:
        connection.execute("INSERT INTO items VALUES (CAST(x'61ff' AS TEXT))")
        connection.commit()
    assert await databases.rows(path, QUERY) == [("a�",)]


ENDLESS = "WITH RECURSIVE one(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM one) SELECT value FROM one"


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A database in which a view without an end stands in the place of the table."""
    path = tmp_path / "endless.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE VIEW items AS {ENDLESS}")
    return path


async def test_a_view_without_an_end_is_given_up(
    databases: SqliteDatabases, endless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUERY_SECONDS", 0.0)
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        await databases.rows(endless, "SELECT value FROM items WHERE value < 0")


async def test_rows_without_an_end_are_cut_off(databases: SqliteDatabases, endless: Path) -> None:
    assert len(await databases.rows(endless, "SELECT value FROM items")) == module.MOST_ROWS
