"""Where the Codex program keeps its login, read without ever spending its refresh token."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from quotaline_providers import (
    Context,
    Credential,
    Lookup,
    MissingCredential,
    Origin,
    Secret,
    jwt_claims,
    parse_or_none,
    to_text,
)
from quotaline_providers.vendors.codex.homes import DEFAULT_BASE, codex_home, is_named, service_base
from quotaline_providers.vendors.codex.payloads import AuthFile, Expiry, OpenCodeFile

API_KEY_LOGIN = "Codex is signed in with an API key, which has no subscription usage."
_SLACK = timedelta(minutes=5)  # the Codex program's own
_EXTERNAL_SLACK = timedelta(seconds=60)
_OLD = timedelta(days=8)
_AUTH_CLAIM = "https://api.openai.com/auth"
_PROFILE_CLAIM = "https://api.openai.com/profile"


@dataclass(frozen=True)
class Login:
    """A subscription login. An `external` one belongs to another program and is never refreshed through Codex.

    `base` is the only address it may be sent to (beside the vendor's own): see `bound`.
    """

    access_token: Secret
    origin: str
    account_id: str | None = None
    email: str | None = None
    plan: str | None = None
    stale: bool = False
    external: bool = False
    base: str = DEFAULT_BASE

    @property
    def fingerprint(self) -> str:
        """Stays the same when the program rotates its tokens, where the account is known."""
        known = self.account_id or self.email
        return hashlib.sha256(known.encode()).hexdigest()[:16] if known else self.access_token.digest()


@dataclass(frozen=True, slots=True)
class BoundToken(Credential):
    """A personal access token, and the only address it may be sent to (beside the vendor's own)."""

    base: str = DEFAULT_BASE


# --- what it means ---------------------------------------------------------------------------------


def to_login(file: AuthFile, origin: str, now: datetime, *, external: bool = False) -> Login | None:
    """The login in an `auth.json`; None when it holds no tokens."""
    tokens = file.tokens
    if tokens is None or tokens.access_token is None:
        return None
    id_claims, access_claims = jwt_claims(tokens.id_token), jwt_claims(tokens.access_token)
    return Login(
        access_token=Secret(tokens.access_token),
        origin=origin,
        account_id=tokens.account_id or file.account_id or account_in(id_claims) or account_in(access_claims),
        email=to_text(id_claims.get("email")) or to_text(_nested(id_claims, _PROFILE_CLAIM).get("email")),
        plan=to_text(_nested(id_claims, _AUTH_CLAIM).get("chatgpt_plan_type"))
        or to_text(id_claims.get("chatgpt_plan_type")),
        stale=is_stale(access_claims, file.last_refresh, now),
        external=external,
    )


def is_stale(access_claims: Mapping[str, Any], last_refresh: datetime | None, now: datetime) -> bool:
    """Whether the access token is spent: by its own expiry, or when that is unreadable by its age."""
    expiry = parse_or_none(Expiry, dict(access_claims))
    if expiry and expiry.exp:
        return expiry.exp <= now + _SLACK
    return last_refresh is not None and last_refresh < now - _OLD


def account_in(claims: Mapping[str, Any]) -> str | None:
    """The account id in a token's claims."""
    direct = to_text(claims.get("chatgpt_account_id")) or to_text(
        _nested(claims, _AUTH_CLAIM).get("chatgpt_account_id")
    )
    if direct:
        return direct
    organizations = claims.get("organizations")
    items = organizations if isinstance(organizations, list) else []
    return next((id for item in items if isinstance(item, dict) and (id := to_text(item.get("id")))), None)


def _nested(claims: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = claims.get(name)
    return value if isinstance(value, dict) else {}


def from_keyring_text(text: str) -> AuthFile | None:
    """A keyring value: the file's JSON, or that JSON written as hexadecimal digits."""
    try:
        return parse_or_none(AuthFile, json.loads(text))
    except (ValueError, RecursionError):
        pass
    try:
        return parse_or_none(AuthFile, json.loads(bytes.fromhex(text.strip().removeprefix("0x")).decode()))
    except (ValueError, RecursionError):
        return None


# --- where it is -----------------------------------------------------------------------------------


async def read_auth(ctx: Context, path: Path) -> AuthFile | None:
    """The file's content; None when there is no such file. Raises MissingCredential when it cannot be used."""
    try:
        content = await ctx.files.read_json(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, RecursionError):
        raise MissingCredential(f"The login file {ctx.show(path)} is malformed.", "Run `codex login` again.") from None
    except OSError:
        raise MissingCredential(f"The login file {ctx.show(path)} cannot be read.", "Check who may read it.") from None
    file = parse_or_none(AuthFile, content)
    if file is None:
        raise MissingCredential(f"The login file {ctx.show(path)} is malformed.", "Run `codex login` again.")
    return file


def _without_tokens(ctx: Context, file: AuthFile, path: Path) -> MissingCredential:
    if file.openai_api_key and not file.has_tokens:
        return MissingCredential(API_KEY_LOGIN, "Run `codex login` and choose your ChatGPT account.")
    return MissingCredential(f"The login file {ctx.show(path)} holds no login.", "Run `codex login`.")


def _missing(ctx: Context) -> MissingCredential:
    if ctx.account is None:
        return MissingCredential("No Codex login was found.")
    home = ctx.show(codex_home(ctx))
    return MissingCredential(
        f"No Codex login was found in {home}.", f"Run `codex login` with CODEX_HOME set to {home}."
    )


def allows_external(ctx: Context) -> bool:
    """Whether logins of other programs may be read: the user said so, and named no home of Codex."""
    return ctx.settings.own("externalSources") is True and not is_named(ctx)


def _external_files(ctx: Context) -> tuple[Path, Path]:
    data = ctx.env_path("XDG_DATA_HOME")
    data = data if data and data.is_absolute() else ctx.home / ".local/share"
    return ctx.home / ".config/codex/auth.json", data / "opencode/auth.json"


async def _external_login(ctx: Context) -> Login | None:
    own, opencode = _external_files(ctx)
    try:
        file = await read_auth(ctx, own)
    except MissingCredential:
        file = None
    if file and (login := to_login(file, ctx.show(own), ctx.now, external=True)):
        return login
    try:
        entries = parse_or_none(OpenCodeFile, await ctx.files.read_json(opencode))
    except (OSError, ValueError, RecursionError):
        return None
    entry = entries.openai if entries else None
    if entry is None or (entry.type or "").lower() != "oauth" or entry.access is None:
        return None
    return Login(
        access_token=Secret(entry.access),
        origin=ctx.show(opencode),
        account_id=entry.accountId or account_in(jwt_claims(entry.access)),
        stale=entry.expires is not None and entry.expires <= ctx.now + _EXTERNAL_SLACK,
        external=True,
    )


async def _keyring_login(ctx: Context) -> Login | None:
    home = await ctx.files.in_thread(codex_home(ctx).resolve)
    account = "cli|" + hashlib.sha256(str(home).encode()).hexdigest()[:16]
    secret = await ctx.keyring.get("Codex Auth", account)
    file = from_keyring_text(secret.reveal()) if secret else None
    return to_login(file, "keyring", ctx.now) if file else None


async def native_login(ctx: Context) -> Login | None:
    """The Codex program's own login file as a login; None when there is no file or no tokens in it."""
    path = codex_home(ctx) / "auth.json"
    file = await read_auth(ctx, path)
    return to_login(file, ctx.show(path), ctx.now) if file else None


async def bound(ctx: Context, login: Login) -> Login:
    """The login that the Codex program keeps in its home, with the address that the settings beside it name.

    Raises Misconfigured.
    """
    return replace(login, base=await service_base(ctx, codex_home(ctx)))


# --- lookups ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SubscriptionLogin(Lookup[Login]):
    """The login of `codex login`; other programs' only when the user allowed it; the keyring's last."""

    def places(self, ctx: Context) -> tuple[str, ...]:
        external = tuple(ctx.show(path) for path in _external_files(ctx)) if allows_external(ctx) else ()
        return (ctx.show(codex_home(ctx) / "auth.json"), *external, "keyring (Codex Auth)")

    def probe(self, ctx: Context) -> Origin | None:
        files = (codex_home(ctx) / "auth.json", *(_external_files(ctx) if allows_external(ctx) else ()))
        return next((ctx.origin(path) for path in files if present(path)), None)

    async def find(self, ctx: Context) -> Login:
        path = codex_home(ctx) / "auth.json"
        file = await read_auth(ctx, path)
        if file is not None:
            login = to_login(file, ctx.show(path), ctx.now)
            if login is None:
                raise _without_tokens(ctx, file, path)
            return await bound(ctx, login)
        if allows_external(ctx) and (login := await _external_login(ctx)):
            return login
        login = await _keyring_login(ctx)
        if login is None:
            raise _missing(ctx)
        return await bound(ctx, login)


@dataclass(frozen=True)
class AccessToken(Lookup[BoundToken]):
    """A personal access token in `auth.json`, of `CODEX_HOME` or of the default home. A profile's is only its own.

    One of another home than the one that is read goes to the vendor alone.
    """

    def places(self, ctx: Context) -> tuple[str, ...]:
        return tuple(f"{ctx.show(path)} (personal access token)" for path in self._files(ctx))

    def probe(self, ctx: Context) -> Origin | None:
        return None  # only the file's content says, and the other strategies report the file

    async def find(self, ctx: Context) -> BoundToken:
        reason: MissingCredential | None = None
        for path in self._files(ctx):
            try:
                file = await read_auth(ctx, path)
            except MissingCredential as error:
                reason = reason or error
                continue
            if file is None:
                continue
            if file.personal_access_token:
                home = codex_home(ctx)
                base = await service_base(ctx, home) if path.parent == home else DEFAULT_BASE
                return BoundToken(Secret(file.personal_access_token), ctx.origin(path), base=base)
            if file.has_tokens:
                reason = reason or MissingCredential(f"{ctx.show(path)} holds no personal access token.")
            else:
                reason = reason or _without_tokens(ctx, file, path)
        raise reason or _missing(ctx)

    def _files(self, ctx: Context) -> tuple[Path, ...]:
        homes = (codex_home(ctx),) if ctx.account else (codex_home(ctx), ctx.home / ".codex")
        return tuple(dict.fromkeys(home / "auth.json" for home in homes))


def present(path: Path) -> bool:
    """Whether the path exists, or cannot be looked at."""
    try:
        return path.exists()
    except OSError:
        return True
