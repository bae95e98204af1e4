"""Reads every provider on a machine where nothing is; prints for each the seconds that took and the error's kind."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path

from quotaline_providers import registry
from quotaline_providers.hosts.machine import Machine, VolatileMemory
from quotaline_providers.run import run
from quotaline_providers.settings import ProviderSettings


async def read_all(home: Path) -> dict[str, tuple[float, str]]:
    environ = {"HOME": str(home), "USERPROFILE": str(home), "PATH": str(home), "PYTHON_KEYRING_BACKEND": _NO_KEYRING}
    found: dict[str, tuple[float, str]] = {}
    machine = Machine.real(memory=VolatileMemory(), state_dir=home, environ=environ, home=home)
    for provider in [provider for provider in registry.every() if not provider.ended]:
        began = time.perf_counter()
        outcome = await run(provider, machine.context(provider.id, ProviderSettings(id=provider.id)))
        kind = outcome.error.kind.value if outcome.error is not None else ""
        found[provider.id] = time.perf_counter() - began, kind
    await machine.close()
    return found


_NO_KEYRING = "keyring.backends.null.Keyring"

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(read_all(Path(folder)))))
