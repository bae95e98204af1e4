"""`quotaline config` and `quotaline doctor`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.server.command import Command

BROKEN = '{"version": 1,\n  "providers": [}\n'
WRONG = '{"version": 1, "providers": [\n  {"id": "openrouter", "enabled": "maybe"},\n  {"id": "zzz"}\n]}\n'


@pytest.fixture
def config(quotaline: Command) -> Path:
    """The user's config file, not there yet."""
    path = quotaline.home / ".config/quotaline/config.json"
    path.parent.mkdir(parents=True)
    return path


def test_path(quotaline: Command, config: Path, tmp_path: Path) -> None:
    assert quotaline("config", "path").out == f"{config}\n"
    assert quotaline("config", QUOTALINE_CONFIG="~/own.json").out == f"{quotaline.home / 'own.json'}\n"


def test_validate(quotaline: Command, config: Path) -> None:
    missing = quotaline("config", "validate")
    assert missing.code == 0
    assert "does not exist" in missing.out
    config.write_text(BROKEN)
    broken = quotaline("config", "validate")
    assert broken.code == 1
    assert f"{config}:2:17: [ERROR]" in broken.out
    (problem,) = quotaline("config", "validate", "--format", "json").json
    assert (problem["severity"], problem["line"], problem["column"]) == ("error", 2, 17)
    config.write_text(WRONG)
    config.chmod(0o600)
    wrong = quotaline("config", "validate")
    assert wrong.code == 1
    assert f"{config}:2:" in wrong.out
    config.write_text('{"version": 1, "providers": []}')
    fine = quotaline("config", "validate")
    assert (fine.code, fine.out) == (0, "Config: OK\n")


def test_other_commands_tell_of_a_broken_config_and_go_on(quotaline: Command, config: Path) -> None:
    config.write_text(BROKEN)
    shown = quotaline("usage", "--json")
    assert (shown.code, shown.json) == (3, [])
    assert f"{config}:2:17: [ERROR]" in shown.err
    assert "not valid JSON: line 2, column 17: a value is expected here." in shown.err


def test_other_commands_do_not_complain_of_codexbars_config(quotaline: Command) -> None:
    theirs = quotaline.home / ".config/codexbar/config.json"
    theirs.parent.mkdir(parents=True)
    theirs.write_text(WRONG)
    assert quotaline("usage", "--json").err == ""
    assert "[WARNING] openrouter (enabled)" in quotaline("config", "validate").out
    theirs.write_text(BROKEN)
    assert f"{theirs}:2:17: [WARNING]" in quotaline("usage", "--json").err


def test_edit(quotaline: Command, config: Path, program: Callable[[str, str], Path]) -> None:
    program("demo-editor", f"import sys\nopen(sys.argv[2], 'a').write({BROKEN!r}) if sys.argv[1] == '-b' else None")
    unchanged = quotaline("config", "edit", EDITOR="demo-editor -a")
    assert unchanged.code == 0
    assert unchanged.out == "Config: OK\n"
    assert config.stat().st_mode & 0o777 == 0o600
    spoiled = quotaline("config", "edit", VISUAL="demo-editor -b", EDITOR="demo-editor -a")
    assert spoiled.code == 1
    assert "[ERROR]" in spoiled.out
    program("demo-editor", "raise SystemExit(3)")
    assert quotaline("config", "edit", EDITOR="demo-editor").code == 1
    nobody = quotaline("config", "edit", EDITOR="nobody-has-this")
    assert nobody.code == 1
    assert "Set EDITOR" in nobody.err


def test_a_provider_is_hidden_and_shown_again(quotaline: Command, config: Path) -> None:
    user = quotaline.with_variables(OPENROUTER_API_KEY="demo-one")
    assert user("config", "disable", "or").out == "OpenRouter is hidden from now on.\n"
    assert json.loads(config.read_text())["providers"] == [{"id": "openrouter", "enabled": False}]
    assert "`quotaline config enable openrouter` shows it again" in user("providers").out
    assert user("config", "enable", "openrouter", "kiro").code == 0
    assert [entry["enabled"] for entry in json.loads(config.read_text())["providers"]] == [True, True]


def test_what_cannot_be_hidden(quotaline: Command, config: Path) -> None:
    assert quotaline("config", "disable").code == 2
    assert quotaline("config", "validate", "openrouter").code == 2
    assert quotaline("config", "enable", "zzz").code == 2
    config.write_text(BROKEN)
    broken = quotaline("config", "enable", "openrouter")
    assert (broken.code, config.read_text()) == (1, BROKEN)
    assert "was not changed" in broken.err


def test_doctor_tells_every_attempt_and_no_secret(quotaline: Command, config: Path, vendor: Any) -> None:
    host = vendor("openrouter.ai")
    host.get("/api/v1/key").answers(data={})
    host.get("/api/v1/credits").answers(data={"total_credits": 40, "total_usage": 10})
    vendor("www.codebuff.com").refuses()
    user = quotaline.with_variables(OPENROUTER_API_KEY="demo-planted-one", CODEBUFF_API_KEY="demo-planted-two")
    found = user("doctor", "--format", "json")
    assert found.code == 1
    providers = {item["id"]: item for item in found.json["providers"]}
    assert providers["openrouter"]["ok"] is True
    assert providers["openrouter"]["attempts"][0]["from"] == "env OPENROUTER_API_KEY"
    assert providers["codebuff"]["ok"] is False
    assert providers["codebuff"]["error"].startswith("unavailable: ")
    assert "claude" in found.json["notConnected"]
    assert set(found.json["versions"]) >= {"quotaline", "pygls", "keyring"}

    (quotaline.home / ".cache/quotaline/store.sqlite3").unlink()  # else what was read a moment ago is not asked again
    text = user.in_terminal("doctor", columns=70)
    assert text.code == 1
    assert "openrouter: ok" in text.out
    assert "api from env OPENROUTER_API_KEY" in text.out
    for output in (found.out, found.err, text.out):
        assert "demo-planted" not in output


def test_doctor_tells_what_a_vendor_sent_too_much_of(quotaline: Command, vendor: Any) -> None:
    answer = {"character_count": 2500, "character_limit": 10000, "tier": "t" * 3000}
    vendor("api.elevenlabs.io").get("/v1/user/subscription").answers(**answer)
    found = quotaline("doctor", ELEVENLABS_API_KEY="k")
    assert found.code == 0
    assert "not all is kept: texts: 1 shortened to 200 characters" in found.out
