"""GitHub hosts, and the two requests made with every token: what is left, and whose it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from quotaline_providers import Context, Misconfigured, RateLimited, ReadError, Response, Secret, at_epoch, to_number
from quotaline_providers.parsing.answers import set_by_user
from quotaline_providers.vendors.copilot.payloads import Person, UserAnswer

GITHUB = "github.com"
GITHUB_API = "api.github.com"
TIMEOUT = 15.0

# The usage endpoint answers editors only.
_EDITOR = {
    "Editor-Version": "vscode/1.96.2",
    "Editor-Plugin-Version": "copilot-chat/0.26.7",
    "User-Agent": "GitHubCopilotChat/0.26.7",
    "X-Github-Api-Version": "2025-04-01",
}

_HOST = re.compile(r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Host:
    """A GitHub installation: `web` is where people sign in, `api` where usage is read; both may carry a port."""

    web: str
    api: str

    @property
    def public(self) -> bool:
        """Whether this is github.com: no other host's token may be sent there."""
        return self.api == GITHUB_API


def github_host(setting: str | None) -> Host:
    """The installation an `enterpriseHost` setting names (a host or an address). Raises Misconfigured."""
    text = (setting or "").strip()
    refused = Misconfigured("The setting enterpriseHost is not a host name.", "Correct enterpriseHost or remove it.")
    if "\\" in text or any(character.isspace() or ord(character) < 32 for character in text):
        raise refused
    netloc = re.split(r"[/?#]", re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://", "", text), maxsplit=1)[0]
    netloc = netloc.rpartition("@")[2].lower()
    name, colon, port = netloc.partition(":")
    host = netloc if netloc.startswith("[") else name.strip(".") + colon + port
    host = host or GITHUB
    if not _HOST.fullmatch(host):
        raise refused
    if host == GITHUB:
        return Host(GITHUB, GITHUB_API)
    set_by_user(host.partition(":")[0])
    if host.startswith("api."):
        return Host(host.removeprefix("api."), host)
    return Host(host, f"api.{host}")


def token_header(token: Secret) -> dict[str, str]:
    """GitHub's own scheme: the internal endpoint does not take `Bearer`."""
    return {"Authorization": f"token {token.reveal()}"}


def check(ctx: Context, response: Response) -> Response:
    """As `ctx.http.check`, but a used-up request quota, for which GitHub sends 403, is RateLimited."""
    if response.status in (403, 429) and response.headers.get("x-ratelimit-remaining", "").strip() == "0":
        raise RateLimited("GitHub's request limit is used up for now.", until=_quota_reset(response.headers))
    return ctx.http.check(response)


def _quota_reset(headers: Mapping[str, str]) -> datetime | None:
    return at_epoch(to_number(headers.get("x-ratelimit-reset")) or 0)


async def token_owner(ctx: Context, host: Host, token: Secret) -> Person | None:
    """Whom a token belongs to; None when GitHub does not say. The token is sent to its own host only."""
    try:
        response = await ctx.http.send("GET", f"https://{host.api}/user", headers=token_header(token), timeout=TIMEOUT)
        person = ctx.http.parse(check(ctx, response), Person)
    except ReadError:
        return None
    return person if person.id is not None else None


async def read_user(ctx: Context, host: Host, token: Secret) -> UserAnswer:
    """GET /copilot_internal/user of an installation. Raises ReadError."""
    headers = {**token_header(token), **_EDITOR}
    response = await ctx.http.send("GET", f"https://{host.api}/copilot_internal/user", headers=headers, timeout=TIMEOUT)
    return ctx.http.parse(check(ctx, response), UserAnswer)
