"""The last resort of a user who chose the program: its `/status` screen, opened in a pseudo-terminal and read as text.

Never in the background: without a valid login the screen may open a browser.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from quotaline_providers import (
    SESSION_MINUTES,
    WEEK_MINUTES,
    BadResponse,
    Context,
    Conversation,
    Identity,
    MissingCredential,
    ReadError,
    TimedOut,
    Unavailable,
    Usage,
    Window,
)
from quotaline_providers.vendors.codex.amounts import monthly_window
from quotaline_providers.vendors.codex.credentials import SubscriptionLogin
from quotaline_providers.vendors.codex.homes import unscoped
from quotaline_providers.vendors.codex.mapping import Limits, to_usage
from quotaline_providers.vendors.codex.program import program_env
from quotaline_providers.vendors.codex.windows import in_lanes

SIZES = ((60, 200), (70, 220))
FIRST_SECONDS, AGAIN_SECONDS = 8.0, 4.0
START_SECONDS, PAUSE_SECONDS, ENTER_SECONDS = 1.5, 0.4, 1.0
BUFFER = 1 << 18
UPDATE = "Update it with `npm i -g @openai/codex@latest`."

_SEQUENCE = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-Z\\-_]")
_NUMBER = r"(\d[\d.,\u00a0\u202f ]*)"
_CREDITS = re.compile(rf"credits:\s*{_NUMBER}", re.IGNORECASE)
_MONTHLY = re.compile(rf"{_NUMBER}\s*of\s*{_NUMBER}\s*credits\s+used", re.IGNORECASE)
_LEFT = re.compile(r"(?<![\d.])(\d{1,3})\s*%\s*left", re.IGNORECASE)
_RESETS = re.compile(r"resets\s+(.*)$", re.IGNORECASE)
_TAIL = re.compile(
    r"(\d{1,2}):(\d{2})(?:\s+on\s+(?:(\d{1,2})\s+([a-z]{3})|([a-z]{3})[a-z]*\s+(\d{1,2})))?", re.IGNORECASE
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


# --- what the screen says --------------------------------------------------------------------------


def plain(text: str) -> str:
    """The screen without terminal sequences; every carriage return ends a line."""
    return _SEQUENCE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")


def to_count(text: str) -> float | None:
    """A count whose thousands may be grouped with a comma, a point or a space: `1,250`, `1.250`, `1 250`, `12.5`."""
    text = re.sub(r"[\s\u00a0\u202f]", "", text).rstrip(".,")
    marks = [mark for mark in text if mark in ".,"]
    if len(set(marks)) == 2:  # the last one is the decimal point
        whole, fraction = text.rsplit(marks[-1], 1)
        text = re.sub(r"[.,]", "", whole) + "." + fraction
    elif marks and re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", text):
        text = re.sub(r"[.,]", "", text)
    else:
        text = text.replace(",", ".")
    return float(text) if re.fullmatch(r"\d{1,15}(?:\.\d{1,9})?", text) else None


def reset_time(tail: str, now: datetime) -> datetime | None:
    """When a limit resets, from `18:20`, `04:10 on 3 Mar` or `04:10 on Mar 3` in local time: the next such moment."""
    match = _TAIL.search(re.sub(r"[()]", "", tail))
    if match is None:
        return None
    hour, minute = int(match.group(1)), int(match.group(2))
    day, month = match.group(3) or match.group(6), (match.group(4) or match.group(5) or "").lower()
    if day and month not in _MONTHS:
        return None
    dates = _days(now) if not day else _years(now, _MONTHS.index(month) + 1, int(day))
    for year, number, day_of_month in dates:
        try:
            time = datetime(year, number, day_of_month, hour, minute).astimezone(UTC)  # local time
        except (ValueError, OverflowError):
            continue
        if time > now:
            return time
    return None


def _days(now: datetime) -> Iterator[tuple[int, int, int]]:
    for offset in (0, 1):
        day = now.astimezone() + timedelta(days=offset)
        yield day.year, day.month, day.day


def _years(now: datetime, month: int, day: int) -> Iterator[tuple[int, int, int]]:
    year = now.astimezone().year
    return ((year + offset, month, day) for offset in range(9))  # the most between two 29ths of February


def to_limits(screen: str, now: datetime) -> Limits:
    """What the last status on the screen says; empty when it shows none."""
    lines = plain(screen).split("\n")
    session = _window(lines, "5h limit", SESSION_MINUTES, now)
    weekly = _window(lines, "weekly limit", WEEK_MINUTES, now)
    credits = [found for line in lines if (found := _CREDITS.search(line))]
    balance = to_count(credits[-1].group(1)) if credits else None
    return Limits(
        windows=in_lanes(session, weekly),
        has_credits_part=balance is not None,
        balance=balance,
        monthly=_monthly(lines, now),
    )


def _window(lines: list[str], label: str, minutes: int, now: datetime) -> Window | None:
    own = re.compile(rf"[\W_]*{label}\b", re.IGNORECASE)  # not a limit of one model, which has its name in front
    for line in reversed(lines):
        left = _LEFT.search(line) if own.match(line) else None
        if left is not None:
            used = 100.0 - min(100, int(left.group(1)))
            return Window(
                id=label,
                label=label,
                used_percent=used,
                minutes=minutes,
                resets_at=_reset(line, now),
                blocks=True,
            )
    return None


def _reset(line: str, now: datetime) -> datetime | None:
    found = _RESETS.search(line)
    return reset_time(found.group(1), now) if found else None


def _monthly(lines: list[str], now: datetime) -> Window | None:
    label = next((line for line in reversed(lines) if "monthly credit limit" in line.lower()), None)
    amounts = [found for line in lines if (found := _MONTHLY.search(line))]
    if label is None or not amounts:
        return None
    used, limit = to_count(amounts[-1].group(1)), to_count(amounts[-1].group(2))
    return None if used is None or not limit else monthly_window(used, limit, _reset(label, now))


def shows_limits(limits: Limits) -> bool:
    """Whether anything was found on the screen."""
    return limits.tells_something


def problem_of(screen: str) -> ReadError:
    """Why the screen shows no limits."""
    flat = " ".join(plain(screen).lower().split())
    if "data not available yet" in flat:
        return Unavailable("Codex has no limits to show yet.")
    if "update available" in flat and "codex" in flat:
        return BadResponse("The `codex` program is too old to show its limits.", UPDATE)
    return BadResponse("The status screen of the `codex` program showed no limits.", UPDATE)


# --- how it is opened ------------------------------------------------------------------------------


class Screen:
    """One run in the terminal: keeps what was printed and answers where the cursor is."""

    def __init__(self, terminal: Conversation) -> None:
        self._terminal = terminal
        self.text = ""
        self.ended = False

    async def watch(self, seconds: float) -> None:
        """Take what comes in this time, or at least until there is something new."""
        try:
            data = await self._terminal.read(max(0.01, seconds))
        except TimedOut:
            return
        if data is None:
            self.ended = True
            return
        self.text = (self.text + data)[-BUFFER:]
        for _ in range(data.count("\x1b[6n")):
            await self.type("\x1b[1;1R")

    async def watch_for(self, seconds: float) -> None:
        end = _time() + seconds
        while not self.ended and (left := end - _time()) > 0:
            await self.watch(left)

    async def type(self, keys: str) -> None:
        try:
            await self._terminal.write(keys)
        except ReadError:
            self.ended = True


async def from_screen(ctx: Context, program: Path) -> Usage:
    """Read the `/status` screen; once more in a larger terminal when the first one could not be understood."""
    screen = await ask_status(ctx, program, SIZES[0], FIRST_SECONDS)
    if not shows_limits(to_limits(screen, ctx.now)):
        screen = await ask_status(ctx, program, SIZES[1], AGAIN_SECONDS)
    limits = to_limits(screen, ctx.now)
    if not shows_limits(limits):
        raise problem_of(screen)
    return to_usage(limits, await _identity(ctx), ctx.now)


async def ask_status(ctx: Context, program: Path, size: tuple[int, int], seconds: float) -> str:
    """What the terminal printed until limits showed or the time was over. Raises MissingProgram."""
    folder = ctx.data_home() / "quotaline" / "codex"
    await ctx.files.in_thread(lambda: folder.mkdir(parents=True, exist_ok=True, mode=0o700))
    argv = (program, "-s", "read-only", "-a", "never", "-c", 'history.persistence="none"')
    async with ctx.processes.talk(
        argv, env={**program_env(ctx), "TERM": "xterm-256color"}, cwd=folder, pty=size
    ) as run:
        screen = Screen(run)
        end = _time() + seconds
        await screen.watch(START_SECONDS)
        await screen.type("/status")
        await screen.watch_for(PAUSE_SECONDS)  # keys that come too fast count as pasted, and their Enter as text
        while not screen.ended and (left := end - _time()) > 0 and not shows_limits(to_limits(screen.text, ctx.now)):
            await screen.type("\r")
            await screen.watch_for(min(left, ENTER_SECONDS))
        await screen.watch_for(min(PAUSE_SECONDS, max(0.0, end - _time())))
        return screen.text


async def _identity(ctx: Context) -> Identity:
    try:
        login = await SubscriptionLogin().find(ctx)
    except MissingCredential:
        return Identity()
    return Identity(account_id=login.account_id, email=login.email, plan=login.plan)


def _time() -> float:
    return asyncio.get_running_loop().time()


def waits_at_terminal(ctx: Context) -> bool:
    return ctx.interactive and ctx.processes.has_pty and unscoped(ctx)
