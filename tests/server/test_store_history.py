"""The history: what is sampled, for how long it is kept, and what it costs."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from quotaline.store import file as file_module, history as history_module
from quotaline.store.history import DAY_SECONDS, FILE_NAME, HALF_HOUR_SECONDS, History
from quotaline.store.store import Store
from quotaline_providers.model import Usage, Window
from quotaline_providers.testing import Clock
from tests.server.test_store import NOON, a_reading

HOUR = 3600.0
DAY = float(DAY_SECONDS)
START = NOON.timestamp() // DAY * DAY

Add = Callable[[float, float], None]


def kept(history: History) -> list[tuple[float, float]]:
    """Days since the start (to the second) and percent used of each sample."""
    return [(round(at - START) / DAY, used) for at, used in history.samples("demo", "weekly")]


@pytest.fixture
def history(tmp_path: Path, clock: Clock) -> History:
    return History(tmp_path / "state", clock)


@pytest.fixture
def add(history: History, clock: Clock) -> Add:
    """`add(days, used)`: so many days after the start, so many percent are used."""

    def add(days: float, used: float) -> None:
        clock.set(datetime.fromtimestamp(START + days * DAY, UTC))
        history.add("demo", START + days * DAY, {"weekly": used})

    return add


def test_a_sample_is_taken_a_half_hour_or_a_percent_apart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for minutes, used in ((0, 10), (5, 10.5), (10, 12), (45, 12)):
        store.save(a_reading(NOON + timedelta(minutes=minutes), used))
    found = store.history("demo", "weekly")
    assert [used for _, used in found] == [10, 12, 12]
    assert found[0][0] == NOON
    assert Store(tmp_path).history("demo", "weekly") == found


def test_a_failure_beside_kept_usage_is_no_sample(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(a_reading(used=10, attempted_at=NOON + timedelta(hours=1)))
    assert store.history("demo", "weekly") == []


def test_a_window_without_a_percentage_or_invented_is_no_sample(tmp_path: Path) -> None:
    store = Store(tmp_path)
    windows = (Window(id="a", label="A"), Window(id="b", label="B", used_percent=0, placeholder=True))
    store.save(a_reading(usage=Usage(updated_at=NOON, windows=windows)))
    assert store.history("demo", "a") == store.history("demo", "b") == []


def test_after_a_day_the_highest_of_each_half_hour_is_left(history: History, add: Add) -> None:
    minute = 60 / DAY
    for minutes, used in ((0, 10), (5, 90), (10, 3), (29, 90), (30, 1)):
        add(minutes * minute, used)
    add(1, 50)
    assert len(kept(history)) == 6
    add(2, 50)
    assert kept(history) == [(300 / DAY, 90), (1800 / DAY, 1), (1, 50), (2, 50)]


def test_after_eight_weeks_the_highest_of_each_day_is_left_for_a_year(history: History, add: Add) -> None:
    for day in range(3):
        for half_hour in range(48):
            add(day + half_hour / 48, half_hour if day != 1 else 99 - half_hour)
    add(56, 1)
    assert len(kept(history)) == 3 * 48 + 1
    add(58, 1)
    assert len(kept(history)) == 1 + 1 + 48 + 2
    add(70, 1)
    assert [used for _, used in kept(history)[:4]] == [47, 99, 47, 1]
    add(365.5, 1)
    assert [used for _, used in kept(history)[:2]] == [47, 99]
    add(366.99, 1)
    assert [used for _, used in kept(history)[:2]] == [47, 1]


def test_it_is_thinned_at_most_once_a_day(history: History, add: Add, tmp_path: Path) -> None:
    add(0, 1)
    with closing(sqlite3.connect(tmp_path / "state" / FILE_NAME)) as file, file:
        file.execute("INSERT INTO sample SELECT id, ?, 5 FROM series", (START - 500 * DAY,))
    add(0.9, 2)
    assert kept(history) == [(-500, 5), (0, 1), (0.9, 2)]
    add(1, 3)
    assert kept(history) == [(0, 1), (0.9, 2), (1, 3)]


def test_a_clock_that_was_set_back_stops_neither_sampling_nor_thinning(history: History, add: Add) -> None:
    add(10, 50)
    add(0, 50)
    add(1 / 1440, 51)
    add(2 / 1440, 49)
    add(1.5, 50)
    assert kept(history) == [(60 / DAY, 51), (1.5, 50), (10, 50)]


def test_a_usage_with_a_time_of_its_own_thins_nothing(history: History, add: Add) -> None:
    for minute in range(10):
        add(minute * 60 / DAY, minute * 2)
    history.add("other", START + 500 * DAY, {"weekly": 1})
    history.add("other", START - 500 * DAY, {"weekly": 1})
    assert len(kept(history)) == 10
    assert len(history.samples("other", "weekly")) == 2


def test_samples_wait_in_memory_for_a_file_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_module, "RETRY_FILE_SECONDS", 0.0)
    state = tmp_path / "state"
    state.write_text("a file where the folder should be")
    store = Store(tmp_path / "cache", history_folder=state)
    store.save(a_reading())
    assert store.readings() == {"demo": a_reading()}
    assert store.history("demo", "weekly") == [(NOON, 40)]
    assert "history is kept in memory" in (store.trouble or "")
    state.unlink()
    later = NOON + timedelta(hours=1)
    store.save(a_reading(later, 50))
    assert store.trouble is None
    assert Store(tmp_path / "cache", history_folder=state).history("demo", "weekly") == [(NOON, 40), (later, 50)]


def test_a_corrupt_history_is_set_aside_and_stops_no_reading(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    damage = b"this is no database at all" * 400
    (tmp_path / "state" / FILE_NAME).write_bytes(damage)
    store = Store(tmp_path / "cache", history_folder=tmp_path / "state")
    store.save(a_reading())
    assert store.trouble is None
    assert store.history("demo", "weekly") == [(NOON, 40)]
    assert [path.read_bytes() for path in (tmp_path / "state").glob("*.corrupt-*")] == [damage]


def test_an_emptied_cache_takes_no_history_with_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache", history_folder=tmp_path / "state")
    store.save(a_reading())
    store.close()
    for path in (tmp_path / "cache").iterdir():
        path.unlink()
    assert Store(tmp_path / "cache", history_folder=tmp_path / "state").history("demo", "weekly") == [(NOON, 40)]


def test_windows_whose_ids_never_come_again_do_not_pile_up(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "MOST_SERIES", 3)
    for hour in range(6):
        history.add("demo", START + hour * HOUR, {"stays": 1, f"window {hour}": 1})
    history.add("other", START, {"window 0": 7})
    left = [hour for hour in range(6) if history.samples("demo", f"window {hour}")]
    assert left == [4, 5]
    assert len(history.samples("demo", "stays")) == 6
    assert history.samples("other", "window 0") == [(START, 7)]


def steps_of_a_save(store: Store, at: datetime) -> int:
    """The instructions of SQLite's machine, in hundreds, that saving one reading takes."""
    database = store._history._file._database
    assert database is not None
    steps: list[int] = []
    database.set_progress_handler(lambda: steps.append(1), 100)
    store.save(a_reading(at, used=30))
    database.set_progress_handler(None, 0)
    return len(steps)


def test_saving_takes_no_longer_with_a_long_history(tmp_path: Path, clock: Clock) -> None:
    store = Store(tmp_path, clock)
    store.save(a_reading(used=10))
    short = steps_of_a_save(store, NOON + timedelta(hours=1))
    first = NOON.timestamp() - 50 * DAY
    store._history.insert_missing([("demo", "weekly", first + number * HALF_HOUR_SECONDS, 5) for number in range(2400)])
    store._history.insert_missing([(f"demo/{number % 20}", "weekly", first + number, 5) for number in range(20_000)])
    store.save(a_reading(NOON + timedelta(hours=2), used=20))  # it thins
    assert len(store.history("demo", "weekly")) > 2400
    assert steps_of_a_save(store, NOON + timedelta(hours=3)) <= short + 1
