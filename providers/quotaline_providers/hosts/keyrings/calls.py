"""Calls of the `keyring` library, which is slow to import and may wait for a person.

Every call runs in a daemon thread of its own with a deadline, so that a locked keyring holds up neither the event loop
nor the end of the program.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import TypeVar

from quotaline_providers.hosts.keyrings.backends import entries_of
from quotaline_providers.hosts.keyrings.entries import Entries, LockedError

T = TypeVar("T")
Abandoned = Callable[[], bool]
"""Whether nobody waits for the result of a call any more."""

TIMEOUT = 10.0
"""Seconds after which a keyring is considered locked or dead."""

_MAX_CALLS = 4  # that may wait for the keyring at the same time


class Calls:
    """Runs calls in threads, a few at once. While an abandoned one is stuck, those that may not prompt are refused."""

    def __init__(self, backend: str | None) -> None:
        self._backend_name = backend
        self._slots = threading.BoundedSemaphore(_MAX_CALLS)
        self._stuck: list[threading.Thread] = []

    async def call(self, work: Callable[[Entries, Abandoned], T], *, prompts: bool) -> T:
        """Raises NoKeyringError, LockedError, TimeoutError and whatever else `work` raises."""
        self._stuck = [thread for thread in self._stuck if thread.is_alive()]
        if self._stuck and not prompts:
            raise LockedError
        result: Future[T] = Future()

        def execute() -> None:
            with self._slots:
                if result.cancelled():
                    return
                try:
                    value = work(self._entries(), result.cancelled)
                except Exception as raised:
                    with contextlib.suppress(InvalidStateError):
                        result.set_exception(LockedError() if _says_locked(raised) else raised)
                else:
                    with contextlib.suppress(InvalidStateError):
                        result.set_result(value)

        thread = threading.Thread(target=execute, name="quotaline-keyring", daemon=True)
        thread.start()
        try:
            async with asyncio.timeout(TIMEOUT):
                return await asyncio.wrap_future(result)
        except (TimeoutError, asyncio.CancelledError):
            self._stuck.append(thread)
            raise

    def _entries(self) -> Entries:
        import keyring
        import keyring.core

        backend = keyring.core.load_keyring(self._backend_name) if self._backend_name else keyring.get_keyring()
        return entries_of(backend)


def _says_locked(error: Exception) -> bool:
    """Whether the library says that the user did not unlock the keyring."""
    from keyring.errors import KeyringLocked

    return isinstance(error, KeyringLocked)
