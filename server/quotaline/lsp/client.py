"""The editor's end of the connection: what it can show, what it is told, and what it is asked to show."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from quotaline.lsp.params import member

if TYPE_CHECKING:
    from quotaline.render.wire import Json, Wire

ANSWER_SECONDS = 2.0
"""How long an answer of the client is waited for. It may ask the user first: no work waits for that."""
Report = Callable[[str, int], None]
"""Tells the progress of a piece of work: a message and how much is done, in percent."""


class Client:
    """What publishers, documents, commands and the session know of the editor. To be used in the event loop."""

    def __init__(self, server: LanguageServer) -> None:
        self._server = server

    # --- what it can show ---

    @property
    def shows_usage(self) -> bool:
        """Whether it is one of our clients, which place the usage themselves."""
        return member(member(self._capabilities.experimental, "quotaline"), "usage") is True

    @property
    def shows_server_status(self) -> bool:
        """Whether it shows a server's status as rust-analyzer defines it."""
        return member(self._capabilities.experimental, "serverStatusNotification") is True

    @property
    def shows_progress(self) -> bool:
        """Whether it lets the server begin a work-done progress."""
        return bool(member(self._capabilities.window, "work_done_progress"))

    @property
    def shows_documents(self) -> bool:
        """Whether it opens documents and addresses for the server."""
        return bool(member(member(self._capabilities.window, "show_document"), "support"))

    @property
    def _capabilities(self) -> types.ClientCapabilities:
        return self._server.client_capabilities

    # --- messages ---

    def notify(self, method: str, params: Wire) -> None:
        """Send a notification of a method that is not part of LSP."""
        self.notify_json(method, params.to_json())

    def notify_json(self, method: str, params: Mapping[str, Json]) -> None:
        """The same, where the parameters are JSON already."""
        self._server.protocol.notify(method, params)

    def show_message(self, message: str, kind: types.MessageType = types.MessageType.Info) -> None:
        """Show a message to the user."""
        self._server.window_show_message(types.ShowMessageParams(kind, _announced(message)))

    def show_warning(self, message: str) -> None:
        """Show a warning to the user."""
        self.show_message(message, types.MessageType.Warning)

    def log_warning(self, message: str) -> None:
        """Put a warning into the editor's log."""
        self._server.window_log_message(
            types.LogMessageParams(types.MessageType.Warning, f"Quotaline: {_announced(message)}")
        )

    async def show_document(self, uri: str, *, external: bool) -> bool:
        """Have a document shown in the editor, or an address in the browser. False when the client cannot do that; a
        client that refuses or does not answer in time counts as one that can."""
        if not self.shows_documents:
            return False
        params = types.ShowDocumentParams(uri=uri, external=external, take_focus=True)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._server.window_show_document_async(params), ANSWER_SECONDS)
        return True

    # --- documents ---

    def text_of(self, uri: str) -> str:
        """A document as the editor has it; as it is on the disk where the editor has not opened it."""
        return self._server.workspace.get_text_document(uri).source

    def publish_diagnostics(self, uri: str, diagnostics: Sequence[types.Diagnostic]) -> None:
        """Replace the diagnostics of a document."""
        self._server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, list(diagnostics)))

    # --- progress ---

    async def create_progress(self, token: str) -> None:
        """Ask the client for a progress under this token. Raises what pygls raises when the client refuses."""
        await self._server.work_done_progress.create_async(token)

    def begin_progress(self, token: str, title: str, message: str | None = None, percentage: int | None = None) -> None:
        """Begin a progress that was created. Without a percentage the client shows no bar."""
        words = _announced(message) if message is not None else None
        begin = types.WorkDoneProgressBegin(title=title, message=words, percentage=percentage, cancellable=False)
        self._server.work_done_progress.begin(token, begin)

    def report_progress(self, token: str, message: str | None, percentage: int | None = None) -> None:
        """Change what a progress shows."""
        words = _announced(message) if message is not None else None
        report = types.WorkDoneProgressReport(message=words, percentage=percentage)
        self._server.work_done_progress.report(token, report)

    def end_progress(self, token: str) -> None:
        """Take a progress down."""
        self._server.work_done_progress.end(token, types.WorkDoneProgressEnd())

    @contextlib.asynccontextmanager
    async def progress(self, title: str) -> AsyncIterator[Report]:
        """A work-done progress around a piece of work, where the client shows one; the work does not wait for it."""
        token, created = f"quotaline/{uuid.uuid4().hex}", False
        if self.shows_progress:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self.create_progress(token), ANSWER_SECONDS)
                created = True
        if not created:
            yield lambda message, percentage: None
            return
        self.begin_progress(token, title, percentage=0)
        try:
            yield lambda message, percentage: self.report_progress(token, message, percentage)
        finally:
            self.end_progress(token)


def _announced(words: str) -> str:
    from quotaline.render.text import announced  # a session is there by now; what is imported above delays `initialize`

    return announced(words)
