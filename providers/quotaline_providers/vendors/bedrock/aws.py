"""What the AWS library is needed for: logins of profiles, and signatures. It works in a thread, and whatever it sends
or starts goes through the host facilities. Only this module imports it, and only when it is used."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from quotaline_providers import (
    BadResponse,
    Context,
    ExpiredCredential,
    Forbidden,
    Misconfigured,
    MissingCredential,
    MissingProgram,
    ReadError,
    Response,
    Secret,
    to_add,
)
from quotaline_providers.fetching.blocking import Loop, in_thread
from quotaline_providers.vendors.bedrock.credentials import DEFAULT_REGION, PROFILE_ENV, Keys, Login, Profile

PROGRAM_TIMEOUT = 20.0
REQUEST_TIMEOUT = 15.0


@dataclass(frozen=True, slots=True)
class Session:
    """A login that can sign, and the region of what is regional."""

    keys: Keys
    region: str
    profile: str | None = None

    @property
    def renew(self) -> str:
        """How the user renews it."""
        if self.profile is None:
            return "Set a valid pair of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        return sign_in(self.profile)


def sign_in(profile: str) -> str:
    """The hint how a profile signs in again."""
    return f"Run `aws sso login --profile {profile}`."


def without_library() -> ReadError:
    """The error of a machine without the extra `aws`."""
    return MissingProgram("Reading AWS needs a library that is not installed.", f"Run {to_add('aws')}.")


async def open_session(ctx: Context, login: Login, region: str | None) -> Session:
    """The login, ready to sign. `region` is the one already set; else a profile may give one.

    Raises MissingProgram without the library, ExpiredCredential, MissingCredential, Misconfigured, Forbidden,
    BadResponse, and what the vendor's servers or the profile's program fail with.
    """
    if isinstance(login, Profile):
        return await in_thread(ctx, lambda loop: _ProfileLogin(ctx, loop, login.name, region).session())
    return Session(login, region or DEFAULT_REGION)


async def signed(
    ctx: Context, session: Session, url: str, service: str, region: str, headers: Mapping[str, str], body: bytes
) -> dict[str, str]:
    """The headers with which this POST is signed (AWS Signature Version 4)."""
    return await in_thread(ctx, lambda _: _sign(session.keys, url, service, region, headers, body))


def _sign(keys: Keys, url: str, service: str, region: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    _quiet()
    try:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
    except ImportError:
        raise without_library() from None
    token = keys.session_token.reveal() if keys.session_token else None
    request = AWSRequest(
        method="POST",
        url=url,
        data=body,
        headers={**headers, "X-Amz-Content-SHA256": hashlib.sha256(body).hexdigest()},
    )
    SigV4Auth(Credentials(keys.access_key.reveal(), keys.secret_key.reveal(), token), service, region).add_auth(request)
    return {str(name): str(value) for name, value in request.headers.items()}


def _quiet() -> None:
    """The library writes requests with their tokens to its log."""
    logging.getLogger("botocore").setLevel(logging.CRITICAL + 1)


# --- profiles --------------------------------------------------------------------------------------


class _SecondFactor(Exception):
    """A profile needs a code typed by its owner."""


def _ask(prompt: str) -> str:
    raise _SecondFactor


class _Program:
    """A profile's credential process, as the library expects a child program to look."""

    def __init__(self, ctx: Context, loop: Loop, words: Sequence[str]) -> None:
        env = {**ctx.variables("AWS_*"), PROFILE_ENV: None}
        self._finished = loop.run(ctx.processes.run(words, timeout=PROGRAM_TIMEOUT, env=env))
        self.returncode = 1 if self._finished.exit_code is None else self._finished.exit_code

    def communicate(self) -> tuple[bytes, bytes]:
        return self._finished.stdout.encode(), self._finished.stderr.encode()


class _Body:
    """An answer's body, as the library expects to stream it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body


class _ProfileLogin:
    """Finds the login of a profile in the library's own order, from this user's files and environment."""

    def __init__(self, ctx: Context, loop: Loop, name: str, region: str | None) -> None:
        self._ctx = ctx
        self._loop = loop
        self._name = name
        self._region = region

    def session(self) -> Session:
        _quiet()
        try:
            import botocore.session
        except ImportError:
            raise without_library() from None
        try:
            session = self._configured(botocore.session.Session(profile=self._name))
            own = session.full_config.get("profiles", {})
            if self._name not in own:
                raise Misconfigured(
                    f"AWS has no profile {self._name} on this computer.",
                    "Run `aws configure list-profiles` and name one of them.",
                )
            self._region = self._region or own[self._name].get("region") or DEFAULT_REGION
            session.set_config_variable("region", self._region)
            session.register_component("credential_provider", self._resolver(session))
            found = session.get_credentials()
            frozen = found.get_frozen_credentials() if found is not None else None
        except ReadError:
            raise
        except Exception as error:
            failure = _failure(error, self._name)
        else:
            if frozen is None or not frozen.access_key or not frozen.secret_key:
                raise MissingCredential(f"The AWS profile {self._name} holds no credentials.", sign_in(self._name))
            token = Secret(frozen.token) if frozen.token else None
            keys = Keys(Secret(frozen.access_key), Secret(frozen.secret_key), token)
            return Session(keys, self._region, self._name)
        # Raised out here so that the library's own error, which may hold a program's output, is not kept with it.
        raise failure

    def _configured(self, session: Any) -> Any:
        """With this user's files, one attempt a request, and requests sent by us."""
        from botocore.config import Config

        session.set_config_variable("config_file", str(self._file("AWS_CONFIG_FILE", "config")))
        session.set_config_variable("credentials_file", str(self._file("AWS_SHARED_CREDENTIALS_FILE", "credentials")))
        session.set_default_client_config(Config(retries={"total_max_attempts": 1}))
        session.register("before-send", self._send)
        return session

    def _file(self, variable: str, name: str) -> Path:
        return self._ctx.env_path(variable) or self._ctx.home / ".aws" / name

    def _send(self, request: Any, **_: object) -> Any:
        from botocore.awsrequest import AWSResponse

        body = request.body.encode() if isinstance(request.body, str) else request.body
        lines = {name: _text(value) for name, value in request.headers.items() if name.lower() != "content-length"}
        headers = {"Accept": "*/*", **lines}  # the library reads XML where AWS would also give JSON
        answer: Response = self._loop.run(
            self._ctx.http.send(
                request.method, request.url, headers=headers, content=body or None, timeout=REQUEST_TIMEOUT
            )
        )
        return AWSResponse(request.url, answer.status, dict(answer.headers), _Body(answer.body))

    def _resolver(self, session: Any) -> Any:
        """The profile's possible credentials: roles, SSO, keys in files, programs. The servers that give logins to
        machines in the cloud are not asked."""
        from botocore import credentials
        from botocore.utils import JSONFileCache

        ctx, loop, here = self._ctx, self._loop, self._ctx.home / ".aws"

        class CliCache(JSONFileCache):  # type: ignore[misc]
            """Sessions the AWS CLI keeps (also those that took a second factor). Read only."""

            def __setitem__(self, key: str, value: object) -> None:
                pass

        cli_cache = CliCache(str(here / "cli" / "cache"))
        # A renewed SSO token has to be kept: the one before is void, and it is the CLI's, too.
        sso_cache = JSONFileCache(str(here / "sso" / "cache"), dumps_func=_token_text)
        login_folder = ctx.env_path("AWS_LOGIN_CACHE_DIRECTORY") or here / "login" / "cache"

        def load_config() -> Any:
            return session.full_config

        def client(service: str, **options: Any) -> Any:
            return session.create_client(service, **{"region_name": self._region, **options})

        class ProfileProviders:
            """The credential providers of one profile, also of one that another's role starts from."""

            def providers(self, profile_name: str, disable_env_vars: bool = True) -> list[Any]:
                from botocore.tokens import SSOTokenProvider

                tokens = SSOTokenProvider(session, cache=sso_cache, profile_name=profile_name)
                found = [
                    credentials.AssumeRoleWithWebIdentityProvider(
                        load_config, client, profile_name, cache=cli_cache, disable_env_vars=True
                    ),
                    credentials.SSOProvider(
                        load_config,
                        session.create_client,
                        profile_name,
                        cache=cli_cache,
                        token_cache=sso_cache,
                        token_provider=tokens,
                    ),
                    credentials.SharedCredentialProvider(session.get_config_variable("credentials_file"), profile_name),
                    credentials.ProcessProvider(
                        profile_name, load_config, popen=lambda words, **_: _Program(ctx, loop, words)
                    ),
                    credentials.ConfigProvider(session.get_config_variable("config_file"), profile_name),
                ]
                if hasattr(credentials, "LoginProvider"):  # `aws login`, in newer versions of the library
                    cache = JSONFileCache(str(login_folder))
                    found.insert(
                        3, credentials.LoginProvider(load_config, client, profile_name=profile_name, token_cache=cache)
                    )
                return found

        builder = ProfileProviders()
        roles = credentials.AssumeRoleProvider(
            load_config,
            client,
            cli_cache,
            self._name,
            prompter=_ask,
            credential_sourcer=credentials.CanonicalNameCredentialSourcer(
                [credentials.EnvProvider(environ=dict(ctx.environ))]
            ),
            profile_provider_builder=builder,
        )
        return credentials.CredentialResolver([roles, *builder.providers(self._name)])


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _token_text(token: object) -> str:
    def spelled(value: object) -> object:
        return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else str(value)

    return json.dumps(token, default=spelled)


def _failure(error: Exception, profile: str) -> ReadError:
    """What the library's error means for the user. Its text may quote a program or a server, so it is not shown."""
    from botocore import exceptions

    name = type(error).__name__
    if isinstance(error, _SecondFactor) or name == "RefreshWithMFAUnsupportedError":
        return ExpiredCredential(
            f"The AWS profile {profile} requires a second factor.",
            f"Run `aws sts get-caller-identity --profile {profile}` in a terminal.",
        )
    if name == "MissingDependencyException":
        return MissingProgram(
            f"The login of the AWS profile {profile} needs a library that is not installed.",
            f"Run {to_add('aws')}.",
        )
    if name.startswith("Login"):
        return ExpiredCredential(
            f"The AWS login of the profile {profile} has expired.", f"Run `aws login --profile {profile}`."
        )
    text = str(error).lower()
    expired = isinstance(error, exceptions.SSOError | exceptions.TokenRetrievalError)
    if expired or (
        isinstance(error, exceptions.CredentialRetrievalError) and ("sso login" in text or "expired" in text)
    ):
        return ExpiredCredential(f"The AWS login of the profile {profile} has expired.", sign_in(profile))
    if isinstance(error, exceptions.ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code.startswith("Expired"):
            return ExpiredCredential(f"The AWS login of the profile {profile} has expired.", sign_in(profile))
        if code.startswith("AccessDenied") or code in ("ForbiddenException", "ResourceNotFoundException"):
            return Forbidden(
                f"AWS does not give the profile {profile} its role.", "Check role and account in ~/.aws/config."
            )
        return BadResponse(f"AWS did not give the profile {profile} a login.", "Check the profile in ~/.aws/config.")
    if isinstance(error, exceptions.CredentialRetrievalError):
        return BadResponse(
            f"The program that gives the AWS profile {profile} its login failed.",
            "Run the profile's credential_process in a terminal.",
        )
    if isinstance(error, ValueError | KeyError | TypeError | AttributeError):
        return BadResponse(f"The login of the AWS profile {profile} cannot be read.", sign_in(profile))
    return Misconfigured(f"The AWS profile {profile} cannot be used.", "Check the profile in ~/.aws/config.")
