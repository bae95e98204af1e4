"""Short runs of Claude Code without a terminal: its print form, its plain output, its login's state, its version."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

from quotaline_providers import Context, Payload, ReadError, Text, TimedOut, parse_or_none
from quotaline_providers.vendors.claude.credentials import find_program
from quotaline_providers.vendors.claude.panel import Capture
from quotaline_providers.vendors.claude.workplace import ALONE, environment, remove_sessions, workplace

PRINT_SECONDS, PLAIN_SECONDS = 15.0, 8.0
AUTH_SECONDS, VERSION_SECONDS = 5.0, 5.0
GRACE_SECONDS = 1.0
VERSION_KEPT, VERSION_RETRY = timedelta(hours=6), timedelta(hours=1)
PRINTS_FROM = (2, 1, 205)
"""Older ones take `/usage` in a print run for a question to a model."""


class Printed(Payload):
    """The one object that a print run ends with."""

    result: Text = None


def can_print(version: str | None) -> bool:
    """Whether a version knows `/usage` in a print run; an unknown one is worth a try."""
    return version is None or tuple(map(int, re.findall(r"\d+", version)[:3])) >= PRINTS_FROM


async def ask_printed(ctx: Context, program: Path) -> str | None:
    """The text that `claude -p /usage` gives; None when it gives none, as older ones. Raises MissingProgram."""
    if not can_print(await installed_version(ctx, program)):
        return None
    folder = await workplace(ctx)
    argv = (program, "-p", "/usage", "--output-format", "json", "--no-session-persistence", *ALONE)
    try:
        done = await ctx.processes.run(
            (*argv, "--setting-sources", "user"),
            timeout=PRINT_SECONDS,
            env=environment(ctx, folder),
            cwd=folder,
            grace=GRACE_SECONDS,
        )
        found = parse_or_none(Printed, json.loads(done.stdout))
    except (TimedOut, ValueError, RecursionError):
        return None
    finally:
        await remove_sessions(ctx, folder)
    return found.result if found else None


async def ask_plainly(ctx: Context, program: Path) -> Capture:
    """`claude /usage` as an ordinary process with nothing to read."""
    folder = await workplace(ctx)
    try:
        done = await ctx.processes.run(
            (program, *ALONE, "/usage"),
            timeout=PLAIN_SECONDS,
            env=environment(ctx, folder),
            cwd=folder,
            grace=GRACE_SECONDS,
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


async def installed_version(ctx: Context, program: Path | None = None) -> str | None:
    """The installed Claude Code's version, remembered for some hours; None when there is none or it does not say."""
    program = program or find_program(ctx)
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
