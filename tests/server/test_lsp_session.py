"""A sidecar as an editor uses it: a real process, real TLS, the protocol message by message."""

from __future__ import annotations

import itertools
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.testing import Vendor
from tests.server.conftest import KEY, Lay
from tests.server.lsp_client import FULL, OURS, PLAIN, Client, Desk, Params, Refused


def text(params: Params) -> str:
    return str(params["statusLine"]["text"])


def names(params: Params) -> list[str]:
    return [provider["id"] for provider in params["providers"]]


def shows(words: str) -> Callable[[Params], bool]:
    return lambda params: words in text(params)


def open_document(client: Client, path: Path, content: str | None = None) -> Params:
    """Open a document in the editor; returns how requests name it."""
    uri = path.as_uri()
    content = path.read_text(encoding="utf-8") if content is None else content
    item = {"uri": uri, "languageId": "json", "version": 1, "text": content}
    client.notify("textDocument/didOpen", {"textDocument": item})
    return {"uri": uri}


def whole(document: Params) -> Params:
    return {
        "textDocument": document,
        "range": {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}},
    }


def place(document: Params, line: int, character: int) -> Params:
    return {"textDocument": document, "position": {"line": line, "character": character}}


# --- what is shown ---------------------------------------------------------------------------------


def test_the_first_message_is_empty_and_the_next_has_the_numbers(desk: Desk, openrouter: Lay) -> None:
    credits = openrouter(used=62)
    client = desk.open()
    first = client.usage()
    assert first["version"] == 1
    assert first["providers"] == []
    assert first["statusLine"]["severity"] == "empty"
    second = client.usage(lambda params: any(provider["windows"] for provider in params["providers"]))
    (provider,) = second["providers"]
    assert (provider["id"], provider["name"], provider["source"]) == ("openrouter", "OpenRouter", "api")
    assert provider["windows"][0]["usedPercent"] == 62
    assert provider["balances"][0]["amount"] == 38
    assert provider["error"] is None
    assert provider["stale"] is False
    assert "62%" in text(second)
    assert second["statusLine"]["hover"]["kind"] == "markdown"
    assert credits.count == 1
    assert client.shut_down() == 0
    assert client.noise == b""


def test_a_second_start_shows_the_stored_usage_before_any_request(desk: Desk, openrouter: Lay) -> None:
    credits = openrouter(used=62)
    client = desk.open()
    client.usage(shows("62%"))
    client.shut_down()
    again = desk.open()
    first = again.usage()
    assert "62%" in text(first)
    assert names(first) == ["openrouter"]
    assert again.request("quotaline/usage")["providers"][0]["windows"][0]["usedPercent"] == 62
    assert credits.count == 1


def test_no_message_repeats_the_one_before(desk: Desk, openrouter: Lay) -> None:
    openrouter()
    client = desk.open()
    client.usage(shows("62%"))
    client.command("quotaline.refresh")
    client.notify("quotaline/didInteract", {})
    client.request("quotaline/usage")
    sent = client.of("quotaline/didChangeUsage")
    assert all(one != other for one, other in itertools.pairwise(sent))
    assert len(sent) <= 6


def test_usage_on_demand_is_what_was_published(desk: Desk, openrouter: Lay) -> None:
    openrouter()
    client = desk.open()
    published = client.usage(
        lambda params: (
            bool(params["providers"])
            and bool(params["providers"][0]["windows"])
            and not params["providers"][0]["refreshing"]
        )
    )
    assert client.request("quotaline/usage", {}) == published
    assert client.request("quotaline/usage") == published


@pytest.mark.parametrize("format", ["markdown", "html", "text"])
def test_reports(desk: Desk, openrouter: Lay, format: str) -> None:
    openrouter()
    client = desk.open()
    client.usage(shows("62%"))
    report = client.request("quotaline/report", {"format": format})
    assert report["format"] == format
    assert "OpenRouter" in report["content"]
    assert ("<html" in report["content"].lower()) == (format == "html")


def test_a_report_is_markdown_unless_another_format_is_asked_for(desk: Desk, openrouter: Lay) -> None:
    openrouter()
    client = desk.open()
    assert client.request("quotaline/report")["format"] == "markdown"
    with pytest.raises(Refused, match="markdown, html, fragment or text"):
        client.request("quotaline/report", {"format": "pdf"})


def test_a_report_for_a_page_of_the_clients_own(desk: Desk, openrouter: Lay) -> None:
    openrouter()
    client = desk.open()
    client.usage(shows("62%"))
    report = client.request("quotaline/report", {"format": "fragment"})
    assert report["content"].startswith("<main")
    assert not [banned for banned in ("<style", "<script", "style=") if banned in report["content"]]
    assert "--vscode-foreground" in report["style"]


def test_the_config_schema(bare_desk: Desk) -> None:
    schema = bare_desk.open().request("quotaline/configSchema")
    assert "providers" in schema["properties"]


# --- refreshing ------------------------------------------------------------------------------------


def test_refresh_reports_progress_and_outcomes(desk: Desk, openrouter: Lay) -> None:
    credits = openrouter()
    desk.run("usage")  # so that the provider is shown when the sidecar starts
    client = desk.open(FULL)
    client.usage(shows("62%"))
    answer = client.command("quotaline.refresh")
    assert [(o["id"], o["account"], o["ok"], o["message"]) for o in answer["outcomes"]] == [
        ("openrouter", None, True, None)
    ]
    kinds = [params["value"]["kind"] for params in client.of("$/progress")]
    assert kinds[0] == "begin"
    assert kinds[-1] == "end"
    assert "report" in kinds
    assert len({params["token"] for params in client.of("$/progress")}) == 1
    assert len(client.of("window/workDoneProgress/create")) == 1
    assert credits.count <= 2


def test_a_refresh_tells_the_error_in_words(desk: Desk, vendor: Callable[[str], Vendor]) -> None:
    site = vendor("openrouter.ai")
    site.get("/api/v1/key").fails(401)
    site.get("/api/v1/credits").fails(401)
    client = desk.open()
    client.usage(lambda params: any(provider["error"] for provider in params["providers"]))
    (outcome,) = client.command("quotaline.refresh", "or")["outcomes"]
    assert outcome["ok"] is False
    assert outcome["message"]
    provider = client.request("quotaline/usage")["providers"][0]
    assert provider["error"]["message"]
    assert provider["windows"] == []


def test_a_failed_refresh_keeps_the_last_numbers(desk: Desk, vendor: Callable[[str], Vendor]) -> None:
    site = vendor("openrouter.ai")
    site.get("/api/v1/key", bearer=KEY).answers(data={"usage": 62}).fails(500)
    credits = site.get("/api/v1/credits", bearer=KEY).answers(data={"total_credits": 100, "total_usage": 62}).fails(500)
    assert "62" in desk.run("usage").stdout
    desk.run("refresh", "--force")
    assert credits.count == 2
    client = desk.open()
    provider = client.usage(lambda params: any(p["error"] for p in params["providers"]))["providers"][0]
    assert provider["windows"][0]["usedPercent"] == 62
    assert provider["error"]["kind"] == "unavailable"


def test_refresh_of_a_client_that_never_answers_progress(desk: Desk, openrouter: Lay) -> None:
    openrouter()
    client = desk.spawn(deaf_to=["window/workDoneProgress/create"])
    client.initialize(FULL)
    client.usage(shows("62%"))
    assert client.command("quotaline.refresh")["outcomes"][0]["ok"]
    assert client.of("$/progress") == []


# --- settings --------------------------------------------------------------------------------------


def test_percent_left_from_the_start(desk: Desk, openrouter: Lay) -> None:
    openrouter(used=62)
    client = desk.open(options={"statusLine": {"percent": "left"}})
    assert "62%" not in text(client.usage(shows("38%")))


def test_settings_change_while_running(desk: Desk, openrouter: Lay) -> None:
    openrouter(used=62)
    client = desk.open()
    client.usage(shows("62%"))
    settings = {"quotaline": {"statusLine": {"percent": "left"}}}
    client.notify("workspace/didChangeConfiguration", {"settings": settings})
    client.usage(shows("38%"))
    client.notify("workspace/didChangeConfiguration", {"settings": {"statusLine": {"percent": "used"}}})
    client.usage(shows("62%"))


def test_the_config_file_says_how_things_are_shown_unless_the_editor_does(desk: Desk, openrouter: Lay) -> None:
    openrouter(used=62)
    desk.write_config(display={"percent": "left"})
    client = desk.open()
    client.usage(shows("38%"))
    client.notify("workspace/didChangeConfiguration", {"settings": {"statusLine": {"percent": "used"}}})
    client.usage(shows("62%"))
    client.notify("workspace/didChangeConfiguration", {"settings": {}})
    client.usage(shows("38%"))
    desk.write_config(display={"percent": "used"})
    client.usage(shows("62%"))


def test_a_wrong_setting_is_told_and_its_default_holds(desk: Desk, openrouter: Lay) -> None:
    openrouter(used=62)
    client = desk.open(options={"statusLine": {"percent": "sideways", "separator": " | "}})
    warning = client.wait_for("window/logMessage")
    assert "quotaline.statusLine.percent" in warning["message"]
    client.usage(shows("62%"))


# --- changing things -------------------------------------------------------------------------------


def test_disable_and_enable_write_the_config_and_change_the_status_line(desk: Desk, openrouter: Lay) -> None:
    openrouter()
    client = desk.open()
    client.usage(shows("62%"))
    assert "OpenRouter" in client.command("quotaline.disable", "openrouter")["message"]
    assert json.loads(desk.config.read_text())["providers"] == [{"id": "openrouter", "enabled": False}]
    client.usage(lambda params: params["providers"] == [])
    client.command("quotaline.enable", "or")
    assert json.loads(desk.config.read_text())["providers"] == [{"id": "openrouter", "enabled": True}]
    client.usage(shows("62%"))


def test_a_credential_goes_to_the_config_file_where_no_keyring_works(bare_desk: Desk, openrouter: Lay) -> None:
    openrouter(used=62)
    client = bare_desk.open()
    client.usage()
    answer = client.command("quotaline.setCredential", {"id": "openrouter", "value": f"  {KEY}\n"})
    assert answer["kept"] == "config"
    assert str(bare_desk.config) in answer["message"]
    assert json.loads(bare_desk.config.read_text())["providers"][0]["apiKey"] == KEY
    assert stat.S_IMODE(bare_desk.config.stat().st_mode) == 0o600
    client.usage(shows("62%"))
    client.shut_down()
    assert KEY not in client.output


def test_open_config_makes_the_file_and_shows_it(bare_desk: Desk) -> None:
    client = bare_desk.open(FULL)
    uri = bare_desk.config.as_uri()
    assert client.command("quotaline.openConfig") == {"uri": uri}
    assert json.loads(bare_desk.config.read_text()) == {"version": 1, "providers": []}
    shown = client.wait_for("window/showDocument")
    assert (shown["uri"], shown.get("external")) == (uri, False)


def test_open_config_leaves_an_existing_file_as_it_is(bare_desk: Desk) -> None:
    bare_desk.write(".config/quotaline/config.json", "{broken")
    client = bare_desk.open()
    client.command("quotaline.openConfig")
    assert bare_desk.config.read_text() == "{broken"
    assert client.of("window/showDocument") == []


def test_open_dashboard(bare_desk: Desk) -> None:
    client = bare_desk.open(FULL)
    url = "https://openrouter.ai/settings/credits"
    assert client.command("quotaline.openDashboard", "openrouter") == {"url": url}
    shown = client.wait_for("window/showDocument")
    assert (shown["uri"], shown["external"]) == (url, True)


def test_show_report_writes_a_document_and_shows_it(desk: Desk, openrouter: Lay) -> None:
    openrouter()
    client = desk.open(FULL)
    client.usage(shows("62%"))
    uri = client.command("quotaline.showReport")["uri"]
    assert client.wait_for("window/showDocument")["uri"] == uri
    path = desk.home / ".cache/quotaline/report.md"
    assert path.as_uri() == uri
    assert "OpenRouter" in path.read_text()
    assert path.stat().st_mode & 0o077 == 0  # it names accounts
    document = open_document(client, path)
    lenses = client.request("textDocument/codeLens", {"textDocument": document})
    assert {lens["command"]["command"] for lens in lenses} == {"quotaline.refresh", "quotaline.openDashboard"}
    line = lenses[0]["range"]["start"]["line"]
    hover = client.request("textDocument/hover", place(document, line, 0))
    assert "62" in hover["contents"]["value"]


def test_sign_in_without_an_interactive_one_tells_how_to_connect(bare_desk: Desk) -> None:
    answer = bare_desk.open().command("quotaline.signIn", "openrouter")
    assert answer["ok"] is False
    assert "OPENROUTER_API_KEY" in answer["message"]


def test_sign_in_shows_the_code_and_keeps_the_login(bare_desk: Desk, vendor: Callable[[str], Vendor]) -> None:
    site, api = vendor("github.com"), vendor("api.github.com")
    site.post("/login/device/code").answers(
        device_code="d",
        user_code="AB-12",
        verification_uri="https://github.com/login/device",
        expires_in=60,
        interval=0,
    )
    site.post("/login/oauth/access_token").answers(access_token="ghu_demoTokenOfATest", token_type="bearer")
    api.get("/user").answers(login="octo-demo", id=5)
    api.get("/copilot_internal/user").fails(404)
    client = bare_desk.open(FULL)
    client.usage()
    answer = client.command("quotaline.signIn", "copilot", timeout=20)
    assert answer["ok"] is True
    assert "AB-12" in client.wait_for("window/showMessage")["message"]
    assert client.wait_for("window/showDocument")["external"] is True
    assert "ghu_demoTokenOfATest" in bare_desk.config.read_text()
    assert "ghu_demoTokenOfATest" not in client.output


LINK = "[free](command:workbench.action.quit)"


def test_what_a_vendor_sends_to_a_sign_in_is_no_link_and_opens_no_other_page(
    bare_desk: Desk, vendor: Callable[[str], Vendor]
) -> None:
    site, api = vendor("github.com"), vendor("api.github.com")
    page = "https://github.com/login/device"
    code = {"device_code": "d", "user_code": "AB-12", "verification_uri": page, "interval": 0}
    codes = site.post("/login/device/code")
    codes.answers_json({**code, "verification_uri": "https://evil.test/"}).answers_json({**code, "user_code": LINK})
    codes.answers_json(code)
    site.post("/login/oauth/access_token").answers(access_token="ghu_demoTokenOfATest", token_type="bearer")
    api.get("/user").answers(login=f"ada{LINK}\u202e", id=5)
    api.get("/copilot_internal/user").fails(404)
    client = bare_desk.open({"window": FULL["window"]})
    for sentence in ("not on the vendor's own site", "a code that is none"):
        with pytest.raises(Refused, match=sentence):
            client.command("quotaline.signIn", "copilot", timeout=20)
    assert client.of("window/showDocument") == []
    client.command("quotaline.signIn", "copilot", timeout=20)
    messages = [message["message"] for message in client.of("window/showMessage")]
    assert any("ada[free] (command:" in message for message in messages)
    assert not any("](" in message or "\u202e" in message for message in messages)


def test_an_external_edit_is_live(desk: Desk, openrouter: Lay) -> None:
    openrouter()
    desk.write_config()
    client = desk.open()
    client.usage(shows("62%"))
    desk.write_config({"id": "openrouter", "enabled": False})
    client.usage(lambda params: params["providers"] == [])


# --- the config document ---------------------------------------------------------------------------

DRAFT = """{
  "version": 1,
  "providers": [
    {"id": "openrouter", "enabled": "perhaps"},
    {"id": "nobody"}
  ]
}
"""


def test_language_features_of_the_config_document(desk: Desk, openrouter: Lay) -> None:
    openrouter(used=62)
    desk.write_config()
    client = desk.open()
    client.usage(shows("62%"))
    document = open_document(client, desk.config, DRAFT)
    published = client.wait_for("textDocument/publishDiagnostics", lambda params: bool(params["diagnostics"]))
    assert published["uri"] == document["uri"]
    assert sorted(item["range"]["start"]["line"] for item in published["diagnostics"]) == [3, 4]
    assert all(item["source"] == "quotaline" for item in published["diagnostics"])
    key = DRAFT.splitlines()[3].index("enabled")
    assert "enabled" in client.request("textDocument/hover", place(document, 3, key + 1))["contents"]["value"].lower()
    id = DRAFT.splitlines()[3].index('"openrouter"')
    hover = client.request("textDocument/hover", place(document, 3, id + 2))["contents"]["value"]
    assert "62" in hover
    items = client.request("textDocument/completion", place(document, 4, DRAFT.splitlines()[4].index("nobody")))
    assert {"openrouter", "claude", "codex"} <= {item["label"].strip('"') for item in items["items"]}
    lenses = client.request("textDocument/codeLens", {"textDocument": document})
    assert [(lens["range"]["start"]["line"], lens["command"]["title"]) for lens in lenses] == [
        (3, "Refresh"),
        (3, "Dashboard"),
    ]
    hints = client.request("textDocument/inlayHint", whole(document))
    assert [hint["position"]["line"] for hint in hints] == [3]
    assert "62%" in hints[0]["label"]
    change = {"textDocument": {**document, "version": 2}, "contentChanges": [{"text": '{"version": 1}'}]}
    client.notify("textDocument/didChange", change)
    client.wait_for("textDocument/publishDiagnostics", lambda params: params["diagnostics"] == [])
    client.notify("textDocument/didClose", {"textDocument": document})


def test_the_windows_of_an_account_are_offered_where_its_metric_is_set(desk: Desk, openrouter: Lay) -> None:
    openrouter(used=62)
    desk.write_config({"id": "openrouter", "metric": "credits"})
    client = desk.open()
    client.usage(shows("62%"))
    draft = '{"version": 1, "providers": [\n{"id": "openrouter", "metric": "credit"}]}'
    document = open_document(client, desk.config, draft)
    items = client.request("textDocument/completion", place(document, 1, draft.splitlines()[1].index('"credit"') + 2))
    assert {"credits", "automatic", "spend", "balance"} <= {item["detail"] for item in items["items"]}
    told = client.wait_for("textDocument/publishDiagnostics", lambda params: bool(params["diagnostics"]))
    assert [item["code"] for item in told["diagnostics"]] == ["unknown_metric"]


def test_other_documents_are_left_alone(desk: Desk, openrouter: Lay) -> None:
    openrouter()
    desk.write_config()
    client = desk.open()
    client.usage(shows("62%"))
    document = open_document(client, desk.home / "config.json", DRAFT)
    assert client.request("textDocument/hover", place(document, 3, 6)) is None
    assert client.request("textDocument/completion", place(document, 3, 6)) is None
    assert client.request("textDocument/codeLens", {"textDocument": document}) == []
    assert client.request("textDocument/inlayHint", whole(document)) == []
    assert document["uri"] not in {params["uri"] for params in client.of("textDocument/publishDiagnostics")}


# --- plain clients ---------------------------------------------------------------------------------


def test_a_plain_client_sees_one_progress_that_lives_as_long_as_the_server(desk: Desk, openrouter: Lay) -> None:
    openrouter(used=62)
    client = desk.open(PLAIN)
    client.wait_for("$/progress", lambda params: "62%" in (params["value"].get("message") or ""))
    assert client.shut_down() == 0
    (create,) = client.of("window/workDoneProgress/create")
    progress = client.of("$/progress")
    assert {params["token"] for params in progress} == {create["token"]}
    kinds = [params["value"]["kind"] for params in progress]
    assert (kinds[0], kinds[-1]) == ("begin", "end")
    assert set(kinds[1:-1]) == {"report"}
    assert len(kinds) <= 5
    assert all("percentage" not in params["value"] for params in progress)
    assert client.of("quotaline/didChangeUsage") == []


def test_a_plain_client_that_refuses_the_progress_is_left_in_peace(desk: Desk, openrouter: Lay) -> None:
    openrouter()
    client = desk.spawn(deaf_to=["window/workDoneProgress/create"])
    client.initialize(PLAIN)
    create = client.wait_for("window/workDoneProgress/create")
    id = next(m["id"] for m in client.messages if m.get("method") == "window/workDoneProgress/create")
    client.send({"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": "no"}})
    assert create["token"]
    assert client.request("quotaline/usage")["version"] == 1
    assert client.shut_down() == 0
    assert client.of("$/progress") == []


def test_a_client_without_either_gets_nothing_unasked(desk: Desk, openrouter: Lay) -> None:
    openrouter()
    client = desk.open({})
    client.command("quotaline.refresh")
    assert client.shut_down() == 0
    assert {m["method"] for m in client.messages if "method" in m} <= {"textDocument/publishDiagnostics"}


def test_what_the_server_says_it_can_do(bare_desk: Desk) -> None:
    client = bare_desk.spawn()
    able: dict[str, Any] = client.initialize(OURS)["capabilities"]
    commands = {
        "refresh",
        "openDashboard",
        "showReport",
        "signIn",
        "setCredential",
        "enable",
        "disable",
        "openConfig",
    }
    assert set(able["executeCommandProvider"]["commands"]) == {f"quotaline.{name}" for name in commands}
    assert able["hoverProvider"]
    assert able["codeLensProvider"] is not None
