"""The status line in real Neovim: what it shows, when it is drawn, how it looks."""

from __future__ import annotations

from pathlib import Path

import pytest

from quotaline_providers.testing import Route
from tests.editors import stand_in
from tests.editors.neovim.conftest import Open
from tests.editors.neovim.editor import WINBAR, Editor, doing_until

pytestmark = pytest.mark.editors


def groups(editor: Editor) -> list[str]:
    return [part["group"] for part in editor.statusline()["highlights"]]


def refreshed_until(editor: Editor, text: str) -> None:
    """Refresh as often as it takes: right after a read the server answers with that read."""
    doing_until(lambda: editor.command("Quotaline refresh"), lambda: bool(editor.statusline()["str"] == text), text)


def test_the_vendors_number_is_shown_and_a_refresh_changes_it(editor: Editor, credits: Route) -> None:
    editor.shows("OpenRouter 40%")
    assert groups(editor)[0] == "QuotalineOk"
    credits.answers(data={"total_credits": 100, "total_usage": 97})
    changes = editor.lua("return _G.changes")
    refreshed_until(editor, "OpenRouter 97%")
    assert groups(editor)[0] == "QuotalineCritical"
    assert editor.lua("return _G.changes") > changes
    assert editor.noted("1 provider is up to date")


def test_two_neovims_make_one_request_and_show_each_others_refresh(
    open_editor: Open, installed: Path, credits: Route
) -> None:
    credits.answers(data={"total_credits": 100, "total_usage": 40})
    credits.answers(data={"total_credits": 100, "total_usage": 85})
    first, second = open_editor(), open_editor()
    first.shows("OpenRouter 40%")
    second.shows("OpenRouter 40%")
    assert credits.count == 1
    refreshed_until(first, "OpenRouter 85%")
    second.shows("OpenRouter 85%")
    assert credits.count == 2


def test_a_second_neovim_shows_the_stored_number_without_asking(
    open_editor: Open, installed: Path, credits: Route
) -> None:
    credits.answers(data={"total_credits": 100, "total_usage": 40})
    with open_editor() as first:
        first.shows("OpenRouter 40%")
    open_editor().shows("OpenRouter 40%")
    assert credits.count == 1


def test_the_groups_link_to_those_of_diagnostics(open_editor: Open) -> None:
    editor = open_editor('require("quotaline").setup({ autostart = false }) vim.cmd.colorscheme("blue")')
    links = {
        severity: editor.nvim.api.get_hl(0, {"name": f"Quotaline{severity}"})["link"]
        for severity in ("Ok", "Warning", "Critical", "Stale", "Error", "Empty")
    }
    assert links == {
        "Ok": "DiagnosticOk",
        "Warning": "DiagnosticWarn",
        "Critical": "DiagnosticError",
        "Stale": "DiagnosticHint",
        "Error": "DiagnosticError",
        "Empty": "DiagnosticHint",
    }


def test_percent_signs_are_text_and_not_items(open_editor: Open, programs: Path) -> None:
    stand_in.install(programs, stand_in.usage("100% %f 5%"))
    editor = open_editor()
    editor.shows("100% %f 5%")
    assert editor.lua("return require('quotaline').text()") == "100% %f 5%"
    assert "100%% %%f 5%%" in editor.lua("return require('quotaline').statusline()")


def test_a_long_text_is_cut_to_cells_and_direction_marks_are_left_out(open_editor: Open, programs: Path) -> None:
    name = "量子計算機" * 8
    push = stand_in.usage(f"{name} 5%", stand_in.provider("a", "\u2068אבג\u2069 7%", account="\u202eevil\u202c"))
    stand_in.install(programs, push)
    editor = open_editor('require("quotaline").setup({ statusline = { max_width = 20 } })')
    editor.shows("量子計算機量子計算…")
    assert editor.statusline()["width"] == 19
    assert editor.providers()[0]["text"] == "אבג 7%"
    assert editor.providers()[0]["account"] == "evil"
    assert editor.nvim.api.eval_statusline(WINBAR, {})["str"] == "אבג 7%"


def test_what_nobody_sees_is_in_no_text_and_no_message(open_editor: Open, programs: Path) -> None:
    hidden = "a\u200bb\u2060\u00adc\ufe0f\u3164d\U000e0041\U000e0100e\x1b[31m"
    stand_in.install(programs, stand_in.usage(f"{hidden} 5%"), restart_due=f"{hidden} was updated.")
    editor = open_editor()
    editor.shows("abcde [31m 5%")
    assert editor.noted("abcde [31m was updated.")


def test_the_winbar_has_each_provider_in_its_colour_as_far_as_they_fit(open_editor: Open, programs: Path) -> None:
    providers = [
        stand_in.provider(word, f"{word} {number}%", severity=severity)
        for word, number, severity in (("one", 1, "ok"), ("two", 82, "warning"), ("three", 99, "critical"))
    ]
    stand_in.install(programs, stand_in.usage("one 1%", *providers))
    editor = open_editor()
    editor.shows("one 1%")
    drawn = editor.nvim.api.eval_statusline(WINBAR, {"highlights": True, "use_winbar": True})
    assert drawn["str"] == "one 1% · two 82% · three 99%"
    coloured = [part["group"] for part in drawn["highlights"] if part["group"].startswith("Quotaline")]
    assert coloured == ["QuotalineOk", "QuotalineWarning", "QuotalineCritical"]
    editor.lua('require("quotaline").setup({ statusline = { max_width = 22 } })')
    assert editor.nvim.api.eval_statusline(WINBAR, {})["str"] == "one 1% · two 82% · …"


def test_equal_pushes_are_drawn_once_and_unknown_fields_do_no_harm(open_editor: Open, programs: Path) -> None:
    push = stand_in.usage("a 1%", stand_in.provider("a", "a 1%", novelty={"deep": [1]}), novelty=7)
    stand_in.install(programs, push, {**push, "newer": True}, push, stand_in.usage("a 2%"))
    editor = open_editor(
        """
        vim.o.statusline = "%{%v:lua.require'quotaline'.statusline()%}"
        local redraw = vim.cmd.redrawstatus
        _G.redraws = 0
        vim.cmd.redrawstatus = function(...) _G.redraws = _G.redraws + 1 return redraw(...) end
        require("quotaline").setup()
        """
    )
    editor.shows("a 2%")
    assert 1 <= editor.lua("return _G.redraws") <= 2
    assert editor.lua("return _G.changes") <= 4


@pytest.mark.parametrize("params", [{}, [], "no", {"version": 1}, {"version": 1, "statusLine": 5, "providers": {}}])
def test_a_push_without_meaning_breaks_nothing(open_editor: Open, programs: Path, params: object) -> None:
    stand_in.install(programs, params, stand_in.usage("a 1%"))  # type: ignore[arg-type]
    editor = open_editor()
    editor.shows("a 1%")
    assert "rror" not in editor.nvim.command_output("messages")


def test_no_provider_at_all(open_editor: Open, programs: Path) -> None:
    stand_in.install(programs, stand_in.usage("Quotaline: no providers", severity="empty"))
    editor = open_editor()
    editor.shows("Quotaline: no providers")
    assert groups(editor)[0] == "QuotalineEmpty"
    assert editor.providers() == []
    assert editor.notes() == []


def test_a_click_opens_the_details(open_editor: Open, programs: Path) -> None:
    stand_in.install(programs, stand_in.usage("Some 40%"))
    editor = open_editor()
    editor.shows("Some 40%")
    editor.command("""set laststatus=2 statusline=%{%v:lua.require'quotaline'.statusline()%}""")
    editor.be_seen()
    editor.command("set mouse=a | redraw!")
    editor.nvim.api.input_mouse("left", "press", "", 0, 22, 3)
    editor.float_with("Some 40%")


def test_a_heirline_component_has_text_colour_and_click(open_editor: Open, programs: Path) -> None:
    stand_in.install(programs, stand_in.usage("Some 40%"))
    editor = open_editor()
    editor.shows("Some 40%")
    made = editor.lua(
        """
        local part = require("quotaline").heirline()
        part.on_click.callback()
        return { part.condition(), part.provider(), part.hl(), part.update.pattern }
        """
    )
    assert made == [True, "Some 40%%", "QuotalineOk", "QuotalineChanged"]
    editor.float_with("Some 40%")


def test_a_lualine_component_has_the_escaped_text_and_the_severitys_colour(open_editor: Open, programs: Path) -> None:
    stand_in.install(programs, stand_in.usage("a 85%", severity="warning"))
    editor = open_editor()
    editor.shows("a 85%")
    made = editor.lua(
        """
        local base = { super = nil }
        function base:extend() local class = setmetatable({ super = self }, { __index = self }) return class end
        function base:init(options) self.options = options end
        package.loaded["lualine.component"] = base
        local refreshed = 0
        package.loaded["lualine"] = { refresh = function() refreshed = refreshed + 1 end }
        local part = require("lualine.components.quotaline")
        part:init({})
        vim.api.nvim_exec_autocmds("User", { pattern = "QuotalineChanged" })
        return { part:update_status(), part.options.color().fg, type(part.options.on_click), refreshed }
        """
    )
    text, colour, click, refreshes = made
    warning = editor.nvim.api.get_hl(0, {"name": "DiagnosticWarn", "link": False})
    assert (text, click, refreshes) == ("a 85%%", "function", 1)
    assert colour == f"#{warning['fg']:06x}"
