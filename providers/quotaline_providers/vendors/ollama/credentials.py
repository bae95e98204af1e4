"""Where Ollama's credentials are: an API key, and a pasted session, of which all other cookies are kept, too."""

from __future__ import annotations

import re

from quotaline_providers import (
    ApiKey,
    Chosen,
    Context,
    CookieHeader,
    clean,
    cookie_values,
    is_capture,
    normalize_cookie,
)

DEFAULT = "__Secure-session"
NAMES = (
    DEFAULT,
    "session",
    "ollama_session",
    "__Host-ollama_session",
    "wos-session",
    "__Secure-next-auth.session-token",
    "next-auth.session-token",
)
_CHUNK = re.compile(r"(.+)\.\d+")
_BARE = re.compile(r"[^=;:\s]+=*")
_DEFAULT_PAIR = re.compile(rf"(^|;\s*){re.escape(DEFAULT)}(?==)", re.IGNORECASE)


def has_session(header: str) -> bool:
    """Whether one of the header's cookies is a session's; names are case-sensitive."""
    names = cookie_values(header)
    return any(name in NAMES or ((chunk := _CHUNK.fullmatch(name)) and chunk.group(1) in NAMES) for name in names)


def pasted_session(text: str) -> str | None:
    """The header in a pasted `cookieHeader`; None when it holds no session. A bare value is the session's."""
    value = clean(text) or ""
    if len(value.splitlines()) == 1 and not is_capture(value) and has_session(value):
        return value
    if _BARE.fullmatch(value):
        return f"{DEFAULT}={value}"
    header = normalize_cookie(value)
    return header if header is not None and has_session(header) else None


def account_session(text: str) -> str | None:
    """The header in a labelled account's token; any other text is the session's value."""
    value = text.strip()
    if is_capture(value):
        value = normalize_cookie(value) or ""
    if not value or len(value.splitlines()) > 1:
        return None
    if _DEFAULT_PAIR.search(value):
        return _DEFAULT_PAIR.sub(rf"\g<1>{DEFAULT}", value)
    return value if has_session(value) or ";" in value else f"{DEFAULT}={value}"


def _session(ctx: Context) -> CookieHeader:
    own = ctx.account is not None and ctx.account.token is not None
    return CookieHeader(env=("OLLAMA_SESSION_COOKIE",), read=account_session if own else pasted_session)


COOKIE = Chosen(_session, reads=("cookieHeader", "cookieSource"))
KEY = ApiKey(env=("OLLAMA_API_KEY", "OLLAMA_KEY"))
