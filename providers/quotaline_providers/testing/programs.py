"""Programs of a test's user, made of Python, and what a program needs of Windows to start at all."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

_NEEDED = ("COMSPEC", "PATHEXT", "SYSTEMDRIVE", "SYSTEMROOT", "TEMP", "TMP", "WINDIR")


def write_program(folder: Path, name: str, script: str, *, windows: bool = os.name == "nt") -> Path:
    """An executable in the folder that runs this Python script: on Windows `NAME.cmd` as npm makes them, which names
    the folder by `%~dp0`, since cmd does not read UTF-8."""
    if windows:
        (folder / f"{name}.py").write_text(script, encoding="utf-8")
        path = folder / f"{name}.cmd"
        path.write_bytes(f'@"{sys.executable}" "%~dp0{name}.py" %*\r\n'.encode())
        return path
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def windows_variables(home: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables without which no program starts on Windows, and this home's folders for settings and data."""
    roaming, local = str(home / "AppData" / "Roaming"), str(home / "AppData" / "Local")
    folders = {"APPDATA": roaming, "LOCALAPPDATA": local}
    # Windows itself is asked for these folders and does not look at the variables; `platformdirs` has some of its own.
    folders |= {"WIN_PD_OVERRIDE_APPDATA": roaming, "WIN_PD_OVERRIDE_LOCAL_APPDATA": local}
    return {**{name: environ[name] for name in _NEEDED if name in environ}, **folders}
