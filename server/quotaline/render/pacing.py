"""Pace in words for people. (`Pace.summary` has those of CodexBar's JSON.)"""

from __future__ import annotations

from quotaline.forecast.pace import Pace, rounded
from quotaline_providers import formatting


def pace_words(pace: Pace, *, left: bool = False) -> str:
    """`5% more used than expected by now (38%) · runs out in 2h 43m`, of what is used or `left`."""
    return " · ".join(part for part in (_so_far(pace, left), _end(pace), _room(pace)) if part)


def _so_far(pace: Pace, left: bool) -> str:
    word = "left" if left else "used"
    expected = 100 - rounded(pace.expected) if left else rounded(pace.expected)
    if pace.stage == "onTrack":
        return f"as much {word} as expected by now ({expected}%)"
    more = (pace.delta > 0) != left
    return f"{rounded(abs(pace.delta))}% {'more' if more else 'less'} {word} than expected by now ({expected}%)"


def _end(pace: Pace) -> str:
    if pace.eta is None:
        return "lasts until the reset"
    return "runs out now" if pace.eta.total_seconds() < 1 else f"runs out in {formatting.duration(pace.eta)}"


def _room(pace: Pace) -> str:
    ratio = pace.spare_ratio
    return f"{ratio:.1f}× as much would fit" if ratio is not None else ""
