"""The event loop never waits for a disk: whatever is asked of the store is asked on the store's own thread."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.lsp_client import FULL, Desk

# Python imports this at its start: every statement is noted with the thread that it ran on.
LISTENER = """
import json, os, sqlite3, threading
from pathlib import Path

plain = sqlite3.connect
notes = open(os.environ["DEMO_NOTES"], "a", buffering=1)

def note(path, what):
    notes.write(json.dumps([Path(path).name, what, threading.current_thread().name]) + "\\n")

def connect(path, *positional, **named):
    class Noting(sqlite3.Connection):
        def execute(self, sql, *more):
            note(path, sql)
            return super().execute(sql, *more)

        def close(self):
            note(path, "close")
            super().close()

    note(path, "open")
    return plain(path, *positional, factory=Noting, **named)

sqlite3.connect = connect
"""


@pytest.fixture
def desk(environ: dict[str, str], home: Path, tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "sitecustomize.py").write_text(LISTENER)
    own = {"PYTHONPATH": str(tmp_path), "DEMO_NOTES": str(tmp_path / "notes")}
    with Desk({**environ, **own}, home) as desk:
        desk.write_config({"id": "openrouter", "enabled": True, "apiKey": "k"})
        yield desk


def test_a_whole_session_touches_the_store_on_its_thread_only(desk: Desk, tmp_path: Path, vendor: Any) -> None:
    host = vendor("openrouter.ai")
    host.get("/api/v1/key").fails(500)
    host.get("/api/v1/credits").answers(data={"total_credits": 10, "total_usage": 4})
    client = desk.open(FULL)
    client.usage(lambda params: any(one["windows"] for one in params["providers"]), timeout=20)
    client.notify("quotaline/didInteract", {})
    client.command("quotaline.refresh")
    client.command("quotaline.setCredential", {"id": "openrouter", "value": "demo"})
    client.command("quotaline.disable", "openrouter")
    client.command("quotaline.enable", "openrouter")
    client.request("quotaline/report", {"format": "text"})
    assert client.shut_down() == 0
    noted = [json.loads(line) for line in (tmp_path / "notes").read_text().splitlines()]
    ours = [(what.split()[0], thread) for file, what, thread in noted if file == "store.sqlite3"]
    assert {"open", "BEGIN", "SELECT", "INSERT", "DELETE", "close"} <= {what for what, _ in ours}
    assert {thread.partition("_")[0] for _, thread in ours} == {"store"}
