"""What an editor without a client of ours gets: the status line as a progress or as the server's status, and code
actions in place of commands. Real sidecars, with the capabilities that Zed, Helix and Emacs announce."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.server.conftest import Lay
from tests.server.lsp_client import PLAIN, USAGE, Client, Desk, Params
from tests.server.test_lsp_session import open_document

ZED: Params = {**PLAIN, "experimental": {"serverStatusNotification": True, "localDocs": True}}


def actions(client: Client, document: Params, line: int = 0, only: list[str] | None = None) -> dict[str, Any]:
    """The code actions of a line, by title."""
    at = {"line": line, "character": 0}
    context: Params = {"diagnostics": []} | ({} if only is None else {"only": only})
    params = {"textDocument": document, "range": {"start": at, "end": at}, "context": context}
    return {action["title"]: action for action in client.request("textDocument/codeAction", params)}


def run(client: Client, action: Params) -> Any:
    command = action["command"]
    return client.request(
        "workspace/executeCommand", {"command": command["command"], "arguments": command.get("arguments") or []}
    )


def status_text(client: Client) -> str:
    """The status line as the newest progress message has it."""
    progress = client.of("$/progress")
    return str(progress[-1]["value"].get("message"))


def test_many_changes_in_one_moment_end_in_the_newest_text(desk: Desk, openrouter: Lay) -> None:
    openrouter(used=62)
    client = desk.open(PLAIN)
    client.wait_for("$/progress", lambda params: "62%" in (params["value"].get("message") or ""))
    for percent in ("left", "used", "left", "used", "left"):
        client.notify("workspace/didChangeConfiguration", {"settings": {"statusLine": {"percent": percent}}})
    client.wait_for("$/progress", lambda params: "38%" in (params["value"].get("message") or ""))
    client.request("quotaline/usage")
    assert "38%" in status_text(client)


def test_the_servers_status_is_used_when_wished_and_shown(desk: Desk, openrouter: Lay) -> None:
    openrouter(used=90)
    client = desk.open(ZED, {"plainStatus": "serverStatus"})
    status = client.wait_for("experimental/serverStatus", lambda params: "90%" in (params["message"] or ""))
    first, *rest = status["message"].split("\n")
    assert "90%" in first
    assert any("OpenRouter" in line for line in rest)
    assert status["health"] == "warning"
    assert status["quiescent"] is True
    assert client.shut_down() == 0
    assert client.of("experimental/serverStatus")[-1]["message"] is None
    assert client.of("$/progress") == []


def test_an_editor_that_shows_no_server_status_gets_the_progress(desk: Desk, openrouter: Lay) -> None:
    openrouter(used=62)
    client = desk.open(PLAIN, {"plainStatus": "serverStatus"})
    client.wait_for("$/progress", lambda params: "62%" in (params["value"].get("message") or ""))
    assert client.of("experimental/serverStatus") == []


def test_the_way_can_be_changed_while_running(desk: Desk, openrouter: Lay) -> None:
    openrouter(used=62)
    client = desk.open(ZED)
    client.wait_for("$/progress", lambda params: "62%" in (params["value"].get("message") or ""))
    client.notify("workspace/didChangeConfiguration", {"settings": {"quotaline": {"plainStatus": "off"}}})
    client.wait_for("$/progress", lambda params: params["value"]["kind"] == "end")
    client.notify("workspace/didChangeConfiguration", {"settings": {"quotaline": {"plainStatus": "serverStatus"}}})
    client.wait_for("experimental/serverStatus", lambda params: "62%" in (params["message"] or ""))


def test_code_actions_stay_out_of_other_documents(desk: Desk, openrouter: Lay) -> None:
    openrouter()
    client = desk.open(PLAIN)
    assert actions(client, open_document(client, desk.home / "main.py", "x = 1\n")) == {}


def test_code_actions_everywhere_on_wish(desk: Desk, openrouter: Lay) -> None:
    route = openrouter()
    client = desk.open(PLAIN, {"codeActions": "everywhere"})
    document = open_document(client, desk.home / "main.py", "x = 1\n")
    found = actions(client, document)
    assert list(found) == ["Refresh AI usage", "Show AI usage report", "Open Quotaline's configuration"]
    assert actions(client, document, only=["quickfix"]) == {}
    assert list(actions(client, document, only=["source"])) == list(found)
    (outcome,) = run(client, found["Refresh AI usage"])["outcomes"]
    assert (outcome["id"], outcome["ok"]) == ("openrouter", True)
    assert route.count == 1


def test_the_report_is_written_and_the_user_told_where(desk: Desk, openrouter: Lay) -> None:
    openrouter(used=62)
    client = desk.open(PLAIN, {"codeActions": "everywhere"})
    client.wait_for("$/progress", lambda params: "62%" in (params["value"].get("message") or ""))
    document = open_document(client, desk.home / "main.py", "x = 1\n")
    run(client, actions(client, document)["Show AI usage report"])
    message = client.wait_for("window/showMessage")["message"]
    path = Path(message.removeprefix("Open "))
    text = path.read_text("utf-8")
    assert "62%" in text
    report = open_document(client, path, text)
    line = next(n for n, line in enumerate(text.splitlines()) if line.startswith("## "))
    found = actions(client, report, line)
    assert "Refresh OpenRouter" in found
    run(client, found["Sign in to OpenRouter"])
    client.wait_for("window/showMessage", lambda params: "API key" in params["message"])


@pytest.mark.parametrize("capabilities", [PLAIN, ZED])
def test_a_plain_editor_is_never_sent_our_notification(desk: Desk, openrouter: Lay, capabilities: Params) -> None:
    openrouter(used=62)
    client = desk.open(capabilities)
    client.wait_for("$/progress", lambda params: "62%" in (params["value"].get("message") or ""))
    assert client.of(USAGE) == []
