"""Optional calls: none of them fails a reading, holds it up, or outlives it."""

from __future__ import annotations

import asyncio
import warnings

import pytest

from quotaline_providers.errors import Unavailable
from quotaline_providers.fetching.optional import beside, in_time, optional, together


async def told() -> str:
    return "told"


async def failing() -> str:
    raise Unavailable("The vendor is not there.")


async def endless() -> str:
    await asyncio.Event().wait()
    return "never"


async def test_an_optional_call_yields_its_result_or_nothing() -> None:
    assert await optional(told(), 5) == "told"
    assert await optional(failing(), 5) is None
    assert await optional(endless(), 0.01) is None


async def test_a_mistake_of_ours_is_no_failure_of_the_vendor() -> None:
    async def mistaken() -> str:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await optional(mistaken(), 5)


async def test_a_late_call_is_waited_for_only_so_long() -> None:
    async with beside() as side:
        assert await in_time(side.start(told(), 5), 5) == "told"
        assert await in_time(side.start(endless(), 5), 0.01) is None


async def test_what_still_runs_at_the_end_is_gone_also_after_an_error() -> None:
    started: list[asyncio.Task[str | None]] = []

    async def reading() -> None:
        async with beside() as side:
            started.append(side.start(endless(), 60))
            await asyncio.sleep(0)
            await failing()

    with pytest.raises(Unavailable):
        await reading()
    assert started[0].cancelled()


async def test_what_never_began_leaves_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        async with beside() as side:
            task = side.start(told(), 5)
        assert task.cancelled()


async def test_calls_made_together_yield_in_their_order() -> None:
    assert await together(told(), told()) == ("told", "told")


async def test_one_that_fails_ends_the_others() -> None:
    ended: list[str] = []

    async def witness() -> str:
        try:
            return await endless()
        finally:
            ended.append("ended")

    with pytest.raises(Unavailable):
        await together(witness(), failing())
    assert ended == ["ended"]
