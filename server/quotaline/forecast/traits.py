"""What is known of providers beside their usage, as far as it matters to the binding window and to pace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
