"""Every finding of the validation, and that none of them tells a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from quotaline.config.editor.language import diagnostics
from tests.server.config_world import Folder, document, install

KEY = "demo-token-never-shown"


@pytest.fixture(autouse=True)
def providers(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def found(*entries: dict[str, object], **more: object) -> list[tuple[str, str]]:
    return [(item.severity, item.code) for item in diagnostics(document(*entries, **more))]


@pytest.mark.parametrize(
    ("entry", "severity", "code"),
    [
        ({"id": "kiro", "source": "web"}, "error", "unsupported_source"),
        ({"id": "kiro", "source": "magic"}, "error", "unsupported_source"),
        ({"id": "kiro", "source": "api"}, "error", "api_source_unsupported"),
        ({"id": "zai", "region": "moon"}, "error", "invalid_region"),
        ({"id": "openrouter", "enterpriseHost": "http://router.invalid"}, "error", "invalid_enterprise_host"),
        ({"id": "openrouter", "enterpriseHost": f"https://u:{KEY}@h.invalid"}, "error", "invalid_enterprise_host"),
        ({"id": "claude", "cookieSource": "never"}, "error", "wrong_value"),
        ({"id": "kiro", "apiKey": KEY}, "warning", "api_key_unused"),
        ({"id": "kiro", "apiKeyEnv": "NAME"}, "warning", "api_key_unused"),
        ({"id": "kiro", "secretKey": KEY}, "warning", "secret_key_unused"),
        ({"id": "kiro", "cookieHeader": KEY}, "warning", "cookie_header_unused"),
        ({"id": "kiro", "cookieSource": "auto"}, "warning", "cookie_source_unused"),
        ({"id": "kiro", "region": "moon"}, "warning", "region_unused"),
        ({"id": "kiro", "workspaceID": "w"}, "warning", "workspace_unused"),
        ({"id": "kiro", "enterpriseHost": "h.invalid"}, "warning", "enterprise_host_unused"),
        ({"id": "kiro", "tokenAccounts": {}}, "warning", "token_accounts_unused"),
        ({"id": "zai", "source": "api"}, "information", "api_key_missing"),
        ({"id": "claude", "cookieSource": "manual"}, "warning", "cookie_header_missing"),
        ({"id": "zai", "apikey": KEY}, "warning", "unknown_key"),
        ({"id": "kiro", "historyDays": 7}, "warning", "key_unused"),
        ({"id": "openrouter", "detailSeconds": "many"}, "warning", "wrong_type"),
        ({"id": "zai", "refreshMinutes": 0}, "error", "wrong_type"),
        ({"id": "zai", "metric": "balances"}, "warning", "unknown_metric"),
        ({"id": "zai", "metric": 3}, "error", "wrong_type"),
        ({"id": "zai", "lowBalance": 5}, "error", "wrong_type"),
        ({"id": "zai", "lowBalance": {"USD": "much"}}, "error", "wrong_type"),
        ({"id": "zai", "lowBalance": {"USD": 0}}, "error", "wrong_type"),
    ],
)
def test_findings(entry: dict[str, object], severity: str, code: str) -> None:
    problems = diagnostics(document(entry))
    assert [(item.severity, item.code) for item in problems] == [(severity, code)]
    assert problems[0].provider == entry["id"]
    assert KEY not in repr(problems)
    assert str(problems[0]).startswith(f"[{severity.upper()}] {entry['id']} ({problems[0].field}): ")


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "kiro", "source": "auto", "enabled": True, "accentColor": "#ffffff", "quotaWarnings": {}},
        {"id": "zai", "source": "api", "apiKey": KEY, "region": "global"},
        {"id": "kiro", "source": "Kiro-CLI", "data_dir": "~/more", "extra": {"data_dir": "~/more"}},
        {"id": "zai", "source": "api", "tokenAccounts": {"accounts": [{"token": KEY}]}},
        {"id": "zai", "region": None, "apiKey": "  "},
        {"id": "claude", "cookieSource": "manual", "cookieHeader": KEY},
        {"id": "openrouter", "enterpriseHost": "router.invalid:8443/v1", "detailSeconds": 2},
        {"id": "zai", "metric": "weekly", "lowBalance": {"USD": 5, "credits": 12.5}},
        {"id": "zai", "metric": "automatic"},
    ],
)
def test_nothing_to_find(entry: dict[str, object]) -> None:
    assert found(entry) == []


def test_a_team_account_needs_its_ids() -> None:
    accounts = [{"token": KEY, "usageScope": "team", "organizationId": "o"}]
    assert found({"id": "zai", "tokenAccounts": {"accounts": accounts}}) == [("warning", "zai_team_context_missing")]


def test_version() -> None:
    assert [(item.severity, item.code) for item in diagnostics("{}")] == [("warning", "version_mismatch")]
    assert found(version=2) == [("error", "version_mismatch")]
    assert found(version=True) == [("error", "version_mismatch")]
    assert found(version=1.0) == []


def test_a_pasted_key_is_not_repeated_as_source_or_region() -> None:
    entries: list[dict[str, object]] = [{"id": "kiro", "source": "sk-" + "d" * 30}, {"id": "zai", "region": "d" * 40}]
    for entry in entries:
        assert "ddd" not in repr(diagnostics(document(entry)))


def test_codexbars_errors_are_warnings_of_its_file(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write_codexbar({"id": "zai", "region": "moon", "source": "api", "onlyTheirs": 1})
    folder.write(document({"id": "zai", "apiKey": KEY}))
    [problem] = folder.load().diagnostics
    assert (problem.severity, problem.code, problem.file) == ("warning", "invalid_region", folder.codexbar)


RULE: dict[str, object] = {"id": "a", "event": "quota_low", "executable": "/bin/true"}


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({**RULE, "executable": "true"}, "invalid_hook_executable"),
        ({**RULE, "provider": "nobody"}, "invalid_hook_provider"),
        ({**RULE, "threshold": 0}, "invalid_hook_threshold"),
        ({**RULE, "threshold": 1.5}, "invalid_hook_threshold"),
        ({**RULE, "timeoutSeconds": 301}, "invalid_hook_timeout"),
        ({**RULE, "arguments": ["x"] * 33}, "invalid_hook_command_size"),
        ({**RULE, "arguments": ["x" * 4097]}, "invalid_hook_command_size"),
        ({**RULE, "event": "party"}, "invalid_hook_event"),
        ({**RULE, "id": ""}, "invalid_hook_id"),
        (3, "wrong_type"),
    ],
)
def test_hook_rules(rule: object, code: str) -> None:
    assert found(hooks={"events": [rule]}) == [("error", code)]


@pytest.mark.parametrize(
    ("display", "message"),
    [
        ({"percent": "most"}, "percent: it must be 'used' or 'left'."),
        ({"workDays": 9, "percent": "left"}, "workDays: it must be automatic, or a number of days from 2 to 6."),
        ([], "display must be an object."),
    ],
)
def test_a_display_that_cannot_be_used(display: object, message: str) -> None:
    (problem,) = diagnostics(document(display=display))
    assert (problem.severity, problem.code, problem.message) == ("error", "wrong_type", message)


def test_an_unknown_key_of_the_display() -> None:
    assert found(display={"percnt": "left"}) == [("warning", "unknown_key")]
    assert found(display={"percent": "left", "resetTimes": "absolute", "warningAt": 70}) == []


def test_hooks_as_a_whole() -> None:
    assert found(hooks={"events": [{**RULE, "provider": "or", "threshold": 0.9}]}) == []
    assert found(hooks={"events": [RULE, RULE]}) == [("error", "duplicate_hook_id")]
    many = [{**RULE, "id": str(number)} for number in range(33)]
    assert found(hooks={"events": many}) == [("error", "too_many_hook_rules")]
    assert found(hooks=[]) == [("error", "wrong_type")]
