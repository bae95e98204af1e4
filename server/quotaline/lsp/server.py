"""The language server: every method of the protocol, wired to the session.

Modules of a session are imported after `initialized` (see `lifecycle`): what this module imports delays the answer to
`initialize`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from quotaline.lsp import methods
from quotaline.lsp.client import Client
from quotaline.lsp.lifecycle import Lifecycle
from quotaline.lsp.params import member
from quotaline.lsp.process import leave_soon
from quotaline.lsp.protocol import QuotalineServer

if TYPE_CHECKING:
    from quotaline.render.wire import ReportFormat


def create_server() -> QuotalineServer:
    """A server with all features registered."""
    server = QuotalineServer()
    life = Lifecycle(Client(server))
    _register_lifecycle(server, life)
    _register_usage(server, life)
    _register_commands(server, life)
    _register_documents(server, life)
    return server


def _register_lifecycle(server: QuotalineServer, life: Lifecycle) -> None:
    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        life.options = params.initialization_options

    @server.feature(types.INITIALIZED)
    async def initialized(params: types.InitializedParams) -> None:
        await life.begin(server.process_id)

    @server.feature(types.SHUTDOWN)
    async def shutdown(params: None) -> None:
        server.protocol.cancel_requests()
        await life.end()

    @server.feature(types.EXIT)
    def exit(params: None) -> None:
        leave_soon(0 if server.protocol.was_shut_down else 1)

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def did_change_configuration(params: types.DidChangeConfigurationParams) -> None:
        (await life.current()).use_settings(params.settings)


def _register_usage(server: QuotalineServer, life: Lifecycle) -> None:
    @server.feature(methods.USAGE)
    async def usage(params: Any) -> Any:
        return (await life.current()).usage_params().to_json()

    @server.feature(methods.REPORT)
    async def report(params: Any) -> Any:
        format: ReportFormat = member(params, "format") or "markdown"
        if format not in ("markdown", "html", "fragment", "text"):
            raise JsonRpcInvalidParams("format must be markdown, html, fragment or text")
        return (await life.current()).report(format).to_json()

    @server.feature(methods.DID_INTERACT)
    async def did_interact(params: Any) -> None:
        (await life.current()).service.interact()

    @server.feature(methods.CONFIG_SCHEMA)
    async def config_schema(params: Any) -> Any:
        await life.current()  # what is imported here must not meet what is imported for the session, in a thread
        from quotaline.config.editor.reference import json_schema

        return await asyncio.to_thread(json_schema)

    @server.feature(methods.PROVIDERS)
    async def providers(params: Any) -> Any:
        session = await life.current()
        return (await asyncio.to_thread(session.providers)).to_json()

    @server.feature(methods.DOCUMENTS)
    async def documents(params: Any) -> Any:
        return (await life.current()).documents.uris().to_json()


def _register_commands(server: QuotalineServer, life: Lifecycle) -> None:
    def register(name: str) -> None:
        @server.command(name)
        async def execute(ls: QuotalineServer, *arguments: Any) -> Any:
            session = await life.current()
            from quotaline.lsp.commands import CommandError, execute_command
            from quotaline.render.text import announced

            try:
                return (await execute_command(session, name, arguments)).to_json()
            except CommandError as error:
                raise JsonRpcInvalidParams(announced(str(error))) from None

    for name in methods.COMMANDS:
        register(name)


def _register_documents(server: QuotalineServer, life: Lifecycle) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def did_open(params: types.DidOpenTextDocumentParams) -> None:
        (await life.current()).documents.changed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def did_change(params: types.DidChangeTextDocumentParams) -> None:
        (await life.current()).documents.changed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def did_close(params: types.DidCloseTextDocumentParams) -> None:
        (await life.current()).documents.closed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        return (await life.current()).documents.hover(params.text_document.uri, params.position)

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=['"', ":"]))
    async def completion(params: types.CompletionParams) -> types.CompletionList | None:
        return await (await life.current()).documents.completion(params.text_document.uri, params.position)

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    async def code_lens(params: types.CodeLensParams) -> list[types.CodeLens]:
        return (await life.current()).documents.code_lenses(params.text_document.uri)

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.Source])
    )
    async def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
        return (await life.current()).documents.code_actions(params)

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    async def inlay_hint(params: types.InlayHintParams) -> list[types.InlayHint]:
        return (await life.current()).documents.inlay_hints(params.text_document.uri)
