"""Google's application default credentials and the project: where they are and what they hold. Nothing is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quotaline_providers import (
    BadResponse,
    Context,
    Lookup,
    Misconfigured,
    MissingCredential,
    Origin,
    Secret,
    clean,
)
from quotaline_providers.access.unusable import empty, told
from quotaline_providers.parsing.payload import jwt_claims, to_words

SIGN_IN = "Run `gcloud auth application-default login`."
FILE_ENV, FOLDER_ENV = "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG"
PROJECT_ENV = ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT")

# Kinds whose tokens come from elsewhere than Google's usual endpoint, even where they look like a user's.
FOREIGN = ("external_account", "external_account_authorized_user", "impersonated_service_account")

_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]*")
_CONFIGURATION = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Adc:
    """The credentials file: its path and its fields, which are never shown."""

    path: Path
    fields: Mapping[str, object] = field(repr=False)

    def text(self, name: str) -> str | None:
        return to_words(self.fields.get(name))

    def secret(self, name: str) -> Secret | None:
        value = self.text(name)
        return Secret(value) if value else None

    @property
    def is_service_account(self) -> bool:
        return self.text("client_email") is not None and self.text("private_key") is not None

    @property
    def is_foreign(self) -> bool:
        return not self.is_service_account and self.text("type") in FOREIGN

    @property
    def fingerprint(self) -> str:
        """Tells one person's login from another's in the same file."""
        secret = self.secret("private_key") or self.secret("refresh_token")
        return secret.digest() if secret else str(self.path)


def email_of(id_token: Secret | None) -> str | None:
    """The e-mail address in an id token, unverified."""
    return to_words(jwt_claims(id_token.reveal() if id_token else None).get("email"))


def folder(ctx: Context) -> Path:
    """gcloud's folder."""
    if (own := ctx.env_path(FOLDER_ENV)) is not None:
        return own
    return (ctx.config_home() if ctx.platform == "win32" else ctx.home / ".config") / "gcloud"


def credentials_path(ctx: Context) -> Path:
    """The file of the application default credentials."""
    return ctx.env_path(FILE_ENV) or folder(ctx) / "application_default_credentials.json"


@dataclass(frozen=True)
class DefaultCredentials(Lookup[Adc]):
    """The application default credentials. Raises MissingCredential, BadResponse."""

    def places(self, ctx: Context) -> tuple[str, ...]:
        return (f"env {FILE_ENV}", ctx.show(folder(ctx) / "application_default_credentials.json"))

    def probe(self, ctx: Context) -> Origin | None:
        path = credentials_path(ctx)
        try:
            return ctx.origin(path) if path.is_file() else None
        except OSError:
            return ctx.origin(path)  # it exists, but may not be looked into: the read will say so

    async def find(self, ctx: Context) -> Adc:
        path = credentials_path(ctx)
        try:
            fields = await ctx.files.read_json(path)
        except FileNotFoundError:
            named = f"{FILE_ENV} names a file that does not exist." if ctx.env(FILE_ENV) else empty(ctx, (FILE_ENV,))
            message = told("Google's application default credentials were not found.", named)
            raise MissingCredential(message, SIGN_IN) from None
        except (OSError, ValueError):
            raise BadResponse("Google's credentials file cannot be read.", SIGN_IN) from None
        if not isinstance(fields, dict):
            raise BadResponse("Google's credentials file is not understood.", SIGN_IN)
        return Adc(path, fields)


# --- the project -----------------------------------------------------------------------------------


async def project_id(ctx: Context, adc: Adc) -> str:
    """The project whose quotas are read. Raises Misconfigured when none is known."""
    found = ctx.settings.workspace_id or (adc.text("project_id") if adc.is_service_account else None)
    found = found or await _selected_project(ctx) or ctx.env(*PROJECT_ENV)
    found = found or adc.text("quota_project_id") or adc.text("project_id")
    if found is None:
        raise Misconfigured("The Google Cloud project is not known.", "Run `gcloud config set project ID`.")
    if _PROJECT.fullmatch(found) is None:
        raise Misconfigured(
            "The Google Cloud project's id is not valid.", "Run `gcloud config set project ID` or correct workspaceID."
        )
    return found


async def _selected_project(ctx: Context) -> str | None:
    """The project of gcloud's selected configuration."""
    name = ctx.env("CLOUDSDK_ACTIVE_CONFIG_NAME") or clean(await _text_of(ctx, folder(ctx) / "active_config"))
    if name is None or _CONFIGURATION.fullmatch(name) is None:
        name = "default"
    text = await _text_of(ctx, folder(ctx) / "configurations" / f"config_{name}")
    return configured_project(text or "")


async def _text_of(ctx: Context, path: Path) -> str | None:
    try:
        return await ctx.files.read(path, limit=1 << 16)
    except (OSError, ValueError):
        return None


def configured_project(text: str) -> str | None:
    """`project` in the `[core]` section of a gcloud configuration, or before any section."""
    section = "core"
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip().lower()
            continue
        name, separator, value = line.partition("=")
        if separator and section == "core" and name.strip() == "project" and (found := clean(value)):
            return found
    return None
