"""Which answer an error belongs to, and which names of it are ours."""

from __future__ import annotations

import asyncio

from pydantic import AliasChoices, AliasPath, Field

from quotaline_providers.access.endpoints import endpoint
from quotaline_providers.parsing.answers import Answer, heard, listening, shape_of
from quotaline_providers.parsing.names import known_names, names_of
from quotaline_providers.parsing.payload import Payload
from quotaline_providers.vendors.claude import payloads as claude


class Lane(Payload):
    used: float = Field(alias="usedTokens")
    limit: float = Field(default=0, validation_alias=AliasChoices("limit", AliasPath("limits", 0, "max")))


def answer(host: str) -> Answer:
    return Answer(host, 200, b'{"usedTokens": "planted", "owner": 1}')


async def test_an_error_belongs_to_the_answer_that_was_not_understood() -> None:
    error = ValueError("planted")
    with listening() as answers:
        heard(answer("first.example"), error)
        heard(answer("second.example"))
    assert answers.behind(error) == answer("first.example")
    assert answers.behind(ValueError()) == answer("second.example")


async def test_another_error_belongs_to_the_last_main_request_and_not_to_one_beside_it() -> None:
    async def beside() -> None:
        heard(answer("beside.example"))

    with listening() as answers:
        heard(answer("main.example"))
        await asyncio.create_task(beside())
    assert answers.behind(ValueError()) == answer("main.example")
    with listening() as answers:
        await asyncio.create_task(beside())
    assert answers.behind(ValueError()) == answer("beside.example")


async def test_runs_beside_each_other_hear_their_own() -> None:
    async def one(host: str) -> Answer | None:
        with listening() as answers:
            heard(answer(host))
            await asyncio.sleep(0)
            return answers.behind(ValueError())

    hosts = ("a.example", "b.example")
    assert await asyncio.gather(*map(one, hosts)) == [answer(host) for host in hosts]


async def test_nothing_is_kept_where_nobody_listens() -> None:
    heard(answer("main.example"))
    with listening() as answers:
        pass
    heard(answer("main.example"))
    assert answers.behind(ValueError()) is None


async def test_a_host_that_the_user_has_set_is_known_as_theirs() -> None:
    with listening() as answers:
        endpoint("https://LLM.Acme.example:8443/v1", "SETTING")
        assert answers.is_users(answer("llm.acme.example"))
        assert answers.is_users(answer("api.llm.acme.example"))
        assert not answers.is_users(answer("acme.example"))
        assert not answers.is_users(answer("main.example"))


def test_all_spellings_of_a_field_are_known() -> None:
    assert names_of(Lane) == {"used", "usedTokens", "limit", "limits", "max"}


def test_the_names_of_a_provider_are_those_of_all_its_modules() -> None:
    names = known_names("quotaline_providers.vendors.claude")
    assert names >= names_of(claude.UsageAnswer)
    assert not names & known_names("quotaline_providers.vendors.claud")


def test_what_is_kept_holds_the_names_of_the_model_and_no_value() -> None:
    kept = shape_of(Answer("own.example", 200, answer("").body, Lane), "no.such.package")
    assert (kept.host, kept.status, kept.shape) == ("own.example", 200, '{"usedTokens":"string","?":"number"}')
