"""`quotaline` as a user of an editor has it: a program on the PATH."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def install(folder: Path) -> Path:
    """The program in this folder; it runs what these tests test."""
    if os.name == "nt":  # clients start an .exe only; this one knows where its Python is
        return Path(shutil.copy(Path(sys.executable).with_name("quotaline.exe"), folder))
    path = folder / "quotaline"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m quotaline "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return path
