"""The usual ways to find a credential: an API key, a cookie header, a login file, a program."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from quotaline_providers.access.cookies import normalize_cookie
from quotaline_providers.access.login_shell import in_login_shell
from quotaline_providers.access.unusable import empty, listed, told
from quotaline_providers.contract import Context, Credential, KeyringState, Lookup, Origin, OriginKind
from quotaline_providers.errors import MissingCredential, MissingProgram, ReadError
from quotaline_providers.parsing.payload import clean
from quotaline_providers.secret import Secret

T = TypeVar("T")

_UNLOCK = "Unlock it and refresh (in the editor, or with `quotaline refresh`), which may ask for your permission."

_BEARER = re.compile(r"\Abearer(?:\s+|\Z)", re.IGNORECASE)


def bare_key(text: str | None) -> str | None:
    """A key as a user typed it: trimmed, unquoted, without `Bearer` in front; None when nothing is left."""
    return clean(_BEARER.sub("", clean(text) or ""))


def not_given(ctx: Context, what: str, option: str = "") -> MissingCredential:
    """Why the keyring did not give a credential of ours that it should hold, and what to do. `option` is the one of
    `set-credential` for it."""
    again = f"Give it again: `{' '.join(filter(None, ('quotaline set-credential', ctx.provider, option)))}`."
    match ctx.keyring.state:
        case KeyringState.NONE:
            hint = f"Start one (GNOME Keyring, KWallet), or use an environment variable. {again}"
            return MissingCredential(f"The {what} is in the system keyring, and no keyring works here now.", hint)
        case KeyringState.LOCKED:
            return MissingCredential(f"The system keyring is locked and did not give the {what}.", _UNLOCK)
        case KeyringState.SILENT:
            return MissingCredential(f"The system keyring did not answer and did not give the {what}.", _UNLOCK)
        case KeyringState.FAILED:
            hint = f"`quotaline doctor` tells more. {again}"
            return MissingCredential(f"The system keyring failed and did not give the {what}.", hint)
    return MissingCredential(f"The system keyring does not hold the {what} any more.", again)


@dataclass(frozen=True)
class ApiKey(Lookup[Credential]):
    """An API key: the labelled account's token, config `apiKey` (or `apiKeyEnv`), the keyring, the environment.

    Every key is taken as `bare_key` reads it. `env_first` puts the environment before config and keyring. `file`
    gives a last-resort key file and how its key is found in its text. `env_if_enabled` names variables that often hold
    another service's key: they are used only where the config says `enabled`, and else only named.
    """

    env: tuple[str, ...] = ()
    env_if_enabled: tuple[str, ...] = ()
    env_first: bool = False
    from_config: bool = True
    from_keyring: bool = True
    file: Callable[[Context], tuple[Path, Callable[[str], str | None]] | None] | None = None

    @property
    def settings(self) -> tuple[str, ...]:
        return ("apiKey", "apiKeyEnv") if self.from_config else ()

    def places(self, ctx: Context) -> tuple[str, ...]:
        env = tuple(f"env {name}" for name in self._variables(ctx))
        env += tuple(f"env {name} (set, but used only when the provider is enabled)" for name in self._withheld(ctx))
        own = (("config apiKey",) if self.from_config else ()) + (("keyring",) if self.from_keyring else ())
        found = self.file(ctx) if self.file else None
        return (*(env + own if self.env_first else own + env), *((ctx.show(found[0]),) if found else ()))

    def probe(self, ctx: Context) -> Origin | None:
        if ctx.account and ctx.account.token:
            return Origin.account(ctx.account.label)
        for step in self._steps():
            if step == "config" and self.from_config and self._configured(ctx):
                return self._config_origin(ctx)
            if step == "keyring" and self.from_keyring and "" in ctx.keyring.labels(ctx.provider):
                return Origin.keyring()
            if step == "env" and (name := self._env_name(ctx)):
                return Origin.env(name)
        return self._file_probe(ctx)

    async def find(self, ctx: Context) -> Credential:
        if ctx.account and ctx.account.token:
            return Credential(_bare(ctx.account.token), Origin.account(ctx.account.label))
        for step in self._steps():
            if step == "config" and self.from_config and (value := self._configured(ctx)):
                return Credential(Secret(value), self._config_origin(ctx))
            if step == "keyring" and self.from_keyring and "" in ctx.keyring.labels(ctx.provider):
                secret = await ctx.keyring.own(ctx.provider)
                if secret and (value := bare_key(secret.reveal())):
                    return Credential(Secret(value), Origin.keyring())
            if step == "env" and (name := self._env_name(ctx)):
                return Credential(Secret(bare_key(ctx.environ[name]) or ""), Origin.env(name))
        if self.file and (found := self.file(ctx)):
            path, read = found
            try:
                value = bare_key(read(await ctx.files.read(path)))
            except (OSError, ValueError):
                value = None
            if value:
                return Credential(Secret(value), Origin.file(ctx.show(path)))
        if self.from_keyring and "" in ctx.keyring.labels(ctx.provider):
            raise not_given(ctx, "API key")
        raise self._missing(ctx)

    def _missing(self, ctx: Context) -> MissingCredential:
        """What to tell where no key was found: each variable that was looked at and cannot be used, too."""
        withheld, named = self._withheld(ctx), ctx.settings.api_key_env if self.from_config else None
        reasons = [
            empty(ctx, (*self.env, *self.env_if_enabled)),
            f"The variable {named}, which apiKeyEnv names, is not set." if named and not ctx.env(named) else "",
        ]
        if not withheld:
            return MissingCredential(told("No API key is set.", *reasons))
        left = listed(withheld, "set, but not used unasked, as another service may own the key")
        hint = f"Run `quotaline config enable {ctx.provider}` to have it used."
        return MissingCredential(told(left, *reasons), hint)

    def _withheld(self, ctx: Context) -> list[str]:
        """The variables that hold something and are left alone."""
        return [name for name in self.env_if_enabled if not ctx.settings.enabled and bare_key(ctx.environ.get(name))]

    def _variables(self, ctx: Context) -> tuple[str, ...]:
        return self.env + (self.env_if_enabled if ctx.settings.enabled else ())

    def _steps(self) -> tuple[str, ...]:
        return ("env", "config", "keyring") if self.env_first else ("config", "keyring", "env")

    def _env_name(self, ctx: Context) -> str | None:
        return next((name for name in self._variables(ctx) if bare_key(ctx.environ.get(name))), None)

    def _configured(self, ctx: Context) -> str | None:
        named = ctx.settings.api_key_env
        return bare_key(ctx.settings.api_key) or (bare_key(ctx.environ.get(named)) if named else None)

    def _config_origin(self, ctx: Context) -> Origin:
        named = ctx.settings.api_key_env
        return Origin.env(named) if named and not bare_key(ctx.settings.api_key) else Origin.config()

    def _file_probe(self, ctx: Context) -> Origin | None:
        found = self.file(ctx) if self.file else None
        return Origin.file(ctx.show(found[0])) if found and found[0].is_file() else None


@dataclass(frozen=True)
class ServerKey(ApiKey):
    """The API key of a server that the user runs. `probe` finds it only when the server's address is set, too: in
    config `enterpriseHost` or the environment variable `server`. Whether that can be used is found out by the read.
    """

    server: str = ""

    @property
    def settings(self) -> tuple[str, ...]:
        return (*super().settings, "enterpriseHost", "allowPrivateHosts")

    def probe(self, ctx: Context) -> Origin | None:
        return super().probe(ctx) if ctx.settings.enterprise_host or ctx.env(self.server) else None


def _bare(secret: Secret) -> Secret:
    value = bare_key(secret.reveal())
    return Secret(value) if value else secret


@dataclass(frozen=True)
class Chosen(Lookup[T]):
    """A lookup that depends on the settings: `choose` gives the one to use, or raises ReadError."""

    choose: Callable[[Context], Lookup[T]]
    reads: tuple[str, ...] = ()
    """The config fields that the chosen ones read."""

    @property
    def settings(self) -> tuple[str, ...]:
        return self.reads

    def places(self, ctx: Context) -> tuple[str, ...]:
        try:
            return self.choose(ctx).places(ctx)
        except ReadError:
            return ()

    def probe(self, ctx: Context) -> Origin | None:
        try:
            return self.choose(ctx).probe(ctx)
        except ReadError:
            return None

    async def find(self, ctx: Context) -> T:
        return await self.choose(ctx).find(ctx)

    async def each(self, ctx: Context) -> AsyncIterator[T]:
        async for found in self.choose(ctx).each(ctx):
            yield found


@dataclass(frozen=True)
class CookieHeader(Lookup[Credential]):
    """A cookie header the user pasted: the labelled account's, config `cookieHeader`, the keyring's `cookie` entry,
    or (unless `cookieSource` is `manual`) one in the environment.

    `default_name` turns a bare value into `name=value`. What browsers copy is accepted, see `normalize_cookie`.
    `read` takes the place of that rule: what to keep of a pasted text, None when it holds nothing usable.
    `missing` is the message when nothing is set.
    """

    default_name: str | None = None
    env: tuple[str, ...] = ()
    read: Callable[[str], str | None] | None = None
    missing: str = "No cookie header is set."

    @property
    def settings(self) -> tuple[str, ...]:
        return ("cookieHeader", "cookieSource")

    def places(self, ctx: Context) -> tuple[str, ...]:
        return ("config cookieHeader", "keyring (label cookie)", *(f"env {name}" for name in self.env))

    def probe(self, ctx: Context) -> Origin | None:
        if ctx.settings.cookie_source == "off":
            return None
        if ctx.account and ctx.account.token:
            return Origin.account(ctx.account.label)
        if ctx.settings.cookie_header:
            return Origin.config()
        if "cookie" in ctx.keyring.labels(ctx.provider):
            return Origin.keyring()
        name = next((name for name in self.env if ctx.env(name)), None)
        return Origin.env(name) if name and ctx.settings.cookie_source != "manual" else None

    async def find(self, ctx: Context) -> Credential:
        origin = self.probe(ctx)
        if origin is None:
            raise MissingCredential(told(self.missing, self._unusable(ctx)))
        raw: str | None
        if ctx.account and ctx.account.token:
            raw = ctx.account.token.reveal()
        elif ctx.settings.cookie_header:
            raw = ctx.settings.cookie_header
        elif origin.kind is OriginKind.KEYRING:
            secret = await ctx.keyring.own(ctx.provider, "cookie")
            if secret is None:
                raise not_given(ctx, "cookie header", "--cookie")
            raw = secret.reveal()
        else:
            raw = ctx.env(*self.env)
        header = self.read(raw or "") if self.read else normalize_cookie(raw or "", self.default_name)
        if header is None:
            usable = "no session's cookie" if self.read else "no cookie"
            raise MissingCredential(
                f"The cookie header ({origin}) holds {usable}; a copied cURL command may take its place."
            )
        return Credential(Secret(header), origin)

    def _unusable(self, ctx: Context) -> str:
        """What is set and was not used, and why."""
        source, settings = ctx.settings.cookie_source, ctx.settings
        there = [*(["cookieHeader"] if settings.cookie_header else []), *(name for name in self.env if ctx.env(name))]
        if source in ("off", "manual") and there:
            return listed(there, f"not used, as cookieSource is {source}")
        return empty(ctx, self.env)


@dataclass(frozen=True)
class LoginFile(Lookup[Path]):
    """A file another program keeps its login in: the first of these that exists; the next where that is refused."""

    candidates: Callable[[Context], Iterable[Path]]
    missing: str = "No login was found."

    def places(self, ctx: Context) -> tuple[str, ...]:
        return tuple(ctx.show(path) for path in self.candidates(ctx))

    def probe(self, ctx: Context) -> Origin | None:
        path = self._first(ctx)
        return Origin.file(ctx.show(path)) if path else None

    async def find(self, ctx: Context) -> Path:
        return (await self._existing(ctx))[0]

    async def each(self, ctx: Context) -> AsyncIterator[Path]:
        for path in await self._existing(ctx):
            yield path

    async def _existing(self, ctx: Context) -> list[Path]:
        paths = await ctx.files.in_thread(lambda: [path for path in self.candidates(ctx) if _exists(path)])
        if not paths:
            raise MissingCredential(self.missing)
        return paths

    def _first(self, ctx: Context) -> Path | None:
        return next((path for path in self.candidates(ctx) if _exists(path)), None)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return True  # there, but not ours to look into: the read will say so


@dataclass(frozen=True)
class Program(Lookup[Path]):
    """A vendor's program: named by an environment variable, on PATH, or in one of the usual places; with `login_shell`
    a read also takes the one that only the user's login shell finds."""

    name: str
    env: str | None = None
    candidates: Callable[[Context], Iterable[Path]] = lambda ctx: ()
    hint: str = ""
    login_shell: bool = False

    def places(self, ctx: Context) -> tuple[str, ...]:
        return (f"program `{self.name}`",)

    def probe(self, ctx: Context) -> Origin | None:
        path = ctx.processes.find(self.name, env=self.env, places=tuple(self.candidates(ctx)))
        return Origin.program(self.name) if path else None

    async def find(self, ctx: Context) -> Path:
        path = ctx.processes.find(self.name, env=self.env, places=tuple(self.candidates(ctx)))
        if path is None and self.login_shell:
            path = await in_login_shell(ctx, self.name)
        if path is None:
            named = f"{self.env} names no program that can be run." if self.env and ctx.env(self.env) else ""
            raise MissingProgram(told(f"The program `{self.name}` was not found.", named), self.hint)
        return path


@dataclass(frozen=True)
class Always(Lookup[None]):
    """No credential is needed, or the strategy finds its own."""

    looked_at: Callable[[Context], tuple[str, ...]] = lambda ctx: ()
    found: Callable[[Context], Origin | None] = lambda ctx: None

    def places(self, ctx: Context) -> tuple[str, ...]:
        return self.looked_at(ctx)

    def probe(self, ctx: Context) -> Origin | None:
        return self.found(ctx)

    async def find(self, ctx: Context) -> None:
        return None
