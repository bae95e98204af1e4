"""A real VS Code for tests: code-server with the packaged extension, as one user starts it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import psutil

ROOT = Path(__file__).parents[3]
EXTENSION = ROOT / "clients/vscode"
CACHE = ROOT / ".cache/code-server"
ENTRY = CACHE / "node_modules/code-server/out/node/entry.js"
WHEELS = ROOT / ".cache/editor-wheels"

START_SECONDS = 60.0
END_SECONDS = 15.0

T = TypeVar("T")

SETTINGS: dict[str, Any] = {
    "workbench.startupEditor": "none",
    "workbench.enableExperiments": False,
    "workbench.tips.enabled": False,
    "extensions.autoCheckUpdates": False,
    "extensions.ignoreRecommendations": True,
    "telemetry.telemetryLevel": "off",
    "security.workspace.trust.enabled": False,
    "git.enabled": False,
    "typescript.disableAutomaticTypeAcquisition": True,
    "window.confirmBeforeClose": "never",
    "quotaline.checkStatus": False,
}


def node() -> str:
    """The Node that `get-code-server` built for."""
    found = subprocess.run(["/bin/sh", "-c", "command -v node"], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def packages() -> list[Path]:
    """The packaged extension, if it was packaged."""
    return sorted((EXTENSION / "dist").glob("quotaline-*.vsix"))


def whats_lacking() -> str | None:
    """The command that makes what these tests need, when it is not there."""
    if not (CACHE / "whole").exists():
        return "tests/editors/vscode/get-code-server"
    built = packages()
    sources = [EXTENSION / "package.json", EXTENSION / "package-lock.json", *(EXTENSION / "src").rglob("*.ts")]
    fresh = built and built[-1].stat().st_mtime >= max(file.stat().st_mtime for file in sources)
    return None if fresh else "clients/vscode/check"


def until(look: Callable[[], T | None], what: str, seconds: float = START_SECONDS) -> T:
    """The first true value that `look` gives."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come to be; last: {found!r}")
        time.sleep(0.05)  # between two looks; nothing depends on it
    return found


class CodeServer:
    """One code-server on one user's machine, below `folder`. `environ` is all of its environment."""

    def __init__(self, folder: Path, environ: Mapping[str, str], settings: Mapping[str, object] | None = None) -> None:
        self.folder = folder
        self.home = Path(environ["HOME"])
        self.data = folder / "data"
        self.workspace = folder / "work"
        self.url = ""
        self._settings: dict[str, object] = {**SETTINGS, **(settings or {})}
        self.workspace.mkdir(exist_ok=True)
        self._unpack(folder / "extensions")
        # VS Code takes the PATH from a login shell, which on most systems sets its own.
        (self.home / ".profile").write_text(f"PATH='{environ['PATH']}'; export PATH\n", encoding="utf-8")
        self._write_settings()
        self._output: list[str] = []
        self._listening = threading.Event()
        self.process = subprocess.Popen(
            [
                node(),
                str(ENTRY),
                "--auth",
                "none",
                "--bind-addr",
                "127.0.0.1:0",
                "--extensions-dir",
                str(folder / "extensions"),
                "--user-data-dir",
                str(self.data),
                "--disable-telemetry",
                "--disable-update-check",
                "--disable-workspace-trust",
                "--disable-getting-started-override",
            ],
            env={**environ, "EXTENSIONS_GALLERY": "{}", "SHELL": "/bin/bash"},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        threading.Thread(target=self._read, name="code-server output", daemon=True).start()

    def __enter__(self) -> Self:
        if not self._listening.wait(START_SECONDS) or not self.url:
            self.stop()
            raise AssertionError("code-server did not start:\n" + "".join(self._output))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- the user's settings ---

    def set(self, **settings: object) -> None:
        """Change settings of the section `quotaline`, as if typed into settings.json (`statusBar_layout` is
        `quotaline.statusBar.layout`); None removes one."""
        for name, value in settings.items():
            key = f"quotaline.{name.replace('_', '.')}"
            if value is None:
                self._settings.pop(key, None)
            else:
                self._settings[key] = value
        self._write_settings()

    def _write_settings(self) -> None:
        # A machine's settings are watched, a user's only when VS Code itself writes them.
        machine = {name: value for name, value in self._settings.items() if name.startswith("quotaline.")}
        user = {name: value for name, value in self._settings.items() if name not in machine}
        for folder, values in (("User", user), ("Machine", machine)):
            file = self.data / folder / "settings.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values), encoding="utf-8")

    # --- processes ---

    def servers(self) -> list[psutil.Process]:
        """The sidecars that run now: one for each window."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if process.cmdline()[-1:] == ["serve"] and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def server(self) -> psutil.Process:
        """The one sidecar, once it runs."""
        return until(lambda: next(iter(self.servers()), None), "a sidecar")

    def logs(self) -> str:
        """Everything that VS Code and the extension logged and stored."""
        files = (file for file in self.data.rglob("*") if file.is_file())
        return "".join(self._output) + "\n".join(f"{file}\n{file.read_bytes()!r}" for file in files)

    def log(self) -> str:
        """What the extension logged."""
        return "\n".join(file.read_text("utf-8") for file in self.data.rglob("Quotaline.log"))

    def stop(self) -> None:
        """End it with all that it started. Raises AssertionError when something stays."""
        if self.process.returncode is not None:
            return
        family = (
            psutil.Process(self.process.pid).children(recursive=True) if psutil.pid_exists(self.process.pid) else []
        )
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(END_SECONDS)
                break
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self.process.wait(END_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()
        _, alive = psutil.wait_procs(family, END_SECONDS)
        for process in alive:
            process.kill()
        assert not [process for process in alive if "quotaline" in process.name()], alive

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        try:
            for line in iter(stream.readline, b""):
                text = line.decode("utf-8", "replace")
                self._output.append(text)
                if found := re.search(r"listening on (http://\S+?)/?\s*$", text):
                    self.url = found[1]
                    self._listening.set()
        except ValueError:  # closed by `stop`
            pass
        self._listening.set()

    def _unpack(self, extensions: Path) -> None:
        package = packages()[-1]
        version = package.stem.rpartition("-")[2]
        with zipfile.ZipFile(package) as archive:
            members = [name for name in archive.namelist() if name.startswith("extension/")]
            archive.extractall(extensions / "unpacked", members)
        (extensions / "unpacked/extension").rename(extensions / f"quotaline.quotaline-{version}")
        (extensions / "unpacked").rmdir()
