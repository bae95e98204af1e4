"""How Codex limits become windows: the two main ones in their slots, and those of single models and features."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from quotaline_providers import (
    MONTH_MINUTES,
    SESSION_MINUTES,
    WEEK_MINUTES,
    Window,
    believable_length,
    length_name,
    parse_or_none,
    usual_length,
)
from quotaline_providers.vendors.codex.payloads import AdditionalLimit, RateLimit, WindowPart

_SESSION = "Session"  # what this vendor calls its five hours
_SPARK_SHORT, _SPARK_LONG = 360, 8640  # minutes

Slot = Literal["primary", "secondary"]


@dataclass
class Reader:
    """Decodes windows and remembers whether one that was present could not be understood."""

    now: datetime
    doubtful: bool = field(default=False)

    def window(self, raw: Any, id: str, label: str, fallback: float | None = None) -> Window | None:
        """A window of one model or feature, until it gets the place of a main one: only those stop the account.

        None without any length, use or reset: that fills a slot for which the account has no window.
        """
        if raw is None:
            return None
        part = parse_or_none(WindowPart, raw)
        used = percent_used(part, fallback) if part else None
        if part is None or used is None:
            self.doubtful = True
            return None
        resets_at = resets(part, self.now)
        length = believable_length(minutes(part), resets_at, self.now)
        if not used and length is None and resets_at is None:
            return None
        return Window(id=id, label=label, used_percent=used, minutes=length, resets_at=resets_at, blocks=False)

    def rate_limit(self, raw: Any) -> RateLimit | None:
        found = parse_or_none(RateLimit, raw)
        if raw is not None and found is None:
            self.doubtful = True
        return found


# --- one window ---------------------------------------------------------------------------------------


def percent_used(part: WindowPart, fallback: float | None = None) -> float | None:
    """Percent used (raw) of a window that may come with what remains instead."""
    if part.used_percent is not None:
        return part.used_percent
    return 100 - part.remaining_percent if part.remaining_percent is not None else fallback


def minutes(part: WindowPart) -> int | None:
    """The length; None when absent or not positive."""
    if part.limit_window_seconds is not None:
        length = part.limit_window_seconds / 60
    else:
        length = part.window_minutes or part.window_duration_mins or 0
    return int(length) if length >= 1 else None


def resets(part: WindowPart, now: datetime) -> datetime | None:
    """When a window resets: a time, or seconds from now."""
    if part.reset_at or part.resets_at:
        return part.reset_at or part.resets_at
    seconds = part.reset_after_seconds
    return now + timedelta(seconds=seconds) if seconds is not None and 0 < seconds < 1e9 else None


# --- the main windows ------------------------------------------------------------------------------


def in_lanes(first: Window | None, second: Window | None) -> tuple[Window, ...]:
    """The main windows in their slots: a week belongs behind a session, whichever came first."""
    if first and second:
        if _is_weekly(first) and usual_length(second.minutes) not in (WEEK_MINUTES, MONTH_MINUTES):
            first, second = second, first
    elif only := first or second:
        first, second = (None, only) if _is_weekly(only) else (only, None)
    placed = [_placed(first, "primary"), _placed(second, "secondary")]
    taken: set[str] = set()
    result = []
    for window in placed:
        if window is not None:
            id = f"{window.id}-2" if window.id in taken else window.id
            taken.add(id)
            result.append(window.model_copy(update={"id": id}))
    return tuple(result)


def _is_weekly(window: Window) -> bool:
    return usual_length(window.minutes) == WEEK_MINUTES


def _placed(window: Window | None, lane: Slot) -> Window | None:
    """A main window in its slot. Its length names it; the slot does only where no length was told."""
    if window is None:
        return None
    if window.minutes is not None:
        is_session = usual_length(window.minutes) == SESSION_MINUTES
        label = _SESSION if is_session else length_name(window.minutes)
    else:
        label = _SESSION if lane == "primary" else "Weekly"
    return window.model_copy(update={"lane": lane, "blocks": True, "id": label.lower(), "label": label})


# --- windows of models and features ----------------------------------------------------------------


def extra_windows(reader: Reader, raw: Any) -> Iterable[Window]:
    """Windows of single models and features."""
    if raw is None:
        return
    if not isinstance(raw, list):
        reader.doubtful = True
        return
    for element in raw:
        entry = parse_or_none(AdditionalLimit, element)
        if entry is None or not (entry.limit_name or entry.metered_feature):
            reader.doubtful = True
            continue
        limit = reader.rate_limit(entry.rate_limit)
        if limit is not None:
            yield from _spark(reader, limit) if _is_spark(entry) else _other(reader, entry, limit)


def _is_spark(entry: AdditionalLimit) -> bool:
    return any("spark" in name.lower() for name in (entry.limit_name, entry.metered_feature) if name)


def _spark(reader: Reader, limit: RateLimit) -> Iterable[Window]:
    for slot, raw in enumerate(limit.windows):
        window = reader.window(raw, "codex-spark", "Codex Spark")
        if window is None:
            continue
        length = window.minutes
        weekly = slot == 1
        if length is not None and length <= _SPARK_SHORT:
            weekly = False
        elif length is not None and length >= _SPARK_LONG:
            weekly = True
        name = length_name(length or (WEEK_MINUTES if weekly else SESSION_MINUTES))
        id = f"{window.id}-weekly" if weekly else window.id
        yield window.model_copy(update={"id": id, "label": f"{window.label} {name}"})


def _other(reader: Reader, entry: AdditionalLimit, limit: RateLimit) -> Iterable[Window]:
    slug = slugged(entry.metered_feature or entry.limit_name or "")
    if slug in ("", "codex"):
        return
    title = entry.limit_name or entry.metered_feature or "Codex extra limit"
    yield from first_window(reader, limit, f"codex-{slug}", title)


def first_window(reader: Reader, limit: RateLimit, id: str, title: str) -> Iterable[Window]:
    """The first window of a limit that has only one place to be shown."""
    found = [reader.window(raw, id, title) for raw in limit.windows]
    if window := found[0] or found[1]:
        yield window


def slugged(text: str) -> str:
    """A name as part of an id."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def first_of_each(windows: Iterable[Window], taken: Iterable[str]) -> tuple[Window, ...]:
    """The windows whose ids are not taken yet."""
    seen = set(taken)
    kept = []
    for window in windows:
        if window.id not in seen:
            seen.add(window.id)
            kept.append(window)
    return tuple(kept)
