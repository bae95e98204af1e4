"""This computer as the strategies see it: all host facilities in one place, and the contexts made from them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from quotaline_providers import __version__
from quotaline_providers.contract import (
    Account,
    Browsers,
    Context,
    Databases,
    Files,
    Http,
    Keyring,
    Memory,
    Processes,
)
from quotaline_providers.hosts.http.client import HttpClient
from quotaline_providers.hosts.http.private_names import PrivateNames
from quotaline_providers.hosts.workers.pool import WorkerProcesses
from quotaline_providers.settings import ProviderSettings


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Machine:
    """Everything a context is made of. One serves all providers of a process; `close` ends what it has begun."""

    environ: Mapping[str, str]
    home: Path
    http: Http
    processes: Processes
    files: Files
    databases: Databases
    keyring: Keyring
    browsers: Browsers
    memory: Memory
    workers: WorkerProcesses
    platform: str = sys.platform
    clock: Callable[[], datetime] = utc_now
    version: str = __version__

    @classmethod
    def real(
        cls,
        *,
        memory: Memory,
        state_dir: Path,
        environ: Mapping[str, str] | None = None,
        home: Path | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> Machine:
        """The computer this runs on. `state_dir` is a private folder for the list of keyring entries (no secrets)."""
        from quotaline_providers.hosts.browsers.local import LocalBrowsers
        from quotaline_providers.hosts.databases import SqliteDatabases
        from quotaline_providers.hosts.files import DiskFiles
        from quotaline_providers.hosts.keyrings import OsKeyring
        from quotaline_providers.hosts.processes.start import ChildProcesses

        variables = os.environ if environ is None else environ
        workers = WorkerProcesses(variables)
        return cls(
            environ=variables,
            home=home or Path.home(),
            http=HttpClient(variables, version=__version__, clock=clock),
            processes=ChildProcesses(variables),
            files=DiskFiles(workers),
            databases=SqliteDatabases(),
            keyring=OsKeyring(state_dir / "keyring.json", variables),
            browsers=LocalBrowsers(),
            memory=memory,
            workers=workers,
            clock=clock,
        )

    def context(
        self,
        provider_id: str,
        settings: ProviderSettings,
        account: Account | None = None,
        interactive: bool = False,
    ) -> Context:
        """What the strategies of one provider are handed for one read. Only an interactive one may unlock a keyring."""
        from quotaline_providers.hosts.keyrings import OsKeyring

        keyring = self.keyring
        if interactive and isinstance(keyring, OsKeyring):
            keyring = keyring.prompting()
        return Context(
            provider=provider_id,
            settings=settings,
            environ=self.environ,
            home=self.home,
            http=self._http_for(settings),
            processes=self.processes,
            files=self.files,
            databases=self.databases,
            keyring=keyring,
            browsers=self.browsers,
            memory=self.memory,
            account=account,
            interactive=interactive,
            platform=self.platform,
            clock=self.clock,
            version=self.version,
        )

    def _http_for(self, settings: ProviderSettings) -> Http:
        if settings.allow_private_hosts and isinstance(self.http, HttpClient):
            return PrivateNames(self.http)
        return self.http

    async def close(self) -> None:
        """Close connections and end workers. The machine can still be used; it then opens new ones."""
        await self.workers.close()
        if isinstance(self.http, HttpClient):
            await self.http.close()


class VolatileMemory:
    """Implements `contract.Memory` for one process: notes are gone when it ends."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._notes: dict[str, tuple[str, datetime | None, datetime]] = {}

    async def get(self, key: str) -> str | None:
        if key not in self._notes:
            return None
        value, until, kept_at = self._notes[key]
        if until is not None and not kept_at <= self._clock() < until:
            await self.forget(key)
            return None
        return value

    async def set(self, key: str, value: str, until: datetime | None = None) -> None:
        self._notes[key] = (value, until, self._clock())

    async def forget(self, key: str) -> None:
        self._notes.pop(key, None)
