"""How the Quotaline that runs was installed, and the command that adds a library to just that one."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, requires
from importlib.util import find_spec
from pathlib import Path

from quotaline_providers.distribution import requirement

_DISTRIBUTION = "quotaline"
_OF_EXTRA = re.compile(r"^(?P<library>[^;]+?)\s*;.*\bextra\s*==\s*[\"'](?P<extra>[\w-]+)[\"']")
_SAFE = re.compile(r"[\w@%+:,./\\-]+")


class Kind(StrEnum):
    """What made the environment that runs."""

    UV_TOOL = "uv tool"
    PIPX = "pipx"
    ENVIRONMENT = "environment"
    """A virtual environment of the extension, of a checkout or of the user, or the system's Python."""


@dataclass(frozen=True)
class Installation:
    """One environment: its folder, its interpreter, and whether pip is in it."""

    folder: Path
    python: str
    has_pip: bool
    platform: str = sys.platform

    @classmethod
    def current(cls) -> Installation:
        """The one that runs."""
        return cls(Path(sys.prefix), sys.executable, find_spec("pip") is not None)

    @property
    def kind(self) -> Kind:
        """By what the programs leave in the environments that they make."""
        if (self.folder / "uv-receipt.toml").is_file():
            return Kind.UV_TOOL
        return Kind.PIPX if (self.folder / "pipx_metadata.json").is_file() else Kind.ENVIRONMENT

    def adding(self, extra: str) -> str:
        """The command that adds what an extra needs."""
        libraries = libraries_of(extra)
        if self.kind is Kind.UV_TOOL:
            return self._command("uv", "tool", "install", "--force", self._with_extra(extra))
        if self.kind is Kind.PIPX:
            return self._command("pipx", "inject", _DISTRIBUTION, *libraries)
        if self.has_pip:
            return self._command(self.python, "-m", "pip", "install", *libraries)
        return self._command("uv", "pip", "install", "--python", self.python, *libraries)

    def _with_extra(self, extra: str) -> str:
        """What uv installed, from where it came, with one more extra: uv knows no way to add to it."""
        own = _own_requirement(self.folder / "uv-receipt.toml")
        extras = own.get("extras")
        named = sorted({extra, *(map(str, extras) if isinstance(extras, list) else ())})
        place = next((own[key] for key in ("editable", "directory", "path") if isinstance(own.get(key), str)), None)
        return f"{place}[{','.join(named)}]" if place else requirement(*named)

    def _command(self, *words: str) -> str:
        quote = '"' if self.platform == "win32" else "'"
        return " ".join(word if _SAFE.fullmatch(word) else f"{quote}{word}{quote}" for word in words)


def to_add(extra: str) -> str:
    """For a hint: the command that adds what an extra needs to the Quotaline that runs."""
    return f"`{Installation.current().adding(extra)}`"


def libraries_of(extra: str) -> Sequence[str]:
    """What an extra needs, as the installed distribution says; the extra itself when it says nothing."""
    try:
        every = requires(_DISTRIBUTION) or ()
    except PackageNotFoundError:
        every = ()
    found = [match["library"] for one in every if (match := _OF_EXTRA.match(one)) and match["extra"] == extra]
    return found or [requirement(extra)]


def _own_requirement(receipt: Path) -> Mapping[str, object]:
    import tomllib

    try:
        tool = tomllib.loads(receipt.read_text(encoding="utf-8")).get("tool")
    except (OSError, ValueError):
        return {}
    listed = tool.get("requirements") if isinstance(tool, dict) else None
    every = listed if isinstance(listed, list) else []
    return next((one for one in every if isinstance(one, dict) and one.get("name") == _DISTRIBUTION), {})
