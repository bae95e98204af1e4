"""A browser session at claude.ai: the cookie the user gave, and the newer ones that claude.ai sends for it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TypeVar

from pydantic import BaseModel

from quotaline_providers import (
    Context,
    ExpiredCredential,
    MissingCredential,
    ReadError,
    Refusal,
    Refusals,
    Response,
    Secret,
    Unavailable,
    cookie_values,
)
from quotaline_providers.vendors.claude.credentials import PASTE_AGAIN, session_key

SITE = "https://claude.ai"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
MOST_RENEWALS = 16
_REFUSED = Refusal(ExpiredCredential, "claude.ai refused the session.", PASTE_AGAIN)
REFUSALS: Refusals = {401: _REFUSED, 403: _REFUSED}

P = TypeVar("P", bound=BaseModel)


class Renewals:
    """The newest key that claude.ai sent for one the user gave. It lives in this process and is never stored."""

    def __init__(self) -> None:
        self._newest: OrderedDict[str, Secret] = OrderedDict()

    def newest(self, given: Secret) -> Secret:
        return self._newest.get(given.digest(), given)

    def keep(self, given: Secret, used: Secret, renewal: Secret) -> None:
        """Keep a key that was sent for the used one, unless another read has had a newer one meanwhile."""
        if self.newest(given) == used:
            self._newest[given.digest()] = renewal
            self._newest.move_to_end(given.digest())
        while len(self._newest) > MOST_RENEWALS:
            self._newest.popitem(last=False)

    def drop(self, given: Secret, refused: Secret) -> None:
        if self._newest.get(given.digest()) == refused:
            del self._newest[given.digest()]

    def clear(self) -> None:
        self._newest.clear()


RENEWALS = Renewals()


def renewed_key(response: Response) -> str | None:
    """The newest `sessionKey` that a good answer sets."""
    if response.status != 200:
        return None
    keys = (session_key(cookie.split(";", 1)[0]) for cookie in response.set_cookies)
    return next((key for key in reversed(list(keys)) if key), None)


class Session:
    """Sends the key alone and follows its renewals. What the user pasted is never rewritten."""

    def __init__(self, ctx: Context, header: Secret) -> None:
        key = session_key(header.reveal())
        if key is None:
            raise MissingCredential("The cookie header has no usable `sessionKey` cookie.", PASTE_AGAIN)
        self._ctx = ctx
        self._given = Secret(key)
        self._key = RENEWALS.newest(self._given)
        self._others = {name: value for name, value in cookie_values(header.reveal()).items() if name != "sessionKey"}

    async def get(self, path: str, model: type[P], timeout: float = 15) -> P:
        """GET from claude.ai. Raises ExpiredCredential for 401 and 403, Unavailable for other failures."""
        answer = await self._ask(path, timeout)
        if answer.status in (401, 403) and not answer.is_barred and self._key != self._given:
            RENEWALS.drop(self._given, self._key)
            self._key = self._given
            answer = await self._ask(path, timeout)
        if answer.status in (*REFUSALS, 429):
            self._ctx.http.check(answer, REFUSALS)
        if answer.status != 200:
            raise Unavailable(f"claude.ai is not available (status {answer.status}).")
        return self._ctx.http.parse(answer, model)

    async def maybe(self, path: str, model: type[P], timeout: float = 15) -> P | None:
        """As `get`, None for any failure."""
        try:
            async with asyncio.timeout(timeout):
                return await self.get(path, model, timeout)
        except (ReadError, TimeoutError):
            return None

    async def _ask(self, path: str, timeout: float) -> Response:
        answer = await self._send(path, {}, {}, timeout)
        if answer.status == 403 and self._others and answer.is_page:
            # A bot challenge passes only for what looks like the browser that solved it.
            browser = {
                "User-Agent": BROWSER,
                "Referer": f"{SITE}/settings/usage",
                "anthropic-client-platform": "web_claude_ai",
            }
            answer = await self._send(path, browser, self._others, timeout)
        return answer

    async def _send(self, path: str, headers: dict[str, str], others: dict[str, str], timeout: float) -> Response:
        cookies = {"sessionKey": self._key.reveal(), **others}
        cookie = Secret("; ".join(f"{name}={value}" for name, value in cookies.items()))
        response = await self._ctx.http.send(
            "GET", f"{SITE}/api{path}", headers=headers, cookie=cookie, timeout=timeout
        )
        if (renewal := renewed_key(response)) is not None:
            RENEWALS.keep(self._given, self._key, Secret(renewal))
            self._key = Secret(renewal)
        return response
