"""Several programs that change the config file at once: no change is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from quotaline.config import edit
from quotaline_providers.errors import Misconfigured
from quotaline_providers.hosts.files import locked
from tests.server.command import Command

WINDOWS = (
    ("amp", "claude", "codex", "copilot", "crof", "deepgram"),
    ("deepseek", "doubao", "elevenlabs", "gemini", "groq", "jetbrains"),
    ("kilo", "kimi", "kiro", "litellm", "llmproxy", "minimax"),
    ("moonshot", "ollama", "openai", "openrouter", "poe", "synthetic"),
)

DISABLE = """
import sys
from pathlib import Path
from quotaline.config import edit
sys.stdin.readline()
for id in sys.argv[2:]:
    edit.set_enabled(Path(sys.argv[1]), id, False)
"""


@pytest.fixture
def config(quotaline: Command) -> Path:
    """The user's config file, which says that OpenRouter is shown."""
    path = quotaline.home / ".config/quotaline/config.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"version": 1, "providers": [{"id": "openrouter", "enabled": true}]}')
    return path


def entries(config: Path) -> dict[str, dict[str, object]]:
    return {entry.pop("id"): entry for entry in json.loads(config.read_text())["providers"]}


def test_four_windows_that_disable_different_providers_lose_no_change(config: Path) -> None:
    windows = [
        subprocess.Popen([sys.executable, "-c", DISABLE, str(config), *ids], stdin=subprocess.PIPE, text=True)
        for ids in WINDOWS
    ]
    for window in windows:
        assert window.stdin is not None
        window.stdin.write("now\n")
        window.stdin.close()
    assert [window.wait() for window in windows] == [0] * len(windows)
    assert entries(config) == {id: {"enabled": False} for ids in WINDOWS for id in ids}


def test_commands_and_credentials_at_once_lose_nothing(quotaline: Command, config: Path) -> None:
    keys = {id: f"demo-key-of-{id}" for id in ("openrouter", "zai")}
    settings = [quotaline.start("config", "disable", id) for id in ("amp", "kiro")]
    typing = [quotaline.start("set-credential", id, given=key) for id, key in keys.items()]
    for process in (*settings, *typing):
        process.communicate()
        assert process.returncode == 0
    assert entries(config) == {
        "openrouter": {"enabled": True, "apiKey": keys["openrouter"]},
        "zai": {"apiKey": keys["zai"]},
        "amp": {"enabled": False},
        "kiro": {"enabled": False},
    }


@pytest.fixture
def editor(config: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the user saves in a text editor, one after the other, each while a change of ours is being made."""
    saves: list[str] = []
    rewritten = edit.rewritten

    def overtaken(text: str, before: dict[str, object], after: dict[str, object]) -> str:
        if saves:
            config.write_text(saves.pop(0))
        return rewritten(text, before, after)

    monkeypatch.setattr(edit, "rewritten", overtaken)
    return saves


def test_what_an_editor_saves_meanwhile_is_kept(config: Path, editor: list[str]) -> None:
    editor += ['{"providers": [{"id": "zai", "region": "global"}]}']
    edit.set_enabled(config, "kiro", False)
    assert entries(config) == {"zai": {"region": "global"}, "kiro": {"enabled": False}}


def test_a_file_that_an_editor_breaks_meanwhile_is_left_alone(config: Path, editor: list[str]) -> None:
    editor += ['{"providers": [']
    with pytest.raises(Misconfigured, match="broken"):
        edit.set_enabled(config, "kiro", False)
    assert config.read_text() == '{"providers": ['


def test_a_program_that_never_stops_writing_is_told(config: Path, editor: list[str]) -> None:
    editor += [f'{{"providers": [], "save": {number}}}' for number in range(100)]
    with pytest.raises(Misconfigured, match="keeps changing"):
        edit.set_enabled(config, "kiro", False)


def test_two_paths_of_one_file_have_one_lock(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quotaline_providers.hosts.files.LOCK_SECONDS", 0)
    link = tmp_path / "config.json"
    link.symlink_to(config)
    with locked(config), pytest.raises(Misconfigured, match="not done in time"):
        edit.set_enabled(link, "kiro", False)
