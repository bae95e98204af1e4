"""What everything is drawn with: the time, the settings, the time zone, and what is known of providers beside usage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from quotaline.render.pace import WorkWeek
from quotaline.settings import Settings
from quotaline_providers import registry
from quotaline_providers.contract import Provider
from quotaline_providers.model import Usage


@dataclass(frozen=True, slots=True)
class Traits:
    """What a provider says about showing it: see `Provider.binding` and `Provider.longer_caps`."""

    binding: Callable[[Usage], str | None] | None = None
    longer_caps: bool = False

    @classmethod
    def of(cls, provider: Provider) -> Traits:
        return cls(provider.binding, provider.longer_caps)


def registered(id: str) -> Traits:
    """The traits of a registered provider; the defaults for one that is not (any more)."""
    try:
        return Traits.of(registry.get(id))
    except KeyError:
        return Traits()


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
