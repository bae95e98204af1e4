"""Files that programs of another version have written, or write at the same time."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from quotaline.state import Failure
from quotaline.store import file as file_module
from quotaline.store.migrations import STORE, Migration, Schema, number
from quotaline.store.store import FILE_NAME, RESTART_DUE, Reading, Store
from quotaline_providers.errors import Kind
from quotaline_providers.model import Balance, Identity, Usage, Window
from quotaline_providers.testing import NOW, Clock
from tests.server.test_store import a_reading

SCHEMA_1_0 = """
PRAGMA journal_mode=WAL;
CREATE TABLE history (key TEXT NOT NULL, window TEXT NOT NULL, at REAL NOT NULL, used_percent REAL NOT NULL);
CREATE TABLE lease (
    key TEXT PRIMARY KEY, holder TEXT NOT NULL, pid INTEGER NOT NULL, birth TEXT NOT NULL, until REAL NOT NULL
);
CREATE TABLE note (key TEXT PRIMARY KEY, value TEXT NOT NULL, until REAL);
CREATE TABLE reading (
    key TEXT PRIMARY KEY, provider TEXT NOT NULL, account TEXT NOT NULL,
    usage TEXT, usage_at REAL, fingerprint TEXT NOT NULL DEFAULT '', digest TEXT NOT NULL DEFAULT '',
    source TEXT NOT NULL DEFAULT 'auto',
    failure TEXT, failures INTEGER NOT NULL DEFAULT 0, attempted_at REAL, cool_until REAL
);
CREATE INDEX history_by_window ON history (key, window, at);
PRAGMA user_version = 1;
"""
SAMPLES_1_0 = """
INSERT INTO "history" VALUES('claude','session',1893582000.0,40.0);
INSERT INTO "history" VALUES('claude','weekly',1893582000.0,12.5);
INSERT INTO "history" VALUES('claude','session',1893584400.0,41.5);
"""
ROWS_1_0 = """
INSERT INTO "note" VALUES('shown','[["claude", ""], ["codex", "Work"]]',NULL);
INSERT INTO "note" VALUES('provider:codex/device','abc',1893672000.0);
INSERT INTO "note" VALUES('picture:0123456789abcdef','{"gist": "x"}',1893628800.0);
INSERT INTO "reading" VALUES('claude','claude','','{"updated_at":"2030-01-02T12:00:00Z","windows":[{"id":"session",\
"label":"Session","used_percent":40.0,"minutes":300,"resets_at":"2030-01-02T17:00:00Z"},{"id":"weekly","label":"Weekly",\
"used_percent":12.5}],"balances":[{"id":"credits","label":"Credits","amount":"3.20","unit":"USD"}],"identity":{"plan":\
"Pro"},"source":"api"}',1893585600.0,'f1','d1','auto',NULL,0,1893585600.0,NULL);
INSERT INTO "reading" VALUES('codex/Work','codex','Work',NULL,NULL,'f2','d2','oauth','{"kind":"rate_limited","message":\
"Codex asked to wait.","hint":"Wait.","until":"2030-01-02T14:00:00Z","definite":true}',2,1893585600.0,1893592800.0);
"""
"""What the first version of the store has written."""

CLAUDE = Reading(
    "claude",
    "claude",
    "",
    Usage(
        updated_at=NOW,
        windows=(
            Window(id="session", label="Session", used_percent=40, minutes=300, resets_at=NOW + timedelta(hours=5)),
            Window(id="weekly", label="Weekly", used_percent=12.5),
        ),
        balances=(Balance.model_validate({"id": "credits", "label": "Credits", "amount": "3.20", "unit": "USD"}),),
        identity=Identity(plan="Pro"),
        source="api",
    ),
    NOW,
    "f1",
    "d1",
    attempted_at=NOW,
)
CODEX = Reading(
    "codex/Work",
    "codex",
    "Work",
    None,
    None,
    "f2",
    "d2",
    "oauth",
    Failure(
        kind=Kind.RATE_LIMITED,
        message="Codex asked to wait.",
        hint="Wait.",
        until=NOW + timedelta(hours=2),
        definite=True,
    ),
    2,
    NOW,
    NOW + timedelta(hours=2),
)
SAMPLES = {
    "session": [(NOW - timedelta(hours=1), 40.0), (NOW - timedelta(minutes=20), 41.5)],
    "weekly": [(NOW - timedelta(hours=1), 12.5)],
}


class House:
    """A user's cache and state folders."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.cache, self.state, self.clock = folder / "cache", folder / "state", clock

    def store(self) -> Store:
        return Store(self.cache, self.clock, history_folder=self.state)

    def database(self) -> closing[sqlite3.Connection]:
        self.cache.mkdir(exist_ok=True)
        return closing(sqlite3.connect(self.cache / FILE_NAME, isolation_level=None))

    def execute(self, script: str) -> None:
        with self.database() as database:
            database.executescript(script)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with self.database() as database:
            return database.execute(query).fetchall()

    def dump(self) -> list[str]:
        with self.database() as database:
            return [*database.iterdump(), str(number(database))]


@pytest.fixture
def house(tmp_path: Path, clock: Clock) -> House:
    return House(tmp_path, clock)


def samples(
    store: Store, key: str = "claude", windows: Iterable[str] = SAMPLES
) -> dict[str, list[tuple[datetime, float]]]:
    return {window: store.history(key, window) for window in windows}


# --- earlier schemas ---


def test_all_that_the_first_version_has_kept_is_still_there(house: House) -> None:
    house.execute(SCHEMA_1_0 + ROWS_1_0 + SAMPLES_1_0)
    store = house.store()
    assert store.readings() == {"claude": CLAUDE, "codex/Work": CODEX}
    assert store.note("shown") == '[["claude", ""], ["codex", "Work"]]'
    assert store.note("provider:codex/device") == "abc"
    assert samples(store) == SAMPLES
    assert (store.trouble, store.restart_due) == (None, None)
    assert house.rows("SELECT * FROM history") == []
    assert house.rows("SELECT key FROM note WHERE key GLOB 'picture:*'") == []
    with house.database() as database:
        assert number(database) == STORE.number


def test_a_move_that_was_cut_short_is_made_again_without_doubling(house: House) -> None:
    house.execute(SCHEMA_1_0 + SAMPLES_1_0)
    store = house.store()
    store.readings()
    store.close()
    house.execute(SAMPLES_1_0)
    assert samples(house.store()) == SAMPLES


MOVER = """
import sys
from pathlib import Path
from quotaline.store import store as module
module.MOVED_AT_ONCE = 100
print("ready", flush=True)
sys.stdin.readline()
module.Store(Path(sys.argv[1]), history_folder=Path(sys.argv[2])).readings()
"""


def test_processes_that_start_at_once_move_each_sample_once(house: House) -> None:
    house.execute(SCHEMA_1_0 + ROWS_1_0)
    with house.database() as database:
        database.execute("BEGIN")
        expected = [(1893500000.0 + 60 * minute, float(minute % 100)) for minute in range(3000)]
        database.executemany("INSERT INTO history VALUES ('claude', 'session', ?, ?)", expected)
        database.execute("COMMIT")
    words = [sys.executable, "-c", MOVER, str(house.cache), str(house.state)]
    pipe = subprocess.PIPE
    movers = [subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(4)]
    for mover in movers:
        assert mover.stdout is not None
        assert mover.stdout.readline() == "ready\n"
    outputs = [mover.communicate("\n") for mover in movers]
    assert [(mover.returncode, *output) for mover, output in zip(movers, outputs, strict=True)] == [(0, "", "")] * 4
    store = house.store()
    assert [(at.timestamp(), used) for at, used in store.history("claude", "session")] == expected
    assert store.readings() == {"claude": CLAUDE, "codex/Work": CODEX}
    assert house.rows("SELECT * FROM history") == []


def test_samples_wait_in_the_store_until_the_history_can_be_written(house: House) -> None:
    house.execute(SCHEMA_1_0 + ROWS_1_0 + SAMPLES_1_0)
    house.state.write_text("a file where the folder should be")
    store = house.store()
    assert store.readings() == {"claude": CLAUDE, "codex/Work": CODEX}
    assert "history is kept in memory" in (store.trouble or "")
    store.close()
    house.state.unlink()
    assert samples(house.store()) == SAMPLES


def test_a_program_of_the_first_version_goes_on_beside_a_new_one(house: House) -> None:
    house.execute(SCHEMA_1_0 + ROWS_1_0)
    new = house.store()
    new.save(a_reading())
    assert house.rows("PRAGMA user_version") == [(1,)]
    house.execute(
        """
        INSERT OR REPLACE INTO reading (key, provider, account, usage, usage_at, fingerprint, digest, source, failure,
        failures, attempted_at, cool_until) VALUES ('old', 'old', '', NULL, NULL, '', '', 'auto', NULL, 0, NULL, NULL);
        INSERT OR REPLACE INTO lease VALUES ('old', 'h', 1, '', 1);
        INSERT OR REPLACE INTO note VALUES ('old', 'x', NULL);
        INSERT INTO history VALUES ('old', 'weekly', 1893582000.0, 7);
        """
    )
    assert new.readings().keys() == {"claude", "codex/Work", "demo", "old"}
    assert new.note("old") == "x"
    new.close()
    assert samples(house.store(), "old", ["weekly"]) == {"weekly": [(NOW - timedelta(hours=1), 7.0)]}


# --- newer ones ---


def test_fields_of_a_newer_program_are_ignored(house: House) -> None:
    store = house.store()
    store.save(CLAUDE)
    house.execute(
        """UPDATE reading SET usage = json_set(usage, '$.mood', 'good', '$.windows[0].mood', json('true'),
        '$.identity.shoe', 42), failure = '{"kind": "timeout", "message": "m", "frames": []}'"""
    )
    reading = house.store().readings()["claude"]
    assert reading.usage == CLAUDE.usage
    assert reading.failure == Failure(kind=Kind.TIMEOUT, message="m")


def test_with_a_newer_minor_an_older_program_works_and_keeps_the_columns_it_does_not_know(house: House) -> None:
    store = house.store()
    store.save(CLAUDE)
    store.keep_note("n", "1")
    store.close()
    house.execute(
        """UPDATE schema_number SET minor = 99;
        ALTER TABLE reading ADD COLUMN shape TEXT; ALTER TABLE note ADD COLUMN mood TEXT;
        ALTER TABLE lease ADD COLUMN mood TEXT; CREATE TABLE shape (id);
        UPDATE reading SET shape = 'kept'; UPDATE note SET mood = 'kept'"""
    )
    store = house.store()
    assert store.lease("claude", 60)
    assert store.lease("claude", 60)
    store.save(a_reading(key="claude", used=50))
    store.keep_note("n", "2")
    assert store.readings()["claude"].usage == a_reading(used=50).usage
    assert (store.trouble, store.restart_due) == (None, None)
    assert house.rows("SELECT shape FROM reading") == house.rows("SELECT mood FROM note") == [("kept",)]
    with house.database() as database:
        assert number(database) == (1, 99)


def newer_program(house: House) -> Store:
    """A program whose schema has the next major number, but the same columns."""
    store = house.store()
    store._file._schema = Schema((*STORE.migrations, Migration((2, 0), lambda database: None)), STORE.queries)
    return store


def test_with_a_newer_major_an_older_program_shows_what_is_there_and_writes_nothing(house: House) -> None:
    new = newer_program(house)
    new.save(CLAUDE)
    new.keep_note("n", "1")
    new.lease("codex", 60)
    before = house.dump()
    old = house.store()
    assert old.readings() == {"claude": CLAUDE}
    assert old.restart_due == RESTART_DUE
    assert old.note("n") == "1"
    assert old.leased() == {"codex"}
    assert not old.lease("claude", 60)
    old.save(CODEX)
    old.keep_note("n", "2")
    old.release("codex")
    assert old.readings() == {"claude": CLAUDE, "codex/Work": CODEX}
    assert old.note("n") == "2"
    old.drop("claude")
    assert old.readings() == {"codex/Work": CODEX}
    old.close()
    assert house.dump() == before


def test_of_three_old_programs_and_a_new_one_only_the_new_one_reads(house: House) -> None:
    olds = [house.store() for _ in range(3)]
    for old in olds:
        assert old.readings() == {}
    assert olds[0].lease("claude", 60)
    olds[0].release("claude")
    new = newer_program(house)
    new.readings()
    before = [old.version() for old in olds]
    assert [store.lease("claude", 60) for store in (*olds, new)] == [False, False, False, True]
    new.save(CLAUDE)
    assert [old.readings() for old in olds] == [{"claude": CLAUDE}] * 3
    assert all(now != then for now, then in zip([old.version() for old in olds], before, strict=True))
    assert [store.restart_due for store in (*olds, new)] == [RESTART_DUE] * 3 + [None]


def test_what_was_known_is_shown_when_a_newer_program_has_taken_the_columns_away(house: House) -> None:
    old = house.store()
    old.save(CLAUDE)
    old.readings()
    newer_program(house).readings()
    house.execute("ALTER TABLE reading RENAME TO account; ALTER TABLE lease DROP COLUMN birth; DROP TABLE note")
    assert old.readings() == {"claude": CLAUDE}
    assert old.leased() == frozenset()
    assert old.note("n") is None
    assert not old.lease("claude", 60)
    assert old.restart_due == RESTART_DUE
    assert house.store().readings() == {}
    assert list(house.cache.glob("*.corrupt-*")) == []


def test_when_a_newer_program_s_file_is_gone_an_older_one_works_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_module, "RETRY_FILE_SECONDS", 0.0)
    new, old = newer_program(house), house.store()
    new.save(CLAUDE)
    old.readings()
    assert old.restart_due == RESTART_DUE
    new.close()
    for path in house.cache.iterdir():
        path.unlink()
    assert old.lease("claude", 60)
    assert old.restart_due is None
