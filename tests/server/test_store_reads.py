"""What the store does around one read of an account: who may read, what is known before, what is kept after."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from quotaline.store import file
from quotaline.store.migrations import STORE, Migration, Schema
from quotaline.store.store import RESTART_DUE, Reading, ReadStart, Store
from quotaline_providers.testing import Clock
from tests.server.test_store import NOON, a_reading


def always(reading: Reading | None) -> bool:
    return True


def take_over(store: Store) -> None:
    """From now on the file is that of a program whose schema has the next major number, but the same columns."""
    store.close()
    store._file._schema = Schema((*STORE.migrations, Migration((2, 0), lambda database: None)), STORE.queries)
    store.readings()


@pytest.fixture
def stores(tmp_path: Path, clock: Clock) -> tuple[Store, Store]:
    """Two programs' views of one store, in which an account was read."""
    one, two = Store(tmp_path, clock), Store(tmp_path, clock)
    one.save(a_reading())
    return one, two


def test_a_read_begins_with_what_is_known_and_ends_with_the_lease_given_back(stores: tuple[Store, Store]) -> None:
    one, two = stores
    assert two.begin_read("demo", 60, always) == ReadStart(True, False, a_reading())
    assert one.begin_read("demo", 60, always) == ReadStart(False, True, a_reading())
    kept = two.finish_read("demo", lambda before: replace(before or a_reading(), failures=7))
    assert kept.failures == 7
    assert one.begin_read("demo", 60, always) == ReadStart(True, False, kept)


def test_a_read_that_is_not_wanted_takes_no_lease(stores: tuple[Store, Store]) -> None:
    one, two = stores
    assert one.begin_read("demo", 60, lambda known: known != a_reading()) == ReadStart(False, False, a_reading())
    assert one.begin_read("other", 60, lambda known: known is not None) == ReadStart(False, False, None)
    assert two.leased() == frozenset()


def test_the_end_of_a_read_touches_no_other_account_and_no_lease_of_others(stores: tuple[Store, Store]) -> None:
    one, two = stores
    other = a_reading(key="other")
    two.save(other)
    assert two.begin_read("demo", 60, always).granted
    one.finish_read("demo", lambda before: a_reading(used=80))
    assert one.leased() == {"demo"}
    assert two.readings() == {"demo": a_reading(used=80), "other": other}


def test_a_finished_read_is_a_sample_for_the_history(stores: tuple[Store, Store]) -> None:
    later = a_reading(NOON + timedelta(hours=1), used=80)
    stores[0].finish_read("demo", lambda before: later)
    assert [percent for _, percent in stores[0].history("demo", "weekly")] == [40, 80]


def test_nobody_may_read_once_a_newer_program_has_taken_the_store_over(stores: tuple[Store, Store]) -> None:
    one, newer = stores
    take_over(newer)
    assert one.begin_read("demo", 60, always) == ReadStart(False, False, a_reading())
    assert one.restart_due == RESTART_DUE
    assert newer.begin_read("demo", 60, always).granted


def test_a_read_that_ends_after_that_is_shown_here_and_kept_nowhere(stores: tuple[Store, Store]) -> None:
    one, newer = stores
    assert one.begin_read("demo", 60, always).granted
    take_over(newer)
    later = a_reading(NOON + timedelta(hours=1), used=80)
    assert one.finish_read("demo", lambda before: later) == later
    assert (one.readings(), newer.readings()) == ({"demo": later}, {"demo": a_reading()})


def test_what_was_learnt_without_the_file_is_in_it_when_it_can_be_used(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "RETRY_FILE_SECONDS", 0.0)
    blocked = tmp_path / "cache"
    blocked.write_text("no folder")
    store = Store(blocked, clock)
    assert store.begin_read("demo", 60, always).granted
    store.finish_read("demo", lambda before: a_reading())
    assert store.trouble is not None
    blocked.unlink()
    assert store.begin_read("demo", 60, always) == ReadStart(True, False, a_reading())
    assert Store(blocked, clock).readings() == {"demo": a_reading()}
