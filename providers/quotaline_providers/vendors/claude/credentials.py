"""The credentials of Claude, in the forms a user may give them: OAuth tokens, Admin API keys, cookies, the program."""

from __future__ import annotations

import os.path
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from quotaline_providers import (
    ApiKey,
    Context,
    CookieHeader,
    Credential,
    Lookup,
    Misconfigured,
    MissingCredential,
    MissingProgram,
    Origin,
    Secret,
    bare_key,
    clean,
    cookie_values,
    in_login_shell,
    normalize_cookie,
)
from quotaline_providers.vendors.claude.desktop import desktop_folder, is_allowed
from quotaline_providers.vendors.claude.logins import (
    SCOPE,
    Login,
    Logins,
    credentials_file,
    desktop_logins,
    local_account,
    root,
    stored_logins,
)

TOKEN_ENV = ("QUOTALINE_CLAUDE_OAUTH_TOKEN", "CODEXBAR_CLAUDE_OAUTH_TOKEN")
SCOPES_ENV = ("QUOTALINE_CLAUDE_OAUTH_SCOPES", "CODEXBAR_CLAUDE_OAUTH_SCOPES")
CLI_TOKEN_ENV = "CLAUDE_CODE_OAUTH_TOKEN"  # noqa: S105 - the name of a variable

KEY_ENV = ("ANTHROPIC_ADMIN_KEY", "ANTHROPIC_ADMIN_API_KEY")

PASTE_AGAIN = "Sign in at claude.ai and paste its `sessionKey` cookie again."


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
    """A token as typed, without quotes and a leading `Bearer`; empty when nothing is left."""
    return bare_key(value) or ""


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


# --- OAuth tokens ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class OauthLogin(Lookup[Logins]):
    """An OAuth login: the selected account's; else one given to Quotaline (environment, config, keyring); else Claude
    Code's; else Claude Desktop's, where the user allowed that."""

    @property
    def settings(self) -> tuple[str, ...]:
        return ("apiKey",)

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
            if (desktop := await desktop_logins(ctx)) is not None:
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
    """The unlabelled credential the user gave, if it has this form."""
    if "" not in ctx.keyring.labels(ctx.provider):
        return None
    secret = await ctx.keyring.own(ctx.provider)
    value = bare_token(secret.reveal()) if secret else ""
    return Secret(value) if value and key_form(value) == form else None


# --- Admin API keys --------------------------------------------------------------------------------


@dataclass(frozen=True)
class AdminKey(Lookup[Credential]):
    """An Admin API key: the selected account's, config `apiKey`, the keyring, the environment."""

    @property
    def settings(self) -> tuple[str, ...]:
        return ApiKey(KEY_ENV).settings

    def places(self, ctx: Context) -> tuple[str, ...]:
        return ApiKey(KEY_ENV).places(ctx)

    def probe(self, ctx: Context) -> Origin | None:
        if ctx.account is not None:
            try:
                return Origin.account(ctx.account.label) if account_token(ctx, "admin") else None
            except MissingCredential:
                return None
        if ctx.settings.api_key and key_form(ctx.settings.api_key) != "admin":
            return next((Origin.env(name) for name in KEY_ENV if ctx.env(name)), None)
        return ApiKey(KEY_ENV).probe(ctx)

    async def find(self, ctx: Context) -> Credential:
        token = account_token(ctx, "admin")
        if token is not None and ctx.account is not None:
            return Credential(Secret(token), Origin.account(ctx.account.label))
        for candidate in await self._ambient(ctx):
            value = bare_token(candidate.secret.reveal())
            if value.startswith("sk-ant-api"):
                raise Misconfigured(
                    f"The Anthropic key ({candidate.origin}) is an ordinary API key, which cannot read usage.",
                    "Create an Admin API key in the Anthropic console.",
                )
            if value and key_form(value) == "admin":
                return Credential(Secret(value), candidate.origin)
        if ctx.source == "api":
            raise MissingCredential(
                "No Anthropic Admin API key is set.", "Create one in the Anthropic console and set it as apiKey."
            )
        raise MissingCredential("Claude is not connected: no login and no Admin API key was found.")

    async def _ambient(self, ctx: Context) -> list[Credential]:
        found: list[Credential] = []
        for lookup in (ApiKey(), ApiKey(KEY_ENV, from_config=False, env_first=True)):
            try:
                found.append(await lookup.find(ctx))
            except MissingCredential:
                continue
        return found


# --- cookies ---------------------------------------------------------------------------------------


def session_key(header: str) -> str | None:
    """The `sessionKey` of a cookie header, if it looks like one of Claude's."""
    value = cookie_values(header).get("sessionKey", "")
    return value if value.startswith("sk-ant-") else None


@dataclass(frozen=True)
class Cookie(Lookup[Credential]):
    """The cookie the user gave: the selected account's, config `cookieHeader`, or the keyring's."""

    @property
    def settings(self) -> tuple[str, ...]:
        return ("apiKey", *CookieHeader("sessionKey").settings)

    def places(self, ctx: Context) -> tuple[str, ...]:
        return CookieHeader("sessionKey").places(ctx)

    def probe(self, ctx: Context) -> Origin | None:
        if ctx.account is not None:
            try:
                return Origin.account(ctx.account.label) if account_token(ctx, "cookie") else None
            except MissingCredential:
                return None
        return CookieHeader("sessionKey").probe(ctx)

    async def find(self, ctx: Context) -> Credential:
        found = await self._given(ctx)
        if session_key(found.secret.reveal()) is None:
            raise MissingCredential("The cookie header has no usable `sessionKey` cookie.", PASTE_AGAIN)
        return found

    async def _given(self, ctx: Context) -> Credential:
        token = account_token(ctx, "cookie")
        if token is not None and ctx.account is not None:
            return Credential(Secret(normalize_cookie(token, "sessionKey") or ""), Origin.account(ctx.account.label))
        try:
            return await CookieHeader("sessionKey").find(ctx)
        except MissingCredential:
            if ctx.settings.cookie_source == "off":
                raise
            key = ctx.settings.api_key
            pasted = Secret(key) if key and key_form(key) == "cookie" else await own_key(ctx, "cookie")
            header = normalize_cookie(pasted.reveal(), "sessionKey") if pasted else None
            if header is None:
                raise
            return Credential(
                Secret(header), Origin.config() if key and pasted and pasted.reveal() == key else Origin.keyring()
            )


# --- the program -----------------------------------------------------------------------------------


def usual_places(ctx: Context) -> tuple[Path, ...]:
    """Where installers put `claude`, apart from PATH."""
    home = ctx.home
    own = (home / ".local/bin/claude", home / ".claude/local/claude", home / ".claude/bin/claude")
    if ctx.platform == "win32":
        return (home / ".local/bin/claude.exe", home / ".local/bin/claude.cmd")
    system = ("/opt/homebrew/bin", "/usr/local/bin", "/Applications/cmux.app/Contents/Resources/bin")
    return (*own, *(Path(folder) / "claude" for folder in system))


def find_program(ctx: Context) -> Path | None:
    """The program `claude`."""
    return ctx.processes.find("claude", env="CLAUDE_CLI_PATH", places=usual_places(ctx))


@dataclass(frozen=True)
class CliProgram(Lookup[Path]):
    """Claude Code, wherever it is installed. It knows only its own login: never the answer to a selected account."""

    def places(self, ctx: Context) -> tuple[str, ...]:
        return ("program `claude`",)

    def probe(self, ctx: Context) -> Origin | None:
        return Origin.program("claude") if ctx.account is None and find_program(ctx) else None

    async def find(self, ctx: Context) -> Path:
        if ctx.account is not None:
            raise MissingCredential(
                f"The program `claude` cannot read the account {ctx.account.label}.",
                "Set the source of Claude to auto.",
            )
        found = find_program(ctx) or await in_login_shell(ctx, "claude")
        if found is None:
            raise MissingProgram(
                "The program `claude` was not found.", "Install Claude Code, then run `claude` and sign in."
            )
        return found


@dataclass(frozen=True)
class CliForOauth(Lookup[Path]):
    """The program, for a user who chose OAuth: only when the login is absent or Claude Code's to renew."""

    def places(self, ctx: Context) -> tuple[str, ...]:
        return ()

    def probe(self, ctx: Context) -> Origin | None:
        return None

    async def find(self, ctx: Context) -> Path:
        if ctx.account is not None or not ctx.interactive:
            raise MissingCredential("The Claude login cannot be used.")
        try:
            logins = await OauthLogin().find(ctx)
        except MissingCredential:
            return await CliProgram().find(ctx)
        if any(not one.owned_by_cli or not one.expired(ctx.now) for one in logins.logins):
            raise MissingCredential("The Claude login was refused.")
        return await CliProgram().find(ctx)
