"""Keys, regions and teams."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from quotaline_providers import (
    ApiKey,
    Context,
    Credential,
    EntryProblem,
    Lookup,
    Misconfigured,
    MissingCredential,
    Origin,
    ProviderSettings,
    Secret,
    clean,
)

GLOBAL, CHINA = "global", "bigmodel-cn"
API_HOST = "Z_AI_API_HOST"
_CHINA_ENV = ("Z_AI_API_KEY", "BIGMODEL_API_KEY", "ZHIPU_API_KEY", "ZHIPUAI_API_KEY", "GLM_API_KEY")
_GLOBAL_ENV = ("Z_AI_API_KEY", "ZAI_API_KEY")
_CHINA_FILES = (".coding-relay/glm-api-key", ".config/bigmodel/api_key", ".config/zhipu/api_key")
_GLOBAL_FILE, _HELPER_FILE = ".config/zai/key.json", ".chelper/config.yaml"


@dataclass(frozen=True, slots=True)
class RegionKey(Credential):
    """A key and the region it belongs to."""

    region: str = GLOBAL


def stated_region(ctx: Context) -> str | None:
    """The configured region, or the one an overridden host implies; None when there is neither.
    Raises Misconfigured."""
    region = ctx.settings.region
    if region is None:
        return CHINA if host_of(ctx.env(API_HOST)) == "open.bigmodel.cn" else None
    if region.lower() not in (GLOBAL, CHINA):
        raise Misconfigured("The setting region does not fit z.ai.", f"Set region to {GLOBAL} or {CHINA}.")
    return region.lower()


def host_of(address: str | None) -> str:
    text = address or ""
    try:
        return (urlsplit(text if "://" in text else f"https://{text}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def first_line(text: str) -> str | None:
    """The first line with anything in it."""
    return next((line for raw in text.splitlines() if (line := clean(raw))), None)


def key_in_json(text: str) -> str | None:
    """The key in a key file: a JSON object's `apiKey`, `api_key` or `key`, or the bare text."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None if text.lstrip().startswith(("{", "[")) else clean(text)
    if isinstance(content, dict):
        names = (content.get(name) for name in ("apiKey", "api_key", "key"))
        return next((key for value in names if isinstance(value, str) and (key := clean(value))), None)
    return clean(content) if isinstance(content, str) else None


def key_in_helper(text: str) -> tuple[str | None, str]:
    """Key and region in the vendor's helper file."""
    found = {name: clean(value) for name, value in re.findall(r"(?m)^\s*(api_key|plan)\s*:\s*(.*?)\s*$", text)}
    return found.get("api_key"), CHINA if "china" in (found.get("plan") or "").lower() else GLOBAL


def check_entry(entry: ProviderSettings) -> Iterator[EntryProblem]:
    """A team account without its organisation and project cannot be read."""
    accounts = entry.token_accounts.accounts if entry.token_accounts else ()
    for index, account in enumerate(accounts):
        if account.usage_scope == "team" and not (account.organization_id and account.workspace_id):
            message = "A team account of Z.ai needs organizationId and workspaceID."
            path = ("tokenAccounts", "accounts", index)
            yield EntryProblem("zai_team_context_missing", message, path)


class RegionalKey(Lookup[RegionKey]):
    """A key of the region in use: the keys of the two regions are never sent to each other's host."""

    @property
    def settings(self) -> tuple[str, ...]:
        return ApiKey().settings

    def places(self, ctx: Context) -> tuple[str, ...]:
        region = self._region_or_global(ctx)
        files = tuple(ctx.show(path) for path in (*self._files(ctx, region), ctx.home / _HELPER_FILE))
        return self._usual(region).places(ctx) + files

    def probe(self, ctx: Context) -> Origin | None:
        region = self._region_or_global(ctx)
        if found := self._usual(region).probe(ctx):
            return found
        files = (*self._files(ctx, region), ctx.home / _HELPER_FILE)
        return next((ctx.origin(path) for path in files if path.is_file()), None)

    async def find(self, ctx: Context) -> RegionKey:
        return await anext(self.each(ctx))

    async def each(self, ctx: Context) -> AsyncIterator[RegionKey]:
        stated = stated_region(ctx)
        region = stated or GLOBAL
        try:
            key = await self._usual(region).find(ctx)
        except MissingCredential:
            nothing = True
            async for found in self._last_resort(ctx, stated):
                nothing = False
                yield found
            if nothing:
                _point_to_china(ctx, region)
                raise
        else:
            yield RegionKey(key.secret, key.origin, region=region)

    async def _last_resort(self, ctx: Context, stated: str | None) -> AsyncIterator[RegionKey]:
        region = stated or GLOBAL
        read: Callable[[str], str | None] = first_line if region == CHINA else key_in_json
        for path in self._files(ctx, region):
            if key := read(await self._text(ctx, path)):
                yield RegionKey(Secret(key), ctx.origin(path), region=region)
        path = ctx.home / _HELPER_FILE
        key, belongs = key_in_helper(await self._text(ctx, path))
        if key and stated in (None, belongs):
            yield RegionKey(Secret(key), ctx.origin(path), region=belongs)

    async def _text(self, ctx: Context, path: Path) -> str:
        try:
            return await ctx.files.read(path)
        except (OSError, ValueError):
            return ""

    def _files(self, ctx: Context, region: str) -> Iterator[Path]:
        return (ctx.home / name for name in (_CHINA_FILES if region == CHINA else (_GLOBAL_FILE,)))

    def _usual(self, region: str) -> ApiKey:
        return ApiKey(env=_CHINA_ENV if region == CHINA else _GLOBAL_ENV)

    def _region_or_global(self, ctx: Context) -> str:
        try:
            return stated_region(ctx) or GLOBAL
        except Misconfigured:
            return GLOBAL


def _point_to_china(ctx: Context, region: str) -> None:
    """Raises MissingCredential, saying so, where there is a key but only one of China."""
    name = next((name for name in _CHINA_ENV if ctx.env(name)), None)
    if region == GLOBAL and name is not None:
        raise MissingCredential(
            f"No API key of z.ai is set; the one in {name} is of another region.",
            f"Set region to {CHINA} to read BigModel with it.",
        )


@dataclass(frozen=True)
class Team:
    """The ids a team's requests carry."""

    organization: str
    project: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Bigmodel-Organization": self.organization, "Bigmodel-Project": self.project}


def team_of(ctx: Context) -> Team | None:
    """The team of the account in use; None when it is a person's. Raises Misconfigured."""
    account = ctx.account
    if account is None or (account.usage_scope or "").strip().lower() != "team":
        return None
    ids = {"organizationId": account.organization_id, "workspaceID": account.workspace_id}
    for name, value in ids.items():
        text = clean(value)
        if text is None or re.search(r"[\s\x00-\x1f\x7f]", text):
            state = "is missing" if text is None else "holds a space or line break"
            raise Misconfigured(f"The setting {name} of a team account {state}.", f"Set {name} as the vendor shows it.")
    return Team(clean(account.organization_id) or "", clean(account.workspace_id) or "")
