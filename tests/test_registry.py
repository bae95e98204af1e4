"""Every provider there is, imported only when used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers import registry, vendors


def answer(code: str, *paths: Path) -> Any:
    """What a new interpreter with these folders on its path prints as JSON."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    lines = f"import json, sys\nfrom quotaline_providers import registry\nprint(json.dumps({code}))"
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, env=environ, check=True)
    return json.loads(done.stdout)


def test_listing_the_providers_imports_none_of_them() -> None:
    found = answer(
        "[registry.ids(), [name for name in sys.modules if name.startswith('quotaline_providers.vendors.')]]"
    )
    assert found[0]
    assert found[1] == []


def test_ids_are_sorted_and_unique() -> None:
    assert list(registry.ids()) == sorted(set(registry.ids()))


def test_a_provider_is_found_by_id_alias_and_name_in_any_case() -> None:
    some = next(provider for provider in registry.every() if provider.aliases)
    for name in (some.id, some.aliases[0], some.name, f" {some.id.upper()} "):
        assert registry.resolve(name) is some


@pytest.mark.parametrize("name", ["", "nobody", "_private", "__init__", "../codex"])
def test_what_is_no_provider_is_told(name: str) -> None:
    with pytest.raises(KeyError):
        registry.get(name)
    with pytest.raises(KeyError):
        registry.resolve(name)


@pytest.mark.parametrize("id", registry.ids())
def test_every_built_in_provider_is_complete(id: str) -> None:
    provider = registry.get(id)
    assert provider.id == id
    assert provider.name
    assert provider.summary
    assert provider.connect.endswith(".")
    assert provider.strategies
    assert provider.min_interval > 0
    assert provider.deadline > 0
    assert all(alias == alias.lower() and alias != id for alias in provider.aliases)
    assert provider.dashboard is None or provider.dashboard.startswith("https://")


def test_no_name_belongs_to_two_providers() -> None:
    owners: dict[str, str] = {}
    for provider in registry.every():
        for name in {provider.id, *provider.aliases}:
            assert owners.setdefault(name, provider.id) == provider.id


def test_every_vendor_module_is_a_provider() -> None:
    assert {path.stem for path in Path(vendors.__path__[0]).iterdir() if path.stem[0] not in "_."} == set(
        registry._builtin_ids()
    )
