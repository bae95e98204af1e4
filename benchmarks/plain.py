"""A Python with Quotaline as users have it: installed from its wheel, with nothing else that would be measured too."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".cache" / "benchmarks"


@cache
def plain_python() -> Path:
    """The interpreter of that environment, which is made again when the sources have changed."""
    environment, stamp = FOLDER / "env", FOLDER / "stamp"
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    state = str(_state_of_sources())
    if not (python.exists() and stamp.exists() and stamp.read_text() == state):
        print("installing Quotaline in a plain environment ...", file=sys.stderr, flush=True)
        shutil.rmtree(environment, ignore_errors=True)
        FOLDER.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, str(ROOT)], check=True)
        stamp.write_text(state)
    return python


def _state_of_sources() -> tuple[int, int]:
    """How many sources there are and when the last one was changed (ns)."""
    folders = (ROOT / "server", ROOT / "providers")
    changed = [path.stat().st_mtime_ns for folder in folders for path in folder.rglob("*.py")]
    return len(changed), max(*changed, (ROOT / "pyproject.toml").stat().st_mtime_ns)
