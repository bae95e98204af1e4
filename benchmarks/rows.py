"""A row of the table, how much is measured for it, and numbers for people."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

DELAY = 0.2
"""Seconds every simulated vendor takes to answer."""
COALESCING = 3.2
"""Seconds after which a refresh the user asks for is no answer to an earlier one."""
REFRESH = "quotaline.refresh"


@dataclass(frozen=True)
class Row:
    """One line of the table. `ratio` is measured / floor; `met` says whether the budget is kept."""

    name: str
    budget: str
    measured: str
    floor: str
    ratio: float | None
    met: bool


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    runs: int = 15
    idle_seconds: float = 20
    chat_bytes: int = 100 << 20
    sidecars: int = 20


QUICK = Size(runs=5, idle_seconds=8, chat_bytes=20 << 20, sidecars=5)


def milliseconds(values: Sequence[float]) -> str:
    """Median and spread, for people."""
    return (
        f"{statistics.median(values) * 1e3:.1f} ms ({min(values) * 1e3:.1f} to {max(values) * 1e3:.1f}, "
        f"n={len(values)})"
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share (0 to 1) of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def hover_at(uri: str, line: int) -> dict[str, object]:
    """The parameters of a hover."""
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": 12}}
