"""How we differ from pygls: errors for people, no request without an answer, no future kept for ever.

The only module that uses names of pygls that are not public. `tests/server/test_lsp_pygls.py` has a test for each of
them that fails when the library changes.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Generator
from typing import Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams, JsonRpcMethodNotFound, JsonRpcRequestCancelled
from pygls.lsp.server import LanguageServer
from pygls.protocol import (
    JsonRPCNotification,
    JsonRPCRequestMessage,
    JsonRPCResponseMessage,
    LanguageServerProtocol,
    default_converter,
    lsp_method,
)

from quotaline import __version__
from quotaline_providers.diagnostics import note_defect

log = logging.getLogger(__name__)
T = TypeVar("T")

KEPT_FUTURES = 256


class QuotalineProtocol(LanguageServerProtocol):
    """The standard protocol, with errors for people: a kind and a sentence, never a traceback or what was sent."""

    @property
    def was_shut_down(self) -> bool:
        """Whether the client has sent `shutdown`, so that an `exit` is not an error."""
        return bool(self._shutdown)

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        """The base class takes the position encoding that the client likes best; ours are in UTF-16 code units, which
        every client knows."""
        if params.capabilities.general is not None:
            params.capabilities.general.position_encodings = None
        return (yield from super().lsp_initialize(params))

    def cancel_requests(self) -> None:
        """Cancel what is still being answered, except the shutdown that asks for it."""
        ours = {id(asyncio.current_task())}
        for request, future in list(self._request_futures.items()):
            if request != self.msg_id and id(future) not in ours and not future.done():
                future.cancel()

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Read a message. The base class leaves a request that it cannot read without an answer, and whoever waits for
        an answer that it cannot read without an end."""
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
        """The base class raises for an answer that nobody waits for any more, because it was cancelled."""
        future = self._request_futures.get(msg_id)
        if future is not None and future.done():
            del self._request_futures[msg_id]
        elif future is not None:
            super()._handle_response(msg_id, result, error)

    def _send_response(self, msg_id: Any, result: Any = None, error: types.ResponseError | None = None) -> None:
        """The base class sends the traceback of an unexpected error to the client."""
        if error is not None:
            internal = error.code == types.ErrorCodes.InternalError
            message = "Quotaline could not answer; its log says more." if internal else error.message
            error = types.ResponseError(code=error.code, message=message)
        super()._send_response(msg_id, result, error)

    def _execute_handler(self, *args: Any, **kwargs: Any) -> None:
        """The base class keeps the future of every notification's handler for ever: drop those that are done."""
        if len(self._request_futures) > KEPT_FUTURES:
            for request in [request for request, future in self._request_futures.items() if future.done()]:
                del self._request_futures[request]
        super()._execute_handler(*args, **kwargs)


class QuotalineServer(LanguageServer):
    """A pygls server that speaks this protocol and has no features yet."""

    protocol: QuotalineProtocol

    def __init__(self) -> None:
        super().__init__(
            "quotaline",
            __version__,
            text_document_sync_kind=types.TextDocumentSyncKind.Full,
            protocol_cls=QuotalineProtocol,
            converter_factory=converter,
        )

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Note an error of a message by type and place: a message may hold a credential, and so may the text of an
        error about it. The client gets its answer elsewhere."""
        if isinstance(error, JsonRpcMethodNotFound | JsonRpcInvalidParams | JsonRpcRequestCancelled):
            log.info("a request was refused: %s", type(error).__name__)
            return
        note_defect("handling a message", error.__cause__ or error.__context__ or error)


def converter() -> Any:
    """The usual one, but parameters of our own methods stay what the JSON says: the usual one writes a class for each
    object of each message, and these classes are much work for the garbage collector."""
    usual: Any = default_converter()  # type: ignore[no-untyped-call]
    for message in (JsonRPCRequestMessage, JsonRPCResponseMessage, JsonRPCNotification):
        usual.register_structure_hook(message, _as_it_is)
    return usual


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
