"""Where a GitHub token for Copilot is found: what the user gave, then editor plug-ins, then the GitHub CLI."""

from __future__ import annotations

import base64
import binascii
import json
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
    clean,
)
from quotaline_providers.vendors.copilot.github import Host, github_host

GH_DEADLINE = 5.0
_LIMIT = 1 << 20
_GH_WITHOUT_TOKENS = dict.fromkeys(("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"))


@dataclass(frozen=True, slots=True)
class GhLogin:
    """What `hosts.yml` of the GitHub CLI says of one host. The token is absent when it lies in the keyring."""

    user: str | None = None
    token: str | None = None


def plugin_token(text: str, host: str) -> str | None:
    """The token an editor plug-in's `apps.json` or `hosts.json` holds for exactly this host."""
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entries, dict):
        return None
    for key, entry in entries.items():
        if (key == host or key.startswith(f"{host}:")) and isinstance(entry, dict):
            token = usable(entry.get("oauth_token"))
            if token:
                return token
    return None


def gh_login(text: str, host: str) -> GhLogin | None:
    """The top-level block of a host in `hosts.yml`; None without one.

    Only plain `key: value` lines are understood, which is all the GitHub CLI writes. Tokens that newer versions keep
    below `users:` count only for the active user.
    """
    inside, found, child = False, False, 0
    user = token = None
    path: list[tuple[int, str]] = []
    others: dict[str, str] = {}
    for line in text.splitlines():
        body = line.strip()
        if not body or body.startswith("#"):
            continue
        indent = len(line) - len(line.lstrip(" "))
        key, colon, rest = _pair(body)
        if indent == 0:
            inside = bool(colon) and key.lower() == host
            found, child, path = found or inside, 0, []
            continue
        if not inside or not colon:
            continue
        child = child or indent
        path = [(depth, name) for depth, name in path if depth < indent]
        value = _scalar(rest)
        if indent == child:
            user = value if key == "user" else user
            token = value if key == "oauth_token" else token
        elif key == "oauth_token" and value and len(path) == 2 and path[0][1] == "users":
            others[path[1][1]] = value
        path.append((indent, key))
    if not found:
        return None
    return GhLogin(user, usable(token) or usable(others.get(user or "")))


def _pair(line: str) -> tuple[str, str, str]:
    """Key, colon and value of a line. A colon ends the key only before a blank or the end, so hosts may have ports."""
    if line[0] in "\"'" and (end := line.find(line[0], 1)) > 0:
        rest = line[end + 1 :].lstrip()
        return line[1:end], rest[:1] if rest.startswith(":") else "", rest[1:]
    head, colon, rest = line.partition(": ")
    if not colon and line.endswith(":"):
        return line[:-1].rstrip(), ":", ""
    return head.rstrip(), colon.strip(), rest


def _scalar(text: str) -> str | None:
    value = text.strip()
    if value.startswith("#"):
        return None
    if value[:1] in ("'", '"') and (end := value.find(value[0], 1)) > 0:
        return value[1:end].strip() or None
    return clean(value.split(" #", 1)[0])


def keyring_token(value: str) -> str | None:
    """The token in a keyring item of the GitHub CLI, which may be wrapped in base64."""
    marker = "go-keyring-base64:"
    if value.startswith(marker):
        try:
            value = base64.b64decode(value.removeprefix(marker), validate=True).decode()
        except (binascii.Error, ValueError):
            return None
    return usable(value)


def usable(value: object) -> str | None:
    """A text that can stand in a header: trimmed, unquoted, printable ASCII without blanks; else None."""
    text = clean(value) if isinstance(value, str) else None
    return text if text and text.isascii() and text.isprintable() and " " not in text else None


def plugin_files(ctx: Context) -> tuple[Path, ...]:
    """The editor plug-ins' login files, the newer one first."""
    base = ctx.data_home() if ctx.platform == "win32" else ctx.config_home()
    return (base / "github-copilot" / "apps.json", base / "github-copilot" / "hosts.json")


def gh_file(ctx: Context) -> Path:
    """The GitHub CLI's `hosts.yml`."""
    folder = ctx.env_path("GH_CONFIG_DIR") or (ctx.config_home() / ("GitHub CLI" if ctx.platform == "win32" else "gh"))
    return folder / "hosts.yml"


@dataclass(frozen=True)
class GitHubToken(Lookup[Credential]):
    """The labelled account, config, keyring and environment; then what is found on this machine.

    A token found on the machine is used only for the host it was issued by. Detection reads files and nothing else.
    """

    given: ApiKey = ApiKey(env=("COPILOT_API_TOKEN",))  # noqa: RUF009 - a frozen value

    @property
    def settings(self) -> tuple[str, ...]:
        return (*self.given.settings, "enterpriseHost")

    def places(self, ctx: Context) -> tuple[str, ...]:
        files = tuple(ctx.show(path) for path in (*plugin_files(ctx), gh_file(ctx)))
        return (*self.given.places(ctx), *files, "keyring of the GitHub CLI", "program `gh`")

    def probe(self, ctx: Context) -> Origin | None:
        if origin := self.given.probe(ctx):
            return origin
        try:
            host = github_host(ctx.settings.enterprise_host)
        except Misconfigured:
            return None
        for path in plugin_files(ctx):
            if plugin_token(_peek(path), host.web):
                return ctx.origin(path)
        login = gh_login(_peek(gh_file(ctx)), host.web)
        return ctx.origin(gh_file(ctx)) if login and (login.token or login.user) else None

    async def find(self, ctx: Context) -> Credential:
        hint = ""
        try:
            given = await self.given.find(ctx)
        except MissingCredential as missing:
            hint = missing.hint
        else:
            if usable(given.secret.reveal()) is None:
                raise Misconfigured("The GitHub token holds blanks or other characters that no token has.")
            return given
        host = github_host(ctx.settings.enterprise_host)
        for path in plugin_files(ctx):
            if token := plugin_token(await ctx.files.in_thread(partial(_peek, path)), host.web):
                return Credential(Secret(token), ctx.origin(path))
        path = gh_file(ctx)
        login = gh_login(await ctx.files.in_thread(partial(_peek, path)), host.web)
        if login and login.token:
            return Credential(Secret(login.token), ctx.origin(path))
        found = await _from_gh(ctx, host, login)
        if found:
            return found
        raise MissingCredential("No GitHub token for Copilot was found.", hint)


def _peek(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace") if path.stat().st_size <= _LIMIT else ""
    except OSError:
        return ""


async def _from_gh(ctx: Context, host: Host, login: GhLogin | None) -> Credential | None:
    """The GitHub CLI's token from its keyring item or from itself.

    macOS asks the user before one program may read another's item, so there the CLI is asked first, and its item is
    read only when the user is present.
    """
    if ctx.platform == "darwin":
        return await _ask_gh(ctx, host) or (await _keyring_item(ctx, host, login) if ctx.interactive else None)
    return await _keyring_item(ctx, host, login) or await _ask_gh(ctx, host)


async def _keyring_item(ctx: Context, host: Host, login: GhLogin | None) -> Credential | None:
    if login is None:
        return None
    service = f"gh:{host.web}"
    for user in dict.fromkeys((login.user or "", "")):
        # The CLI's library names Windows items service:user; elsewhere they are two attributes.
        target = f"{service}:{user}" if ctx.platform == "win32" else service
        secret = await ctx.keyring.get(target, user)
        if secret and (token := keyring_token(secret.reveal())):
            return Credential(Secret(token), Origin(f"keyring {service}", OriginKind.KEYRING, service))
    return None


async def _ask_gh(ctx: Context, host: Host) -> Credential | None:
    program = ctx.processes.find("gh")
    if program is None:
        return None
    environment = {**_GH_WITHOUT_TOKENS, "GH_PROMPT_DISABLED": "1", "GH_NO_UPDATE_NOTIFIER": "1"}
    try:
        finished = await ctx.processes.run(
            [program, "auth", "token", "--hostname", host.web], timeout=GH_DEADLINE, env=environment
        )
    except ReadError:
        return None
    token = usable(finished.stdout) if finished.exit_code == 0 else None
    return Credential(Secret(token), Origin("`gh auth token`", OriginKind.PROGRAM, "gh")) if token else None
