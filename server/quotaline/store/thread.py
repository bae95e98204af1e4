"""The store on a thread of its own, so that no wait for a disk or a lock ever stops the event loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

from quotaline.store.store import Store

T = TypeVar("T")
Job = Callable[[], None]

LOOK_SECONDS = 0.75
"""How often the thread looks whether another process has written."""


class StoreThread:
    """Does one piece of work after another, and tells when another process has written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._notify: Callable[[], None] | None = None
        self._version: int | None = None
        self._closed = False

    @property
    def trouble(self) -> str | None:
        return self._store.trouble

    @property
    def restart_due(self) -> str | None:
        """A sentence when a newer program has taken over the store; None while this one may write to it."""
        return self._store.restart_due

    async def do(self, work: Callable[[Store], T]) -> T:
        """The result of this work. Raises what it raises. Once begun it is done, whoever still waits."""
        return await asyncio.wrap_future(self._put(work))

    def post(self, work: Callable[[Store], object]) -> None:
        """Have this work done without waiting for it; what it raises is lost. Raises RuntimeError when closed."""
        self._put(work)

    def watch(self, changed: Callable[[], None]) -> None:
        """From now on call this, in the running event loop, soon after another process has written."""
        loop = asyncio.get_running_loop()

        def tell() -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(changed)

        def begin(store: Store) -> None:
            self._version, self._notify = store.version(), tell

        self._put(begin)

    async def close(self) -> None:
        self._notify = None
        try:
            await self.do(Store.close)
        finally:
            self._closed = True
            self._jobs.put(None)

    def _put(self, work: Callable[[Store], T]) -> Future[T]:
        if self._closed:
            raise RuntimeError("the store is closed")
        future: Future[T] = Future()

        def job() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work(self._store))
                except BaseException as error:
                    future.set_exception(error)

        self._jobs.put(job)
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="store", daemon=True)
            self._thread.start()
        return future

    def _run(self) -> None:
        look_at = time.monotonic()
        while True:
            try:
                job = self._jobs.get(timeout=None if self._notify is None else max(0.0, look_at - time.monotonic()))
            except Empty:
                look_at = time.monotonic() + LOOK_SECONDS
                self._look()
                continue
            if job is None:
                return
            job()
            del job  # it holds what it was asked with
            if self._notify is not None and time.monotonic() >= look_at:
                look_at = time.monotonic() + LOOK_SECONDS
                self._look()

    def _look(self) -> None:
        notify = self._notify
        with suppress(Exception):  # what is wrong with the store is told to whoever uses it
            version = self._store.version()
            if version != self._version and notify is not None:
                self._version = version
                notify()
