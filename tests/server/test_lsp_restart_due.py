"""A server that must be restarted says so once, in the way its client understands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types

from quotaline.lsp.client import Client
from quotaline.lsp.session import Session
from tests.server.lsp_client import OURS, PLAIN

WHY = "Quotaline was updated. Restart its server to go on."


class Editor:
    """What stands in for a pygls server: the client's capabilities, and all that it was sent, in order."""

    def __init__(self, capabilities: dict[str, Any]) -> None:
        window = capabilities.get("window") or {}
        self.client_capabilities = types.ClientCapabilities(
            experimental=capabilities.get("experimental"),
            window=types.WindowClientCapabilities(work_done_progress=window.get("workDoneProgress")),
        )
        self.protocol = self
        self.sent: list[tuple[str, Any]] = []

    def notify(self, method: str, params: Any) -> None:
        self.sent.append((method, params))

    def window_show_message(self, params: types.ShowMessageParams) -> None:
        self.sent.append(("window/showMessage", params))

    def of(self, method: str) -> list[Any]:
        return [params for name, params in self.sent if name == method]


@pytest.fixture
def editor(request: pytest.FixtureRequest) -> Editor:
    return Editor(request.param)


@pytest_asyncio.fixture
async def session(
    editor: Editor, environ: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Session]:
    """The session of this editor, on the machine of a user who has nothing."""
    for name, value in {**environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}.items():
        monkeypatch.setenv(name, value)
    session = Session(Client(editor), {"plainStatus": "off"})  # type: ignore[arg-type]
    yield session
    await session.close()


async def becomes_due(session: Session, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    """From now on the service says this, and two changes are published."""
    due = replace(session.service.snapshot(), restart_due=why)
    monkeypatch.setattr(session.service, "snapshot", lambda: due)
    await session.publish()
    await session.publish()


@pytest.mark.parametrize("editor", [OURS], indirect=True)
async def test_our_clients_are_told_once_and_see_it_in_the_usage(
    session: Session, editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await session.publish()
    assert editor.of("quotaline/restartDue") == []
    assert editor.of("quotaline/didChangeUsage")[-1]["restartDue"] is None
    await becomes_due(session, monkeypatch, WHY)
    await becomes_due(session, monkeypatch, f"{WHY} Again.")
    assert editor.of("quotaline/restartDue") == [{"message": WHY}]
    assert editor.of("quotaline/didChangeUsage")[-1]["restartDue"] == f"{WHY} Again."
    assert editor.of("window/showMessage") == []


@pytest.mark.parametrize("editor", [PLAIN, {}], indirect=True)
async def test_plain_clients_get_a_warning_once(
    session: Session, editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await session.publish()
    await becomes_due(session, monkeypatch, WHY)
    warning = types.ShowMessageParams(types.MessageType.Warning, f"Quotaline: {WHY}")
    assert editor.of("window/showMessage") == [warning]
    assert editor.of("quotaline/restartDue") == []
