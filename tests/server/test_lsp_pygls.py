"""What `quotaline.lsp.protocol` relies on in pygls without being promised it.

Each hook has a test that the name is there with the parameters we give it, and one that the base class still does what
the hook is for: where that fails, the hook can go.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from concurrent.futures import Future
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInternalError
from pygls.lsp.server import LanguageServer
from pygls.protocol import JsonRPCNotification, JsonRPCRequestMessage, LanguageServerProtocol, default_converter

from quotaline.lsp.protocol import KEPT_FUTURES, QuotalineProtocol, QuotalineServer, converter

ODD = {"jsonrpc": "2.0", "id": 1, "method": "textDocument/hover", "params": {"textDocument": 5}}
"""A request that cannot be read."""


class Writer:
    """What a server sends, message by message."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def write(self, data: bytes) -> None:
        self.messages.append(json.loads(data))

    def close(self) -> None:
        return None


@pytest.fixture
def sent() -> list[dict[str, Any]]:
    """The messages that `bare` or `ours` has sent."""
    return []


def listening(server: LanguageServer, sent: list[dict[str, Any]]) -> Any:
    """The server's protocol, whose messages come to `sent` without headers."""
    writer = Writer()
    writer.messages = sent
    server.protocol.set_writer(writer, include_headers=False)
    return server.protocol


@pytest.fixture
def bare(sent: list[dict[str, Any]]) -> Any:
    """The protocol as pygls has it."""
    return listening(LanguageServer("bare", "0"), sent)


@pytest.fixture
def ours(sent: list[dict[str, Any]]) -> Any:
    return listening(QuotalineServer(), sent)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("structure_message", ["data"]),
        ("_handle_response", ["msg_id", "result", "error"]),
        ("_send_response", ["msg_id", "result", "error"]),
        ("_execute_handler", ["msg_id", "handler", "callback", "args", "kwargs"]),
    ],
)
def test_what_is_overridden_has_these_parameters(name: str, parameters: list[str]) -> None:
    method = getattr(LanguageServerProtocol, name)
    assert list(inspect.signature(method).parameters) == ["self", *parameters]
    assert getattr(QuotalineProtocol, name) is not method


def test_the_attributes_that_are_read_are_there(bare: Any) -> None:
    assert bare._request_futures == {}
    assert bare._shutdown is False
    assert bare.msg_id is None
    assert types.INITIALIZE in bare.fm.builtin_features
    assert isinstance(bare.fm.features, dict)


# --- positions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "encoding"), [(LanguageServer, "utf-8"), (QuotalineServer, "utf-16")])
async def test_pygls_takes_the_clients_position_encoding_and_we_do_not(
    kind: Any, encoding: str, sent: list[dict[str, Any]]
) -> None:
    protocol = listening(kind("a", "0") if kind is LanguageServer else kind(), sent)
    offered: dict[str, Any] = {"general": {"positionEncodings": ["utf-8", "utf-16"]}}
    params = {"processId": None, "rootUri": None, "capabilities": offered}
    request = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    protocol.handle_message(protocol.structure_message(request))
    await asyncio.sleep(0)
    (answer,) = sent
    assert answer["result"]["capabilities"]["positionEncoding"] == encoding


# --- requests that cannot be read ------------------------------------------------------------------


def test_pygls_leaves_a_request_that_it_cannot_read_without_an_answer(bare: Any, sent: list[dict[str, Any]]) -> None:
    with pytest.raises(JsonRpcException):
        bare.structure_message(dict(ODD))
    assert sent == []


def test_a_request_that_cannot_be_read_is_answered(ours: Any, sent: list[dict[str, Any]]) -> None:
    ours.fm.feature("textDocument/hover")(lambda params: None)
    with pytest.raises(JsonRpcException):
        ours.structure_message(dict(ODD))
    (answer,) = sent
    assert (answer["id"], answer["error"]["code"]) == (1, -32602)


def test_pygls_needs_parameters_that_a_client_may_leave_out(bare: Any) -> None:
    with pytest.raises(JsonRpcException):
        bare.structure_message({"jsonrpc": "2.0", "id": 1, "method": "quotaline/usage"})


# --- answers ---------------------------------------------------------------------------------------


def test_pygls_waits_for_ever_for_an_answer_that_it_cannot_read(bare: Any) -> None:
    future = ask(bare)
    with pytest.raises(JsonRpcException):
        bare.structure_message({"jsonrpc": "2.0", "id": "mine", "result": 5})
    assert not future.done()


def test_an_answer_that_cannot_be_read_is_an_error(ours: Any) -> None:
    future = ask(ours)
    with pytest.raises(JsonRpcException):
        ours.structure_message({"jsonrpc": "2.0", "id": "mine", "result": 5})
    assert isinstance(future.exception(), JsonRpcException)


def test_pygls_raises_for_an_answer_that_was_given_up(bare: Any) -> None:
    ask(bare).cancel()
    with pytest.raises(Exception, match=r"CANCELLED|cancelled"):
        bare._handle_response("mine", None)


def test_an_answer_that_was_given_up_is_dropped(ours: Any) -> None:
    ask(ours).cancel()
    ours._handle_response("mine", None)
    assert ours._request_futures == {}


def ask(protocol: Any) -> Future[Any]:
    """A request to the client that waits for its answer."""
    params = types.ShowDocumentParams("file:///x")
    future: Future[Any] = protocol.send_request("window/showDocument", params, msg_id="mine")
    return future


# --- errors ----------------------------------------------------------------------------------------


def unexpected() -> types.ResponseError:
    """The error that pygls makes of an exception of ours."""
    try:
        raise ValueError("k-secret")
    except ValueError as error:
        of: Any = JsonRpcInternalError.of
        answer: types.ResponseError = of((type(error), error, error.__traceback__)).to_response_error()
        return answer


def test_pygls_sends_the_text_and_the_place_of_an_unexpected_error(bare: Any, sent: list[dict[str, Any]]) -> None:
    bare._send_response(1, error=unexpected())
    assert "k-secret" in json.dumps(sent)
    assert __file__ in json.dumps(sent)


def test_an_unexpected_error_is_a_sentence(ours: Any, sent: list[dict[str, Any]]) -> None:
    ours._send_response(1, error=unexpected())
    message = "Quotaline could not answer; its log says more."
    assert sent == [{"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": message}}]


# --- what is kept ----------------------------------------------------------------------------------


async def notifications(protocol: Any, count: int) -> None:
    """So many notifications, handled one after the other."""

    async def handler(params: None) -> None:
        return None

    protocol.fm.feature("quotaline/didInteract")(handler)
    for _ in range(count):
        protocol.handle_message(JsonRPCNotification("quotaline/didInteract", "2.0", None))
        await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_pygls_keeps_the_future_of_every_notification(bare: Any) -> None:
    await notifications(bare, KEPT_FUTURES + 50)
    assert len(bare._request_futures) == KEPT_FUTURES + 50


async def test_futures_of_notifications_are_dropped(ours: Any) -> None:
    await notifications(ours, KEPT_FUTURES + 50)
    assert len(ours._request_futures) <= KEPT_FUTURES + 1


async def test_what_is_being_answered_can_be_cancelled_as_a_whole(ours: Any, sent: list[dict[str, Any]]) -> None:
    async def handler(params: None) -> None:
        await asyncio.Event().wait()

    ours.fm.feature("quotaline/usage")(handler)
    ours.handle_message(JsonRPCRequestMessage(7, "quotaline/usage", "2.0", None))
    await asyncio.sleep(0)
    ours.cancel_requests()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    (answer,) = sent
    assert answer["id"] == 7
    assert "error" in answer


# --- reading ---------------------------------------------------------------------------------------


def nested() -> dict[str, Any]:
    """A request of a method of ours. pygls changes what it reads."""
    return {"jsonrpc": "2.0", "id": 1, "method": "quotaline/report", "params": {"deep": {"format": "text"}}}


def test_pygls_reads_parameters_of_unknown_methods_into_classes_made_for_them() -> None:
    usual: Any = default_converter()  # type: ignore[no-untyped-call]
    assert type(usual.structure(nested(), JsonRPCRequestMessage).params) is not dict


def test_parameters_of_our_methods_stay_json() -> None:
    assert converter().structure(nested(), JsonRPCRequestMessage).params == {"deep": {"format": "text"}}
