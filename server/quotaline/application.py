"""Builds one Quotaline from this user's folders: config, store, machine, service. For the sidecar and the commands."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quotaline import approvals
from quotaline.config import Config, ConfigKeeper
from quotaline.detection.detect import Target, detected
from quotaline.detection.worker import detect_in_worker
from quotaline.paths import cache_folder, data_folder, own_folders, state_folder
from quotaline.refresh.notes import SharedNotes
from quotaline.refresh.service import Service
from quotaline.settings import Settings
from quotaline.store import defects
from quotaline.store.store import Store
from quotaline.store.thread import StoreThread
from quotaline_providers import diagnostics, registry
from quotaline_providers.hosts.keyrings import OsKeyring
from quotaline_providers.hosts.machine import Machine
from quotaline_providers.hosts.privacy import close_to_others


@dataclass(frozen=True)
class Application:
    """The parts of one running Quotaline. `close` ends them all."""

    keeper: ConfigKeeper
    machine: Machine
    keyring: OsKeyring
    service: Service
    store: StoreThread
    store_path: Path

    async def close(self) -> None:
        await self.service.close()


def build(
    settings: Settings | None = None, environ: Mapping[str, str] | None = None, *, lasting: bool = False
) -> Application:
    """Read the config and put the parts together, with these settings over its own. Nothing is fetched and nothing is
    written yet, but others are kept out of our folders.

    One that is `lasting` detects in a worker process, so as not to hold providers that are not shown.
    """
    for folder in own_folders():
        close_to_others(folder)
    registry.use(approvals.agreed())
    variables = os.environ if environ is None else environ
    home = Path.home()
    store = Store(cache_folder(), history_folder=state_folder())
    thread = StoreThread(store)
    diagnostics.sink = lambda defect: thread.post(lambda store: defects.keep(store, defect))
    machine = Machine.real(memory=SharedNotes(thread), state_dir=data_folder(), environ=variables, home=home)
    assert isinstance(machine.keyring, OsKeyring)
    keeper = ConfigKeeper(variables, home, kept=machine.keyring.labels, kept_list=data_folder() / "keyring.json")
    find_targets = detect_in_worker if lasting else detected

    async def detect(config: Config, machine: Machine) -> tuple[Target, ...]:
        registry.use(await asyncio.to_thread(approvals.agreed))  # the user may have agreed to more since
        return await find_targets(config, machine)

    config = keeper.loaded.config
    service = Service(thread, machine, config, (settings or Settings()).over(config.display), detect=detect)
    diagnostics.on_upgrade = service.restart_due
    return Application(keeper, machine, machine.keyring, service, thread, store.path)
