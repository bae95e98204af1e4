"""What all sidecars of a user share: the last usage of every account, leases, notes; and the history beside it.

SQLite in WAL mode. Every call here blocks: the service makes them on the store's own thread. When the file cannot be
used (see `file`) the store goes on in memory, says so in `trouble`, and tries the file again later. What was known of
the accounts goes along either way, so that trouble with a disk never makes anyone ask the vendors more often.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from quotaline.paths import STARTUP_NOTES, STORE_NAME
from quotaline.store import leases, notes
from quotaline.store.file import SharedFile
from quotaline.store.history import History
from quotaline.store.migrations import STORE, transaction
from quotaline.store.notes import Change, Note
from quotaline.store.reading import (
    ATTEMPTED_AT,
    SELECT,
    SELECT_ONE,
    UPSERT,
    Reading as Reading,
    Row,
    to_reading,
    to_row,
    to_time,
)
from quotaline_providers.model import Usage, capped

FILE_NAME = STORE_NAME
RESTART_DUE = (
    "A newer Quotaline has taken over the shared store. Restart the editor's Quotaline server to go on refreshing."
)
MOVED_AT_ONCE = 10_000
"""How many samples are moved to the history file while the store is locked."""


@dataclass(frozen=True, slots=True)
class ReadStart:
    """Whether an account may be read. `granted`: the lease is taken. `held`: someone alive is reading it now. Neither:
    another read is not wanted. `reading` is what the store knew at that moment."""

    granted: bool
    held: bool
    reading: Reading | None


class Store:
    """The shared store of one user. Not thread-safe: use it from one thread."""

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        history_folder: Path | None = None,
    ) -> None:
        self.path = folder / FILE_NAME
        self.holder = uuid.uuid4().hex
        self._clock = clock
        self._file = SharedFile(self.path, STORE, self, "usage is kept in memory", clock)
        self._history = History(history_folder or folder, clock)
        self._rows: dict[str, Row] = {}
        self._parsed: dict[str, tuple[Row, Reading | None]] = {}
        self._notes: dict[str, Note] = {}
        self._unsaved: set[str] = set()
        self._unsaved_notes: set[str] = set()

    @property
    def trouble(self) -> str | None:
        """Sentences when a file cannot be used."""
        return " ".join(filter(None, (self._file.trouble, self._history.trouble))) or None

    @property
    def restart_due(self) -> str | None:
        """A sentence when a newer Quotaline has taken over the file: nothing is written and no lease is given."""
        return RESTART_DUE if self._file.newer else None

    # --- readings ---

    def readings(self) -> dict[str, Reading]:
        """All readings by key; a row that cannot be understood is left out."""
        self._rows = self._with_own({row[0]: row for row in self._file.read(lambda db: db.execute(SELECT).fetchall())})
        known, self._parsed = self._parsed, {}
        for key, row in self._rows.items():
            before = known.get(key)
            self._parsed[key] = before if before is not None and before[0] == row else (row, to_reading(row))
        return {key: reading for key, (_, reading) in self._parsed.items() if reading is not None}

    def _with_own(self, rows: dict[str, Row]) -> dict[str, Row]:
        """What was saved or dropped here goes before what is in a newer program's file, where nothing is written."""
        if not self._file.newer:
            return rows
        for key in self._unsaved:
            own = self._rows.get(key)
            if own is None:
                rows.pop(key, None)
            elif key not in rows or (rows[key][ATTEMPTED_AT] or 0) <= (own[ATTEMPTED_AT] or 0):
                rows[key] = own
        return rows

    def save(self, reading: Reading) -> None:
        """Keep a reading, and a sample of its windows for the history."""
        reading = _capped(reading)
        row = to_row(reading)
        self._file.write(lambda db: db.execute(UPSERT, row))
        self._saved(row, reading)

    def _saved(self, row: Row, reading: Reading) -> None:
        self._rows[reading.key] = row
        self._mark(self._unsaved, reading.key)
        if reading.usage is not None and reading.usage_at == reading.attempted_at:
            self._history.add(reading.key, reading.usage.updated_at.timestamp(), _used(reading.usage))

    def drop(self, key: str) -> None:
        """Forget an account's reading (its credential or account has changed, or it was removed)."""

        def forget(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM reading WHERE key = ?", (key,))
            db.execute("DELETE FROM note WHERE key GLOB ?", (f"{STARTUP_NOTES}*",))  # it may be in them, too

        self._file.write(forget)
        self._rows.pop(key, None)
        self._mark(self._unsaved, key)

    def history(self, key: str, window: str) -> list[tuple[datetime, float]]:
        """Samples (time, percent used) of one window, oldest first: half-hourly for eight weeks, then the highest of
        each day for a year."""
        self._file.open()  # samples of schema 1.0 may be in it
        return [(to_time(at), percent) for at, percent in self._history.samples(key, window)]

    # --- leases ---

    def lease(self, key: str, seconds: float) -> bool:
        """Take the right to read something, for this many seconds. False when someone alive has it, and always while a
        restart is due."""
        now = self._clock()
        return self._file.write(lambda db: not self._file.newer and leases.take(db, key, self.holder, seconds, now))

    def leased(self) -> frozenset[str]:
        """Keys that someone (we or another sidecar) is reading right now."""
        now = self._clock()
        return self._file.read(lambda db: leases.held(db, now))

    def release(self, key: str) -> None:
        """Give a lease back; someone else's stays."""
        self._file.write(lambda db: leases.release(db, key, self.holder))

    # --- one read of an account: one transaction before it and one after ---

    def begin_read(
        self, key: str, seconds: float, wanted: Callable[[Reading | None], bool], row: str | None = None
    ) -> ReadStart:
        """Take the right to read an account, for this many seconds, if what is known of it now is `wanted` to be read
        again and nobody alive is doing so. While a restart is due nobody may. `row` is the reading's key, where it is
        not the account's.

        `wanted` has no effects: it runs before and under the write lock, and again when the file fails.
        """
        now, row_key = self._clock(), row or key

        def look(db: sqlite3.Connection) -> tuple[Row | None, ReadStart | None]:
            found: Row | None = db.execute(SELECT_ONE, (row_key,)).fetchone()
            reading = to_reading(found) if found else None
            if not wanted(reading):
                return found, ReadStart(False, False, reading)
            if leases.is_others(db, key, self.holder, now):
                return found, ReadStart(False, True, reading)
            return found, None

        def begin(db: sqlite3.Connection) -> tuple[Row | None, ReadStart]:
            found, start = look(db)
            if start is None:
                granted = leases.take(db, key, self.holder, seconds, now)
                start = ReadStart(granted, not granted, to_reading(found) if found else None)
            return found, start

        # Many programs poll for the end of one read: the write lock is only for whoever may begin one.
        found, start = self._file.read(look)
        if start is None:
            found, start = self._file.write(begin)
        if self._file.newer:  # the work was done in memory
            return ReadStart(False, False, self.readings().get(row_key))
        if found is None:
            self._rows.pop(row_key, None)
        else:
            self._rows[row_key] = found
        return start

    def finish_read(self, key: str, make: Callable[[Reading | None], Reading], row: str | None = None) -> Reading:
        """Keep what `make` makes of the account's reading (of the one with the key `row`) as it stands now, and give
        the account's lease back.

        `make` has no effects: it runs under the write lock, and again when the file fails.
        """

        def finish(db: sqlite3.Connection) -> tuple[Row, Reading]:
            before = db.execute(SELECT_ONE, (row or key,)).fetchone()
            reading = _capped(make(to_reading(before) if before else None))
            made = to_row(reading)
            db.execute(UPSERT, made)
            leases.release(db, key, self.holder)
            return made, reading

        made, reading = self._file.write(finish)
        self._saved(made, reading)
        return reading

    # --- notes ---

    def note(self, key: str) -> str | None:
        """A note that has not run out."""
        return self._read_notes(lambda db: notes.one(db, key), lambda known: known == key).get(key)

    def notes(self, prefix: str) -> dict[str, str]:
        """All notes that have not run out and whose keys begin with this (which has no `*`, `?` or `[`)."""
        return self._read_notes(lambda db: notes.beginning(db, prefix), lambda known: known.startswith(prefix))

    def _read_notes(
        self, read: Callable[[sqlite3.Connection], dict[str, Note]], is_meant: Callable[[str], bool]
    ) -> dict[str, str]:
        found, now = self._file.read(read), self._clock().timestamp()
        if self._file.newer:
            found |= {key: note for key, note in self._notes.items() if key in self._unsaved_notes and is_meant(key)}
        found = {key: note for key, note in found.items() if notes.counts(note, now)}
        for key in [key for key in self._notes if is_meant(key) and key not in found]:
            del self._notes[key]
        # Those of the startup cache are large, and of no use without the file.
        self._notes |= {key: note for key, note in found.items() if not key.startswith(STARTUP_NOTES)}
        return {key: note[0] for key, note in found.items()}

    def keep_note(self, key: str, value: str, until: datetime | None = None) -> None:
        """Keep a note, for ever or until a time. Notes that have run out are removed."""
        self.change_notes((key,), lambda before: {key: (value, until)})

    def drop_note(self, key: str) -> None:
        self.change_notes((key,), lambda before: {key: None})

    def change_notes(self, keys: Collection[str], change: Change) -> None:
        """Keep or drop (None) notes as `change` says of what these keys hold now, in one step for all programs.

        `change` has no effects: it runs under the write lock, and again when the file fails.
        """
        now = self._clock().timestamp()
        for key, note in self._file.write(lambda db: notes.change(db, keys, change, now)).items():
            startup = key.startswith(STARTUP_NOTES)
            if note is None:
                self._notes.pop(key, None)
            elif not startup:
                self._notes[key] = note
            if note is None or not startup:
                self._mark(self._unsaved_notes, key)

    # --- the file ---

    def version(self) -> int:
        """A number that changes when another process has written, or another file (or memory) is in use."""
        return self._file.version()

    def close(self) -> None:
        """Give all leases back and let go of the files."""
        self._file.close(lambda db: leases.release_all(db, self.holder))
        self._history.close()

    def _mark(self, unsaved: set[str], key: str) -> None:
        if self._file.on_file:
            unsaved.discard(key)
        else:
            unsaved.add(key)

    def fill_memory(self, memory: sqlite3.Connection) -> None:
        """Put what is known into an empty database in memory."""
        memory.executemany(UPSERT, self._rows.values())
        for key, note in self._notes.items():
            notes.put(memory, key, note)

    def fill_file(self, file: sqlite3.Connection) -> None:
        """Put what was learnt without the file into it, where it is newer."""
        self._carry_over(file)
        with suppress(sqlite3.Error):  # such as a lock: they are moved another time
            self._move_history(file)

    def file_lost(self) -> None:
        """The next file needs all that is known."""
        self._unsaved |= self._rows.keys()
        self._unsaved_notes |= self._notes.keys()

    def _carry_over(self, file: sqlite3.Connection) -> None:
        if not (self._unsaved or self._unsaved_notes):
            return
        newer = "SELECT 1 FROM reading WHERE key = ? AND attempted_at >= ?"
        with transaction(file):
            for key in self._unsaved:
                row = self._rows.get(key)
                if row is None:
                    file.execute("DELETE FROM reading WHERE key = ?", (key,))
                elif file.execute(newer, (key, row[ATTEMPTED_AT])).fetchone() is None:
                    file.execute(UPSERT, row)
            for key in self._unsaved_notes:
                notes.drop(file, key)
                if key in self._notes:
                    notes.put(file, key, self._notes[key])
        self._unsaved.clear()
        self._unsaved_notes.clear()

    def _move_history(self, file: sqlite3.Connection) -> None:
        """Move the samples that programs of schema 1.0 keep in the store to the history file.

        They are in the history file to stay before they are removed here, and what is there already is not doubled: a
        move that was cut short is simply made again.
        """
        batch = "SELECT key, window, at, used_percent, rowid FROM history ORDER BY rowid LIMIT ?"
        while file.execute("SELECT 1 FROM history LIMIT 1").fetchone() is not None:
            with transaction(file):
                rows = file.execute(batch, (MOVED_AT_ONCE,)).fetchall()
                if not rows or not self._history.insert_missing([row[:4] for row in rows]):
                    return
                file.execute("DELETE FROM history WHERE rowid <= ?", (rows[-1][4],))


def _capped(reading: Reading) -> Reading:
    return reading if reading.usage is None else replace(reading, usage=capped(reading.usage))


def _used(usage: Usage) -> dict[str, float]:
    """The windows that the history has samples of: percent used by id."""
    return {
        window.id: window.used_percent
        for window in usage.windows
        if window.used_percent is not None and not window.placeholder and not window.unlimited
    }
