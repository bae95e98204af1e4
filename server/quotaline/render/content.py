"""What the long faces (hover, terminal, report) say of a provider: each thing once, in words for people.

All of them draw from here, so that they say the same. Texts are clean but not escaped: that is for the face to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from quotaline.forecast.severity import Severity, Thresholds, of_level
from quotaline.render import sources, text, times
from quotaline.render.pacing import pace_words
from quotaline.render.repeats import Told, of_window, own_rows, own_spends, own_windows, stand_in
from quotaline.render.shown import Shown
from quotaline_providers.model import Balance, Row, Section, Spend, Usage, Window


@dataclass(frozen=True, slots=True)
class Meter:
    """A window. `figure` is `62% used`, `38% left` or `unlimited`; `fill` says how much of a bar is full (0-100) and is
    None where there is no bar; `amounts` are of the same side as the figure: `$12.60 of $20.00`. Empty is unknown.
    """

    label: str
    figure: str
    fill: float | None
    level: Severity
    amounts: str
    reset: str
    detail: str
    pace: str


@dataclass(frozen=True, slots=True)
class Amount:
    """A balance or a spend: `Balance`, `$18.40`."""

    label: str
    text: str


def meters(item: Shown, windows: Iterable[Window] | None = None) -> tuple[Meter, ...]:
    """The windows (in another order when that is given), without those that only stand for a balance."""
    usage = item.state.usage
    if usage is None:
        return ()
    paces = item.paces
    own = own_windows(usage, item.windows if windows is None else windows)
    left = shows_left(item)
    return tuple(
        meter(item, window, pace_words(paces[window.id], left=left) if window.id in paces else "") for window in own
    )


def meter(item: Shown, window: Window, pace: str = "") -> Meter:
    """One window."""
    used, left = window.shown_percent, shows_left(item)
    figure, fill = "", None
    if window.unlimited:
        figure, fill = text.UNLIMITED, 100.0
    elif used is not None:
        figure = f"{item.figure(used, left=left)} {'left' if left else 'used'}"
        fill = 100 - used if left else used
    told = of_window(window)
    reset, detail = (line or "" for line in (item.reset_line(window), item.detail_line(window)))
    return Meter(
        label=item.said(window.label),
        figure=figure,
        fill=fill,
        level=of_level(Thresholds.of(item.view.settings.status_line, {}).level(used)),
        amounts=_portion(item, window.used, window.limit, window.unit),
        reset="" if window.resets_at is None and _repeats(reset, told, figure) else item.said(reset),
        detail="" if _repeats(detail, told, figure) else item.said(detail),
        pace=pace,
    )


def _repeats(words: str, told: Told, figure: str) -> bool:
    return words.casefold() == figure.casefold() or told.repeated_by(words)


def shows_left(item: Shown) -> bool:
    """Whether the user wants to see what is left instead of what is used."""
    return item.view.settings.status_line.percent == "left"


def amounts(item: Shown) -> tuple[Amount, ...]:
    """The balances, then the spends that no window tells."""
    usage = item.state.usage
    if usage is None:
        return ()
    return (
        *(Amount(item.said(balance.label), balance_text(item, balance)) for balance in usage.balances),
        *(Amount(item.said(spend.label), _spend(item, spend)) for spend in own_spends(usage)),
        *_reset_credits(item),
    )


def rows(item: Shown, section: Section) -> tuple[Row, ...]:
    """The rows of a section that say something new."""
    usage = item.state.usage
    return own_rows(usage, section, usage.identity.plan) if usage is not None else ()


def foot(item: Shown) -> tuple[str, ...]:
    """When and how it was read, and what is going on."""
    view, usage, parts = item.view, item.state.usage, list[str]()
    if usage is not None:
        age = times.age(usage.updated_at, view.now, view.zone, view.settings.reset_times)
        old = item.outdated and age != times.JUST_NOW
        parts.append(f"Out of date, last read {age}" if old else f"Updated {age}")
        if item.source:
            parts.append(f"read {sources.words(item.state.provider, item.source)}")
    if item.state.refreshing:
        parts.append("refreshing…")
    return tuple(parts)


def _portion(item: Shown, used: float | None, limit: float | None, unit: str | None) -> str:
    if used is None or limit is None:
        return ""
    return item.said(text.portion(max(limit - used, 0.0) if shows_left(item) else used, limit, unit))


def balance_text(item: Shown, balance: Balance) -> str:
    """`$18.40`, `12.5 left` behind a label that has the unit, `$7.50 (Granted: $2.50)` with its vendor's words."""
    usage, amount = item.state.usage, text.amount(balance.amount, balance.unit)
    if balance.unit.casefold() in balance.label.casefold().split():
        amount = f"{text.amount(balance.amount, None)} left"
    window = stand_in(usage, balance) if usage is not None else None
    more = (window.description or "").strip() if window is not None else ""
    return item.said(more if more.startswith(amount) else amount)


def _spend(item: Shown, spend: Spend) -> str:
    return item.said(" · ".join(_spend_parts(item, spend)))


def _spend_parts(item: Shown, spend: Spend) -> Iterator[str]:
    view = item.view
    if spend.limit is not None and spend.limit > 0:
        left = shows_left(item)
        shown = max(spend.limit - spend.used, spend.limit * 0) if left else spend.used
        yield f"{text.portion(shown, spend.limit, spend.unit)} {'left' if left else 'used'}"
    else:
        yield text.amount(spend.used, spend.unit)
    if spend.period and spend.period.casefold() != spend.label.casefold():
        yield spend.period
    if spend.resets_at is not None:
        verb = "Resets" if spend.next_regen is None else "Regenerates"
        yield times.resets(spend.resets_at, view.now, view.settings.reset_times, view.zone, verb)


def _reset_credits(item: Shown) -> Iterator[Amount]:
    usage, label = item.state.usage, "Limit reset credits"
    if usage is None or usage.reset_credits is None:
        return
    if all(row.label.casefold() != label.casefold() for section in usage.details for row in section.rows):
        yield Amount(label, " · ".join((f"{usage.reset_credits.available} available", *_next_expiry(item, usage))))


def _next_expiry(item: Shown, usage: Usage) -> Iterator[str]:
    view = item.view
    credits = usage.reset_credits.credits if usage.reset_credits is not None else ()
    expiries = [credit.expires_at for credit in credits if credit.status == "available"]
    upcoming = min((expiry for expiry in expiries if expiry is not None and expiry > view.now), default=None)
    if upcoming is not None:
        yield times.resets(upcoming, view.now, view.settings.reset_times, view.zone, "the next expires")
