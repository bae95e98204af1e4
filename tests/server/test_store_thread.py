"""The store's thread: work in order, and news of what other processes write."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from quotaline.store import thread as store_thread
from quotaline.store.store import Store
from quotaline.store.thread import StoreThread


async def test_work_is_done_in_order_and_its_errors_come_back(tmp_path: Path) -> None:
    thread = StoreThread(Store(tmp_path))
    done: list[int] = []
    await asyncio.gather(*(thread.do(lambda store, n=n: done.append(n)) for n in range(20)))  # type: ignore[misc]
    assert done == list(range(20))
    with pytest.raises(ZeroDivisionError):
        await thread.do(lambda store: 1 / 0)
    assert await thread.do(lambda store: store.note("none")) is None
    await thread.close()


async def test_after_its_end_no_work_is_taken(tmp_path: Path) -> None:
    thread = StoreThread(Store(tmp_path))
    await thread.close()
    with pytest.raises(RuntimeError):
        await thread.do(lambda store: None)


async def test_what_another_process_writes_is_told_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_thread, "LOOK_SECONDS", 0.02)
    thread, other = StoreThread(Store(tmp_path)), Store(tmp_path)
    news = asyncio.Event()
    thread.watch(news.set)
    await thread.do(lambda store: store.keep_note("ours", "x"))
    await thread.do(Store.version)
    assert not news.is_set()
    for number in range(2):
        other.keep_note("theirs", str(number))
        await asyncio.wait_for(news.wait(), 10)
        news.clear()
    other.close()
    await thread.close()
