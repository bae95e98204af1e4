"""The shared store: what it keeps, what it survives, and who may read an account."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from quotaline.state import Failure
from quotaline.store import store as store_module
from quotaline.store.store import FILE_NAME, Reading, Store
from quotaline_providers.errors import Kind
from quotaline_providers.model import Usage, Window
from quotaline_providers.testing import Clock

NOON = datetime(2030, 1, 2, 12, tzinfo=UTC)


def a_reading(at: datetime = NOON, used: float = 40, **changes: object) -> Reading:
    usage = Usage(updated_at=at, windows=(Window(id="weekly", label="Weekly", used_percent=used),))
    reading = Reading("demo", "demo", "", usage, at, "f", "d", attempted_at=at)
    return replace(reading, **changes)  # type: ignore[arg-type]


@contextmanager
def another_process(script: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """A Python process that has done its work once it says so, and ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield process
    finally:
        process.kill()
        process.communicate()


LOCKER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA locking_mode=EXCLUSIVE")
database.execute("BEGIN EXCLUSIVE")
print("ready", flush=True)
sys.stdin.read()
"""
HOLDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from quotaline.store.store import Store
store = Store(Path(sys.argv[1]), lambda: datetime(2030, 1, 2, 12, tzinfo=UTC))
assert store.lease("demo", 60)
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks are waited for only shortly, and the file is tried again at once."""
    monkeypatch.setattr(store_module, "BUSY_SECONDS", 0.1)
    monkeypatch.setattr(store_module, "RETRY_FILE_SECONDS", 0.0)


def test_a_reading_comes_back_as_it_was_saved(folder: Path) -> None:
    failure = Failure(kind=Kind.RATE_LIMITED, message="Too many.", until=NOON + timedelta(hours=1))
    reading = a_reading(failure=failure, failures=2, cool_until=NOON + timedelta(hours=1), source="api")
    Store(folder).save(reading)
    assert Store(folder).readings() == {"demo": reading}


def test_only_the_user_may_read_the_file(folder: Path) -> None:
    Store(folder).save(a_reading())
    assert (folder / FILE_NAME).stat().st_mode & 0o077 == 0


def test_a_dropped_reading_is_gone(folder: Path) -> None:
    store = Store(folder)
    store.save(a_reading())
    store.drop("demo")
    assert Store(folder).readings() == {}


@pytest.mark.parametrize("damage", [b"this is no database at all" * 400, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_corrupt_file_is_set_aside_and_a_new_one_is_used(folder: Path, damage: bytes) -> None:
    folder.mkdir()
    (folder / FILE_NAME).write_bytes(damage)
    store = Store(folder)
    store.save(a_reading())
    assert store.trouble is None
    assert Store(folder).readings() == {"demo": a_reading()}
    assert [path.read_bytes() for path in folder.glob("*.corrupt-*")] == [damage]


def test_a_truncated_file_is_set_aside(folder: Path) -> None:
    store = Store(folder)
    store.save(a_reading())
    store.close()
    file = folder / FILE_NAME
    file.write_bytes(file.read_bytes()[:5000])
    store = Store(folder)
    store.save(a_reading())
    assert store.readings() == {"demo": a_reading()}
    assert list(folder.glob("*.corrupt-*"))


def test_a_file_damaged_while_in_use_takes_no_knowledge_with_it(folder: Path) -> None:
    store = Store(folder)
    store.save(a_reading())
    with sqlite3.connect(folder / FILE_NAME) as other:
        other.execute("DROP TABLE reading")
    assert store.readings() == {} or store.readings() == {"demo": a_reading()}
    assert store.readings() == Store(folder).readings() == {"demo": a_reading()}


def test_a_file_that_was_deleted_while_in_use_is_made_anew(folder: Path) -> None:
    store = Store(folder)
    store.save(a_reading())
    for path in folder.iterdir():
        path.unlink()
    assert store.readings() == {"demo": a_reading()}
    assert Store(folder).readings() == {"demo": a_reading()}


def test_tables_of_an_older_schema_are_replaced(folder: Path) -> None:
    folder.mkdir()
    with sqlite3.connect(folder / FILE_NAME) as old:
        old.execute("CREATE TABLE reading (odd TEXT)")
        old.execute('CREATE TABLE "strange ""name" (x)')
    store = Store(folder)
    store.save(a_reading())
    assert store.trouble is None
    assert Store(folder).readings() == {"demo": a_reading()}


def test_a_newer_schema_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    with sqlite3.connect(folder / FILE_NAME) as newer:
        newer.execute("PRAGMA user_version = 99")
        newer.execute("CREATE TABLE future (x)")
    newer.close()
    before = (folder / FILE_NAME).read_bytes()
    store = Store(folder)
    store.save(a_reading())
    assert store.readings() == {"demo": a_reading()}
    assert "newer Quotaline" in (store.trouble or "")
    assert (folder / FILE_NAME).read_bytes() == before


@pytest.mark.usefixtures("impatient")
def test_a_file_locked_by_another_process_is_done_without_and_caught_up_with_later(folder: Path) -> None:
    first = Store(folder)
    first.save(a_reading())
    first.close()
    store = Store(folder)
    with another_process(LOCKER, folder / FILE_NAME):
        newer = a_reading(NOON + timedelta(minutes=5), used=50)
        store.save(newer)
        store.keep_note("n", "kept")
        assert "locked" in (store.trouble or "")
        assert store.readings() == {"demo": newer}
    assert store.readings() == {"demo": newer}
    assert store.trouble is None
    assert Store(folder).readings() == {"demo": newer}
    assert Store(folder).note("n") == "kept"


@pytest.mark.usefixtures("impatient")
def test_what_was_known_is_still_known_when_the_file_becomes_unusable(folder: Path) -> None:
    cooling = a_reading(cool_until=NOON + timedelta(hours=1))
    store = Store(folder)
    store.save(cooling)
    store.readings()
    assert store._database is not None
    store._database.close()
    with another_process(LOCKER, folder / FILE_NAME):
        assert store.readings() == {"demo": cooling}


@pytest.mark.usefixtures("impatient")
def test_what_another_sidecar_learnt_meanwhile_is_not_overwritten(folder: Path) -> None:
    blocked = folder.parent / "blocked"
    blocked.write_text("a file where the folder should be")
    store = Store(blocked)
    store.save(a_reading())
    assert store.trouble is not None
    blocked.unlink()
    newer = a_reading(NOON + timedelta(minutes=1), used=60)
    Store(blocked).save(newer)
    assert store.readings() == {"demo": newer}


def test_a_folder_that_cannot_be_made_leaves_the_store_in_memory(folder: Path) -> None:
    folder.write_text("a file where the folder should be")
    store = Store(folder)
    store.save(a_reading())
    assert store.readings() == {"demo": a_reading()}
    assert "kept in memory" in (store.trouble or "")


def test_a_full_disk_leaves_the_store_in_memory(folder: Path) -> None:
    store = Store(folder)
    store.save(a_reading())
    assert store._database is not None
    pages = store._database.execute("PRAGMA page_count").fetchone()[0]
    store._database.execute(f"PRAGMA max_page_count = {pages}")
    store.keep_note("long", "x" * 200_000)
    assert "disk is full" in (store.trouble or "")
    assert store.note("long") == "x" * 200_000
    assert store.readings() == {"demo": a_reading()}


# --- leases ---


def test_a_lease_is_held_by_one_alone_until_it_is_released(folder: Path, clock: Clock) -> None:
    one, two = Store(folder, clock), Store(folder, clock)
    assert one.lease("demo", 60)
    assert not two.lease("demo", 60)
    assert two.leased() == {"demo"}
    two.release("demo")
    assert not two.lease("demo", 60)
    one.release("demo")
    assert two.lease("demo", 60)


def test_a_lease_runs_out(folder: Path, clock: Clock) -> None:
    one, two = Store(folder, clock), Store(folder, clock)
    assert one.lease("demo", 60)
    clock.advance(timedelta(seconds=61))
    assert two.leased() == frozenset()
    assert two.lease("demo", 60)


def test_a_closed_store_holds_no_lease(folder: Path, clock: Clock) -> None:
    one, two = Store(folder, clock), Store(folder, clock)
    assert one.lease("demo", 60)
    one.close()
    assert two.lease("demo", 60)


@pytest.mark.skipif(os.name == "nt", reason="kills as POSIX does")
def test_a_lease_dies_with_its_holder(folder: Path, clock: Clock) -> None:
    store = Store(folder, clock)
    with another_process(HOLDER, folder) as holder:
        assert not store.lease("demo", 60)
        holder.kill()
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # dead, but not yet collected
        assert store.lease("demo", 60)


def test_what_was_attempted_a_moment_ago_needs_no_lease(folder: Path, clock: Clock) -> None:
    store = Store(folder, clock)
    store.save(a_reading(clock.now))
    assert not store.lease("demo", 60, attempted_before=clock.now - timedelta(seconds=3))
    assert not store.lease("demo", 60, attempted_before=clock.now)
    assert store.lease("demo", 60, attempted_before=clock.now + timedelta(seconds=1))


def test_an_attempt_with_another_config_or_in_the_future_does_not_count(folder: Path, clock: Clock) -> None:
    store = Store(folder, clock)
    store.save(a_reading(clock.now))
    assert store.lease("demo", 60, attempted_before=clock.now, digest="other")
    store.save(a_reading(clock.now + timedelta(hours=1)))
    assert store.lease("demo", 60, attempted_before=clock.now)


# --- notes and history ---


def test_a_note_is_kept_until_its_time(folder: Path, clock: Clock) -> None:
    store = Store(folder, clock)
    store.keep_note("short", "1", clock.now + timedelta(minutes=1))
    store.keep_note("long", "2")
    assert (store.note("short"), store.note("long")) == ("1", "2")
    clock.advance(timedelta(minutes=1))
    assert (store.note("short"), store.note("long")) == (None, "2")
    store.drop_note("long")
    assert Store(folder, clock).note("long") is None


def test_history_has_a_sample_a_half_hour_or_a_percent_apart_for_eight_weeks(folder: Path) -> None:
    store = Store(folder)
    for minutes, used in ((0, 10), (5, 10.5), (10, 12), (45, 12)):
        store.save(a_reading(NOON + timedelta(minutes=minutes), used))
    assert [used for _, used in store.history("demo", "weekly")] == [10, 12, 12]
    later = NOON + timedelta(days=57)
    store.save(a_reading(later, 1))
    assert store.history("demo", "weekly") == [(later, 1)]


def test_a_failure_beside_kept_usage_is_no_sample(folder: Path) -> None:
    store = Store(folder)
    store.save(a_reading(used=10, attempted_at=NOON + timedelta(hours=1)))
    assert store.history("demo", "weekly") == []


def test_another_process_s_writing_changes_the_version(folder: Path) -> None:
    one, two = Store(folder), Store(folder)
    before = one.version()
    assert one.version() == before
    two.save(a_reading())
    assert one.version() != before
