"""One editor's session: the running application, its settings, and what has been announced to the client."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from lsprotocol import types

from quotaline import application
from quotaline.config import Loaded, follow
from quotaline.lsp import announcing, lastshown
from quotaline.lsp.documents import Documents
from quotaline.render.protocol import Json, usage_params
from quotaline.render.view import View
from quotaline.settings import Settings
from quotaline.state import Snapshot

if TYPE_CHECKING:
    from quotaline.lsp.server import QuotalineServer

log = logging.getLogger(__name__)

REDRAW_SECONDS = 20.0


class Session:
    """Lives from `initialized` to `shutdown`. Everything here runs in the event loop."""

    def __init__(self, server: QuotalineServer, options: Any) -> None:
        self.server = server
        self.settings, problems = Settings.parse(options)
        self.application = application.build(self.settings)
        self.service = self.application.service
        self.documents = Documents(self)
        self._announcer = announcing.choose(server)
        self._redraw: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._pending = False
        for problem in problems:
            self.warn(problem)

    async def open(self) -> None:
        """Show what the store knows, then begin to refresh."""
        await self.service.open()
        self.announce()
        self.service.subscribe(self._changed)
        await self._took_config(self.application.keeper.loaded)
        await self.service.start()
        self._redraw = asyncio.create_task(self._redraw_as_time_goes(), name="redraw")
        self._watch = asyncio.create_task(follow(self.application.keeper, self._took_config), name="config watch")

    async def close(self) -> None:
        """Take the status line down, stop refreshing, close the store."""
        tasks = [task for task in (self._redraw, self._watch) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(Exception):
            self._announcer.end()
        await self.application.close()

    # --- what is shown ---

    def view(self) -> View:
        """How things are drawn now."""
        now = self.application.machine.clock()
        zone = datetime.now().astimezone().tzinfo
        assert zone is not None
        return View(now, self.settings, zone)

    def usage_params(self) -> dict[str, Json]:
        """The parameters of `quotaline/didChangeUsage`, now."""
        return usage_params(self.service.snapshot(), self.view())

    def report(self, format: Literal["markdown", "html", "text"]) -> str:
        from quotaline.render.report import report

        return report(self.service.snapshot(), self.view(), format)

    def use_settings(self, value: Any) -> None:
        """Take what `workspace/didChangeConfiguration` brought."""
        self.settings, problems = Settings.parse(value)
        self.service.use_settings(self.settings)
        for problem in problems:
            self.warn(problem)

    async def reload_config(self) -> None:
        """Read the config file now, after it was changed on the user's behalf."""
        await self._took_config(await asyncio.to_thread(self.application.keeper.reload))
        await self.service.look_around()

    def warn(self, message: str) -> None:
        """Tell the user in the editor's log."""
        self.server.window_log_message(types.LogMessageParams(types.MessageType.Warning, f"Quotaline: {message}"))

    def _changed(self, snapshot: Snapshot) -> None:
        """Announce soon: changes of one moment go out together."""
        if not self._pending:
            self._pending = True
            asyncio.get_running_loop().call_later(0.05, self.announce)

    def announce(self) -> None:
        """Tell the client what is to be shown now, if that is something new."""
        self._pending = False
        params = self.usage_params()
        self._announcer.announce(params)
        lastshown.keep(self.server.options, params)

    async def _redraw_as_time_goes(self) -> None:
        """Countdowns change without anything happening."""
        while True:
            await asyncio.sleep(REDRAW_SECONDS)
            self.announce()

    async def _took_config(self, loaded: Loaded) -> None:
        """The config file was read (again): use it, or tell what is wrong with it."""
        self.documents.config_loaded(loaded)
        await self.service.use_config(loaded.config, loaded.problem)
