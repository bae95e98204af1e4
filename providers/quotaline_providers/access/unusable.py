"""What was looked at and cannot be used, for the message of a credential that was not found: names, never values."""

from __future__ import annotations

import os
from collections.abc import Iterable

from quotaline_providers.contract import Context
from quotaline_providers.parsing.payload import clean

MOST_NAMED = 4


def empty_variables(ctx: Context, names: Iterable[str]) -> tuple[str, ...]:
    """Those of these environment variables that are set and hold nothing."""
    return tuple(name for name in names if name in ctx.environ and clean(ctx.environ[name]) is None)


def listed(names: Iterable[str], what: str) -> str:
    """`A is set but empty.`, `A and B are set but empty.`; empty for no name."""
    found = tuple(dict.fromkeys(names))[:MOST_NAMED]
    if not found:
        return ""
    return f"{found[0]} is {what}." if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]} are {what}."


def empty(ctx: Context, names: Iterable[str]) -> str:
    """The sentence about variables that hold nothing."""
    return listed(empty_variables(ctx, names), "set but empty")


async def nowhere(ctx: Context, names: Iterable[str]) -> str:
    """The sentence about variables that name a folder which does not exist."""
    paths = {name: path for name in names if (path := ctx.env_path(name)) is not None}
    missing = await ctx.files.in_thread(lambda: [name for name, path in paths.items() if not os.path.lexists(path)])
    return " ".join(f"{name} names a folder that does not exist." for name in missing)


def half(ctx: Context, first: Iterable[str], second: Iterable[str]) -> str:
    """The sentence about a pair of which only one half is set, in any of its variables."""
    ones, others = ([name for name in names if ctx.env(name)] for names in (tuple(first), tuple(second)))
    if bool(ones) == bool(others):
        return ""
    lacking = "the secret that belongs to it" if ones else "the access key that belongs to it"
    return f"{(ones or others)[0]} is set, but not {lacking}."


def told(message: str, *reasons: str) -> str:
    """The message with the reasons behind it."""
    return " ".join((message, *filter(None, reasons)))
