"""Where Kimi's tokens are: Kimi Code's own login file, and the `kimi-auth` cookie of the web."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from quotaline_providers import (
    ApiKey,
    Context,
    Credential,
    ExpiredCredential,
    LoginFile,
    Lookup,
    MissingCredential,
    Origin,
    Secret,
    clean,
    parse_or_none,
)
from quotaline_providers.vendors.kimi.payloads import Login
from quotaline_providers.vendors.kimi.regions import CHINA, REGIONS, Region, configured, named, region_of_text

BASE_URL = "KIMI_CODE_BASE_URL"
_OTHER_HOSTS = (BASE_URL, "KIMI_CODE_OAUTH_HOST", "KIMI_OAUTH_HOST")
_COOKIE = re.compile(r"(?<![\w-])kimi-auth\s*[=:]\s*[\"']?([A-Za-z0-9._\-+=/]+)", re.IGNORECASE)
_JWT = re.compile(r"eyJ[^.\s]*\.[^.\s]+\.[^.\s]+")
_QUERY = "SELECT value, host_key FROM cookies WHERE name = 'kimi-auth' ORDER BY last_access_utc DESC LIMIT 1000"
_LONGEST = 16_384
_RAW = ("KIMI_AUTH_TOKEN", "kimi_auth_token")
_SIGN_IN_AGAIN = "Sign in again with the Kimi Code CLI (run `kimi`, then `/login`)."

# --- Kimi Code -------------------------------------------------------------------------------------


def cli_home(ctx: Context) -> Path:
    """The folder of Kimi Code."""
    return ctx.env_path("KIMI_CODE_HOME") or ctx.home / ".kimi-code"


def login_files(ctx: Context) -> tuple[Path, ...]:
    """The login file; none where another host is set, because its token must not go there."""
    if ctx.settings.enterprise_host or ctx.env(*_OTHER_HOSTS):
        return ()
    return (cli_home(ctx) / "credentials" / "kimi-code.json",)


async def cli_token(ctx: Context, path: Path) -> Secret:
    """The token in the login file. Raises MissingCredential, ExpiredCredential."""
    try:
        login = parse_or_none(Login, await ctx.files.read_json(path))
    except (OSError, ValueError):
        login = None
    if login is None or not (login.access_token or login.refresh_token):
        raise MissingCredential("The login of the Kimi Code CLI cannot be read.", _SIGN_IN_AGAIN)
    if not login.usable(ctx.now):
        raise ExpiredCredential("The login of the Kimi Code CLI has expired.", _SIGN_IN_AGAIN)
    return Secret(login.access_token or "")


async def cli_region(ctx: Context) -> Region:
    """The region that the CLI is signed in to: its file `region`, else config `region`, else China.

    Raises MissingCredential when the file names one region and the config the other: the token stays in its own.
    """
    try:
        noted = named((await ctx.files.read(cli_home(ctx) / "region", limit=4096)).strip())
    except (OSError, ValueError):
        noted = None
    wanted = configured(ctx)
    if noted is not None and wanted is not None and noted != wanted:
        raise MissingCredential(
            f"The Kimi Code CLI is signed in to the region {noted.name}, and the config names {wanted.name}.",
            "Remove region from the config, or sign in to that region with the Kimi Code CLI.",
        )
    return noted or wanted or CHINA


# --- the web ---------------------------------------------------------------------------------------


def web_token(text: str) -> str | None:
    """The token in a pasted header, cURL command or bare token; None when there is none."""
    if match := _COOKIE.search(text):
        return match.group(1)
    bare = clean(text) or ""
    return bare if _JWT.fullmatch(bare) else None


def desktop_databases(ctx: Context) -> Iterator[Path]:
    """The cookie databases Kimi Desktop may keep."""
    if ctx.platform == "darwin":
        yield ctx.home / "Library" / "Application Support" / "kimi-desktop" / "Cookies"
        return
    for folder in ((), ("Network",)):
        yield ctx.config_home().joinpath("kimi-desktop", *folder, "Cookies")


async def desktop_token(ctx: Context, path: Path) -> WebCredential | None:
    """The newest readable token in a cookie database, of the configured region if there is one; None when it has none
    or cannot be read."""
    try:
        rows = await ctx.databases.rows(path, _QUERY)
    except (OSError, sqlite3.Error):
        return None
    wanted = configured(ctx)
    for value, host, *_ in rows:
        region = next((region for region in REGIONS if host in region.cookie_hosts), None)
        token = clean(value) if isinstance(value, str) and len(value) <= _LONGEST else None
        if token and token.isascii() and region is not None and wanted in (None, region):
            return WebCredential(Secret(token), ctx.origin(path), region=region)
    return None


@dataclass(frozen=True, slots=True)
class WebCredential(Credential):
    """A web token, and the region whose web it is of."""

    region: Region = CHINA


@dataclass(frozen=True)
class WebToken(Lookup[WebCredential]):
    """The web token: pasted (config, keyring), the environment, Kimi Desktop, and last any raw text.

    With `cookieSource` manual only what was pasted counts; off leaves Kimi Desktop out.
    """

    @property
    def settings(self) -> tuple[str, ...]:
        return ("cookieHeader", "cookieSource")

    def places(self, ctx: Context) -> tuple[str, ...]:
        desktop = tuple(ctx.show(path) for path in desktop_databases(ctx))
        return (
            "config cookieHeader",
            "keyring (label cookie)",
            "env KIMI_MANUAL_COOKIE",
            "env KIMI_AUTH_TOKEN",
            *desktop,
        )

    def probe(self, ctx: Context) -> Origin | None:
        source = ctx.settings.cookie_source
        if source != "off" and ctx.settings.cookie_header:
            return Origin.config()
        if source != "off" and "cookie" in ctx.keyring.labels(ctx.provider):
            return Origin.keyring()
        if source == "manual":
            return None
        if found := self._from_environment(ctx):
            return found.origin
        desktop = next((path for path in desktop_databases(ctx) if path.is_file()), None) if source != "off" else None
        if desktop:
            return ctx.origin(desktop)
        return next((Origin.env(name) for name in _RAW if ctx.env(name)), None)

    async def find(self, ctx: Context) -> WebCredential:
        return await anext(self.each(ctx))

    async def each(self, ctx: Context) -> AsyncIterator[WebCredential]:
        source = ctx.settings.cookie_source
        if source != "off":
            pasted = await self._pasted(ctx)
            if pasted is not None:
                token = web_token(pasted.secret.reveal())
                if token is None:
                    raise MissingCredential("The cookie header holds no usable `kimi-auth` token.")
                yield self._of_region(ctx, token, pasted.origin, pasted.secret.reveal())
                return
        nothing = True
        async for found in self._not_pasted(ctx, source):
            nothing = False
            yield found
        if not nothing:
            return
        site = (configured(ctx) or CHINA).site.removeprefix("https://")
        raise MissingCredential(f"No `kimi-auth` token of {site} was found.")

    def _of_region(self, ctx: Context, token: str, origin: Origin, pasted: str) -> WebCredential:
        """The token with the region that its text names, else the configured one. Raises MissingCredential when these
        differ."""
        named, wanted = region_of_text(pasted), configured(ctx)
        if named is not None and wanted is not None and named != wanted:
            message = f"The pasted `kimi-auth` token is of {named.domain}, and the config names {wanted.name}."
            raise MissingCredential(message, f"Paste a token of {wanted.domain}, or remove region from the config.")
        return WebCredential(Secret(token), origin, region=named or wanted or CHINA)

    async def _pasted(self, ctx: Context) -> Credential | None:
        if ctx.settings.cookie_header:
            return Credential(Secret(ctx.settings.cookie_header), Origin.config())
        if "cookie" in ctx.keyring.labels(ctx.provider) and (kept := await ctx.keyring.own(ctx.provider, "cookie")):
            return Credential(kept, Origin.keyring())
        return None

    def _from_environment(self, ctx: Context) -> WebCredential | None:
        for name in ("KIMI_MANUAL_COOKIE", "KIMI_AUTH_TOKEN"):
            if token := web_token(ctx.env(name) or ""):
                return self._of_region(ctx, token, Origin.env(name), ctx.env(name) or "")
        return None

    async def _not_pasted(self, ctx: Context, source: str | None) -> AsyncIterator[WebCredential]:
        """That of the environment alone, else those of Kimi Desktop, and last a raw text."""
        if source == "manual":
            return
        if given := self._from_environment(ctx):
            yield given
            return
        for path in desktop_databases(ctx) if source != "off" else ():
            if token := await desktop_token(ctx, path):
                yield token
        if raw := self._raw(ctx):
            yield raw

    def _raw(self, ctx: Context) -> WebCredential | None:
        for name in _RAW:
            if value := ctx.env(name):
                return self._of_region(ctx, value, Origin.env(name), value)
        return None


KEY = ApiKey(env=("KIMI_CODE_API_KEY",))
CLI_LOGIN = LoginFile(login_files, "The Kimi Code CLI is not signed in.")
