"""Logins of AWS profiles: keys, SSO, roles and programs, found by the AWS library through our own facilities."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from botocore.exceptions import BotoCoreError

from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    Misconfigured,
    MissingCredential,
    MissingProgram,
    ReadError,
    TimedOut,
    Unavailable,
)
from quotaline_providers.installation import to_add
from quotaline_providers.vendors.bedrock import aws

COSTS = {"ResultsByTime": [{"Groups": [{"Keys": ["Amazon Bedrock"], "Metrics": {"UnblendedCost": {"Amount": "7"}}}]}]}
START, LATER, BEFORE = "https://demo.example/start", "2199-01-01T00:00:00Z", "2001-01-01T00:00:00Z"
SSO_PROFILE = """
[profile work]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = Reader
[sso-session corp]
sso_start_url = https://demo.example/start
sso_region = eu-north-1
sso_registration_scopes = sso:account:access
"""
LEGACY_PROFILE = """
[profile work]
sso_start_url = https://demo.example/start
sso_region = eu-north-1
sso_account_id = 123456789012
sso_role_name = Reader
"""
ROLE_KEYS = {"accessKeyId": "ROLEKEY", "secretAccessKey": "role half", "sessionToken": "role token"}
ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>{0}</AccessKeyId><SecretAccessKey>half</SecretAccessKey><SessionToken>demo token</SessionToken>
<Expiration>2199-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""
REFUSED = "<ErrorResponse><Error><Type>Sender</Type><Code>{0}</Code><Message>no</Message></Error></ErrorResponse>"


@pytest.fixture
def aws_files(home: Path) -> Callable[..., Path]:
    """`aws_files(config="...", credentials="...")` in the user's `~/.aws`."""

    def write(folder: Path | None = None, **texts: str) -> Path:
        place = folder or home / ".aws"
        place.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (place / name).write_text(text, encoding="utf-8")
        return place

    return write


@pytest.fixture
def sso_token(home: Path) -> Callable[..., Path]:
    """`sso_token("corp", expiresAt=...)`: what `aws sso login` leaves behind."""

    def write(name: str, **fields: str) -> Path:
        path = home / ".aws/sso/cache" / f"{hashlib.sha1(name.encode()).hexdigest()}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"startUrl": START, "region": "eu-north-1", **fields}), encoding="utf-8")
        return path

    return write


@pytest.fixture
def explorer(vendor: Any) -> Any:
    """The route of Cost Explorer. CloudWatch refuses in every region these tests know."""
    for region in ("us-east-1", "eu-west-3", "eu-central-1"):
        vendor(f"monitoring.{region}.amazonaws.com").post("/").fails(403)
    return vendor("ce.us-east-1.amazonaws.com").post("/").answers(**COSTS)


@pytest.fixture
def portal(vendor: Any) -> Any:
    return vendor("portal.sso.eu-north-1.amazonaws.com")


def role_credentials(portal: Any, token: str = "demo-token") -> Any:
    return portal.get(
        "/federation/credentials",
        query={"role_name": "Reader", "account_id": "123456789012"},
        headers={"x-amz-sso_bearer_token": token},
    )


def key_of(explorer: Any) -> str:
    """The access key that signed the first question."""
    text: str = explorer.requests[0].headers["authorization"]
    return text.partition("Credential=")[2].partition("/")[0]


WORK = {"awsProfile": "work"}
STATIC = "[work]\naws_access_key_id = FILEKEY\naws_secret_access_key = half\n[other]\naws_access_key_id = OTHERKEY\n"
STATIC += "aws_secret_access_key = half\naws_session_token = other token\n"


# --- keys in files ---------------------------------------------------------------------------------


def test_keys_of_a_profile_are_used(explorer: Any, aws_files: Any, read: Any) -> None:
    aws_files(credentials=STATIC)
    assert read("bedrock", config=WORK).spend("month").used == 7
    assert key_of(explorer) == "FILEKEY"


@pytest.mark.parametrize(
    ("config", "environment", "key"),
    [
        ({}, {"AWS_PROFILE": "other"}, "OTHERKEY"),
        (WORK, {"AWS_PROFILE": "other"}, "FILEKEY"),
        ({}, {"AWS_PROFILE": "other", "AWS_ACCESS_KEY_ID": "ENVKEY", "AWS_SECRET_ACCESS_KEY": "h"}, "ENVKEY"),
        (
            {"awsAuthMode": "profile"},
            {"AWS_PROFILE": "other", "AWS_ACCESS_KEY_ID": "ENVKEY", "AWS_SECRET_ACCESS_KEY": "h"},
            "OTHERKEY",
        ),
        (
            {"awsAuthMode": "profile", "apiKey": "OWNKEY", "secretKey": "h"},
            {"CODEXBAR_BEDROCK_AUTH_MODE": "keys", "AWS_PROFILE": "other"},
            "OTHERKEY",
        ),
        (
            {"awsAuthMode": "keys", "apiKey": "OWNKEY", "secretKey": "h", **WORK},
            {"CODEXBAR_BEDROCK_AUTH_MODE": "profile", "AWS_PROFILE": "other"},
            "OWNKEY",
        ),
        (
            {},
            {
                "CODEXBAR_BEDROCK_AUTH_MODE": "Profile",
                "AWS_PROFILE": "other",
                "AWS_ACCESS_KEY_ID": "ENVKEY",
                "AWS_SECRET_ACCESS_KEY": "h",
            },
            "OTHERKEY",
        ),
    ],
)
def test_one_login_is_chosen_among_several(
    explorer: Any, aws_files: Any, read: Any, config: dict[str, str], environment: dict[str, str], key: str
) -> None:
    aws_files(credentials=STATIC)
    read("bedrock", config=config, **environment)
    assert key_of(explorer) == key


def test_the_files_may_be_elsewhere(explorer: Any, aws_files: Any, read: Any, tmp_path: Path) -> None:
    there = aws_files(tmp_path / "there", credentials=STATIC, config="[profile work]\nregion = eu-west-3\n")
    read(
        "bedrock",
        config=WORK,
        AWS_SHARED_CREDENTIALS_FILE=str(there / "credentials"),
        AWS_CONFIG_FILE=str(there / "config"),
    )
    assert key_of(explorer) == "FILEKEY"


@pytest.mark.parametrize(
    ("environment", "region"),
    [({}, "eu-west-3"), ({"AWS_DEFAULT_REGION": "eu-central-1"}, "eu-central-1"), ({"AWS_REGION": " "}, "eu-west-3")],
)
def test_a_profile_has_a_region_unless_another_is_set(
    explorer: Any, vendor: Any, aws_files: Any, read: Any, environment: dict[str, str], region: str
) -> None:
    aws_files(credentials=STATIC, config="[profile work]\nregion = eu-west-3\n")
    read("bedrock", config=WORK, **environment)
    assert vendor(f"monitoring.{region}.amazonaws.com").count == 1


def test_a_profile_without_region_is_in_the_default_one(explorer: Any, vendor: Any, aws_files: Any, read: Any) -> None:
    aws_files(credentials=STATIC)
    read("bedrock", config=WORK)
    assert vendor("monitoring.us-east-1.amazonaws.com").count == 1


@pytest.mark.parametrize("texts", [{}, {"config": "[profile home]\nregion = eu-west-3\n"}])
def test_a_profile_that_is_not_there_is_named(simulator: Any, aws_files: Any, read: Any, texts: dict[str, str]) -> None:
    aws_files(**texts)
    with pytest.raises(Misconfigured, match="no profile work"):
        read("bedrock", config=WORK)


def test_a_profile_without_login_is_not_signed_in(simulator: Any, aws_files: Any, read: Any) -> None:
    aws_files(config="[profile work]\nregion = eu-west-3\n")
    with pytest.raises(MissingCredential) as raised:
        read("bedrock", config=WORK)
    assert raised.value.hint == "Run `aws sso login --profile work`."


@pytest.mark.parametrize(
    "config",
    [
        "[profile work\nbroken",
        "[profile work]\naws_access_key_id = FILEKEY\n",
        "[profile work]\nrole_arn = arn:aws:iam::1:role/r\n",
        "[profile work]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = gone\n",
        "[profile work]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = Ec2InstanceMetadata\n",
        "[profile work]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = r\nsource_profile = work\n",
        "[profile work]\nsso_session = gone\nsso_account_id = 1\nsso_role_name = r\n",
        "[profile work]\nsso_account_id = 1\nsso_role_name = r\n",
    ],
)
def test_a_profile_that_is_not_complete_is_a_mistake(simulator: Any, aws_files: Any, read: Any, config: str) -> None:
    aws_files(config=config)
    with pytest.raises(Misconfigured) as raised:
        read("bedrock", config=WORK)
    assert "FILEKEY" not in str(raised.value)


# --- SSO -------------------------------------------------------------------------------------------


def test_an_sso_session_gives_the_roles_keys(
    explorer: Any, portal: Any, aws_files: Any, sso_token: Any, read: Any
) -> None:
    aws_files(config=SSO_PROFILE)
    sso_token("corp", accessToken="demo-token", expiresAt=LATER)
    role_credentials(portal).answers(roleCredentials={**ROLE_KEYS, "expiration": 7226582400000})
    assert read("bedrock", config=WORK).spends
    assert key_of(explorer) == "ROLEKEY"
    assert explorer.requests[0].headers["x-amz-security-token"] == "role token"


def test_an_older_sso_profile_works_too(explorer: Any, portal: Any, aws_files: Any, sso_token: Any, read: Any) -> None:
    aws_files(config=LEGACY_PROFILE)
    sso_token(START, accessToken="demo-token", expiresAt=LATER)
    role_credentials(portal).answers(roleCredentials={**ROLE_KEYS, "expiration": 7226582400000})
    read("bedrock", config=WORK)
    assert key_of(explorer) == "ROLEKEY"


@pytest.mark.parametrize("config", [SSO_PROFILE, LEGACY_PROFILE])
@pytest.mark.parametrize("expires", [BEFORE, None])
def test_an_expired_or_missing_sso_login_says_how_to_renew_it(
    simulator: Any, aws_files: Any, sso_token: Any, read: Any, config: str, expires: str | None
) -> None:
    aws_files(config=config)
    if expires:
        for name in ("corp", START):
            sso_token(name, accessToken="demo-token", expiresAt=expires)
    with pytest.raises(ExpiredCredential) as raised:
        read("bedrock", config=WORK)
    assert raised.value.hint == "Run `aws sso login --profile work`."


def test_an_sso_login_that_the_server_refuses_has_expired(
    portal: Any, aws_files: Any, sso_token: Any, read: Any
) -> None:
    aws_files(config=SSO_PROFILE)
    sso_token("corp", accessToken="demo-token", expiresAt=LATER)
    route = role_credentials(portal)
    route.answers_json({"message": "no"}, 401, {"x-amzn-ErrorType": "UnauthorizedException"})
    with pytest.raises(ExpiredCredential) as raised:
        read("bedrock", config=WORK)
    assert raised.value.hint == "Run `aws sso login --profile work`."
    assert route.count == 1


def test_a_role_that_is_not_given_is_forbidden(portal: Any, aws_files: Any, sso_token: Any, read: Any) -> None:
    aws_files(config=SSO_PROFILE)
    sso_token("corp", accessToken="demo-token", expiresAt=LATER)
    role_credentials(portal).answers_json({"message": "no"}, 403, {"x-amzn-ErrorType": "ForbiddenException"})
    with pytest.raises(Forbidden):
        read("bedrock", config=WORK)


def test_an_sso_server_that_cannot_be_reached_is_unavailable(
    portal: Any, aws_files: Any, sso_token: Any, read: Any
) -> None:
    aws_files(config=SSO_PROFILE)
    sso_token("corp", accessToken="demo-token", expiresAt=LATER)
    role_credentials(portal).misbehaves("refuse")
    with pytest.raises(Unavailable):
        read("bedrock", config=WORK)


def test_a_running_out_sso_login_is_renewed_and_kept_for_the_cli(
    explorer: Any, portal: Any, vendor: Any, aws_files: Any, sso_token: Any, read: Any
) -> None:
    aws_files(config=SSO_PROFILE)
    client = {"clientId": "demo", "clientSecret": "demo half", "registrationExpiresAt": LATER}
    path = sso_token("corp", accessToken="old", expiresAt=BEFORE, refreshToken="r", **client)
    renewal = vendor("oidc.eu-north-1.amazonaws.com").post("/token")
    renewal.answers(accessToken="demo-token", expiresIn=9_000_000, refreshToken="r2")
    role_credentials(portal).answers(roleCredentials={**ROLE_KEYS, "expiration": 7226582400000})
    read("bedrock", config=WORK)
    assert renewal.requests[0].json["refreshToken"] == "r"
    kept = json.loads(path.read_text())
    assert (kept["accessToken"], kept["refreshToken"]) == ("demo-token", "r2")
    assert kept["expiresAt"].endswith("Z")


def test_keys_the_cli_has_kept_save_the_question(explorer: Any, aws_files: Any, sso_token: Any, read: Any) -> None:
    folder = aws_files(config=SSO_PROFILE)
    text = json.dumps({"accountId": "123456789012", "roleName": "Reader", "sessionName": "corp"}, separators=(",", ":"))
    kept = {"AccessKeyId": "KEPTKEY", "SecretAccessKey": "h", "SessionToken": "t", "Expiration": LATER}
    cache = folder / "cli/cache"
    cache.mkdir(parents=True)
    file = cache / f"{hashlib.sha1(text.encode()).hexdigest()}.json"
    file.write_text(json.dumps({"ProviderType": "sso", "Credentials": kept}))
    read("bedrock", config=WORK)
    assert key_of(explorer) == "KEPTKEY"


def test_a_login_that_needs_one_more_library_names_it(
    simulator: Any, aws_files: Any, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.credentials.EC", None, raising=False)
    aws_files(config="[profile work]\nlogin_session = arn:aws:iam::123456789012:user/ada\n")
    with pytest.raises(MissingProgram) as raised:
        read("bedrock", config=WORK)
    assert raised.value.hint == f"Run {to_add('aws')}."


def test_nothing_is_written_beside_a_renewed_login(
    explorer: Any, portal: Any, aws_files: Any, sso_token: Any, read: Any
) -> None:
    folder = aws_files(config=SSO_PROFILE)
    path = sso_token("corp", accessToken="demo-token", expiresAt=LATER)
    role_credentials(portal).answers(roleCredentials={**ROLE_KEYS, "expiration": 7226582400000})
    read("bedrock", config=WORK)
    assert {file for file in folder.rglob("*") if file.is_file()} == {folder / "config", path}


# --- roles -----------------------------------------------------------------------------------------

ROLE = "[profile work]\nrole_arn = arn:aws:iam::123456789012:role/Reader\nregion = eu-west-3\n"


@pytest.fixture
def sts(vendor: Any) -> Any:
    return vendor("sts.eu-west-3.amazonaws.com").post("/")


def test_a_role_is_assumed_from_another_profile(explorer: Any, sts: Any, aws_files: Any, read: Any) -> None:
    aws_files(config=ROLE + "source_profile = other\n", credentials=STATIC)
    sts.answers_text(ASSUMED.format("ASSUMED"), headers={"Content-Type": "text/xml"})
    read("bedrock", config=WORK)
    assert key_of(explorer) == "ASSUMED"
    asked = parse_qs(sts.requests[0].text)
    assert (asked["Action"], asked["RoleArn"]) == (["AssumeRole"], ["arn:aws:iam::123456789012:role/Reader"])
    assert "Credential=OTHERKEY/" in sts.requests[0].headers["authorization"]


def test_a_role_may_start_from_an_sso_session(
    explorer: Any, sts: Any, portal: Any, aws_files: Any, sso_token: Any, read: Any
) -> None:
    aws_files(config=ROLE + "source_profile = base\n" + SSO_PROFILE.replace("profile work", "profile base"))
    sso_token("corp", accessToken="demo-token", expiresAt=LATER)
    role_credentials(portal).answers(roleCredentials={**ROLE_KEYS, "expiration": 7226582400000})
    sts.answers_text(ASSUMED.format("ASSUMED"), headers={"Content-Type": "text/xml"})
    read("bedrock", config=WORK)
    assert key_of(explorer) == "ASSUMED"
    assert "Credential=ROLEKEY/" in sts.requests[0].headers["authorization"]


def test_a_role_may_start_from_the_environment(explorer: Any, sts: Any, aws_files: Any, read: Any) -> None:
    aws_files(config=ROLE + "credential_source = Environment\n")
    sts.answers_text(ASSUMED.format("ASSUMED"), headers={"Content-Type": "text/xml"})
    read(
        "bedrock",
        config={"awsAuthMode": "profile"},
        AWS_PROFILE="work",
        AWS_ACCESS_KEY_ID="ENVKEY",
        AWS_SECRET_ACCESS_KEY="h",
    )
    assert key_of(explorer) == "ASSUMED"
    assert "Credential=ENVKEY/" in sts.requests[0].headers["authorization"]


@pytest.mark.parametrize(
    ("code", "error"),
    [("AccessDenied", Forbidden), ("ExpiredToken", ExpiredCredential), ("MalformedPolicy", BadResponse)],
)
def test_a_refused_role_has_a_kind(sts: Any, aws_files: Any, read: Any, code: str, error: type[ReadError]) -> None:
    aws_files(config=ROLE + "source_profile = other\n", credentials=STATIC)
    sts.answers_text(REFUSED.format(code), 403, {"Content-Type": "text/xml"})
    with pytest.raises(error):
        read("bedrock", config=WORK)
    assert sts.count == 1


def test_a_second_factor_is_not_asked_for(simulator: Any, aws_files: Any, read: Any) -> None:
    aws_files(config=ROLE + "source_profile = other\nmfa_serial = arn:aws:iam::1:mfa/ada\n", credentials=STATIC)
    with pytest.raises(ExpiredCredential, match="second factor") as raised:
        read("bedrock", config=WORK)
    assert "--profile work" in raised.value.hint


# --- programs --------------------------------------------------------------------------------------

PROCESS = "[profile work]\ncredential_process = give-keys --for work\n"
GIVEN = {"Version": 1, "AccessKeyId": "GIVENKEY", "SecretAccessKey": "given half", "SessionToken": "given token"}


def test_a_program_gives_the_keys(explorer: Any, aws_files: Any, program: Any, read: Any) -> None:
    aws_files(config=PROCESS)
    program("give-keys", f"import sys\nassert sys.argv[1:] == ['--for', 'work']\nprint({json.dumps(GIVEN)!r})")
    read("bedrock", config=WORK)
    assert key_of(explorer) == "GIVENKEY"
    assert explorer.requests[0].headers["x-amz-security-token"] == "given token"


def test_a_program_sees_the_aws_environment_but_no_other_secret(
    explorer: Any, aws_files: Any, program: Any, read: Any
) -> None:
    aws_files(config=PROCESS)
    program(
        "give-keys",
        "import os, json\n"
        "assert os.environ['AWS_SESSION_TOKEN'] == 'demo' and os.environ['AWS_CA_BUNDLE']\n"
        "assert 'AWS_PROFILE' not in os.environ and 'CROF_API_KEY' not in os.environ\n"
        f"print({json.dumps(GIVEN)!r})",
    )
    read("bedrock", AWS_PROFILE="work", AWS_SESSION_TOKEN="demo", AWS_CA_BUNDLE="/x", CROF_API_KEY="k")
    assert key_of(explorer) == "GIVENKEY"


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("print('no json')", BadResponse),
        ("print('{}')", BadResponse),
        ("print('[]')", BadResponse),
        ("""print('{"Version": 1, "AccessKeyId": "K"}')""", BadResponse),
        ("import sys; sys.exit('secret output')", BadResponse),
        ("import sys; sys.exit('Error: run aws SSO Login --profile x')", ExpiredCredential),
        ("import sys; sys.exit('the token has Expired')", ExpiredCredential),
    ],
)
def test_a_program_that_fails_has_a_kind(
    simulator: Any, aws_files: Any, program: Any, read: Any, script: str, error: type[ReadError]
) -> None:
    aws_files(config=PROCESS)
    program("give-keys", script)
    with pytest.raises(error) as raised:
        read("bedrock", config=WORK)
    assert "secret" not in f"{raised.value} {raised.value.hint}"
    assert not isinstance(raised.value.__context__, BotoCoreError | ValueError)


def test_a_program_that_is_not_there_is_missing(simulator: Any, aws_files: Any, read: Any) -> None:
    aws_files(config=PROCESS)
    with pytest.raises(MissingProgram, match="give-keys"):
        read("bedrock", config=WORK)


def test_a_program_has_its_time(
    simulator: Any, aws_files: Any, program: Any, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "PROGRAM_TIMEOUT", 0.4)
    aws_files(config=PROCESS)
    program("give-keys", "import time; time.sleep(60)")
    with pytest.raises(TimedOut):
        read("bedrock", config=WORK)


# --- the library's manners -------------------------------------------------------------------------


def test_the_library_logs_nothing(
    explorer: Any, portal: Any, aws_files: Any, sso_token: Any, read: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    aws_files(config=SSO_PROFILE)
    sso_token("corp", accessToken="demo-token", expiresAt=LATER)
    role_credentials(portal).answers(roleCredentials={**ROLE_KEYS, "expiration": 7226582400000})
    read("bedrock", config=WORK)
    assert not [text for text in ("demo-token", "role half", "role token") if text in caplog.text]
