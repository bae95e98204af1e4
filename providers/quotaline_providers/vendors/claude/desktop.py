"""The login of Claude Desktop, for a user of macOS who allows it and has none of Claude Code. Read, never renewed."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from quotaline_providers import Context, Secret, parse_or_none, to_text
from quotaline_providers.vendors.claude.kept import TokenEntry
from quotaline_providers.vendors.claude.keychain import keychain_item

ALLOWED = "desktopLogin"
CACHES = ("oauth:tokenCache", "oauth:tokenCacheV2")  # the later one hides the earlier one's entries
AUDIENCE = "https://api.anthropic.com:"
CLAUDE_CODE = "9d1c250a-e61b-44d9-88ed-5944d1962f5e"
COOKIE_HOST = ".claude.ai"
SAFE_STORAGE, SAFE_ACCOUNT = "Claude Safe Storage", "Claude Key"
ASK_SECONDS = 20.0  # somebody may have to type a password
LARGEST = 4 << 20
_LEFT = timedelta(minutes=2)
_ORGANIZATION = "SELECT encrypted_value FROM cookies WHERE host_key = ? AND name = 'lastActiveOrg'"


@dataclass(frozen=True, slots=True)
class DesktopToken:
    """An access token of one client for one organisation."""

    client: str
    organization: str
    scopes: tuple[str, ...]
    token: Secret
    expires_at: datetime
    subscription: str | None
    tier: str | None

    def rank(self) -> tuple[bool, int, datetime]:
        """How well it suits: Claude Code's own client first, then the most scopes, then the longest life."""
        return self.client == CLAUDE_CODE and "user:inference" in self.scopes, len(self.scopes), self.expires_at


# --- what is kept ----------------------------------------------------------------------------------


def tokens_in(cache: object) -> dict[str, DesktopToken]:
    """The tokens for Anthropic's API by their names `client:organisation:audience:scopes`."""
    found = {}
    for name, value in cache.items() if isinstance(cache, dict) else ():
        client, _, rest = str(name).partition(":")
        organization, _, rest = rest.partition(":")
        entry = parse_or_none(TokenEntry, value)
        if entry is None or entry.token is None or entry.expiresAt is None or not rest.startswith(AUDIENCE):
            continue
        scopes = tuple(rest.removeprefix(AUDIENCE).split())
        token = Secret(entry.token)
        tier = entry.rateLimitTier
        found[name] = DesktopToken(client, organization, scopes, token, entry.expiresAt, entry.subscriptionType, tier)
    return found


def best_of(tokens: Iterable[DesktopToken], organization: str, scope: str, now: datetime) -> DesktopToken | None:
    """The token to use for the active organisation; None when none may read usage or all are about to expire."""
    usable = [
        one
        for one in tokens
        if one.organization == organization and scope in one.scopes and one.expires_at > now + _LEFT
    ]
    return max(usable, key=DesktopToken.rank, default=None)


# --- where it is -----------------------------------------------------------------------------------


def desktop_folder(ctx: Context) -> Path:
    """The folder of Claude Desktop on macOS."""
    return ctx.home / "Library/Application Support/Claude"


def is_allowed(ctx: Context) -> bool:
    """Whether the user allows reading Claude Desktop's login."""
    return ctx.settings.own(ALLOWED) is True and ctx.platform == "darwin"


async def desktop_token(ctx: Context, scope: str) -> DesktopToken | None:
    """The token of the organisation that is active in Claude Desktop; None when it cannot be read or is not known."""
    folder = desktop_folder(ctx)
    if not is_allowed(ctx):
        return None
    try:
        config = await ctx.files.read_json(folder / "config.json", LARGEST)
    except (OSError, ValueError, RecursionError):
        return None
    encrypted = [text for name in CACHES if isinstance(config, dict) and (text := to_text(config.get(name)))]
    password = await keychain_item(ctx, SAFE_STORAGE, SAFE_ACCOUNT, timeout=ASK_SECONDS) if encrypted else None
    if password is None:
        return None
    decrypt = ctx.browsers.decryptor(password)
    organization = await _active_organization(ctx, decrypt)
    tokens: dict[str, DesktopToken] = {}
    for text in encrypted:
        try:
            cache = json.loads(decrypt(base64.b64decode(text)))
        except (ValueError, RecursionError):
            continue
        tokens.update(tokens_in(cache))
    return best_of(tokens.values(), organization, scope, ctx.now) if organization else None


async def _active_organization(ctx: Context, decrypt: Callable[[bytes], bytes]) -> str | None:
    host = hashlib.sha256(COOKIE_HOST.encode()).digest()
    for name in ("Cookies", "Network/Cookies"):
        try:
            rows = await ctx.databases.rows(desktop_folder(ctx) / name, _ORGANIZATION, (COOKIE_HOST,))
        except (OSError, sqlite3.Error):
            continue
        for (encrypted,) in rows:
            try:
                plain = decrypt(bytes(encrypted))
                if plain.startswith(host):
                    return plain[len(host) :].decode() or None
            except (ValueError, TypeError):
                continue
    return None
