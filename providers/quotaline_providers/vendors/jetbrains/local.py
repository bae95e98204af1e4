"""The quota of the IDE that has written last, or of the one that the user chose. No network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import quotaline_providers as ql
from quotaline_providers.vendors.jetbrains.installs import (
    QUOTA_FILE,
    Candidate,
    base_folders,
    candidates,
    installed,
    is_file,
    log_end,
    log_file,
    written_at,
)
from quotaline_providers.vendors.jetbrains.mapping import to_usage
from quotaline_providers.vendors.jetbrains.payloads import Logged, NextRefill, Quota, parse_log, parse_quota

CHOSEN = "ideBasePath"


def choices(ctx: ql.Context) -> tuple[ql.Choice, ...]:
    """The IDEs on this machine, also those without a quota file, after the usual choice."""
    every = (ql.Choice(ctx.show(ide.folder), ide.label) for ide in installed(ctx))
    return (ql.Choice("", "automatic"), *every)


@dataclass(frozen=True)
class QuotaFiles(ql.Lookup[tuple[Candidate, ...]]):
    """The quota file of the chosen IDE folder, else those of all detected IDEs."""

    def places(self, ctx: ql.Context) -> tuple[str, ...]:
        own = self._chosen(ctx)
        return (ctx.show(own),) if own else tuple(ctx.show(base) for base in base_folders(ctx))

    def probe(self, ctx: ql.Context) -> ql.Origin | None:
        own = self._chosen(ctx)
        paths = [own] if own else [candidate.path for candidate in candidates(ctx)]
        return next((ctx.origin(path) for path in paths if is_file(path)), None)

    async def find(self, ctx: ql.Context) -> tuple[Candidate, ...]:
        own = self._chosen(ctx)
        if own:
            if not await ctx.files.in_thread(own.exists):
                raise ql.Misconfigured(
                    f"The quota file {ctx.show(own)} was not found.",
                    "Set ideBasePath to the IDE's configuration folder, or remove it to detect the IDE.",
                )
            return (Candidate(own, written=await ctx.files.in_thread(lambda: written_at(own))),)
        found = await ctx.files.in_thread(lambda: candidates(ctx))
        if not found:
            raise ql.MissingCredential("No JetBrains IDE with AI Assistant was found.")
        return found

    def _chosen(self, ctx: ql.Context) -> Path | None:
        folder = ctx.settings.own_text(CHOSEN)
        return ctx.expand(folder) / QUOTA_FILE if folder else None


async def from_file(ctx: ql.Context, found: tuple[Candidate, ...]) -> ql.Usage:
    """The first usable quota, of a file or of a log that is newer. Raises BadResponse of the newest file when there is
    none."""
    failure: ql.ReadError | None = None
    for candidate in found:
        logged = await _logged(ctx, candidate)
        try:
            quota = await _filed(ctx, candidate)
        except ql.ReadError as error:
            failure = failure or error
            quota = None
        if logged is not None:
            refill = logged.refill or (quota.refill if quota else NextRefill())
            quota = Quota(logged.info, refill)
        if quota is not None:
            ide = candidate.ide.label if candidate.ide else None
            return to_usage(quota, ctx.now, ide, logged.written if logged else candidate.written)
    raise failure or ql.BadResponse("No quota file could be read.")


async def _filed(ctx: ql.Context, candidate: Candidate) -> Quota:
    try:
        return parse_quota(await ctx.files.read(candidate.path))
    except (OSError, ValueError):
        message = f"The quota file {ctx.show(candidate.path)} cannot be read."
        raise ql.BadResponse(message, "Check the file's permissions.") from None


async def _logged(ctx: ql.Context, candidate: Candidate) -> Logged | None:
    """What the same IDE has logged since it wrote its file, which may lag behind by hours."""
    path = log_file(ctx, candidate.path.parents[1])
    if path is None:
        return None
    text, cut = await ctx.files.in_thread(partial(log_end, path))
    logged = parse_log(text, cut=cut)
    newer = logged is not None and (candidate.written is None or logged.written > candidate.written)
    return logged if newer else None
