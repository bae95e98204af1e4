"""The author's guide holds to the letter: what it prints is written to files, and what it tells to run is run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from quotaline_providers.testing import Vendors
from tests import systems
from tests.server.command import Command

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs/adding-a-provider.md"
EXAMPLE = re.compile(r"^<!-- example: ([^\n]+?) -->\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".cache", "__pycache__", "node_modules", "target", "dist", ".hypothesis", ".pytest_cache", "*.vsix"
)
MODULE = "providers/quotaline_providers/vendors/examplemeter.py"
TESTS = "tests/providers/test_examplemeter.py"
SAMPLE = "tests/providers/samples/examplemeter.py"
COMMANDS = "in the repository"
PROJECT, CONFTEST, FILE = "pyproject.toml", "tests/conftest.py", "file"


@pytest.fixture(scope="module")
def printed() -> dict[str, str]:
    """The guide's examples by name: files, and commands."""
    found = {name: text for name, _, text in EXAMPLE.findall(GUIDE.read_text(encoding="utf-8"))}
    assert set(found) == {MODULE, TESTS, SAMPLE, COMMANDS, PROJECT, CONFTEST, FILE}
    return found


def run(words: list[str], cwd: Path, *paths: Path, **variables: str) -> str:
    """What a program prints that must end well, with these folders first on Python's path."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environ |= {"PYTHONPATH": os.pathsep.join(map(str, paths)), **variables}
    done = subprocess.run(words, cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def count_tests(text: str) -> int:
    return len(re.findall(r"^def test_", text, re.MULTILINE))


PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]

# --- in this repository ----------------------------------------------------------------------------


@pytest.mark.timeout(600)  # all of mypy, where it has not run before
def test_in_the_repository_everything_is_found_checked_and_tested(printed: dict[str, str], tmp_path: Path) -> None:
    scratch = tmp_path / "checkout"
    shutil.copytree(ROOT, scratch, ignore=NOT_COPIED, symlinks=True)
    write(scratch, {name: printed[name] for name in (MODULE, TESTS, SAMPLE)})
    venv = Path(sys.executable).parent.parent
    shared = ["-o", f"{venv}/usable", "-o", f"{venv}/ready", f"VENV={venv}"]
    path = (scratch / "server", scratch / "providers")
    seen: list[str] = []
    for line in printed[COMMANDS].splitlines():
        program, *words = shlex.split(line)
        if program == "make":
            run(["make", *shared, *words], scratch, *path)
        else:
            seen.append(run([*PYTEST, "-n", "0", *words], scratch, *path))
    assert "Example Meter" in (scratch / "docs/providers.md").read_text(encoding="utf-8")
    assert '"EXAMPLE_METER_KEY": "examplemeter"' in (
        scratch / "providers/quotaline_providers/third_party/claims.json"
    ).read_text(encoding="utf-8")
    (told,) = seen
    passed = re.search(r"(\d+) passed", told)
    assert passed is not None
    assert int(passed[1]) > count_tests(printed[TESTS]) + 20  # with the conformance of its sample


# --- in a package ----------------------------------------------------------------------------------


def test_a_package_is_built_installed_listed_and_tested(
    printed: dict[str, str], tmp_path: Path, environ: dict[str, str], home: Path
) -> None:
    if not systems.COMPLETE:
        pytest.importorskip("hatchling", reason="the build back end is not installed: make .venv/ready")
    project, site = tmp_path / "quotaline-examplemeter", tmp_path / "site"
    files = {
        PROJECT: PROJECT,
        "quotaline_examplemeter.py": MODULE,
        CONFTEST: CONFTEST,
        "tests/test_examplemeter.py": TESTS,
    }
    write(project, {name: printed[example] for name, example in files.items()})
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", "wheels", "."], project)
    (wheel,) = (project / "wheels").iterdir()
    run([*pip, "install", "--no-deps", "--no-index", "--target", str(site), str(wheel)], project)
    listed = Command({**environ, "PYTHONPATH": str(site)}, home)("providers", "examplemeter")
    assert "Example Meter (examplemeter): not connected" in listed.out
    assert "EXAMPLE_METER_KEY" in listed.out
    told = run(PYTEST, project, site)
    assert f"{count_tests(printed[TESTS])} passed" in told


# --- in a file -------------------------------------------------------------------------------------


def test_a_file_is_approved_and_read(
    printed: dict[str, str], environ: dict[str, str], home: Path, vendor: Vendors
) -> None:
    folder = home / ".config/quotaline/providers"
    write(folder, {"examplemeter.py": printed[MODULE]})
    folder.chmod(0o700)
    (folder / "examplemeter.py").chmod(0o600)
    vendor("api.meter.example").get("/v1/usage", bearer="k").answers(used=30, limit=120)
    quotaline = Command({**environ, "EXAMPLE_METER_KEY": "k"}, home)
    approve, *others = (shlex.split(line)[1:] for line in printed[FILE].splitlines())
    approved = quotaline(*approve, "--yes")
    assert approved.code == 0
    assert "api.meter.example" in approved.out
    assert "EXAMPLE_METER_KEY" in approved.out
    listed, usage = (quotaline(*words) for words in others)
    assert "examplemeter (a file of yours): used" in listed.out
    assert usage.code == 0
    assert "Example Meter" in usage.out
    assert "30 of 120 requests used" in usage.out
