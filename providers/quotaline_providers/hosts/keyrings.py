"""The OS keyring: the only place that touches the `keyring` library, which is slow to import and may wait for a person.

Every call runs in a daemon thread of its own with a deadline, so that a locked keyring holds up neither the event loop
nor the end of the program. An index file beside the settings tells which credentials exist without asking it.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from quotaline_providers.contract import KeyringState
from quotaline_providers.diagnostics import note_defect
from quotaline_providers.hosts.files import locked, replace_file
from quotaline_providers.secret import Secret

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")
Abandoned = Callable[[], bool]
"""Whether nobody waits for the result of a call any more."""

log = logging.getLogger(__name__)

SERVICE = "quotaline"
TIMEOUT = 10.0
"""Seconds after which a keyring is considered locked or dead."""

_MAX_CALLS = 4  # that may wait for the keyring at the same time
_DEFAULT_COLLECTION = "/org/freedesktop/secrets/aliases/default"


class _NoKeyringError(Exception):
    """Nothing here keeps secrets."""


class _LockedError(Exception):
    """The keyring would have to ask the user for its password."""


# --- which credentials exist -----------------------------------------------------------------------


@dataclass
class Index:
    """The labels of the user's own credentials by provider, in a JSON file that holds no secret. A broken or missing
    file is an empty index."""

    path: Path
    _seen: tuple[int, int, int] | None = None
    _labels: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def labels(self, provider: str) -> tuple[str, ...]:
        return self._read().get(provider, ())

    def add(self, provider: str, label: str) -> None:
        """Raises OSError when the file cannot be written."""
        with locked(self.path):
            known = self._read()
            self._write({**known, provider: tuple(sorted({*known.get(provider, ()), label}))})

    def discard(self, provider: str, label: str) -> bool:
        """Whether it was there. Raises OSError when the file cannot be written."""
        with locked(self.path):
            known = dict(self._read())
            if label not in known.get(provider, ()):
                return False
            known[provider] = tuple(other for other in known[provider] if other != label)
            self._write({name: labels for name, labels in known.items() if labels})
            return True

    def _read(self) -> dict[str, tuple[str, ...]]:
        try:
            status = self.path.stat()
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
            if seen != self._seen:
                self._labels = parse_index(self.path.read_text("utf-8", "replace"))
                self._seen = seen
        except OSError:
            self._seen, self._labels = None, {}
        return self._labels

    def _write(self, labels: Mapping[str, tuple[str, ...]]) -> None:
        replace_file(self.path, json.dumps({"version": 1, "providers": labels}, indent=2, sort_keys=True))


def parse_index(text: str) -> dict[str, tuple[str, ...]]:
    """What an index file says, leaving out whatever is not as it should be."""
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    providers = document.get("providers") if isinstance(document, dict) else None
    if not isinstance(providers, dict):
        return {}
    return {
        str(provider): tuple(label for label in labels if isinstance(label, str))
        for provider, labels in providers.items()
        if isinstance(labels, list)
    }


def account_name(provider: str, label: str = "") -> str:
    """The keyring account of one of our own credentials."""
    return f"{provider}/{label}" if label else provider


# --- the library, seen from a thread ---------------------------------------------------------------


def _usable(backend: KeyringBackend) -> bool:
    from keyring.backends import chainer, fail, null

    if isinstance(backend, chainer.ChainerBackend):
        return any(_usable(member) for member in backend.backends)
    return not isinstance(backend, fail.Keyring | null.Keyring)


def _name(backend: KeyringBackend) -> str:
    from keyring.backends import chainer

    if isinstance(backend, chainer.ChainerBackend):
        return ", ".join(_name(member) for member in backend.backends if _usable(member))
    return str(backend.name)


def _would_prompt(backend: KeyringBackend) -> bool:
    """Whether reading would make a Secret Service ask for a password. Other keyrings do not tell."""
    from keyring.backends import SecretService, chainer

    if isinstance(backend, chainer.ChainerBackend):
        return any(_would_prompt(member) for member in backend.backends)
    if not isinstance(backend, SecretService.Keyring):
        return False
    import secretstorage
    from secretstorage.exceptions import ItemNotFoundException

    with contextlib.closing(secretstorage.dbus_init()) as bus:
        try:
            path = getattr(backend, "preferred_collection", _DEFAULT_COLLECTION)
            collection = secretstorage.Collection(bus, path)
            return bool(collection.is_locked())
        except ItemNotFoundException:  # no collection yet: the library would ask for a password to make one
            return True


def _says_locked(error: Exception) -> bool:
    """Whether the library says that the user did not unlock the keyring."""
    from keyring.errors import KeyringLocked

    return isinstance(error, KeyringLocked)


class _Library:
    """Runs calls in threads, a few at once. While an abandoned one is stuck, those that may not prompt are refused."""

    def __init__(self, backend: str | None) -> None:
        self._backend_name = backend
        self._slots = threading.BoundedSemaphore(_MAX_CALLS)
        self._stuck: list[threading.Thread] = []

    async def call(self, work: Callable[[KeyringBackend, Abandoned], T], *, prompts: bool) -> T:
        """Raises _NoKeyringError, _LockedError, TimeoutError and whatever the library raises."""
        self._stuck = [thread for thread in self._stuck if thread.is_alive()]
        if self._stuck and not prompts:
            raise _LockedError
        result: Future[T] = Future()

        def execute() -> None:
            with self._slots:
                if result.cancelled():
                    return
                try:
                    value = work(self._backend(prompts), result.cancelled)
                except Exception as raised:
                    with contextlib.suppress(InvalidStateError):
                        result.set_exception(_LockedError() if _says_locked(raised) else raised)
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

    def _backend(self, prompts: bool) -> KeyringBackend:
        import keyring
        import keyring.core

        backend = keyring.core.load_keyring(self._backend_name) if self._backend_name else keyring.get_keyring()
        if not _usable(backend):
            raise _NoKeyringError
        if not prompts and _would_prompt(backend):
            raise _LockedError
        return backend


# --- the facility ----------------------------------------------------------------------------------


_STATES: Mapping[type[Exception], KeyringState] = {
    _NoKeyringError: KeyringState.NONE,
    _LockedError: KeyringState.LOCKED,
    TimeoutError: KeyringState.SILENT,
}


@dataclass
class _Last:
    """How the keyring answered last, shared by all views of it."""

    state: KeyringState = KeyringState.READY


class OsKeyring:
    """The user's keyring: the `Keyring` of the contract, and keeping our own credentials in it.

    Reading never makes a Secret Service ask for its password, except through the view that `prompting` gives. Nothing
    the library raises gets out.
    """

    def __init__(self, index_path: Path, environ: Mapping[str, str]) -> None:
        self._index = Index(index_path)
        self._library = _Library(environ.get("PYTHON_KEYRING_BACKEND"))
        self._prompts = False
        self._last = _Last()

    @property
    def state(self) -> KeyringState:
        return self._last.state

    def prompting(self) -> OsKeyring:
        """The same keyring for a read the user asked for: a locked one may ask for its password."""
        view = copy.copy(self)
        view._prompts = True
        return view

    def labels(self, provider: str) -> tuple[str, ...]:
        """Labels of the credentials the user gave for this provider. Asks no keyring."""
        return self._index.labels(provider)

    async def get(self, service: str, account: str) -> Secret | None:
        """An entry; None when absent, when no keyring works, or when it is locked."""
        value = await self._try("read", lambda backend, _: backend.get_password(service, account), self._prompts)
        return Secret(value) if value else None

    async def own(self, provider: str, label: str = "") -> Secret | None:
        """A credential the user gave us."""
        return await self.get(SERVICE, account_name(provider, label))

    async def store(self, provider: str, secret: Secret, label: str = "") -> bool:
        """Keep a credential. True when the keyring gave it back; False when there is none that works."""
        account = account_name(provider, label)

        def work(backend: KeyringBackend, abandoned: Abandoned) -> bool:
            backend.set_password(SERVICE, account, secret.reveal())
            if abandoned():  # unlocked too late: the caller has put it elsewhere
                backend.delete_password(SERVICE, account)
                return False
            return backend.get_password(SERVICE, account) == secret.reveal()

        if not secret.reveal() or not await self._try("write", work, prompts=True):
            return False
        try:
            await asyncio.to_thread(self._index.add, provider, label)
        except OSError as raised:  # it would never be found again
            log.warning("the list of keyring entries could not be written: %s", type(raised).__name__)
            await self._try("remove", lambda backend, _: backend.delete_password(SERVICE, account), prompts=True)
            return False
        return True

    async def remove(self, provider: str, label: str = "") -> bool:
        """Forget a credential. True when it was there and is gone; False when it was not there or still is."""
        account = account_name(provider, label)

        def work(backend: KeyringBackend, _: Abandoned) -> bool:
            kept = backend.get_password(SERVICE, account) is not None
            if kept:
                backend.delete_password(SERVICE, account)
            return kept

        kept = await self._try("remove", work, prompts=True)
        if kept is None:
            return False
        try:
            listed = await asyncio.to_thread(self._index.discard, provider, label)
        except OSError as raised:
            log.warning("the list of keyring entries could not be written: %s", type(raised).__name__)
            listed = False
        return kept or listed

    async def backend_name(self) -> str:
        """Which keyring is used, for people: its name, `none`, or `not answering`."""
        try:
            return await self._library.call(lambda backend, _: _name(backend), prompts=True)
        except TimeoutError:
            return "not answering"
        except Exception as raised:
            return "none" if isinstance(raised, _NoKeyringError) else f"none ({type(raised).__name__})"

    async def _try(self, what: str, work: Callable[[KeyringBackend, Abandoned], T], prompts: bool) -> T | None:
        try:
            value = await self._library.call(work, prompts=prompts)
        except (_NoKeyringError, _LockedError, TimeoutError) as raised:
            self._last.state = _STATES[type(raised)]
            log.debug("keyring: no %s: %s", what, type(raised).__name__)
        except Exception as raised:
            self._last.state = KeyringState.FAILED
            note_defect(f"keyring {what}", raised)
        else:
            self._last.state = KeyringState.READY
            return value
        return None
