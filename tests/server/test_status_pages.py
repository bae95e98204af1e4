"""Vendors' status pages: read beside the usage, once for everyone, never in the way of anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from quotaline.refresh.service import Service
from quotaline.settings import Settings
from quotaline.state import VendorStatus
from quotaline.store.thread import StoreThread
from quotaline_providers.testing import Clock, Route, Vendor
from tests.server.command import Command
from tests.server.house import House, NewerStore, round_of
from tests.server.lsp_client import Desk

TWO_OF_ONE_VENDOR = """{"providers": [{"id": "openai", "enabled": true, "apiKey": "k"},
    {"id": "codex", "enabled": true}, {"id": "openrouter", "enabled": true, "apiKey": "k"}]}"""


@pytest.fixture
def page(vendor: Callable[[str], Vendor]) -> Route:
    """OpenAI's status page, which is no incident.io page here. The key is one that may see a balance only."""
    api, other = vendor("api.openai.com"), vendor("openrouter.ai")
    for path in ("costs", "usage/completions"):
        api.get(f"/v1/organization/{path}").fails(401)
    api.get("/v1/dashboard/billing/credit_grants").answers(total_granted=10, total_used=4, total_available=6)
    for path in ("key", "credits"):
        other.get(f"/api/v1/{path}").fails(401)
    host = vendor("status.openai.com")
    host.get("/proxy/status.openai.com").fails(404)
    return host.get("/api/v2/status.json")


def says(page: Route, indicator: str, description: str = "") -> Route:
    said = {"indicator": indicator, "description": description}
    return page.answers(page={"updated_at": "2026-01-02T11:00:00Z"}, status=said)


class Windows(House):
    """Windows of one user, and how time goes by in them. Without `live` nothing is read."""

    async def open(
        self, text: str = TWO_OF_ONE_VENDOR, thread: type[StoreThread] = StoreThread, **settings: Any
    ) -> Service:
        return await super().open(text, thread, **{"refresh": "manual", **settings})

    async def live(self, minutes: float = 0, *, reads: bool = True) -> None:
        """Let time pass, read in the first window, then let every one do what its loop does, to the end."""
        self.clock.advance(timedelta(minutes=minutes))
        if reads:
            await self.services[0].refresh()
        for service in self.services:
            await service._loop.reload()
            service._loop.begin_due()
            await asyncio.gather(*service._reader.tasks, *service._loop.status_tasks)


@pytest_asyncio.fixture
async def windows(environ: dict[str, str], home: Path, clock: Clock, tmp_path: Path) -> AsyncIterator[Windows]:
    windows = Windows(environ, home, clock, tmp_path / "cache")
    yield windows
    for service in windows.services:
        await service.close()


def status(service: Service, key: str = "openai") -> VendorStatus | None:
    return service.state(key).status


async def test_one_read_tells_all_windows_and_all_providers_of_the_vendor(windows: Windows, page: Route) -> None:
    says(page, "minor", "Slow answers")
    one, two = await windows.open(), await windows.open()
    await windows.live()
    await two._loop.reload()
    assert page.count == 1
    for service in (one, two):
        for key in ("openai", "codex"):
            told = status(service, key)
            assert told is not None
            assert (told.label, told.description) == ("Partial outage", "Slow answers")
            assert told.url.rstrip("/") == "https://status.openai.com"
        assert status(service, "openrouter") is None


async def test_a_page_is_asked_after_a_read_and_at_most_every_five_minutes(windows: Windows, page: Route) -> None:
    says(says(page, "minor"), "none")
    service = await windows.open()
    counts = []
    for minutes in (0, 2.5, 2.4, 2.5, 2.5):
        await windows.live(minutes)
        counts.append(page.count)
    assert counts == [1, 1, 1, 2, 2]
    found = status(service)
    assert found is not None
    assert found.indicator == "none"


async def test_nobody_asks_while_nothing_is_read(windows: Windows, page: Route) -> None:
    says(page, "minor")
    await windows.open()
    for _ in range(3):
        await windows.live(30, reads=False)
    assert page.count == 0


async def test_nobody_asks_when_it_is_switched_off(windows: Windows, page: Route) -> None:
    service = await windows.open(check_status=False)
    await windows.live()
    assert page.count == 0
    says(page, "major")
    service.use_settings(Settings(refresh="manual"))
    await windows.live()
    assert status(service) is not None
    service.use_settings(Settings(check_status=False))
    assert status(service) is None


async def test_nobody_asks_for_a_provider_that_is_not_connected_or_not_shown(windows: Windows, page: Route) -> None:
    nothing = '{"providers": [{"id": "openai", "enabled": true}, {"id": "claude", "enabled": false}]}'
    service = await windows.open(nothing)
    await windows.live()
    assert (status(service), page.count) == (None, 0)


@pytest.mark.parametrize("failure", ["500", "garbage", "cut"])
async def test_a_page_that_fails_changes_nothing_and_is_left_alone_for_a_while(
    windows: Windows, page: Route, failure: str
) -> None:
    says(page, "critical", "Down")
    service = await windows.open()
    await windows.live()
    page._replies.clear()
    if failure == "500":
        page.fails(500)
    else:
        page.misbehaves("cut" if failure == "cut" else "garbage")
    counts = []
    for _ in range(3):
        await windows.live(2.6)
        counts.append(page.count)
        found, state = status(service), service.state("openai")
        assert found is not None
        assert found.description == "Down"
        assert (state.failure, state.stale) == (None, False)
    assert counts == [1, 2, 2]


async def test_an_outage_of_long_ago_is_not_shown(windows: Windows, page: Route) -> None:
    says(page, "critical").fails(500)
    service = await windows.open()
    await windows.live()
    assert status(service) is not None
    for _ in range(7):
        await windows.live(10)
    assert status(service) is None


async def test_what_was_said_is_shown_after_a_restart_without_asking(windows: Windows, page: Route) -> None:
    says(page, "major", "Sign-in fails")
    await windows.open()
    await windows.live()
    again = await windows.open()
    found = status(again)
    assert found is not None
    assert found.description == "Sign-in fails"
    assert page.count == 1


async def test_a_clock_set_back_does_not_silence_a_page(windows: Windows, page: Route) -> None:
    says(says(page, "minor"), "none")
    await windows.open()
    await windows.live()
    await windows.live(-600)
    assert page.count == 2


async def test_nobody_asks_while_a_newer_program_owns_the_store(windows: Windows, page: Route) -> None:
    says(page, "minor")
    await windows.open()
    await windows.services[0].refresh()
    service = await windows.open(thread=NewerStore)
    await round_of(service)
    await service.check_statuses(["openai"])
    assert page.count == 0
    service._store.newer = None  # type: ignore[attr-defined]
    await round_of(service)
    assert page.count == 1


# --- with real programs ----------------------------------------------------------------------------


@pytest.fixture
def desk(environ: dict[str, str], home: Path) -> Iterator[Desk]:
    with Desk(environ, home) as desk:
        desk.write_config({"id": "openai", "enabled": True, "apiKey": "k"})
        yield desk


def test_two_editors_make_one_request_and_show_the_outage(desk: Desk, page: Route) -> None:
    says(page, "major", "Elevated errors")
    clients = [desk.open(options={"checkStatus": True}) for _ in range(2)]
    for client in clients:
        told = client.usage(lambda params: any(one["status"] for one in params["providers"]), timeout=20)
        (one,) = [one for one in told["providers"] if one["id"] == "openai"]
        assert one["status"]["indicator"] == "major"
        assert "[Major outage – Elevated errors](https://status.openai.com)" in one["hover"]["value"]
        assert one["text"].endswith("⚠")
        report = client.request("quotaline/report", {"format": "html"})["content"]
        assert "Major outage – Elevated errors" in report
    assert page.count == 1
    assert [client.shut_down() for client in clients] == [0, 0]


def test_the_command_line_asks_only_when_told_to(quotaline: Command, page: Route) -> None:
    says(page, "maintenance", "Tonight")
    user = quotaline.with_variables(OPENAI_ADMIN_KEY="k")
    assert "status" not in user("usage", "--json").json[0]
    assert page.count == 0
    (entry,) = user("usage", "--json", "--status").json
    assert entry["status"] == {
        "indicator": "maintenance",
        "description": "Tonight",
        "updatedAt": "2026-01-02T11:00:00Z",
        "url": "https://status.openai.com",
    }
    assert "Status: Maintenance – Tonight" in user("usage", "--status").out
    assert page.count == 1
    assert "Status" not in user("usage").out
