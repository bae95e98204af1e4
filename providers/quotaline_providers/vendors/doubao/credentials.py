"""Volcengine's credentials: an Ark API key, a pair of access key and secret, or both; and the program `arkcli`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from quotaline_providers import (
    ApiKey,
    Context,
    Credential,
    Lookup,
    Misconfigured,
    MissingCredential,
    Origin,
    Program,
    Secret,
)
from quotaline_providers.access.unusable import empty, half, told

SIGN_IN = "Run `arkcli auth login`."
ACCESS_KEY_PREFIX = "AKLT"
_ARK_KEY = ("ARK_API_KEY", "VOLCENGINE_API_KEY", "DOUBAO_API_KEY")
_ACCESS_KEY = ("VOLCENGINE_ACCESS_KEY_ID", "VOLCENGINE_ACCESS_KEY", "VOLC_ACCESSKEY", "DOUBAO_ACCESS_KEY_ID")
_SECRET = (
    *("VOLCENGINE_SECRET_ACCESS_KEY", "VOLCENGINE_SECRET_KEY", "VOLCENGINE_ACCESS_KEY_SECRET"),
    *("VOLC_SECRETKEY", "DOUBAO_SECRET_ACCESS_KEY"),
)
_REGION = ("VOLCENGINE_REGION", "VOLCENGINE_REGION_ID", "VOLC_REGION", "DOUBAO_REGION")


@dataclass(frozen=True)
class AccessKey:
    """The pair that signs requests."""

    id: Secret
    secret: Secret


@dataclass(frozen=True)
class ArkAccess:
    """At least one of the two credentials."""

    key: Secret | None
    pair: AccessKey | None

    @property
    def fingerprint(self) -> str:
        return "-".join(secret.digest() for secret in (self.key, self.pair.id if self.pair else None) if secret)


class ArkCredentials(Lookup[ArkAccess]):
    """The typed key first: an Ark API key keeps the access keys of the environment out."""

    _typed, _ambient = ApiKey(), ApiKey(env=_ARK_KEY, from_config=False, from_keyring=False)

    @property
    def settings(self) -> tuple[str, ...]:
        return (*self._typed.settings, "secretKey")

    def places(self, ctx: Context) -> tuple[str, ...]:
        env = (f"env {name}" for name in (*_ARK_KEY, *_ACCESS_KEY, *_SECRET))
        return (*self._typed.places(ctx), "config secretKey", *env)

    def probe(self, ctx: Context) -> Origin | None:
        typed = self._typed.probe(ctx)
        if typed and not (typed == Origin.config() and is_access_key(ctx.settings.api_key)):
            return typed
        if typed and _secret(ctx):
            return typed
        if found := self._ambient.probe(ctx):
            return found
        name = next((name for name in _ACCESS_KEY if ctx.env(name)), None)
        return Origin.env(name) if name and not typed and _secret(ctx) else None

    async def find(self, ctx: Context) -> ArkAccess:
        typed = await _or_none(self._typed, ctx)
        if typed and not is_access_key(typed.secret.reveal()):
            return ArkAccess(typed.secret, None)
        id = typed.secret if typed else _as_secret(ctx.env(*_ACCESS_KEY))
        secret = _secret(ctx)
        ambient = await _or_none(self._ambient, ctx)
        access = ArkAccess(ambient.secret if ambient else None, AccessKey(id, secret) if id and secret else None)
        if access.key is None and access.pair is None:
            reasons = (half(ctx, _ACCESS_KEY, _SECRET), empty(ctx, (*_ARK_KEY, *_ACCESS_KEY, *_SECRET)))
            raise MissingCredential(told("No API key and no pair of access key and secret is set.", *reasons))
        return access


def is_access_key(key: str | None) -> bool:
    """Whether a key is the first half of a pair and no Ark API key."""
    return (key or "").startswith(ACCESS_KEY_PREFIX)


async def _or_none(lookup: ApiKey, ctx: Context) -> Credential | None:
    try:
        return await lookup.find(ctx)
    except MissingCredential:
        return None


def _secret(ctx: Context) -> Secret | None:
    return _as_secret(ctx.settings.secret_key or ctx.env(*_SECRET))


def _as_secret(value: str | None) -> Secret | None:
    return Secret(value) if value else None


def region_of(ctx: Context) -> str:
    """The region that signatures name. Raises Misconfigured."""
    name = "region" if ctx.settings.region else next((name for name in _REGION if ctx.env(name)), "")
    region = ctx.settings.region or ctx.env(*_REGION) or "cn-beijing"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}", region):
        raise Misconfigured(f"The setting {name} is not a region.", f"Set {name} to a region such as cn-beijing.")
    return region


PROGRAM = Program(
    "arkcli",
    env="ARKCLI_PATH",
    candidates=lambda ctx: (
        ctx.home / ".local/bin/arkcli",
        Path("/opt/homebrew/bin/arkcli"),
        Path("/usr/local/bin/arkcli"),
    ),
    hint=f"Install arkcli. {SIGN_IN}",
)
