"""Accounts whose logins are in folders of their own (Codex homes), as the commands show them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.providers.codex_login import id_token, tokens, write_login
from tests.server.command import Command, Ended


@pytest.fixture
def user(quotaline: Command, home: Path, vendor: Any) -> Callable[..., Command]:
    """`user(active=None)`: a user with a Codex login in the usual home and another one in `~/work`."""
    chatgpt = vendor("chatgpt.com")
    for folder, email, used in ((".codex", "ada@demo.test", 21), ("work", "eve@demo.test", 64)):
        login = tokens(f"{folder}-token", id_token=id_token(email), account_id=f"acc-{folder}")
        write_login(home, {"tokens": login}, folder)
        window = {"used_percent": used, "limit_window_seconds": 18000}
        chatgpt.get("/backend-api/wham/usage", bearer=f"{folder}-token").answers(rate_limit={"primary_window": window})
    chatgpt.get("/backend-api/wham/rate-limit-reset-credits").fails(404)

    def configured(**more: object) -> Command:
        file = home / ".config/quotaline/config.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"version": 1, "providers": [{"id": "codex", **more}]}))
        file.chmod(0o600)
        return quotaline

    return configured


def used(shown: Ended) -> dict[str, float]:
    """Percent used by account, of a JSON answer."""
    return {one.get("account", ""): one["usage"]["primary"]["usedPercent"] for one in shown.json}


HOMES = {"codexProfileHomePaths": ["~/work"]}


def test_every_home_is_shown_unless_one_was_chosen(user: Callable[..., Command]) -> None:
    assert used(user(**HOMES)("usage", "--json")) == {"": 21, "work": 64}
    chosen = user(**HOMES, codexActiveSource={"kind": "liveSystem", "homePath": "~/work"})
    assert used(chosen("usage", "--json")) == {"work": 64}
    assert used(chosen("usage", "--json", "--all-accounts")) == {"": 21, "work": 64}


def test_one_home_is_chosen_by_its_label(user: Callable[..., Command]) -> None:
    assert used(user(**HOMES)("usage", "--json", "--provider", "codex", "--account", "Work")) == {"work": 64}


def test_without_homes_there_are_no_accounts_to_choose_from(user: Callable[..., Command]) -> None:
    refused = user()("usage", "--provider", "codex", "--account", "work")
    assert refused.code == 2
    assert "No profiles configured for Codex." in refused.err
