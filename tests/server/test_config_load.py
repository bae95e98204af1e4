"""Reading the config: where it is, what its two layers make together, and every way it can be wrong."""

from __future__ import annotations

import json
import os
from importlib import import_module
from pathlib import Path

import pytest

from quotaline.config import codexbar_path, config_path
from quotaline.settings import Settings
from quotaline_providers.secret import Secret
from tests import systems
from tests.server.config_world import Folder, codes, document, install

KEY = "demo-token-never-shown"


@pytest.fixture(autouse=True)
def providers(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


# --- where it is ---


def test_own_file_is_in_the_config_folder(tmp_path: Path) -> None:
    assert config_path({}, tmp_path, "linux") == tmp_path / ".config/quotaline/config.json"
    xdg = {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    assert config_path(xdg, tmp_path, "linux") == tmp_path / "xdg/quotaline/config.json"
    assert config_path({"XDG_CONFIG_HOME": "relative"}, tmp_path, "linux").is_relative_to(tmp_path / ".config")
    assert config_path({}, tmp_path, "darwin") == tmp_path / "Library/Application Support/quotaline/config.json"


def test_a_variable_names_the_own_file(tmp_path: Path) -> None:
    assert config_path({"QUOTALINE_CONFIG": "~/mine.json"}, tmp_path) == tmp_path / "mine.json"


def test_codexbar_file_is_found_in_its_usual_places(tmp_path: Path) -> None:
    usual, legacy = tmp_path / ".config/codexbar/config.json", tmp_path / ".codexbar/config.json"
    assert codexbar_path({}, tmp_path, "linux") == usual
    legacy.parent.mkdir()
    legacy.write_text("{}")
    assert codexbar_path({}, tmp_path, "linux") == legacy
    usual.parent.mkdir(parents=True)
    usual.write_text("{}")
    assert codexbar_path({}, tmp_path, "linux") == usual
    assert codexbar_path({"CODEXBAR_CONFIG": "~/c.json"}, tmp_path, "linux") == tmp_path / "c.json"
    assert codexbar_path({"XDG_CONFIG_HOME": "relative"}, tmp_path, "linux") == usual
    assert codexbar_path({"XDG_CONFIG_HOME": "~/x"}, tmp_path, "linux") == tmp_path / "x/codexbar/config.json"


# --- what it says ---


def test_no_file_is_the_defaults_and_nothing_is_written(folder: Folder) -> None:
    loaded = folder.load()
    assert (loaded.config.order, loaded.diagnostics, loaded.readable) == ((), (), True)
    assert loaded.config.provider("claude").enabled is None
    assert list(folder.home.iterdir()) == []


def test_aliases_become_ids_and_texts_are_cleaned(folder: Folder) -> None:
    folder.write(document({"id": "or", "apiKey": ' "demo" '}))
    loaded = folder.load()
    assert loaded.config.order == ("openrouter",)
    assert loaded.config.provider("openrouter").api_key == "demo"
    assert loaded.diagnostics == ()


def test_our_fields_win_over_codexbars(folder: Folder) -> None:
    folder.write(document({"id": "zai", "region": "bigmodel-cn", "enabled": None}, {"id": "claude"}))
    folder.write_codexbar({"id": "kiro", "enabled": True}, {"id": "zai", "region": "global", "enabled": True, "x": 1})
    config = folder.load().config
    assert config.order == ("zai", "claude", "kiro")
    assert (config.provider("zai").region, config.provider("zai").enabled) == ("bigmodel-cn", True)
    assert config.provider("zai").own("x") == 1


def test_a_key_of_ours_is_not_mixed_with_codexbars_other_half(folder: Folder) -> None:
    folder.write(document({"id": "zai", "apiKeyEnv": "MY_KEY"}))
    folder.write_codexbar({"id": "zai", "apiKey": "old", "secretKey": "old", "apiKeyRegion": "old"})
    entry = folder.load().config.provider("zai")
    assert (entry.api_key_env, entry.api_key, entry.secret_key, entry.own("apiKeyRegion")) == (
        "MY_KEY",
        None,
        None,
        None,
    )


def test_accounts_of_both_layers_are_there(folder: Folder) -> None:
    folder.write(document({"id": "zai", "tokenAccounts": {"accounts": [{"label": "Mine", "token": "a"}]}}))
    theirs = [{"label": "mine", "token": "b"}, {"label": "Other", "token": "c"}]
    folder.write_codexbar({"id": "zai", "tokenAccounts": {"activeIndex": 1, "accounts": theirs}})
    config = folder.load().config
    assert [(item.label, item.token) for item in config.accounts("zai")] == [
        ("Mine", Secret("a")),
        ("Other", Secret("c")),
    ]


def test_accounts_have_labels_and_a_clamped_active_one(folder: Folder) -> None:
    accounts = [{"token": "a"}, {"label": "Work"}, {"label": "Home", "token": "b"}, {"label": "home", "token": "c"}]
    folder.write(document({"id": "zai", "tokenAccounts": {"activeIndex": 9, "accounts": accounts}}))
    loaded = folder.load()
    assert [item.label for item in loaded.config.accounts("zai")] == ["Account 1", "Home", "home (2)"]
    active = loaded.config.active_account("zai")
    assert active is not None
    assert active.label == "home (2)"
    assert codes(loaded) == ["account_without_token"]


def test_accounts_of_a_provider_that_has_none_are_not_used(folder: Folder) -> None:
    folder.write(document({"id": "kiro", "tokenAccounts": {"accounts": [{"token": "a"}]}}))
    loaded = folder.load()
    assert loaded.config.accounts("kiro") == ()
    assert codes(loaded) == ["token_accounts_unused"]


def test_display_is_read_from_our_file_alone(folder: Folder) -> None:
    folder.write_codexbar(display={"percent": "left"})
    assert folder.load().config.display == Settings()
    folder.write(document(display={"percent": "left", "warningAt": "high"}))
    display = folder.load().config.display
    assert (display.status_line.percent, display.status_line.warning_at) == ("left", 80)


def test_hooks_are_kept_raw(folder: Folder) -> None:
    folder.write_codexbar(hooks={"enabled": False, "events": []})
    assert folder.load().config.hooks == {"enabled": False, "events": []}


def test_digest_follows_what_decides_a_read(folder: Folder) -> None:
    def digest(**entry: object) -> str:
        folder.write(document({"id": "zai", **entry}))
        return folder.load().config.digest("zai")

    first = digest(apiKey="a", enabled=True)
    assert digest(apiKey="a", enabled=False, refreshMinutes=9) == first
    assert digest(apiKey="b") != first
    assert digest(apiKey="a", region="global") != first
    assert first != "a"


# --- what is wrong with it ---


def test_not_json_has_line_and_column(folder: Folder) -> None:
    folder.write('{\n  "version": 1,\n  "providers": [,]\n}')
    loaded = folder.load()
    [problem] = loaded.diagnostics
    assert (problem.severity, problem.code, problem.line, problem.column) == ("error", "not_json", 2, 16)
    assert not loaded.readable
    assert loaded.problem == problem.message
    assert "line 3, column 17" in problem.message


def test_columns_count_utf16_units(folder: Folder) -> None:
    folder.write('{"\N{SMILING FACE WITH SUNGLASSES}": 1, "version": 2}')
    [problem] = folder.load().diagnostics
    assert problem.column == len('{"xx": 1, "version": ')


@pytest.mark.parametrize("text", ["", "  \n", "\ufeff", "[" * 5000, '{"version": NaN}', '{"a": "\\ud800"', "nul"])
def test_anything_else_is_told_and_never_raises(folder: Folder, text: str) -> None:
    folder.write(text)
    loaded = folder.load()
    assert codes(loaded) == ["not_json"]
    assert loaded.config.order == ()


def test_a_byte_order_mark_does_no_harm(folder: Folder) -> None:
    folder.write("\ufeff" + document({"id": "kiro"}))
    assert folder.load().config.order == ("kiro",)


def test_not_utf8(folder: Folder) -> None:
    folder.write("").write_bytes(b'{"a":\n "\xff"}')
    [problem] = folder.load().diagnostics
    assert (problem.code, problem.line, problem.column) == ("not_json", 1, 2)


@pytest.mark.parametrize("text", ["[]", "3", "null", '"text"'])
def test_not_an_object(folder: Folder, text: str) -> None:
    folder.write(text)
    loaded = folder.load()
    assert codes(loaded) == ["not_an_object"]
    assert not loaded.readable


def test_a_wrong_type_loses_only_that_field(folder: Folder) -> None:
    folder.write('{"version": 1, "providers": [\n{"id": "zai", "region": ["demo"], "apiKey": "k", "enabled": 7}]}')
    loaded = folder.load()
    entry = loaded.config.provider("zai")
    assert (entry.region, entry.enabled, entry.api_key) == (None, None, "k")
    places = {item.path_in_json: (item.line, item.column, item.severity) for item in loaded.diagnostics}
    assert places == {
        ("providers", 0, "region"): (1, 14, "error"),
        ("providers", 0, "enabled"): (1, 60, "error"),
    }


def test_a_wrong_account_loses_only_that_account(folder: Folder) -> None:
    accounts = [3, {"label": "Work", "token": "k"}, {"label": "Home", "token": {}}]
    folder.write(document({"id": "zai", "tokenAccounts": {"activeIndex": "x", "accounts": accounts}}))
    assert [item.label for item in folder.load().config.accounts("zai")] == ["Work"]


@pytest.mark.parametrize(
    ("providers", "code"),
    [({}, "wrong_type"), ([3], "wrong_type"), ([{}], "missing_id"), ([{"id": 3}], "missing_id")],
)
def test_wrong_entries(folder: Folder, providers: object, code: str) -> None:
    folder.write(json.dumps({"version": 1, "providers": providers}))
    assert codes(folder.load()) == [code]


def test_an_unknown_provider_is_a_warning_at_its_id(folder: Folder) -> None:
    folder.write('{"version": 1, "providers": [{"id": "nobody"}, {"id": "kiro"}]}')
    loaded = folder.load()
    [problem] = loaded.diagnostics
    assert (problem.severity, problem.code, problem.column) == ("warning", "unsupported_provider", 36)
    assert "nobody" not in problem.message
    assert loaded.config.order == ("kiro",)


def test_the_first_of_two_entries_wins(folder: Folder) -> None:
    folder.write(document({"id": "openrouter", "apiKey": "first"}, {"id": "or", "apiKey": "second"}))
    loaded = folder.load()
    assert loaded.config.provider("openrouter").api_key == "first"
    [problem] = loaded.diagnostics
    assert (problem.code, problem.path_in_json) == ("duplicate_provider", ("providers", 1, "id"))


def test_a_repeated_key_is_told(folder: Folder) -> None:
    folder.write('{"version": 1, "providers": [{"id": "kiro", "enabled": true, "enabled": false}]}')
    loaded = folder.load()
    [problem] = loaded.diagnostics
    assert (problem.code, problem.column, problem.end_column) == ("duplicate_key", 61, 70)
    assert loaded.config.provider("kiro").enabled is False


def test_a_file_that_may_not_be_read(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write(document({"id": "kiro"}))

    def refuse(path: Path) -> None:
        raise PermissionError(13, "refused", str(path))

    monkeypatch.setattr(import_module("quotaline.config.load"), "opened", refuse)
    loaded = folder.load()
    assert (set(codes(loaded)), loaded.readable) == ({"unreadable"}, False)


@systems.pipes
def test_a_pipe_in_the_files_place_holds_nobody(folder: Folder) -> None:
    folder.own.parent.mkdir(parents=True)
    os.mkfifo(folder.own)
    assert codes(folder.load()) == ["not_json"]


def test_a_folder_in_the_files_place_is_unreadable(folder: Folder) -> None:
    folder.own.mkdir(parents=True)
    assert codes(folder.load()) == ["unreadable"]


@systems.modes
@pytest.mark.parametrize(
    ("entry", "mode", "warned"),
    [
        ({"id": "zai", "apiKey": KEY}, 0o644, True),
        ({"id": "zai", "apiKey": KEY}, 0o640, True),
        ({"id": "zai", "apiKey": KEY}, 0o600, False),
        ({"id": "zai", "region": "global"}, 0o644, False),
        ({"id": "zai", "tokenAccounts": {"accounts": [{"token": KEY}]}}, 0o644, True),
        ({"id": "nobody", "pluginSecrets": {"a": KEY}}, 0o644, True),
    ],
)
def test_secrets_that_others_can_read(folder: Folder, entry: dict[str, object], mode: int, warned: bool) -> None:
    folder.write(document(entry), mode=mode)
    loaded = folder.load()
    assert ("readable_by_others" in codes(loaded)) is warned
    assert KEY not in repr(loaded)


def test_a_broken_codexbar_file_is_a_warning_about_that_file(folder: Folder) -> None:
    folder.write(document({"id": "kiro"}))
    folder.write_codexbar().write_text("{")
    loaded = folder.load()
    [problem] = loaded.diagnostics
    assert (problem.severity, problem.file, loaded.readable) == ("warning", folder.codexbar, True)
    assert loaded.config.order == ("kiro",)


def test_codexbars_other_providers_are_no_news(folder: Folder) -> None:
    folder.write_codexbar({"id": "qwencloud", "enabled": False}, {"id": "xai", "enabled": True}, {"id": "kiro"})
    loaded = folder.load()
    assert [item.path_in_json for item in loaded.diagnostics] == [("providers", 1, "id")]
    assert loaded.config.order == ("kiro",)


def test_reading_never_writes(folder: Folder) -> None:
    text = '{"version":1,"providers":[{"id":"nobody","apiKey":"k"},{"id":"kiro","new":{}}], "more": [1]}'
    path = folder.write(text)
    before = path.stat()
    folder.load()
    assert (path.read_text(), path.stat().st_mtime_ns) == (text, before.st_mtime_ns)


# --- staying with what was good ---


def test_the_last_good_config_stays_while_the_file_is_broken(folder: Folder) -> None:
    whole = document({"id": "zai", "apiKey": "k"}, {"id": "kiro"})
    folder.write(whole)
    keeper = folder.keeper()
    good = keeper.loaded.config
    for half in ("", whole[:20], whole[:-1]):
        folder.write(half)
        loaded = keeper.reload()
        assert loaded.config is good
        assert not loaded.readable
    folder.write(document({"id": "kiro"}))
    assert keeper.reload().config.order == ("kiro",)
    assert keeper.loaded.readable


def test_a_removed_file_is_no_broken_one(folder: Folder) -> None:
    folder.write(document({"id": "kiro"}))
    keeper = folder.keeper()
    folder.own.unlink()
    assert keeper.reload().config.order == ()


def test_codexbars_last_good_content_stays_too(folder: Folder) -> None:
    folder.write_codexbar({"id": "kiro"})
    keeper = folder.keeper()
    folder.codexbar.write_text('{"ver')
    assert keeper.reload().config.order == ("kiro",)
