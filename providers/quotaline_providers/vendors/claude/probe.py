"""Talking to Claude Code in a pseudo-terminal: its prompts answered, its panel awaited, its traces removed."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Mapping
from pathlib import Path

from quotaline_providers import Context, Conversation, ReadError, TimedOut
from quotaline_providers.vendors.claude.commands import GRACE_SECONDS
from quotaline_providers.vendors.claude.panel import Capture, plain, squeezed
from quotaline_providers.vendors.claude.workplace import ALONE, environment, remove_sessions, workplace

START_SECONDS = 2.0
ENTER_SECONDS = 0.8
SETTLE_SECONDS = 2.0
STATUS_IDLE_SECONDS = 3.0
SIZE = (50, 160)
BUFFER = 1 << 18

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
    return (program, *ALONE, "--session-id", await _session_id(ctx))


def _time() -> float:
    return asyncio.get_running_loop().time()
