"""The plans of the login that the vendor's program `arkcli` keeps."""

from __future__ import annotations

import json
import os
from pathlib import Path

from quotaline_providers import BadResponse, Context, Usage, parse_or_none
from quotaline_providers.parsing.answers import Answer, heard
from quotaline_providers.vendors.doubao.mapping import report_usage, signed_out
from quotaline_providers.vendors.doubao.payloads import Report

SECONDS = 15.0
MAX_OUTPUT = 256 * 1024
_SIGNED_OUT = (
    *("not logged in", "not authenticated", "authentication required"),
    *("login required", "please login", "please log in"),
)


async def from_cli(ctx: Context, program: Path) -> Usage:
    """What `arkcli usage plan` prints. Raises ReadError."""
    # It may be a script for Node, which then stands in the folder beside it.
    path = os.pathsep.join(part for part in (ctx.environ.get("PATH"), str(program.parent)) if part)
    env = {**ctx.variables("ARKCLI_*"), "PATH": path}
    done = await ctx.processes.run((program, "usage", "plan", "--format", "json"), timeout=SECONDS, env=env)
    if len(done.stdout) > MAX_OUTPUT:
        raise BadResponse("The program `arkcli` printed more than a usage can be.")
    if done.exit_code != 0:
        if any(words in done.stderr.lower() for words in _SIGNED_OUT):
            raise signed_out()
        raise BadResponse(f"The program `arkcli` failed (exit code {done.exit_code}).", "Run `arkcli usage plan`.")
    report = _report(done.stdout)
    if report is None:
        raise BadResponse("The program `arkcli` printed something else than its usage.")
    heard(Answer("arkcli", 200, done.stdout.encode(), Report))
    return report_usage(report, ctx.now)


def _report(text: str) -> Report | None:
    try:
        return parse_or_none(Report, json.loads(text))
    except (ValueError, RecursionError):
        return None
