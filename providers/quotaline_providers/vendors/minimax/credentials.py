"""Where MiniMax's credentials are: a plan's key, and a pasted browser session."""

from __future__ import annotations

import re
from dataclasses import dataclass

from quotaline_providers import (
    ApiKey,
    Context,
    CookieHeader,
    Credential,
    Lookup,
    MissingCredential,
    Origin,
    OriginKind,
    Secret,
    normalize_cookie,
)

STANDARD_KEY = "sk-api-"

# --- keys ------------------------------------------------------------------------------------------

_PLAN_KEY = ApiKey(env=("MINIMAX_CODING_API_KEY",), env_first=True)
_OTHER_KEY = ApiKey(env=("MINIMAX_API_KEY",), from_config=False, from_keyring=False)


@dataclass(frozen=True)
class PlanKey(Lookup[Credential]):
    """The coding plan's variable, the configured key, then the general variable. A standard key cannot read a plan."""

    @property
    def settings(self) -> tuple[str, ...]:
        return (*_PLAN_KEY.settings, *_OTHER_KEY.settings)

    def places(self, ctx: Context) -> tuple[str, ...]:
        return (*_PLAN_KEY.places(ctx), *_OTHER_KEY.places(ctx))

    def probe(self, ctx: Context) -> Origin | None:
        origin = _PLAN_KEY.probe(ctx)
        if origin is not None and origin.kind is OriginKind.KEYRING:
            return origin
        if origin is None:
            return None if _standard(ctx.env("MINIMAX_API_KEY")) else _OTHER_KEY.probe(ctx)
        in_config = origin.kind is OriginKind.CONFIG
        return None if _standard(ctx.settings.api_key if in_config else ctx.env(origin.name)) else origin

    async def find(self, ctx: Context) -> Credential:
        found = await (_PLAN_KEY if _PLAN_KEY.probe(ctx) else _OTHER_KEY).find(ctx)
        if _standard(found.secret.reveal()):
            raise MissingCredential(
                "The MiniMax API key is a standard key, which cannot read a plan.",
                "Set the key of your coding plan, or paste the platform's cookies.",
            )
        return found


def _standard(key: str | None) -> bool:
    return (key or "").startswith(STANDARD_KEY)


# --- a pasted session ------------------------------------------------------------------------------

_BEARER = re.compile(r"authorization\s*:\s*bearer\s+([A-Za-z0-9._\-+=/]+)", re.IGNORECASE)
_GROUP = re.compile(
    r"x-group-id\s*:\s*(\d{4,})|minimax_group_id_v2=(\d{4,})|(?<![a-z0-9])group_?id=(\d{4,})", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Session:
    """A browser session: its cookies and, where they were pasted too, a bearer token and the group's number."""

    cookie: Secret
    bearer: Secret | None = None
    group: str | None = None


def session_in(text: str) -> Session | None:
    """The session in a pasted header, block of headers or cURL command; None without a cookie."""
    cookie = normalize_cookie(text)
    if cookie is None:
        return None
    bearer, group = _BEARER.search(text), _GROUP.search(text)
    return Session(
        Secret(cookie),
        Secret(bearer.group(1)) if bearer else None,
        next((number for number in group.groups() if number), None) if group else None,
    )


def usable(text: str) -> str | None:
    """The pasted text as it is, when there is a session in it."""
    return text if session_in(text) else None


KEY = PlanKey()
COOKIE = CookieHeader(env=("MINIMAX_COOKIE", "MINIMAX_COOKIE_HEADER"), read=usable)
