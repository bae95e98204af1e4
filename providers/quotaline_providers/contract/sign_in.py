"""Interactive sign-ins: what the user is told to do, and what comes of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from quotaline_providers.contract.context import Context
from quotaline_providers.errors import BadResponse
from quotaline_providers.secret import Secret

_CODE = re.compile(r"[A-Z0-9-]{1,40}")
_UNSAFE = re.compile(r"[^!-~]|[\\\"<>^`{|}]")


@dataclass(frozen=True)
class SignInPrompt:
    """What the user must do now to sign in: open `url` and type `code` (already in the address when empty).

    Address and code come from the vendor and are put before the user, so both are checked: the page is on one of
    `hosts` (`github.com`, with a port where there is one) or below it, and a code has capitals, digits and hyphens
    alone. Raises BadResponse for any other.
    """

    message: str
    url: str = ""
    code: str = ""
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.url and not is_page_of(self.url, self.hosts):
            raise BadResponse("The sign-in page that was named is not on the vendor's own site, so it is not opened.")
        if self.code:
            checked_code(self.code)


def checked_code(code: str) -> str:
    """A code that can be put before the user. Raises BadResponse."""
    if not _CODE.fullmatch(code):
        raise BadResponse("The vendor sent a code that is none: it has other characters than capitals and digits.")
    return code


def is_page_of(url: str, hosts: tuple[str, ...]) -> bool:
    """Whether an address is an HTTPS page on one of these hosts, or below it."""
    if _UNSAFE.search(url):
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme != "https" or "@" in parts.netloc or not parts.hostname:
        return False
    name = parts.hostname.rstrip(".")
    place = name if port in (None, 443) else f"{name}:{port}"
    return any(place == host.lower() or place.endswith(f".{host.lower()}") for host in hosts)


@dataclass(frozen=True)
class SignedIn:
    """A sign-in's result, to be kept by the caller: `credential` in the keyring under `label`.

    There is no credential when the vendor's own program keeps the login.
    """

    label: str
    credential: Secret | None = None
    external_identifier: str | None = None


SignIn = Callable[[Context], AsyncIterator[SignInPrompt | SignedIn]]
"""An interactive sign-in: yields prompts, and last what came of it. Raises ReadError."""
