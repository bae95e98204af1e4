"""Every provider there is: built-in ones, then those of installed packages, then the user's files. An id belongs to
the first that has it. Each is imported only when it is used."""

from __future__ import annotations

import logging
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import cast

from quotaline_providers import vendors
from quotaline_providers.contract import Provider
from quotaline_providers.diagnostics import restart_due
from quotaline_providers.errors import RestartDue
from quotaline_providers.third_party import files
from quotaline_providers.third_party.agreed import Agreed as Agreed, Consent, Declared
from quotaline_providers.third_party.broken import Broken as Broken, BrokenProvider as BrokenProvider, Why
from quotaline_providers.third_party.files import ProviderFile
from quotaline_providers.third_party.packages import PackagedProvider, installed

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Declared:
    """The third-party providers by id, and those whose id was taken."""

    by_id: Mapping[str, Declared]
    refused: tuple[Broken, ...]


_agreed = Agreed()
_broken: dict[str, Broken] = {}
"""What was found to be broken so far, here or by a worker."""


def use(agreed: Agreed) -> None:
    """From now on these files are providers, and these consents hold. The same ones as before change nothing."""
    global _agreed, _broken
    if agreed == _agreed:
        return
    _agreed, _broken = agreed, {}
    files.use(agreed.files)
    for cached in (_third_party, ids, _loaded):
        cached.cache_clear()


def agreed() -> Agreed:
    """What `use` was given last: for a worker process, which must be told the same."""
    return _agreed


@cache
def ids() -> tuple[str, ...]:
    """The ids of all providers, sorted, also of those that are broken. Imports none of them."""
    return tuple(sorted({*_builtin_ids(), *_third_party().by_id}))


def get(id: str) -> Provider:
    """The provider with this id.

    Raises KeyError when there is none, BrokenProvider (a KeyError that tells why) for a third-party one that cannot
    be used, and RestartDue when it would have to be loaded from another Quotaline than the one that runs.
    """
    if id in _broken:
        raise BrokenProvider(_broken[id])
    try:
        return _loaded(id)
    except BrokenProvider as error:
        log.warning("provider %s (%s) is not loaded: %s", id, error.broken.origin, error.broken.why)
        _broken[id] = error.broken
        raise


def resolve(name: str) -> Provider:
    """The provider with this id or alias, in any case; built-in ones come first. Raises KeyError, BrokenProvider."""
    wanted = name.strip().lower()
    if wanted in ids():
        return get(wanted)
    for id in ids():
        if id.lower() == wanted:  # only a broken one has capitals: its reason is worth more than a near name
            return get(id)
    for provider in sorted(every(), key=lambda provider: provider.id not in _builtin_ids()):
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


def third_party() -> tuple[Declared, ...]:
    """What is declared beside the built-in providers and has an id of its own, by id. Imports nothing."""
    return tuple(declared for _, declared in sorted(_third_party().by_id.items()))


def broken() -> tuple[Broken, ...]:
    """All third-party providers that cannot be used, by id. Loads every third-party one to know."""
    for id in _third_party().by_id:
        try:
            get(id)
        except (KeyError, RestartDue):
            continue
    return known_broken()


def known_broken() -> tuple[Broken, ...]:
    """Those of them that are known without loading anything: found here before, or told with `learn`."""
    return tuple(sorted((*_broken.values(), *_third_party().refused), key=lambda item: (item.id, item.origin)))


def learn(items: Iterable[Broken]) -> None:
    """Take over what another process has just found to be broken, in place of what was known."""
    global _broken
    _broken = {item.id: item for item in items if item.why is not Why.REFUSED}


def claimed_before(declared: Declared) -> Mapping[str, str]:
    """The credentials of those providers that come before this one."""
    from quotaline_providers.third_party import claims

    if isinstance(declared, PackagedProvider):
        return claims.builtin()
    table = dict[str, str]()
    for other in third_party():
        if isinstance(other, PackagedProvider):
            with suppress(KeyError, RestartDue):
                table |= dict.fromkeys(claims.of(get(other.id)), other.id)
    return {**table, **claims.builtin()}


# --- what is declared ------------------------------------------------------------------------------


@cache
def _builtin_ids() -> frozenset[str]:
    return frozenset(module.name for module in pkgutil.iter_modules(vendors.__path__) if module.name[0] != "_")


@cache
def _third_party() -> _Declared:
    by_id: dict[str, Declared] = {}
    refused: list[Broken] = []
    every: tuple[Declared, ...] = (*installed(), *_agreed.files)
    for declared in every:
        if declared.id not in _builtin_ids() and declared.id not in by_id:
            by_id[declared.id] = declared
            continue
        first = by_id.get(declared.id)
        owner = first.origin if first is not None else "a built-in one"
        refused.append(Broken(declared.id, declared.origin, Why.REFUSED, f"its id belongs to {owner}", declared.home))
    return _Declared(by_id, tuple(refused))


@cache
def _loaded(id: str) -> Provider:
    if id in _builtin_ids():
        _check_unchanged(module := f"{vendors.__name__}.{id}")
        return cast("Provider", import_module(module).PROVIDER)
    declared = _third_party().by_id.get(id)
    if declared is None:
        raise KeyError(id)
    _check_unchanged(declared.module)
    from quotaline_providers.third_party import loading  # most people have no third-party provider

    return loading.load(declared, _consent(declared), claimed_before(declared))


def _check_unchanged(module: str) -> None:
    """Raises RestartDue when an update has replaced the package that a module, not yet loaded, belongs to or uses."""
    if module not in sys.modules and (sentence := restart_due()) is not None:
        raise RestartDue(sentence)


def _consent(declared: Declared) -> Consent | None:
    if isinstance(declared, ProviderFile):
        return Consent("", declared.confirmed)
    return (_agreed.consents or {}).get(declared.id)
