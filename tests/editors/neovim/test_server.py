"""The server under real Neovim: one for each, gone with it, back when it stops, and quiet when there is none."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.editors import stand_in
from tests.editors.neovim.conftest import Open
from tests.editors.neovim.editor import CLIENT, WAIT_SECONDS, Editor, doing_until, until

pytestmark = pytest.mark.editors


def health(editor: Editor) -> str:
    editor.command("checkhealth quotaline")
    until(lambda: len(editor.lines()) > 3, "the health report")
    text = "\n".join(editor.lines())
    editor.command("bdelete")
    return text


def test_one_server_attached_to_no_buffer_that_ends_with_neovim(editor: Editor) -> None:
    editor.shows("OpenRouter 40%")
    server = editor.server()
    editor.command("edit some.txt | split other.json | tabnew third.md")
    editor.lua('require("quotaline").setup()')
    assert editor.servers() == [server]
    assert editor.lua("return #vim.lsp.get_clients({ bufnr = 0 })") == 0
    assert editor.lua("return vim.tbl_count(vim.lsp.get_clients()[1].attached_buffers)") == 0
    editor.quit()
    server.wait(WAIT_SECONDS)


def test_a_killed_neovim_leaves_no_server(editor: Editor) -> None:
    server = editor.server()
    editor.shows("OpenRouter 40%")
    editor.process.kill()
    server.wait(WAIT_SECONDS)


def test_a_killed_server_comes_back_and_is_told_of_once(editor: Editor) -> None:
    editor.shows("OpenRouter 40%")
    for _ in range(2):
        server = editor.server()
        server.send_signal(signal.SIGKILL)
        until(lambda: editor.statusline()["highlights"][0]["group"] == "QuotalineStale", "a stale status line")
        assert editor.statusline()["str"] == "OpenRouter 40%"
        until(lambda pid=server.pid: editor.server().pid != pid, "another server")  # type: ignore[misc]
        until(lambda: editor.statusline()["highlights"][0]["group"] == "QuotalineOk", "a fresh status line")
    assert [note for note in editor.notes() if "signal 9" in note] == editor.notes()
    assert len(editor.notes()) == 1
    editor.command("Quotaline log")
    assert sum("signal 9" in line for line in editor.lines()) == 2


def test_a_missing_program_is_told_once_and_explained_by_health(open_editor: Open, installed: Path) -> None:
    installed.unlink()
    editor = open_editor()
    editor.noted("`quotaline` was not found")
    editor.lua('require("quotaline").setup()')
    editor.command("Quotaline")
    shown = editor.float_with("was not found")
    install = f"uv tool install '{CLIENT.parents[1]}'"
    assert install in shown.text
    editor.types("q")
    until(lambda: editor.floating() is None, "a closed window")
    assert (editor.statusline()["str"], len(editor.notes())) == ("", 1)
    report = health(editor)
    assert "ERROR" in report
    assert install in report
    assert editor.servers() == []


def test_a_program_installed_later_is_found(open_editor: Open, programs: Path) -> None:
    editor = open_editor()
    editor.noted("was not found")
    stand_in.install(programs, stand_in.usage("a 1%"))
    editor.command("Quotaline")
    editor.shows("a 1%")


def test_a_server_that_stops_at_once_is_given_up_after_some_tries(open_editor: Open, programs: Path) -> None:
    starts = programs / "starts"
    path = programs / "quotaline"
    path.write_text(f'#!/bin/sh\necho x >> "{starts}"\necho "no module named x" >&2\nexit 3\n', encoding="utf-8")
    path.chmod(0o755)
    editor = open_editor('require("quotaline").setup({ restart = { attempts = 3, delay_ms = 50 } })')
    editor.noted("again and again")
    assert starts.read_text().count("x") == 4
    assert editor.statusline()["str"] == "Quotaline !"
    assert len(editor.notes()) == 2
    report = health(editor)
    assert "no module named x" in report
    assert "It stopped too often" in report
    stand_in.install(programs, stand_in.usage("a 1%"))
    editor.command("Quotaline restart")
    editor.shows("a 1%")


def test_a_protocol_of_another_version_is_said_honestly(open_editor: Open, programs: Path) -> None:
    stand_in.install(programs, stand_in.usage("a 1%", version=2), stand_in.usage("a 2%", version=2))
    editor = open_editor()
    editor.shows("Quotaline !")
    assert "version 2 of the protocol" in editor.noted("version 2")
    editor.command("Quotaline")
    editor.float_with("Bring both up to date")
    assert len(editor.notes()) == 1


def test_a_restart_that_is_due_is_told_and_offered(open_editor: Open, programs: Path) -> None:
    stand_in.install(programs, stand_in.usage("a 1%"), restart_due="Quotaline was updated.")
    editor = open_editor()
    assert editor.noted("was updated") == "Quotaline: Quotaline was updated. `:Quotaline restart` restarts the server."
    stand_in.install(programs, stand_in.usage("a 2%"))
    editor.command("Quotaline restart")
    editor.shows("a 2%")
    assert len(editor.notes()) == 1


def test_a_silent_server_and_its_noise_are_told_without_a_pop_up(open_editor: Open, programs: Path) -> None:
    path = programs / "quotaline"
    path.write_text("#!/bin/sh\nprintf 'Content-Length: 5\\r\\n\\r\\nnoise'\nexec cat >/dev/null\n", encoding="utf-8")
    path.chmod(0o755)
    editor = open_editor('require("quotaline").setup({ restart = { answer_ms = 100 } })')
    editor.shows("Quotaline !")
    editor.command("Quotaline")
    editor.float_with("does not answer")
    editor.types("q")
    until(lambda: editor.floating() is None, "a closed window")
    editor.command("Quotaline log")
    doing_until(
        lambda: editor.command("close | Quotaline log"),
        lambda: "no message" in "\n".join(editor.lines()),
        "a log entry",
    )
    assert editor.notes() == []
    silent = psutil.Process(editor.process.pid).children()
    stand_in.install(programs, stand_in.usage("a 1%"))
    editor.command("Quotaline restart")
    editor.shows("a 1%")
    psutil.wait_procs(silent, WAIT_SECONDS)
    assert not any(process.is_running() for process in silent)


def test_a_restart_replaces_the_server(editor: Editor) -> None:
    editor.shows("OpenRouter 40%")
    old = editor.server()
    editor.command("Quotaline restart")
    old.wait(WAIT_SECONDS)
    assert editor.server() != old
    editor.shows("OpenRouter 40%")
    assert editor.notes() == []


def test_health_tells_what_is_well(editor: Editor) -> None:
    editor.shows("OpenRouter 40%")
    report = health(editor)
    assert "It answers, version" in report
    assert "OpenRouter 40%" in report
    assert "config.json" in report
    assert "ERROR" not in report


def test_new_settings_reach_the_running_server(editor: Editor) -> None:
    editor.shows("OpenRouter 40%")
    server = editor.server()
    editor.lua('require("quotaline").setup({ settings = { statusLine = { percent = "left" } } })')
    editor.shows("OpenRouter 60% left")
    assert editor.servers() == [server]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("{ statusline = { max_width = 'wide' } }", "statusline.max_width"),
        ("{ colour = 1 }", "colour"),
        ("{ report = { open = 'left' } }", "report.open"),
        ("{ cmd = 'quotaline serve' }", "cmd"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(open_editor: Open, options: str, named: str) -> None:
    editor = open_editor("")
    ok, message = editor.lua(f"return {{ pcall(require('quotaline').setup, {options}) }}")
    assert not ok
    assert named in message


def test_the_plugin_file_loads_nothing_before_it_is_used(open_editor: Open, installed: Path) -> None:
    editor = open_editor("")
    loaded = "return vim.tbl_filter(function(name) return name:find('quotaline') end, vim.tbl_keys(package.loaded))"
    assert editor.lua(loaded) == []
    before = editor.lua("return vim.tbl_keys(_G)")
    editor.command("Quotaline log")
    assert set(editor.lua("return vim.tbl_keys(_G)")) == set(before)
    assert editor.servers() == []


def test_vim_pack_installs_it_from_a_repository(
    release: str, open_editor: Open, programs: Path, tmp_path: Path
) -> None:
    if release == "0.10":
        pytest.skip("vim.pack came with Neovim 0.12")
    stand_in.install(programs, stand_in.usage("a 1%"))
    repository = tmp_path / "quotaline"
    shutil.copytree(CLIENT, repository / "clients/neovim", ignore=shutil.ignore_patterns("tags"))
    for words in ("init --quiet", "add .", "-c user.name=a -c user.email=a@b.test commit --quiet --message=a"):
        subprocess.run(["git", *words.split()], cwd=repository, check=True)
    editor = open_editor(
        f"""
        vim.opt.runtimepath:remove({str(CLIENT)!r})
        vim.pack.add({{ {{ src = "file://{repository}", name = "quotaline" }} }}, {{ confirm = false }})
        vim.opt.runtimepath:append(vim.pack.get({{ "quotaline" }})[1].path .. "/clients/neovim")
        require("quotaline").setup()
        """
    )
    until(lambda: editor.nvim.vvars["vim_did_enter"] == 1, "a Neovim that read its init file")
    editor.shows("a 1%")
    assert "/site/pack/" in editor.lua("return vim.api.nvim_get_runtime_file('plugin/quotaline.lua', false)[1]")
    assert editor.completed("Quotaline re") == ["refresh", "report", "restart"]


def test_variables_of_the_options_replace_neovims_in_any_letter_case_on_windows_alone(open_editor: Open) -> None:
    editor = open_editor("")
    code = """
        local has, windows = vim.fn.has, ...
        vim.fn.has = function(what) return what == "win32" and windows or has(what) end
        local ok, result = pcall(require("quotaline.lsp").environment, { Path = "mine" })
        vim.fn.has = has
        return { ok, result }
    """
    assert editor.lua(code, 1) == [True, {"PATH": "mine"}]
    assert editor.lua(code, 0) == [True, {"Path": "mine"}]


def test_an_app_execution_alias_of_windows_can_be_the_command(open_editor: Open) -> None:
    editor = open_editor("")
    code = r"""
        local windows, program = ...
        local has, stat, lstat, path = vim.fn.has, vim.uv.fs_stat, vim.uv.fs_lstat, vim.env.PATH
        local alias = "C:\\Users\\ada\\WindowsApps\\python.exe"
        vim.fn.has = function(what) return what == "win32" and windows or has(what) end
        vim.uv.fs_stat = function(file) return nil, "", file == alias and "EACCES" or "ENOENT" end
        vim.uv.fs_lstat = function(file) return file == alias and { type = "link" } or nil end
        vim.env.PATH = 'C:\\Windows;"C:\\Users\\ada\\WindowsApps"'
        local config = { cmd = { program, "-m", "quotaline" } }
        local ok, command, problem = pcall(require("quotaline.session").command, config)
        vim.fn.has, vim.uv.fs_stat, vim.uv.fs_lstat, vim.env.PATH = has, stat, lstat, path
        return ok and (command and command[1] or problem)
    """
    for program in ("python", "python.exe", r"C:\Users\ada\WindowsApps\python"):
        assert editor.lua(code, 1, program) == program
        assert editor.lua(code, 0, program) == f"`{program}` cannot be run."
    assert editor.lua(code, 1, "other") == "`other` cannot be run."
