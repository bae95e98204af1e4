"""The local half: what the chats add up to, per model and day, as usage. No network, no login."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from quotaline_providers import Chart, Context, Point, Row, Section, Unavailable, Usage, grouped, tokens
from quotaline_providers.model import ModelUse
from quotaline_providers.vendors.codebuff.chats import FILE_LIMIT, FILE_NAME, Found, Scan, scan
from quotaline_providers.vendors.codebuff.credentials import Folders
from quotaline_providers.vendors.codebuff.messages import upstream

SCAN_SECONDS = 300.0
"""How long chats may be read in all. A read does not wait that long, but what was read by then serves the next one."""


@dataclass
class ModelTotal:
    """One model's share; `total` holds the cache tokens, too."""

    name: str
    requests: int = 0
    counts: tuple[int, int, int, int] = (0, 0, 0, 0)
    credits: float = 0.0

    @property
    def total(self) -> int:
        return sum(self.counts)


@dataclass
class Totals:
    """All sums of one scan. `tokens` is input and output without cache; days are UTC (`YYYY-MM-DD`), ascending."""

    chats: int = 0
    chats_today: int = 0
    chats_7d: int = 0
    messages: int = 0
    counts: tuple[int, int, int, int] = (0, 0, 0, 0)
    credits: float = 0.0
    tokens_7d: int = 0
    credits_7d: float = 0.0
    models: tuple[ModelTotal, ...] = ()
    sessions: dict[str, float] = field(default_factory=dict)
    daily_tokens: dict[str, float] = field(default_factory=dict)
    daily_credits: dict[str, float] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        return self.counts[0] + self.counts[1]


def add_up(found: Iterable[Found], now: datetime) -> Totals:
    """The totals of these messages. Those without a time, and future ones, count in totals but not in recent days."""
    totals = Totals()
    models: dict[str, ModelTotal] = {}
    chats: set[str] = set()
    recent: set[str] = set()
    by_day: dict[str, set[str]] = {}
    day_tokens: Counter[str] = Counter()
    day_credits: dict[str, float] = {}
    for item in found:
        turn, chat = item.turn, item.chat
        totals.messages += 1
        totals.counts = _plus(totals.counts, turn.counts)
        totals.credits += turn.credits
        model = models.setdefault(turn.model, ModelTotal(turn.model))
        model.requests += 1
        model.counts = _plus(model.counts, turn.counts)
        model.credits += turn.credits
        if chat:
            chats.add(chat)
        if turn.at is None:
            continue
        day = turn.at.astimezone(UTC).date().isoformat()
        day_tokens[day] += turn.tokens
        if turn.credits:
            day_credits[day] = day_credits.get(day, 0.0) + turn.credits
        is_recent = now - timedelta(days=7) <= turn.at <= now
        if is_recent:
            totals.tokens_7d += turn.tokens
            totals.credits_7d += turn.credits
        if chat:
            by_day.setdefault(day, set()).add(chat)
            if is_recent:
                recent.add(chat)
    totals.chats, totals.chats_7d = len(chats), len(recent)
    totals.chats_today = len(by_day.get(now.astimezone(UTC).date().isoformat(), ()))
    totals.models = tuple(sorted(models.values(), key=lambda model: (-model.total, model.name)))
    totals.sessions = {day: len(by_day[day]) for day in sorted(by_day)}
    totals.daily_tokens = {day: day_tokens[day] for day in sorted(day_tokens) if day_tokens[day]}
    totals.daily_credits = {day: day_credits[day] for day in sorted(day_credits)}
    return totals


def _plus(one: tuple[int, int, int, int], two: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return one[0] + two[0], one[1] + two[1], one[2] + two[2], one[3] + two[3]


def summary(totals: Totals) -> str:
    """One line: `2 chats, 1.2K tokens, 0.75 credits`, without the parts that are zero."""
    parts = (
        f"{totals.chats} chat{'' if totals.chats == 1 else 's'}" if totals.chats else "",
        f"{tokens(totals.tokens)} tokens" if totals.tokens else "",
        f"{grouped(totals.credits)} credits" if totals.credits else "",
    )
    return ", ".join(part for part in parts if part) or "OK"


def to_usage(totals: Totals, now: datetime) -> Usage:
    """The totals as detail sections. Credits are Codebuff's own unit and never money."""
    if not totals.messages:
        return Usage(updated_at=now, notes=("No Codebuff chats recorded.",))
    notes = (summary(totals),) if totals.credits else (summary(totals), "This program writes no credits.")
    return Usage(
        updated_at=now,
        details=_sections(totals),
        models=tuple(map(_model_use, totals.models)),
        notes=notes,
        short_text=_week(totals),
    )


def _week(totals: Totals) -> str | None:
    """`0.75 credits in 7 days`, else the tokens."""
    if totals.credits_7d:
        return f"{grouped(totals.credits_7d)} credits in 7 days"
    return f"{tokens(totals.tokens_7d)} tokens in 7 days" if totals.tokens_7d else None


def _model_use(model: ModelTotal) -> ModelUse:
    return ModelUse(
        name=model.name,
        upstream=upstream(model.name),
        requests=model.requests,
        input=model.counts[0],
        output=model.counts[1],
        cached=model.counts[2],
        total=model.total,
        credits=model.credits or None,
    )


def _sections(totals: Totals) -> tuple[Section, ...]:
    numbers = (
        ("Chats", "total_chats", totals.chats),
        ("Chats today", "chats_today", totals.chats_today),
        ("Chats in 7 days", "chats_7d", totals.chats_7d),
        ("Messages", "total_messages", totals.messages),
        ("Input tokens", "total_input_tokens", totals.counts[0]),
        ("Output tokens", "total_output_tokens", totals.counts[1]),
        ("Cache read", "total_cache_read", totals.counts[2]),
        ("Cache write", "total_cache_write", totals.counts[3]),
        ("Tokens", "total_tokens", totals.tokens),
    )
    rows = [
        Row(label=label, value=grouped(Decimal(number)), metric=metric, number=number)
        for label, metric, number in numbers
        if number
    ]
    if totals.credits:
        value = f"{grouped(totals.credits)} credits"
        rows.append(Row(label="Credits", value=value, metric="total_credits", number=totals.credits))
    series = (
        ("Sessions per day", totals.sessions, "sessions"),
        ("Tokens per day", totals.daily_tokens, "tokens"),
        ("Credits per day", totals.daily_credits, "credits"),
    )
    return (
        Section(title="Local chats", rows=tuple(rows)),
        Section(title="Models", rows=tuple(map(_model_row, totals.models))),
        *(Section(title=title, chart=_chart(points, unit)) for title, points, unit in series if points),
    )


def _model_row(model: ModelTotal) -> Row:
    parts = [f"{tokens(model.counts[0])} in", f"{tokens(model.counts[1])} out"]
    if model.counts[2]:
        parts.append(f"{tokens(model.counts[2])} cached")
    if model.credits:
        parts.append(f"{grouped(model.credits)} credits")
    requests = f"{model.requests} request{'' if model.requests == 1 else 's'}"
    value = f"{requests}, {tokens(model.total)} tokens"
    return Row(label=model.name, value=value, secondary=" · ".join((*parts, upstream(model.name))))


def _chart(points: dict[str, float], unit: str) -> Chart:
    return Chart(
        id=unit, kind="bars", unit=unit, points=tuple(Point(label=day, value=value) for day, value in points.items())
    )


def total_up(roots: tuple[Path, ...], now: datetime) -> tuple[Totals, Scan]:
    """What all chats below these data folders add up to, and what could not be read of them."""
    result = scan(roots)
    return add_up(result.found, now), Scan(failed=result.failed, too_large=result.too_large)


async def read_chats(ctx: Context, folders: Folders) -> Usage:
    """The local half. Raises Unavailable when nothing was found because a folder could not be walked."""
    totals, result = await ctx.files.in_worker(total_up, folders.found, ctx.now, timeout=SCAN_SECONDS)
    usage = to_usage(totals, ctx.now)
    names = ", ".join(map(ctx.show, result.failed))
    if names and not totals.messages:
        raise Unavailable(f"The Codebuff chats in {names} cannot be read.", "Check the folder's permissions.")
    notes = list(folders.notes)
    if names:
        notes.append(f"The chats in {names} cannot be read.")
    if result.too_large:
        files = "1 file" if result.too_large == 1 else f"{result.too_large} files"
        notes.append(f"{files} called {FILE_NAME} above {FILE_LIMIT >> 20} MiB left out: chats are missing here.")
    return usage.model_copy(update={"notes": (*usage.notes, *notes)})
