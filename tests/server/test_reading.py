"""Reading one account: what it costs the store, when nobody is asked, and what a defect of ours does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from quotaline.detection.detect import Target
from quotaline.refresh import reading
from quotaline.refresh.loop import LONGEST_SLEEP_SECONDS
from quotaline.refresh.reading import Request, answered_since, is_answered
from quotaline.refresh.service import Service
from quotaline.state import Failure, Snapshot
from quotaline.store.reading import Reading
from quotaline.store.store import RESTART_DUE, Store
from quotaline.store.thread import StoreThread
from quotaline_providers import registry
from quotaline_providers.contract import Provider
from quotaline_providers.errors import Kind
from quotaline_providers.testing import Route
from tests.server.house import RESTART, House, NewerStore, percent, round_of, used
from tests.server.test_store_reads import take_over

T = TypeVar("T")


class CountedStore(StoreThread):
    """Counts the pieces of work it is given."""

    calls = 0

    async def do(self, work: Callable[[Store], T]) -> T:
        self.calls += 1
        return await super().do(work)


def store_of(service: Service) -> Any:
    return service._store


# --- whether to ask ---

NOW = datetime(2030, 1, 2, 12, tzinfo=UTC)
TARGET = Target(Provider(id="demo", name="Demo", connect="Connect it.", strategies=()), None, "digest")


def attempt(seconds: float, failure: Kind | None = None) -> Reading:
    """What is known after an attempt so many seconds from now."""
    told = Failure(kind=failure, message="It failed.") if failure else None
    return Reading("demo", "demo", "", failure=told, attempted_at=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("wanted", "known", "answered"),
    [
        (Request(TARGET, "view"), None, False),
        (Request(TARGET, "view"), attempt(-4), False),
        (Request(TARGET, "view"), attempt(-3), True),
        (Request(TARGET, "view"), attempt(3600), False),
        (Request(TARGET, "view"), attempt(-1, Kind.FORBIDDEN), True),
        (Request(TARGET, "user"), attempt(-1), True),
        (Request(TARGET, "user"), attempt(-1, Kind.FORBIDDEN), False),
        (Request(TARGET, "user"), attempt(-1, Kind.RATE_LIMITED), True),
        (Request(TARGET, "user", anyway=True), attempt(-1), False),
    ],
)
def test_an_attempt_of_the_last_three_seconds_answers(wanted: Request, known: Reading | None, answered: bool) -> None:
    assert is_answered(wanted, known, answered_since(wanted, known, NOW), NOW) is answered


def test_the_loop_is_answered_by_any_attempt_it_has_not_seen() -> None:
    due = Request(TARGET, "timer")
    since = answered_since(due, attempt(-600), NOW)
    assert [is_answered(due, attempt(seconds), since, NOW) for seconds in (-600, -599, 0)] == [False, True, True]
    assert is_answered(due, attempt(-600), answered_since(due, None, NOW), NOW)


# --- one call before, one after ---


async def test_a_read_makes_two_calls_of_the_store_and_looks_at_its_own_row_only(
    house: House, credits: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    used(credits, 4)
    service = await house.open(thread=CountedStore)
    monkeypatch.delattr(Store, "readings")
    store_of(service).calls = 0
    assert [done.fetched for done in await service.refresh()] == [True]
    assert (percent(service), credits.count, store_of(service).calls) == (40, 1, 2)


async def test_a_read_that_another_one_has_answered_makes_one(house: House, credits: Route) -> None:
    used(credits, 4)
    one, two = await house.open(), await house.open(thread=CountedStore)
    await one.refresh()
    store_of(two).calls = 0
    assert [done.fetched for done in await two.refresh()] == [False]
    assert (percent(two), credits.count, store_of(two).calls) == (40, 1, 1)


async def test_a_wait_that_another_program_was_told_is_kept_and_leaves_no_lease(house: House, credits: Route) -> None:
    credits.fails(429, headers={"Retry-After": "3600"})
    one, two = await house.open(), await house.open()
    await one.refresh()
    house.clock.advance(timedelta(minutes=1))
    (done,) = await two.refresh()
    assert done.state.failure is not None
    assert (done.fetched, done.state.failure.kind, credits.count) == (False, "rate_limited", 1)
    assert Store(house.folder, house.clock).leased() == frozenset()


async def test_a_target_brings_its_provider_along(
    house: House, credits: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    used(credits, 4)
    service = await house.open()
    assert [target.provider for target in service.targets] == [registry.get("openrouter")]

    def get(id: str) -> object:
        raise AssertionError(f"{id} is looked up again")

    monkeypatch.setattr(registry, "get", get)
    await service.refresh()
    await round_of(service)
    (state,) = service.snapshot().states
    assert (state.name, percent(service)) == ("OpenRouter", 40)


# --- when a restart is due ---


async def test_nobody_is_asked_while_a_newer_program_owns_the_store(house: House, credits: Route) -> None:
    used(used(credits, 4), 8)
    await (await house.open()).refresh()
    house.clock.advance(timedelta(hours=3))

    service = await house.open(thread=NewerStore)
    (done,) = await service.refresh(force=True)
    service.reread("openrouter")
    assert await service._loop.round() == LONGEST_SLEEP_SECONDS
    await round_of(service)
    assert (done.fetched, percent(service), credits.count) == (False, 40, 1)
    snapshot = service.snapshot()
    assert (snapshot.restart_due, snapshot.states[0].next_refresh) == (RESTART, None)

    store_of(service).newer = None
    await round_of(service)
    assert (service.snapshot().restart_due, percent(service), credits.count) == (None, 80, 2)


async def test_a_newer_program_that_takes_over_is_noticed_before_anything_is_asked(
    house: House, credits: Route
) -> None:
    used(credits, 4)
    by_loop, by_user = await house.open(), await house.open()
    await by_loop.refresh()
    house.clock.advance(timedelta(hours=3))
    take_over(Store(house.folder, house.clock))
    await round_of(by_loop)
    assert [done.fetched for done in await by_user.refresh()] == [False]
    for service in (by_loop, by_user):
        assert (service.snapshot().restart_due, percent(service)) == (RESTART_DUE, 40)
    assert credits.count == 1


async def test_what_the_loop_finds_out_of_a_restart_is_published(house: House, credits: Route) -> None:
    used(credits, 4)
    service = await house.open(thread=NewerStore)
    store_of(service).newer = None
    await round_of(service)
    told: list[Snapshot] = []
    service.subscribe(told.append)
    store_of(service).newer = RESTART
    await round_of(service)
    await asyncio.sleep(0)
    assert [snapshot.restart_due for snapshot in told] == [RESTART]


async def test_a_changed_installation_is_told_from_any_thread_and_reads_go_on(house: House, credits: Route) -> None:
    used(credits, 4)
    service = await house.open()
    told: list[Snapshot] = []
    service.subscribe(told.append)
    await asyncio.to_thread(service.restart_due, "Quotaline was updated. Restart the editor.")
    await service.refresh()
    assert told[0].restart_due == "Quotaline was updated. Restart the editor."
    assert (percent(service), credits.count) == (40, 1)


# --- a defect of ours ---


async def test_an_account_whose_read_fails_inside_is_left_alone_for_five_minutes(
    house: House, credits: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    used(credits, 4)
    service = await house.open()

    def broken(*arguments: object) -> object:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(reading, "apply", broken)
        with pytest.raises(ZeroDivisionError):
            await service.refresh()
    assert service.state("openrouter").next_refresh == house.clock.now + timedelta(minutes=5)
    assert Store(house.folder, house.clock).leased() == frozenset()
    house.clock.advance(timedelta(minutes=4))
    await round_of(service)
    assert credits.count == 1
    house.clock.advance(timedelta(minutes=1))
    await round_of(service)
    assert (percent(service), credits.count) == (40, 2)
