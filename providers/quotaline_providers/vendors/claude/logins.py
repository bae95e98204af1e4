"""Where Claude Code and Claude Desktop keep their logins, and what is in them."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from quotaline_providers import BadResponse, Context, MissingCredential, ReadError, Secret, clean, parse_or_none
from quotaline_providers.vendors.claude.desktop import desktop_token
from quotaline_providers.vendors.claude.kept import Account, OauthEntry, Settings
from quotaline_providers.vendors.claude.keychain import keychain_item

CUSTOM_URL_ENV = "CLAUDE_CODE_CUSTOM_OAUTH_URL"
SCOPE = "user:profile"
KEYCHAIN_SECONDS = 1.5
RUN_CLAUDE = "Run `claude` once: it renews the login."


# --- a login ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Login:
    """An OAuth token. One `owned_by_cli` is Claude Code's and never renewed by anyone else.

    `renewal` is what the user can do to get a new one. A `renewable` one has a refresh token beside it, which is good
    until `renewable_until` (None when that is not told).
    """

    token: Secret
    origin: str
    expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()
    subscription: str | None = None
    tier: str | None = None
    owned_by_cli: bool = False
    renewal: str = ""
    renewable: bool = False
    renewable_until: datetime | None = None

    def expired(self, now: datetime) -> bool:
        """Whether its time is over. One without a time is worth a try."""
        return self.expires_at is not None and now >= self.expires_at

    def paused(self, now: datetime) -> bool:
        """Whether its time is over only until Claude Code runs again: nobody has to sign in."""
        alive = self.renewable and (self.renewable_until is None or now < self.renewable_until)
        return self.owned_by_cli and alive and self.expired(now)


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
        renewable=entry.renewable,
        renewable_until=entry.renewable_until,
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


async def desktop_logins(ctx: Context) -> Logins | None:
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
    """Who Claude Code says is signed in; None when that is not known, which does not mean signed out."""
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
