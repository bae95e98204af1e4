"""`kiro-cli` and the three reports it prints: run over pipes, and in a terminal where pipes are of no use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from quotaline_providers import BadResponse, Context, ReadError, TimedOut, Unavailable, Usage, together
from quotaline_providers.contract import Finished
from quotaline_providers.vendors.kiro.credentials import logged_out
from quotaline_providers.vendors.kiro.mapping import is_measured, to_usage
from quotaline_providers.vendors.kiro.payloads import (
    ContextReport,
    Login,
    Report,
    parse_context,
    parse_login,
    parse_report,
    says_logged_out,
)
from quotaline_providers.vendors.kiro.service import read_limits

TERMINAL = (50, 200)
"""Rows and columns."""


def environment(ctx: Context) -> dict[str, str | None]:
    """What the program gets beside what every program does."""
    return {**ctx.variables("KIRO_DATA_DIR", "KIRO_SESSIONS_DIR"), "TERM": "xterm-256color"}


@dataclass(frozen=True, slots=True)
class Command:
    """One report of the program: its arguments, and its time limits in seconds."""

    arguments: tuple[str, ...]
    timeout: float
    idle: float


WHOAMI = Command(("whoami",), timeout=3, idle=1.5)
USAGE = Command(("chat", "--no-interactive", "/usage"), timeout=20, idle=10)
OLDER_USAGE = Command(
    ("chat", "--no-interactive", "--agent-engine=v1", "--legacy-ui", "/usage"), timeout=USAGE.timeout, idle=USAGE.idle
)
"""The same by the program's older engine, which still prints all where the newer one tells the plan only."""
CONTEXT = Command(("chat", "--no-interactive", "/context"), timeout=8, idle=3)
SILENCE = 5.0
"""Seconds (at most half the command's) without a word, after which a second run is started in a terminal: older
programs print nothing into a pipe, newer ones hang in a terminal."""


# --- one report ------------------------------------------------------------------------------------

Acceptable = Callable[[Finished], bool]


def text_of(run: Finished) -> str:
    """All a run printed: standard output, then standard error."""
    return f"{run.stdout.strip()}\n{run.stderr.strip()}".strip()


async def ask(ctx: Context, program: Path, command: Command, acceptable: Acceptable) -> Finished:
    """Run one command over pipes, and in a terminal too where that stays silent or is of no use.

    The first acceptable run wins; without one, the run over pipes (else the other) that ended. Raises TimedOut.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + command.timeout
    spoke = asyncio.Event()

    def start(pty: tuple[int, int] | None, on_output: Callable[[], None] | None = None) -> asyncio.Task[Finished]:
        return asyncio.create_task(
            ctx.processes.run(
                (program, *command.arguments),
                timeout=max(0.1, deadline - loop.time()),
                env=environment(ctx),
                idle=command.idle,
                pty=pty,
                on_output=on_output,
            )
        )

    pipes = start(None, spoke.set)
    runs = [pipes]
    try:
        if await _says_anything(pipes, spoke, min(SILENCE, command.timeout / 2)):
            await asyncio.wait(runs)
        if pipes.done() and (_won(pipes, acceptable) or loop.time() >= deadline):
            return pipes.result()
        if ctx.processes.has_pty:
            runs.append(start(TERMINAL))
        waiting = set(runs)
        while waiting:
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for run in runs:
                accept = acceptable if run is pipes else _in_terminal(acceptable)
                if run.done() and _won(run, accept):
                    return run.result()
        ended = [run for run in runs if run.exception() is None]
        return (ended or runs)[0].result()
    finally:
        await _cancel(runs)


async def _says_anything(run: asyncio.Task[Finished], spoke: asyncio.Event, seconds: float) -> bool:
    """Whether a run prints something, or ends, within so many seconds."""
    hearing = asyncio.create_task(spoke.wait())
    try:
        done, _ = await asyncio.wait((run, hearing), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        hearing.cancel()
    return bool(done)


def _won(run: asyncio.Task[Finished], acceptable: Acceptable) -> bool:
    return run.exception() is None and acceptable(run.result())


def _in_terminal(acceptable: Acceptable) -> Acceptable:
    def accept(run: Finished) -> bool:
        ended_well = run.exit_code == 0 or run.idled
        return acceptable(run) and (ended_well or says_logged_out(text_of(run)))

    return accept


async def _cancel(tasks: Iterable[asyncio.Task[Finished]]) -> None:
    left = [task for task in tasks if not task.done()]
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left)


# --- the three reports -----------------------------------------------------------------------------


async def read_login(ctx: Context, program: Path) -> Login | None:
    """Who is logged in; None when the program says that nobody is. An empty Login when that is not known."""

    def acceptable(run: Finished) -> bool:
        text = text_of(run)
        return says_logged_out(text) or parse_login(text) != Login()

    try:
        run = await ask(ctx, program, WHOAMI, acceptable)
    except ReadError:
        return Login()
    text = text_of(run)
    if says_logged_out(text):
        return None
    return parse_login(text) if run.exit_code == 0 else Login()


async def read_usage(ctx: Context, program: Path, command: Command) -> Report:
    """A usage report. Raises MissingCredential (logged out), Unavailable (it failed), TimedOut, BadResponse."""

    def acceptable(run: Finished) -> bool:
        text = text_of(run)
        return says_logged_out(text) or _parses(ctx, text)

    run = await ask(ctx, program, command, acceptable)
    text = text_of(run)
    if says_logged_out(text):
        raise logged_out()
    if run.exit_code:
        raise Unavailable(f"`kiro-cli` failed with exit code {run.exit_code}.", "Run `kiro-cli chat` to see why.")
    return parse_report(text, ctx.now)


async def read_older(ctx: Context, program: Path, report: Report) -> Report:
    """The older engine's report, under the plan's name as the newer one tells it; the same report where it tells no
    more than that."""
    try:
        older = await read_usage(ctx, program, OLDER_USAGE)
    except ReadError:
        return report
    return report if older.percent is None else replace(older, plan=report.plan)


def _parses(ctx: Context, text: str) -> bool:
    try:
        parse_report(text, ctx.now)
    except BadResponse:
        return False
    return True


async def read_context(ctx: Context, program: Path) -> ContextReport | None:
    """The context report; None when there is none."""

    def acceptable(run: Finished) -> bool:
        text = text_of(run)
        return parse_context(text) is not None or (run.exit_code == 0 and not text)

    try:
        run = await ask(ctx, program, CONTEXT, acceptable)
    except ReadError:
        return None
    return None if run.exit_code else parse_context(text_of(run))


# --- all of them -----------------------------------------------------------------------------------


async def from_program(ctx: Context, program: Path) -> Usage:
    """All reports: the account beside the usage, then context and service together, and last the older engine's report
    where nothing else has told the credits."""
    asking = asyncio.create_task(read_login(ctx, program))
    try:
        try:
            report = await read_usage(ctx, program, USAGE)
        except (BadResponse, TimedOut, Unavailable):
            if await asking is None:
                raise logged_out() from None
            raise
        filled, limits = await together(read_context(ctx, program), read_limits(ctx))
        if not report.managed and not is_measured(report, limits):
            report = await read_older(ctx, program, report)
        login = await asking
    finally:
        asking.cancel()
        await asyncio.wait([asking])
    return to_usage(report, ctx.now, login=login or Login(), context=filled, limits=limits)
