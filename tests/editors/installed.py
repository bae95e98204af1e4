"""`quotaline` as a user of an editor has it: a program on the PATH."""

from __future__ import annotations

import sys
from pathlib import Path


def install(folder: Path) -> Path:
    """The program in this folder; it runs what these tests test."""
    path = folder / "quotaline"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m quotaline "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return path
