"""Which editor `quotaline config edit` opens: the values that people have, on each system."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from quotaline.cli.editor import editor_command, started
from quotaline_providers.contract import Processes
from quotaline_providers.hosts.processes.start import ChildProcesses
from quotaline_providers.testing.programs import write_program


@pytest.fixture
def processes(programs: Path) -> Processes:
    """Programs as they are found on the PATH of this test."""
    return ChildProcesses({"PATH": str(programs), "PATHEXT": ".com;.exe;.bat;.cmd"})


@pytest.fixture
def editor(tmp_path: Path) -> Path:
    """An editor in a folder with blanks that is not on the PATH."""
    folder = tmp_path / "Program Files" / "Notepad++"
    folder.mkdir(parents=True)
    path = folder / "notepad++.exe"
    path.touch(mode=0o755)
    return path


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Windows as the code that finds programs sees it."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(os, "access", lambda path, mode: True)  # Windows knows no such mode


@pytest.fixture(params=["here", "windows"])
def system(request: pytest.FixtureRequest) -> None:
    """This system, and Windows."""
    if request.param == "windows":
        request.getfixturevalue("windows")


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("value", ["{}", '"{}"', "'{}'", " {} "])
def test_a_path_with_blanks(value: str, editor: Path, processes: Processes) -> None:
    environ = {"EDITOR": value.format(editor)}
    assert editor_command(environ, processes) == [str(editor)]
    with_flags = {"EDITOR": f"{value.format(editor).strip()} -multiInst '-n 1'"}
    assert editor_command(with_flags, processes) == [str(editor), "-multiInst", "-n 1"]


@pytest.mark.usefixtures("windows")
def test_a_batch_file_is_started_by_the_path_where_it_was_found(programs: Path, processes: Processes) -> None:
    path = write_program(programs, "code", "", windows=True)
    assert editor_command({"EDITOR": "code --wait"}, processes) == [str(path), "--wait"]
    assert editor_command({"VISUAL": "code", "EDITOR": "other"}, processes) == [str(path)]
    assert started([r"C:\bin\code.cmd", "--wait", r"C:\A&B\c.json"]) == r'C:\bin\code.cmd --wait "C:\A&B\c.json"'
    assert started([r"C:\My Bin\code.CMD", r"C:\A B\c.json"]) == r'"C:\My Bin\code.CMD" "C:\A B\c.json"'
    assert started(["notepad.exe", r"C:\A&B\c.json"]) == ["notepad.exe", r"C:\A&B\c.json"]


@pytest.mark.usefixtures("windows")
def test_windows_has_an_editor(programs: Path, processes: Processes) -> None:
    assert editor_command({}, processes) is None
    (programs / "notepad.exe").touch()
    assert editor_command({"EDITOR": " "}, processes) == [str(programs / "notepad.exe")]


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("value", ["nobody-has-this", '"unended', "'", "~", "./demo", "-"])
def test_no_editor(value: str, processes: Processes) -> None:
    assert editor_command({"EDITOR": value}, processes) is None


def test_an_editor_in_the_current_folder_is_anybodys(
    tmp_path: Path, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_program(tmp_path, "demo-editor", "")
    monkeypatch.chdir(tmp_path)
    assert editor_command({"EDITOR": "demo-editor"}, processes) is None
