"""The Gemini CLI's Google login: where it lies, what it holds, and its careful renewal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from quotaline_providers.contract import Context, Lookup, Origin
from quotaline_providers.errors import BadResponse, Misconfigured, MissingCredential
from quotaline_providers.parsing.payload import Number, Payload, jwt_claims, parse_or_none, to_number, to_words
from quotaline_providers.secret import Secret

SIGN_IN = "Run `gemini` in a terminal and sign in with Google."
MARGIN = timedelta(seconds=60)
_KEYRING = ("gemini-cli-oauth", "main-account")


def _secret(value: object) -> Secret | None:
    if isinstance(value, Secret):
        return value
    text = to_words(value)
    return Secret(text) if text else None


SecretText = Annotated[Secret | None, BeforeValidator(_secret)]


class Credentials(Payload):
    """`oauth_creds.json`. `expiry_date` is epoch milliseconds."""

    access_token: SecretText = None
    refresh_token: SecretText = None
    id_token: SecretText = None
    expiry_date: Number = None

    def needs_refresh(self, now: datetime) -> bool:
        """Without an expiry the token is used as it is."""
        if self.access_token is None:
            return True
        return self.expiry_date is not None and self.expiry_date <= (now + MARGIN).timestamp() * 1000

    @property
    def claims(self) -> tuple[str | None, str | None]:
        """E-mail and hosted domain of the id token, unverified."""
        claims = jwt_claims(self.id_token.reveal() if self.id_token else None)
        return to_words(claims.get("email")), to_words(claims.get("hd"))


class KeyringToken(Payload):
    """The tokens as the CLI keeps them in a keyring; the expiry in milliseconds."""

    access_token: SecretText = Field(default=None, alias="accessToken")
    refresh_token: SecretText = Field(default=None, alias="refreshToken")
    expires_at: Number = Field(default=None, alias="expiresAt")


class KeyringEntry(Payload):
    """The item the CLI keeps when it is told to encrypt its login."""

    token: KeyringToken


@dataclass(frozen=True, slots=True)
class Login:
    """A login and the file it came from; no file when the CLI keeps it in the keyring."""

    credentials: Credentials
    path: Path | None

    @property
    def fingerprint(self) -> str:
        secret = self.credentials.refresh_token or self.credentials.access_token
        return secret.digest() if secret else ""


class RefreshAnswer(Payload):
    """POST /token of Google's OAuth. `expires_in` is seconds."""

    access_token: SecretText = None
    id_token: SecretText = None
    expires_in: Number = None


def folder(ctx: Context) -> Path:
    """The CLI's folder."""
    if own := ctx.settings.own_text("configDir"):
        return ctx.expand(own)
    return (ctx.env_path("GEMINI_CLI_HOME") or ctx.home) / ".gemini"


def credentials_path(ctx: Context) -> Path:
    """The file in which the CLI keeps its login."""
    return folder(ctx) / "oauth_creds.json"


def _encrypted(ctx: Context) -> bool:
    return (ctx.env("GEMINI_FORCE_ENCRYPTED_FILE_STORAGE") or "").lower() == "true"


@dataclass(frozen=True)
class CliLogin(Lookup[Login]):
    """The login of the Gemini CLI. Raises MissingCredential; Misconfigured for a login that is no Google login."""

    def places(self, ctx: Context) -> tuple[str, ...]:
        keyring = (f"keyring {_KEYRING[0]}",) if _encrypted(ctx) else ()
        return (ctx.show(credentials_path(ctx)), *keyring)

    def probe(self, ctx: Context) -> Origin | None:
        path = credentials_path(ctx)
        try:
            return ctx.origin(path) if path.is_file() else None
        except OSError:
            return None

    async def find(self, ctx: Context) -> Login:
        await _refuse_other_kinds(ctx)
        path = credentials_path(ctx)
        try:
            raw = await ctx.files.read_json(path)
        except FileNotFoundError:
            return Login(await _from_keyring(ctx), None)
        except (OSError, ValueError):
            raise BadResponse("The Gemini CLI's login file cannot be read.", SIGN_IN) from None
        credentials = parse_or_none(Credentials, raw) if isinstance(raw, dict) else None
        if credentials is None:
            raise BadResponse("The Gemini CLI's login file is not understood.", SIGN_IN)
        return Login(credentials, path)


async def _refuse_other_kinds(ctx: Context) -> None:
    try:
        raw = await ctx.files.read_json(folder(ctx) / "settings.json")
    except (OSError, ValueError):
        return
    for key in ("security", "auth", "selectedType"):
        raw = raw.get(key) if isinstance(raw, Mapping) else None
    name = {"gemini-api-key": "an API key", "api-key": "an API key", "vertex-ai": "Vertex AI"}.get(str(raw))
    if name:
        raise Misconfigured(
            f"The Gemini CLI signs in with {name}, which has no quota to read here.",
            "Run `gemini`, choose `/auth` and sign in with Google.",
        )


async def _from_keyring(ctx: Context) -> Credentials:
    secret = await ctx.keyring.get(*_KEYRING) if _encrypted(ctx) else None
    entry = None
    if secret is not None:
        try:
            entry = parse_or_none(KeyringEntry, json.loads(secret.reveal()))
        except (ValueError, RecursionError):
            entry = None
    if entry is None:
        raise MissingCredential("The Gemini CLI is not signed in.", SIGN_IN)
    token = entry.token
    return Credentials(access_token=token.access_token, refresh_token=token.refresh_token, expiry_date=token.expires_at)


async def active_email(ctx: Context) -> str | None:
    """The account the CLI calls active."""
    try:
        raw = await ctx.files.read_json(folder(ctx) / "google_accounts.json")
    except (OSError, ValueError):
        return None
    return to_words(raw.get("active")) if isinstance(raw, Mapping) else None


def renewed(login: Login, answer: RefreshAnswer, now: datetime) -> Login:
    """The login with the answer's tokens; what the answer does not give stays."""
    expiry = None if answer.expires_in is None else int((now.timestamp() + answer.expires_in) * 1000)
    credentials = login.credentials.model_copy(
        update={
            "access_token": answer.access_token,
            "id_token": answer.id_token or login.credentials.id_token,
            "expiry_date": expiry,
        }
    )
    return replace(login, credentials=credentials)


async def write_back(ctx: Context, before: Credentials, login: Login) -> None:
    """Keep a renewed login for the CLI, too.

    Nothing is written when the file is gone, or when the CLI signed in anew or renewed the login itself meanwhile.
    A failed write is no failure: Google does not rotate the refresh token.
    """
    if login.path is None or login.credentials.access_token is None:
        return
    try:
        raw = await ctx.files.read_json(login.path)
        if not isinstance(raw, dict) or not _untouched(raw, before):
            return
        raw["access_token"] = login.credentials.access_token.reveal()
        if login.credentials.expiry_date is not None:
            raw["expiry_date"] = int(login.credentials.expiry_date)
        else:
            raw.pop("expiry_date", None)
        if login.credentials.id_token is not None:
            raw["id_token"] = login.credentials.id_token.reveal()
        await ctx.files.replace(login.path, json.dumps(raw, indent=2))
    except (OSError, ValueError):
        return


def _untouched(raw: Mapping[str, object], before: Credentials) -> bool:
    return (
        _secret(raw.get("refresh_token")) == before.refresh_token
        and _secret(raw.get("access_token")) == before.access_token
        and to_number(raw.get("expiry_date")) == before.expiry_date
    )
