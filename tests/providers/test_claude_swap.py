"""The accounts of an account switcher beside Claude's own usage: only when switched on, and never in its way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.contract import Account
from quotaline_providers.model import Usage
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.claude import swap

TOKEN = {"QUOTALINE_CLAUDE_OAUTH_TOKEN": "sk-ant-oat-demo"}
ON = {"claudeSwapEnabled": True}

Cswap = Callable[..., Path]


def account(number: int, **fields: object) -> dict[str, object]:
    limits = {"fiveHour": {"pct": 41.2, "resetsAt": "2030-01-02T14:00:00Z"}, "sevenDay": {"pct": 7}}
    return {"number": number, "email": f"user{number}@lab.test", "usageStatus": "ok", "usage": limits, **fields}


@pytest.fixture(autouse=True)
def claude(vendor: Any) -> None:
    vendor("api.anthropic.com").get("/api/oauth/usage").answers(five_hour={"utilization": 21})


@pytest.fixture
def cswap(program: Callable[[str, str], Path], home: Path) -> Cswap:
    """`cswap(account, ...)`: a switcher that knows these accounts; the first one is active."""

    def write(*accounts: dict[str, object], text: str | None = None, **fields: object) -> Path:
        answer = {"schemaVersion": 1, "activeAccountNumber": 1, "accounts": accounts, **fields}
        script = f"""
import sys
assert sys.argv[1:] == ["--list", "--json"]
open({str(home / "asked")!r}, "a").write("x")
print({text or json.dumps(answer)!r})
"""
        return program("cswap", script)

    return write


def rows(usage: Usage) -> dict[str, str]:
    return {row.label: row.value for section in usage.details for row in section.rows}


def test_the_other_accounts_are_shown(cswap: Cswap, read: Any) -> None:
    scoped = {"fiveHour": None, "scoped": [{"name": "Saga", "pct": 0.4}, "torn"]}
    cswap(account(1), account(2), account(3, alias="lab", usage=scoped))
    usage = read("claude", config=ON, **TOKEN)
    assert usage.window("session").used_percent == 21
    assert rows(usage) == {"user2@lab.test": "session 41% · week 7%", "lab": "Saga <1%"}


def test_an_account_may_say_itself_that_it_is_active(cswap: Cswap, read: Any) -> None:
    cswap(account(1, active=False), account(2, active=True))
    assert list(rows(read("claude", config=ON, **TOKEN))) == ["user1@lab.test"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("token_expired", "login expired"),
        ("relogin_required", "must sign in again"),
        ("api_key", "uses an API key"),
        ("keychain_unavailable", "keychain not available"),
        ("no_credentials", "signed out"),
        ("unavailable", "not available"),
        ("brand_new", "not available"),
    ],
)
def test_why_an_account_has_no_limits(cswap: Cswap, read: Any, status: str, words: str) -> None:
    cswap(account(1), account(2, usageStatus=status))
    assert rows(read("claude", config=ON, **TOKEN)) == {"user2@lab.test": words}


@pytest.mark.parametrize(("alone", "shown"), [({}, []), ({"claudeSwapShowSingleAccount": True}, ["user1@lab.test"])])
def test_a_single_account_is_shown_on_request(cswap: Cswap, read: Any, alone: Any, shown: list[str]) -> None:
    cswap(account(1))
    assert list(rows(read("claude", config={**ON, **alone}, **TOKEN))) == shown


@pytest.mark.parametrize(
    "text", ["{torn", "[]", '{"accounts": []}', '{"schemaVersion": 2, "accounts": []}', " " * 300_000]
)
def test_what_cannot_be_understood_is_left_out(cswap: Cswap, read: Any, text: str) -> None:
    cswap(text=text)
    assert rows(read("claude", config=ON, **TOKEN)) == {}


def test_a_named_switcher(cswap: Cswap, read: Any, home: Path) -> None:
    cswap(account(1), account(2)).rename(home / "my-swap")
    assert rows(read("claude", config={**ON, "claudeSwapExecutablePath": "~/my-swap"}, **TOKEN))
    for wrong in ("~/gone", "my-swap"):
        assert rows(read("claude", config={**ON, "claudeSwapExecutablePath": wrong}, **TOKEN)) == {}


def test_a_switcher_that_hangs_is_not_waited_for(program: Any, read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swap, "SWAP_SECONDS", 0.3)
    program("cswap", "import time; time.sleep(60)")
    assert rows(read("claude", config=ON, **TOKEN)) == {}


def test_it_is_not_asked_unless_switched_on(cswap: Cswap, read: Any, home: Path) -> None:
    cswap(account(1), account(2))
    read("claude", **TOKEN)
    read("claude", config=ON, account=Account("Work", Secret("sk-ant-oat-demo")))
    assert not (home / "asked").exists()
