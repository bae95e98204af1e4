"""Which members of an answer look like limits that nothing reads, and which names of them may be told."""

from __future__ import annotations

import json
from typing import Annotated

import pytest
from pydantic import AliasChoices, Field, RootModel

from quotaline_providers.parsing.answers import Answer, heard, listening
from quotaline_providers.parsing.payload import JsonObject, Number, Payload, Text, lenient, lenient_items
from quotaline_providers.parsing.shape import MOST_VALUES
from quotaline_providers.parsing.unread import MOST_NAMES, UNNAMED, unread_limits


class Lane(Payload):
    not_read = frozenset({"soft_limit"})

    usedPercent: Number = None  # noqa: N815 - a vendor's spelling
    limit: Number = Field(default=None, validation_alias=AliasChoices("limit", "maximum"))


class Account(Payload):
    session: Annotated[Lane | None, lenient(Lane)] = None
    lanes: Annotated[tuple[Lane, ...], lenient_items(Lane)] = ()
    models: dict[str, Lane] = Field(default_factory=dict)
    owner: Text = None
    extra: dict[str, object] = Field(default_factory=dict)


class Lanes(RootModel[tuple[Lane, ...]]):
    pass


def unread(value: object, *known: str) -> tuple[str, ...]:
    return unread_limits(json.dumps(value).encode(), Account, known, [MOST_VALUES])


SESSION = {"session": {"usedPercent": 0}}


@pytest.mark.parametrize(
    "member",
    [
        {"usages": {"limit_7d": {"used_ratio": 0.994}}},
        {"credit_balance": "12.50"},
        {"creditsRemaining": 0},
        {"spend": {"used": {"amount_minor": 1234}}},
        {"monthly_pool": [{"amount": 3}]},
        {"seven_day_fable": {"utilization": 97, "resets_at": "2030-01-06"}},
    ],
    ids=str,
)
def test_what_looks_like_a_limit_beside_a_known_one_is_told(member: dict[str, object]) -> None:
    assert unread({**SESSION, **member}) == tuple(member)


@pytest.mark.parametrize(
    "member",
    [
        {"rate_limit_tier": "pro", "limit_reset": "weekly", "last_used_at": 1893456000},
        {"credits": None, "unlimited_usage": True, "overage_budget": 0, "spend_cap": -1},
        {"rpm_limit": 60, "max_parallel_requests_limit": 5, "context_limit": 200_000},
        {"usage": {"period": "monthly", "resets_at": 1893456000}},
        {"capability": 1, "leftover_name": 2, "count": 3},
        {"profile": {"name": "x", "age": 7}},
    ],
    ids=str,
)
def test_what_is_no_limit_or_says_nothing_is_not(member: dict[str, object]) -> None:
    assert unread({**SESSION, **member}) == ()


@pytest.mark.parametrize(
    "value",
    [
        {"session": {"used_percent": 4, "MAXIMUM": 5, "soft_limit": 3}},
        {"lanes": [{"limit": 5}, "x", None]},
        {"models": {"usage-budget": {"limit": 3}, "credits": {"usedPercent": 2}}},
        {"quota_only": 5},
        [{"quota": 5}],
        {"owner": {"budget": 3}},
    ],
    ids=str,
)
def test_fields_in_any_spelling_maps_and_members_that_are_not_needed_are_known(value: object) -> None:
    assert unread(value) == ()


def test_it_looks_into_lists_maps_and_optional_parts() -> None:
    told = unread(
        {
            "session": {"limit": 1, "session_quota": 1},
            "lanes": [{"limit": 1}, {"limit": 1, "lane_quota": 2}],
            "models": {"a": {"limit": 1, "model_quota": 3}},
        }
    )
    assert told == ("session_quota", "lane_quota", "model_quota")
    assert unread_limits(b'[{"limit": 1, "pool_left": 0}]', Lanes, (), [99]) == ("pool_left",)


def test_without_a_model_the_names_in_the_code_count() -> None:
    body = json.dumps({"used": 1, "quota": 2, "plan_credits": {"used": 3}, "bonus": {"balance": 4}}).encode()
    assert unread_limits(body, JsonObject, {"used"}, [99]) == ("quota",)
    assert unread_limits(body, JsonObject, {"used", "quota"}, [99]) == ()
    assert unread_limits(json.dumps({"body": body.decode()}).encode(), JsonObject, {"used"}, [99]) == ("quota",)
    assert unread({**SESSION, "extra": {"used": 1, "token_quota": 2}}, "used") == ("token_quota",)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("used_ratio", "used_ratio"),
        ("limit_5h_left", "limit_5h_left"),
        ("weeklyCreditsUsed", "weeklyCreditsUsed"),
        ("ada@lab.test budget", UNNAMED),
        ("quota-9f1c22ab77d0", UNNAMED),
        ("budget_9f1c22ab", UNNAMED),
        ("budget_20300102", UNNAMED),
        ("a" * 40 + "_limit", UNNAMED),
        ("Müller_budget", UNNAMED),
    ],
)
def test_a_name_that_may_be_the_users_own_is_not_told(name: str, told: str) -> None:
    assert unread({**SESSION, name: 5}) == (told,)


def test_it_is_bounded() -> None:
    assert len(unread({**SESSION, **{f"quota_{a}{b}": 1 for a in "abcdef" for b in "abcdef"}})) == MOST_NAMES
    left = [50]
    unread_limits(json.dumps({"lanes": [{"limit": 1}] * 10_000}).encode(), Account, (), left)
    assert left[0] > -100
    many = {"used": 1, **{f"member{number}": {"a": {"b": {"c": number}}} for number in range(4000)}}
    left = [500]
    unread_limits(json.dumps(many).encode(), JsonObject, {"used"}, left)
    assert left[0] > -100
    assert unread_limits(b"[" * 100_000, Account, (), [99]) == ()
    assert unread_limits(b'{"session": ' * 900 + b"1" + b"}" * 900, Account, (), [99]) == ()


def test_a_strategys_answers_are_compared_with_their_models() -> None:
    with listening() as answers:
        heard(Answer("a.example", 200, b'{"session": {"limit": 1}, "owner": "ada"}', Account))
        heard(Answer("b.example", 200, b'{"session": {"limit": 1}, "surge_quota": 4, "name": "ada"}', Account))
        heard(Answer("c.example", 200, b'{"session": 1, "other_quota": 4}'))
    found = answers.unread("no.such.package")
    assert found is not None
    assert (found.names, found.shape.host) == (("surge_quota",), "b.example")
    assert found.shape.shape == '{"session":{"?":"number"},"surge_quota":"number","?":"string"}'
    with listening() as understood:
        heard(Answer("a.example", 200, b'{"session": {"limit": 1}}', Account))
    assert understood.unread("no.such.package") is None
