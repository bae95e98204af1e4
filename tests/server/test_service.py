"""The service with real HTTP, a real store and a clock that only moves when told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from quotaline.refresh.accounts import remembered
from quotaline.refresh.reading import Request
from quotaline.refresh.service import Service
from quotaline.settings import Settings
from quotaline.state import Snapshot
from quotaline.store.store import Store
from quotaline_providers import registry
from quotaline_providers.hosts.machine import Machine
from quotaline_providers.testing import Route
from tests.server.house import ONE_KEY, OTHER_KEY, TWO_ACCOUNTS, House, config, percent, round_of, used

FAILURES: dict[str, tuple[Callable[[Route], object], str]] = {
    "401": (lambda route: route.fails(401), "expired_credential"),
    "403": (lambda route: route.fails(403), "forbidden"),
    "tls": (lambda route: route.vendor.untrusted(), "unavailable"),
    "drip": (lambda route: route.misbehaves("drip"), "timeout"),
    "404": (lambda route: route.fails(404), "bad_response"),
    "429 and seconds": (lambda route: route.fails(429, headers={"Retry-After": "30"}), "rate_limited"),
    "429 and a date": (
        lambda route: route.fails(429, headers={"Retry-After": "Wed, 02 Jan 2030 13:00:00 GMT"}),
        "rate_limited",
    ),
    "429 alone": (lambda route: route.fails(429), "rate_limited"),
    "500": (lambda route: route.fails(500), "unavailable"),
    "503": (lambda route: route.fails(503), "unavailable"),
    "refused": (lambda route: route.misbehaves("refuse"), "unavailable"),
    "html": (lambda route: route.answers_text("<html>hello</html>"), "bad_response"),
    "truncated": (lambda route: route.misbehaves("cut"), "unavailable"),
    "garbage": (lambda route: route.misbehaves("garbage"), "bad_response"),
    "huge": (lambda route: route.misbehaves("huge"), "bad_response"),
    "deep": (lambda route: route.answers_text('{"data": ' + "[" * 50_000), "bad_response"),
    "other types": (lambda route: route.answers(data=["no", "object"]), "bad_response"),
    "redirect": (lambda route: route.redirects("https://elsewhere.example/take"), "bad_response"),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_the_last_good_usage_stands_beside_each_failure(
    house: House, credits: Route, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail, kind = FAILURES[name]
    service = await house.open()
    used(credits, 4)
    await service.refresh()
    credits._replies.clear()
    fail(credits)
    house.clock.advance(timedelta(minutes=10))
    await house.close(service)
    service = await house.open()
    if name == "drip":
        monkeypatch.setattr("quotaline_providers.vendors.openrouter.api.CREDITS_SECONDS", 1.0)
    await service.refresh()
    state = service.state("openrouter")
    assert (percent(service), state.stale) == (40, True)
    assert state.failure is not None
    assert state.failure.kind == kind
    assert state.failure.message.endswith(".")
    assert state.failure.hint.endswith(".")


async def test_a_promised_wait_is_kept_across_a_restart(house: House, credits: Route) -> None:
    credits.fails(429, headers={"Retry-After": "3600"})
    service = await house.open()
    await service.refresh()
    await house.close(service)
    house.clock.advance(timedelta(minutes=59))
    service = await house.open()
    assert [done.fetched for done in await service.refresh()] == [False]
    assert credits.count == 1
    house.clock.advance(timedelta(minutes=1))
    assert [done.fetched for done in await service.refresh()] == [True]


async def test_a_flood_of_refreshes_is_one_request(house: House, credits: Route) -> None:
    used(credits.delays(0.1), 4)
    one, two = await house.open(), await house.open()
    await asyncio.gather(*(service.refresh() for service in (one, two) for _ in range(20)))
    assert credits.count == 1
    assert (percent(one), percent(two)) == (40, 40)


async def test_another_key_in_the_config_hides_the_old_usage_and_is_read_at_once(house: House, credits: Route) -> None:
    used(used(credits, 4), 8)
    service = await house.open()
    await service.refresh()
    await service.use_config(config(OTHER_KEY))
    assert percent(service) is None
    await service.refresh()
    assert (percent(service), credits.count) == (80, 2)
    assert credits.requests[-1].headers["authorization"] == "Bearer other"


async def test_sidecars_with_different_configs_do_not_ask_in_turns(house: House, credits: Route) -> None:
    used(credits, 4)
    one, two = await house.open(ONE_KEY), await house.open(OTHER_KEY)
    for service in (one, two, one, two):
        await round_of(service)
    assert credits.count == 2
    assert (percent(one), percent(two)) == (40, 40)


async def test_labelled_accounts_have_each_their_own_usage(house: House, credits: Route) -> None:
    openrouter = credits.vendor
    used(openrouter.get("/api/v1/credits", bearer="h"), 1)
    openrouter.routes.insert(0, openrouter.routes.pop())
    service = await house.open(TWO_ACCOUNTS)
    home_only = await service.refresh(["openrouter/Home"])
    assert [done.state.account for done in home_only] == ["Home"]
    assert (percent(service, "openrouter/Home"), percent(service, "openrouter/Work")) == (10, None)


async def test_the_same_account_is_active_before_and_after_this_machine_is_searched(house: House) -> None:
    service = await house.open(TWO_ACCOUNTS)
    note = '[["openrouter", "Home"], ["openrouter", "Work"]]'
    before = remembered(note, config(TWO_ACCOUNTS), service._machine)
    assert [target.active for target in before] == [target.active for target in service.targets] == [True, False]


async def test_usage_is_fresh_only_for_the_credential_that_read_it(house: House, credits: Route) -> None:
    used(credits, 4)
    service = await house.open()
    assert not await service.is_fresh("openrouter")
    await service.refresh()
    assert await service.is_fresh("openrouter")
    await service.use_config(config(OTHER_KEY))
    assert not await service.is_fresh("openrouter")
    await service.use_config(config(ONE_KEY))
    house.clock.advance(timedelta(minutes=6))
    assert not await service.is_fresh("openrouter")


async def test_an_unknown_account_is_nobody_to_ask(house: House, credits: Route) -> None:
    service = await house.open()
    assert await service.refresh(["nobody", "openrouter/Nobody"]) == []
    assert credits.count == 0


async def test_closing_ends_a_read_and_gives_its_lease_back(house: House, credits: Route) -> None:
    used(credits.delays(30), 4)
    service = await house.open()
    reading = asyncio.ensure_future(service.refresh())
    while credits.count == 0:
        await asyncio.sleep(0.01)
    assert service.state("openrouter").refreshing
    async with asyncio.timeout(5):
        await house.close(service)
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert Store(house.folder, house.clock).leased() == frozenset()


async def test_a_subscriber_that_fails_keeps_nobody_from_being_told(house: House, credits: Route) -> None:
    used(credits, 4)
    told: list[Snapshot] = []

    def fail(snapshot: Snapshot) -> None:
        raise RuntimeError("gone")

    service = await house.open()
    service.subscribe(fail)
    service.subscribe(told.append)
    await service.refresh()
    assert [state.usage is not None for state in told[-1].states] == [True]
    assert any(state.refreshing for snapshot in told for state in snapshot.states)


async def test_a_provider_that_cannot_be_loaded_hides_no_other(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = registry.get

    def get(id: str) -> object:
        if id == "kiro":
            raise SyntaxError("broken module")
        return whole(id)

    monkeypatch.setattr(registry, "get", get)
    service = await house.open()
    assert [target.provider.id for target in service.targets] == ["openrouter"]


async def test_a_forgotten_credential_takes_its_usage_with_it_at_once(house: House, credits: Route) -> None:
    used(credits, 4)
    service = await house.open()
    await service.refresh()
    await service.forget("openrouter")
    assert percent(service) is None


async def test_an_account_that_was_never_read_is_due_at_once(house: House, credits: Route) -> None:
    used(credits, 4)
    service = await house.open()
    service.use_settings(Settings(refresh=120.0))
    assert service.state("openrouter").next_refresh == house.clock.now
    await round_of(service)
    assert (credits.count, percent(service)) == (1, 40)
    service._loop.begin_due()
    assert service._reader.idle


async def test_a_read_that_somebody_waits_for_is_not_therefore_interactive(
    house: House, credits: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    used(credits, 4)
    asked: list[bool] = []
    context = Machine.context

    def noting(machine: Machine, id: str, settings: Any, account: Any = None, interactive: bool = False) -> object:
        asked.append(interactive)
        return context(machine, id, settings, account, interactive)

    service = await house.open()
    monkeypatch.setattr(Machine, "context", noting)
    await service.refresh(interactive=False)
    house.clock.advance(timedelta(minutes=1))
    await service.refresh()
    house.clock.advance(timedelta(hours=2))
    await round_of(service)
    assert (asked, credits.count) == ([False, True, False], 3)


async def test_whoever_waits_for_a_read_gets_the_one_that_is_under_way_elsewhere(house: House, credits: Route) -> None:
    used(credits.delays(0.5), 4)
    one, two = await house.open(), await house.open()
    reading = asyncio.ensure_future(one.refresh())
    while credits.count == 0:
        await asyncio.sleep(0.01)
    (answered,) = await two.refresh(interactive=False)
    await reading
    assert (answered.fetched, percent(two), credits.count) == (False, 40, 1)


async def test_a_background_read_comes_when_it_is_due_and_not_before(house: House, credits: Route) -> None:
    used(credits, 4)
    service = await house.open()
    for advance in (0, 1, 28, 5):
        house.clock.advance(timedelta(minutes=advance))
        await round_of(service)
    assert credits.count == 2


async def under_way(service: Service, route: Route) -> asyncio.Task[Any]:
    """A background read that the vendor has been asked for."""
    asked = route.count
    task = service._reader.begin(Request(service.targets[0], "timer"))
    while route.count == asked:
        await asyncio.sleep(0.01)
    return task


async def test_the_answer_of_a_background_read_under_way_is_the_users_too(house: House, credits: Route) -> None:
    used(credits.delays(0.2), 4)
    service = await house.open()
    await under_way(service, credits)
    await asyncio.gather(service.refresh(), service.refresh(), service.refresh(interactive=False))
    assert (percent(service), credits.count) == (40, 1)


async def test_the_failure_of_a_background_read_under_way_is_not(house: House, credits: Route) -> None:
    used(credits.delays(0.2).fails(401), 4)
    service = await house.open()
    background = await under_way(service, credits)
    waiting = asyncio.ensure_future(service.refresh(interactive=False))
    (done,), _ = await asyncio.gather(service.refresh(), service.refresh())
    assert (await background).outcome.error is not None
    assert (await waiting)[0].state.failure is not None, "whoever only looks takes what the background gets"
    assert (done.fetched, percent(service), credits.count) == (True, 40, 2)


async def test_a_user_who_tries_again_after_a_failure_is_not_told_the_old_one(house: House, credits: Route) -> None:
    used(credits.fails(401), 4)
    service = await house.open()
    await service.refresh()
    await service.refresh(interactive=False)
    assert credits.count == 1
    await service.refresh()
    assert (percent(service), credits.count) == (40, 2)
