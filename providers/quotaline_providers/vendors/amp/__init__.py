"""Amp: the daily free quota, a subscription's pools and the credits, from its program, its service or its web page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from quotaline_providers.access.lookups import ApiKey, CookieHeader, Program, normalize_cookie
from quotaline_providers.contract import (
    Context,
    Credential,
    Provider,
    ProviderKind,
    Strategy,
    after_any_error,
    unlabelled,
)
from quotaline_providers.errors import BadResponse, ExpiredCredential, Unavailable
from quotaline_providers.fetching.browser_page import browser_headers, page, redirect_of
from quotaline_providers.fetching.refusals import refused_key
from quotaline_providers.model import Usage
from quotaline_providers.parsing.payload import Flag, Payload, Text, lenient
from quotaline_providers.vendors.amp.display import SIGN_IN, parse_display, parse_page
from quotaline_providers.vendors.amp.usage import to_usage

SITE = "https://ampcode.com"
DOMAIN = "ampcode.com"
SETTINGS = f"{SITE}/settings"
METHOD = "userDisplayBalanceInfo"
BALANCE = f"{SITE}/api/internal?{METHOD}"
SECONDS = 15.0
_RETURN = re.compile(r"(?:returnto|redirect|redirectto)=", re.IGNORECASE)


class Failure(Payload):
    """Why the service refused; only `auth-required` means something."""

    code: Text = None


class Result(Payload):
    """The balances, worded for people."""

    displayText: Text = None  # noqa: N815 - the vendor's spelling


class Reply(Payload):
    """An answer of the RPC; failures come with HTTP 200, too."""

    ok: Flag = None
    result: Annotated[Result | None, lenient(Result)] = None
    error: Annotated[Failure | None, lenient(Failure)] = None


# --- the program -----------------------------------------------------------------------------------


async def from_cli(ctx: Context, program: Path) -> Usage:
    """What `amp usage` prints, on either stream. Raises ReadError."""
    ended = await ctx.processes.run((program, "usage"), timeout=SECONDS, env={"NO_COLOR": "1"})
    if ended.exit_code:
        raise Unavailable(f"`amp usage` failed with exit code {ended.exit_code}.", "Run `amp usage` to see why.")
    text = ended.stdout if ended.stdout.strip() else ended.stderr
    if not text.strip():
        raise BadResponse("`amp usage` printed nothing.")
    return to_usage(parse_display(text), ctx.now)


def programs(ctx: Context) -> tuple[Path, ...]:
    """Where the program is installed when PATH does not tell."""
    if ctx.platform == "win32":
        return tuple(ctx.config_home() / "npm" / f"amp{extension}" for extension in (".exe", ".cmd", ".ps1"))
    return (
        ctx.home / ".local" / "bin" / "amp",
        ctx.home / ".amp" / "bin" / "amp",
        Path("/opt/homebrew/bin/amp"),
        Path("/usr/local/bin/amp"),
    )


# --- the service -----------------------------------------------------------------------------------


def token_in(text: str) -> str | None:
    """The access token in the program's secrets file; tokens of other servers are not for us."""
    try:
        content = json.loads(text)
    except RecursionError:
        return None
    token = content.get(f"apiKey@{SITE}/") if isinstance(content, dict) else None
    return token if isinstance(token, str) else None


def secrets_file(ctx: Context) -> tuple[Path, Callable[[str], str | None]]:
    """The program's own file of secrets, and how the key is found in it."""
    return ctx.home / ".local" / "share" / "amp" / "secrets.json", token_in


async def from_api(ctx: Context, key: Credential) -> Usage:
    """The balances, asked with an access token. Raises ReadError."""
    body = {"method": METHOD, "params": {}}
    answer = await ctx.http.send("POST", BALANCE, bearer=key.secret, json=body, timeout=SECONDS)
    if answer.url != BALANCE:
        raise BadResponse("Amp redirected the request to another place.")
    reply = ctx.http.parse(ctx.http.check(answer, refused_key("Amp")), Reply)
    if reply.ok is not True:
        if reply.error and reply.error.code == "auth-required":
            raise ExpiredCredential("Amp refused the access token.")
        raise BadResponse("Amp could not tell the balance.")
    text = reply.result.displayText if reply.result else None
    if text is None:
        raise BadResponse("Amp told no balance.")
    return to_usage(parse_display(text), ctx.now)


# --- the web page ----------------------------------------------------------------------------------


def session_pairs(text: str) -> str | None:
    """Only the `session` cookies of a pasted header; None when there is none."""
    pairs = (pair.strip() for pair in (normalize_cookie(text) or "").split(";"))
    return "; ".join(pair for pair in pairs if pair.partition("=")[0].strip() == "session") or None


def is_sign_in(url: str) -> bool:
    """Whether an address is one of Amp's sign-in pages."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("https", "http") or not (host == DOMAIN or host.endswith(f".{DOMAIN}")):
        return False
    segments = {segment.lower() for segment in parts.path.split("/")}
    if host == f"auth.{DOMAIN}" or segments & {"login", "signin", "sign-in"}:
        return True
    return "auth" in segments and _RETURN.search(parts.query) is not None


async def from_web(ctx: Context, cookie: Credential) -> Usage:
    """The free allowance, from the settings page of a signed-in browser. Raises ReadError."""
    headers = browser_headers(SITE, SETTINGS)
    answer = await page(ctx, SETTINGS, cookie.secret, DOMAIN, headers, stop=is_sign_in, timeout=SECONDS)
    if answer.status in (401, 403) or is_sign_in(redirect_of(answer) or answer.url):
        raise ExpiredCredential("The Amp session of this cookie has ended.", SIGN_IN)
    return to_usage(parse_page(ctx.http.check(answer).text), ctx.now)


PROVIDER = Provider(
    id="amp",
    name="Amp",
    kind=ProviderKind.CODING,
    connect="Run `amp login`, or create an access token at https://ampcode.com/settings and set AMP_API_KEY.",
    summary="The daily free quota, a subscription's pools, and individual and workspace credits.",
    aliases=("ampcode",),
    dashboard=f"{SETTINGS}/usage",
    keys=SETTINGS,
    strategies=(
        Strategy.cli(
            from_cli,
            Program("amp", env="AMP_CLI_PATH", candidates=programs, hint="Install Amp from https://ampcode.com."),
            falls_through=after_any_error,
            applies=unlabelled,
        ),
        Strategy.api(from_api, ApiKey(env=("AMP_API_KEY",), file=secrets_file), falls_through=after_any_error),
        Strategy.web(from_web, CookieHeader(read=session_pairs), applies=unlabelled),
    ),
)
