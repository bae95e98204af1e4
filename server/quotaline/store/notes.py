"""Small texts under keys, kept for ever or until a time. One that has run out, or was kept in the future, counts no
more: after the clock was set back, what it says would never be over."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

Note = tuple[str, float | None, float | None]
"""A note's text, until when and since when it is kept (epoch seconds)."""
Changes = Mapping[str, tuple[str, datetime | None] | None]
"""Notes by key: the text and until when it is kept (None: for ever), or None for one that is dropped."""
Change = Callable[[Mapping[str, str | None]], Changes]
"""Says what is to become of notes (None: there is none). Has no effects: it runs under the write lock."""

SKEW_SECONDS = 60.0
"""How far in the future a note may have been kept before the clock counts as set back."""

# When a note was kept is in a table of its own: programs of schema 1.0 write rows of `note` without naming columns.
_SELECT = "SELECT key, value, until, at FROM note LEFT JOIN note_kept USING (key) WHERE key"
_PUT = (
    "INSERT INTO note (key, value, until) VALUES (?, ?, ?) "
    "ON CONFLICT (key) DO UPDATE SET value = excluded.value, until = excluded.until"
)
_PUT_TIME = "INSERT INTO note_kept (key, at) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET at = excluded.at"


def one(db: sqlite3.Connection, key: str) -> dict[str, Note]:
    """The note under this key, if any."""
    return _notes(db.execute(f"{_SELECT} = ?", (key,)))


def beginning(db: sqlite3.Connection, prefix: str) -> dict[str, Note]:
    """The notes whose keys begin with this (which has no `*`, `?` or `[`)."""
    return _notes(db.execute(f"{_SELECT} GLOB ?", (f"{prefix}*",)))


def _notes(rows: sqlite3.Cursor) -> dict[str, Note]:
    return {row[0]: (str(row[1]), row[2], row[3]) for row in rows}


def put(db: sqlite3.Connection, key: str, note: Note) -> None:
    """Keep a note in the place of the one under this key."""
    value, until, kept_at = note
    db.execute(_PUT, (key, value, until))
    db.execute(_PUT_TIME, (key, kept_at))


def drop(db: sqlite3.Connection, key: str) -> None:
    """Remove the note under this key, if any."""
    db.execute("DELETE FROM note WHERE key = ?", (key,))


def change(db: sqlite3.Connection, keys: Collection[str], changed: Change, now: float) -> dict[str, Note | None]:
    """Keep and drop what `changed` says of what these keys hold now. Notes that have run out are removed."""
    db.execute("DELETE FROM note WHERE until <= ?", (now,))
    before: dict[str, str | None] = {}
    for key in keys:
        note = one(db, key).get(key)
        before[key] = note[0] if note is not None and counts(note, now) else None
    made: dict[str, Note | None] = {}
    for key, change in changed(before).items():
        if change is None:
            drop(db, key)
            made[key] = None
        else:
            value, until = change
            note = value, until.timestamp() if until else None, now
            put(db, key, note)
            made[key] = note
    db.execute("DELETE FROM note_kept WHERE key NOT IN (SELECT key FROM note)")
    return made


def counts(note: Note, now: float) -> bool:
    """Whether a note has not run out, nor was kept in the future."""
    _, until, kept_at = note
    return until is None or (now < until and (kept_at is None or kept_at <= now + SKEW_SECONDS))
