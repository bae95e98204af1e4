"""What is known of a provider now. Only the service makes these; everything else reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from quotaline_providers.errors import Kind, RateLimited, ReadError
from quotaline_providers.model import Model, Time, Usage

if TYPE_CHECKING:
    from quotaline_providers.fetching.status_page import ServiceStatus


MAX_MESSAGE = 500
"""Characters of an error's message and of its hint."""


class Failure(Model):
    """An error as it is stored and shown: no secret, no traceback."""

    kind: Kind
    message: str
    hint: str = ""
    until: Time | None = None
    definite: bool = False
    quiet: bool = False

    @classmethod
    def of(cls, error: ReadError) -> Failure:
        until = error.until if isinstance(error, RateLimited) else None
        message, hint = error.message[:MAX_MESSAGE], error.hint[:MAX_MESSAGE]
        return cls(kind=error.kind, message=message, hint=hint, until=until, definite=error.definite, quiet=error.quiet)


Metric: TypeAlias = str
"""What a provider's short text shows, as the user wants it: `AUTOMATIC`, `spend`, `balance`, or a window's id."""
AUTOMATIC: Metric = "automatic"


@dataclass(frozen=True, slots=True)
class Held:
    """Which window (id) holds the headline, and which other one led at the last reading; empty for none."""

    id: str = ""
    challenger: str = ""


NOBODY = Held()
"""Before the first reading, and without windows."""


@dataclass(frozen=True, slots=True)
class VendorStatus:
    """What a vendor's status page says: `indicator` is none, minor, major, critical, maintenance or unknown."""

    indicator: str
    url: str
    description: str = ""
    updated_at: datetime | None = None

    @classmethod
    def of(cls, status: ServiceStatus) -> VendorStatus:
        return cls(status.indicator, status.url, status.description, status.updated_at)

    @property
    def label(self) -> str:
        return {
            "none": "Operational",
            "minor": "Partial outage",
            "major": "Major outage",
            "critical": "Critical issue",
            "maintenance": "Maintenance",
        }.get(self.indicator, "Status unknown")

    @property
    def tells(self) -> bool:
        """Whether it says that something is not as usual."""
        return self.indicator not in ("none", "unknown")

    @property
    def grave(self) -> bool:
        """Whether the user should be told where there is room for one character only."""
        return self.indicator in ("major", "critical")


@dataclass(frozen=True, slots=True)
class ProviderState:
    """One provider's (or one of its accounts') state. `account` is the user's label, empty for the only one.

    `stale` means the usage on display is older than it should be or its last refresh failed. `status` is what the
    vendor says of its service, None when that is not known or not asked. A `chosen` one is enabled in the config, and
    then no failure of it is quiet. One that is `alone` is the provider's only account and needs no label.
    `low_balance` has the amounts below which money is low, by case-folded unit.
    """

    provider: str
    name: str
    account: str = ""
    active: bool = True
    usage: Usage | None = None
    failure: Failure | None = None
    stale: bool = False
    refreshing: bool = False
    next_refresh: datetime | None = None
    dashboard: str | None = None
    requested_source: str = "auto"
    status: VendorStatus | None = None
    chosen: bool = False
    metric: Metric = AUTOMATIC
    low_balance: Mapping[str, Decimal] = field(default_factory=dict)
    held: Held = NOBODY
    alone: bool = True

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to tell but in the hover: what was found is no account that the user has set up."""
        return self.usage is None and self.failure is not None and self.failure.quiet and not self.chosen

    @property
    def key(self) -> str:
        """`claude`, or `claude/Work` for a labelled account."""
        return f"{self.provider}/{self.account}" if self.account else self.provider


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All states at one moment, in display order, and what to say when there are none.

    `restart_due` is a sentence for the user when this program must be restarted to go on refreshing: the installed
    version has changed, or a newer one has taken over the store. `not_loaded` has a sentence for each provider from
    elsewhere that the user installed or approved and that does not work. While this machine was not searched yet it is
    not `detected` which accounts there are: none known does not mean that there is none.
    """

    states: tuple[ProviderState, ...]
    config_problem: str | None = None
    restart_due: str | None = None
    not_loaded: tuple[str, ...] = ()
    detected: bool = True
