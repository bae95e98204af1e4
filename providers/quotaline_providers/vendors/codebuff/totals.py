"""The local half: what the chats add up to, per model and day, as usage. No network, no login."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from quotaline_providers import Chart, Context, Point, Row, Section, Unavailable, Usage, grouped, tokens
from quotaline_providers.vendors.codebuff.chats import Found, scan
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
        if chat:
            by_day.setdefault(day, set()).add(chat)
            if now - timedelta(days=7) <= turn.at <= now:
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
    return Usage(updated_at=now, details=_sections(totals), notes=(summary(totals),))


def _sections(totals: Totals) -> tuple[Section, ...]:
    numbers = (
        ("Chats", totals.chats),
        ("Chats today", totals.chats_today),
        ("Chats in 7 days", totals.chats_7d),
        ("Messages", totals.messages),
        ("Input tokens", totals.counts[0]),
        ("Output tokens", totals.counts[1]),
        ("Cache read", totals.counts[2]),
        ("Cache write", totals.counts[3]),
        ("Tokens", totals.tokens),
    )
    rows = [Row(label=label, value=grouped(Decimal(number))) for label, number in numbers if number]
    if totals.credits:
        rows.append(Row(label="Credits used", value=f"{grouped(totals.credits)} credits"))
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
    return Chart(kind="bars", unit=unit, points=tuple(Point(label=day, value=value) for day, value in points.items()))


def total_up(roots: tuple[Path, ...], now: datetime) -> tuple[Totals, tuple[Path, ...]]:
    """What all chats below these data folders add up to, and the folders that could not be walked."""
    result = scan(roots)
    return add_up(result.found, now), result.failed


async def read_chats(ctx: Context, roots: tuple[Path, ...]) -> Usage:
    """The local half. Raises Unavailable when nothing was found because a folder could not be walked."""
    totals, failed = await ctx.files.in_worker(total_up, roots, ctx.now, timeout=SCAN_SECONDS)
    usage = to_usage(totals, ctx.now)
    if not failed:
        return usage
    names = ", ".join(map(ctx.show, failed))
    if not totals.messages:
        raise Unavailable(f"The Codebuff chats in {names} cannot be read.", "Check the folder's permissions.")
    return usage.model_copy(update={"notes": (*usage.notes, f"The chats in {names} cannot be read.")})
