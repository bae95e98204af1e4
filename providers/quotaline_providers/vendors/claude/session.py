"""A browser session at claude.ai: the cookie the user gave, and the newer ones that claude.ai hands out for it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from quotaline_providers.access.lookups import CookieHeader, cookie_values, normalize_cookie
from quotaline_providers.contract import Context, Credential, Lookup, Origin, Response
from quotaline_providers.errors import ExpiredCredential, MissingCredential, ReadError, Unavailable
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.claude.login import account_token, key_form, own_key

SITE = "https://claude.ai"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
SIGN_IN = "Sign in at claude.ai and paste its `sessionKey` cookie again."
MOST_RENEWALS = 16

P = TypeVar("P", bound=BaseModel)


class Renewals:
    """The newest key that claude.ai handed out for one the user gave. It lives in this process and is never stored."""

    def __init__(self) -> None:
        self._newest: OrderedDict[str, Secret] = OrderedDict()

    def newest(self, given: Secret) -> Secret:
        return self._newest.get(given.digest(), given)

    def keep(self, given: Secret, used: Secret, handed_out: Secret) -> None:
        """Keep a key that was handed out to the used one, unless another read has had a newer one meanwhile."""
        if self.newest(given) == used:
            self._newest[given.digest()] = handed_out
            self._newest.move_to_end(given.digest())
        while len(self._newest) > MOST_RENEWALS:
            self._newest.popitem(last=False)

    def drop(self, given: Secret, refused: Secret) -> None:
        if self._newest.get(given.digest()) == refused:
            del self._newest[given.digest()]

    def clear(self) -> None:
        self._newest.clear()


RENEWALS = Renewals()


def session_key(header: str) -> str | None:
    """The `sessionKey` of a cookie header, if it looks like one of Claude's."""
    value = cookie_values(header).get("sessionKey", "")
    return value if value.startswith("sk-ant-") else None


def renewed_key(response: Response) -> str | None:
    """The newest `sessionKey` that a good answer hands out."""
    if response.status != 200:
        return None
    keys = (session_key(cookie.split(";", 1)[0]) for cookie in response.set_cookies)
    return next((key for key in reversed(list(keys)) if key), None)


class Session:
    """Sends the key alone and follows its renewals. What the user pasted is never rewritten."""

    def __init__(self, ctx: Context, header: Secret) -> None:
        key = session_key(header.reveal())
        if key is None:
            raise MissingCredential("The cookie header has no usable `sessionKey` cookie.", SIGN_IN)
        self._ctx = ctx
        self._given = Secret(key)
        self._key = RENEWALS.newest(self._given)
        self._others = {name: value for name, value in cookie_values(header.reveal()).items() if name != "sessionKey"}

    async def get(self, path: str, model: type[P], timeout: float = 15) -> P:
        """GET from claude.ai. Raises ExpiredCredential for 401 and 403, Unavailable for other failures."""
        answer = await self._ask(path, timeout)
        if answer.status in (401, 403) and self._key != self._given:
            RENEWALS.drop(self._given, self._key)
            self._key = self._given
            answer = await self._ask(path, timeout)
        if answer.status in (401, 403):
            raise ExpiredCredential("claude.ai refused the session.", SIGN_IN)
        if answer.status == 429:
            self._ctx.http.check(answer)
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
        if answer.status == 403 and self._others and answer.text.lstrip().startswith("<"):
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
        if (handed_out := renewed_key(response)) is not None:
            RENEWALS.keep(self._given, self._key, Secret(handed_out))
            self._key = Secret(handed_out)
        return response


@dataclass(frozen=True)
class Cookie(Lookup[Credential]):
    """The cookie the user gave: the selected account's, config `cookieHeader`, or the keyring's."""

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
            raise MissingCredential("The cookie header has no usable `sessionKey` cookie.", SIGN_IN)
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
