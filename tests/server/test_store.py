"""The shared store: what it keeps, what it survives, and who may read an account."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from quotaline.state import Failure, Held
from quotaline.store import file as file_module
from quotaline.store.store import FILE_NAME, Reading, ReadStart, Store
from quotaline_providers.errors import Kind
from quotaline_providers.model import Usage, Window
from quotaline_providers.testing import Clock
from tests import systems

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
from quotaline.store.store import ReadStart, Store
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
    monkeypatch.setattr(file_module, "BUSY_SECONDS", 0.1)
    monkeypatch.setattr(file_module, "RETRY_FILE_SECONDS", 0.0)


def test_a_reading_comes_back_as_it_was_saved(folder: Path) -> None:
    failure = Failure(kind=Kind.RATE_LIMITED, message="Too many.", until=NOON + timedelta(hours=1))
    reading = a_reading(failure=failure, failures=2, cool_until=NOON + timedelta(hours=1), source="api")
    reading = replace(reading, held=Held("weekly", "session"))
    Store(folder).save(reading)
    assert Store(folder).readings() == {"demo": reading}


@systems.modes
def test_only_the_user_may_ever_read_the_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Path] = []
    monkeypatch.setattr(Path, "chmod", lambda path, mode: given.append(path))
    store = Store(folder)
    store.save(a_reading())
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    files = [f"{name}{suffix}" for name in (FILE_NAME, "history.sqlite3") for suffix in ("", "-wal", "-shm")]
    assert modes == dict.fromkeys(files, 0o600)
    assert given == []


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


def test_a_database_of_something_else_is_set_aside(folder: Path) -> None:
    folder.mkdir()
    with sqlite3.connect(folder / FILE_NAME) as other:
        other.execute("CREATE TABLE reading (odd TEXT)")
    store = Store(folder)
    store.save(a_reading())
    assert store.trouble is None
    assert Store(folder).readings() == {"demo": a_reading()}
    assert list(folder.glob("*.corrupt-*"))


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
    assert store._file._database is not None
    store._file._database.close()
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
    assert store._file._database is not None
    pages = store._file._database.execute("PRAGMA page_count").fetchone()[0]
    store._file._database.execute(f"PRAGMA max_page_count = {pages}")
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


def test_whoever_waits_for_a_read_needs_no_write_lock(folder: Path, clock: Clock) -> None:
    one, two = Store(folder, clock), Store(folder, clock)
    one.save(a_reading())
    assert one.lease("demo", 60)
    two.readings()
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        assert two.begin_read("demo", 60, lambda known: True) == ReadStart(False, True, a_reading())
        assert two.begin_read("demo", 60, lambda known: False) == ReadStart(False, False, a_reading())
        assert two.trouble is None


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


@systems.signals
def test_a_lease_dies_with_its_holder(folder: Path, clock: Clock) -> None:
    store = Store(folder, clock)
    with another_process(HOLDER, folder) as holder:
        assert not store.lease("demo", 60)
        holder.kill()
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # dead, but not yet collected
        assert store.lease("demo", 60)


# --- notes ---


def test_a_note_is_kept_until_its_time(folder: Path, clock: Clock) -> None:
    store = Store(folder, clock)
    store.keep_note("short", "1", clock.now + timedelta(minutes=1))
    store.keep_note("long", "2")
    assert (store.note("short"), store.note("long")) == ("1", "2")
    clock.advance(timedelta(minutes=1))
    assert (store.note("short"), store.note("long")) == (None, "2")
    store.drop_note("long")
    assert Store(folder, clock).note("long") is None


def test_another_process_s_writing_changes_the_version(folder: Path) -> None:
    one, two = Store(folder), Store(folder)
    before = one.version()
    assert one.version() == before
    two.save(a_reading())
    assert one.version() != before


# --- growth ---


def test_a_vendor_that_sends_far_too_much_fills_no_disk(folder: Path) -> None:
    store = Store(folder)
    for number in range(20):
        at = NOON + timedelta(minutes=31 * number)
        windows = tuple(
            Window(id=f"{'i' * 1000}{each}", label="l" * 1000, description=f"{number}" * 1000, used_percent=number)
            for each in range(1500)
        )
        store.save(a_reading(at, usage=Usage(updated_at=at, windows=windows)))
    usage = store.readings()["demo"].usage
    assert usage is not None
    assert len({window.id for window in usage.windows}) == 64
    assert usage.cut == ("windows: 64 of 1500 kept", "texts: 128 shortened to 200 characters")
    assert len(usage.model_dump_json()) < 50_000
    store.close()
    assert sum(path.stat().st_size for path in folder.iterdir()) < 500_000


@systems.pipes
@pytest.mark.parametrize("make", [os.mkdir, getattr(os, "mkfifo", None)])
def test_what_stands_in_the_files_place_is_left_alone(folder: Path, clock: Clock, make: Callable[[Path], None]) -> None:
    folder.mkdir(exist_ok=True)
    places = [folder / FILE_NAME, folder / "history.sqlite3"]
    for place in places:
        make(place)
        place.chmod(0o755)
    store = Store(folder, clock)
    store.save(a_reading())
    assert "demo" in store.readings()
    assert store.trouble is not None
    store.close()
    assert [stat.S_IMODE(place.stat().st_mode) for place in places] == [0o755, 0o755]
