"""One user's folders, on which services are opened one after another or side by side."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from quotaline.config.load import load_text
from quotaline.config.model import Config
from quotaline.refresh.notes import SharedNotes
from quotaline.refresh.service import Service
from quotaline.settings import Settings
from quotaline.store.store import Store
from quotaline.store.thread import StoreThread
from quotaline_providers.hosts.machine import Machine
from quotaline_providers.testing import Clock, FakeKeyring, Route

ONE_KEY = '{"providers": [{"id": "openrouter", "enabled": true, "apiKey": "k"}]}'
OTHER_KEY = ONE_KEY.replace('"k"', '"other"')
TWO_ACCOUNTS = """{"providers": [{"id": "openrouter", "enabled": true, "tokenAccounts": {"accounts": [
    {"label": "Home", "token": "h"}, {"label": "Work", "token": "w"}]}}]}"""

RESTART = "A newer Quotaline has taken over. Restart the editor."


class NewerStore(StoreThread):
    """A store that a newer program owns, as long as `newer` says so."""

    newer: str | None = RESTART

    @property
    def restart_due(self) -> str | None:
        return self.newer


class House:
    """Its services have real HTTP, a real store and a clock that only moves when told."""

    def __init__(self, environ: dict[str, str], home: Path, clock: Clock, folder: Path) -> None:
        self.environ, self.home, self.clock, self.folder = environ, home, clock, folder
        self.services: list[Service] = []

    async def open(self, text: str = ONE_KEY, thread: type[StoreThread] = StoreThread, **settings: Any) -> Service:
        """A service with this config, in which the machine was searched."""
        store = thread(Store(self.folder, self.clock))
        machine = Machine.real(
            memory=SharedNotes(store),
            state_dir=self.folder / "state",
            environ=self.environ,
            home=self.home,
            clock=self.clock,
        )
        service = Service(store, replace(machine, keyring=FakeKeyring()), config(text), Settings(**settings))
        self.services.append(service)
        await service.open()
        await service.rescan()
        return service

    async def close(self, service: Service) -> None:
        self.services.remove(service)
        await service.close()


async def round_of(service: Service) -> None:
    """What the loop does in one round, with the reads that it begins."""
    await service._loop.round()
    await asyncio.gather(*service._reader.tasks, *service._loop.status_tasks)


def config(text: str) -> Config:
    return load_text(text)[0]


def percent(service: Service, key: str = "openrouter") -> float | None:
    """How much is used of an account's credits, None when that is not known."""
    usage = service.state(key).usage
    return None if usage is None else usage.window("credits").used_percent


def used(route: Route, amount: float) -> Route:
    """The next answer of OpenRouter's credits: so much of 10 dollars is used."""
    return route.answers(data={"total_credits": 10, "total_usage": amount})
