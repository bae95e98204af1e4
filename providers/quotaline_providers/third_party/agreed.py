"""What is declared beside the built-in providers, and what the user has agreed to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quotaline_providers.third_party.files import ProviderFile
from quotaline_providers.third_party.packages import PackagedProvider

Declared = PackagedProvider | ProviderFile
"""A third-party provider that is not loaded yet."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What the user let a provider do: use these credentials of others. For a package's one it holds while that
    package declares the provider and its code names no other hosts than these; a file's digest says as much."""

    package: str
    claims: frozenset[str]
    hosts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Agreed:
    """What the user has agreed to: the files in the folder of their providers, approved or not, in order, and the
    consents for packages' providers by id."""

    files: tuple[ProviderFile, ...] = ()
    consents: Mapping[str, Consent] | None = None
