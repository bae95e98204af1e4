"""One editor's session: the running application, its settings, and what has been published to the client."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from quotaline import application
from quotaline.config import Loaded, follow
from quotaline.lsp import status_publishers
from quotaline.lsp.client import Client
from quotaline.lsp.documents import Documents
from quotaline.lsp.methods import RESTART_DUE
from quotaline.render import wire
from quotaline.render.protocol import usage_params
from quotaline.render.view import View
from quotaline.settings import Settings
from quotaline.state import Snapshot
from quotaline.store import startup_cache_writer
from quotaline_providers.diagnostics import note_defect, note_unhandled

PUBLISH_SECONDS = 30.0
"""How often is published without a change: countdowns go on."""
REUSE_FOR = timedelta(seconds=1)
"""How long parameters are given out again while the snapshot and the settings are the same."""
GATHER_SECONDS = 0.05
"""Changes within this time are published together."""
_CREDENTIALS: tuple[tuple[wire.CredentialKind, str], ...] = (("key", "apiKey"), ("cookie", "cookieHeader"))
"""What a user can give for a provider, and the config field that says whether it is taken."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The parameters that were rendered last, and what of."""

    snapshot: Snapshot
    view: View
    params: wire.UsageParams

    def is_current(self, snapshot: Snapshot, view: View) -> bool:
        """Whether the same would be rendered now."""
        young = timedelta() <= view.now - self.view.now < REUSE_FOR
        return young and view.settings is self.view.settings and snapshot == self.snapshot


def rendering(snapshot: Snapshot, params: wire.UsageParams, view: View) -> startup_cache_writer.Rendering:
    """What is shown now, for the startup cache."""
    absolute = replace(view, settings=view.settings.model_copy(update={"reset_times": "absolute"}))
    return startup_cache_writer.Rendering(
        snapshot,
        params.to_json(),
        view.now.astimezone(view.zone),
        lambda other: usage_params(other, absolute).to_json(),
    )


class Session:
    """Lives from `initialized` to `shutdown`. Everything here runs in the event loop."""

    def __init__(self, client: Client, options: Any) -> None:
        self.client = client
        self._set, problems = Settings.parse(options)
        self.application = application.build(self._set, lasting=True)
        self.settings = self._set.over(self.application.keeper.loaded.config.display)
        self.service = self.application.service
        self.documents = Documents(client, self.application, self.view)
        self._options = options
        self._publisher = status_publishers.choose(client, self.settings.plain_status)
        self._publishing: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._rendered: Rendered | None = None
        self._changes = asyncio.Event()
        self._publish_lock = asyncio.Lock()
        self._told_restart_due = False
        for problem in problems:
            self.warn(problem)

    async def open(self) -> None:
        """Show what the store knows, then begin to refresh."""
        asyncio.get_running_loop().set_exception_handler(note_unhandled)
        await self.service.open()
        self.publish_now()
        self.service.subscribe(self._changed)
        await self._config_loaded(self.application.keeper.loaded)
        await self.service.start()
        self._publishing = asyncio.create_task(self._publish_changes(), name="publishing")
        self._watch = asyncio.create_task(follow(self.application.keeper, self._config_loaded), name="config watch")

    async def close(self) -> None:
        """Take the status line down, stop refreshing, close the store."""
        tasks = [task for task in (self._publishing, self._watch) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(Exception):
            self._publisher.close()
        await self.application.close()

    # --- what is shown ---

    def view(self) -> View:
        """How things are drawn now."""
        now = self.application.machine.clock()
        zone = datetime.now().astimezone().tzinfo
        assert zone is not None
        return View(now, self.settings, zone)

    def usage_params(self) -> wire.UsageParams:
        """The parameters of `quotaline/didChangeUsage`, now."""
        snapshot, view = self.service.snapshot(), self.view()
        if self._rendered is None or not self._rendered.is_current(snapshot, view):
            self._rendered = Rendered(snapshot, view, usage_params(snapshot, view))
        return self._rendered.params

    def report(self, format: wire.ReportFormat) -> wire.Report:
        """The answer of `quotaline/report`."""
        snapshot, view = self.service.snapshot(), self.view()
        if format == "fragment":
            from quotaline.render.report_html import html_fragment, style

            return wire.ReportFragment(format, html_fragment(snapshot, view), style())
        from quotaline.render.report import report

        return wire.Report(format, report(snapshot, view, format))

    def providers(self) -> wire.ProvidersResult:
        """The answer of `quotaline/providers`. Imports every provider, so not in the event loop."""
        from quotaline_providers import registry

        shown = {state.provider for state in self.service.snapshot().states if state.active}
        return wire.ProvidersResult(
            tuple(
                wire.KnownProvider(
                    id=provider.id,
                    name=provider.name,
                    summary=provider.summary,
                    shown=provider.id in shown,
                    sign_in=provider.sign_in is not None,
                    connect=provider.connect,
                    credentials=tuple(kind for kind, field in _CREDENTIALS if field in provider.settings),
                    key_url=provider.key_url,
                    dashboard_url=provider.dashboard,
                )
                for provider in registry.every()
                if not provider.ended or provider.id in shown
            )
        )

    def use_settings(self, value: Any) -> None:
        """Take what `workspace/didChangeConfiguration` brought."""
        self._set, problems = Settings.parse(value)
        self._settle()
        for problem in problems:
            self.warn(problem)

    def _settle(self) -> None:
        """Put what the user set in the editor over what the config file has."""
        before, now = self.settings, self._set.over(self.application.keeper.loaded.config.display)
        if now == before:
            return
        self.settings = now
        if now.plain_status != before.plain_status:
            self._publisher.close()
            self._publisher = status_publishers.choose(self.client, now.plain_status)
            self.publish_now()
        self.service.use_settings(now)

    async def reload_config(self) -> None:
        """Read the config file now, after it was changed on the user's behalf."""
        await self._config_loaded(await asyncio.to_thread(self.application.keeper.reload))
        await self.service.rescan()

    def warn(self, message: str) -> None:
        """Tell the user in the editor's log."""
        self.client.log_warning(message)

    def _changed(self, snapshot: Snapshot) -> None:
        """Publish soon."""
        self._changes.set()

    def publish_now(self) -> None:
        """Tell the client what is to be shown now, if that is something new. Renders in the event loop."""
        params = self.usage_params()
        self._publisher.publish(params)
        self._tell_restart_due(params.restart_due)

    async def publish(self) -> None:
        """The same, rendered in a thread: many providers take a while. Kept for the next editor, too."""
        async with self._publish_lock:
            snapshot, view, readings = self.service.snapshot(), self.view(), self.service.drawn_from
            params = await asyncio.to_thread(usage_params, snapshot, view)
            self._rendered = Rendered(snapshot, view, params)
            self._publisher.publish(params)
            self._tell_restart_due(params.restart_due)
            if not self.service.detected:
                return
            sources = startup_cache_writer.Sources(readings, self.application.keeper.seen)
            try:
                store, options = self.application.store, self._options
                await startup_cache_writer.keep(store, options, sources, rendering(snapshot, params, view))
            except Exception as error:  # such as a store's
                note_defect("keeping what is shown", error)

    def _tell_restart_due(self, message: str | None) -> None:
        """Tell the user once why the server must be restarted; our clients offer to do it."""
        if message is None or self._told_restart_due:
            return
        self._told_restart_due = True
        if self.client.shows_usage:
            self.client.notify(RESTART_DUE, wire.RestartDueParams(message))
        else:
            self.client.show_warning(f"Quotaline: {message}")

    def republish(self) -> None:
        """Show the status line again where a message or another progress took its place."""
        self._publisher.republish()

    async def _publish_changes(self) -> None:
        """Publish after every change, and now and then."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changes.wait(), PUBLISH_SECONDS)
                await asyncio.sleep(GATHER_SECONDS)
            self._changes.clear()
            try:
                await self.publish()
            except Exception as error:  # the next change may be rendered again
                note_defect("rendering", error)

    async def _config_loaded(self, loaded: Loaded) -> None:
        """The config file was read (again): use it, or tell what is wrong with it."""
        self.documents.config_loaded(loaded)
        self._settle()
        await self.service.use_config(loaded.config, loaded.problem)
