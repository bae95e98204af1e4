"""Which credentials belong to which provider, and which of them a third-party provider uses as well.

A key in `OPENAI_API_KEY` was given for OpenAI. Whoever else reads it may send it elsewhere: the user has to confirm
that, with the host in view.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path
from typing import Any, cast

from quotaline_providers.contract import Context, Provider
from quotaline_providers.settings import ProviderSettings
from quotaline_providers.third_party.broken import Claim
from quotaline_providers.third_party.outline import Outline

TABLE = Path(__file__).with_name("claims.json")
"""The credentials of all built-in providers, written by `make docs`: to know them, none has to be imported."""

_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
_HOME = Path("/home-of-nobody")


MOST_NAMES, LONGEST_NAME = 20, 80
"""How many names of hosts or variables a person is shown, and how long ones: whoever asks for more hides something."""


def host_list(hosts: Iterable[str]) -> str:
    """`api.meter.example, meter.example`; says so when the code does not tell."""
    hosts = frozenset(hosts)
    hidden = frozenset(host for host in hosts if "{" in host)
    words = [name_list(hosts - hidden)] if hosts > hidden else []
    return ", ".join([*words, "addresses made at run time"] if hidden or not words else words)


def name_list(names: Iterable[str]) -> str:
    """The names in order, so that they fit a screen: of a long one its end, which tells whose host it is."""
    every = sorted(names)
    shown = [name if len(name) <= LONGEST_NAME else f"...{name[3 - LONGEST_NAME :]}" for name in every[:MOST_NAMES]]
    more = len(every) - len(shown)
    return ", ".join([*shown, f"and {more} more"] if more else shown)


@cache
def builtin() -> Mapping[str, str]:
    """The ids of the built-in providers by their credentials."""
    table: Mapping[str, str] = json.loads(TABLE.read_text(encoding="utf-8"))
    return table


def of(provider: Provider, platform: str = sys.platform) -> frozenset[str]:
    """The variables and files that a provider's lookups say they look at, on an empty machine."""
    found: set[str] = set()
    ctx = _empty(provider.id, platform)
    for strategy in provider.strategies:
        with suppress(Exception):  # one that cannot tell without a machine
            for place in strategy.lookup.places(ctx):
                found.update(_VARIABLE.findall(place))
                if place.startswith("~/"):
                    found.add(place.partition(" (")[0])
    return frozenset(found)


def conflicts(id: str, outline: Outline, declared: Iterable[str], table: Mapping[str, str]) -> tuple[Claim, ...]:
    """Those of the table's credentials that a provider uses and that are not its own, in order.

    `declared` is what its lookups say (`of`), the outline what its source holds.
    """
    names = {*declared, *outline.variables}
    tails = {path.removeprefix("~/").strip("/") for path in outline.paths}
    return tuple(
        Claim(what, owner)
        for what, owner in sorted(table.items())
        if owner != id and (what in names or (what.startswith("~/") and _names(tails, what)))
    )


def _names(tails: Iterable[str], what: str) -> bool:
    """Whether one of these paths leads to the file: `auth.json` alone is nobody's, `.codex/auth.json` is Codex's."""
    return any("/" in tail and f"/{what[2:]}".endswith(f"/{tail}") for tail in tails)


_FACILITIES = tuple(one.name for one in fields(Context) if one.default is MISSING)
"""Those parts of a context that it cannot be made without."""


class _Nothing:
    """Facilities of a machine on which nothing is found."""

    def find(self, *arguments: object, **options: object) -> None:
        return None

    def labels(self, provider: str) -> tuple[str, ...]:
        return ()


def _empty(id: str, platform: str) -> Context:
    nothing = cast("Any", _Nothing())
    known: dict[str, Any] = {
        "provider": id,
        "settings": ProviderSettings(id=id),
        "environ": {},
        "home": _HOME,
        "platform": platform,
    }
    return Context(**{**dict.fromkeys(_FACILITIES, nothing), **known})
