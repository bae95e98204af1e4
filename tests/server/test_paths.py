"""Where our files are on each system, for an editor and for a terminal, and what other programs call them."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import platformdirs
import pytest

from quotaline import paths
from quotaline.application import build
from quotaline.config import config_path
from quotaline.paths import Folders, folders, is_virtualised, seen_by_others

PACKAGE = "Packages/PythonSoftwareFoundation.Python.3.13_qbz5n2kfra8p0/LocalCache/Local"


@pytest.fixture
def xdg(tmp_path: Path) -> dict[str, str]:
    """What a shell exports of which a desktop knows nothing."""
    return {f"XDG_{name}_HOME": str(tmp_path / "xdg" / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}


def test_linux_has_four_folders_which_variables_move(home: Path, xdg: dict[str, str], tmp_path: Path) -> None:
    usual = folders({}, home, "linux")
    assert [str(path.relative_to(home).as_posix()) for path in usual] == [
        ".config/quotaline",
        ".local/share/quotaline",
        ".local/state/quotaline",
        ".cache/quotaline",
    ]
    moved = folders(xdg, home, "linux")
    assert list(moved) == [tmp_path / "xdg" / name / "quotaline" for name in ("config", "data", "state", "cache")]
    assert folders(dict.fromkeys(xdg, "relative"), home, "linux") == usual
    assert folders(dict.fromkeys(xdg, " "), home, "linux") == usual


def test_a_terminal_on_macos_has_the_folders_of_an_editor_from_the_dock(home: Path, xdg: dict[str, str]) -> None:
    dock = folders({}, home, "darwin")
    assert folders(xdg, home, "darwin") == dock
    support = home / "Library/Application Support/quotaline"
    assert dock == (support, support, support, home / "Library/Caches/quotaline")
    assert config_path(xdg, home, "darwin") == support / "config.json"


def test_windows_has_local_folders(home: Path, xdg: dict[str, str], tmp_path: Path) -> None:
    local = home / "AppData/Local/quotaline"
    assert folders(xdg, home, "win32") == (local, local, local, local / "Cache")
    assert folders({"LOCALAPPDATA": "relative"}, home, "win32").data == local
    assert folders({"LOCALAPPDATA": str(tmp_path)}, home, "win32").data == tmp_path / "quotaline"


@pytest.mark.parametrize("moved", [False, True])
def test_everything_of_ours_is_below_the_folders_that_the_library_tells(
    moved: bool, xdg: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in xdg.items():
        monkeypatch.setenv(name, value) if moved else monkeypatch.delenv(name, raising=False)
    environ, home = dict(os.environ), Path.home()
    own = folders(environ, home)
    assert set(paths.own_folders()) == set(own)
    assert paths.store_path().parent == paths.report_path().parent == own.cache
    assert paths.approvals_path().parent == own.state
    assert paths.data_folder() == own.data
    assert paths.provider_folder().parent == config_path({**environ, "QUOTALINE_CONFIG": ""}, home).parent == own.config


def test_the_program_uses_the_folders_of_macos(
    home: Path, environ: dict[str, str], xdg: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in xdg.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.setattr("quotaline.paths.sys.platform", "darwin")
    monkeypatch.setattr("quotaline_providers.diagnostics.sink", None)
    monkeypatch.setattr("quotaline_providers.diagnostics.on_upgrade", None)
    application = build(environ={**environ, **xdg})
    asyncio.run(application.machine.close())
    assert application.store_path.parent == home / "Library/Caches/quotaline"
    support = home / "Library/Application Support/quotaline"
    assert application.keeper.watched[-1] == support / "keyring.json"


# --- a Python from the Store of Windows ---


@pytest.fixture
def store_python(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which Windows keeps what this Python writes to AppData; other programs must look there."""
    local = home / "AppData/Local"
    private = local / PACKAGE / "quotaline"
    private.mkdir(parents=True)

    ours, resolve = local / "quotaline", os.path.realpath

    def resolved(path: Path) -> str:
        path = Path(path)
        if not path.is_relative_to(ours):
            return resolve(path)
        kept = private / path.relative_to(ours)
        return str(kept if kept.exists() else path)

    # only this module believes to be on Windows, so that all others do what they can do here
    monkeypatch.setattr(paths, "sys", SimpleNamespace(platform="win32"))
    monkeypatch.setattr(os.path, "realpath", resolved)
    monkeypatch.setattr(Path, "home", lambda: home)
    own = {f"user_{name}_path": getattr(folders({}, home, "win32"), name) for name in Folders._fields}
    monkeypatch.setattr(platformdirs, "PlatformDirs", lambda name, appauthor: SimpleNamespace(**own))
    return private


def test_the_commands_name_the_files_that_other_programs_find(
    home: Path,
    store_python: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command_line: Callable[[list[str]], int],
) -> None:
    outside = home / "AppData/Local/quotaline/config.json"
    monkeypatch.setenv("QUOTALINE_CONFIG", str(outside))
    assert (command_line(["config", "path"]), capsys.readouterr().out) == (0, f"{outside}\n")
    (store_python / "config.json").write_text("{")  # as this Python writes: the file outside is not there
    outside.parent.mkdir()
    outside.write_text("{")
    assert (command_line(["config", "path"]), capsys.readouterr().out) == (0, f"{store_python / 'config.json'}\n")
    assert command_line(["config", "validate"]) == 1
    assert capsys.readouterr().out.startswith(f"{store_python / 'config.json'}:1:")


def test_doctor_tells_that_windows_keeps_files_apart(
    home: Path,
    store_python: Path,
    capsys: pytest.CaptureFixture[str],
    command_line: Callable[[list[str]], int],
) -> None:
    command_line(["doctor", "venice", "--format", "json"])
    assert json.loads(capsys.readouterr().out)["folders"] == "ok"
    (store_python / "Cache").mkdir()
    (store_python / "Cache/store.sqlite3").touch()
    command_line(["doctor", "venice", "--format", "json"])
    found = json.loads(capsys.readouterr().out)
    assert "Use one Python for all" in found["folders"]
    assert found["paths"]["store"] == str(store_python / "Cache/store.sqlite3")


def test_a_file_is_shown_where_other_programs_find_it(home: Path, store_python: Path) -> None:
    config = config_path({}, home, "win32")
    assert seen_by_others(config) == config  # not written yet: a file that the user makes there is read
    (store_python / "config.json").write_text("{}")
    assert seen_by_others(config) == store_python / "config.json"
    assert is_virtualised(seen_by_others(config))
    assert not is_virtualised(config)


def test_links_and_network_drives_keep_the_names_users_know(
    home: Path, store_python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "realpath", lambda path: r"\\server\share\config.json")
    assert seen_by_others(home / "config.json") == home / "config.json"
