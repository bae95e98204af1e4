"""What is known of providers beside their usage, as far as it matters to the binding window and to pace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from quotaline.forecast.pace import PaceRule
from quotaline_providers import registry
from quotaline_providers.contract import Provider, paced_by_length
from quotaline_providers.model import Usage


@dataclass(frozen=True, slots=True)
class Traits:
    """What a provider says about showing it: see the members of `Provider` with these names."""

    binding: Callable[[Usage], str | None] | None = None
    pace: PaceRule = paced_by_length
    description_is_detail: bool = False

    @classmethod
    def of(cls, provider: Provider) -> Traits:
        return cls(provider.binding, provider.pace, provider.description_is_detail)


def registered(id: str) -> Traits:
    """The traits of a registered provider; the defaults for one that is not (any more)."""
    try:
        return Traits.of(registry.get(id))
    except KeyError:
        return Traits()
