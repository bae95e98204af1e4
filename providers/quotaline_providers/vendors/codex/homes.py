"""The folder in which the Codex program keeps its things, and what the `config.toml` in it says."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from quotaline_providers import Context, Misconfigured, base_address, clean, to_text
from quotaline_providers.settings import AUTO

DEFAULT_BASE = "https://chatgpt.com/backend-api"
BASE_SETTING = "chatgpt_base_url"
CONFIG_LIMIT, BASE_LIMIT = 256 << 10, 1 << 20
_OFFICIAL = ("chatgpt.com", "chat.openai.com")


def usual_home(ctx: Context) -> Path:
    """The folder the program itself would use."""
    return ctx.env_path("CODEX_HOME") or ctx.home / ".codex"


def codex_home(ctx: Context) -> Path:
    """The folder of the account that is read."""
    return ctx.account.home if ctx.account and ctx.account.home else usual_home(ctx)


def is_named(ctx: Context) -> bool:
    """Whether somebody named the folder: then no login from anywhere else may stand in for the one in it."""
    return bool((ctx.account and ctx.account.home) or ctx.env("CODEX_HOME"))


def workspace(ctx: Context) -> str | None:
    """The workspace to ask about instead of the login's own. A profile is never asked about another one's."""
    return ctx.account.workspace_id if ctx.account else ctx.settings.workspace_id


async def config_text(ctx: Context) -> str:
    """The text of `config.toml`; empty when there is none or it is too large."""
    try:
        return await ctx.files.read(codex_home(ctx) / "config.toml", CONFIG_LIMIT)
    except (OSError, ValueError):
        return ""


async def service_base(ctx: Context, home: Path) -> str:
    """The address that the login kept in this home may be sent to, and no other login: the one its own `config.toml`
    names, else the vendor's. Raises Misconfigured when that is no HTTPS address or cannot be read."""
    path = home / "config.toml"
    try:
        return base_url(await ctx.files.read(path, BASE_LIMIT))
    except (FileNotFoundError, NotADirectoryError):
        return DEFAULT_BASE
    except (OSError, ValueError):
        raise Misconfigured(
            f"{ctx.show(path)} cannot be read, so it is not known where the login beside it belongs.",
            "Correct the file, or check who may read it.",
        ) from None


def base_url(config: str) -> str:
    """The service's address from the text of `config.toml`. Raises Misconfigured when it is not a safe one."""
    base = base_address(_named_base(config), BASE_SETTING, DEFAULT_BASE)
    return f"{base}/backend-api" if urlsplit(base).hostname in _OFFICIAL and "/backend-api" not in base else base


def _named_base(config: str) -> str | None:
    """The setting's value. Only the top of the file counts, no table; a file that is no TOML is read line by line."""
    import tomllib

    try:
        value = tomllib.loads(config).get(BASE_SETTING)
    except (tomllib.TOMLDecodeError, RecursionError):
        top = re.split(r"^[ \t]*\[[^\]\n]+\][ \t]*(?:#.*)?$", config, maxsplit=1, flags=re.MULTILINE)[0]
        match = re.search(rf"^[ \t]*{BASE_SETTING}[ \t]*=(.*)$", top, re.MULTILINE)
        value = match.group(1).split("#", 1)[0] if match else None
    if value is not None and not isinstance(value, str):
        raise Misconfigured(f"The setting {BASE_SETTING} is no text.", f"Correct {BASE_SETTING} or remove it.")
    return clean(value)


def custom_provider(config: str) -> str | None:
    """The name of the model provider in `config.toml` that needs no OpenAI login; None for OpenAI's own."""
    import tomllib

    try:
        settings = tomllib.loads(config)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    id = to_text(settings.get("model_provider"))
    if id is None or id.lower() in ("openai", "chatgpt"):
        return None
    providers = settings.get("model_providers")
    entry = providers.get(id) if isinstance(providers, dict) else None
    entry = entry if isinstance(entry, dict) else {}
    if entry.get("requires_openai_auth") is True:
        return None
    name = to_text(entry.get("name")) or id
    bedrock = id in ("amazon-bedrock", "amazon-bedrock-runtime") or "bedrock" in name.lower()
    return "Amazon Bedrock" if bedrock else name


def unscoped(ctx: Context) -> bool:
    """The program cannot be asked about one workspace."""
    return workspace(ctx) is None


def unscoped_in_auto(ctx: Context) -> bool:
    return ctx.source == AUTO and unscoped(ctx)


def chosen_or_unscoped(ctx: Context) -> bool:
    """Cookies know one workspace alone: then they stand in for nothing else, but may still be chosen."""
    return ctx.source != AUTO or unscoped(ctx)
