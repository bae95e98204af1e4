"""`.venv` as `python -m tests` makes it. What is installed is checked by `.ci/nightly`, which has the time for it."""

from __future__ import annotations

import ast
import importlib.util
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests import __main__ as suite, environment
from tests.environment import Environment, check_python

FILES = ("pyproject.toml", "requirements.txt", "requirements-dev.txt")


class Checkout(Environment):
    """A checkout in which nothing is installed but written down, after `-m`."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.started: list[str] = []
        self.fails = ""
        for name in FILES:
            (root / name).touch()
            self.age(name)

    def age(self, name: str, seconds: float = -1000) -> None:
        """Give a file a time before that of all that is made now, or after it."""
        path = self.root / name
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime + seconds))

    def _run(self, *arguments: str, quiet: bool = False) -> int:
        shown = [word for word in arguments if not word.startswith(("-q", "--quiet", "--disable"))][1:]
        self.started.append(" ".join(shown))
        return 1 if self.fails and self.started[-1].startswith(self.fails) else 0


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


PRODUCT = ["pip --version", "pip install -r requirements.txt", "pip install --no-deps --editable ."]


def test_the_product_is_installed_once(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    checkout.usable()
    checkout.usable()
    assert checkout.started == PRODUCT
    assert checkout.program("python").exists()
    assert capsys.readouterr().out == "Setting up .venv; this happens once.\n"


def test_what_developers_need_comes_on_top(checkout: Checkout) -> None:
    checkout.ready()
    checkout.ready()
    assert checkout.started == [*PRODUCT, "pip install -r requirements-dev.txt"]


@pytest.mark.parametrize(("changed", "again"), [(FILES[1], 4), (FILES[2], 1), (FILES[0], 4)])
def test_a_changed_file_is_installed_again(checkout: Checkout, changed: str, again: int) -> None:
    checkout.ready()
    checkout.started.clear()
    checkout.age(changed, +2000)
    checkout.ready()
    assert len(checkout.started) == again


@pytest.mark.parametrize("told", ["version = 3.10.4", "version_info = 3.10.4.final.0", "nothing"])
def test_another_pythons_environment_is_made_again(
    checkout: Checkout, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.folder.mkdir()
    (checkout.folder / "pyvenv.cfg").write_text(f"home = /somewhere\n{told}\n", encoding="utf-8")
    (checkout.folder / "usable").touch()
    checkout.usable()
    assert checkout.started == PRODUCT
    assert ("again" in capsys.readouterr().out) == (told != "nothing")


def test_an_environment_whose_python_was_removed_is_made_again(checkout: Checkout) -> None:
    checkout.usable()
    checkout.program("python").unlink()
    checkout.usable()
    assert checkout.started == PRODUCT * 2


def test_a_missing_pip_comes_from_python_itself(checkout: Checkout) -> None:
    checkout.fails = "pip --version"
    checkout.usable()
    assert checkout.started[:3] == ["pip --version", "ensurepip --default-pip", PRODUCT[1]]


@pytest.mark.parametrize("split", [True, False])
def test_a_python_without_pip_is_told(checkout: Checkout, monkeypatch: pytest.MonkeyPatch, split: bool) -> None:
    monkeypatch.setattr(checkout, "_run", lambda *arguments, quiet=False: 1)
    if split:  # as Debian's packages do
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"no pip that works\. Install it .*python3\.\d+-venv"):
        checkout.usable()
    assert not (checkout.folder / "usable").exists()


def test_pip_can_be_had_from_a_real_python(tmp_path: Path) -> None:
    pytest.importorskip("ensurepip", reason="this Python was packaged without it")
    made = Environment(tmp_path)
    made._make()
    assert made._run("-m", "pip", "--version", quiet=True) != 0
    made._give_pip()
    assert made._run("-m", "pip", "--version", quiet=True) == 0


def test_what_pip_could_not_install_is_tried_again(checkout: Checkout) -> None:
    checkout.fails = "pip install --no-deps"
    with pytest.raises(SystemExit, match="package index"):
        checkout.usable()
    checkout.fails = ""
    checkout.usable()
    assert checkout.started == [*PRODUCT, *PRODUCT]


def test_a_folder_that_cannot_be_made_is_told(checkout: Checkout) -> None:
    checkout.folder.touch()
    with pytest.raises(SystemExit, match=r"could not be made .* remove it, and try again"):
        checkout.usable()


def test_an_old_python_is_told() -> None:
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer"):
        check_python((3, 10))
    check_python((3, 11))


def test_the_arguments_of_pytest_and_its_exit_code_pass_through(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []

    class Process:
        def __init__(self, command: list[str], cwd: Path) -> None:
            started.append((command[1:], cwd))

        def wait(self) -> int:
            return 5

    monkeypatch.setattr(Environment, "ready", lambda self: started.append("ready"))
    monkeypatch.setattr(subprocess, "Popen", Process)
    monkeypatch.setattr(signal, "signal", lambda number, action: started.append((number, action)))
    assert suite.main(["-k", "lock"]) == 5
    ignored = (signal.SIGINT, signal.SIG_IGN)
    assert started == ["ready", (["-m", "pytest", "-k", "lock"], environment.ROOT), ignored]


def test_an_unknown_wish_lists_the_known_ones() -> None:
    with pytest.raises(SystemExit, match=r"environment usage (.|\n)*environment ready"):
        environment.main(["perhaps"])


def test_it_starts_under_a_python_that_is_too_old() -> None:
    """Its own sentence, and not a SyntaxError: what newer Pythons alone can read stays out of these two files."""
    for name in ("environment.py", "__main__.py"):
        text = (environment.ROOT / "tests" / name).read_text(encoding="utf-8")
        ast.parse(text, feature_version=(3, 8))
