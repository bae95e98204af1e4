"""Detection in a worker process: it imports all providers there are, of which a sidecar shows few.

Only ids go to the worker and come back: a `Target` and its provider never leave the process that made them.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from quotaline.config import Config
from quotaline.detection.detect import Target, detect, inspect, loaded, ordered_ids, targets_of
from quotaline_providers import registry
from quotaline_providers.contract import KeyringState
from quotaline_providers.diagnostics import Defect, defects, keep_defect
from quotaline_providers.errors import ReadError
from quotaline_providers.hosts.machine import Machine, VolatileMemory
from quotaline_providers.secret import Secret

log = logging.getLogger(__name__)

SECONDS = 60.0
"""How long the worker may take."""


@dataclass(frozen=True)
class DetectionInput:
    """What the worker is told of this machine. `labels` are those of the keyring, by provider."""

    config: Config
    environ: Mapping[str, str] = field(repr=False)
    home: Path
    platform: str
    labels: Mapping[str, tuple[str, ...]]
    process: int = field(default_factory=os.getpid)
    """The process that asks."""
    agreed: registry.Agreed = field(default_factory=registry.Agreed)


@dataclass(frozen=True)
class Found:
    """The providers to be shown, those that are broken, and the defects that were noted meanwhile: nobody sees the log
    of a worker."""

    shown: tuple[str, ...]
    broken: tuple[registry.Broken, ...]
    defects: tuple[Defect, ...]


@dataclass(frozen=True)
class KnownLabels:
    """A keyring whose labels are known and that gives nothing out: detection needs no more."""

    by_provider: Mapping[str, tuple[str, ...]]
    state: KeyringState = KeyringState.NONE

    def labels(self, provider: str) -> tuple[str, ...]:
        return self.by_provider.get(provider, ())

    async def get(self, service: str, account: str) -> Secret | None:
        return None

    async def own(self, provider: str, label: str = "") -> Secret | None:
        return None


def look(inputs: DetectionInput, ids: tuple[str, ...]) -> Found:
    """Look for all of these providers."""
    registry.use(inputs.agreed)
    real = Machine.real(memory=VolatileMemory(), state_dir=inputs.home, environ=inputs.environ, home=inputs.home)
    machine = replace(real, keyring=KnownLabels(inputs.labels), platform=inputs.platform)
    providers = (provider for id in ids if (provider := loaded(id)) is not None)
    found = tuple(provider.id for provider in providers if inspect(provider, inputs.config, machine).shown)
    return Found(found, registry.known_broken(), defects() if os.getpid() != inputs.process else ())


async def detect_in_worker(config: Config, machine: Machine) -> tuple[Target, ...]:
    """As `detect`, but only the providers that are shown are imported here."""
    ids = tuple(id for id in ordered_ids(config) if config.provider(id).enabled is not False)
    labels = {id: machine.keyring.labels(id) for id in ids}
    inputs = DetectionInput(
        config, dict(machine.environ), machine.home, machine.platform, labels, agreed=registry.agreed()
    )
    try:
        found = await machine.workers.run(look, inputs, ids, timeout=SECONDS, keep=False)
    except ReadError as error:
        log.warning("detection in a worker failed: %s", error.kind)
        return await asyncio.to_thread(detect, config, machine)
    for defect in found.defects:
        keep_defect(defect)
    registry.learn(found.broken)
    return await asyncio.to_thread(_targets, found.shown, config, machine)


def _targets(ids: Sequence[str], config: Config, machine: Machine) -> tuple[Target, ...]:
    providers = (provider for id in ids if (provider := loaded(id)) is not None)
    return tuple(target for provider in providers for target in targets_of(provider, config, machine))
