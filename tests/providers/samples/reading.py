"""Reading a sample with changed answers: the real client and machine, with vendors that answer from memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from quotaline_providers import registry
from quotaline_providers.contract import Context, Response, Strategy
from quotaline_providers.errors import BadResponse, ReadError
from quotaline_providers.hosts.http.client import HttpClient, Outgoing
from quotaline_providers.hosts.machine import Machine, VolatileMemory
from quotaline_providers.model import Usage
from quotaline_providers.parsing.answers import listening, shape_of
from quotaline_providers.parsing.shape import LONGEST
from quotaline_providers.run import half_understood, plan
from quotaline_providers.settings import ProviderSettings
from quotaline_providers.testing import Clock, FakeKeyring, finished
from tests.providers.samples import KEY, Sample


class Vendors(HttpClient):
    """The real HTTP client with vendors behind it that answer from memory."""

    def __init__(self, response: Callable[[Outgoing], Response], clock: Clock) -> None:
        super().__init__({}, clock=clock)
        self._answer = response
        self.requests: list[Outgoing] = []

    async def _open(self) -> None:
        pass

    async def _exchange(self, request: Outgoing) -> Response:
        self.requests.append(request)
        return self._answer(request)


Raw = tuple[int, Mapping[str, str], bytes]
"""Status, headers, body."""


def reply_to(sample: Sample, changed: Mapping[int, Raw]) -> Callable[[Outgoing], Response]:
    """The sample's answers, some of them replaced."""

    def reply(request: Outgoing) -> Response:
        parts = urlsplit(request.url)
        for index, exchange in enumerate(sample.exchanges):
            if exchange.fits(request.method, parts.netloc, parts.path, parts.query):
                status, headers, body = changed.get(index, (200, {}, exchange.bytes))
                return Response(status, {"content-type": "application/json", **headers}, body, request.url)
        return Response(404, {"content-type": "application/json"}, b'{"error": "unknown"}', request.url)

    return reply


def strategy_of(sample: Sample, ctx: Context) -> Strategy[Any]:
    provider = registry.get(sample.provider)
    source = next(one.source for one in provider.strategies if one.name == sample.strategy)
    return next(one for one in plan(provider, ctx, source) if one.name == sample.strategy)


def reading(sample: Sample, home: Path, changed: Mapping[int, Raw]) -> tuple[Usage | ReadError, list[Outgoing]]:
    """What a strategy makes of these answers: a usage or a typed error. Any other exception gets out."""
    clock = Clock()
    client = Vendors(reply_to(sample, changed), clock)
    real_sleep = asyncio.sleep

    async def no_sleep(delay: float, result: Any = None) -> Any:
        return await real_sleep(0, result)

    async def read() -> Usage | ReadError:
        machine = Machine.real(
            memory=VolatileMemory(clock),
            state_dir=home / ".state",
            environ={"HOME": str(home), "PATH": str(home), **sample.environ},
            home=home,
            clock=clock,
        )
        config = ProviderSettings.model_validate({"id": sample.provider, **sample.config})
        ctx = _with_client(machine.context(sample.provider, config), client)
        try:
            strategy = strategy_of(sample, ctx)
            with listening() as answers:
                async with asyncio.timeout(10):
                    usage = await strategy.fetch(ctx, await strategy.lookup.find(ctx))
                unread = answers.unread(f"quotaline_providers.vendors.{sample.provider}")
                return half_understood(usage, unread) if unread else usage
        except ReadError as error:
            answer = answers.behind(error)
            if answer is not None and isinstance(error, BadResponse):  # as a run does
                error.shape = shape_of(answer, f"quotaline_providers.vendors.{sample.provider}")
            return error
        finally:
            await machine.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "sleep", no_sleep)
        return finished(read()), client.requests


def _with_client(ctx: Context, client: HttpClient) -> Context:
    return replace(ctx, http=client, keyring=FakeKeyring())


PLANTED = "planted-in-the-answer-77"


def check(seen: Usage | ReadError, sample: Sample) -> None:
    """It can be kept and shown, and holds nothing that must not get out."""
    if isinstance(seen, Usage):
        assert Usage.model_validate_json(seen.model_dump_json()) == seen
        assert len({window.id for window in seen.windows}) == len(seen.windows)
        binding = registry.get(sample.provider).binding
        if binding is not None:
            assert binding(seen) is None or isinstance(binding(seen), str)
        told = repr(seen)
    else:
        assert seen.message
        shape = seen.shape if isinstance(seen, BadResponse) else None
        told = "\n".join((*_told(seen), repr(shape)))
        assert PLANTED not in f"{seen.message} {seen.hint} {shape}"
        assert shape is None or len(shape.shape) <= LONGEST
    assert KEY not in told


def _told(error: BaseException) -> Iterator[str]:
    """All that an error and what led to it would print."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield from (str(one), repr(one), str(getattr(one, "hint", "")), repr(getattr(one, "partial", "")))
            waiting += [cause for cause in (one.__cause__, one.__context__) if cause is not None]
