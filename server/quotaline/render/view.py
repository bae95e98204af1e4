"""What everything is drawn with: the time, the settings, the time zone, and what is known of providers beside usage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from quotaline.forecast.pace import WorkWeek
from quotaline.forecast.traits import Traits, registered
from quotaline.settings import Settings


@dataclass(frozen=True, slots=True)
class View:
    """How and when the viewer looks."""

    now: datetime
    settings: Settings = field(default_factory=Settings)
    zone: tzinfo = UTC
    traits: Callable[[str], Traits] = registered

    @property
    def work(self) -> WorkWeek | None:
        """The user's working week, None when every day counts."""
        days = self.settings.work_days
        return WorkWeek(days, self.zone) if isinstance(days, int) else None
