"""What the editor shows inside the config file, also while it is half typed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from quotaline.config.editor.language import Completion, Hover, completion, hover, metric_diagnostics, provider_lines
from quotaline.config.editor.positions import Lines, scan
from quotaline.config.editor.reference import configuration_reference, json_schema
from quotaline_providers.contract import Choice, Provider
from tests.server.config_world import install

SECRET_KEYS = ("apiKey", "secretKey", "cookieHeader", "token")


@pytest.fixture(autouse=True)
def providers(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def cursor(text: str) -> tuple[str, int, int]:
    """The text without its `|`, and where that stood."""
    before, after = text.split("|")
    line = before.count("\n")
    return before + after, line, len(before) - before.rfind("\n") - 1


def proposals(text: str) -> tuple[Completion, ...]:
    return completion(*cursor(text))


def labels(text: str) -> list[str]:
    return [item.label for item in proposals(text)]


def accepted(text: str, label: str) -> str:
    """The text after this proposal is taken."""
    item = next(item for item in proposals(text) if item.label == label)
    whole, _, _ = cursor(text)
    lines = Lines(whole)
    line, start, end_line, end = item.range
    return whole[: lines.offset(line, start)] + item.text + whole[lines.offset(end_line, end) :]


def about(text: str) -> Hover | None:
    return hover(*cursor(text))


# --- completion ---


@pytest.mark.parametrize("text", ["{|", "{ | }", '{"|', '{\n  "|\n}', "{ver|", '{"|"}'])
def test_top_level_keys(text: str) -> None:
    assert labels(text) == ["version", "providers", "display", "hooks"]


def test_a_key_that_is_there_is_not_offered_again() -> None:
    assert labels('{"version": 1, |}') == ["providers", "display", "hooks"]


def test_display_has_its_keys_and_their_values() -> None:
    assert labels('{"display": {"|')[:2] == ["percent", "maxItems"]
    assert labels('{"display": {"percent": "|"}}') == ["used", "left"]
    assert labels('{"display": {"hideIdentity": |}}') == ["true", "false"]
    assert accepted('{"display": {"percent": |}}', "left") == '{"display": {"percent": "left"}}'
    assert "`used`, `left`" in (about('{"display": {"per|cent": "left"}}') or Hover("", (0, 0, 0, 0))).markdown


@pytest.mark.parametrize(
    "text",
    [
        '{"providers": [{"id": "|',
        '{"providers": [{"id": |',
        '{"providers": [{"id":|',
        '{"providers": [{"id": "cl|"}]}',
        '{"providers": [{"id": |\n "enabled": true}]}',
        '{"providers": [{"enabled": true}, {"id": "|\n}]}',
    ],
)
def test_every_provider_is_offered_with_its_name(text: str) -> None:
    found = proposals(text)
    assert [(item.label, item.detail) for item in found[:3]] == [
        ("claude", "Claude"),
        ("kiro", "Kiro"),
        ("openrouter", "OpenRouter"),
    ]
    assert "Run `kiro login`." in found[1].documentation


def test_an_entrys_keys_are_those_its_provider_uses() -> None:
    found = labels('{"providers": [{"id": "or", |}]}')
    assert found == [
        "enabled",
        "source",
        "apiKey",
        "apiKeyEnv",
        "enterpriseHost",
        "refreshMinutes",
        "metric",
        "lowBalance",
        "tokenAccounts",
        "detailSeconds",
        "pluginSecrets",
    ]
    assert "region" in labels('{"providers": [{"|')


def test_keys_come_with_their_descriptions() -> None:
    found = {item.label: item for item in proposals('{"providers": [{"id": "zai", "|"}]}')}
    assert "keyring" in found["apiKey"].documentation
    assert found["apiKey"].text == '"apiKey": ""'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"providers": [{"id": "claude", "source": "|"}]}', ["auto", "api", "web", "cli", "oauth"]),
        ('{"providers": [{"id": "claude", "source": |', ["auto", "api", "web", "cli", "oauth"]),
        ('{"providers": [{"source": |, "id": "kiro"}]}', ["auto", "cli"]),
        ('{"providers": [{"id": "claude", "cookieSource": "m|', ["auto", "manual", "off"]),
        ('{"providers": [{"id": "zai", "region": "|"}]}', ["global", "bigmodel-cn"]),
        ('{"providers": [{"id": "zai", "enabled": |}]}', ["true", "false"]),
        ('{"providers": [{"id": "zai", "enabled": tr|}]}', ["true", "false"]),
        ('{"version": |', ["1"]),
        ('{"providers": [|]}', []),
        ('{"hooks": {"|"}}', []),
        ("|{}", []),
        ("|", []),
    ],
)
def test_values(text: str, expected: list[str]) -> None:
    assert labels(text) == expected


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_a_secrets_value_is_never_offered(key: str) -> None:
    assert labels(f'{{"providers": [{{"id": "claude", "{key}": "|"}}]}}') == []
    assert labels(f'{{"providers": [{{"tokenAccounts": {{"accounts": [{{"{key}": |}}]}}}}]}}') == []


def test_account_keys() -> None:
    assert labels('{"providers": [{"id": "zai", "tokenAccounts": {|}}]}') == ["version", "activeIndex", "accounts"]
    assert "workspaceID" in labels('{"providers": [{"id": "zai", "tokenAccounts": {"accounts": [{"|')


def test_an_accepted_proposal_makes_good_json() -> None:
    assert accepted('{"providers": [{"id": "cl|"}]}', "claude") == '{"providers": [{"id": "claude"}]}'
    assert accepted('{"providers": [{"id":|}]}', "kiro") == '{"providers": [{"id": "kiro"}]}'
    assert accepted('{"providers": [{"id": "zai", "en|"}]}', "enabled") == (
        '{"providers": [{"id": "zai", "enabled": true}]}'
    )
    assert accepted('{"ver|": 1}', "version") == '{"version": 1}'


@pytest.mark.parametrize("value", ['"|"', "|", '"~/id|e"'])
def test_what_a_machine_offers_for_a_setting_is_proposed_by_name(value: str) -> None:
    def choices(provider: Provider, name: str) -> tuple[Choice, ...]:
        offered = (Choice("", "automatic"), Choice("C:\\ide", "Demo IDE 1"))
        return offered if (provider.id, name) == ("openrouter", "detailSeconds") else ()

    text = f'{{"providers": [{{"id": "openrouter", "detailSeconds": {value}}}]}}'
    found = completion(*cursor(text), choices)
    assert [(item.label, item.detail, json.loads(item.text)) for item in found] == [
        ("automatic", "", ""),
        ("Demo IDE 1", "C:\\ide", "C:\\ide"),
    ]
    assert completion(*cursor('{"providers": [{"id": "zai", "region": "|"}]}'), choices)[0].label == "global"


def test_a_metric_that_no_account_has_is_told_with_those_there_are() -> None:
    def found(metric: str, **windows: str) -> list[tuple[str, int, int]]:
        text = json.dumps({"providers": [{"id": "claude"}, {"id": "zai", "metric": metric}]})
        told = metric_diagnostics(text, lambda id: windows if id == "zai" else {})
        return [(one.message, one.column, one.end_column) for one in told]

    [(told, start, end)] = found("weekley", session="5-hour", weekly="Weekly")
    assert told == "Z.ai has no window of this name now, so the usual rule holds. It has: session, weekly."
    assert end - start == len('"weekley"')
    for metric in ("weekly", "automatic", "balance"):
        assert found(metric, weekly="Weekly") == []
    assert found("weekley") == [], "nothing is known of its windows yet"


# --- hover ---


def test_a_provider_tells_how_to_connect_it() -> None:
    found = about('{"providers": [{"id": "o|r"}]}')
    assert found is not None
    assert found.markdown.startswith("**OpenRouter**: Credits left.")
    assert "quotaline set-credential openrouter" in found.markdown
    assert "https://router.invalid/keys" in found.markdown
    assert (found.range, found.provider) == ((0, 22, 0, 26), "openrouter")


def test_a_secret_key_tells_of_the_keyring_and_not_its_value() -> None:
    for text in ('{"providers": [{"id": "zai", "api|Key": "demo"', '{"providers": [{"id": "zai", "apiKey": "de|mo"'):
        found = about(text)
        assert found is not None
        assert "quotaline set-credential zai" in found.markdown
        assert "demo" not in found.markdown


def test_a_key_its_provider_does_not_use_says_so() -> None:
    found = about('{"providers": [{"id": "kiro", "reg|ion": "x"}]}')
    assert found is not None
    assert "Not used by Kiro." in found.markdown


def test_regions_are_named() -> None:
    found = about('{"providers": [{"region|": "", "id": "zai"}]}')
    assert found is not None
    assert "`global`, `bigmodel-cn`" in found.markdown


@pytest.mark.parametrize("text", ["|", "{|}", '{"mi|ne": 1}', '{"providers": [|]}', '{"version": 1}  |'])
def test_nothing_to_tell(text: str) -> None:
    assert about(text) is None


def test_entries_are_found_by_line() -> None:
    text = '{"providers": [\n{"id": "or"},\n{"id": "nobody"},\n{"enabled": true,\n"id": "kiro"}, {"id": "or"}'
    assert list(provider_lines(text)) == [(1, "openrouter"), (4, "kiro")]


# --- any text ---


@given(text=st.text(alphabet='{}[]",: \n\\apideros1\u00a0\x0b\N{GRINNING FACE}', max_size=60), at=st.integers(0, 60))
def test_any_text_has_an_answer(text: str, at: int) -> None:
    line, column = Lines(text).position(at)
    completion(text, line, column)
    hover(text, line, column)


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=8,
    ),
    indent=st.sampled_from([None, 2]),
)
def test_spans_hold_exactly_their_values(value: object, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    node = scan(text)
    assert json.loads(text[node.start : node.end]) == value
    if isinstance(value, dict):
        for member, (key, inner) in zip(node.members, value.items(), strict=True):
            assert member.key == key
            assert json.loads(text[member.node.start : member.node.end]) == inner


def test_positions_and_offsets_are_each_others_way_back() -> None:
    text = "a\N{GRINNING FACE}b\r\nc\rd\n"
    lines = Lines(text)
    assert [lines.position(offset) for offset in range(len(text) + 1)] == [
        (0, 0),
        (0, 1),
        (0, 3),
        (0, 4),
        (0, 5),
        (1, 0),
        (1, 1),
        (2, 0),
        (2, 1),
        (3, 0),
    ]
    assert (lines.offset(0, 3), lines.offset(0, 99), lines.offset(9, 0)) == (2, 3, len(text))


# --- generated texts ---


def test_the_schema_knows_ids_keys_and_versions() -> None:
    schema = json_schema()
    entry = schema["$defs"]["Entry"]
    assert entry["properties"]["id"]["anyOf"][0]["enum"][:2] == ["claude", "kiro"]
    assert {"apiKey", "workspaceID", "detailSeconds"} <= set(entry["properties"])
    assert schema["properties"]["version"]["const"] == 1
    assert schema["properties"]["display"]["properties"]["percent"]["enum"] == ["used", "left"]
    json.dumps(schema)


def test_the_reference_lists_every_key() -> None:
    text = configuration_reference()
    for name in ("apiKey", "tokenAccounts", "organizationId", "detailSeconds", "quotaline.statusLine.maxItems"):
        assert f"`{name}`" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith(" |") for line in rows)
