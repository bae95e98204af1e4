"""Which accounts there are: at first those that were shown last, then those that this machine has."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable

from quotaline.config import Config
from quotaline.detection.detect import Target, is_active, loaded, profiles, targets_of
from quotaline.refresh.known import Known
from quotaline.store.thread import StoreThread
from quotaline_providers import registry
from quotaline_providers.contract import Account
from quotaline_providers.hosts.machine import Machine

Detect = Callable[[Config, Machine], Awaitable[tuple[Target, ...]]]

SHOWN_NOTE = "shown"
"""Which accounts were shown last: `[[provider, label], ...]`."""
CREDENTIALS_NOTE = "credentials"
"""When a credential was kept or removed last: there may be other accounts than before."""


class Accounts:
    """Keeps the accounts in `known` up to date. `detected` says whether this machine was searched since the start."""

    def __init__(self, store: StoreThread, machine: Machine, known: Known, detect: Detect) -> None:
        self._store = store
        self._machine = machine
        self._known = known
        self._detect = detect
        self._detecting = asyncio.Lock()
        self._credentials_changed: str | None = None
        self.detected = False

    async def open(self) -> None:
        """Show the accounts that were shown last."""
        note = await self._store.do(lambda store: store.note(SHOWN_NOTE))
        self._known.show(await asyncio.to_thread(remembered, note, self._known.config, self._machine))

    async def rescan(self) -> None:
        """Find out which accounts this machine has, without prompting, network or programs."""
        async with self._detecting:
            targets = await self._detect(self._known.config, self._machine)
            new = targets != self._known.targets
            self.detected = True
            self._known.show(targets)
            if new:
                shown = json.dumps([[target.provider.id, target.account_label] for target in targets])
                await self._store.do(lambda store: store.keep_note(SHOWN_NOTE, shown))

    def include(self, ids: Iterable[str]) -> None:
        """Add the accounts of these providers, also when nothing of them was found. Raises KeyError for an id that no
        provider has."""
        shown = {provider.id for provider in self._known.providers}
        named = [registry.get(id) for id in ids if id not in shown]
        more = [target for one in named for target in targets_of(one, self._known.config, self._machine)]
        self._known.show((*self._known.targets, *more))

    # --- credentials that the user gives or removes in any program ---

    async def tell_credentials_changed(self) -> None:
        """Let all programs know that a credential was kept or removed."""
        changed = self._machine.clock().isoformat()
        await self._store.do(lambda store: store.keep_note(CREDENTIALS_NOTE, changed))

    async def credentials_changed(self) -> bool:
        """Whether a credential was kept or removed, here or elsewhere, since the last call."""
        before = self._credentials_changed
        self._credentials_changed = await self._store.do(lambda store: store.note(CREDENTIALS_NOTE))
        return self._credentials_changed != before


def remembered(note: str | None, config: Config, machine: Machine) -> tuple[Target, ...]:
    """The accounts of a `SHOWN_NOTE`, as far as they are known and not switched off. Imports their providers."""
    try:
        pairs = [(str(provider), str(label)) for provider, label in json.loads(note or "[]")]
    except (ValueError, TypeError):
        return ()
    targets = []
    for id, label in pairs:
        provider = loaded(id)
        if provider is None or config.provider(id).enabled is False:
            continue
        named = (*profiles(provider, config, machine).accounts, *config.accounts(id))
        known = {account.label: account for account in named}
        account = known.get(label) or (Account(label) if label else None)
        targets.append(Target.of(provider, account, config, is_active(provider, label, config, machine)))
    return tuple(targets)
