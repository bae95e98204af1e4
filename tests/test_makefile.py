"""The Makefile's own targets. What `make usage` installs is checked by `.ci/nightly`, which has the time for it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(target: str, folder: Path = ROOT) -> str:
    """What this target prints."""
    done = subprocess.run(
        ["make", "--silent", "--no-print-directory", target],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_help_lists_every_target_with_its_purpose() -> None:
    targets = re.findall(r"^\.PHONY:(.*)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[0].split()
    lines = [line.split(None, 2) for line in make("help").splitlines()]
    assert [name for _, name, _ in lines] == targets


def test_clean_removes_whatever_git_ignores(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    files = [ROOT / ".gitignore", *ROOT.glob("clients/*/.gitignore")]
    kept = {Path("Makefile"), Path("clients")}
    for file in files:
        folder = file.parent.relative_to(ROOT)
        kept.add(folder)
        for pattern in file.read_text(encoding="utf-8").split():
            made = tmp_path / folder / pattern.strip("/").replace("*", "left")
            made.parent.mkdir(parents=True, exist_ok=True)
            if pattern.endswith("/"):
                made.mkdir()
                (made / "file").touch()
            else:
                made.touch()
            kept.update(parent.relative_to(tmp_path) for parent in made.parents if tmp_path in parent.parents)
    nested = tmp_path / "server/quotaline/__pycache__"
    nested.mkdir(parents=True)
    make("clean", tmp_path)
    left = {path.relative_to(tmp_path) for path in tmp_path.rglob("*")}
    assert left == (kept | {Path("server"), Path("server/quotaline")}) - {Path(".")}
