"""Finding what lets us in: OAuth tokens of the user or of Claude Code, by the order and forms Claude knows."""

from __future__ import annotations

import hashlib
import json
import os.path
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from quotaline_providers.contract import Context, Lookup, Origin
from quotaline_providers.errors import BadResponse, MissingCredential, ReadError
from quotaline_providers.model import Identity
from quotaline_providers.parsing.payload import Payload, Text, When, clean, lenient, parse_or_none
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.claude.desktop import desktop_folder, desktop_token, is_allowed
from quotaline_providers.vendors.claude.keychain import keychain_item
from quotaline_providers.vendors.claude.usage import texts

TOKEN_ENV = ("QUOTALINE_CLAUDE_OAUTH_TOKEN", "CODEXBAR_CLAUDE_OAUTH_TOKEN")
SCOPES_ENV = ("QUOTALINE_CLAUDE_OAUTH_SCOPES", "CODEXBAR_CLAUDE_OAUTH_SCOPES")
CLI_TOKEN_ENV = "CLAUDE_CODE_OAUTH_TOKEN"  # noqa: S105 - the name of a variable
CUSTOM_URL_ENV = "CLAUDE_CODE_CUSTOM_OAUTH_URL"
SCOPE = "user:profile"
KEYCHAIN_SECONDS = 1.5
RUN_CLAUDE = "Run `claude` once: it renews the login."

# --- the forms of a credential ---------------------------------------------------------------------

Form = Literal["admin", "oauth", "cookie"]


def form_of(value: str) -> Form:
    """Which kind of credential a labelled account's text is."""
    text = bare_token(value)
    if _is_cookie(text):
        return "cookie"
    return "admin" if text.startswith("sk-ant-admin") else "oauth" if text.startswith("sk-ant-oat") else "cookie"


def key_form(value: str) -> Form:
    """As `form_of`, for a place meant for keys: whatever is neither a cookie nor an OAuth token is an Admin key."""
    text = bare_token(value)
    if _is_cookie(text) or text.startswith("sk-ant-sid"):
        return "cookie"
    return "oauth" if text.startswith("sk-ant-oat") else "admin"


def bare_token(value: str) -> str:
    """A token as typed, without quotes and a leading `Bearer`."""
    text = clean(value) or ""
    return text[7:].strip() if text[:7].lower() == "bearer " else "" if text.lower() == "bearer" else text


def _is_cookie(text: str) -> bool:
    return "=" in text or text.lower().startswith("cookie:")


def account_token(ctx: Context, form: Form) -> str | None:
    """The selected account's token if it has this form; None without a selected account.

    Raises MissingCredential when the selected account is something else: it alone decides.
    """
    if ctx.account is None:
        return None
    value = ctx.account.token.reveal() if ctx.account.token else ""
    if not bare_token(value):
        raise MissingCredential(f"The account {ctx.account.label} has no token.", "Give this account its token again.")
    if form_of(value) != form:
        raise MissingCredential(
            f"The account {ctx.account.label} holds another kind of credential.",
            "Set the source of Claude to auto, or select another account.",
        )
    return value.strip() if form == "cookie" else bare_token(value)


# --- Claude Code's store ---------------------------------------------------------------------------


class OauthEntry(Payload):
    """`claudeAiOauth` of Claude Code's store; `expiresAt` is epoch milliseconds."""

    access_token: Text = Field(default=None, alias="accessToken", repr=False)
    expires_at: When = Field(default=None, alias="expiresAt")
    scopes: Annotated[tuple[str, ...], BeforeValidator(texts)] = ()
    subscription_type: Text = Field(default=None, alias="subscriptionType")
    tier: Text = Field(default=None, alias="rateLimitTier")


class Account(Payload):
    """`oauthAccount` of Claude Code's settings: who is signed in."""

    uuid: Text = Field(default=None, alias="accountUuid")
    email: Text = Field(default=None, alias="emailAddress")
    organization_uuid: Text = Field(default=None, alias="organizationUuid")
    organization: Text = Field(default=None, alias="organizationName")

    def identity(self) -> Identity:
        return Identity(account_id=self.uuid, email=self.email, organization=self.organization)


class Settings(Payload):
    """Claude Code's own settings file."""

    account: Annotated[Account | None, lenient(Account)] = Field(default=None, alias="oauthAccount")


@dataclass(frozen=True, slots=True)
class Login:
    """An OAuth token. One `owned_by_cli` is Claude Code's and never renewed by anyone else.

    `renewal` tells how the user gets a new one.
    """

    token: Secret
    origin: str
    expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()
    subscription: str | None = None
    tier: str | None = None
    owned_by_cli: bool = False
    renewal: str = ""

    def expired(self, now: datetime) -> bool:
        """Whether its time is over. One without a time is worth a try."""
        return self.expires_at is not None and now >= self.expires_at


@dataclass(frozen=True, slots=True)
class Logins:
    """The logins to try, best first, and whose they are."""

    logins: tuple[Login, ...]
    account: Account | None = None
    store: str = ""

    @property
    def fingerprint(self) -> str:
        """Stays the same when Claude Code renews its token, changes with the account."""
        if self.account is not None and self.account.uuid:
            return f"{self.store}\0{self.account.uuid}"
        return self.store or self.logins[0].token.digest()


def root(ctx: Context) -> Path:
    """The folder in which Claude Code keeps its login: one literal path, nothing expanded."""
    secure = ctx.environ.get("CLAUDE_SECURESTORAGE_CONFIG_DIR")
    if secure is not None:
        return Path(secure) if secure else ctx.home / ".claude"
    return config_root(ctx)


def config_root(ctx: Context) -> Path:
    """The folder in which Claude Code keeps everything else."""
    value = ctx.environ.get("CLAUDE_CONFIG_DIR")
    return Path(value) if value else ctx.home / ".claude"


def credentials_file(ctx: Context) -> Path:
    """The file in which Claude Code keeps its login."""
    return root(ctx) / ".credentials.json"


def to_login(text: str, origin: str) -> Login:
    """The login in a store's JSON. Raises MissingCredential when it holds none, BadResponse when it is malformed."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise BadResponse("Claude Code's login could not be understood.", "Run `claude` and sign in again.")
    entry = parse_or_none(OauthEntry, data.get("claudeAiOauth"))
    if data.get("claudeAiOauth") is not None and entry is None:
        raise BadResponse("Claude Code's login could not be understood.", "Run `claude` and sign in again.")
    if entry is None and "mcpOAuth" in data:
        raise MissingCredential(
            "Claude Code keeps only logins of MCP servers, no subscription login.", "Run `claude` and use `/login`."
        )
    if entry is None or entry.access_token is None:
        raise MissingCredential("Claude Code is not signed in.")
    return Login(
        Secret(entry.access_token),
        origin,
        expires_at=entry.expires_at,
        scopes=entry.scopes,
        subscription=entry.subscription_type,
        tier=entry.tier,
        owned_by_cli=True,
        renewal=RUN_CLAUDE,
    )


async def stored_logins(ctx: Context) -> tuple[Login, ...]:
    """Claude Code's logins: the macOS Keychain's (only when the user asked), then the file's.

    Raises MissingCredential, BadResponse when there is none.
    """
    found: list[Login] = []
    problems: list[ReadError] = []
    chained = await _keychain(ctx)
    items = [(chained, "Keychain")] if chained else []
    path = credentials_file(ctx)
    try:
        items.append((await ctx.files.read(path), ctx.show(path)))
    except FileNotFoundError:
        pass
    except (OSError, ValueError):
        problems.append(BadResponse("Claude Code's login file could not be read.", "Check the file's permissions."))
    for text, origin in items:
        try:
            found.append(to_login(text, origin))
        except ReadError as error:
            problems.append(error)
    if found:
        return tuple(found)
    raise problems[0] if problems else MissingCredential("No login of Claude Code was found.")


def keychain_services(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The names under which Claude Code keeps its login in the macOS Keychain, the likeliest first."""
    plain = "Claude Code-custom-oauth-credentials" if clean(environ.get(CUSTOM_URL_ENV)) else "Claude Code-credentials"
    folder = environ.get("CLAUDE_CONFIG_DIR")
    if not folder:
        return (plain,)
    digest = hashlib.sha256(unicodedata.normalize("NFC", folder).encode()).hexdigest()[:8]
    return (f"{plain}-{digest}", plain)


async def _keychain(ctx: Context) -> str | None:
    # The grant is lost whenever the CLI renews the item, so that the user may be asked again and again.
    user = ctx.environ.get("USER") or ""
    for service in keychain_services(ctx.environ):
        for account in dict.fromkeys((user, "")):
            if item := await keychain_item(ctx, service, account, timeout=KEYCHAIN_SECONDS):
                return item.reveal()
    return None


async def _desktop(ctx: Context) -> Logins | None:
    found = await desktop_token(ctx, SCOPE)
    if found is None:
        return None
    login = Login(
        found.token,
        "Claude Desktop",
        expires_at=found.expires_at,
        scopes=found.scopes,
        subscription=found.subscription,
        tier=found.tier,
        renewal="Open Claude Desktop: it renews the login.",
    )
    return Logins((login,), store=f"desktop\0{found.organization}")


async def local_account(ctx: Context) -> Account | None:
    """Who Claude Code says is signed in; None when that cannot be told, which does not mean signed out."""
    own = root(ctx) / ".config.json"
    folder = ctx.environ.get("CLAUDE_CONFIG_DIR")
    usual = (Path(folder) if folder else ctx.home) / ".claude.json"
    for path in (own, usual):
        try:
            data = await ctx.files.read_json(path, 64 << 20)
        except FileNotFoundError:
            continue
        except (OSError, ValueError):
            return None
        settings = parse_or_none(Settings, data)
        return settings.account if settings else None
    return None


# --- the lookup ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OauthLogin(Lookup[Logins]):
    """An OAuth login: the selected account's; else ours (environment, config, keyring); else Claude Code's; else
    Claude Desktop's, where the user allowed that."""

    def places(self, ctx: Context) -> tuple[str, ...]:
        chain = ("macOS Keychain",) if ctx.platform == "darwin" else ()
        env = tuple(f"env {name}" for name in TOKEN_ENV)
        desktop = (ctx.show(desktop_folder(ctx) / "config.json"),) if is_allowed(ctx) else ()
        return (*env, "config apiKey", "keyring", *chain, ctx.show(credentials_file(ctx)), *desktop)

    def probe(self, ctx: Context) -> Origin | None:
        if ctx.account is not None:
            return Origin.account(ctx.account.label) if _account_is(ctx, "oauth") else None
        for name in TOKEN_ENV:
            if clean(ctx.environ.get(name)):
                return Origin.env(name)
        if ctx.settings.api_key and key_form(ctx.settings.api_key) == "oauth":
            return Origin.config()
        desktop = (desktop_folder(ctx) / "config.json",) if is_allowed(ctx) else ()
        files = (credentials_file(ctx), *desktop)
        return next((ctx.origin(path) for path in files if os.path.exists(path)), None)

    async def find(self, ctx: Context) -> Logins:
        token = account_token(ctx, "oauth")
        if token is not None and ctx.account is not None:
            return Logins((Login(Secret(token), f"account {ctx.account.label}"),))
        own = await self._own(ctx)
        if own is not None:
            return Logins((own,))
        try:
            logins = await stored_logins(ctx)
        except MissingCredential:
            if (desktop := await _desktop(ctx)) is not None:
                return desktop
            if ctx.env(CLI_TOKEN_ENV):
                raise MissingCredential(
                    "The token of `claude setup-token` cannot read usage.", "Run `claude` and sign in with `/login`."
                ) from None
            raise
        return Logins(logins, await local_account(ctx), str(root(ctx)))

    async def _own(self, ctx: Context) -> Login | None:
        scopes = tuple(part.strip() for part in (ctx.env(*SCOPES_ENV) or SCOPE).split(",") if part.strip())
        for name in TOKEN_ENV:
            if value := bare_token(ctx.environ.get(name, "")):
                return Login(Secret(value), f"env {name}", scopes=scopes)
        if ctx.settings.api_key and key_form(ctx.settings.api_key) == "oauth":
            return Login(Secret(bare_token(ctx.settings.api_key)), "config")
        secret = await own_key(ctx, "oauth")
        return Login(secret, "keyring") if secret else None


def _account_is(ctx: Context, form: Form) -> bool:
    return bool(ctx.account and ctx.account.token and form_of(ctx.account.token.reveal()) == form)


async def own_key(ctx: Context, form: Form) -> Secret | None:
    """The unlabelled credential the user gave us, if it has this form."""
    if "" not in ctx.keyring.labels(ctx.provider):
        return None
    secret = await ctx.keyring.own(ctx.provider)
    value = bare_token(secret.reveal()) if secret else ""
    return Secret(value) if value and key_form(value) == form else None
