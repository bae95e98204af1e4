"""Logins for Vertex AI: a user's renewal, service accounts, federated logins, and gcloud for all of them."""

from __future__ import annotations

import base64
import json
import logging
import sys
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from quotaline_providers import registry
from quotaline_providers.contract import Context
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    MissingCredential,
    MissingProgram,
    RateLimited,
    ReadError,
    TimedOut,
    Unavailable,
)
from quotaline_providers.installation import to_add
from quotaline_providers.run import run
from quotaline_providers.testing import Clock
from quotaline_providers.vendors.vertexai import tokens
from tests.providers.web_tokens import jwt

SERIES = "/v3/projects/demo/timeSeries"
USER = {
    "type": "authorized_user",
    "client_id": "demo-client",
    "client_secret": "d+/=&half",
    "refresh_token": "r +/=&",
    "quota_project_id": "demo",
}
ANSWER = {"access_token": "k", "expires_in": 3600, "scope": "s", "token_type": "Bearer"}


def claims(token: str) -> Any:
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


@pytest.fixture
def adc(home: Path) -> Callable[..., Path]:
    """`adc(fields)`: the credentials file, with these fields or this text."""

    def write(fields: object = USER, **more: object) -> Path:
        path = home / ".config/gcloud/application_default_credentials.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (
            fields
            if isinstance(fields, str)
            else json.dumps({**fields, **more} if isinstance(fields, dict) else fields)
        )
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def renewal(vendor: Any) -> Any:
    """The host that renews logins."""
    return vendor("oauth2.googleapis.com")


@pytest.fixture
def monitoring(vendor: Any) -> Any:
    """Cloud Monitoring, for the token `k` only; an empty project."""
    return vendor("monitoring.googleapis.com").get(SERIES, bearer="k").answers()


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def service(private_key: str) -> dict[str, str]:
    """A service account's key file."""
    return {
        "type": "service_account",
        "client_email": "robot@demo.example",
        "client_id": "17",
        "private_key": private_key,
        "project_id": "demo",
        "token_uri": "https://oauth2.googleapis.com/token",
    }


@pytest.fixture
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which the extra is not installed."""
    for name in ("google.auth", "google.oauth2"):
        monkeypatch.setitem(sys.modules, name, None)


# --- a user's login --------------------------------------------------------------------------------


def test_a_login_is_renewed_with_every_character_encoded(renewal: Any, monitoring: Any, adc: Any, read: Any) -> None:
    path = adc()
    before = path.read_text()
    route = renewal.post(
        "/token",
        form={
            "client_id": "demo-client",
            "client_secret": "d+/=&half",
            "refresh_token": "r +/=&",
            "grant_type": "refresh_token",
        },
    ).answers(**ANSWER, id_token=jwt(email="ada@example.org"))
    seen = read("vertexai")
    assert (seen.identity.email, seen.identity.login_method) == ("ada@example.org", "gcloud")
    assert "d%2B%2F%3D%26half" in route.requests[0].text
    assert "r%20%2B%2F%3D%26" in route.requests[0].text
    assert path.read_text() == before
    assert monitoring.count == 2


@pytest.mark.parametrize("fields", [{}, {"access_token": "k"}, {"access_token": "k", "token_expiry": "soon"}])
def test_a_token_of_unknown_age_is_renewed(renewal: Any, monitoring: Any, adc: Any, read: Any, fields: Any) -> None:
    adc(**fields)
    route = renewal.post("/token").answers(**ANSWER)
    assert read("vertexai").identity.organization == "demo"
    assert route.count == 1


@pytest.mark.parametrize(
    ("expiry", "renewals"),
    [("2030-01-02T11:00:00Z", 1), ("2030-01-02T12:04:59Z", 1), ("2030-01-02T12:05:01Z", 0)],
)
def test_a_token_is_renewed_five_minutes_early(
    renewal: Any, monitoring: Any, adc: Any, read: Any, expiry: str, renewals: int
) -> None:
    adc(access_token="k", token_expiry=expiry)
    route = renewal.post("/token").answers(**ANSWER)
    read("vertexai")
    assert route.count == renewals


@pytest.mark.parametrize(
    ("answer", "minutes"), [(ANSWER, 60), ({"access_token": "k"}, 60), ({**ANSWER, "expires_in": "600"}, 10)]
)
def test_a_token_is_held_until_shortly_before_its_end(
    renewal: Any, monitoring: Any, adc: Any, reader: Any, clock: Any, answer: dict[str, Any], minutes: int
) -> None:
    adc()
    route = renewal.post("/token").answers(**answer)

    async def reading(context: Context) -> None:
        for minute in (0, minutes - 6, 2):
            clock.advance(timedelta(minutes=minute))
            outcome = await run(registry.get("vertexai"), context)
            assert outcome.error is None
            counts.append(route.count)

    counts: list[int] = []
    reader.result("vertexai", reading)
    assert counts == [1, 1, 2]


def test_a_token_that_is_refused_is_not_held(renewal: Any, vendor: Any, adc: Any, reader: Any) -> None:
    adc()
    route = renewal.post("/token").answers(**ANSWER)
    vendor("monitoring.googleapis.com").get(SERIES).fails(401)

    async def reading(context: Context) -> None:
        for _ in range(2):
            outcome = await run(registry.get("vertexai"), context)
            assert isinstance(outcome.error, ExpiredCredential)

    reader.result("vertexai", reading)
    assert route.count == 2


@pytest.mark.parametrize("token", ["", "a.b", "a.***.c", "a.bm8.c", jwt(email=5), jwt(email=" ")])
def test_an_id_token_that_cannot_be_read_leaves_no_email(
    renewal: Any, monitoring: Any, adc: Any, read: Any, token: str
) -> None:
    adc()
    renewal.post("/token").answers(**ANSWER, id_token=token)
    assert read("vertexai").identity.email is None


def test_the_files_id_token_names_the_user_too(renewal: Any, monitoring: Any, adc: Any, read: Any) -> None:
    adc(id_token=jwt(email="ada@example.org"))
    renewal.post("/token").answers(**ANSWER)
    assert read("vertexai").identity.email == "ada@example.org"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, {"error": "invalid_grant", "error_description": "told in confidence"}, "has run out"),
        (401, {"error": "unauthorized_client"}, "was revoked"),
        (400, {"error": "invalid_client"}, "(invalid_client)"),
        (400, {"error": {"code": 400}}, "has run out"),
        (401, {}, "has run out"),
        (400, {"error": "Told in Confidence"}, "has run out"),
    ],
)
def test_a_refused_renewal_says_why(
    renewal: Any, adc: Any, read: Any, status: int, body: dict[str, Any], words: str
) -> None:
    adc()
    renewal.post("/token").fails(status, json=body)
    with pytest.raises(ExpiredCredential) as raised:
        read("vertexai")
    assert words in raised.value.message
    assert "onfidence" not in raised.value.message
    assert raised.value.hint == "Run `gcloud auth application-default login`."


def test_a_refusal_that_is_no_json_is_one_too(renewal: Any, adc: Any, read: Any) -> None:
    adc()
    renewal.post("/token").answers_text("<html>", 400)
    with pytest.raises(ExpiredCredential):
        read("vertexai")


@pytest.mark.parametrize(("status", "error"), [(429, RateLimited), (503, Unavailable), (404, BadResponse)])
def test_a_failed_renewal_has_a_kind(renewal: Any, adc: Any, read: Any, status: int, error: type[ReadError]) -> None:
    adc()
    renewal.post("/token").fails(status)
    with pytest.raises(error):
        read("vertexai")


def test_a_renewal_without_token_is_not_understood(renewal: Any, adc: Any, read: Any) -> None:
    adc()
    renewal.post("/token").answers(expires_in=3600)
    with pytest.raises(BadResponse):
        read("vertexai")


# --- the file --------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [True, False])
def test_no_file_is_not_signed_in(simulator: Any, read: Any, tmp_path: Path, named: bool) -> None:
    environment = {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "gone.json")} if named else {}
    with pytest.raises(MissingCredential) as raised:
        read("vertexai", **environment)
    assert raised.value.hint == "Run `gcloud auth application-default login`."


@pytest.mark.parametrize("text", ["", "{", "[]", "3"])
def test_a_file_that_is_no_object_is_not_understood(simulator: Any, adc: Any, read: Any, text: str) -> None:
    adc(text)
    with pytest.raises(BadResponse):
        read("vertexai")


@pytest.mark.parametrize("missing", ["client_id", "client_secret", "refresh_token"])
@pytest.mark.parametrize("kept", [{}, {"access_token": "k", "token_expiry": "2001-01-01T00:00:00Z"}])
def test_a_login_with_something_missing_is_none(
    simulator: Any, adc: Any, read: Any, missing: str, kept: dict[str, str]
) -> None:
    adc({**USER, **kept, missing: " "})
    with pytest.raises(MissingCredential):
        read("vertexai")


def test_an_unknown_kind_is_none(simulator: Any, adc: Any, read: Any) -> None:
    adc({"type": "odd", "project_id": "demo"})
    with pytest.raises(MissingCredential):
        read("vertexai")


# --- service accounts ------------------------------------------------------------------------------


def test_a_service_account_signs_for_its_token(
    renewal: Any, monitoring: Any, adc: Any, read: Any, service: dict[str, str]
) -> None:
    adc(service)
    route = renewal.post("/token").answers(**ANSWER)
    seen = read("vertexai", GOOGLE_CLOUD_PROJECT="other")
    assert (seen.identity.email, seen.identity.organization) == ("robot@demo.example", "demo")
    form = route.requests[0].form
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    told = claims(form["assertion"])
    assert (told["iss"], told["aud"]) == ("robot@demo.example", "https://oauth2.googleapis.com/token")
    assert told["scope"] == "https://www.googleapis.com/auth/cloud-platform"


def test_a_service_account_may_leave_the_usual_out(
    renewal: Any, monitoring: Any, adc: Any, read: Any, service: dict[str, str]
) -> None:
    adc({name: service[name] for name in ("client_email", "private_key", "project_id")})
    renewal.post("/token").answers(**ANSWER)
    assert read("vertexai").identity.email == "robot@demo.example"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error": "invalid_grant", "error_description": "told in confidence"}, ExpiredCredential),
        (401, {"error": "unauthorized_client"}, ExpiredCredential),
        (503, {"error": "busy"}, Unavailable),
        (429, {"error": "busy"}, RateLimited),
    ],
)
def test_a_refused_signature_has_a_kind(
    renewal: Any,
    adc: Any,
    read: Any,
    service: dict[str, str],
    status: int,
    body: dict[str, str],
    error: type[ReadError],
) -> None:
    adc(service)
    route = renewal.post("/token").fails(status, json=body)
    with pytest.raises(error) as raised:
        read("vertexai")
    assert "confidence" not in f"{raised.value.message} {raised.value.hint}"
    assert route.count == 1


def test_a_signature_of_another_time_is_the_clocks(
    renewal: Any, adc: Any, read: Any, service: dict[str, str], clock: Clock
) -> None:
    adc(service)
    words = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
    date = {"Date": format_datetime(clock.now - timedelta(hours=2), usegmt=True)}
    renewal.post("/token").fails(400, date, json={"error": "invalid_grant", "error_description": words})
    with pytest.raises(Unavailable, match="this computer's clock is 2 hours ahead"):
        read("vertexai")


def test_a_key_that_is_none_cannot_be_used(simulator: Any, adc: Any, read: Any, service: dict[str, str]) -> None:
    adc(service, private_key="no key at all")
    with pytest.raises(BadResponse) as raised:
        read("vertexai")
    assert "no key at all" not in str(raised.value)


# --- federated and impersonated logins -------------------------------------------------------------

IMPERSONATION = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/robot@demo.example"


def test_an_impersonated_account_asks_with_its_owners_login(
    renewal: Any, vendor: Any, monitoring: Any, adc: Any, read: Any
) -> None:
    adc(
        {
            "type": "impersonated_service_account",
            "service_account_impersonation_url": f"{IMPERSONATION}:generateAccessToken",
            "source_credentials": {name: USER[name] for name in USER if name != "quota_project_id"},
            "quota_project_id": "demo",
        }
    )
    renewal.post("/token").answers(access_token="owner", expires_in=3600)
    vendor("iamcredentials.googleapis.com").post(
        "/v1/projects/-/serviceAccounts/robot@demo.example:generateAccessToken", bearer="owner"
    ).answers(accessToken="k", expireTime="2199-01-01T00:00:00Z")
    assert read("vertexai").identity.email == "robot@demo.example"


def test_a_federated_login_exchanges_its_token(
    vendor: Any, monitoring: Any, adc: Any, read: Any, tmp_path: Path
) -> None:
    subject = tmp_path / "subject"
    subject.write_text("subject token")
    adc(
        {
            "type": "external_account",
            "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": "https://sts.googleapis.com/v1/token",
            "credential_source": {"file": str(subject)},
            "quota_project_id": "demo",
        }
    )
    exchange = vendor("sts.googleapis.com").post("/v1/token")
    exchange.answers(access_token="k", issued_token_type="t", token_type="Bearer", expires_in=3600)
    assert read("vertexai").identity.organization == "demo"
    assert exchange.requests[0].form["subject_token"] == "subject token"


def test_a_login_that_runs_a_program_is_left_to_gcloud(monitoring: Any, adc: Any, program: Any, read: Any) -> None:
    adc(
        {
            "type": "external_account",
            "credential_source": {"executable": {"command": "/nonexistent"}},
            "quota_project_id": "demo",
        }
    )
    program("gcloud", "print('k')")
    assert read("vertexai").identity.organization == "demo"


# --- gcloud ----------------------------------------------------------------------------------------


def test_without_the_library_gcloud_gives_the_token(
    no_library: None, monitoring: Any, adc: Any, program: Any, read: Any, service: dict[str, str]
) -> None:
    path = adc(service)
    program(
        "gcloud",
        "import os, sys\n"
        "assert sys.argv[1:] == ['auth', 'application-default', 'print-access-token']\n"
        f"assert os.environ['GOOGLE_APPLICATION_CREDENTIALS'] == {str(path)!r}\n"
        "print('k')",
    )
    seen = read("vertexai", GOOGLE_APPLICATION_CREDENTIALS=str(path))
    assert (seen.identity.email, seen.identity.organization) == ("robot@demo.example", "demo")


@pytest.mark.parametrize("key", ["no key at all", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_key_that_the_library_cannot_load_is_left_to_gcloud(
    monitoring: Any, adc: Any, program: Any, read: Any, service: dict[str, str], key: str
) -> None:
    adc(service, private_key=key)
    program("gcloud", "print('k')")
    assert read("vertexai").identity.email == "robot@demo.example"


def test_without_library_and_gcloud_both_are_named(
    no_library: None, simulator: Any, adc: Any, read: Any, service: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_gcloud_places", lambda ctx: ())
    adc(service)
    with pytest.raises(MissingProgram) as raised:
        read("vertexai")
    assert "gcloud" in raised.value.message
    assert to_add("google") in raised.value.hint


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("import sys; sys.exit('told in confidence')", ExpiredCredential),
        ("print()", MissingCredential),
        ("print('two words')", BadResponse),
    ],
)
def test_a_gcloud_that_fails_has_a_kind(
    no_library: None,
    simulator: Any,
    adc: Any,
    program: Any,
    read: Any,
    service: dict[str, str],
    script: str,
    error: type[ReadError],
) -> None:
    adc(service)
    program("gcloud", script)
    with pytest.raises(error) as raised:
        read("vertexai")
    assert "confidence" not in f"{raised.value.message} {raised.value.hint}"


def test_gcloud_has_its_time(
    no_library: None,
    simulator: Any,
    adc: Any,
    program: Any,
    read: Any,
    service: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tokens, "PROGRAM_TIMEOUT", 0.4)
    adc(service)
    program("gcloud", "import time; time.sleep(60)")
    with pytest.raises(TimedOut):
        read("vertexai")


def test_a_users_login_needs_no_library(no_library: None, renewal: Any, monitoring: Any, adc: Any, read: Any) -> None:
    adc()
    renewal.post("/token").answers(**ANSWER)
    assert read("vertexai").identity.organization == "demo"


def test_the_secrets_stay_out_of_the_outcome(renewal: Any, adc: Any, outcome: Any, reader: Any) -> None:
    adc()
    renewal.post("/token").fails(400, json={"error": "invalid_grant", "error_description": "r +/=&"})
    seen = outcome("vertexai")
    assert not [secret for secret in ("half", "r +/=&") if secret in repr(seen) + str(seen.error)]


def test_the_library_logs_nothing(
    renewal: Any,
    monitoring: Any,
    adc: Any,
    read: Any,
    service: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    adc(service)
    route = renewal.post("/token").answers(access_token="k", id_token="demo-token", expires_in=3600)
    read("vertexai")
    assert route.requests[0].form["assertion"] not in caplog.text
    assert "demo-token" not in caplog.text
