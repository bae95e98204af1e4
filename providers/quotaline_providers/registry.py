"""Every provider there is: built-ins found by module name, third-party ones by entry point; imported only when used."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from quotaline_providers import vendors
from quotaline_providers.contract import Provider
from quotaline_providers.diagnostics import note_defect, restart_due
from quotaline_providers.errors import RestartDue

ENTRY_POINT_GROUP = "quotaline.providers"


@cache
def ids() -> tuple[str, ...]:
    """The ids of all providers, sorted. Imports none of them."""
    return tuple(sorted({*_builtin_ids(), *_third_party()}))


@cache
def get(id: str) -> Provider:
    """The provider with this id. Raises KeyError when there is none, or when a third-party one cannot be loaded, and
    RestartDue when it would have to be loaded from another Quotaline than the one that runs."""
    if id in _builtin_ids():
        _check_unchanged(module := f"{vendors.__name__}.{id}")
        provider = import_module(module).PROVIDER
    elif id in _third_party():
        point = _third_party()[id]
        _check_unchanged(point.module)
        try:
            provider = point.load()
        except Exception as error:
            note_defect(f"loading provider {id}", error)
            raise KeyError(id) from error
    else:
        raise KeyError(id)
    if not isinstance(provider, Provider) or provider.id != id:
        raise KeyError(id)
    return provider


def resolve(name: str) -> Provider:
    """The provider with this id or alias, in any case. Raises KeyError."""
    wanted = name.strip().lower()
    if wanted in ids():
        return get(wanted)
    for provider in every():
        if wanted in provider.aliases or wanted == provider.name.lower():
            return provider
    raise KeyError(name)


def every() -> Iterator[Provider]:
    """All providers that load, by id."""
    for id in ids():
        try:
            yield get(id)
        except (KeyError, RestartDue):
            continue


def _check_unchanged(module: str) -> None:
    """Raises RestartDue when an update has replaced the package that a module, not yet loaded, belongs to or uses."""
    if module not in sys.modules and (sentence := restart_due()) is not None:
        raise RestartDue(sentence)


@cache
def _builtin_ids() -> frozenset[str]:
    return frozenset(module.name for module in pkgutil.iter_modules(vendors.__path__) if module.name[0] != "_")


@cache
def _third_party() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP) if point.name not in _builtin_ids()}
