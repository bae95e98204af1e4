"""The command line on a machine where nobody has signed in to anything."""

from __future__ import annotations

import pytest

from quotaline_providers import registry
from tests.server.command import Command


def test_usage_tells_what_is_known_what_was_looked_for_and_how_to_connect(quotaline: Command) -> None:
    shown = quotaline()
    assert shown.code == 3
    for provider in registry.every():
        assert (f"{provider.name} ({provider.id})" in shown.out) is not bool(provider.ended)
        assert (provider.connect in shown.out) is not bool(provider.ended)
    assert "env OPENROUTER_API_KEY" in shown.out
    assert "~/.codex/auth.json" in shown.out
    assert shown.err == ""


@pytest.mark.parametrize(("format", "out"), [("json", "[]\n"), ("statusline", "Quotaline: no providers\n")])
def test_usage_for_scripts_is_empty(quotaline: Command, format: str, out: str) -> None:
    shown = quotaline("--format", format)
    assert shown.code == 3
    assert shown.out == out


def test_providers_lists_them_all_with_places_and_advice(quotaline: Command) -> None:
    listed = quotaline("providers", "--format", "json")
    assert listed.code == 3
    assert [item["id"] for item in listed.json] == list(registry.ids())
    assert all(item["lookedAt"] and item["connect"] and not item["found"] for item in listed.json)
    table = quotaline("providers")
    assert table.code == 3
    assert "No provider is connected" in table.out
    assert "env CODEBUFF_API_KEY" in table.out


def test_one_provider_at_length_by_its_alias(quotaline: Command) -> None:
    shown = quotaline("providers", "or")
    assert shown.code == 3
    assert "OpenRouter (openrouter): not connected" in shown.out
    assert "https://openrouter.ai/settings/keys" in shown.out
    assert "Kiro" not in shown.out


def test_a_named_provider_that_is_not_connected_fails_with_advice(quotaline: Command) -> None:
    shown = quotaline("usage", "--provider", "openrouter", "--format", "json")
    assert shown.code == 1
    assert shown.json[0]["provider"] == "openrouter"
    assert shown.json[0]["source"] == "auto"
    assert shown.json[0]["error"]["reason"] == "missing_credential"
    assert "OPENROUTER_API_KEY" in shown.json[0]["error"]["hint"]
    assert "usage" not in shown.json[0]


def test_doctor_works_without_any_login(quotaline: Command) -> None:
    found = quotaline("doctor", "--format", "json", HTTPS_PROXY="http://ada:demo@p://ass@proxy.invalid:3128")
    assert found.code == 3
    report = found.json
    assert report["environment"]["HTTPS_PROXY"] == "http://proxy.invalid:3128"
    assert report["paths"]["config"] == str(quotaline.home / ".config/quotaline/config.json")
    assert report["keyring"] == "none"
    assert report["store"] == "ok"
    assert report["providers"] == []
    assert set(report["notConnected"]) == {one.id for one in registry.every() if not one.ended}


def test_version_help_and_wrong_words(quotaline: Command) -> None:
    assert quotaline("--version").out.startswith("quotaline 0.")
    help = quotaline("--help")
    assert help.code == 0
    words = ("serve", "usage", "providers", "refresh", "sign-in", "set-credential", "remove-credential", "doctor")
    assert all(word in help.out for word in words)
    assert quotaline("-V").out == quotaline("--version").out
    assert quotaline("help").out == help.out
    assert quotaline("help", "usage").out == quotaline("usage", "--help").out
    wrong = quotaline("usge")
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err == "There is no command 'usge'. Did you mean `quotaline usage`?\n"
    assert "`quotaline config --help`" in quotaline("config", "where").err


@pytest.mark.parametrize("words", [("--json", "--nope"), ("usage", "--format", "json", "--source", "moon")])
def test_a_script_that_reads_json_is_told_of_its_mistake_in_json(quotaline: Command, words: tuple[str, ...]) -> None:
    wrong = quotaline(*words)
    assert wrong.code == 2
    assert wrong.json[0]["provider"] == "cli"
    assert (wrong.json[0]["error"]["kind"], wrong.json[0]["error"]["code"]) == ("args", 2)
    assert wrong.json[0]["error"]["message"] in wrong.err


def test_an_unknown_provider_is_a_usage_error_with_a_suggestion(quotaline: Command) -> None:
    wrong = quotaline("usage", "--provider", "openruter")
    assert (wrong.code, wrong.out) == (2, "")
    assert "Did you mean openrouter?" in wrong.err
    in_json = quotaline("usage", "--provider", "zzz", "--json")
    assert in_json.code == 2
    assert in_json.json[0]["error"]["kind"] == "args"


def test_lines_fit_the_terminal(quotaline: Command) -> None:
    shown = quotaline.in_terminal("usage", columns=60)
    assert shown.code == 3
    assert all(len(line) <= 60 or " " not in line.strip() for line in shown.out.splitlines())
    assert "CODEBUFF_API_KEY" in shown.out


def test_a_server_in_a_terminal_says_what_it_is_for(quotaline: Command) -> None:
    shown = quotaline.in_terminal("serve", until=lambda text: "quotaline usage" in text)
    assert "in a terminal, try `quotaline usage`" in shown.out


def test_a_service_that_has_ended_is_told_and_offered_no_more(quotaline: Command) -> None:
    config = quotaline.home / "own.json"
    config.write_text('{"version": 1, "providers": [{"id": "crof", "enabled": true}]}', encoding="utf-8")
    user = quotaline.with_variables(CROF_API_KEY="k", QUOTALINE_CONFIG=str(config))
    assert user().code == 3
    table = user("providers").out
    assert "CrofAI has ended its service. (env CROF_API_KEY)" in table
    assert "crof.ai/dashboard" not in table
    checked = user("config", "validate", "--format", "json").json
    assert [(item["severity"], item["code"]) for item in checked] == [("information", "service_ended")]
    assert "crof: CrofAI has ended its service." in user("doctor").out
    asked = user("usage", "--provider", "crof")
    assert asked.code == 1
    assert "CrofAI has ended its service." in asked.out
    assert "CrofAI has ended its service." in user("config", "enable", "crof").out


def test_the_ides_of_this_machine_are_offered(quotaline: Command) -> None:
    (quotaline.home / ".config/JetBrains/PyCharm2030.1").mkdir(parents=True)
    offered = [
        {"value": "", "label": "automatic"},
        {"value": "~/.config/JetBrains/PyCharm2030.1", "label": "PyCharm 2030.1"},
    ]
    assert quotaline("providers", "jetbrains", "--format", "json").json[0]["choices"] == {"ideBasePath": offered}
    assert "~/.config/JetBrains/PyCharm2030.1: PyCharm 2030.1" in quotaline("providers", "jetbrains").out


def test_what_is_no_address_of_a_proxy_is_not_shown_by_doctor(quotaline: Command) -> None:
    found = quotaline("doctor", "--format", "json", HTTPS_PROXY="http://ada:demo-pass", ALL_PROXY="://demo-pass")
    assert "demo-pass" not in found.out + found.err
    environment = found.json["environment"]
    assert environment["HTTPS_PROXY"] == environment["ALL_PROXY"] == "set, but to no address that can be used"
