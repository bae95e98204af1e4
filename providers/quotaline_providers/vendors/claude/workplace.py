"""Where Claude Code is started for us, what it sees there, and what is removed afterwards."""

from __future__ import annotations

import json
from pathlib import Path

from quotaline_providers import Context
from quotaline_providers.vendors.claude.logins import config_root

_NO_LINKS = {"disableDeepLinkRegistration": "disable"}
ALONE = (
    *("--strict-mcp-config", "--allowed-tools", ""),
    "--settings",
    json.dumps({"disableAllHooks": True, "remoteControlAtStartup": False, "disableRemoteControl": True, **_NO_LINKS}),
)
"""Arguments that keep the user's hooks, MCP servers and Remote Control out of a run that only reads."""


def environment(ctx: Context, folder: Path) -> dict[str, str | None]:
    """What the program needs of its own variables (none that holds a token, nor the one by which it would know that it
    runs inside itself), and what keeps it quiet."""
    env = ctx.variables("CLAUDE_CODE_GIT_BASH_PATH", "CLAUDE_CODE_CERT_STORE", "CLAUDE_CODE_CLIENT_CERT")
    env |= ctx.variables("CLAUDE_CODE_CLIENT_KEY", "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE")
    for name in ("CLAUDE_CONFIG_DIR", "CLAUDE_SECURESTORAGE_CONFIG_DIR"):
        if value := ctx.environ.get(name):
            env[name] = str(Path(value).absolute())
    return {**env, "DISABLE_AUTOUPDATER": "1", "PWD": str(folder), "TERM": "xterm-256color"}


async def workplace(ctx: Context) -> Path:
    """A private folder for the program to run in, so that no project's settings or servers are loaded."""
    folder = ctx.data_home() / "quotaline" / "claude"
    settings = folder / ".claude" / "settings.local.json"

    def prepare() -> Path:
        settings.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder.resolve()

    real = await ctx.files.in_thread(prepare)
    await ctx.files.replace(settings, json.dumps(_NO_LINKS))
    return real


def project_name(folder: str) -> str:
    """The name under which Claude Code keeps the sessions of a folder."""
    units = folder.encode("utf-16-le", "surrogatepass")
    codes = [int.from_bytes(units[index : index + 2], "little") for index in range(0, len(units), 2)]
    name = "".join(chr(code) if code < 128 and chr(code).isalnum() else "-" for code in codes)
    if len(name) <= 200:
        return name
    total = 0
    for code in codes:
        total = (total * 31 + code) & 0xFFFFFFFF
    return f"{name[:200]}-{_base36(abs(total - (1 << 32) if total >= 1 << 31 else total))}"


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits or "0"


async def remove_sessions(ctx: Context, folder: Path) -> None:
    """Delete the session logs that the program left of its runs in this folder."""
    project = config_root(ctx) / "projects" / project_name(str(folder))

    def remove() -> None:
        for log in project.glob("*.jsonl"):
            log.unlink(missing_ok=True)

    try:
        await ctx.files.in_thread(remove)
    except OSError:
        return
