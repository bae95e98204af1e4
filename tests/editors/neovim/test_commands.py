"""`:Quotaline` in real Neovim: the window, every subcommand, completion, the config file and the report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quotaline_providers.testing import Route
from tests.editors.neovim.conftest import Open
from tests.editors.neovim.editor import Editor, doing_until, until
from tests.server.lsp_client import Desk

pytestmark = pytest.mark.editors

SECRET = "demo-secret-4711"


def diagnostics(editor: Editor) -> list[str]:
    return list(editor.lua("return vim.tbl_map(function(d) return d.message end, vim.diagnostic.get(0))"))


def hovered(editor: Editor) -> str:
    """What the attached server says at the cursor."""
    answers = editor.lua(
        "local params = vim.lsp.util.make_position_params(0, 'utf-16')"
        "return vim.tbl_values(vim.lsp.buf_request_sync(0, 'textDocument/hover', params, 20000) or {})"
    )
    return "".join(answer["result"]["contents"]["value"] for answer in answers if answer.get("result"))


def attached(editor: Editor) -> None:
    until(lambda: editor.lua("return #vim.lsp.get_clients({ bufnr = 0 })") == 1, "a server at this buffer")


def test_the_window_shows_bars_refreshes_and_closes(editor: Editor, credits: Route) -> None:
    editor.shows("OpenRouter 40%")
    editor.command("Quotaline")
    shown = editor.float_with("40% used")
    assert any(line.strip() == "OpenRouter" for line in shown.lines)
    assert "█" in shown.text
    assert "**" not in shown.text
    assert "\\" not in shown.text
    marks = editor.lua(
        "local space = vim.api.nvim_get_namespaces()['quotaline.float']"
        "return vim.api.nvim_buf_get_extmarks(0, space, 0, -1, { details = true })"
    )
    assert {"QuotalineTitle", "QuotalineBar", "QuotalineStrong", "QuotalineLink"} <= {m[3]["hl_group"] for m in marks}
    credits.answers(data={"total_credits": 100, "total_usage": 90})
    doing_until(
        lambda: editor.types("r"),
        lambda: "90% used" in (editor.floating() or shown).text,
        "the new number in the window",
    )
    editor.command("call search('Dashboard')")
    editor.types("<CR>")
    assert until(editor.opened, "an opened address")[0].startswith("https://openrouter.ai")
    editor.types("q")
    until(lambda: editor.floating() is None, "a closed window")


def test_the_window_fits_a_small_screen_and_closes_when_left(editor: Editor) -> None:
    editor.shows("OpenRouter 40%")
    editor.command("set columns=40 lines=12 | Quotaline show openrouter")
    shown = editor.float_with("OpenRouter")
    assert shown.config["width"] <= 36
    assert shown.config["height"] <= 8
    editor.command("wincmd p")
    until(lambda: editor.floating() is None, "a closed window")
    assert editor.completed("Quotaline show ") == ["openrouter"]


def test_completion_of_all_arguments(editor: Editor) -> None:
    editor.shows("OpenRouter 40%")
    names = "config dashboard disable enable log refresh report restart setkey show signin"
    assert editor.completed("Quotaline ") == names.split()
    assert editor.completed("Quotaline re") == ["refresh", "report", "restart"]
    assert editor.completed("Quotaline refresh ") == ["openrouter"]
    assert editor.completed("Quotaline refresh openrouter ") == []
    assert editor.completed("Quotaline disable o") == ["openrouter"]
    assert until(
        lambda: "codebuff" in (ids := editor.completed("Quotaline setkey ")) and "openrouter" in ids, "all ids"
    )
    assert "codebuff" in editor.completed("vertical Quotaline enable c")
    assert editor.completed("Quotaline log ") == []
    assert editor.completed("Quotaline enable codebuff ") == []


def test_commands_answer_in_words(editor: Editor) -> None:
    editor.shows("OpenRouter 40%")
    editor.command("Quotaline nonsense")
    assert "refresh" in editor.noted("no `nonsense`")
    editor.command("Quotaline refresh nonsense")
    editor.noted("no provider called")
    editor.command("Quotaline signin openrouter")
    editor.noted("API key")


def test_disable_and_enable_change_the_config_file_and_the_line(editor: Editor, desk: Desk) -> None:
    editor.shows("OpenRouter 40%")
    editor.command("Quotaline disable openrouter")
    editor.noted("no longer shown")
    editor.shows("Quotaline: no providers")
    assert json.loads(desk.config.read_text())["providers"][0]["enabled"] is False
    editor.command("Quotaline enable openrouter")
    editor.shows("OpenRouter 40%")


def test_one_is_chosen_when_none_is_named(editor: Editor) -> None:
    editor.lua("vim.ui.select = function(items, o, done) _G.asked = o.format_item(items[1]) done(items[1]) end")
    editor.shows("OpenRouter 40%")
    editor.command("Quotaline dashboard")
    assert until(editor.opened, "an opened address") == ["https://openrouter.ai/settings/credits"]
    assert editor.lua("return _G.asked") == "OpenRouter (openrouter)"


def test_a_typed_key_goes_to_the_server_and_nowhere_else(
    open_editor: Open, desk: Desk, installed: Path, credits: Route
) -> None:
    desk.write_config({"id": "openrouter", "enabled": True})
    credits.answers(data={"total_credits": 100, "total_usage": 40})
    editor = open_editor(
        'vim.lsp.log.set_level("TRACE") require("quotaline").setup()',
        PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring",
    )
    editor.server()
    until(editor.providers, "a provider")
    editor.be_seen()
    editor.command_that_asks("Quotaline setkey openrouter")
    until(lambda: editor.nvim.api.get_mode()["mode"] == "c", "a question")
    editor.types(f"{SECRET}<CR>")
    editor.shows("OpenRouter 40%")
    assert credits.requests[-1].headers["authorization"] == f"Bearer {SECRET}"
    editor.noted("onfig")
    for kind in ("cmd", "input", "search", "expr"):
        assert SECRET not in str(editor.lua("return vim.fn.execute('history ' .. ...)", kind))
    editor.command("Quotaline log")
    assert SECRET not in "\n".join(editor.lines())
    assert SECRET not in editor.nvim.command_output("messages") + "".join(editor.notes())
    log = Path(editor.lua("return require('quotaline.lsp').log_file()"))
    assert SECRET not in log.read_text()
    assert "initialize" in log.read_text()
    assert editor.lua("return vim.lsp.log.get_level()") == editor.lua("return vim.log.levels.TRACE")


def test_the_report_is_alive_and_has_the_servers_features(editor: Editor, credits: Route) -> None:
    editor.shows("OpenRouter 40%")
    editor.command("Quotaline report")
    until(lambda: any("40% used" in line for line in editor.lines()), "the report")
    assert editor.lua("return vim.bo.modifiable") is False
    attached(editor)
    credits.answers(data={"total_credits": 100, "total_usage": 90})
    doing_until(lambda: editor.types("r"), lambda: "90% used" in "\n".join(editor.lines()), "the new number")
    editor.command("call cursor(1, 1) | call search('^## ')")
    assert "90% used" in hovered(editor)
    editor.types("q")
    until(lambda: editor.lua("return vim.fn.tabpagenr('$')") == 1, "a closed report")


def test_the_config_file_has_diagnostics_completion_and_hover(editor: Editor, desk: Desk) -> None:
    editor.shows("OpenRouter 40%")
    editor.command("Quotaline config")
    until(lambda: editor.nvim.current.buffer.name.endswith("config.json"), "the config file")
    attached(editor)
    editor.nvim.current.buffer[:] = ['{"version": 1, "providers": [', '  {"id": "openrouter", "enabled": "x"}', "]}"]
    until(lambda: diagnostics(editor), "a diagnostic")
    editor.nvim.current.window.cursor = (2, 4)
    assert "40% used" in hovered(editor)
    editor.nvim.current.buffer[1:2] = ['  {"id": "openrouter", "enabled": true},', '  {"id": "codeb"}']
    editor.nvim.current.window.cursor = (3, 12)
    editor.types("a<C-x><C-o>")
    until(
        lambda: "codebuff" in [item["word"].strip('"') for item in editor.nvim.funcs.complete_info(["items"])["items"]],
        "completion",
    )
    editor.types("<Esc>")


def test_a_config_file_opened_by_hand_is_attached_too(open_editor: Open, installed: Path, desk: Desk) -> None:
    desk.write(".config/quotaline/config.json", '{"version": 1, "providers": [{"id": "openrouter", "enabled": 3}]}')
    editor = open_editor()
    editor.command(f"edit {desk.config}")
    attached(editor)
    assert until(lambda: diagnostics(editor), "a diagnostic")
    editor.command(f"edit {desk.home}/other.json")
    assert editor.lua("return #vim.lsp.get_clients({ bufnr = 0 })") == 0


def test_a_dollar_in_a_path_is_a_letter(open_editor: Open, installed: Path, desk: Desk) -> None:
    config = desk.write("$shade/config.json", '{"version": 1, "providers": [{"id": "openrouter", "enabled": 3}]}')
    other = desk.write("elsewhere/config.json", "{}")
    editor = open_editor(QUOTALINE_CONFIG=str(config), shade=other.parent.name)
    editor.command("Quotaline config")
    until(lambda: editor.nvim.current.buffer.name.endswith("config.json"), "the config file")
    assert config.samefile(editor.nvim.current.buffer.name)
    attached(editor)
    assert until(lambda: diagnostics(editor), "a diagnostic")
    editor.command("tabnew")
    editor.command("Quotaline config")
    until(lambda: editor.lua("return vim.fn.tabpagenr()") == 1, "the window that shows it already")


def test_a_file_that_the_server_shows_leaves_what_was_changed_and_fixed(
    open_editor: Open, installed: Path, desk: Desk
) -> None:
    editor = open_editor()
    for reason in ("vim.bo.modified, vim.o.hidden = true, false", "vim.wo.winfixbuf = true"):
        editor.command("silent! only!")
        editor.command("enew!")
        editor.lua(reason)
        editor.command("Quotaline config")
        until(lambda: editor.nvim.current.buffer.name.endswith("config.json"), "the config file")
        assert len(editor.nvim.windows) == 2


def test_the_help_is_found(open_editor: Open, tmp_path: Path) -> None:
    editor = open_editor("")
    editor.lua(
        "vim.cmd.helptags(vim.fn.fnamemodify(vim.api.nvim_get_runtime_file('doc/quotaline.txt', true)[1], ':h'))"
    )
    for topic in ("quotaline", ":Quotaline", "quotaline-options", "quotaline.setup()", "QuotalineChanged"):
        editor.command(f"help {topic}")
        assert editor.nvim.current.buffer.name.endswith("quotaline.txt")
