"""How the status line reaches the client: our own notification, or one long `$/progress` for plain LSP clients."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Protocol, cast

from lsprotocol import types

from quotaline.lsp.methods import DID_CHANGE_USAGE
from quotaline.render.protocol import Json

if TYPE_CHECKING:
    from quotaline.lsp.server import QuotalineServer

PROGRESS_TOKEN = "quotaline/status"  # noqa: S105 (a progress token)
PROGRESS_TITLE = "AI quota"


class Announcer(Protocol):
    """Tells the client of a visible change, and nothing when there is none."""

    def announce(self, params: dict[str, Json]) -> None: ...

    def end(self) -> None: ...


class UsageAnnouncer:
    """For clients that know `quotaline/didChangeUsage`."""

    def __init__(self, server: QuotalineServer) -> None:
        self._server = server
        self._last: dict[str, Json] | None = None

    def announce(self, params: dict[str, Json]) -> None:
        if params != self._last:
            self._last = params
            self._server.protocol.notify(DID_CHANGE_USAGE, params)

    def end(self) -> None:
        return None


class ProgressAnnouncer:
    """For any client with `window.workDoneProgress`: one progress that is alive as long as the server, whose message is
    the status line. It has no percentage: a bar would mean that something is being waited for."""

    def __init__(self, server: QuotalineServer) -> None:
        self._server = server
        self._text: str | None = None
        self._sent: str | None = None
        self._begun = False
        self._creation: asyncio.Task[None] | None = None

    def announce(self, params: dict[str, Json]) -> None:
        line = cast("dict[str, Json]", params["statusLine"])
        self._text = str(line["text"])
        if self._creation is None:
            self._creation = asyncio.create_task(self._create(), name="status progress")
        elif self._begun:
            self._send()

    def end(self) -> None:
        if self._begun:
            self._begun = False
            self._server.work_done_progress.end(PROGRESS_TOKEN, types.WorkDoneProgressEnd())

    async def _create(self) -> None:
        with contextlib.suppress(Exception):  # a client may refuse; then it simply shows nothing
            await self._server.work_done_progress.create_async(PROGRESS_TOKEN)
            self._begun = True
            self._sent = self._text
            begin = types.WorkDoneProgressBegin(title=PROGRESS_TITLE, message=self._text, cancellable=False)
            self._server.work_done_progress.begin(PROGRESS_TOKEN, begin)
            self._send()

    def _send(self) -> None:
        if self._text != self._sent:
            self._sent = self._text
            report = types.WorkDoneProgressReport(message=self._text)
            self._server.work_done_progress.report(PROGRESS_TOKEN, report)


class SilentAnnouncer:
    """For clients that can show neither."""

    def announce(self, params: dict[str, Json]) -> None:
        return None

    def end(self) -> None:
        return None


def choose(server: QuotalineServer) -> Announcer:
    """The announcer that fits the client's capabilities."""
    capabilities = server.client_capabilities
    if _wants_usage(capabilities.experimental):
        return UsageAnnouncer(server)
    if shows_progress(server):
        return ProgressAnnouncer(server)
    return SilentAnnouncer()


def shows_progress(server: QuotalineServer) -> bool:
    """Whether the client lets the server begin a work-done progress."""
    window = server.client_capabilities.window
    return bool(window and window.work_done_progress)


def _wants_usage(experimental: Any) -> bool:
    ours = _member(experimental, "quotaline")
    return _member(ours, "usage") is True


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)
