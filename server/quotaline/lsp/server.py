"""The sidecar: wires the protocol's methods to one session. Heavy imports wait for `initialized`."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import linecache
import logging
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeVar, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams, JsonRpcMethodNotFound, JsonRpcRequestCancelled
from pygls.lsp.server import LanguageServer
from pygls.protocol import (
    JsonRPCNotification,
    JsonRPCRequestMessage,
    JsonRPCResponseMessage,
    LanguageServerProtocol,
    default_converter,
)

from quotaline import __version__
from quotaline.lsp import methods
from quotaline_providers.diagnostics import note_defect

if TYPE_CHECKING:
    from quotaline.lsp.session import Session

log = logging.getLogger(__name__)
T = TypeVar("T")

KEPT_FUTURES = 256
THREADS = 8
SWITCH_SECONDS = 0.0005
"""How long a thread that computes (reading logs) may keep the event loop waiting; Python's usual 5 ms are felt."""
LARGEST_MESSAGE = 64 << 20
LEAVE_SECONDS = 3.0
"""How long what still runs may take once the editor is gone."""


class QuotalineProtocol(LanguageServerProtocol):
    """The standard protocol, with errors for people: a kind and a sentence, never a traceback or what was sent."""

    def structure_message(self, data: dict[str, Any]) -> Any:
        """The base class leaves a request that it cannot read without an answer, and whoever waits for an answer that
        it cannot read without an end."""
        method, request = data.get("method"), data.get("id")
        if "jsonrpc" not in data or (method is None and request is None):
            return data
        if method is not None:
            data.setdefault("params", None)
        try:
            return super().structure_message(data)
        except Exception:
            if method is None:
                self._handle_response(request, error=_refusal(types.ErrorCodes.InvalidRequest))
            elif request is not None:
                known = method in self.fm.features or method in self.fm.builtin_features
                code = types.ErrorCodes.InvalidParams if known else types.ErrorCodes.MethodNotFound
                self._send_response(request, error=_refusal(code))
            raise

    def _handle_response(self, msg_id: Any, result: Any = None, error: types.ResponseError | None = None) -> None:
        """Nobody waits any more for an answer that came too late."""
        future = self._request_futures.get(msg_id)
        if future is not None and future.done():
            del self._request_futures[msg_id]
        elif future is not None:
            super()._handle_response(msg_id, result, error)

    def _send_response(self, msg_id: Any, result: Any = None, error: types.ResponseError | None = None) -> None:
        if error is not None:
            internal = error.code == types.ErrorCodes.InternalError
            message = "Quotaline could not answer; its log says more." if internal else error.message
            error = types.ResponseError(code=error.code, message=message)
        super()._send_response(msg_id, result, error)

    def cancel_requests(self) -> None:
        """Cancel what is still being answered, except the shutdown that asks for it."""
        ours = {id(asyncio.current_task())}
        for request, future in list(self._request_futures.items()):
            if request != self.msg_id and id(future) not in ours and not future.done():
                future.cancel()

    def _execute_handler(self, *args: Any, **kwargs: Any) -> None:
        """The base class keeps the futures of finished handlers for ever: let them go."""
        if len(self._request_futures) > KEPT_FUTURES:
            for request in [request for request, future in self._request_futures.items() if future.done()]:
                del self._request_futures[request]
        super()._execute_handler(*args, **kwargs)


def _converter() -> Any:
    """The usual one, but parameters of our own methods stay what the JSON says: the usual one writes a class for each
    object of each message, and these classes are much work for the garbage collector."""
    converter: Any = default_converter()  # type: ignore[no-untyped-call]
    for message in (JsonRPCRequestMessage, JsonRPCResponseMessage, JsonRPCNotification):
        converter.register_structure_hook(message, _as_it_is)
    return converter


def _as_it_is(data: dict[str, Any], message: type[T]) -> T:
    known = inspect.signature(message).parameters
    return message(**{name: value for name, value in data.items() if name in known})


def _refusal(code: types.ErrorCodes) -> types.ResponseError:
    messages = {
        types.ErrorCodes.InvalidParams: "The parameters do not fit this method.",
        types.ErrorCodes.MethodNotFound: "There is no such method.",
        types.ErrorCodes.InvalidRequest: "The answer cannot be read.",
    }
    return types.ResponseError(code=code, message=messages[code])


class QuotalineServer(LanguageServer):
    """One sidecar of one editor. `session` exists from `initialized` on."""

    def __init__(self) -> None:
        super().__init__(
            "quotaline",
            __version__,
            text_document_sync_kind=types.TextDocumentSyncKind.Full,
            protocol_cls=QuotalineProtocol,
            converter_factory=_converter,
        )
        self.session: Session | None = None
        self.options: Any = None
        self._ready: asyncio.Event | None = None
        self._watch: asyncio.Task[None] | None = None
        self._closing = False

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Errors of a message are answered to the client and noted by type and place: a message may hold a credential,
        and so may the text of an error about it."""
        if isinstance(error, JsonRpcMethodNotFound | JsonRpcInvalidParams | JsonRpcRequestCancelled):
            log.info("a request was refused: %s", type(error).__name__)
            return
        cause = error.__cause__ or error.__context__ or error
        note_defect("handling a message", cause)

    async def begin(self) -> None:
        """Open the session. Also starts to watch for the editor's end."""
        self._watch = asyncio.create_task(self._exit_with_editor(), name="editor watch")
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="quotaline"))
        try:
            await self._show_last()
            await asyncio.to_thread(_load)
            if self._closing:
                return
            from quotaline.lsp.session import Session

            self.session = Session(self, self.options)
            await self.session.open()
        finally:
            self.ready.set()

    async def _show_last(self) -> None:
        """Show what was shown last while the means to draw are imported."""
        from quotaline.store.startup_cache import cached_params

        if methods.wants_usage(self.client_capabilities):
            params = await asyncio.to_thread(cached_params, self.options, time.time())
            if params is not None and not self._closing:
                self.protocol.notify(methods.DID_CHANGE_USAGE, params)

    @property
    def ready(self) -> asyncio.Event:
        """Set once the session knows what the store knows, or could not begin."""
        if self._ready is None:
            self._ready = asyncio.Event()
        return self._ready

    async def current(self) -> Session:
        """The session, waiting for it when a request came early. Raises when the server is shutting down.

        Nothing of ours is imported in the event loop before: two threads that import the same modules in another order
        can each see the other's half done.
        """
        if not self._closing:
            await self.ready.wait()
        if self._closing or self.session is None:
            raise JsonRpcRequestCancelled(
                "Quotaline is shutting down." if self._closing else "Quotaline did not start."
            )
        return self.session

    async def end(self) -> None:
        """Stop everything that runs, once."""
        if self._closing:
            return
        self._closing = True
        if self._watch is not None and self._watch is not asyncio.current_task():
            self._watch.cancel()
        if self.session is not None:
            await self.session.close()

    async def _exit_with_editor(self) -> None:
        """Leave no orphan: when the editor's process is gone, so are we."""
        from quotaline.store.process import ended

        pid = self.process_id
        if not pid or pid < 0:
            return
        await ended(pid)
        leave_soon()
        await self.end()
        os._exit(0)  # the thread that waits for standard input cannot be stopped in another way


def _load() -> None:
    """Import what a session needs, away from the event loop."""
    _forget_luxuries()
    for module in ("pydantic.main", "quotaline_providers.contract", "quotaline.config", "quotaline.lsp.session"):
        import_module(module)
        _settle()


def _forget_luxuries() -> None:
    """Megabytes for what nobody does in a sidecar: print any of the protocol's hundreds of types, pickle them in attrs'
    own way (Python has one, too), read the source lines that attrs keeps of each, or check types that are described
    for type checkers alone."""
    linecache.clearcache()
    for kind in vars(types).values():
        if isinstance(kind, type) and "__attrs_attrs__" in vars(kind):
            for name in ("__repr__", "__getstate__", "__setstate__"):
                if name in vars(kind):
                    delattr(kind, name)
    for kind in vars(import_module("pydantic_core.core_schema")).values():
        if hasattr(kind, "__required_keys__"):
            kind.__annotations__.clear()
    _settle()


def _settle() -> None:
    """Let go of what imports leave behind: the first drafts of slotted classes, and the documentation of the libraries.
    What is there now stays for ever: to look through it again and again would hold all up for 30 ms each time."""
    gc.collect()
    for thing in gc.get_objects():
        kind = type(thing)
        if issubclass(kind, type | ModuleType):
            name = thing.__name__ if kind is ModuleType else thing.__module__
            if not str(name).startswith("quotaline"):  # ours tell what they are for in the config's schema
                with contextlib.suppress(AttributeError, TypeError):
                    thing.__doc__ = None
    gc.freeze()


def create_server() -> QuotalineServer:
    """A server with all features registered."""
    server = QuotalineServer()

    @server.feature(types.INITIALIZE)
    def initialize(ls: QuotalineServer, params: types.InitializeParams) -> None:
        ls.options = params.initialization_options

    @server.feature(types.INITIALIZED)
    async def initialized(ls: QuotalineServer, params: types.InitializedParams) -> None:
        await ls.begin()

    @server.feature(types.SHUTDOWN)
    async def shutdown(ls: QuotalineServer, params: None) -> None:
        assert isinstance(ls.protocol, QuotalineProtocol)
        ls.protocol.cancel_requests()
        await ls.end()

    @server.feature(types.EXIT)
    def exit(ls: QuotalineServer, params: None) -> None:
        leave_soon()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def did_change_configuration(ls: QuotalineServer, params: types.DidChangeConfigurationParams) -> None:
        (await ls.current()).use_settings(params.settings)

    _register_usage(server)
    _register_commands(server)
    _register_documents(server)
    return server


def _register_usage(server: QuotalineServer) -> None:
    @server.feature(methods.USAGE)
    async def usage(ls: QuotalineServer, params: Any) -> Any:
        return (await ls.current()).usage_params()

    @server.feature(methods.REPORT)
    async def report(ls: QuotalineServer, params: Any) -> Any:
        format: Literal["markdown", "html", "text", "fragment"] = methods.member(params, "format") or "markdown"
        if format == "fragment":
            return (await ls.current()).report_fragment()
        if format not in ("markdown", "html", "text"):
            raise JsonRpcInvalidParams("format must be markdown, html, fragment or text")
        return {"format": format, "content": (await ls.current()).report(format)}

    @server.feature(methods.DID_INTERACT)
    async def did_interact(ls: QuotalineServer, params: Any) -> None:
        (await ls.current()).service.interact()

    @server.feature(methods.CONFIG_SCHEMA)
    async def config_schema(ls: QuotalineServer, params: Any) -> Any:
        await ls.current()  # what is imported here must not meet what is imported for the session, in a thread
        from quotaline.config.editor.reference import json_schema

        return await asyncio.to_thread(json_schema)

    @server.feature(methods.PROVIDERS)
    async def providers(ls: QuotalineServer, params: Any) -> Any:
        session = await ls.current()
        return {"providers": await asyncio.to_thread(session.providers)}

    @server.feature(methods.DOCUMENTS)
    async def documents(ls: QuotalineServer, params: Any) -> Any:
        return (await ls.current()).documents.uris()


def _register_commands(server: QuotalineServer) -> None:
    def register(name: str) -> None:
        @server.command(name)
        async def execute(ls: QuotalineServer, *arguments: Any) -> Any:
            session = await ls.current()
            from quotaline.lsp.commands import CommandError, execute_command

            try:
                return await execute_command(session, name, arguments)
            except CommandError as error:
                raise JsonRpcInvalidParams(str(error)) from None

    for name in methods.COMMANDS:
        register(name)


def _register_documents(server: QuotalineServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def did_open(ls: QuotalineServer, params: types.DidOpenTextDocumentParams) -> None:
        (await ls.current()).documents.changed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def did_change(ls: QuotalineServer, params: types.DidChangeTextDocumentParams) -> None:
        (await ls.current()).documents.changed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def did_close(ls: QuotalineServer, params: types.DidCloseTextDocumentParams) -> None:
        (await ls.current()).documents.closed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(ls: QuotalineServer, params: types.HoverParams) -> types.Hover | None:
        return (await ls.current()).documents.hover(params.text_document.uri, params.position)

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=['"', ":"]))
    async def completion(ls: QuotalineServer, params: types.CompletionParams) -> types.CompletionList | None:
        return (await ls.current()).documents.completion(params.text_document.uri, params.position)

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    async def code_lens(ls: QuotalineServer, params: types.CodeLensParams) -> list[types.CodeLens]:
        return (await ls.current()).documents.code_lenses(params.text_document.uri)

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.Source])
    )
    async def code_action(ls: QuotalineServer, params: types.CodeActionParams) -> list[types.CodeAction]:
        return (await ls.current()).documents.code_actions(params)

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    async def inlay_hint(ls: QuotalineServer, params: types.InlayHintParams) -> list[types.InlayHint]:
        return (await ls.current()).documents.inlay_hints(params.text_document.uri)


class EditorInput:
    """Standard input whose end is also the end of this process, at the latest `LEAVE_SECONDS` after it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readline(self) -> bytes:
        line = self._stream.readline()
        if not line:
            leave_soon()
        return line

    def read(self, size: int) -> bytes:
        if size > LARGEST_MESSAGE:
            raise ValueError("a message is too large")
        return self._stream.read(size)


def leave_soon() -> None:
    """A thread that reads a disk or waits for a keyring cannot be stopped; it must not keep the process."""
    timer = threading.Timer(LEAVE_SECONDS, os._exit, (1,))
    timer.daemon = True
    timer.start()


def serve(tcp_port: int | None = None) -> None:
    """Run until the editor ends us: on standard input and output, or on a loopback port for debugging."""
    sys.setswitchinterval(SWITCH_SECONDS)
    server = create_server()
    try:
        if tcp_port is not None:
            server.start_tcp("127.0.0.1", tcp_port)
        else:
            server.start_io(cast("BinaryIO", EditorInput(sys.stdin.buffer)))
    except Exception as error:  # what came cannot be a client's message: there is nobody to go on for
        note_defect("the connection to the editor", error)
    os._exit(0 if server.protocol._shutdown else 1)
