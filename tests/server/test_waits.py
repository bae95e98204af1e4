"""When a vendor is left alone: the wait it asked for, the back-off after failures, and clocks that are set."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from quotaline.refresh.service import Service
from quotaline.render.shown import shown
from quotaline.render.view import View
from quotaline.store.store import Store
from quotaline_providers import registry
from quotaline_providers.settings import Source
from quotaline_providers.testing import Route
from tests.server.house import ONE_KEY, OTHER_KEY, House, config, percent, round_of, used

HOUR, DAY, YEAR = timedelta(hours=1), timedelta(days=1), timedelta(days=366)


async def looks(service: Service) -> bool:
    """What a one-shot command does. Whether the vendor was asked."""
    return [done.fetched for done in await service.refresh(interactive=False)] == [True]


# --- waits ---


@pytest.mark.parametrize("seconds", ["999999999", "9" * 40, "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_a_wait_is_kept_for_a_day_at_most(house: House, credits: Route, seconds: str) -> None:
    used(credits.fails(429, headers={"Retry-After": seconds}), 4)
    service = await house.open()
    await service.refresh()
    for _ in range(23):
        house.clock.advance(HOUR)
        await round_of(service)
        assert [done.fetched for done in await service.refresh()] == [False]
    house.clock.advance(HOUR + timedelta(minutes=3))
    await round_of(service)
    assert (percent(service), credits.count) == (40, 2)


async def test_a_wait_belongs_to_the_key_that_it_was_told_to(house: House, credits: Route) -> None:
    used(credits.fails(429, headers={"Retry-After": "36000"}), 4)
    service = await house.open()
    await service.refresh()
    await service.use_config(config(OTHER_KEY))
    assert await looks(service)
    assert percent(service) == 40
    await service.use_config(config(ONE_KEY))
    house.clock.advance(HOUR)
    assert not await looks(service)
    assert credits.count == 2


async def test_a_wait_holds_for_every_source_that_uses_the_same_key(house: House, credits: Route) -> None:
    credits.fails(429, headers={"Retry-After": "3600"})
    service = await house.open()
    await service.refresh()
    house.clock.advance(timedelta(minutes=1))
    (done,) = await service.refresh(source=Source.API)
    assert (done.fetched, credits.count) == (False, 1)
    assert done.state.failure is not None
    assert done.state.failure.kind == "rate_limited"


async def test_nor_does_another_question_s_wait_hold_for_another_key(house: House, credits: Route) -> None:
    used(credits.fails(429, headers={"Retry-After": "36000"}), 4)
    house.environ["OPENROUTER_API_KEY"] = "one"
    service = await house.open('{"providers": [{"id": "openrouter", "enabled": true}]}')
    await service.refresh()
    house.clock.advance(timedelta(minutes=1))
    assert [done.fetched for done in await service.refresh(source=Source.API)] == [False]
    house.environ["OPENROUTER_API_KEY"] = "two"
    assert await service.credential_changed("openrouter", Source.API)
    assert [done.fetched for done in await service.refresh(source=Source.API)] == [True]


async def test_the_loop_finds_out_that_there_is_another_key(house: House, credits: Route) -> None:
    used(credits.fails(429, headers={"Retry-After": "36000"}), 4)
    house.environ["OPENROUTER_API_KEY"] = "one"
    service = await house.open('{"providers": [{"id": "openrouter", "enabled": true}]}')
    await service.refresh()
    for _ in range(3):
        house.clock.advance(timedelta(minutes=6))
        await round_of(service)
    assert credits.count == 1
    house.environ["OPENROUTER_API_KEY"] = "two"
    house.clock.advance(timedelta(minutes=6))
    await round_of(service)
    assert (percent(service), credits.count) == (40, 2)


async def test_the_user_who_refreshes_is_told_until_when(house: House, credits: Route) -> None:
    credits.fails(429, headers={"Retry-After": "5400"})
    service = await house.open()
    await service.refresh()
    house.clock.advance(timedelta(minutes=1))
    (done,) = await service.refresh()
    error = shown(done.state, View(house.clock.now)).error
    assert error is not None
    assert error[1] == "It is asked again after 13:30."


async def test_no_button_asks_anyway_and_force_does_where_the_provider_allows_it(
    house: House, credits: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    used(credits.fails(429, headers={"Retry-After": "3600"}), 4)
    whole, hurried = registry.get, replace(registry.get("openrouter"), manual_ignores_cooldown=True)
    service = await house.open()
    await service.refresh()
    house.clock.advance(timedelta(minutes=1))
    assert [done.fetched for done in await service.refresh(anyway=True)] == [False]
    monkeypatch.setattr(registry, "get", lambda id: hurried if id == hurried.id else whole(id))
    await service.rescan()
    assert [done.fetched for done in await service.refresh()] == [False]
    assert [done.fetched for done in await service.refresh(anyway=True)] == [True]
    assert (percent(service), credits.count) == (40, 2)
    house.clock.advance(timedelta(minutes=1))
    assert [done.fetched for done in await service.refresh()] == [True], "a success ends the wait"


async def test_a_wait_of_an_older_program_is_kept(house: House, credits: Route) -> None:
    used(credits, 4)
    service = await house.open()
    await service.refresh()
    store = Store(house.folder, house.clock)
    store.save(replace(store.readings()["openrouter"], cool_until=house.clock.now + HOUR, tried=()))
    house.clock.advance(timedelta(minutes=10))
    assert [done.fetched for done in await service.refresh()] == [False]
    house.clock.advance(HOUR)
    assert [done.fetched for done in await service.refresh()] == [True]


# --- back-off ---


async def test_one_shot_commands_back_off_as_the_loop_does(house: House, credits: Route) -> None:
    used(credits.fails(500).fails(500).fails(500), 4)
    service = await house.open()
    asked = []
    for minute in range(10):
        if await looks(service):
            asked.append(minute)
        assert (service.state("openrouter").failure is not None) == (percent(service) is None)
        house.clock.advance(timedelta(minutes=1))
    assert asked[:4] == [0, 1, 2, 4], "out of reach: 15, 45, 120 s, never under the minimum of a minute"
    assert percent(service) == 40


async def test_refused_keys_back_off_from_a_minute_to_an_hour(house: House, credits: Route) -> None:
    credits.fails(401)
    service = await house.open()
    asked = []
    for minute in range(130):
        if await looks(service):
            asked.append(minute)
        house.clock.advance(timedelta(minutes=1))
    assert asked == [0, 1, 3, 7, 15, 31, 63, 123]


async def test_the_user_s_own_refresh_asks_despite_the_back_off(house: House, credits: Route) -> None:
    used(credits.fails(401).fails(401), 4)
    service = await house.open()
    await looks(service)
    house.clock.advance(timedelta(seconds=10))
    assert not await looks(service)
    assert [done.fetched for done in await service.refresh()] == [True]
    house.clock.advance(timedelta(seconds=61))
    assert not await looks(service), "two failures in a row: two minutes"
    assert [done.fetched for done in await service.refresh()] == [True]
    assert percent(service) == 40


async def test_another_key_has_nothing_to_back_off_from(house: House, credits: Route) -> None:
    used(credits.fails(401), 4)
    house.environ["OPENROUTER_API_KEY"] = "one"
    service = await house.open('{"providers": [{"id": "openrouter", "enabled": true}]}')
    await looks(service)
    house.environ["OPENROUTER_API_KEY"] = "two"
    house.clock.advance(timedelta(seconds=10))
    assert await service.credential_changed("openrouter")
    assert await looks(service)
    assert percent(service) == 40


async def test_a_key_that_is_missing_is_looked_for_at_every_look(house: House, credits: Route) -> None:
    used(credits, 4)
    service = await house.open('{"providers": [{"id": "openrouter", "enabled": true}]}')
    await looks(service)
    assert service.state("openrouter").failure is not None
    house.environ["OPENROUTER_API_KEY"] = "one"
    house.clock.advance(timedelta(seconds=4))
    assert await looks(service)
    assert percent(service) == 40


# --- another source is another question ---


async def test_another_source_a_moment_ago_answers_no_other_question(house: House, credits: Route) -> None:
    used(used(credits, 4), 8)
    service = await house.open()
    await service.refresh(source=Source.API)
    assert percent(service) is None, "what was asked of one source is not what is shown"
    assert [done.fetched for done in await service.refresh()] == [True]
    assert [done.fetched for done in await service.refresh(source=Source.API)] == [False]
    named = service.state("openrouter", Source.API).usage
    assert named is not None
    assert (named.window("credits").used_percent, percent(service), credits.count) == (40, 80, 2)


async def test_naming_the_configured_source_is_the_usual_question(house: House, credits: Route) -> None:
    used(credits, 4)
    service = await house.open(ONE_KEY.replace('"enabled"', '"source": "api", "enabled"'))
    await service.refresh(source=Source.API)
    assert [done.fetched for done in await service.refresh()] == [False]
    assert (percent(service), credits.count) == (40, 1)


# --- clocks ---


@pytest.mark.parametrize("jump", [-YEAR, -DAY, -HOUR, HOUR, DAY, YEAR])
async def test_reads_go_on_after_a_jump_of_the_clock(house: House, credits: Route, jump: timedelta) -> None:
    used(used(credits, 4), 8)
    service, other = await house.open(refresh=5.0), await house.open(refresh=5.0)
    await round_of(service)
    await round_of(other)
    house.clock.advance(jump)
    for _ in range(12):
        for sidecar in (service, other):
            await round_of(sidecar)
        house.clock.advance(timedelta(minutes=1))
    assert percent(service) == percent(other) == 80
    assert credits.count in (3, 4), "at once, and every five minutes"


@pytest.mark.parametrize("jump", [-YEAR, -DAY, DAY])
async def test_a_wait_ends_within_a_day_whatever_the_clock_does(house: House, credits: Route, jump: timedelta) -> None:
    used(credits.fails(429, headers={"Retry-After": "7200"}), 4)
    service = await house.open(refresh=5.0)
    await service.refresh()
    house.clock.advance(jump)
    for _ in range(25):
        await round_of(service)
        house.clock.advance(HOUR)
    assert percent(service) == 40


async def test_a_stale_number_of_before_the_jump_is_not_called_fresh(house: House, credits: Route) -> None:
    used(credits, 4)
    service = await house.open(refresh="manual")
    await service.refresh()
    house.clock.advance(-DAY)
    assert not await service.is_fresh("openrouter")
    assert service.state("openrouter").stale


async def test_a_lease_of_before_the_jump_keeps_nobody_waiting(house: House, credits: Route) -> None:
    used(credits, 4)
    service = await house.open()
    other = Store(house.folder, house.clock)
    assert other.lease("openrouter", 60)
    house.clock.advance(-DAY)
    assert other.leased() == frozenset()
    assert [done.fetched for done in await service.refresh()] == [True]


async def test_a_note_of_before_the_jump_does_not_last_for_ever(house: House) -> None:
    store = Store(house.folder, house.clock)
    store.keep_note("pause", "1", house.clock.now + timedelta(minutes=5))
    store.keep_note("name", "Ada")
    house.clock.advance(-DAY)
    assert (store.note("pause"), store.note("name")) == (None, "Ada")
    assert store.notes("p") == {}
    store.keep_note("pause", "2", house.clock.now + timedelta(minutes=5))
    assert Store(house.folder, house.clock).note("pause") == "2"
