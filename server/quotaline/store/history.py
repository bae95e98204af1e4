"""How much of each window was used, over a year: a file of its own in the user's state folder.

A sample is taken when a window is read, at most one per half hour unless it has changed by a percent. Once a day older
ones are thinned: after a day to the highest of each half hour, after eight weeks to the highest of each day (UTC), and
after a year they are removed. When the file cannot be used, samples are kept in memory until it can.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from quotaline.store.file import SharedFile
from quotaline.store.migrations import HISTORY, transaction

FILE_NAME = "history.sqlite3"
DAY_SECONDS = 86400
HALF_HOUR_SECONDS = 1800
DETAILED_SECONDS = DAY_SECONDS
"""Samples younger than this stay as they were taken."""
HALF_HOURLY_SECONDS = 56 * DAY_SECONDS
KEPT_SECONDS = 365 * DAY_SECONDS
MOST_SERIES = 256
"""The most windows of one account that have a history."""
MOST_WAITING = 10_000
"""The most samples that wait for the file."""

Sample = tuple[str, str, float, float]
"""Account key, window id, time (epoch seconds), percent used."""


class History:
    """The samples of all accounts. Opens its file when it is first needed. Not thread-safe; every call blocks."""

    def __init__(self, folder: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._file = SharedFile(folder / FILE_NAME, HISTORY, self, "history is kept in memory", clock)
        self._waiting: deque[Sample] = deque(maxlen=MOST_WAITING)

    @property
    def path(self) -> Path:
        return self._file.path

    @property
    def trouble(self) -> str | None:
        """A sentence when the file cannot be used."""
        return self._file.trouble

    def samples(self, key: str, window: str) -> list[tuple[float, float]]:
        """Time (epoch seconds) and percent used of one window, oldest first."""
        return self._file.read(
            lambda db: db.execute(
                "SELECT at, used_percent FROM sample WHERE series = "
                "(SELECT id FROM series WHERE key = ? AND window = ?) ORDER BY at",
                (key, window),
            ).fetchall()
        )

    def add(self, key: str, at: float, used: Mapping[str, float]) -> None:
        """Keep what of these windows (percent used by id, at this time) is news."""
        if not used:
            return

        def work(db: sqlite3.Connection) -> list[str]:
            news = [window for window, percent in used.items() if _add(db, key, window, at, percent)]
            _compact_daily(db, self._clock().timestamp())
            return news

        taken = self._file.write(work)
        if not self._file.on_file:
            self._waiting.extend((key, window, at, used[window]) for window in taken)

    def insert_missing(self, samples: Sequence[Sample]) -> bool:
        """Take over samples that were kept elsewhere; those that are here already are not doubled. True when they are
        in the file to stay."""
        self._file.write(lambda db: _insert_missing(db, samples))
        self._file.flush()
        return self._file.on_file

    def close(self) -> None:
        self._file.close()

    # --- as the file and memory take over from each other ---

    def fill_memory(self, memory: sqlite3.Connection) -> None:
        _insert_missing(memory, tuple(self._waiting))

    def fill_file(self, file: sqlite3.Connection) -> None:
        if self._waiting:
            with transaction(file):
                _insert_missing(file, self._waiting)
            self._waiting.clear()

    def file_lost(self) -> None:
        """Nothing is known beside the file."""


def _add(db: sqlite3.Connection, key: str, window: str, at: float, percent: float) -> bool:
    """Keep a sample if it is news."""
    series = _series(db, key, window)
    last = db.execute(
        "SELECT at, used_percent FROM sample WHERE series = ? AND at <= ? ORDER BY at DESC LIMIT 1", (series, at)
    ).fetchone()
    if last is not None and at - last[0] < HALF_HOUR_SECONDS and abs(percent - last[1]) < 1:
        return False
    db.execute("INSERT OR IGNORE INTO sample (series, at, used_percent) VALUES (?, ?, ?)", (series, at, percent))
    return True


def _insert_missing(db: sqlite3.Connection, samples: Iterable[Sample]) -> None:
    numbers: dict[tuple[str, str], int] = {}
    for key, window, at, percent in samples:
        series = numbers.get((key, window))
        if series is None:
            series = numbers[key, window] = _series(db, key, window)
        db.execute("INSERT OR IGNORE INTO sample (series, at, used_percent) VALUES (?, ?, ?)", (series, at, percent))
    if numbers:
        db.execute("DELETE FROM compaction")  # they may be of any age


def _series(db: sqlite3.Connection, key: str, window: str) -> int:
    """The number of an account's window. A new one may take the place of the one that was sampled longest ago."""
    row = db.execute("SELECT id FROM series WHERE key = ? AND window = ?", (key, window)).fetchone()
    if row is not None:
        return int(row[0])
    if db.execute("SELECT count(*) FROM series WHERE key = ?", (key,)).fetchone()[0] >= MOST_SERIES:
        last = "SELECT max(at) FROM sample WHERE series = id"
        (oldest,) = db.execute(
            f"SELECT id FROM series WHERE key = ? ORDER BY ({last}) LIMIT 1",  # noqa: S608 (constants)
            (key,),
        ).fetchone()
        db.execute("DELETE FROM sample WHERE series = ?", (oldest,))
        db.execute("DELETE FROM series WHERE id = ?", (oldest,))
    return int(db.execute("INSERT INTO series (key, window) VALUES (?, ?)", (key, window)).lastrowid or 0)


# --- compacting ---


def _compact_daily(db: sqlite3.Connection, now: float) -> None:
    """Compact when that was a day ago or more, or was done by a clock that has been set back since."""
    row = db.execute("SELECT at FROM compaction").fetchone()
    if row is not None and 0 <= now - row[0] < DAY_SECONDS:
        return
    _compact(db, now, since=row[0] if row is not None and row[0] <= now else 0.0)
    db.execute("DELETE FROM compaction")
    db.execute("INSERT INTO compaction (at) VALUES (?)", (now,))


def _compact(db: sqlite3.Connection, now: float, since: float) -> None:
    """Thin what has grown old since that time, and remove what is too old."""
    for (series,) in db.execute("SELECT id FROM series").fetchall():
        _thin(db, series, HALF_HOUR_SECONDS, since - DETAILED_SECONDS, now - DETAILED_SECONDS)
        _thin(db, series, DAY_SECONDS, since - HALF_HOURLY_SECONDS, now - HALF_HOURLY_SECONDS)
        db.execute("DELETE FROM sample WHERE series = ? AND at < ?", (series, now - KEPT_SECONDS))
    db.execute("DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM sample WHERE series = id)")


def _thin(db: sqlite3.Connection, series: int, seconds: int, since: float, until: float) -> None:
    """Of each span of so many seconds between these times, counted in whole spans, keep the highest sample."""
    first, end = since // seconds * seconds, until // seconds * seconds
    db.execute(
        """DELETE FROM sample WHERE series = :series AND at >= :first AND at < :end AND at IN (
        SELECT at FROM (
            SELECT at, row_number() OVER (
                PARTITION BY CAST(at / :seconds AS INTEGER) ORDER BY used_percent DESC, at) AS place
            FROM sample WHERE series = :series AND at >= :first AND at < :end)
        WHERE place > 1)""",
        {"series": series, "first": first, "end": end, "seconds": seconds},
    )
