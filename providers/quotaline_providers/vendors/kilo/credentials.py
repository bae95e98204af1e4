"""Kilo's credentials: an API key, and the login that its own program keeps."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from quotaline_providers import (
    ApiKey,
    Context,
    Forbidden,
    LoginFile,
    Lookup,
    MissingCredential,
    Origin,
    Secret,
    child,
    clean,
)

CONTENT = "KILO_AUTH_CONTENT"
SIGN_IN = "Run `kilo auth login`."


def files(ctx: Context) -> Iterator[Path]:
    """Where the program keeps its login; it goes by the XDG folder on every system."""
    data = ctx.environ.get("XDG_DATA_HOME", "")
    if Path(data).is_absolute():
        yield Path(data) / "kilo/auth.json"
    yield ctx.home / ".local/share/kilo/auth.json"


class KiloLogin(Lookup[Path | Secret]):
    """The login as a text in the environment, else the file."""

    def places(self, ctx: Context) -> tuple[str, ...]:
        return (f"env {CONTENT}", *self._file(ctx).places(ctx))

    def probe(self, ctx: Context) -> Origin | None:
        return Origin.env(CONTENT) if ctx.environ.get(CONTENT, "").strip() else self._file(ctx).probe(ctx)

    async def find(self, ctx: Context) -> Path | Secret:
        content = ctx.environ.get(CONTENT, "").strip()
        return Secret(content) if content else await self._file(ctx).find(ctx)

    async def each(self, ctx: Context) -> AsyncIterator[Path | Secret]:
        if content := ctx.environ.get(CONTENT, "").strip():
            yield Secret(content)
            return
        async for path in self._file(ctx).each(ctx):
            yield path

    def _file(self, ctx: Context) -> LoginFile:
        *_, usual = files(ctx)
        return LoginFile(files, f"No login of Kilo was found in {ctx.show(usual)}: run `kilo auth login`.")


async def token_of(ctx: Context, login: Path | Secret) -> Secret:
    """The token in the login. Raises MissingCredential (no login, or none that can be used) and Forbidden."""
    where = ctx.show(login) if isinstance(login, Path) else CONTENT
    token = token_in(await _read(ctx, login, where) if isinstance(login, Path) else _content(login))
    if token is None:
        raise MissingCredential(f"No usable login of Kilo was found in {where}.", SIGN_IN)
    return token


def _content(login: Secret) -> str:
    return login.reveal()


async def _read(ctx: Context, path: Path, where: str) -> str:
    try:
        return await ctx.files.read(path)
    except FileNotFoundError:
        raise MissingCredential(f"No login of Kilo was found in {where}.", SIGN_IN) from None
    except (OSError, ValueError):
        raise Forbidden(f"The login of Kilo in {where} cannot be read.", "Check who may read this file.") from None


def token_in(text: str) -> Secret | None:
    """The token in the login's JSON; None when there is none."""
    try:
        entry = child(json.loads(text), "kilo") or {}
    except (ValueError, RecursionError):
        return None
    values = (entry.get(name) for name in ("access", "key"))
    token = next((found for value in values if isinstance(value, str) and (found := clean(value))), None)
    return Secret(token) if token else None


KEY = ApiKey(env=("KILO_API_KEY",))
