"""Detection in a worker process: the same is found as here, and nothing stays behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from quotaline.config import Config
from quotaline.config.load import load_text
from quotaline.detection.detect import detect
from quotaline.detection.worker import detect_in_worker
from quotaline_providers import registry
from quotaline_providers.hosts.machine import Machine, VolatileMemory
from quotaline_providers.hosts.workers.pool import WorkerProcesses
from quotaline_providers.testing import FakeKeyring


def config(text: str = "{}") -> Config:
    return load_text(text)[0]


@pytest.fixture
def machine(environ: dict[str, str], home: Path) -> Machine:
    real = Machine.real(memory=VolatileMemory(), state_dir=home, environ=environ, home=home)
    return replace(real, keyring=FakeKeyring())


async def test_what_is_found_is_what_would_be_found_here(machine: Machine, home: Path) -> None:
    (home / ".codex").mkdir()
    (home / ".codex" / "auth.json").write_text('{"tokens": {"access_token": "demo-token"}}')
    here = replace(
        machine,
        environ={**machine.environ, "OPENROUTER_API_KEY": "k"},
        keyring=FakeKeyring({("quotaline", "deepseek/Work"): "k"}),
    )
    text = """{"providers": [{"id": "zai", "enabled": true}, {"id": "openrouter", "enabled": false},
        {"id": "crof", "apiKey": "k", "source": "api"}]}"""
    found = await detect_in_worker(config(text), here)
    await machine.close()
    assert [target.key for target in found] == ["zai", "crof", "codex", "deepseek/Work"]
    assert found == detect(config(text), here)
    assert all(target.provider is registry.get(target.provider.id) for target in found), "no provider crosses over"


async def test_nothing_stays_behind(machine: Machine) -> None:
    assert await detect_in_worker(config(), machine) == ()
    await machine.close()
    assert machine.workers.pids == ()


async def test_where_no_worker_can_be_started_detection_is_done_here(machine: Machine) -> None:
    here = replace(machine, environ={**machine.environ, "OPENROUTER_API_KEY": "k"}, workers=WorkerProcesses({}, ""))
    assert [target.key for target in await detect_in_worker(config(), here)] == ["openrouter"]
