"""Looking this machine over in a worker process: all providers there are must be imported for it, few are shown."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from quotaline.config import Config
from quotaline.detection.detect import Target, detect, inspect, loaded, targets_of
from quotaline_providers import registry
from quotaline_providers.diagnostics import Defect, defects, keep_defect
from quotaline_providers.errors import ReadError
from quotaline_providers.hosts.machine import Machine, VolatileMemory
from quotaline_providers.secret import Secret

log = logging.getLogger(__name__)

SECONDS = 60.0


@dataclass(frozen=True)
class DetectionInput:
    """What a machine is looked over with. `labels` are those of the keyring, by provider."""

    config: Config
    environ: Mapping[str, str] = field(repr=False)
    home: Path
    platform: str
    labels: Mapping[str, tuple[str, ...]]
    process: int = field(default_factory=os.getpid)
    """The process that asks."""


@dataclass(frozen=True)
class KnownLabels:
    """A keyring that is not asked for anything: the labels are known, and detection needs no more."""

    by_provider: Mapping[str, tuple[str, ...]]

    def labels(self, provider: str) -> tuple[str, ...]:
        return self.by_provider.get(provider, ())

    async def get(self, service: str, account: str) -> Secret | None:
        return None

    async def own(self, provider: str, label: str = "") -> Secret | None:
        return None


def shown(inputs: DetectionInput, ids: tuple[str, ...]) -> tuple[dict[str, str], tuple[Defect, ...]]:
    """Those of these providers that are to be shown, each with the place where something of it was found (or none),
    and the defects that were noted meanwhile: nobody sees the log of a worker."""
    real = Machine.real(memory=VolatileMemory(), state_dir=inputs.home, environ=inputs.environ, home=inputs.home)
    machine = replace(real, keyring=KnownLabels(inputs.labels), platform=inputs.platform)
    found: dict[str, str] = {}
    for id in ids:
        if (provider := loaded(id)) is not None:
            inspection = inspect(provider, inputs.config, machine)
            if inspection.shown:
                found[id] = inspection.found[0] if inspection.found else ""
    return found, defects() if os.getpid() != inputs.process else ()


async def detect_in_worker(config: Config, machine: Machine) -> tuple[Target, ...]:
    """As `detect`, but only the providers that are shown are imported here."""
    ids = _in_order(config)
    labels = {id: machine.keyring.labels(id) for id in ids}
    inputs = DetectionInput(config, dict(machine.environ), machine.home, machine.platform, labels)
    try:
        found, noted = await machine.workers.run(shown, inputs, ids, timeout=SECONDS, keep=False)
    except ReadError as error:
        log.warning("detection in a worker failed: %s", error.kind)
        return await asyncio.to_thread(detect, config, machine)
    for defect in noted:
        keep_defect(defect)
    return await asyncio.to_thread(_targets, found, config, machine)


def _targets(found: Mapping[str, str], config: Config, machine: Machine) -> tuple[Target, ...]:
    providers = ((loaded(id), origin) for id, origin in found.items())
    return tuple(
        target
        for provider, origin in providers
        if provider is not None
        for target in targets_of(provider, config, machine, origin)
    )


def _in_order(config: Config) -> tuple[str, ...]:
    """The ids of all providers that are not switched off: those the config lists first, in its order."""
    ids = dict.fromkeys((*(id for id in config.order if id in registry.ids()), *registry.ids()))
    return tuple(id for id in ids if config.provider(id).enabled is not False)
