"""The Gemini CLI's Google login: where it is, and its careful renewal."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from quotaline_providers import (
    BadResponse,
    Context,
    Lookup,
    Misconfigured,
    MissingCredential,
    Origin,
    parse_or_none,
    to_number,
)
from quotaline_providers.parsing.payload import to_words
from quotaline_providers.vendors.gemini.payloads import Credentials, KeyringEntry, RefreshAnswer, to_secret

SIGN_IN = "Run `gemini` in a terminal and sign in with Google."
_KEYRING = ("gemini-cli-oauth", "main-account")


@dataclass(frozen=True, slots=True)
class Login:
    """A login and the file it came from; no file when the CLI keeps it in the keyring."""

    credentials: Credentials
    path: Path | None

    @property
    def fingerprint(self) -> str:
        secret = self.credentials.refresh_token or self.credentials.access_token
        return secret.digest() if secret else ""


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
    """The login of the Gemini CLI. Raises MissingCredential; Misconfigured for a login other than Google's."""

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

    Nothing is written when the file is gone, or when the CLI signed in again or renewed the login itself meanwhile.
    A failed write is no failure: Google does not rotate the refresh token.
    """
    if login.path is None or login.credentials.access_token is None:
        return
    with contextlib.suppress(OSError, ValueError, RecursionError):
        await ctx.files.change(login.path, lambda text: _rewritten(text, before, login.credentials))


def _rewritten(text: str, before: Credentials, new: Credentials) -> str | None:
    """What the CLI's file is to say; None where it no longer says what it did `before`. Raises ValueError."""
    raw = json.loads(text)
    if not isinstance(raw, dict) or new.access_token is None or not _untouched(raw, before):
        return None
    raw["access_token"] = new.access_token.reveal()
    if new.expiry_date is not None:
        raw["expiry_date"] = int(new.expiry_date)
    else:
        raw.pop("expiry_date", None)
    if new.id_token is not None:
        raw["id_token"] = new.id_token.reveal()
    return json.dumps(raw, indent=2)


def _untouched(raw: Mapping[str, object], before: Credentials) -> bool:
    return (
        to_secret(raw.get("refresh_token")) == before.refresh_token
        and to_secret(raw.get("access_token")) == before.access_token
        and to_number(raw.get("expiry_date")) == before.expiry_date
    )
