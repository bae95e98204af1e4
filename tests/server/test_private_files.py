"""What Quotaline writes is for the user alone, whatever their umask is and whatever was there before."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.testing import Route, Vendor
from tests import systems
from tests.server.lsp_client import Desk

pytestmark = systems.modes

OPEN = 0
"""The umask that lets everybody do everything."""


@pytest.fixture
def desk(environ: dict[str, str], home: Path) -> Iterator[Desk]:
    with Desk({**environ, "OPENROUTER_API_KEY": "k"}, home) as desk:
        yield desk


@pytest.fixture
def credits(vendor: Callable[[str], Vendor]) -> Route:
    site = vendor("openrouter.ai")
    site.get("/api/v1/key").answers(data={"usage": 62})
    return site.get("/api/v1/credits").answers(data={"total_credits": 100, "total_usage": 62})


def open_to_others(folder: Path) -> dict[str, str]:
    """What others may do something with, by its path."""
    found = [folder, *folder.rglob("*")]
    return {
        str(path.relative_to(folder)): oct(stat.S_IMODE(path.lstat().st_mode))
        for path in found
        if not path.is_symlink() and stat.S_IMODE(path.lstat().st_mode) & 0o077
    }


def test_a_command_on_an_empty_home(desk: Desk, credits: Route) -> None:
    desk.home.chmod(0o700)
    assert "38" in desk.run("usage", "--provider", "openrouter", umask=OPEN).stdout
    assert desk.run("set-credential", "groq", stdin="demo-token-1234567890", umask=OPEN).returncode == 0
    assert desk.run("config", "disable", "crof", umask=OPEN).returncode == 0
    assert (desk.home / ".cache/quotaline/store.sqlite3").is_file()
    assert open_to_others(desk.home) == {}


def test_folders_and_files_that_an_older_version_left_open(desk: Desk, credits: Route) -> None:
    ours = [desk.home / folder / "quotaline" for folder in (".cache", ".config", ".local/state", ".local/share")]
    for folder in ours:
        folder.mkdir(parents=True)
        folder.chmod(0o777)
    store = ours[0] / "store.sqlite3"
    for suffix in ("", "-wal", "-shm"):
        store.with_name(store.name + suffix).touch(0o666)
        store.with_name(store.name + suffix).chmod(0o666)
    desk.run("usage", "--provider", "openrouter", umask=OPEN)
    assert {str(folder): left for folder in ours if (left := open_to_others(folder))} == {}


def test_a_sidecar_and_its_report(desk: Desk, credits: Route) -> None:
    desk.home.chmod(0o700)
    precious = desk.write("precious.txt", "mine")
    (desk.home / ".cache/quotaline").mkdir(parents=True)
    report = desk.home / ".cache/quotaline/report.md"
    report.symlink_to(precious)
    client = desk.open()
    client.usage(lambda params: bool(params["providers"]))
    client.command("quotaline.showReport")
    assert precious.read_text() == "mine"
    assert not report.is_symlink()
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    client.shut_down()


def test_a_program_of_the_users_keeps_the_users_umask(
    desk: Desk, program: Callable[[str, str], Path], credits: Route
) -> None:
    note = desk.home / "made"
    program("kiro-cli", f"open({str(note)!r}, 'w').close()")
    desk.run("usage", "--provider", "kiro", umask=OPEN)
    assert stat.S_IMODE(note.stat().st_mode) == 0o666


@pytest.mark.parametrize("make", [getattr(os, "mkfifo", None), os.mkdir])
def test_something_else_in_the_stores_place_is_named(desk: Desk, make: Callable[[Any], None]) -> None:
    store = desk.home / ".cache/quotaline/store.sqlite3"
    store.parent.mkdir(parents=True)
    make(store)
    assert f"{store} is not a file" in desk.run("doctor", "crof", umask=OPEN).stdout
