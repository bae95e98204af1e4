"""How the status line reaches the client: our own notification, or for plain LSP clients one long `$/progress` or the
server's status."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Literal, Protocol

from quotaline.lsp.client import Client
from quotaline.lsp.methods import DID_CHANGE_USAGE, SERVER_STATUS
from quotaline.render.wire import UsageParams, Wire
from quotaline.settings import PlainStatus

PROGRESS_TOKEN = "quotaline/status"  # noqa: S105 (a progress token)
PROGRESS_TITLE = "AI quota"
REPORT_SECONDS = 0.25
"""Between two reports of the progress at least: Zed drops one that comes within 100 ms of the last."""


class StatusPublisher(Protocol):
    """Tells the client of a visible change, and nothing when there is none."""

    def publish(self, params: UsageParams) -> None:
        """Show this from now on."""

    def republish(self) -> None:
        """Show it again where something else may have taken its place."""

    def close(self) -> None:
        """Take it down."""


class UsagePublisher:
    """For clients that know `quotaline/didChangeUsage`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._last: UsageParams | None = None

    def publish(self, params: UsageParams) -> None:
        if params != self._last:
            self._last = params
            self._client.notify(DID_CHANGE_USAGE, params)

    def republish(self) -> None:
        return None

    def close(self) -> None:
        return None


class ProgressPublisher:
    """For any client with `window.workDoneProgress`: one progress that is alive as long as the server, whose message is
    the status line. It has no percentage: a bar would mean that something is being waited for."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._text: str | None = None
        self._sent: str | None = None
        self._begun = False
        self._creation: asyncio.Task[None] | None = None
        self._next: asyncio.TimerHandle | None = None

    def publish(self, params: UsageParams) -> None:
        self._text = params.status_line.text
        if self._creation is None:
            self._creation = asyncio.create_task(self._create(), name="status progress")
        elif self._begun and self._next is None:
            self._send()

    def republish(self) -> None:
        """Helix has one place for messages of all kinds."""
        self._sent = None
        if self._begun and self._next is None:
            self._send()

    def close(self) -> None:
        if self._creation is not None:
            self._creation.cancel()
        if self._next is not None:
            self._next.cancel()
        if self._begun:
            self._begun = False
            self._client.end_progress(PROGRESS_TOKEN)

    async def _create(self) -> None:
        with contextlib.suppress(Exception):  # a client may refuse; then it simply shows nothing
            await self._client.create_progress(PROGRESS_TOKEN)
            self._begun = True
            self._sent = self._text
            self._client.begin_progress(PROGRESS_TOKEN, PROGRESS_TITLE, self._text)
            self._wait()

    def _wait(self) -> None:
        self._next = asyncio.get_running_loop().call_later(REPORT_SECONDS, self._send)

    def _send(self) -> None:
        self._next = None
        if self._text != self._sent:
            self._sent = self._text
            self._client.report_progress(PROGRESS_TOKEN, self._text)
            self._wait()


Health = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class ServerStatus(Wire):
    """The parameters of `experimental/serverStatus`. The server is quiescent when it is not busy."""

    health: Health
    quiescent: bool
    message: str | None


class ServerStatusPublisher:
    """For clients that show a server's status (`experimental/serverStatus`, as rust-analyzer defines it): no spinner,
    and no progress of another server is hidden. The first line is the status line, the rest is for the tooltip."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._last: ServerStatus | None = None

    def publish(self, params: UsageParams) -> None:
        line = params.status_line
        health: Health = "warning" if line.severity in ("warning", "critical") else "ok"
        self._send(ServerStatus(health, True, f"{line.text}\n\n{line.hover.value}"))

    def republish(self) -> None:
        return None

    def close(self) -> None:
        self._send(ServerStatus("ok", True, None))

    def _send(self, status: ServerStatus) -> None:
        if status != self._last:
            self._last = status
            self._client.notify(SERVER_STATUS, status)


class NoPublisher:
    """For clients that can show neither, and for users who want nothing shown."""

    def publish(self, params: UsageParams) -> None:
        return None

    def republish(self) -> None:
        return None

    def close(self) -> None:
        return None


def choose(client: Client, plain_status: PlainStatus) -> StatusPublisher:
    """The publisher that fits what the client shows, and for a plain client the user's wish."""
    if client.shows_usage:
        return UsagePublisher(client)
    if plain_status == "serverStatus" and client.shows_server_status:
        return ServerStatusPublisher(client)
    if plain_status != "off" and client.shows_progress:
        return ProgressPublisher(client)
    return NoPublisher()
