"""Codex read with its login: where the login is, when it is spent, what falls back to the program."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.computer import this_computer
from quotaline_providers.contract import Context
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Misconfigured,
    MissingCredential,
    RateLimited,
    ReadError,
    Unavailable,
)
from quotaline_providers.model import Confidence
from quotaline_providers.run import Outcome
from quotaline_providers.testing import NOW, Read
from quotaline_providers.vendors.codex import oauth
from quotaline_providers.vendors.codex.credentials import (
    Login,
    SubscriptionLogin,
    account_in,
    from_keyring_text,
    native_login,
    to_login,
)
from quotaline_providers.vendors.codex.homes import base_url, custom_provider
from quotaline_providers.vendors.codex.payloads import AuthFile
from tests.providers.codex_login import EMAIL, id_token, tokens, write_login
from tests.providers.web_tokens import jwt

SESSION = {"primary_window": {"used_percent": 21, "limit_window_seconds": 18000, "reset_at": 1893600000}}


@pytest.fixture
def chatgpt(vendor: Any) -> Any:
    return vendor("chatgpt.com")


@pytest.fixture
def no_vouchers(chatgpt: Any) -> Any:
    return chatgpt.get("/backend-api/wham/rate-limit-reset-credits").fails(404)


def answering(chatgpt: Any, bearer: str = "demo-token", **fields: Any) -> Any:
    standard: dict[str, object] = {"plan_type": "team", "rate_limit": SESSION}
    return chatgpt.get("/backend-api/wham/usage", bearer=bearer).answers_json(standard | fields)


# --- the login file --------------------------------------------------------------------------------


def test_reads_with_the_login_file(chatgpt: Any, no_vouchers: Any, read: Read, home: Path) -> None:
    write_login(home)
    route = answering(chatgpt)
    usage = read("codex")
    assert usage.window("session").used_percent == 21
    assert (usage.source, usage.identity.email, usage.identity.plan) == ("oauth", EMAIL, "Team")
    assert usage.identity.login_method == "team"
    assert (usage.identity.account_id, usage.confidence) == ("acc-1", Confidence.EXACT)
    sent = {name.lower(): value for name, value in dict(route.requests[0].headers).items()}
    assert sent["chatgpt-account-id"] == "acc-1"


def test_codex_home_wins(chatgpt: Any, no_vouchers: Any, read: Read, home: Path) -> None:
    write_login(home, {"tokens": tokens("wrong")})
    write_login(home, {"tokens": tokens()}, "elsewhere")
    answering(chatgpt)
    read("codex", CODEX_HOME=" ~/elsewhere ")


def test_camel_case_keys_and_a_blank_account_id() -> None:
    claims = {"https://api.openai.com/auth": {"chatgpt_account_id": "acc-7"}}
    file = AuthFile.model_validate(
        {"tokens": {"access_token": "", "accessToken": "a", "accountId": " ", "idToken": jwt(**claims)}}
    )
    login = to_login(file, "file", NOW)
    assert login is not None
    assert (login.access_token.reveal(), login.account_id) == ("a", "acc-7")


def test_account_ids_in_tokens() -> None:
    assert account_in({"chatgpt_account_id": "a"}) == "a"
    assert account_in({"organizations": [{"id": " "}, 4, {"id": "org"}]}) == "org"
    assert account_in({}) is None


def test_a_malformed_token_is_no_error() -> None:
    file = AuthFile.model_validate({"tokens": {"access_token": "a.b.c", "id_token": "not-a-token"}})
    login = to_login(file, "file", NOW)
    assert login is not None
    assert (login.account_id, login.email, login.stale) == (None, None, False)


def test_tokens_beside_an_api_key_win(chatgpt: Any, no_vouchers: Any, read: Read, home: Path) -> None:
    write_login(home, {"OPENAI_API_KEY": "k", "tokens": tokens()})
    answering(chatgpt)
    assert read("codex").source == "oauth"


@pytest.mark.parametrize("source", [None, "oauth", "api"])
def test_an_api_key_alone_has_no_subscription_usage(read: Read, home: Path, source: str | None) -> None:
    write_login(home, {"OPENAI_API_KEY": "k", "tokens": None})
    with pytest.raises(MissingCredential, match="API key"):
        read("codex", source=source)


@pytest.mark.parametrize("content", ['{"tokens": {"access_', "[]", ""])
def test_a_half_written_file_is_told(read: Read, home: Path, content: str) -> None:
    write_login(home, content)
    with pytest.raises(MissingCredential, match="malformed"):
        read("codex", source="oauth")


def test_an_unreadable_file_is_told(read: Read, home: Path) -> None:
    (home / ".codex/auth.json").mkdir(parents=True)
    with pytest.raises(MissingCredential, match="cannot be read"):
        read("codex", source="oauth")


def test_no_login_at_all(read: Read) -> None:
    with pytest.raises(MissingCredential, match="No Codex login") as raised:
        read("codex")
    assert "codex login" in raised.value.hint


@pytest.mark.parametrize(
    ("access", "last_refresh", "stale"),
    [
        (jwt(exp=int(NOW.timestamp()) + 240), None, True),
        (jwt(exp=int(NOW.timestamp()) + 400), "2029-01-01T00:00:00Z", False),
        ("opaque", "2029-12-25T12:30:00.123456789Z", False),
        ("opaque", "2029-12-24T00:00:00Z", True),
        ("opaque", None, False),
    ],
)
def test_when_a_login_is_spent(access: str, last_refresh: str | None, stale: bool) -> None:
    file = AuthFile.model_validate({"tokens": {"access_token": access}, "last_refresh": last_refresh})
    login = to_login(file, "file", NOW)
    assert login is not None
    assert login.stale is stale


def test_a_login_the_program_renewed_meanwhile_is_tried(
    chatgpt: Any, no_vouchers: Any, read: Read, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_login(home)

    async def renewed(ctx: Context) -> Login | None:
        write_login(home, {"tokens": tokens("renewed")})
        return await native_login(ctx)

    monkeypatch.setattr(oauth, "native_login", renewed)
    route = chatgpt.get("/backend-api/wham/usage").fails(401).answers(rate_limit=SESSION)
    assert read("codex").source == "oauth"
    assert [request.headers.get("authorization") for request in route.requests] == [
        "Bearer demo-token",
        "Bearer renewed",
    ]


def test_a_login_is_never_refreshed_by_us(chatgpt: Any, read: Read, home: Path) -> None:
    path = write_login(home)
    before = path.read_text()
    chatgpt.get("/backend-api/wham/usage").fails(401)
    with pytest.raises(ExpiredCredential) as raised:
        read("codex")
    assert "codex login" in raised.value.hint
    assert path.read_text() == before


@pytest.mark.parametrize(("status", "error"), [(429, RateLimited), (500, Unavailable), (404, BadResponse)])
def test_other_failures_stop(
    chatgpt: Any, outcome: Callable[..., Outcome], home: Path, status: int, error: type[ReadError]
) -> None:
    write_login(home)
    chatgpt.get("/backend-api/wham/usage").fails(status)
    result = outcome("codex")
    assert isinstance(result.error, error)
    assert [attempt.label for attempt in result.attempts] == ["pat", "oauth"]


@pytest.mark.parametrize("body", ["<html><title>Just a moment...</title></html>", "{", "[]"])
def test_a_page_instead_of_data_is_not_no_usage(chatgpt: Any, read: Read, home: Path, body: str) -> None:
    write_login(home)
    chatgpt.get("/backend-api/wham/usage").answers_text(body)
    with pytest.raises(BadResponse):
        read("codex")


# --- other logins ----------------------------------------------------------------------------------


def opencode(home: Path, expires: datetime) -> None:
    entry = {"type": "OAuth", "access": "demo-open", "accountId": "acc-9", "expires": int(expires.timestamp() * 1000)}
    (home / ".local/share/opencode").mkdir(parents=True)
    (home / ".local/share/opencode/auth.json").write_text(json.dumps({"openai": entry}))


def test_external_logins_need_to_be_switched_on(chatgpt: Any, no_vouchers: Any, read: Read, home: Path) -> None:
    opencode(home, NOW + timedelta(hours=1))
    with pytest.raises(MissingCredential):
        read("codex")
    answering(chatgpt, bearer="demo-open")
    assert read("codex", config={"externalSources": True}).identity.account_id == "acc-9"


def test_external_codex_file_comes_before_opencode(chatgpt: Any, no_vouchers: Any, read: Read, home: Path) -> None:
    opencode(home, NOW + timedelta(hours=1))
    write_login(home, None, ".config/codex")
    answering(chatgpt)
    assert read("codex", config={"externalSources": True}).identity.account_id == "acc-1"


def test_external_logins_never_replace_a_named_home(read: Read, home: Path) -> None:
    opencode(home, NOW + timedelta(hours=1))
    with pytest.raises(MissingCredential):
        read("codex", config={"externalSources": True}, CODEX_HOME=str(home / "mine"))


@pytest.mark.parametrize("content", ["{", '{"tokens": {}}', '{"OPENAI_API_KEY": "k"}'])
def test_a_broken_native_file_never_lets_an_external_login_take_over(read: Read, home: Path, content: str) -> None:
    opencode(home, NOW + timedelta(hours=1))
    write_login(home, content)
    with pytest.raises(MissingCredential):
        read("codex", config={"externalSources": True})


def test_a_spent_external_login_stops(outcome: Callable[..., Outcome], home: Path) -> None:
    opencode(home, NOW + timedelta(seconds=59))
    result = outcome("codex", config={"externalSources": True})
    assert isinstance(result.error, ExpiredCredential)
    assert [attempt.label for attempt in result.attempts] == ["pat", "oauth"]


def keyring_name(home: Path) -> tuple[str, str]:
    digest = hashlib.sha256(str((home / ".codex").resolve()).encode()).hexdigest()[:16]
    return "Codex Auth", f"cli|{digest}"


@pytest.mark.parametrize("as_hex", [False, True])
async def test_the_keyring_is_the_last_resort(
    reader: Any, home: Path, keyring_entries: dict[tuple[str, str], str], as_hex: bool
) -> None:
    text = json.dumps({"tokens": tokens()})
    keyring_entries[keyring_name(home)] = "0x" + text.encode().hex() if as_hex else text
    ctx = reader.context("codex")
    login = await SubscriptionLogin().find(ctx)
    assert (login.account_id, login.origin) == ("acc-1", "keyring")


def test_an_unreadable_keyring_value_is_no_login() -> None:
    assert from_keyring_text("garbage") is None
    assert from_keyring_text("0xzz") is None


# --- optional calls --------------------------------------------------------------------------------


def test_reset_credits_come_with_their_own_headers(chatgpt: Any, read: Read, home: Path) -> None:
    write_login(home)
    answering(chatgpt)
    headers = {"OpenAI-Beta": "codex-1", "originator": "Codex Desktop"}
    chatgpt.get("/backend-api/wham/rate-limit-reset-credits", bearer="demo-token", headers=headers).answers_json(
        {"available_count": 1, "credits": [{"id": "v-1", "expires_at": "2030-02-01T00:00:00Z"}]}
    )
    vouchers = read("codex").reset_credits
    assert vouchers is not None
    assert vouchers.available == 1


@pytest.mark.parametrize("answer", [{"available_count": None}, {"available_count": "1"}, {}])
def test_without_a_valid_answer_the_count_of_the_usage_stands(
    chatgpt: Any, read: Read, home: Path, answer: dict[str, object]
) -> None:
    write_login(home)
    answering(chatgpt, rate_limit_reset_credits={"available_count": 2})
    chatgpt.get("/backend-api/wham/rate-limit-reset-credits").answers_json(answer)
    vouchers = read("codex").reset_credits
    assert vouchers is not None
    assert vouchers.available == 2


def test_a_workspace_member_has_a_monthly_limit(chatgpt: Any, no_vouchers: Any, read: Read, home: Path) -> None:
    write_login(home, {"tokens": tokens(account_id="acc/1")})
    answering(chatgpt, spend_control=None)
    chatgpt.get("/backend-api/accounts/acc%2F1/spend-controls/current-user/monthly-usage").answers_json(
        {"current_month_usage": 5, "effective_monthly_limit": {"limit": "50", "enforcement_mode": "HARD_CAP"}}
    )
    assert read("codex").window("monthly-credit-limit").used == 5


@pytest.mark.parametrize("fields", [{}, {"spend_control": None, "plan_type": "plus"}])
def test_nobody_else_is_asked_for_one(
    chatgpt: Any, no_vouchers: Any, read: Read, home: Path, fields: dict[str, Any]
) -> None:
    write_login(home)
    answering(chatgpt, **fields)
    assert [window.id for window in read("codex").windows] == ["session"]


def test_optional_calls_never_fail_the_read(chatgpt: Any, read: Read, home: Path) -> None:
    write_login(home)
    answering(chatgpt, spend_control={"individual_limit": {"limit": {"odd": 1}}})
    chatgpt.get("/backend-api/wham/rate-limit-reset-credits").misbehaves("garbage")
    chatgpt.get("/backend-api/accounts/acc-1/spend-controls/current-user/monthly-usage").answers_text("<html>")
    assert read("codex").window("session").used_percent == 21


# --- addresses and workspaces ----------------------------------------------------------------------


OURS = 'chatgpt_base_url = "https://codex.demo.test/" # ours\n'


def write_config(home: Path, text: str, folder: str = ".codex") -> None:
    (home / folder).mkdir(exist_ok=True)
    (home / folder / "config.toml").write_text(text)


def test_another_base_has_another_path(vendor: Any, read: Read, home: Path) -> None:
    write_login(home)
    write_config(home, OURS)
    host = vendor("codex.demo.test")
    host.get("/api/codex/usage", bearer="demo-token").answers_json({"rate_limit": SESSION})
    host.get("/wham/rate-limit-reset-credits").fails(404)
    host.get("/accounts", bearer="demo-token").answers(items=[{"id": "ws-1", "name": "Lab"}])
    usage = read("codex", config={"workspaceID": "ws-1"})
    assert (usage.window("session").used_percent, usage.identity.organization) == (21, "Lab")


def test_base_addresses() -> None:
    assert base_url("") == base_url('chatgpt_base_url = " "') == "https://chatgpt.com/backend-api"
    assert base_url("chatgpt_base_url='https://chatgpt.com/'") == "https://chatgpt.com/backend-api"
    assert base_url("chatgpt_base_url='https://chatgpt.com.demo.test'") == "https://chatgpt.com.demo.test"
    assert base_url("#chatgpt_base_url='x'\nchatgpt_base_url = https://a.test/x/") == "https://a.test/x"
    assert base_url('[profiles.a]\nchatgpt_base_url = "https://a.test"') == "https://chatgpt.com/backend-api"
    assert base_url("x = \n[profiles.a]\nchatgpt_base_url = 'https://a.test'") == "https://chatgpt.com/backend-api"


@pytest.mark.parametrize(
    "value", ["'http://a.test'", "'http://127.0.0.1:9'", "'http://localhost'", "'https://a@b.test'", "7", "['a.test']"]
)
def test_an_unsafe_base_gets_nothing_and_neither_does_the_usual_one(
    chatgpt: Any, read: Read, home: Path, value: str
) -> None:
    write_login(home)
    write_config(home, f"chatgpt_base_url = {value}\n")
    with pytest.raises(Misconfigured, match="chatgpt_base_url"):
        read("codex")
    write_login(home, {"personal_access_token": "demo-pat"})
    with pytest.raises(Misconfigured, match="chatgpt_base_url"):
        read("codex")


def test_a_config_that_cannot_be_read_may_name_another_base(chatgpt: Any, read: Read, home: Path) -> None:
    write_login(home)
    (home / ".codex/config.toml").mkdir()
    with pytest.raises(Misconfigured, match=r"config\.toml cannot be read"):
        read("codex")


def test_a_borrowed_login_never_follows_codexs_base(chatgpt: Any, no_vouchers: Any, read: Read, home: Path) -> None:
    write_config(home, OURS)
    opencode(home, NOW + timedelta(hours=1))
    answering(chatgpt, bearer="demo-open")
    assert read("codex", config={"externalSources": True}).identity.account_id == "acc-9"
    write_login(home, None, ".config/codex")
    answering(chatgpt)
    assert read("codex", config={"externalSources": True}).identity.account_id == "acc-1"


def test_a_token_of_one_home_never_follows_anothers_base(vendor: Any, chatgpt: Any, read: Read, home: Path) -> None:
    write_login(home, {"personal_access_token": "demo-pat"})
    write_config(home, OURS)
    write_config(home, 'chatgpt_base_url = "https://other.demo.test"', "managed")
    whoami(vendor).answers(email="pat@demo.test")
    chatgpt.get("/backend-api/wham/usage", bearer="demo-pat").answers_json({"rate_limit": SESSION})
    assert read("codex", CODEX_HOME=str(home / "managed")).source == "pat"
    vendor("codex.demo.test").get("/api/codex/usage", bearer="demo-pat").answers(credits={"balance": 3})
    assert read("codex").balance("credits").amount == 3


async def test_a_login_of_the_keyring_follows_its_own_homes_base(
    reader: Any, home: Path, keyring_entries: dict[tuple[str, str], str]
) -> None:
    write_config(home, OURS)
    keyring_entries[keyring_name(home)] = json.dumps({"tokens": tokens()})
    ctx = replace(reader.context("codex"), platform="linux")
    assert (await SubscriptionLogin().find(ctx)).base == "https://codex.demo.test"


def test_a_workspace_is_asked_for_and_never_falls_back(
    chatgpt: Any, outcome: Callable[..., Outcome], home: Path, program: Callable[[str, str], Path]
) -> None:
    write_login(home)
    program("codex", "raise SystemExit(1)")
    chatgpt.get("/backend-api/wham/usage", headers={"ChatGPT-Account-Id": "ws-1"}).fails(401)
    result = outcome("codex", config={"workspaceID": "ws-1"})
    assert isinstance(result.error, ExpiredCredential)
    assert [attempt.label for attempt in result.attempts] == ["pat", "oauth"]


def test_the_workspace_has_a_name(chatgpt: Any, no_vouchers: Any, read: Read, home: Path) -> None:
    write_login(home)
    answering(chatgpt)
    names = chatgpt.get("/backend-api/accounts", bearer="demo-token", headers={"User-Agent": "codex-cli"}).answers(
        items=[{"id": "WS-1", "name": "Lab"}, {"id": "ws-2", "name": " "}]
    )
    assert read("codex", config={"workspaceID": "ws-1"}).identity.organization == "Lab"
    assert read("codex", config={"workspaceID": "ws-1"}).identity.organization == "Lab"
    assert names.count == 1
    assert read("codex", config={"workspaceID": "ws-2"}).identity.organization == "Personal"
    assert read("codex", config={"workspaceID": "ws-3"}).identity.organization is None


def test_custom_providers() -> None:
    assert custom_provider("") is None
    assert custom_provider('model_provider = "openai"') is None
    assert custom_provider('model_provider = "mine"') == "mine"
    assert custom_provider('model_provider = "m"\n[model_providers.m]\nname = "AWS bedrock"') == "Amazon Bedrock"
    assert custom_provider('model_provider = "m"\n[model_providers.m]\nrequires_openai_auth = true') is None
    assert custom_provider("model_provider = ") is None


# --- personal access tokens ------------------------------------------------------------------------


def whoami(vendor: Any) -> Any:
    path = "/api/accounts/v1/user-auth-credential/whoami"
    return vendor("auth.openai.com").get(path, bearer="demo-pat", headers={"originator": "codex_cli_rs"})


def test_a_personal_access_token_comes_first(vendor: Any, chatgpt: Any, read: Read, home: Path) -> None:
    write_login(home, {"personalAccessToken": " demo-pat ", "tokens": tokens()})
    who = whoami(vendor).answers(chatgpt_account_id="acc-3", chatgpt_plan_type="go", email="pat@demo.test")
    chatgpt.get("/backend-api/wham/usage", bearer="demo-pat", headers={"ChatGPT-Account-Id": "acc-3"}).answers_json(
        {"rate_limit": SESSION}
    )
    usage = read("codex")
    assert (usage.source, usage.identity.email, usage.identity.plan) == ("pat", "pat@demo.test", "Go")
    own = this_computer({})
    agent = f"codex_cli_rs ({own.system} {own.release}; {own.machine})"
    assert [request.headers["user-agent"] for request in who.requests] == [agent]


def test_a_managed_home_never_hides_the_access_token(vendor: Any, chatgpt: Any, read: Read, home: Path) -> None:
    write_login(home, {"tokens": tokens()}, "managed")
    write_login(home, {"personal_access_token": "demo-pat"})
    whoami(vendor).answers(email="pat@demo.test")
    chatgpt.get("/backend-api/wham/usage", bearer="demo-pat").answers_json({"rate_limit": SESSION})
    assert read("codex", CODEX_HOME=str(home / "managed")).source == "pat"


def test_a_refused_access_token_falls_through(
    vendor: Any, chatgpt: Any, no_vouchers: Any, read: Read, home: Path
) -> None:
    write_login(home, {"personal_access_token": "demo-pat", "tokens": tokens()})
    whoami(vendor).fails(403)
    answering(chatgpt)
    assert read("codex").source == "oauth"


def test_the_installed_programs_version_is_named(
    vendor: Any, chatgpt: Any, program: Any, read: Read, home: Path
) -> None:
    program("codex", "print('codex-cli 9.8.7')")
    write_login(home, {"personal_access_token": "demo-pat"})
    route = whoami(vendor).answers(email="pat@demo.test")
    chatgpt.get("/backend-api/wham/usage", bearer="demo-pat").answers_json({"rate_limit": SESSION})
    assert read("codex").version == "9.8.7"
    assert route.requests[0].headers["user-agent"].startswith("codex_cli_rs/9.8.7 (")


def test_other_failures_of_an_access_token_stop(vendor: Any, read: Read, home: Path) -> None:
    write_login(home, {"personal_access_token": "demo-pat", "tokens": tokens()})
    whoami(vendor).fails(500)
    with pytest.raises(Unavailable):
        read("codex")


def test_an_access_token_is_no_login_and_a_login_no_access_token(read: Read, home: Path) -> None:
    write_login(home, {"personal_access_token": "demo-pat"})
    with pytest.raises(MissingCredential):
        read("codex", source="oauth")
    write_login(home)
    with pytest.raises(MissingCredential, match="no personal access token"):
        read("codex", source="api")


def test_the_plan_of_the_token_stands_in(chatgpt: Any, no_vouchers: Any, read: Read, home: Path) -> None:
    write_login(home, {"tokens": tokens(id_token=id_token(plan="prolite"))})
    answering(chatgpt, plan_type=None)
    assert read("codex").identity.plan == "Pro 5x"
