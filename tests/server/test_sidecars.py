"""Several real sidecars of one user: one fetch for all, and no orphan."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quotaline_providers.testing import Route
from tests.server.lsp_client import Client, Desk, Params


@pytest.fixture
def desk(environ: dict[str, str], home: Path) -> Iterator[Desk]:
    with Desk(environ, home) as desk:
        desk.write_config({"id": "openrouter", "enabled": True, "apiKey": "k"})
        yield desk
    assert all(client.process.poll() is not None for client in desk.clients)


def shows(percent: float) -> Callable[[Params], bool]:
    def fits(params: Params) -> bool:
        windows = [window for provider in params["providers"] for window in provider["windows"]]
        return any(window["usedPercent"] == percent for window in windows)

    return fits


def open_some(desk: Desk, number: int) -> list[Client]:
    clients = [desk.spawn() for _ in range(number)]
    for client in clients:
        client.initialize()
    return clients


def answer_40_then_80_percent(credits: Route) -> None:
    for used in (4, 8):
        credits.answers(data={"total_credits": 10, "total_usage": used})


def let_the_read_grow_old(client: Client) -> None:
    """A refresh right after a read is answered with that read: ask until that moment is over."""
    end = time.monotonic() + 3.2
    while time.monotonic() < end:
        client.request("quotaline/usage", {})
        time.sleep(0.2)


def test_five_sidecars_make_one_request_and_show_each_others_refresh(desk: Desk, credits: Route) -> None:
    answer_40_then_80_percent(credits)
    clients = open_some(desk, 5)
    for client in clients:
        client.usage(shows(40), timeout=30)
    assert credits.count == 1
    let_the_read_grow_old(clients[0])
    clients[0].command("quotaline.refresh")
    for client in clients:
        client.usage(shows(80), timeout=5)
    assert credits.count == 2
    assert [client.shut_down() for client in clients] == [0] * 5


NEWER = """
import sys
from quotaline.store import migrations

newer = migrations.Migration((migrations.STORE.number[0] + 1, 0), lambda database: None)
migrations.STORE = migrations.Schema((*migrations.STORE.migrations, newer), migrations.STORE.queries)

from quotaline.cli import main

sys.exit(main(["refresh"]))
"""
"""A program whose store has the next major number."""


def test_three_sidecars_and_a_newer_program_make_the_requests_of_one(desk: Desk, credits: Route) -> None:
    answer_40_then_80_percent(credits)
    olds = open_some(desk, 3)
    for old in olds:
        old.usage(shows(40), timeout=30)
    assert credits.count == 1
    let_the_read_grow_old(olds[0])
    newer = [sys.executable, "-c", NEWER]
    done = subprocess.run(newer, env=desk.variables, cwd=desk.home, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert credits.count == 2
    for old in olds:
        told = old.usage(lambda params: shows(80)(params) and params["restartDue"] is not None, timeout=20)
        assert "newer Quotaline" in told["restartDue"]
    for old in olds:
        (outcome,) = old.command("quotaline.refresh")["outcomes"]
        assert outcome["asked"] is False
    assert credits.count == 2
    assert [old.shut_down() for old in olds] == [0] * 3


def test_another_takes_over_when_the_reader_is_killed(desk: Desk, credits: Route) -> None:
    credits.delays(60).answers(data={"total_credits": 10, "total_usage": 1})
    credits.answers(data={"total_credits": 10, "total_usage": 4})
    first = desk.open()
    end = time.monotonic() + 20
    while credits.count == 0 and time.monotonic() < end:
        first.request("quotaline/usage", {})
    second = desk.open()
    second.usage(lambda params: any(provider["refreshing"] for provider in params["providers"]), timeout=20)
    assert credits.count == 1
    first.process.kill()
    second.usage(shows(40), timeout=10)
    assert credits.count == 2
    assert second.shut_down() == 0
