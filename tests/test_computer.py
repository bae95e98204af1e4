"""What the computer calls itself, on each system, and that nobody asks what could make the event loop wait."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from quotaline_providers.computer import Computer, this_computer

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A Windows 11 as Python sees it: without `uname`."""
    version = SimpleNamespace(major=10, minor=0, build=22631)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sys, "getwindowsversion", lambda: version, raising=False)
    monkeypatch.delattr(os, "uname", raising=False)
    return version


def test_windows(windows: SimpleNamespace) -> None:
    environ = {"PROCESSOR_ARCHITECTURE": "AMD64", "COMPUTERNAME": "DESK"}
    assert this_computer(environ) == Computer("Windows", "11", "10.0.22631", "AMD64", "DESK")
    windows.build = 19045
    assert this_computer(environ).release == "10"
    assert this_computer({"PROCESSOR_ARCHITECTURE": "x86", "PROCESSOR_ARCHITEW6432": "ARM64"}).machine == "ARM64"
    assert this_computer({}).name == ""


def test_other_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    own = SimpleNamespace(sysname="Darwin", release="23.4.0", version="Darwin Kernel", machine="arm64", nodename="desk")
    monkeypatch.setattr(os, "uname", lambda: own, raising=False)
    assert this_computer({}, "darwin") == Computer("macOS", "23.4.0", "Darwin Kernel", "arm64", "desk")
    own.sysname = "Linux"
    assert this_computer({}, "linux").system == "Linux"
    monkeypatch.delattr(os, "uname")
    assert this_computer({}, "linux") == Computer("linux")


def imported(path: Path) -> set[str]:
    """The modules that a file imports, at its top or anywhere in it."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    return plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}


def test_nothing_of_ours_asks_the_management_service_of_windows() -> None:
    files = [path for folder in ("server", "providers") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 100
    assert [path.name for path in files if "platform" in imported(path)] == []
