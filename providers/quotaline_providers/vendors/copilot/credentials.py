"""Where a GitHub token for Copilot is found: what the user gave, then editor plug-ins, then GitHub's own programs."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from quotaline_providers import (
    ApiKey,
    Context,
    Credential,
    Lookup,
    Misconfigured,
    MissingCredential,
    Origin,
    OriginKind,
    ReadError,
    Secret,
)
from quotaline_providers.vendors.copilot.github import Host, github_host
from quotaline_providers.vendors.copilot.logins import (
    GhLogin,
    cli_hosts,
    cli_tokens,
    gh_hosts,
    gh_login,
    keyring_token,
    plugin_hosts,
    plugin_token,
    row_token,
    tenant,
    usable,
)

GH_DEADLINE = 5.0
_LIMIT = 1 << 20
_ROWS = "SELECT auth_authority, token_ciphertext FROM oauth_tokens LIMIT 1000"


def plugin_folder(ctx: Context) -> Path:
    """The editor plug-ins' folder."""
    return (ctx.data_home() if ctx.platform == "win32" else ctx.config_home()) / "github-copilot"


def plugin_files(ctx: Context) -> tuple[Path, ...]:
    """The editor plug-ins' login files, the newer one first."""
    return (plugin_folder(ctx) / "apps.json", plugin_folder(ctx) / "hosts.json")


def plugin_database(ctx: Context) -> Path:
    """What newer plug-ins write instead of those files."""
    return plugin_folder(ctx) / "auth.db"


def cli_file(ctx: Context) -> Path:
    """The Copilot CLI's config, which holds its login where there is no keyring."""
    return (ctx.env_path("COPILOT_HOME") or ctx.home / ".copilot") / "config.json"


def gh_file(ctx: Context) -> Path:
    """The GitHub CLI's `hosts.yml`."""
    folder = ctx.env_path("GH_CONFIG_DIR") or (ctx.config_home() / ("GitHub CLI" if ctx.platform == "win32" else "gh"))
    return folder / "hosts.yml"


def was_given(origin: Origin) -> bool:
    """Whether the user gave a token for just this; else it was found on the machine."""
    own_keyring = origin.kind is OriginKind.KEYRING and not origin.name
    return own_keyring or origin.kind in (OriginKind.ACCOUNT, OriginKind.CONFIG, OriginKind.ENVIRONMENT)


@dataclass(frozen=True)
class GitHubToken(Lookup[Credential]):
    """The labelled account, config, keyring and environment; else all that are found on this machine.

    A token found on the machine is used only for the host it was issued by. Detection reads files and nothing else.
    """

    @property
    def settings(self) -> tuple[str, ...]:
        return (*ApiKey().settings, "enterpriseHost")

    def places(self, ctx: Context) -> tuple[str, ...]:
        paths = (*plugin_files(ctx), plugin_database(ctx), cli_file(ctx), gh_file(ctx))
        return (*_given(ctx).places(ctx), *map(ctx.show, paths), "keyring of the GitHub CLI", "program `gh`")

    def probe(self, ctx: Context) -> Origin | None:
        if origin := _given(ctx).probe(ctx):
            return origin
        try:
            host = github_host(ctx.settings.enterprise_host).web
        except Misconfigured:
            return None
        for path in plugin_files(ctx):
            if plugin_token(_peek(path), host):
                return ctx.origin(path)
        if _is_file(plugin_database(ctx)):
            return ctx.origin(plugin_database(ctx))
        if cli_tokens(_peek(cli_file(ctx)), host):
            return ctx.origin(cli_file(ctx))
        login = gh_login(_peek(gh_file(ctx)), host)
        return ctx.origin(gh_file(ctx)) if login and (login.token or login.user) else None

    async def find(self, ctx: Context) -> Credential:
        return await anext(self.each(ctx))

    async def each(self, ctx: Context) -> AsyncIterator[Credential]:
        hint = ""
        try:
            given = await _given(ctx).find(ctx)
        except MissingCredential as missing:
            hint = missing.hint
        else:
            if usable(given.secret.reveal()) is None:
                raise Misconfigured("The GitHub token holds blanks or other characters that no token has.")
            yield given
            return
        seen: set[str] = set()
        async for found in _on_this_machine(ctx, github_host(ctx.settings.enterprise_host)):
            if found.secret.digest() not in seen:
                seen.add(found.secret.digest())
                yield found
        if not seen:
            raise await _missing(ctx, hint)


def _given(ctx: Context) -> ApiKey:
    # In a codespace this variable is the login that editor plug-ins use; elsewhere it mostly serves another purpose.
    codespace = ("GITHUB_TOKEN",) if ctx.env("CODESPACES") else ()
    return ApiKey(env=("COPILOT_API_TOKEN", "COPILOT_GITHUB_TOKEN", *codespace))


async def _on_this_machine(ctx: Context, host: Host) -> AsyncIterator[Credential]:
    """All tokens of this host that programs keep here, in order. The keyring and `gh` are asked last."""
    for path in plugin_files(ctx):
        if token := plugin_token(await _text(ctx, path), host.web):
            yield Credential(Secret(token), ctx.origin(path))
    for authority, value in await _rows(ctx):
        if token := row_token(authority, value, host.web):
            yield Credential(Secret(token), ctx.origin(plugin_database(ctx)))
    for token in cli_tokens(await _text(ctx, cli_file(ctx)), host.web):
        yield Credential(Secret(token), ctx.origin(cli_file(ctx)))
    login = gh_login(await _text(ctx, gh_file(ctx)), host.web)
    if login and login.token:
        yield Credential(Secret(login.token), ctx.origin(gh_file(ctx)))
    async for found in _from_gh(ctx, host, login):
        yield found


async def _missing(ctx: Context, hint: str) -> MissingCredential:
    """The error where nothing was found: it names a login of a host with data residency that is here. What programs
    left here is nothing that the user has set up for this."""
    tenants = dict.fromkeys([found async for key in _host_names(ctx) if (found := tenant(key))])
    wanted = github_host(ctx.settings.enterprise_host).web
    other = next((found for found in tenants if found != wanted), None)
    if other is None:
        return MissingCredential("No GitHub token for Copilot was found.", hint, quiet=not hint)
    message = f"No GitHub token for Copilot of {wanted} was found, only a login of {other}."
    return MissingCredential(message, f"Set enterpriseHost to {other} to read that one.", quiet=True)


async def _host_names(ctx: Context) -> AsyncIterator[str]:
    """What may be the name of a host in any of the files."""
    for path in plugin_files(ctx):
        for name in plugin_hosts(await _text(ctx, path)):
            yield name
    for authority, _ in await _rows(ctx):
        if isinstance(authority, str):
            yield authority
    for name in (*cli_hosts(await _text(ctx, cli_file(ctx))), *gh_hosts(await _text(ctx, gh_file(ctx)))):
        yield name


async def _rows(ctx: Context) -> list[tuple[object, object]]:
    try:
        return [(row[0], row[1]) for row in await ctx.databases.rows(plugin_database(ctx), _ROWS)]
    except (OSError, sqlite3.Error):
        return []


async def _text(ctx: Context, path: Path) -> str:
    return await ctx.files.in_thread(partial(_peek, path))


def _peek(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace") if path.is_file() and path.stat().st_size <= _LIMIT else ""
    except OSError:
        return ""


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


async def _from_gh(ctx: Context, host: Host, login: GhLogin | None) -> AsyncIterator[Credential]:
    """The GitHub CLI's token from its keyring item or from itself.

    macOS asks the user before one program may read another's item, so there the CLI is asked first.
    """
    mac = ctx.platform == "darwin"
    found = await _ask_gh(ctx, host) if mac else await _keyring_item(ctx, host, login)
    if found:
        yield found
    found = await _keyring_item(ctx, host, login) if mac else await _ask_gh(ctx, host)
    if found:
        yield found


async def _keyring_item(ctx: Context, host: Host, login: GhLogin | None) -> Credential | None:
    if login is None:
        return None
    service = f"gh:{host.web}"
    for user in dict.fromkeys((login.user or "", "")):
        secret = await ctx.keyring.get(service, user)
        if secret and (token := keyring_token(secret.reveal())):
            return Credential(Secret(token), Origin(f"keyring {service}", OriginKind.KEYRING, service))
    return None


async def _ask_gh(ctx: Context, host: Host) -> Credential | None:
    program = ctx.processes.find("gh")
    if program is None:
        return None
    environment = {**ctx.variables("GH_CONFIG_DIR"), "GH_PROMPT_DISABLED": "1", "GH_NO_UPDATE_NOTIFIER": "1"}
    try:
        finished = await ctx.processes.run(
            [program, "auth", "token", "--hostname", host.web], timeout=GH_DEADLINE, env=environment
        )
    except ReadError:
        return None
    token = usable(finished.stdout) if finished.exit_code == 0 else None
    return Credential(Secret(token), Origin("`gh auth token`", OriginKind.PROGRAM, "gh")) if token else None
