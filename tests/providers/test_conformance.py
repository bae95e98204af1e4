"""What every registered provider promises, whoever wrote it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

import pytest

from quotaline_providers import registry
from quotaline_providers.contract import Provider
from quotaline_providers.errors import FALL_THROUGH, ReadError
from quotaline_providers.settings import ProviderSettings

EVERY = sorted(registry.every(), key=lambda provider: provider.id)


@pytest.fixture(params=EVERY, ids=lambda provider: provider.id)
def provider(request: Any) -> Provider:
    found: Provider = request.param
    return found


def test_its_metadata_is_complete(provider: Provider) -> None:
    assert provider.name
    assert provider.summary
    assert provider.connect.endswith(".")
    assert provider.strategies
    assert provider.min_interval >= 60
    assert 0 < provider.deadline <= 180
    status = provider.status.url if provider.status else None
    for address in (provider.dashboard, provider.key_url, status):
        assert address is None or urlsplit(address).scheme == "https"


def test_its_names_belong_to_it_alone(provider: Provider) -> None:
    others = {name for other in EVERY if other is not provider for name in (other.id, *other.aliases)}
    assert others.isdisjoint({provider.id, *provider.aliases})


def test_on_an_empty_machine_every_strategy_says_what_is_missing(
    provider: Provider, outcome: Any, simulator: Any
) -> None:
    for source in ("auto", *provider.sources):
        seen = outcome(provider.id, source=source)
        assert isinstance(seen.error, FALL_THROUGH), (source, seen.error)
        assert seen.error.message
        assert seen.error.hint


def test_detection_on_an_empty_machine_finds_nothing(provider: Provider, reader: Any) -> None:
    ctx = reader.machine({}).context(provider.id, ProviderSettings(id=provider.id))
    for strategy in provider.strategies:
        assert strategy.lookup.trace(ctx) is None
        assert all(isinstance(place, str) and place for place in strategy.lookup.places(ctx))


def test_a_source_it_does_not_have_is_named(provider: Provider, outcome: Any) -> None:
    missing = next((s for s in ("oauth", "api", "web", "cli", "local") if s not in provider.sources), None)
    if missing is None:
        pytest.skip("it has every source")
    error = outcome(provider.id, source=missing).error
    assert isinstance(error, ReadError)
    assert missing in error.message


def test_it_is_imported_only_when_used(provider: Provider) -> None:
    code = f"""
import sys
from quotaline_providers import registry
assert {provider.id!r} in registry.ids()
assert not [name for name in sys.modules if name.startswith("quotaline_providers.vendors.")]
registry.get({provider.id!r})
heavy = {{"httpx", "keyring", "watchfiles", "pygls", "truststore", "botocore", "google.auth"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
