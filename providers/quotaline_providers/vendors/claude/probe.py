"""Talking to Claude Code in a pseudo-terminal: its prompts answered, its panel awaited, its traces removed."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from quotaline_providers import Context, Conversation, ReadError, TimedOut
from quotaline_providers.vendors.claude.credentials import CLI_TOKEN_ENV, SCOPES_ENV, TOKEN_ENV, find_program
from quotaline_providers.vendors.claude.logins import config_root
from quotaline_providers.vendors.claude.panel import State, plain, squeezed, state_of

START_SECONDS = 2.0
ENTER_SECONDS = 0.8
SETTLE_SECONDS = 2.0
GRACE_SECONDS = 1.0
STATUS_IDLE_SECONDS = 3.0
AUTH_SECONDS = 5.0
PLAIN_SECONDS = 8.0
VERSION_SECONDS = 5.0
SIZE = (50, 160)
BUFFER = 1 << 18

VERSION_KEPT, VERSION_RETRY = timedelta(hours=6), timedelta(hours=1)

_START_PROMPTS = (
    ("doyoutrustthefilesinthisfolder?", "y\r"),
    ("quicksafetycheck:", "\r"),
    ("yes,itrustthisfolder", "\r"),
    ("readytocodehere?", "\r"),
    ("pressentertocontinue", "\r"),
)
PROMPTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "/usage": (*_START_PROMPTS, ("showplanusagelimits", "\r"), ("showplan", "\r")),
    "/status": (*_START_PROMPTS, ("showclaudecodestatus", "\r"), ("showclaudecode", "\r")),
}


@dataclass(frozen=True, slots=True)
class Capture:
    """What the program printed, and whether its time was over before it showed what was asked for."""

    text: str
    timed_out: bool = False

    @property
    def state(self) -> State:
        return state_of(self.text)


def environment(ctx: Context, folder: Path) -> dict[str, str | None]:
    """What the program must not inherit, and what keeps it quiet."""
    tokens = (*TOKEN_ENV, *SCOPES_ENV, CLI_TOKEN_ENV)
    env: dict[str, str | None] = {name: None for name in ctx.environ if name.startswith("ANTHROPIC_")}
    env.update(dict.fromkeys(tokens))
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
    await ctx.files.replace(settings, json.dumps({"disableDeepLinkRegistration": "disable"}))
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


async def _session_id(ctx: Context) -> str:
    kept = await ctx.memory.get("claude-session")
    if kept:
        return kept
    fresh = str(uuid.uuid4())
    await ctx.memory.set("claude-session", fresh)
    return fresh


# --- the conversation ------------------------------------------------------------------------------


class Dialogue:
    """One run in the terminal: keeps what was printed and answers each prompt once."""

    def __init__(self, terminal: Conversation, prompts: tuple[tuple[str, str], ...]) -> None:
        self._terminal = terminal
        self._unanswered = list(prompts)
        self._asked = ""
        self.text = ""
        self.ended = False

    async def listen(self, seconds: float) -> bool:
        """Take what comes next. False when nothing came in this time or nothing will come any more."""
        try:
            data = await self._terminal.read(max(0.01, seconds))
        except TimedOut:
            return False
        if data is None:
            self.ended = True
            return False
        self.text = (self.text + data)[-BUFFER:]
        await self._answer(data)
        return True

    async def listen_for(self, seconds: float) -> None:
        """Take all that comes in this time."""
        end = _time() + seconds
        while not self.ended and (left := end - _time()) > 0:
            await self.listen(left)

    async def type(self, keys: str) -> None:
        try:
            await self._terminal.write(keys)
        except ReadError:
            self.ended = True

    async def _answer(self, data: str) -> None:
        self._asked = (self._asked + data)[-4096:]
        if "\x1b[6n" in self._asked:
            self._asked = self._asked.replace("\x1b[6n", "")
            await self.type("\x1b[1;1R")
        shown = squeezed(plain(self._asked))
        for prompt in [prompt for prompt in self._unanswered if prompt[0] in shown]:
            if prompt in self._unanswered:
                # One screen may hold several of the needles; it is one question and takes one answer.
                self._unanswered = [other for other in self._unanswered if other[0] not in shown]
                await self.type(prompt[1])


def shows_usage(text: str) -> bool:
    """Whether a capture shows the session's percent, the subscription notice, or that loading failed."""
    flat = squeezed(plain(text))
    session = flat.rfind("currentsession")
    if session >= 0 and re.search(r"\d%", flat[session:]):
        return True
    notice = flat.find("currentlyusingyoursubscription")
    return "failedtoloadusagedata" in flat or (notice >= 0 and "claudecodeusage" in flat[notice:])


async def ask_usage(ctx: Context, program: Path, seconds: float) -> Capture:
    """Open the usage panel and wait for it at most so long. Raises MissingProgram, Unavailable."""
    folder = await workplace(ctx)
    try:
        async with ctx.processes.talk(
            await _command(ctx, program),
            env=environment(ctx, folder),
            cwd=folder,
            pty=SIZE,
            grace=GRACE_SECONDS,
        ) as terminal:
            dialogue = Dialogue(terminal, PROMPTS["/usage"])
            end = _time() + seconds
            await dialogue.listen_for(min(START_SECONDS, seconds))
            await dialogue.type("/usage")
            await dialogue.type("\r")
            done = await _await_usage(dialogue, end)
            if done:
                await dialogue.listen_for(SETTLE_SECONDS)
            await dialogue.type("/exit\r")
            return Capture(dialogue.text, timed_out=not done and not dialogue.ended)
    finally:
        await remove_sessions(ctx, folder)


async def _await_usage(dialogue: Dialogue, end: float) -> bool:
    next_enter = _time() + ENTER_SECONDS
    while not shows_usage(dialogue.text):
        now = _time()
        if dialogue.ended or now >= end:
            return False
        if now >= next_enter:
            await dialogue.type("\r")
            next_enter = now + ENTER_SECONDS
        await dialogue.listen(min(end, next_enter) - now)
    return True


async def ask_status(ctx: Context, program: Path, seconds: float) -> Capture:
    """Open the status panel, which makes the program renew its login. Ends when it has been quiet for a while."""
    folder = await workplace(ctx)
    try:
        async with ctx.processes.talk(
            await _command(ctx, program), env=environment(ctx, folder), cwd=folder, pty=SIZE, grace=GRACE_SECONDS
        ) as terminal:
            dialogue = Dialogue(terminal, PROMPTS["/status"])
            end = _time() + seconds
            await dialogue.listen_for(min(START_SECONDS, seconds))
            await dialogue.type("/status")
            await dialogue.type("\r")
            quiet = False
            while not quiet and not dialogue.ended and (left := end - _time()) > 0:
                quiet = not await dialogue.listen(min(left, STATUS_IDLE_SECONDS))
            await dialogue.type("/exit\r")
            return Capture(dialogue.text)
    finally:
        await remove_sessions(ctx, folder)


async def _command(ctx: Context, program: Path) -> tuple[str | Path, ...]:
    return (program, "--allowed-tools", "", "--strict-mcp-config", "--session-id", await _session_id(ctx))


def _time() -> float:
    return asyncio.get_running_loop().time()


# --- without a terminal ----------------------------------------------------------------------------


async def ask_plainly(ctx: Context, program: Path) -> Capture:
    """`claude /usage` as an ordinary process with nothing to read."""
    folder = await workplace(ctx)
    try:
        done = await ctx.processes.run(
            (program, "/usage"), timeout=PLAIN_SECONDS, env=environment(ctx, folder), cwd=folder, grace=GRACE_SECONDS
        )
    except TimedOut:
        return Capture("", timed_out=True)
    finally:
        await remove_sessions(ctx, folder)
    return Capture(done.stdout)


async def signed_in(ctx: Context, program: Path) -> bool | None:
    """What `claude auth status` says; None when it does not say."""
    folder = await workplace(ctx)
    argv = (program, "auth", "status", "--json")
    try:
        done = await ctx.processes.run(
            argv, timeout=AUTH_SECONDS, env=environment(ctx, folder), cwd=folder, grace=GRACE_SECONDS
        )
        answer = json.loads(done.stdout)
    except (ReadError, ValueError, RecursionError):
        return None
    value = answer.get("loggedIn") if isinstance(answer, dict) else None
    return value if isinstance(value, bool) else None


async def installed_version(ctx: Context) -> str | None:
    """The installed Claude Code's version, remembered for some hours; None when there is none or it does not say."""
    program = find_program(ctx)
    if program is None:
        return None
    kept = await ctx.memory.get("claude-version")
    if kept is not None:
        return kept or None
    folder = await workplace(ctx)
    try:
        done = await ctx.processes.run(
            (program, "--version"),
            timeout=VERSION_SECONDS,
            env=environment(ctx, folder),
            cwd=folder,
            grace=GRACE_SECONDS,
        )
        words = done.stdout.split()
    except ReadError:
        words = []
    found = words[0] if words and re.fullmatch(r"\d+(\.\d+)+[\w.+-]*", words[0]) else None
    await ctx.memory.set("claude-version", found or "", ctx.now + (VERSION_KEPT if found else VERSION_RETRY))
    return found
