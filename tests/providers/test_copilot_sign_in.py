"""Signing in to GitHub with a code, and under which name the account is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from quotaline_providers.contract import Context, SignedIn, SignInPrompt
from quotaline_providers.errors import BadResponse, Forbidden, TimedOut, Unavailable
from quotaline_providers.testing import Reader
from quotaline_providers.vendors.copilot import PROVIDER, device

CODE = {
    "device_code": "demo-device",
    "user_code": "AB-12",
    "verification_uri": "https://github.com/login/device",
    "expires_in": 60,
    "interval": 5,
}


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch, clock: Any) -> list[float]:
    """The pauses of a sign-in, during which only the clock of the test moves."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        clock.advance(timedelta(seconds=seconds))

    monkeypatch.setattr(device, "_pause", pause)
    return pauses


@pytest.fixture
def sign_in(reader: Reader, waited: list[float]) -> Callable[..., list[SignInPrompt | SignedIn]]:
    def run(**config: Any) -> list[SignInPrompt | SignedIn]:
        async def steps(ctx: Context) -> list[SignInPrompt | SignedIn]:
            assert PROVIDER.sign_in is not None
            return [step async for step in PROVIDER.sign_in(ctx)]

        return reader.result("copilot", steps, config)

    return run


@pytest.fixture
def polls(vendor: Any) -> Any:
    """The route that is asked for the token."""
    github = vendor("github.com")
    github.post(
        "/login/device/code",
        form={"client_id": "Iv1.b507a08c87ecfe98", "scope": "read:user"},
        headers={"Accept": "application/json"},
    ).answers_json(CODE)
    return github.post(
        "/login/oauth/access_token",
        form={
            "client_id": "Iv1.b507a08c87ecfe98",
            "device_code": "demo-device",
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        },
    )


@pytest.fixture
def ada(vendor: Any) -> Any:
    """GitHub's answers about the token that was given."""
    host = vendor("api.github.com")
    host.get("/user", headers={"Authorization": "token demo-token"}).answers(id=41, login="ada")
    host.get("/copilot_internal/user").answers(copilot_plan="pro")
    return host


def signed_in(steps: list[SignInPrompt | SignedIn]) -> SignedIn:
    assert isinstance(steps[-1], SignedIn)
    return steps[-1]


def test_a_confirmed_code_gives_an_account(polls: Any, ada: Any, sign_in: Any, waited: list[float]) -> None:
    polls.answers(error="authorization_pending").answers(error="slow_down").answers(access_token="demo-token")
    prompt, account = sign_in()
    assert (prompt.url, prompt.code) == ("https://github.com/login/device", "AB-12")
    assert (account.label, account.external_identifier) == ("ada (Pro)", "github:user:41")
    assert account.credential.reveal() == "demo-token"
    assert waited == [5, 5, 10]


def test_the_complete_address_is_opened_when_there_is_one(vendor: Any, ada: Any, sign_in: Any) -> None:
    complete = "https://github.com/login/device?code=AB-12"
    vendor("github.com").post("/login/device/code").answers_json({**CODE, "verification_uri_complete": complete})
    vendor("github.com").post("/login/oauth/access_token").answers(access_token="demo-token")
    prompt = sign_in()[0]
    assert (prompt.url, prompt.code) == (complete, "")


@pytest.mark.parametrize(
    "code",
    [
        {},
        {**CODE, "device_code": ""},
        {**CODE, "verification_uri": "file:///x"},
        {**CODE, "verification_uri": "http://github.com/login/device"},
        {**CODE, "verification_uri": "https://github.com.evil.test/login/device"},
        {**CODE, "verification_uri": "https://github.com@evil.test/login/device"},
        {**CODE, "verification_uri": "https://github.com:8443/login/device"},
        {**CODE, "verification_uri_complete": "https://evil.test/login/device?code=AB-12"},
        {**CODE, "user_code": "AB-12](command:x)"},
        {**CODE, "user_code": "ab-12"},
        {**CODE, "user_code": "AB\u200b-12"},
        {**CODE, "user_code": "[AB](command:x)", "verification_uri_complete": "https://github.com/login/device"},
    ],
)
def test_a_code_that_cannot_be_used_is_refused(vendor: Any, sign_in: Any, code: dict[str, Any]) -> None:
    vendor("github.com").post("/login/device/code").answers_json(code)
    with pytest.raises(BadResponse):
        sign_in()


def test_an_expired_code_is_a_time_out(polls: Any, sign_in: Any) -> None:
    polls.answers(error="expired_token")
    with pytest.raises(TimedOut):
        sign_in()


def test_waiting_stops_when_the_code_expires(polls: Any, sign_in: Any, waited: list[float]) -> None:
    polls.answers(error="authorization_pending")
    with pytest.raises(TimedOut):
        sign_in()
    assert sum(waited) < 60


@pytest.mark.parametrize("error", ["access_denied", "anything_else", None])
def test_any_other_error_ends_the_sign_in(polls: Any, sign_in: Any, error: str | None) -> None:
    polls.answers(error=error)
    with pytest.raises(Forbidden):
        sign_in()


def test_a_moment_of_trouble_does_not_end_the_sign_in(polls: Any, ada: Any, sign_in: Any) -> None:
    polls.fails(502).misbehaves("cut").answers(access_token="demo-token")
    assert signed_in(sign_in()).label == "ada (Pro)"


def test_without_a_plan_the_label_is_the_login(vendor: Any, polls: Any, sign_in: Any) -> None:
    vendor("api.github.com").get("/user").answers(id=41, login="ada")
    vendor("api.github.com").get("/copilot_internal/user").fails(403)
    polls.answers(access_token="demo-token")
    assert signed_in(sign_in()).label == "ada"


def test_an_unknown_first_account_gets_a_number(vendor: Any, polls: Any, sign_in: Any) -> None:
    vendor("api.github.com").get("/user").fails(500)
    polls.answers(access_token="demo-token")
    account = signed_in(sign_in())
    assert (account.label, account.external_identifier) == ("Account 1", None)


def test_an_unknown_further_account_is_refused(
    vendor: Any, polls: Any, sign_in: Any, keyring_entries: dict[tuple[str, str], str]
) -> None:
    vendor("api.github.com").get("/user").fails(500)
    polls.answers(access_token="demo-token")
    keyring_entries["quotaline", "copilot/bob"] = "k"
    with pytest.raises(Unavailable):
        sign_in()


@pytest.mark.parametrize(
    "stored",
    [
        {"label": "Mine", "token": "old", "externalIdentifier": "github:user:41"},
        {"label": "Mine", "token": "old", "externalIdentifier": "ada"},
        {"label": "Ada (Free)", "token": None},
    ],
)
def test_an_account_that_is_kept_already_keeps_its_label(
    polls: Any, ada: Any, sign_in: Any, stored: dict[str, Any]
) -> None:
    polls.answers(access_token="demo-token")
    account = signed_in(sign_in(tokenAccounts={"accounts": [{"label": "Other"}, stored]}))
    assert account.label == stored["label"]


@pytest.mark.parametrize("identifier", [None, "github:user:999"])
def test_an_older_account_is_known_by_its_stored_token(
    vendor: Any, polls: Any, sign_in: Any, identifier: str | None
) -> None:
    vendor("api.github.com").get("/user").answers(id=41, login="ada")
    polls.answers(access_token="demo-token")
    stored = {"token": "k", "externalIdentifier": identifier}
    assert signed_in(sign_in(tokenAccounts={"accounts": [stored]})).label == "Account 1"


@pytest.mark.parametrize(("interval", "seconds"), [(None, 5), (-1, 5), (0, 1), (7, 7)])
def test_github_is_never_asked_without_a_pause(
    vendor: Any, ada: Any, sign_in: Any, waited: list[float], interval: int | None, seconds: float
) -> None:
    vendor("github.com").post("/login/device/code").answers_json({**CODE, "interval": interval})
    vendor("github.com").post("/login/oauth/access_token").answers(access_token="demo-token")
    sign_in()
    assert waited == [seconds]


def test_an_enterprise_signs_in_at_its_own_host(vendor: Any, sign_in: Any) -> None:
    vendor("octo.example").post("/login/device/code").answers_json(
        {**CODE, "verification_uri": "https://octo.example/login/device"}
    )
    vendor("octo.example").post("/login/oauth/access_token").answers(access_token="demo-token")
    vendor("api.octo.example").get("/user").answers(id=41, login="ada")
    vendor("api.octo.example").get("/copilot_internal/user").answers(copilot_plan="enterprise")
    account = signed_in(sign_in(enterpriseHost="octo.example"))
    assert (account.label, account.external_identifier) == ("ada (Enterprise)", "octo.example:user:41")
    assert vendor("api.github.com").count == 0
