"""A session of GroqCloud's console: where it is found, and how it is renewed."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from quotaline_providers import (
    Context,
    CookieHeader,
    ExpiredCredential,
    Lookup,
    MissingCredential,
    Origin,
    ReadError,
    Refusal,
    Secret,
    child,
    cookie_values,
    endpoint,
    jwt_claims,
    to_text,
)
from quotaline_providers.access.unusable import empty, told
from quotaline_providers.vendors.groq.payloads import SessionAnswer

SIGN_IN, OVERRIDE = "https://api.stytchb2b.groq.com", "GROQ_STYTCH_URL"
CONSOLE = "https://console.groq.com"
PUBLIC_TOKEN = "public-token-live-58df57a9-a1f5-4066-bc0c-2ff942db684f"  # noqa: S105 - names the console, is no secret
SECONDS = 20.0
SIGN_IN_AGAIN = "Sign in at console.groq.com again and copy the new session."
_REFUSED = Refusal(ExpiredCredential, "The GroqCloud console refused the session (HTTP {status}).", SIGN_IN_AGAIN)
REFUSALS = {401: _REFUSED, 403: _REFUSED}


@dataclass(frozen=True)
class Session:
    """A session of the console: the opaque token that lasts, the JSON web token of some minutes, or both."""

    token: Secret | None
    jwt: Secret | None

    @property
    def fingerprint(self) -> str:
        known = self.token or self.jwt
        return known.digest() if known else ""


class ConsoleSession(Lookup[Session]):
    """The console's session: the environment, then the cookie header the user pasted."""

    _TOKEN, _JWT = "GROQ_SESSION_TOKEN", "GROQ_SESSION_JWT"
    _cookies = CookieHeader()

    @property
    def settings(self) -> tuple[str, ...]:
        return self._cookies.settings

    def places(self, ctx: Context) -> tuple[str, ...]:
        return (f"env {self._TOKEN}", f"env {self._JWT}", *self._cookies.places(ctx))

    def probe(self, ctx: Context) -> Origin | None:
        name = next((name for name in (self._TOKEN, self._JWT) if ctx.env(name)), None)
        return Origin.env(name) if name else self._cookies.probe(ctx)

    async def find(self, ctx: Context) -> Session:
        token, jwt = ctx.env(self._TOKEN), ctx.env(self._JWT)
        if token is None and jwt is None:
            try:
                header = await self._cookies.find(ctx)
            except MissingCredential as error:
                raise MissingCredential(told(error.message, empty(ctx, (self._TOKEN, self._JWT)))) from None
            cookies = cookie_values(header.secret.reveal())
            token, jwt = cookies.get("stytch_session") or None, cookies.get("stytch_session_jwt") or None
        if token is None and jwt is None:
            raise MissingCredential("The cookie header has no session of the GroqCloud console.")
        return Session(Secret(token) if token else None, Secret(jwt) if jwt else None)


def organization_of(jwt: Secret) -> str:
    """The organisation's id in the claims of a session. Raises ExpiredCredential."""
    # A signature is not checked and may be missing.
    claims = jwt_claims(".".join([*jwt.reveal().split("."), ""][:3]))
    for name, field in (("https://groq.com/organization", "id"), ("https://stytch.com/organization", "slug")):
        found = to_text((child(claims, name) or {}).get(field))
        if found:
            return found
    raise _session_over("The session of the GroqCloud console names no organisation.")


def _session_over(message: str) -> ExpiredCredential:
    return ExpiredCredential(message, SIGN_IN_AGAIN)


def sign_in_base(ctx: Context) -> str:
    """Where sessions are renewed. Raises Misconfigured."""
    override = ctx.env(OVERRIDE)
    return endpoint(override, OVERRIDE, http="loopback") if override else SIGN_IN


async def current(ctx: Context, base: str, session: Session) -> Secret:
    """A JSON web token that is valid now; one already known is the fallback."""
    if session.token is not None:
        try:
            return await _renewed(ctx, base, session.token)
        except ReadError:
            if session.jwt is None:
                raise
    if session.jwt is None:
        raise _session_over("There is no session of the GroqCloud console.")
    return session.jwt


async def _renewed(ctx: Context, base: str, token: Secret) -> Secret:
    client = {
        "app": {"identifier": urlsplit(CONSOLE).hostname},
        "sdk": {"identifier": "Stytch.js Javascript SDK", "version": "5.43.0"},
    }
    public = ctx.env("GROQ_STYTCH_PUBLIC_TOKEN") or PUBLIC_TOKEN
    answer = await ctx.http.post(
        f"{base}/sdk/v1/b2b/sessions/authenticate",
        SessionAnswer,
        refusals=REFUSALS,
        headers={
            "Authorization": f"Basic {_base64(f'{public}:{token.reveal()}')}",
            "Origin": CONSOLE,
            "X-SDK-Parent-Host": CONSOLE,
            "X-SDK-Client": _base64(json.dumps(client, separators=(",", ":"))),
        },
        json={"session_token": token.reveal(), "session_duration_minutes": 30},
        timeout=SECONDS,
    )
    return Secret(answer.data.session_jwt)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
