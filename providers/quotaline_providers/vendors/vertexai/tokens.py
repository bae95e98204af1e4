"""Access tokens for Google: renewed with a user's login, or made by Google's library or gcloud for other kinds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from quotaline_providers import (
    BadResponse,
    Context,
    ExpiredCredential,
    JsonObject,
    MissingCredential,
    MissingProgram,
    ReadError,
    Secret,
    to_add,
    to_time,
    wrong_clock,
)
from quotaline_providers.contract import Http
from quotaline_providers.fetching.blocking import Loop, in_thread
from quotaline_providers.vendors.vertexai.credentials import FILE_ENV, SIGN_IN, Adc, email_of
from quotaline_providers.vendors.vertexai.payloads import RefreshAnswer

TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
PROGRAM_TIMEOUT = 20.0
MARGIN = timedelta(minutes=5)
GCLOUD_VALID = timedelta(minutes=50)
DEFAULT_SECONDS = 3600.0

_AWS_TOKEN = "urn:ietf:params:aws:token-type:aws4_request"  # noqa: S105
_OF_TIME = b"in a reasonable timeframe"
"""Google's words for a signature whose time is not its own."""
_CODE = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, until when it holds, and whose it is where that is known."""

    secret: Secret
    expires_at: datetime
    email: str | None = None

    def holds(self, now: datetime) -> bool:
        return self.expires_at - now > MARGIN


class Unusable(BadResponse):
    """Google's library cannot load the login."""


_held: WeakKeyDictionary[Http, dict[str, Token]] = WeakKeyDictionary()
"""Tokens by login, for as long as this process has its connections: they may not be written anywhere."""


async def access_token(ctx: Context, adc: Adc) -> Token:
    """A token that holds. Raises MissingCredential, ExpiredCredential, MissingProgram, BadResponse, Unavailable."""
    held = _held.setdefault(ctx.http, {})
    token = held.get(adc.fingerprint)
    if token is None or not token.holds(ctx.now):
        token = await _new_token(ctx, adc)
        held[adc.fingerprint] = token
    return token


def forget(ctx: Context, adc: Adc) -> None:
    """Do not use this login's token again: Google refused it."""
    _held.get(ctx.http, {}).pop(adc.fingerprint, None)


async def _new_token(ctx: Context, adc: Adc) -> Token:
    if adc.is_service_account or adc.is_foreign:
        return await _made_elsewhere(ctx, adc)
    return _kept(ctx, adc) or await _renewed(ctx, adc)


async def _made_elsewhere(ctx: Context, adc: Adc) -> Token:
    """By the library; where it is not installed, or cannot load this login, by gcloud."""
    unusable: Unusable | None = None
    if not _runs_program(adc):
        try:
            if token := await _from_library(ctx, adc):
                return token
        except Unusable as error:
            unusable = error
    try:
        return await _from_gcloud(ctx, adc)
    except MissingProgram as error:
        raise unusable or error from None


# --- a user's login --------------------------------------------------------------------------------


def _kept(ctx: Context, adc: Adc) -> Token | None:
    """The token in the file itself, which gcloud does not write but others do."""
    token, expiry = adc.secret("access_token"), to_time(adc.text("token_expiry"))
    if token is None or expiry is None or not adc.text("refresh_token"):
        return None
    kept = Token(token, expiry, email_of(adc.secret("id_token")))
    return kept if kept.holds(ctx.now) else None


async def _renewed(ctx: Context, adc: Adc) -> Token:
    client, secret, refresh = adc.text("client_id"), adc.secret("client_secret"), adc.secret("refresh_token")
    if client is None or secret is None:
        raise MissingCredential("Google's credentials file lacks its client credentials.", SIGN_IN)
    if refresh is None:
        raise MissingCredential("Google's credentials file holds no tokens.", SIGN_IN)
    answer = await ctx.http.send(
        "POST",
        TOKEN_URL,
        form={
            "client_id": client,
            "client_secret": secret,
            "refresh_token": refresh,
            "grant_type": "refresh_token",
        },
    )
    if answer.status in (400, 401) and not answer.is_barred:
        raise refusal(_code_of(ctx.http.parse(answer, JsonObject).root) if _is_json(answer.text) else None)
    tokens = ctx.http.parse(ctx.http.check(answer), RefreshAnswer)
    if tokens.access_token is None:
        raise BadResponse("Google's renewal of the login holds no token.")
    seconds = DEFAULT_SECONDS if tokens.expires_in is None else min(max(tokens.expires_in, 0), 86400)
    email = email_of(Secret(tokens.id_token) if tokens.id_token else adc.secret("id_token"))
    return Token(Secret(tokens.access_token), ctx.now + timedelta(seconds=seconds), email)


def _is_json(text: str) -> bool:
    return text.lstrip().startswith("{")


def _code_of(fields: Mapping[str, object]) -> str | None:
    code = fields.get("error")
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def refusal(code: str | None) -> ReadError:
    """Google's reason for not giving a token; without one the login has most likely run out."""
    if code == "unauthorized_client":
        return ExpiredCredential("The Google login was revoked.", SIGN_IN)
    if code in ("invalid_grant", None):
        return ExpiredCredential("The Google login has run out.", SIGN_IN)
    return ExpiredCredential(f"Google did not renew the login ({code}).", SIGN_IN)


# --- service accounts and federated logins, by Google's library ------------------------------------


def _runs_program(adc: Adc) -> bool:
    """Whether the login asks a program, which the library would start by itself; gcloud is run instead."""
    source = adc.fields.get("credential_source")
    return isinstance(source, dict) and "executable" in source


async def _from_library(ctx: Context, adc: Adc) -> Token | None:
    """None when the library is not installed. Raises Unusable when it cannot load this login, and ReadError."""
    return await in_thread(ctx, lambda loop: _made(ctx, loop, adc))


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer as the library expects it."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class _Door:
    """The library's way to the network: ours."""

    def __init__(self, ctx: Context, loop: Loop) -> None:
        self._ctx = ctx
        self._loop = loop

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: object,
    ) -> _Reply:
        content = body.encode() if isinstance(body, str) else body
        http = self._ctx.http
        lines = {"Accept": "*/*", **(headers or {})}
        answer = self._loop.run(http.send(method, url, headers=lines, content=content or None))
        if answer.status == 429 or answer.status >= 500 or answer.is_barred:
            http.check(answer)  # raises: the library would wait and ask again
        if not answer.ok and _OF_TIME in answer.body:
            raise wrong_clock("Google", answer, self._ctx.now)
        return _Reply(answer.status, answer.headers, answer.body)


def _made(ctx: Context, loop: Loop, adc: Adc) -> Token | None:
    try:
        from google.auth import exceptions
    except ImportError:
        return None
    try:
        made = _credentials(adc)
        made.refresh(_Door(ctx, loop))
        token, expiry = made.token, made.expiry
    except ReadError:
        raise
    except exceptions.RefreshError as error:
        answer = next((item for item in error.args[1:] if isinstance(item, dict)), {})
        failure = refusal(_code_of(answer))
    except Exception:
        failure = Unusable("Google's credentials file cannot be used.", SIGN_IN)
    else:
        if not isinstance(token, str) or not token:
            raise BadResponse("Google gave no token for this login.")
        until = expiry.replace(tzinfo=UTC) if isinstance(expiry, datetime) else ctx.now + GCLOUD_VALID
        return Token(Secret(token), until, _account(adc))
    # Raised out here so that the library's own error, which quotes the answer, is not kept with it.
    raise failure


def _credentials(adc: Adc) -> Any:
    """The library's credentials of this kind. Its own choice among kinds would also ask for the project."""
    from google.auth import aws, external_account_authorized_user, identity_pool, impersonated_credentials
    from google.oauth2 import service_account

    info: dict[str, Any] = dict(adc.fields)
    kind: Any
    if adc.is_service_account:
        kind = service_account.Credentials
        return kind.from_service_account_info({"token_uri": TOKEN_URL, **info}, scopes=[SCOPE])
    match adc.text("type"):
        case "impersonated_service_account":
            kind = impersonated_credentials.Credentials
            return kind.from_impersonated_service_account_info(info, scopes=[SCOPE])
        case "external_account_authorized_user":
            kind = external_account_authorized_user.Credentials
            return kind.from_info(info)
        case _:
            kind = aws.Credentials if info.get("subject_token_type") == _AWS_TOKEN else identity_pool.Credentials
            return kind.from_info(info, scopes=[SCOPE])


def _account(adc: Adc) -> str | None:
    """The service account's address; of an impersonated one it is in the address that makes its tokens."""
    if adc.is_service_account:
        return adc.text("client_email")
    match = re.search(r"/serviceAccounts/([^/:]+@[^/:]+):", adc.text("service_account_impersonation_url") or "")
    return match.group(1) if match else None


# --- the same by gcloud ----------------------------------------------------------------------------


def _gcloud_places(ctx: Context) -> tuple[Path, ...]:
    return (
        Path("/opt/homebrew/bin/gcloud"),
        Path("/usr/local/bin/gcloud"),
        Path("/snap/bin/gcloud"),
        ctx.home / "google-cloud-sdk" / "bin" / "gcloud",
    )


async def _from_gcloud(ctx: Context, adc: Adc) -> Token:
    program = ctx.processes.find("gcloud", places=_gcloud_places(ctx))
    if program is None:
        raise MissingProgram(
            "The program `gcloud` was not found.",
            f"Install the Google Cloud CLI, or run {to_add('google')}.",
        )
    finished = await ctx.processes.run(
        [program, "auth", "application-default", "print-access-token"],
        timeout=PROGRAM_TIMEOUT,
        env={**ctx.variables("CLOUDSDK_*"), **({FILE_ENV: str(adc.path)} if ctx.env(FILE_ENV) else {})},
    )
    if finished.exit_code != 0:
        raise ExpiredCredential(
            "The program `gcloud` gave no token.",
            "Run `gcloud auth application-default print-access-token` to see why.",
        )
    token = finished.stdout.strip()
    if not token:
        raise MissingCredential("The program `gcloud` holds no tokens.", SIGN_IN)
    if len(token.split()) != 1:
        raise BadResponse("The program `gcloud` gave no token that can be used.")
    return Token(Secret(token), ctx.now + GCLOUD_VALID, _account(adc))
