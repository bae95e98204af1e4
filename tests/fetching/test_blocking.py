"""Blocking libraries in a thread: what they ask of the event loop is done there, and ends with the read."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError
from typing import Any

import pytest

from quotaline_providers.fetching.blocking import Loop, in_thread


@pytest.fixture
def context(reader: Any) -> Any:
    return reader.context("demo")


async def test_the_work_is_in_a_thread_and_its_questions_on_the_loop(context: Any) -> None:
    async def where() -> int:
        return threading.get_ident()

    here, there = await in_thread(context, lambda loop: (loop.run(where()), threading.get_ident()))
    assert here == threading.get_ident() != there


async def test_what_a_question_fails_with_reaches_the_work(context: Any) -> None:
    async def failing() -> None:
        raise KeyError("k")

    with pytest.raises(KeyError):
        await in_thread(context, lambda loop: loop.run(failing()))


async def test_a_cancelled_read_ends_its_thread(context: Any) -> None:
    asked, ended = asyncio.Event(), threading.Event()
    errors: list[BaseException] = []

    async def question() -> None:
        asked.set()
        await asyncio.Event().wait()

    def work(loop: Loop) -> None:
        for _ in range(2):  # nor does another question get an answer
            try:
                loop.run(question())
            except CancelledError as error:
                errors.append(error)
        ended.set()

    read = asyncio.create_task(in_thread(context, work))
    await asked.wait()
    read.cancel()
    with pytest.raises(asyncio.CancelledError):
        await read
    assert await asyncio.to_thread(ended.wait, 10)
    assert len(errors) == 2
