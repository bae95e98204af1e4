"""One read: strategies in order, what falls through, attempts, the deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers import diagnostics
from quotaline_providers.access.lookups import Always, ApiKey
from quotaline_providers.contract import (
    Account,
    AccountKind,
    Context,
    Credential,
    Lookup,
    Origin,
    Provider,
    Response,
    Strategy,
)
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    Kind,
    Misconfigured,
    MissingCredential,
    MissingProgram,
    RateLimited,
    ReadError,
    Unavailable,
)
from quotaline_providers.hosts.http import responses
from quotaline_providers.model import Usage
from quotaline_providers.parsing.payload import JsonDocument, NeededNumber, Payload
from quotaline_providers.parsing.shape import AnswerShape
from quotaline_providers.run import Outcome, run
from quotaline_providers.secret import Secret
from quotaline_providers.settings import Source
from quotaline_providers.testing import Reader

Fetch = Callable[[Context, Any], Any]


@pytest.fixture
def ctx(reader: Reader) -> Context:
    return reader.context("demo", DEMO_KEY="k")


def strategy(result: Usage | BaseException | None = None, source: Source = Source.API, **more: Any) -> Strategy[Any]:
    """A strategy that gives this usage or raises this error."""

    async def fetch(ctx: Context, found: Any) -> Usage:
        if isinstance(result, BaseException):
            raise result
        return result or Usage(updated_at=ctx.now)

    return Strategy(source, fetch, **{"lookup": Always(), **more})


def provider(*strategies: Strategy[Any], **more: Any) -> Provider:
    return Provider("demo", "Demo", "Run `demo login`.", strategies, **more)


def tried(outcome: Outcome) -> list[tuple[str, Kind | None]]:
    return [(attempt.label, attempt.error.kind if attempt.error else None) for attempt in outcome.attempts]


async def test_the_first_strategy_that_works_gives_the_usage(ctx: Context) -> None:
    outcome = await run(provider(strategy(), strategy(source=Source.WEB)), ctx)
    assert outcome.error is None
    assert tried(outcome) == [("api", None)]
    assert outcome.finished_at == ctx.now


async def test_the_usage_names_its_way_unless_it_does_itself(ctx: Context) -> None:
    named = Usage(updated_at=ctx.now, source="own-way")
    for usage, source in ((None, "demo-api"), (named, "own-way")):
        outcome = await run(provider(strategy(usage, label="demo-api")), ctx)
        assert outcome.usage is not None
        assert outcome.usage.source == source


@pytest.mark.parametrize("error", [MissingCredential("x"), MissingProgram("x")])
async def test_what_is_missing_falls_through(ctx: Context, error: ReadError) -> None:
    outcome = await run(provider(strategy(error), strategy(source=Source.WEB)), ctx)
    assert tried(outcome) == [("api", error.kind), ("web", None)]
    assert outcome.error is None


@pytest.mark.parametrize("error", [ExpiredCredential("x"), RateLimited("x"), Unavailable("x"), BadResponse("x")])
async def test_anything_else_ends_the_run(ctx: Context, error: ReadError) -> None:
    outcome = await run(provider(strategy(error), strategy(source=Source.WEB)), ctx)
    assert outcome.error is error
    assert outcome.usage is None
    assert tried(outcome) == [("api", error.kind)]


async def test_a_strategy_says_what_else_falls_through(ctx: Context) -> None:
    first = strategy(ExpiredCredential("x"), falls_through=lambda error: isinstance(error, ExpiredCredential))
    assert tried(await run(provider(first, strategy(source=Source.WEB)), ctx)) == [
        ("api", Kind.EXPIRED_CREDENTIAL),
        ("web", None),
    ]


class Places(Lookup[Credential]):
    """A lookup with several credentials, of places named alike."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def places(self, ctx: Context) -> tuple[str, ...]:
        return self.names

    def probe(self, ctx: Context) -> Origin | None:
        return Origin(self.names[0])

    async def find(self, ctx: Context) -> Credential:
        return Credential(Secret(self.names[0]), Origin(self.names[0]))

    async def each(self, ctx: Context) -> AsyncIterator[Credential]:
        for name in self.names:
            yield Credential(Secret(name), Origin(name))


def asking(answers: dict[str, ReadError | None], **more: Any) -> Strategy[Credential]:
    """A strategy whose vendor refuses some credentials."""

    async def fetch(ctx: Context, found: Credential) -> Usage:
        if error := answers[found.secret.reveal()]:
            raise error
        return Usage(updated_at=ctx.now)

    return Strategy(Source.API, fetch, Places(*answers), **more)


@pytest.mark.parametrize("error", [ExpiredCredential("Refused."), Forbidden("Refused.")])
async def test_a_refusal_says_where_the_credential_came_from(reader: Reader, error: ReadError) -> None:
    key = strategy(error, lookup=ApiKey(env=("DEMO_KEY",)))
    for config, account, place in (
        ({}, None, "the environment variable DEMO_KEY"),
        ({"apiKey": "k"}, None, "the config file"),
        ({}, Account("Work", Secret("k")), "the account Work"),
    ):
        error.message = "Refused."
        outcome = await run(provider(key), reader.context("demo", config, account, DEMO_KEY="k"))
        assert outcome.error is error
        assert error.message == f"Refused. It came from {place}."


async def test_a_refused_credential_of_ours_is_replaced_by_a_command(reader: Reader) -> None:
    """A variable that is set instead would come after it."""
    for config, account, command in (
        ({}, None, None),
        ({"apiKey": "k"}, None, "quotaline set-credential demo"),
        ({}, Account("At work", Secret("k")), "quotaline set-credential demo --account 'At work'"),
    ):
        error = ExpiredCredential("Refused.", "Set DEMO_KEY.")
        one = provider(strategy(error, lookup=ApiKey(env=("DEMO_KEY",))), accounts=AccountKind.TOKEN)
        await run(one, reader.context("demo", config, account, DEMO_KEY="k"))
        assert error.hint == (f"Replace it with `{command}`. Set DEMO_KEY." if command else "Set DEMO_KEY.")


@pytest.mark.parametrize("error", [ExpiredCredential("DEMO_KEY was refused."), ExpiredCredential("x", "Set DEMO_KEY.")])
async def test_a_place_that_is_named_is_not_named_twice(ctx: Context, error: ReadError) -> None:
    said = error.message
    outcome = await run(provider(strategy(error, lookup=ApiKey(env=("DEMO_KEY",)))), ctx)
    assert outcome.error is not None
    assert outcome.error.message == said


async def test_after_a_refusal_the_next_place_is_tried(ctx: Context) -> None:
    outcome = await run(provider(asking({"one": ExpiredCredential("x"), "two": None, "three": None})), ctx)
    assert [(attempt.origin, attempt.error is None) for attempt in outcome.attempts] == [("one", False), ("two", True)]
    assert outcome.usage is not None
    assert outcome.fingerprint == outcome.attempts[1].fingerprint != outcome.attempts[0].fingerprint


async def test_the_last_refusal_is_told_with_all_places(ctx: Context) -> None:
    refusals = {"one": ExpiredCredential("x", quiet=True), "two": ExpiredCredential("Refused.")}
    outcome = await run(provider(asking({**refusals})), ctx)
    assert outcome.error is refusals["two"]
    assert outcome.error is not None
    assert outcome.error.message == "Refused. Tried: one, two."
    assert not outcome.error.quiet
    silent = {"one": ExpiredCredential("x", quiet=True), "two": ExpiredCredential("x", quiet=True)}
    error = (await run(provider(asking({**silent})), ctx)).error
    assert error is not None
    assert error.quiet


@pytest.mark.parametrize("error", [RateLimited("x"), Unavailable("x"), Forbidden("x")])
async def test_what_is_no_refusal_stops_at_its_place(ctx: Context, error: ReadError) -> None:
    outcome = await run(provider(asking({"one": error, "two": None})), ctx)
    assert outcome.error is error
    assert len(outcome.attempts) == 1
    more = await run(provider(asking({"one": error, "two": None}, next_place=lambda error: True)), ctx)
    assert more.usage is not None


async def test_after_all_places_the_next_strategy_may_be_tried(ctx: Context) -> None:
    first = asking({"one": ExpiredCredential("x"), "two": ExpiredCredential("x")}, falls_through=lambda error: True)
    outcome = await run(provider(first, strategy(source=Source.WEB)), ctx)
    assert [attempt.source for attempt in outcome.attempts] == ["api", "api", "web"]


async def test_a_real_error_is_shown_before_a_missing_credential(ctx: Context) -> None:
    real = Unavailable("x")
    first = strategy(real, falls_through=lambda error: True)
    outcome = await run(provider(first, strategy(source=Source.WEB, lookup=ApiKey())), ctx)
    assert outcome.error is real
    assert [attempt.skipped for attempt in outcome.attempts] == [False, True]


async def test_of_missing_credentials_the_first_is_shown_with_how_to_connect(ctx: Context) -> None:
    first, second = strategy(lookup=ApiKey()), strategy(MissingProgram("second"), source=Source.CLI)
    outcome = await run(provider(first, strategy(source=Source.WEB, lookup=ApiKey())), ctx)
    assert isinstance(outcome.error, MissingCredential)
    assert outcome.error.hint == "Run `demo login`."
    assert outcome.fingerprint == ""
    assert isinstance((await run(provider(first, second), ctx)).error, MissingProgram)


async def test_a_hint_of_its_own_is_kept(ctx: Context) -> None:
    outcome = await run(provider(strategy(ExpiredCredential("x", "Do this."))), ctx)
    assert outcome.error is not None
    assert outcome.error.hint == "Do this."


async def test_no_strategy_at_all_is_a_missing_credential(ctx: Context) -> None:
    outcome = await run(provider(strategy(in_auto=False)), ctx)
    assert isinstance(outcome.error, MissingCredential)
    assert outcome.attempts == ()


async def test_a_source_that_is_chosen_is_the_only_one_tried(ctx: Context) -> None:
    both = provider(strategy(), strategy(source=Source.WEB, in_auto=False))
    assert tried(await run(both, ctx, Source.WEB)) == [("web", None)]
    assert tried(await run(both, ctx, "auto")) == [("api", None)]


async def test_the_settings_choose_a_source(reader: Reader) -> None:
    ctx = reader.context("demo", {"source": "web"})
    assert tried(await run(provider(strategy(), strategy(source=Source.WEB)), ctx)) == [("web", None)]


async def test_a_variable_that_names_no_folder_is_told_with_a_missing_credential(reader: Reader, home: Path) -> None:
    ctx = reader.context("demo", DEMO_HOME=str(home), OTHER_HOME="~/nowhere", THIRD_HOME=" ")
    moved = replace(provider(strategy(lookup=ApiKey())), homes=("DEMO_HOME", "OTHER_HOME", "THIRD_HOME"))
    error = (await run(moved, ctx)).error
    assert error is not None
    assert error.message == "No API key is set. OTHER_HOME names a folder that does not exist."


@pytest.mark.parametrize("choice", ["demo-cli", "Demo-CLI"])
async def test_a_strategys_label_counts_as_a_source(ctx: Context, choice: str) -> None:
    seen: list[str] = []

    def noted(ctx: Context) -> bool:
        seen.append(ctx.source)
        return True

    both = provider(strategy(), strategy(source=Source.CLI, label="demo-cli", applies=noted, in_auto=False))
    assert tried(await run(both, ctx, choice)) == [("demo-cli", None)]
    assert seen == ["cli"]


async def test_a_source_it_does_not_have_is_a_wrong_setting(ctx: Context) -> None:
    outcome = await run(provider(strategy()), ctx, Source.CLI)
    assert isinstance(outcome.error, Misconfigured)
    assert "auto, api" in outcome.error.hint


async def test_a_strategy_that_does_not_apply_is_not_tried(ctx: Context) -> None:
    outcome = await run(provider(strategy(applies=lambda ctx: False), strategy(source=Source.WEB)), ctx)
    assert tried(outcome) == [("web", None)]


async def test_an_unexpected_exception_is_a_bad_response_that_shows_nothing_of_it(ctx: Context) -> None:
    outcome = await run(provider(strategy(KeyError("demo-token")), strategy(source=Source.WEB)), ctx)
    assert isinstance(outcome.error, BadResponse)
    assert "KeyError" in outcome.error.message
    assert "demo-token" not in f"{outcome.error.message} {outcome.error.hint} {outcome.error!r}"


async def test_an_unexpected_exception_is_noted_as_a_defect(ctx: Context) -> None:
    await run(provider(strategy(KeyError("demo-token"), label="demo-cli")), ctx)
    last = diagnostics.defects()[-1]
    assert (last.what, last.trace[0]) == ("reading demo (demo-cli)", "KeyError")
    assert "demo-token" not in repr(last)


async def test_a_library_that_ends_the_program_ends_only_its_strategy(ctx: Context) -> None:
    outcome = await run(provider(strategy(SystemExit("demo-token"))), ctx)
    assert isinstance(outcome.error, BadResponse)
    assert "demo-token" not in f"{outcome.error} {outcome.error.hint}"


class Told(Payload):
    used: NeededNumber
    owner: str = ""


def fetched(body: bytes, error: Exception | None = None) -> Strategy[Any]:
    """A strategy that is answered so, checks and parses the answer, and then raises this error."""

    async def fetch(ctx: Context, found: Any) -> Usage:
        response = Response(200, {}, body, "https://own.example/usage?token=planted")
        responses.parse(response, Told if error is None else JsonDocument)
        assert error is not None
        raise error

    return Strategy(Source.API, fetch, Always())


@pytest.mark.parametrize(
    ("body", "error", "kept"),
    [
        (b'{"used": "planted", "planted": 1}', None, '{"used":"string","?":"number"}'),
        (b"<html>planted</html>", None, "html, under 1 kB"),
        (b'{"used": 1, "owner": "planted"}', BadResponse("x"), '{"used":"number","owner":"string"}'),
        (b'{"used": 1, "owner": "planted"}', KeyError("planted"), '{"used":"number","owner":"string"}'),
    ],
    ids=["another shape", "a page", "not understood by the vendor's module", "a defect"],
)
async def test_of_an_answer_that_is_not_understood_the_shape_is_kept(
    ctx: Context, body: bytes, error: Exception | None, kept: str
) -> None:
    outcome = await run(provider(fetched(body, error)), ctx)
    assert isinstance(outcome.error, BadResponse)
    assert outcome.error.shape == AnswerShape("own.example", 200, kept)
    assert "planted" not in f"{outcome.error.shape} {outcome.error} {outcome.error.message}"


async def test_an_error_without_an_answer_has_no_shape(ctx: Context) -> None:
    outcome = await run(provider(strategy(BadResponse("x"))), ctx)
    assert isinstance(outcome.error, BadResponse)
    assert outcome.error.shape is None


async def test_usage_that_could_still_be_read_comes_beside_the_error(ctx: Context) -> None:
    part = Usage(updated_at=ctx.now, notes=("part",))
    outcome = await run(provider(strategy(Unavailable("x", partial=part), label="demo")), ctx)
    assert isinstance(outcome.error, Unavailable)
    assert outcome.usage is not None
    assert (outcome.usage.notes, outcome.usage.source) == (("part",), "demo")


async def test_the_deadline_holds_for_all_strategies_together(ctx: Context) -> None:
    ended = asyncio.Event()

    async def hangs(ctx: Context, found: Any) -> Usage:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    slow = Strategy(Source.WEB, hangs, Always())
    outcome = await run(provider(strategy(MissingCredential("x")), slow, deadline=0.05), ctx)
    assert outcome.error is not None
    assert outcome.error.kind is Kind.TIMEOUT
    assert ended.is_set()


async def test_cancelling_a_run_passes_through(ctx: Context) -> None:
    async def hangs(ctx: Context, found: Any) -> Usage:
        await asyncio.Event().wait()
        raise AssertionError

    task = asyncio.create_task(run(provider(Strategy(Source.WEB, hangs, Always())), ctx))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_attempt_tells_the_origin_but_never_the_credential(ctx: Context) -> None:
    seen: list[Credential] = []

    async def fetch(ctx: Context, found: Credential) -> Usage:
        seen.append(found)
        return Usage(updated_at=ctx.now)

    keyed = provider(Strategy(Source.API, fetch, ApiKey(env=("DEMO_KEY",))))
    (attempt,) = (await run(keyed, ctx)).attempts
    assert seen[0].secret.reveal() == "k"
    assert attempt.origin == "env DEMO_KEY"
    assert attempt.fingerprint
    assert "Secret" not in repr(attempt)


async def test_another_credential_has_another_fingerprint(reader: Reader) -> None:
    async def fetch(ctx: Context, found: Credential) -> Usage:
        return Usage(updated_at=ctx.now)

    keyed = provider(Strategy(Source.API, fetch, ApiKey(env=("DEMO_KEY",))))
    prints = [(await run(keyed, reader.context("demo", DEMO_KEY=key))).fingerprint for key in ("one", "two", "one")]
    assert prints[0] == prints[2] != prints[1]
