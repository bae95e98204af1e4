"""The tests on another system: each tells what it needs, can be loaded without it, and its programs start."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from quotaline_providers.hosts.processes.start import ChildProcesses
from quotaline_providers.testing.programs import windows_variables, write_program
from tests.systems import NEEDS

ROOT = Path(__file__).parent.parent
MODULES = sorted(path for path in (ROOT / "tests").rglob("*.py") if path.name != "systems.py")

POSIX_ONLY = """
import asyncio, importlib, os, signal, subprocess, sys
import hypothesis, pytest, playwright.sync_api, psutil, pynvim
import quotaline.application, quotaline.cli, quotaline_providers.hosts.processes.start
from quotaline_providers import registry
from quotaline_providers.testing import plugin
list(registry.every())
for name in ("fcntl", "grp", "posix", "pty", "pwd", "resource", "termios", "tty"):
    sys.modules[name] = None
for name in ("SIGALRM", "SIGCONT", "SIGHUP", "SIGKILL", "SIGQUIT", "SIGSTOP", "SIGUSR1"):
    delattr(signal, name)
for name in ("fork", "geteuid", "getuid", "killpg", "mkfifo", "setsid", "waitid"):
    delattr(os, name)
failed = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except BaseException as error:
        failed[name] = repr(error)
import json
print(json.dumps(failed))
"""


def test_all_tests_can_be_loaded_where_posix_is_missing() -> None:
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in MODULES]
    names = [name.removesuffix(".__init__") for name in names]
    command = [sys.executable, "-c", POSIX_ONLY, *names]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {}


def test_what_a_test_needs_of_the_system_is_said_in_one_place() -> None:
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = ast.unparse(node) if isinstance(node, ast.Call) else ""
            if text.startswith("pytest.mark.skipif") and re.search(r"\b(os\.name|platform)\b", text):
                found.append(f"{path.relative_to(ROOT)}: {text}")
    assert found == [], "use a mark of tests/systems.py"


def test_every_need_is_needed() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in MODULES)
    assert [name for name in NEEDS if f"systems.{name}" not in text] == []


def test_the_workflow_names_tests_that_exist() -> None:
    text = (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"\btests/[\w/.]+", text))
    assert len(named) > 10
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


# --- the programs of the tests, on Windows ---


def shell_words(line: str, folder: Path, arguments: list[str]) -> list[str]:
    """What cmd starts for this line of a batch file. As it does, the name of a folder ends with a separator."""
    line = line.strip().removeprefix("@").replace("%~dp0", f"{folder}{os.sep}")
    return shlex.split(line.replace("%*", subprocess.list2cmdline(arguments)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder on the PATH, named as users' are."""
    path = tmp_path / "Jörg Example" / "bin"
    path.mkdir(parents=True)
    return path


def test_a_program_runs_with_its_arguments(folder: Path) -> None:
    path = write_program(folder, "meter", "import sys; print(sys.argv[1:])", windows=True)
    line = path.read_bytes().decode("ascii")  # cmd reads it in a code page that the test does not know
    words = shell_words(line, folder, ["usage", "two words"])
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "['usage', 'two words']\n"


@pytest.mark.parametrize("extensions", [None, ".COM;.EXE;.BAT;.CMD", ".cmd"])
def test_a_program_is_found_by_its_extension(
    folder: Path, extensions: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_program(folder, "meter", "", windows=True)
    path.with_suffix(".CMD").hardlink_to(path)  # a disk that does not tell case apart
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(os, "access", lambda path, mode: True)  # Windows knows no such mode
    environ = {"PATH": str(folder), **({"PATHEXT": extensions} if extensions else {})}
    found = ChildProcesses(environ).find("meter")
    assert found is not None
    assert str(found).lower() == str(path).lower()


def test_a_users_folders_are_those_of_the_test(tmp_path: Path) -> None:
    variables = windows_variables(tmp_path, {"SYSTEMROOT": "C:\\Windows", "SECRET_KEY": "k"})
    assert variables.pop("SYSTEMROOT") == "C:\\Windows"
    assert all(str(tmp_path) in value for value in variables.values())
