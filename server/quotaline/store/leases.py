"""Who is reading what. A lease ends when it is given back, at its time, or with the process that holds it."""

from __future__ import annotations

import os
import sqlite3
from datetime import datetime, timedelta

from quotaline.store.process import alive, birth

LONGEST = timedelta(minutes=15)
"""How long a lease may hold. One that would hold longer is from before the clock was set back."""

_UPSERT = (
    "INSERT INTO lease (key, holder, pid, birth, until) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE "
    "SET holder = excluded.holder, pid = excluded.pid, birth = excluded.birth, until = excluded.until"
)


def take(db: sqlite3.Connection, key: str, holder: str, seconds: float, now: datetime) -> bool:
    """Take a lease for this many seconds (at most LONGEST), or lengthen the own one. False when someone else, alive,
    has it."""
    if is_others(db, key, holder, now):
        return False
    until = (now + min(timedelta(seconds=seconds), LONGEST)).timestamp()
    db.execute(_UPSERT, (key, holder, os.getpid(), birth(os.getpid()), until))
    return True


def is_others(db: sqlite3.Connection, key: str, holder: str, now: datetime) -> bool:
    """Whether someone else, alive, has the lease."""
    row = db.execute("SELECT holder, pid, birth, until FROM lease WHERE key = ?", (key,)).fetchone()
    return bool(row) and row[0] != holder and _holds(row, now)


def release(db: sqlite3.Connection, key: str, holder: str) -> None:
    """Give a lease back; someone else's stays."""
    db.execute("DELETE FROM lease WHERE key = ? AND holder = ?", (key, holder))


def release_all(db: sqlite3.Connection, holder: str) -> None:
    """Give all leases of a holder back."""
    db.execute("DELETE FROM lease WHERE holder = ?", (holder,))


def held(db: sqlite3.Connection, now: datetime) -> frozenset[str]:
    """The keys that someone alive holds."""
    rows = db.execute("SELECT holder, pid, birth, until, key FROM lease").fetchall()
    return frozenset(row[4] for row in rows if _holds(row[:4], now))


def _holds(row: tuple[str, int, str, float], now: datetime) -> bool:
    _, pid, born, until = row
    return 0 < until - now.timestamp() <= LONGEST.total_seconds() and alive(pid) and birth(pid) == born
