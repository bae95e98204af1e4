"""Providers of installed packages: found by entry point, loaded when used."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quotaline_providers.third_party.outline import Outline

ENTRY_POINT_GROUP = "quotaline.providers"
_MOST_MODULES, _LARGEST = 32, 1 << 20
"""How many files of a package are read for its outline, and how many bytes of each."""


@dataclass(frozen=True, slots=True)
class PackagedProvider:
    """A provider that an installed package declares under an id."""

    id: str
    point: EntryPoint

    @property
    def package(self) -> str:
        """The name of the distribution; empty when it has none."""
        return self.point.dist.name if self.point.dist else ""

    @property
    def origin(self) -> str:
        """`package demo-meter 1.0`, for people."""
        return f"package {self.package} {self.point.dist.version}" if self.point.dist else "an installed package"

    @property
    def module(self) -> str:
        """The name under which Python imports it."""
        return self.point.module

    @property
    def home(self) -> str:
        """The file of its top module; empty when there is none. Imports nothing."""
        with suppress(ImportError, ValueError, AttributeError):
            spec = find_spec(self.point.module.partition(".")[0])
            return (spec.origin or "") if spec else ""
        return ""

    def owns(self, file: str) -> bool:
        """Whether a source file belongs to it."""
        home = Path(self.home)
        return file == str(home) or (home.name == "__init__.py" and Path(file).is_relative_to(home.parent))

    def load(self) -> object:
        """What the entry point names; None when its module has no such thing. Raises what importing it raises."""
        value: object = import_module(self.point.module)
        for name in filter(None, (self.point.attr or "").split(".")):
            value = getattr(value, name, None)
        return value

    def outline(self) -> Outline:
        """What its loaded module and those beside it say of themselves; what cannot be read says nothing."""
        from quotaline_providers.third_party.outline import Outline, outline

        whole = Outline()
        for file in self._sources():
            with suppress(OSError, SyntaxError):
                if file.stat().st_size <= _LARGEST:
                    whole |= outline(file.read_bytes(), str(file))
        return whole

    def _sources(self) -> Iterator[Path]:
        named = getattr(sys.modules.get(self.point.module), "__file__", None)
        if not isinstance(named, str):
            return
        main = Path(named)
        yield main
        if "." in self.point.module or main.name == "__init__.py":
            others = sorted(file for file in main.parent.glob("*.py") if file != main)
            yield from others[:_MOST_MODULES]


def installed() -> tuple[PackagedProvider, ...]:
    """All that are declared, in the order in which Python finds their packages."""
    return tuple(PackagedProvider(point.name, point) for point in entry_points(group=ENTRY_POINT_GROUP))
