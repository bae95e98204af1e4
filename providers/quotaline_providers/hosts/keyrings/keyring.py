"""The user's keyring: other programs' entries are read, our own credentials are kept, listed and removed."""

from __future__ import annotations

import asyncio
import copy
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from quotaline_providers.contract import KeyringState
from quotaline_providers.diagnostics import note_defect
from quotaline_providers.hosts.keyrings.calls import Abandoned, Calls
from quotaline_providers.hosts.keyrings.entries import Entries, LockedError, NoKeyringError, TooLongError
from quotaline_providers.hosts.keyrings.index import Index, Stamp, account_name
from quotaline_providers.secret import Secret

T = TypeVar("T")

log = logging.getLogger(__name__)

SERVICE = "quotaline"

_STATES: Mapping[type[Exception], KeyringState] = {
    NoKeyringError: KeyringState.NONE,
    LockedError: KeyringState.LOCKED,
    TimeoutError: KeyringState.SILENT,
}


class Outcome(StrEnum):
    """What became of a credential that was to be kept."""

    KEPT = "kept"
    NO_KEYRING = "no keyring"
    LOCKED = "locked"
    SILENT = "silent"
    TOO_LONG = "too long"
    REFUSED = "refused"
    """The keyring failed, or does not give back what it was given."""
    UNLISTED = "unlisted"
    """The list of entries cannot be written, without which the credential would never be found again."""


_OUTCOMES: Mapping[KeyringState, Outcome] = {
    KeyringState.NONE: Outcome.NO_KEYRING,
    KeyringState.LOCKED: Outcome.LOCKED,
    KeyringState.SILENT: Outcome.SILENT,
}


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a credential that was to be kept; true when the keyring has it. `older_left`: an older one is
    still in the keyring and not used any more."""

    outcome: Outcome
    older_left: bool = False

    def __bool__(self) -> bool:
        return self.outcome is Outcome.KEPT


@dataclass
class _Shared:
    """What all views of a keyring share: how it answered last, and the entries that the user allowed to be read.

    A keyring that asks for every single entry (macOS) asks no timer: after a permission was given once, the background
    uses what it was given for.
    """

    state: KeyringState = KeyringState.READY
    granted: dict[tuple[str, str], tuple[str, Stamp | None]] = field(default_factory=dict)


class OsKeyring:
    """The user's keyring: the `Keyring` of the contract, and keeping our own credentials in it.

    Reading never makes a keyring ask for a password or a permission, except through the view that `prompting` gives.
    Nothing the library raises gets out.
    """

    def __init__(self, index_path: Path, environ: Mapping[str, str]) -> None:
        self._index = Index(index_path)
        self._calls = Calls(environ.get("PYTHON_KEYRING_BACKEND"))
        self._prompts = False
        self._shared = _Shared()

    @property
    def state(self) -> KeyringState:
        return self._shared.state

    @property
    def index_path(self) -> Path:
        """The list of the entries that are ours."""
        return self._index.path

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
        quiet = not self._prompts

        def work(entries: Entries, _: Abandoned) -> str | None:
            value = entries.get(service, account, quiet=quiet)
            if entries.grants_one_by_one:
                self._remember(service, account, value)
            return value

        value = await self._try("read", work, self._prompts)
        if value is None and self.state is KeyringState.LOCKED:
            if quiet:
                value = await asyncio.to_thread(self._remembered, service, account)
                self._shared.state = KeyringState.LOCKED if value is None else KeyringState.READY
            else:  # the user said no
                self._shared.granted.pop((service, account), None)
        return Secret(value) if value else None

    async def own(self, provider: str, label: str = "") -> Secret | None:
        """A credential the user gave us."""
        return await self.get(SERVICE, account_name(provider, label))

    async def store(self, provider: str, secret: Secret, label: str = "") -> Stored:
        """Keep a credential. When that fails, an older one of this name is not used any more either: it was meant to
        be replaced, and would come before the one that is now kept elsewhere."""
        outcome = await self._store(account_name(provider, label), secret)
        if outcome is Outcome.KEPT:
            if await self._listed(self._index.add, provider, label) is not None:
                return Stored(outcome)
            outcome = Outcome.UNLISTED
        return Stored(outcome, await self._drop_older(provider, label, outcome))

    async def _store(self, account: str, secret: Secret) -> Outcome:
        value = secret.reveal()

        def work(entries: Entries, abandoned: Abandoned) -> Outcome:
            try:
                entries.set(SERVICE, account, value)
            except TooLongError:
                return Outcome.TOO_LONG
            if abandoned():  # unlocked too late: the caller has put it elsewhere
                entries.delete(SERVICE, account)
                return Outcome.SILENT
            if entries.get(SERVICE, account, quiet=False) != value:
                return Outcome.REFUSED
            return Outcome.KEPT

        if not value:
            return Outcome.REFUSED
        self._shared.granted.pop((SERVICE, account), None)
        outcome = await self._try("write", work, prompts=True)
        return outcome or _OUTCOMES.get(self.state, Outcome.REFUSED)

    async def _drop_older(self, provider: str, label: str, outcome: Outcome) -> bool:
        """Take an older credential out of the keyring and its list, and whether it is still in the keyring. One that
        is locked or does not answer is not asked once more."""
        listed = label in self.labels(provider)
        work = self._deletion(account_name(provider, label))
        asks = outcome not in (Outcome.NO_KEYRING, Outcome.LOCKED, Outcome.SILENT)
        gone = asks and await self._try("remove", work, prompts=True) is not None
        await self._listed(self._index.discard, provider, label)
        return listed and not gone

    async def remove(self, provider: str, label: str = "") -> bool:
        """Forget a credential. True when it was there and is gone; False when it was not there or still is."""
        kept = await self._try("remove", self._deletion(account_name(provider, label)), prompts=True)
        if kept is None:
            return False
        listed = await self._listed(self._index.discard, provider, label)
        return kept or bool(listed)

    async def backend_name(self) -> str:
        """Which keyring is used, for people: its name, `none`, or `not answering`."""
        try:
            return await self._calls.call(lambda entries, _: entries.name, prompts=True)
        except TimeoutError:
            return "not answering"
        except Exception as raised:
            return "none" if isinstance(raised, NoKeyringError) else f"none ({type(raised).__name__})"

    def _deletion(self, account: str) -> Callable[[Entries, Abandoned], bool]:
        self._shared.granted.pop((SERVICE, account), None)
        return lambda entries, _: entries.delete(SERVICE, account)

    async def _listed(self, change: Callable[[str, str], T], provider: str, label: str) -> T | None:
        """Change the list; None when it cannot be written."""
        try:
            return await asyncio.to_thread(change, provider, label)
        except OSError as raised:
            log.warning("the list of keyring entries could not be written: %s", type(raised).__name__)
            return None

    def _remember(self, service: str, account: str, value: str | None) -> None:
        if value is None:
            self._shared.granted.pop((service, account), None)
        else:
            self._shared.granted[service, account] = (value, self._index.stamp())

    def _remembered(self, service: str, account: str) -> str | None:
        """What the user allowed to be read before. One of ours may have been replaced since the list was changed."""
        value, stamp = self._shared.granted.get((service, account), (None, None))
        return value if service != SERVICE or stamp == self._index.stamp() else None

    async def _try(self, what: str, work: Callable[[Entries, Abandoned], T], prompts: bool) -> T | None:
        try:
            value = await self._calls.call(work, prompts=prompts)
        except (NoKeyringError, LockedError, TimeoutError) as raised:
            self._shared.state = _STATES[type(raised)]
            log.debug("keyring: no %s: %s", what, type(raised).__name__)
        except Exception as raised:
            self._shared.state = KeyringState.FAILED
            note_defect(f"keyring {what}", raised)
        else:
            self._shared.state = KeyringState.READY
            return value
        return None
