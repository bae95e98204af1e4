"""Saving a reading beside a year's history of many accounts. The floor is the same row in a bare SQLite file."""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from benchmarks.rows import Row, Size, milliseconds
from quotaline.store.history import DAY_SECONDS, HALF_HOUR_SECONDS, HALF_HOURLY_SECONDS, KEPT_SECONDS, History
from quotaline.store.reading import UPSERT, to_row
from quotaline.store.store import Reading, Store
from quotaline_providers.model import Usage, Window

ACCOUNTS = 100
WINDOWS = ("session", "weekly", "model")
SAVES_PER_RUN = 20
BUDGET_SECONDS = 0.001
NOW = datetime(2030, 1, 2, 12, tzinfo=UTC)


def saving(size: Size) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="quotaline-bench-") as folder:
        now = [NOW]
        samples, store = _filled(Path(folder)), Store(Path(folder), lambda: now[-1])
        _save(store, NOW)
        now.append(NOW + timedelta(days=1))
        thinning = _timed(partial(_save, store, now[-1]))
        times = [NOW + timedelta(days=1, minutes=number) for number in range(1, size.runs * SAVES_PER_RUN)]
        ours = [_timed(partial(_save, store, at)) for at in times]
        bare = list(_bare(Path(folder) / "bare.sqlite3", times))
        store.close()
        taken = sum(path.stat().st_size for path in Path(folder).glob("history.sqlite3*")) / (1 << 20)
    middle, floor = statistics.median(ours), statistics.median(bare)
    return [
        Row(
            f"saving a reading beside a year of {ACCOUNTS} accounts' history ({samples:,} samples, {taken:.0f} MiB)",
            "1 ms",
            milliseconds(ours),
            f"{milliseconds(bare)} (the row alone)",
            middle / floor,
            middle <= BUDGET_SECONDS,
        ),
        Row("the first save of a day, which thins", "none (for information)", milliseconds([thinning]), "", None, True),
    ]


def _reading(at: datetime, account: int = 7) -> Reading:
    """A reading whose windows have all changed, so that each has a sample."""
    windows = tuple(
        Window(id=id, label=id.title(), used_percent=at.minute, minutes=300, resets_at=at + timedelta(hours=5))
        for id in WINDOWS
    )
    usage = Usage(updated_at=at, windows=windows, source="oauth")
    return Reading(_key(account), "demo", str(account), usage, at, "f", "d", attempted_at=at)


def _key(account: int) -> str:
    return f"demo/{account}"


def _save(store: Store, at: datetime) -> None:
    store.save(_reading(at))


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _filled(folder: Path) -> int:
    """Write the history; returns how many samples it has."""
    end = NOW.timestamp()
    times = [end - second for second in range(HALF_HOURLY_SECONDS, KEPT_SECONDS, DAY_SECONDS)]
    times += [end - second for second in range(HALF_HOUR_SECONDS, HALF_HOURLY_SECONDS, HALF_HOUR_SECONDS)]
    history = History(folder)
    for account in range(ACCOUNTS):
        history.insert_missing([(_key(account), window, at, at % 100) for window in WINDOWS for at in times])
    history.close()
    return ACCOUNTS * len(WINDOWS) * len(times)


def _bare(path: Path, times: list[datetime]) -> Iterator[float]:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        row = to_row(_reading(NOW))
        columns = UPSERT.partition("(")[2].partition(")")[0].replace("key", "key PRIMARY KEY", 1)
        database.execute(f"CREATE TABLE reading ({columns})")
        for at in times:
            changed = (*row[:3], f"{row[3]}{at}", *row[4:])
            yield _timed(partial(database.execute, UPSERT, changed))
