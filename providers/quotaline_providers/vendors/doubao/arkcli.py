"""The plans of the login that the vendor's program `arkcli` keeps."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from quotaline_providers.access.lookups import Program
from quotaline_providers.contract import Context
from quotaline_providers.errors import BadResponse, MissingCredential
from quotaline_providers.model import Confidence, Identity, Usage
from quotaline_providers.parsing.payload import Flag, Number, Payload, Text, parse_or_none, to_number, to_time
from quotaline_providers.vendors.doubao.quotas import PLANS, Plan, Quota, level_named, windows

SECONDS = 15.0
MAX_OUTPUT = 256 * 1024
SIGN_IN = "Run `arkcli auth login`."
_LATEST = 253_402_300_799
_SIGNED_OUT = (
    *("not logged in", "not authenticated", "authentication required"),
    *("login required", "please login", "please log in"),
)

# --- what the program prints -----------------------------------------------------------------------


class Period(Payload):
    """One window of a plan; `percent` is what was used."""

    label: Text = None
    percent: Number = None
    reset_at: object = None


class Item(Payload):
    """One product's plan; `subscribed` is absent where it goes without saying."""

    product: Text = None
    subscribed: Flag = None
    periods: tuple[Period, ...] | None = None
    updated_at: object = None
    error: object = None

    @property
    def plan(self) -> Plan | None:
        """The plan; None for one that is unknown or not subscribed to."""
        name = (self.product or "").lower()
        return None if self.subscribed is False else next((plan for plan in PLANS if plan == name), None)


class Viewer(Payload):
    """How the program is signed in."""

    auth_method: Text = None


class Report(Payload):
    """`arkcli usage plan --format json`."""

    viewer: Viewer | None = None
    items: tuple[Item, ...] | None = None


def moment(value: object) -> datetime | None:
    """ISO 8601, or a positive number: milliseconds from 1e11 on, else seconds."""
    number = to_number(value)
    if number is None:
        return to_time(value)
    seconds = number / 1000 if number >= 1e11 else number
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds <= _LATEST else None


# --- how it becomes a usage ------------------------------------------------------------------------


def to_usage(report: Report, now: datetime) -> Usage:
    """All plans subscribed to. Raises MissingCredential (signed out) and BadResponse (a plan without its periods)."""
    method = report.viewer.auth_method if report.viewer else None
    if (method or "").lower() == "none":
        raise signed_out()
    items = [(plan, item) for item in report.items or () if (plan := item.plan)]
    for plan, item in items:
        if not item.periods:
            raise BadResponse(f"arkcli could not tell the usage of {plan}.", "Run `arkcli usage plan` to see why.")
    quotas = [
        Quota(plan, level, period.percent, moment(period.reset_at))
        for plan, item in items
        for period in item.periods or ()
        if period.percent is not None and (level := level_named(period.label))
    ]
    if not quotas:
        raise BadResponse("arkcli told of no plan's usage.", "Run `arkcli usage plan` to see what it says.")
    updated = [told for _, item in items if (told := moment(item.updated_at))]
    return Usage(
        updated_at=max(updated, default=now),
        windows=windows(quotas),
        identity=Identity(plan=method),
        confidence=Confidence.EXACT,
    )


def signed_out() -> MissingCredential:
    """The error of a program without a login."""
    return MissingCredential("The program `arkcli` is not signed in.", SIGN_IN)


# --- how it is fetched -----------------------------------------------------------------------------

PROGRAM = Program(
    "arkcli",
    env="ARKCLI_PATH",
    candidates=lambda ctx: (
        ctx.home / ".local/bin/arkcli",
        Path("/opt/homebrew/bin/arkcli"),
        Path("/usr/local/bin/arkcli"),
    ),
    hint=f"Install arkcli. {SIGN_IN}",
)


async def from_program(ctx: Context, program: Path) -> Usage:
    """What `arkcli usage plan` tells. Raises ReadError."""
    # It may be a script for Node, which then stands in the folder beside it.
    path = os.pathsep.join(part for part in (ctx.environ.get("PATH"), str(program.parent)) if part)
    done = await ctx.processes.run((program, "usage", "plan", "--format", "json"), timeout=SECONDS, env={"PATH": path})
    if len(done.stdout) > MAX_OUTPUT:
        raise BadResponse("The program `arkcli` printed more than a usage can be.")
    if done.exit_code != 0:
        if any(words in done.stderr.lower() for words in _SIGNED_OUT):
            raise signed_out()
        raise BadResponse(f"The program `arkcli` failed (exit code {done.exit_code}).", "Run `arkcli usage plan`.")
    report = _report(done.stdout)
    if report is None:
        raise BadResponse("The program `arkcli` printed something else than its usage.")
    return to_usage(report, ctx.now)


def _report(text: str) -> Report | None:
    try:
        return parse_or_none(Report, json.loads(text))
    except (ValueError, RecursionError):
        return None
