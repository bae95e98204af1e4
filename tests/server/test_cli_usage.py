"""`quotaline usage` and `refresh` with several logins, as a person and as a script sees them."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from quotaline.store.store import Store
from tests.server.command import Command


@pytest.fixture
def openrouter_key(vendor: Any) -> Any:
    """The route of OpenRouter's key: 5 of 20 dollars of the month used."""
    answer = {"limit": 20, "limit_remaining": 15, "limit_reset": "monthly"}
    return vendor("openrouter.ai").get("/api/v1/key").answers(data=answer)


@pytest.fixture
def openrouter(vendor: Any, openrouter_key: Any) -> Any:
    """The route of OpenRouter's balance: 10 of 40 dollars used."""
    host = vendor("openrouter.ai")
    return host.get("/api/v1/credits").answers(data={"total_credits": 40, "total_usage": 10})


@pytest.fixture
def connected(quotaline: Command, openrouter: Any) -> Command:
    """The program of a user with an OpenRouter key."""
    return quotaline.with_variables(OPENROUTER_API_KEY="demo-one")


@pytest.fixture
def aged(quotaline: Command) -> Callable[[timedelta], None]:
    """`aged(by)`: makes what the store holds older."""

    def age(by: timedelta) -> None:
        store = Store(quotaline.home / ".cache/quotaline")
        for reading in store.readings().values():
            assert reading.attempted_at is not None
            store.save(replace(reading, attempted_at=reading.attempted_at - by))
        store.close()

    return age


# --- what is shown ---------------------------------------------------------------------------------


def test_text_has_bars_resets_and_plain_errors(connected: Command, vendor: Any) -> None:
    vendor("www.codebuff.com").refuses()
    shown = connected("usage", CODEBUFF_API_KEY="demo-two")
    assert shown.code == 1
    assert "== OpenRouter (api) ==" in shown.out
    assert "25% used [===---------]" in shown.out
    assert "Resets in" in shown.out
    assert "Error: " in shown.out
    assert "\x1b" not in shown.out + shown.err
    assert shown.err == ""


def test_json_has_codexbars_keys_and_our_own(connected: Command) -> None:
    shown = connected("usage", "--format", "json")
    assert shown.code == 0
    assert shown.out.count("\n") == 1
    (entry,) = shown.json
    assert (entry["provider"], entry["source"]) == ("openrouter", "api")
    assert entry["usage"]["primary"]["usedPercent"] == 25
    assert entry["usage"]["primary"]["resetsAt"].endswith("Z")
    assert entry["usage"]["tertiary"] is None
    assert entry["usage"]["identity"]["providerID"] == "openrouter"
    assert entry["credits"]["remaining"] == 30
    assert [window["id"] for window in entry["windows"]] == ["key", "credits"]
    assert entry["balances"] == [{"id": "credits", "label": "Credits", "amount": 30, "unit": "USD"}]
    assert "error" not in entry
    pretty = connected("usage", "--json", "--pretty")
    assert pretty.json == shown.json
    assert pretty.out.count("\n") > 20
    assert connected("--format", "statusline").out == "OpenRouter 25%\n"


def test_a_refused_key_has_reason_and_hint(quotaline: Command, vendor: Any) -> None:
    host = vendor("openrouter.ai")
    host.get("/api/v1/key").fails(401)
    host.get("/api/v1/credits").fails(401)
    shown = quotaline("usage", "--json", OPENROUTER_API_KEY="demo-one")
    assert shown.code == 1
    (entry,) = shown.json
    assert entry["error"]["reason"] == "expired_credential"
    assert entry["error"]["hint"]
    assert entry["error"]["kind"] == "provider"
    assert "demo-one" not in shown.out + shown.err


def test_colours_only_in_a_terminal_that_wants_them(connected: Command) -> None:
    coloured = connected.in_terminal("usage", "--provider", "or")
    assert coloured.code == 0
    assert "\x1b[32m" in coloured.out
    assert "Asking OpenRouter…" in coloured.out
    for plain in (
        connected.in_terminal("usage", NO_COLOR="1"),
        connected.in_terminal("usage", TERM="dumb"),
        connected.in_terminal("usage", "--no-color"),
    ):
        assert "25% used" in plain.out
        assert "\x1b[3" not in plain.out


def test_an_error_in_a_narrow_terminal_is_wrapped_and_not_cut(quotaline: Command) -> None:
    shown = quotaline.in_terminal("usage", "--provider", "openrouter", columns=40)
    assert shown.code == 1
    words = " ".join(shown.out.split())
    assert "store it with Quotaline." in words
    assert "…\n" not in shown.out


@pytest.mark.parametrize("variables", [{"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}])
def test_a_terminal_without_unicode_is_no_reason_to_fail(connected: Command, variables: dict[str, str]) -> None:
    assert "OpenRouter" in connected("refresh", **variables).out
    assert connected("usage", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", **variables).code == 0


def test_json_is_whole_whatever_the_encoding(quotaline: Command, vendor: Any) -> None:
    vendor("crof.ai").get("/usage_api/").answers(credits=1)
    label = "Büro 🏠 中"
    accounts = {"accounts": [{"label": label, "token": "demo-one"}]}
    config = quotaline.home / "own.json"
    config.write_text(
        json.dumps({"version": 1, "providers": [{"id": "crof", "source": "api", "tokenAccounts": accounts}]})
    )
    config.chmod(0o600)
    shown = [
        quotaline("usage", "--json", QUOTALINE_CONFIG=str(config), PYTHONIOENCODING=encoding)
        for encoding in ("utf-8", "latin-1", "ascii")
    ]
    assert [ended.json[0]["account"] for ended in shown] == [label] * 3
    assert label in shown[0].out
    assert shown[1].out.isascii()


def test_good_and_bad_are_told_apart_without_unicode(connected: Command) -> None:
    assert connected("refresh", PYTHONIOENCODING="ascii").out.startswith("+ OpenRouter")


def test_the_reader_may_leave_early(connected: Command) -> None:
    running = connected.start("usage")
    assert running.stdout is not None
    assert running.stderr is not None
    running.stdout.close()
    assert running.stderr.read() == b""
    assert running.wait(30) == 0
    with open("/dev/full", "wb") as full:
        code = subprocess.run(
            [*map(str, running.args)],  # type: ignore[arg-type]
            stdout=full,
            stderr=subprocess.PIPE,
            env=dict(connected.environ),
            check=False,
        )
    assert code.returncode == 1
    assert b"No space left" in code.stderr
    assert b"Traceback" not in code.stderr


# --- whom is asked ---------------------------------------------------------------------------------


def test_fresh_usage_comes_from_the_store(
    connected: Command, openrouter: Any, aged: Callable[[timedelta], None]
) -> None:
    first = connected("usage", "--json")
    assert connected("usage", "--json").json == first.json
    assert openrouter.count == 1
    aged(timedelta(minutes=2))
    assert connected("usage", "--json").code == 0
    assert openrouter.count == 1
    assert connected("usage", "--refresh").code == 0
    assert openrouter.count == 2
    aged(timedelta(minutes=20))
    assert connected("usage").code == 0
    assert openrouter.count == 3


def test_another_credential_is_asked_at_once(connected: Command, openrouter: Any) -> None:
    assert connected("usage").code == 0
    assert connected("usage", OPENROUTER_API_KEY="demo-other").code == 0
    assert [request.headers["authorization"] for request in openrouter.requests] == [
        "Bearer demo-one",
        "Bearer demo-other",
    ]


def test_a_failure_keeps_the_last_good_usage_beside_it(
    connected: Command, openrouter: Any, openrouter_key: Any, aged: Callable[[timedelta], None]
) -> None:
    openrouter.fails(503)
    openrouter_key.fails(503)
    assert connected("usage").code == 0
    aged(timedelta(minutes=20))
    shown = connected("usage", "--json")
    assert shown.code == 1
    (entry,) = shown.json
    assert entry["usage"]["primary"]["usedPercent"] == 25
    assert entry["stale"] is True
    assert entry["error"]["reason"] == "unavailable"
    aged(timedelta(minutes=20))
    text = connected("refresh")
    assert text.code == 1
    assert text.out.startswith("✗ OpenRouter: ")


def test_a_promised_wait_is_kept_for_the_key_it_was_given_to(quotaline: Command, vendor: Any) -> None:
    host = vendor("openrouter.ai")
    host.get("/api/v1/key").fails(429)
    route = host.get("/api/v1/credits").fails(429, headers={"Retry-After": "600"})
    for _ in range(2):
        limited = quotaline("usage", "--refresh", "--json", OPENROUTER_API_KEY="demo-one")
        assert limited.code == 1
        assert limited.json[0]["error"]["reason"] == "rate_limited"
    waiting = quotaline("refresh", "--force", OPENROUTER_API_KEY="demo-one")
    assert "It is asked again after " in waiting.out
    assert route.count == 1
    quotaline("refresh", OPENROUTER_API_KEY="demo-two")
    assert route.count == 2


def test_sources(connected: Command, openrouter: Any) -> None:
    wrong = connected("usage", "--provider", "or", "--source", "web")
    assert (wrong.code, wrong.out) == (2, "")
    assert "Use one of: auto, api." in wrong.err
    assert openrouter.count == 0
    assert connected("usage", "--source", "web", "--json").code == 3
    unknown = connected("usage", "--source", "magic")
    assert (unknown.code, unknown.out) == (2, "")
    assert "Use one of: auto, oauth, api" in unknown.err
    right = connected("usage", "--provider", "OpenRouter", "--source", "api", "--json")
    assert right.code == 0
    assert right.json[0]["source"] == "api"


ASKED_HOW = """
from quotaline_providers.contract import Provider, Strategy
from quotaline_providers.access.lookups import Always
from quotaline_providers.model import Usage

async def read(ctx, found):
    return Usage(updated_at=ctx.now, notes=("may prompt" if ctx.interactive else "is quiet",))

PROVIDER = Provider("asked-how", "Asked How", "Nothing.", (Strategy("api", read, Always(found=lambda ctx: "here")),))
"""


def test_only_a_refresh_may_prompt(quotaline: Command, tmp_path: Path, aged: Callable[[timedelta], None]) -> None:
    (tmp_path / "asked_how.py").write_text(ASKED_HOW)
    info = tmp_path / "asked_how-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: asked-how\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[quotaline.providers]\nasked-how = asked_how:PROVIDER\n")
    user = quotaline.with_variables(PYTHONPATH=str(tmp_path))
    assert "Note: is quiet" in user("usage").out
    assert "Note: is quiet" in user("usage", "--source", "api").out
    aged(timedelta(minutes=1))
    assert "Note: may prompt" in user("usage", "--refresh", "--source", "api").out


# --- being interrupted -----------------------------------------------------------------------------


def test_ctrl_c_ends_a_slow_read(connected: Command, openrouter: Any) -> None:
    openrouter.vendor.routes.clear()
    openrouter = openrouter.vendor.get("/api/v1/credits").delays(20).answers(data={})
    openrouter.vendor.get("/api/v1/key").answers(data={})
    started = time.monotonic()
    ended = connected.in_terminal("usage", until=lambda text: "Asking" in text and openrouter.count > 0)
    assert ended.code == 130
    assert time.monotonic() - started < 18
    assert "Error" not in ended.out


def write_config(user: Command, **content: Any) -> None:
    file = user.home / ".config/quotaline/config.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"version": 1, **content}))


def test_the_config_file_says_which_figure_is_shown(connected: Command) -> None:
    assert "25% used" in connected("usage").out
    write_config(connected, display={"percent": "left"})
    told = connected("usage").out
    assert "75% left [=========---]" in told
    assert "$30.00 of $40.00 left" in told
    assert "% used" not in told
    assert "% left" in connected("usage", "--format", "statusline").out
    assert "% left" in connected("refresh").out


def test_a_name_of_the_users_is_no_style_of_tmux(connected: Command) -> None:
    write_config(connected, display={"format": "#[fg=red]{name} {used}"})
    assert connected("usage", "--format", "statusline").out.startswith("#[fg=red]OpenRouter ")
    assert connected("usage", "--format", "tmux").out.startswith("##[fg=red]OpenRouter ")


def test_switched_off_in_the_config_is_not_asked(connected: Command, openrouter: Any) -> None:
    write_config(connected, providers=[{"id": "openrouter", "enabled": False}])
    assert connected("usage", "--json").code == 3
    assert openrouter.count == 0
    assert "switched off in the config" in connected("providers").out
