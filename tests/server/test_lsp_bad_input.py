"""Wrong, rude and dead clients, and broken config files: the sidecar stays calm and never stays behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quotaline_providers.testing import Route, Vendor
from tests.server.lsp_client import FULL, OURS, Client, Desk, Refused

UNKNOWN_METHOD, INVALID_PARAMS, CANCELLED = -32601, -32602, -32800
LEFT_SECONDS = 8.0
BROKEN = '{\n  "version": 1,\n  "providers": [,]\n}\n'


@pytest.fixture
def desk(environ: dict[str, str], home: Path) -> Iterator[Desk]:
    """The machine of a user who has an OpenRouter key. No sidecar on it may show a traceback or break the framing."""
    with Desk({**environ, "OPENROUTER_API_KEY": "k"}, home) as desk:
        yield desk
    for client in desk.clients:
        assert "Traceback" not in client.output
        assert client.noise == b""


@pytest.fixture
def credits(vendor: Callable[[str], Vendor]) -> Route:
    """OpenRouter's balance, which every read asks for once."""
    site = vendor("openrouter.ai")
    site.get("/api/v1/key").answers(data={"usage": 62})
    return site.get("/api/v1/credits")


def answers(route: Route) -> Route:
    return route.answers(data={"total_credits": 100, "total_usage": 62})


@pytest.fixture
def quick(credits: Route) -> Route:
    return answers(credits)


@pytest.fixture
def slow(credits: Route) -> Route:
    """A balance that does not come while the test waits."""
    return answers(credits.delays(20))


def is_well(client: Client) -> bool:
    return bool(client.request("quotaline/usage")["version"] == 1)


def until(fact: Callable[[], bool], seconds: float = LEFT_SECONDS) -> bool:
    """Whether something becomes true in time."""
    end = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


# --- wrong messages --------------------------------------------------------------------------------


def test_what_is_unknown_is_refused_or_ignored(desk: Desk, quick: Route) -> None:
    client = desk.open()
    client.notify("quotaline/unheardOf", {"a": 1})
    client.notify("$/unheardOf")
    client.notify("textDocument/didSave", {"textDocument": {"uri": "file:///x"}})
    for method in ("quotaline/unheardOf", "textDocument/definition", "$/unheardOf"):
        with pytest.raises(Refused) as refused:
            client.request(method, {})
        assert refused.value.code == UNKNOWN_METHOD
    with pytest.raises(Refused) as refused:
        client.command("quotaline.unheardOf")
    assert refused.value.code == INVALID_PARAMS
    assert is_well(client)


WRONG_COMMANDS: list[tuple[str, list[object], str]] = [
    ("refresh", [5], "Provider ids must be strings"),
    ("refresh", ["nobody"], "no provider called 'nobody'"),
    ("refresh", [{"ids": [["nobody"]]}], "no provider called 'nobody'"),
    ("openDashboard", [], "one provider id"),
    ("openDashboard", ["claude", "codex"], "one provider id"),
    ("enable", [None], "one provider id"),
    ("disable", ["nobody"], "no provider called"),
    ("signIn", [""], "no provider called"),
    ("setCredential", [], "`id` and `value`"),
    ("setCredential", ["openrouter", "k"], "`id` and `value`"),
    ("setCredential", [{"id": "openrouter"}], "`id` and `value`"),
    ("setCredential", [{"id": "openrouter", "value": "  "}], "`id` and `value`"),
    ("setCredential", [{"id": 1, "value": ["k"]}], "`id` and `value`"),
    ("setCredential", [{"id": "nobody", "value": "k"}], "no provider"),
]


def test_wrong_arguments_of_commands_are_told_in_words(desk: Desk, quick: Route) -> None:
    client = desk.open()
    for name, arguments, words in WRONG_COMMANDS:
        with pytest.raises(Refused) as refused:
            client.command(f"quotaline.{name}", *arguments)
        assert (name, refused.value.code) == (name, INVALID_PARAMS)
        assert words in refused.value.message
        assert refused.value.data is None
    assert not desk.config.exists()
    assert is_well(client)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("textDocument/hover", {"textDocument": 5}),
        ("textDocument/hover", None),
        ("textDocument/completion", []),
        ("workspace/executeCommand", {"arguments": "quotaline.refresh"}),
        ("workspace/executeCommand", {"command": "quotaline.refresh", "arguments": 7}),
        ("quotaline/report", {"format": ["html"]}),
        ("quotaline/report", {"format": {"a": "b"}}),
    ],
)
def test_wrong_parameters_are_answered(desk: Desk, quick: Route, method: str, params: object) -> None:
    client = desk.open()
    with pytest.raises(Refused) as refused:
        client.request(method, params)
    assert refused.value.code == INVALID_PARAMS
    assert "Error" not in refused.value.message
    assert is_well(client)


def test_odd_parameters_do_no_harm(desk: Desk, quick: Route) -> None:
    client = desk.open(options=["no", "object"])
    oddities: tuple[object, ...] = (None, [], 5, "text", {"": {"class": 1, "jsonrpc": "2.0"}})
    for odd in oddities:
        client.notify("quotaline/didInteract", odd)
        client.notify("workspace/didChangeConfiguration", {"settings": odd})
        client.notify("textDocument/didOpen", odd)
        client.notify("textDocument/didClose", {"textDocument": {"uri": "file:///never-opened"}})
        client.notify("$/cancelRequest", {"id": 4711})
        client.request("quotaline/usage", odd)
    assert is_well(client)


@pytest.mark.parametrize(
    "body",
    [
        b"{no json",
        b"[]",
        b"null",
        b"7",
        b'"text"',
        b"{}",
        b"\xff\xfe",
        b"[" * 5000,
        b'{"jsonrpc": "1.0", "id": 1}',
        b'{"jsonrpc": "2.0", "id": {"a": 1}, "result": 1}',
        b'{"jsonrpc": "2.0", "id": "unasked", "result": 1}',
    ],
)
def test_a_body_that_is_no_message_is_passed_over(desk: Desk, quick: Route, body: bytes) -> None:
    client = desk.open()
    client.send_bytes(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert is_well(client)


def test_a_length_that_no_message_has_ends_the_sidecar(desk: Desk, quick: Route) -> None:
    client = desk.open()
    client.send_bytes(b"Content-Length: 99999999999999\r\n\r\n{")
    assert client.exit_code(LEFT_SECONDS) == 1


def test_requests_before_initialized_wait_for_it(desk: Desk, quick: Route) -> None:
    client = desk.spawn()
    early = client.ask("initialize", {"processId": None, "rootUri": None, "capabilities": OURS})
    usage = client.ask("quotaline/usage")
    client.notify("initialized", {})
    assert client.answer(early, 20)["serverInfo"]["name"] == "quotaline"
    assert client.answer(usage)["version"] == 1


def test_an_unreadable_answer_of_the_client_holds_nothing_up(desk: Desk, quick: Route) -> None:
    client = desk.spawn(deaf_to=["window/showDocument"])
    client.initialize(FULL)
    opening = client.ask("workspace/executeCommand", {"command": "quotaline.openConfig"})
    client.wait_for("window/showDocument")
    id = next(m["id"] for m in client.messages if m.get("method") == "window/showDocument")
    client.send({"jsonrpc": "2.0", "id": id, "result": {"success": {"odd": True}}})
    assert client.answer(opening)["uri"] == desk.config.as_uri()
    opening = client.ask("workspace/executeCommand", {"command": "quotaline.openConfig"})
    client.wait_for("window/showDocument")
    assert client.answer(opening)["uri"] == desk.config.as_uri()  # though the client never answers


# --- much and slow ---------------------------------------------------------------------------------


def test_a_cancelled_request_is_answered_at_once_and_the_read_goes_on(desk: Desk, slow: Route) -> None:
    client = desk.open()
    client.usage(lambda params: bool(params["providers"]))
    asked = client.ask("workspace/executeCommand", {"command": "quotaline.refresh", "arguments": []})
    assert is_well(client)
    client.notify("$/cancelRequest", {"id": asked})
    with pytest.raises(Refused) as refused:
        client.answer(asked, 2)
    assert refused.value.code == CANCELLED
    assert client.request("quotaline/usage")["providers"][0]["refreshing"] is True


def test_fifty_refreshes_at_once_ask_the_vendor_once(desk: Desk, credits: Route) -> None:
    answers(credits.delays(0.5))
    client = desk.open()
    client.usage(lambda params: bool(params["providers"]))
    asked = [client.ask("workspace/executeCommand", {"command": "quotaline.refresh"}) for _ in range(50)]
    outcomes = [client.answer(id, 20)["outcomes"] for id in asked]
    assert all(len(found) == 1 and found[0]["ok"] for found in outcomes)
    assert credits.count == 1
    assert len(client.of("quotaline/didChangeUsage")) <= 8


def test_shutdown_does_not_wait_for_a_slow_vendor(desk: Desk, slow: Route) -> None:
    client = desk.open()
    client.usage(lambda params: bool(params["providers"]))
    asked = client.ask("workspace/executeCommand", {"command": "quotaline.refresh"})
    began = time.monotonic()
    assert client.request("shutdown", None, 2) is None
    assert time.monotonic() - began < 2
    client.notify("exit")
    assert client.exit_code() == 0
    with pytest.raises(Refused):
        client.answer(asked, 1)


def test_nothing_is_done_after_shutdown(desk: Desk, quick: Route) -> None:
    client = desk.open()
    client.request("shutdown")
    client.notify("quotaline/didInteract", {})
    client.notify("workspace/didChangeConfiguration", {"settings": {}})
    client.notify("exit")
    assert client.exit_code() == 0


# --- the end of the editor -------------------------------------------------------------------------


def test_exit_without_shutdown_is_an_error_but_an_end(desk: Desk, slow: Route) -> None:
    client = desk.open()
    client.usage()
    client.notify("exit")
    assert client.exit_code(LEFT_SECONDS) == 1


def test_a_closed_input_is_the_end(desk: Desk, slow: Route) -> None:
    client = desk.open()
    client.usage()
    client.hang_up()
    assert client.exit_code(LEFT_SECONDS) == 1


def test_an_input_closed_in_the_middle_of_a_message_is_the_end(desk: Desk, quick: Route) -> None:
    client = desk.open()
    client.send_bytes(b'Content-Length: 500\r\n\r\n{"jsonrpc"')
    client.hang_up()
    assert client.exit_code(LEFT_SECONDS) == 1


def test_a_sidecar_that_was_never_spoken_to_ends_with_its_input(desk: Desk) -> None:
    client = desk.spawn()
    client.hang_up()
    assert client.exit_code(20) == 1


@pytest.fixture
def editor() -> Iterator[subprocess.Popen[bytes]]:
    """Another process that the sidecar takes for its editor."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def test_a_killed_editor_leaves_no_sidecar(desk: Desk, quick: Route, editor: subprocess.Popen[bytes]) -> None:
    client = desk.spawn()
    client.initialize(OURS, pid=editor.pid)
    client.usage(lambda params: "62%" in params["statusLine"]["text"])
    assert client.process.poll() is None
    editor.kill()
    editor.wait()
    assert client.exit_code(LEFT_SECONDS) == 0


@pytest.mark.parametrize("end", ["shutdown", "closed input", "killed editor", "terminated", "terminated again"])
def test_no_program_outlives_the_sidecar(
    desk: Desk, program: Callable[[str, str], Path], editor: subprocess.Popen[bytes], end: str
) -> None:
    note = desk.home / "running"
    program(
        "kiro-cli",
        f"import os, time\nopen({str(note)!r}, 'a').write(f'{{os.getpid()}} ')\ntime.sleep(60)",
    )
    client = desk.spawn(OPENROUTER_API_KEY="")
    client.initialize(OURS, pid=editor.pid)
    assert until(lambda: note.exists() and note.read_text().endswith(" "), 15)
    if end == "shutdown":
        client.shut_down()
    elif end == "closed input":
        client.hang_up()
    elif end == "killed editor":
        editor.kill()
        editor.wait()
    else:
        for _ in end.split():
            client.process.terminate()
    client.exit_code(LEFT_SECONDS)
    assert until(lambda: not any(_runs(int(pid)) for pid in note.read_text().split()), 2)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


# --- broken config files ---------------------------------------------------------------------------


def test_a_config_file_broken_at_the_start(desk: Desk, quick: Route) -> None:
    desk.write(".config/quotaline/config.json", BROKEN)
    client = desk.open()
    published = client.wait_for("textDocument/publishDiagnostics")
    assert published["uri"] == desk.config.as_uri()
    (found,) = published["diagnostics"]
    assert (found["range"]["start"], found["severity"]) == ({"line": 2, "character": 16}, 1)
    assert "line 3, column 17" in found["message"]
    client.usage(lambda params: "62%" in params["statusLine"]["text"])
    for command in ("quotaline.enable", "quotaline.disable"):
        with pytest.raises(Refused, match="broken"):
            client.command(command, "openrouter")
    with pytest.raises(Refused, match="broken"):
        client.command("quotaline.setCredential", {"id": "openrouter", "value": "demo-token"})
    client.shut_down()
    assert desk.config.read_text() == BROKEN
    assert "demo-token" not in client.output


def test_a_config_file_that_breaks_while_running(desk: Desk, quick: Route) -> None:
    desk.write_config({"id": "openrouter", "enabled": False})
    client = desk.open()
    client.wait_for("textDocument/publishDiagnostics", lambda params: params["diagnostics"] == [])
    desk.write(".config/quotaline/config.json", BROKEN)
    published = client.wait_for("textDocument/publishDiagnostics", lambda params: bool(params["diagnostics"]))
    assert published["diagnostics"][0]["range"]["start"] == {"line": 2, "character": 16}
    assert client.request("quotaline/usage")["providers"] == []
    assert desk.config.read_text() == BROKEN
    desk.write_config()
    client.wait_for("textDocument/publishDiagnostics", lambda params: params["diagnostics"] == [])
    client.usage(lambda params: "62%" in params["statusLine"]["text"])
